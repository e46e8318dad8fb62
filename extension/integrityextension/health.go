package integrityextension

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.uber.org/zap"

	"github.com/otelcol-custody/custody/internal/integrity/incident"
)

// health says in the collector's log what happens to incidents, each once, and
// what it means for the component's status: a recoverable error as long as an
// incident is open that nobody has acknowledged, or the extension cannot work.
type health struct {
	host component.Host
	log  *zap.Logger

	mu       sync.Mutex                   // guards what follows
	open     map[string]incident.Incident // by id, those not acknowledged
	faults   map[string]error             // why a part cannot do its work
	reported incident.Severity            // 0: that all is well
}

func newHealth(log *zap.Logger) *health {
	return &health{log: log, open: map[string]incident.Incident{}, faults: map[string]error{}}
}

// works says why a part of the extension cannot do its work, or, with nil, that
// it can.
func (h *health) works(part string, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	before := h.faults[part]
	if err == nil {
		delete(h.faults, part)
	} else {
		h.faults[part] = err
	}
	switch {
	case err != nil && before == nil:
		h.log.Error("does not work now, and is tried again: "+part, zap.Error(err))
	case err == nil && before != nil:
		h.log.Info("works again: " + part)
	}
	h.report()
}

// begin takes the incidents that are open from before.
func (h *health) begin(host component.Host, open []incident.Incident) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.host = host
	for _, i := range open {
		h.note(i)
	}
	if n := len(h.open); n > 0 {
		h.log.Warn("incidents are open from before", zap.Int("incidents", n), zap.Error(h.err()))
	}
	worst := slices.SortedFunc(maps.Values(h.open), func(a, b incident.Incident) int {
		return cmp.Or(-cmp.Compare(a.Severity, b.Severity), a.Opened.Compare(b.Opened), strings.Compare(a.ID, b.ID))
	})
	for _, i := range worst[:min(len(worst), maxBefore)] {
		h.log.Warn("open from before: "+said(i), about(i)...)
	}
	h.report()
}

// maxBefore is how many incidents a start says one by one.
const maxBefore = 16

// said is what an incident says now.
func said(i incident.Incident) string { return cmp.Or(i.Latest, i.Message) }

// happened takes what happened to an incident. Seeing one again is not worth a
// line, metrics and API have it; but another reason why nothing can be read is.
func (h *health) happened(e incident.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	i := e.Incident
	before, known := h.open[i.ID]
	h.note(i)
	h.report()
	fields := about(i)
	switch {
	case e.What == incident.Opened && i.Severity == incident.Tampering:
		h.log.Error("TAMPERING: "+i.Message, fields...)
	case e.What == incident.Opened:
		h.log.Warn(i.Message, fields...)
	case e.What == incident.Updated && known && i.Severity == incident.Trouble && said(i) != said(before):
		h.log.Warn(said(i), fields...)
	case e.What == incident.Acknowledged:
		h.log.Info("incident acknowledged", append(fields, zap.String("who", i.Acknowledged.Who), zap.String("why", i.Acknowledged.Why))...)
	case e.What == incident.Resolved:
		h.log.Info("incident resolved", fields...)
	}
}

// about names an incident and its place, as far as it has one.
func about(i incident.Incident) []zap.Field {
	fields := []zap.Field{zap.String("incident", i.ID), zap.String("kind", string(i.Kind)), zap.Stringer("severity", i.Severity)}
	for _, f := range []zap.Field{zap.String("store", i.Place.Store), zap.String("log", i.Place.Log), zap.String("object", i.Place.Object), zap.String("peer", i.Place.Peer)} {
		if f.String != "" {
			fields = append(fields, f)
		}
	}
	return fields
}

// note keeps what counts for the status; the caller holds mu.
func (h *health) note(i incident.Incident) {
	if i.Open() && i.Acknowledged == nil {
		h.open[i.ID] = i
	} else {
		delete(h.open, i.ID)
	}
}

// report tells the collector when the worst changes, and not more often: each
// report begins the health check's recovery_duration anew, and whoever causes
// findings must not keep it green. The caller holds mu.
func (h *health) report() {
	worst := incident.Severity(0)
	for _, i := range h.open {
		worst = max(worst, i.Severity)
	}
	if len(h.faults) > 0 {
		worst = max(worst, incident.Trouble)
	}
	if worst == h.reported || h.host == nil || worst != 0 && worst < h.reported {
		return
	}
	h.reported = worst
	if worst == 0 {
		componentstatus.ReportStatus(h.host, componentstatus.NewEvent(componentstatus.StatusOK))
		return
	}
	componentstatus.ReportStatus(h.host, componentstatus.NewRecoverableErrorEvent(h.err()))
}

// err says what is wrong at this moment: what does not work, and the worst
// incident. How many there are is left out: it changes, and what was reported
// does not. The caller holds mu.
func (h *health) err() error {
	var errs []error
	for _, part := range slices.Sorted(maps.Keys(h.faults)) {
		errs = append(errs, fmt.Errorf("%s: %w", part, h.faults[part]))
	}
	var worst incident.Incident
	for _, i := range h.open {
		if i.Severity > worst.Severity || i.Severity == worst.Severity && i.Opened.Before(worst.Opened) {
			worst = i
		}
	}
	if len(h.open) > 0 {
		errs = append(errs, fmt.Errorf("%s: %s: %s (incident %s)", worst.Severity, worst.Kind, worst.Message, worst.ID))
	}
	return errors.Join(errs...)
}
