package awscloudtrailreceiver

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
)

// A health gathers what is wrong at present and reports the component's status when
// it changes.
type health struct {
	host component.Host // set before first use

	mu        sync.Mutex
	wrong     map[string]error // by what it concerns, which is one goroutine's to clear
	reported  string           // the last reported text; empty for OK
	permanent bool             // reported once, and nothing after it
}

// set notes what is wrong with a part of the receiver; nil for nothing.
func (h *health) set(part string, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.wrong == nil {
		h.wrong = make(map[string]error)
	}
	if err == nil {
		delete(h.wrong, part)
	} else {
		h.wrong[part] = err
	}
	h.report()
}

// report tells the host what changed; mu is held.
func (h *health) report() {
	all := h.joined()
	text := ""
	if all != nil {
		text = all.Error()
	}
	if text == h.reported || h.permanent {
		return
	}
	h.reported = text
	event := componentstatus.NewEvent(componentstatus.StatusOK)
	if all != nil {
		event = componentstatus.NewRecoverableErrorEvent(all)
	}
	componentstatus.ReportStatus(h.host, event)
}

func (h *health) joined() error {
	var errs []error
	for _, part := range slices.Sorted(maps.Keys(h.wrong)) {
		errs = append(errs, h.wrong[part])
	}
	if n := len(errs) - maxTold; n > 0 {
		errs = append(errs[:maxTold:maxTold], fmt.Errorf("and %d more", n))
	}
	return errors.Join(errs...)
}

// maxTold bounds how much a status says: hundreds of objects may be in trouble.
const maxTold = 8

// fail reports what only an operator can mend. The collector takes no other status
// from the component after that, until it is started again.
func (h *health) fail(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.permanent {
		return
	}
	h.permanent = true
	componentstatus.ReportStatus(h.host, componentstatus.NewPermanentErrorEvent(err))
}
