package integrityeventsreceiver

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/internal/integrity/incident"
)

// extension stands for the integrity extension.
type extension struct {
	component.StartFunc
	component.ShutdownFunc
	book *incident.Book
}

func (e extension) Incidents() *incident.Book { return e.book }

// host has the extensions, and remembers the last status.
type host struct {
	component.Host
	extensions map[component.ID]component.Component
	mu         sync.Mutex
	status     []componentstatus.Status
}

func (h *host) GetExtensions() map[component.ID]component.Component { return h.extensions }

func (h *host) Report(e *componentstatus.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.status = append(h.status, e.Status())
}

func (h *host) statuses() []componentstatus.Status {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]componentstatus.Status(nil), h.status...)
}

func newHost(book *incident.Book) *host {
	return &host{Host: componenttest.NewNopHost(), extensions: map[component.ID]component.Component{component.NewID(integrity): extension{book: book}}}
}

// pipeline takes records, or refuses with what is in errs first.
type pipeline struct {
	mu    sync.Mutex
	errs  []error
	taken []plog.LogRecord
	tried int
}

func (p *pipeline) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

func (p *pipeline) ConsumeLogs(_ context.Context, ld plog.Logs) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tried++
	if len(p.errs) > 0 {
		err := p.errs[0]
		p.errs = p.errs[1:]
		return err
	}
	for _, rl := range ld.ResourceLogs().All() {
		for _, sl := range rl.ScopeLogs().All() {
			for _, lr := range sl.LogRecords().All() {
				p.taken = append(p.taken, lr)
			}
		}
	}
	return nil
}

// events are what was taken.
func (p *pipeline) events(t *testing.T) (all []incident.Event) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, lr := range p.taken {
		var e incident.Event
		require.NoError(t, json.Unmarshal([]byte(lr.Body().Str()), &e))
		all = append(all, e)
	}
	return all
}

func openBook(t *testing.T, dir string) *incident.Book {
	t.Helper()
	book, err := incident.Open(incident.Settings{Dir: dir})
	require.NoError(t, err)
	return book
}

func start(t *testing.T, h component.Host, p *pipeline) receiver.Logs {
	t.Helper()
	r := created(t, p)
	require.NoError(t, r.Start(t.Context(), h))
	return r
}

func created(t *testing.T, p *pipeline) receiver.Logs {
	t.Helper()
	set := receivertest.NewNopSettings(typ)
	set.ID = component.NewID(typ)
	r, err := NewFactory().CreateLogs(t.Context(), set, NewFactory().CreateDefaultConfig(), p)
	require.NoError(t, err)
	return r
}

func altered(record uint64) incident.Finding {
	return incident.Finding{
		Kind:     incident.SegmentAltered,
		Place:    incident.Place{Store: "s3://acme-audit", Log: "gateway-1", Object: "gateway-1/segments/x", First: 3, End: 9, Record: &record},
		Message:  "the segment is not what its seal names",
		Evidence: []incident.Evidence{{Name: "seal", Bytes: []byte("note")}},
	}
}

func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	require.Eventually(t, is, 30*time.Second, 5*time.Millisecond, what)
}

func TestFindingsBecomeRecords(t *testing.T) {
	book := openBook(t, t.TempDir())
	defer func() { require.NoError(t, book.Close()) }()
	p := &pipeline{}
	r := start(t, newHost(book), p)
	require.NoError(t, book.Report(altered(4)))
	eventually(t, "the opening", func() bool { return len(p.events(t)) == 1 })
	opened := p.events(t)[0]
	require.NoError(t, book.Acknowledge(opened.Incident.ID, "Jane Doe", "restored"))
	eventually(t, "the acknowledgement", func() bool { return len(p.events(t)) == 2 })
	require.NoError(t, r.Shutdown(t.Context()))

	require.Equal(t, incident.Opened, opened.What)
	require.Equal(t, []byte("note"), opened.Incident.Evidence[0].Bytes)
	lr := p.taken[0]
	require.Equal(t, audit.EventFinding, lr.EventName())
	require.WithinDuration(t, opened.At, lr.Timestamp().AsTime(), 0)
	for key, want := range map[string]string{
		audit.AttrOriginalID: opened.Incident.ID, audit.AttrAction: "DETECT", audit.AttrOperation: "opened", audit.AttrCategory: "segment-altered",
		audit.AttrFindingSeverity: "tampering", audit.AttrOutcome: "unknown", audit.AttrOutcomeReason: "the segment is not what its seal names",
		audit.AttrTargetID: "s3://acme-audit/gateway-1/segments/x", audit.AttrTargetType: "object", audit.AttrTargetName: "gateway-1",
		audit.AttrActorID: "integrity", audit.AttrActorType: "system", audit.AttrOCSFType: "200401",
	} {
		got, ok := lr.Attributes().Get(key)
		require.True(t, ok, key)
		require.Equal(t, want, got.AsString(), key)
	}
	who, _ := p.taken[1].Attributes().Get(audit.AttrActorID)
	kind, _ := p.taken[1].Attributes().Get(audit.AttrActorType)
	require.Equal(t, "Jane Doe user", who.Str()+" "+kind.Str())
}

// An event is sent until it was taken, whatever the refusal, and then never again,
// also not after a restart.
func TestEventsAreTakenOnce(t *testing.T) {
	dir := t.TempDir()
	book := openBook(t, dir)
	p := &pipeline{errs: []error{errors.New("full"), consumererror.NewPermanent(errors.New("never"))}}
	h := newHost(book)
	require.NoError(t, book.Report(altered(4)))
	r := start(t, h, p)
	eventually(t, "the opening", func() bool { return book.Cursor("integrity_events") > 0 })
	require.NoError(t, r.Shutdown(t.Context()))
	require.NoError(t, book.Close())
	require.Equal(t, 3, p.tried)
	require.Len(t, p.events(t), 1)
	require.Equal(t, []componentstatus.Status{componentstatus.StatusRecoverableError, componentstatus.StatusOK}, h.statuses())

	book = openBook(t, dir)
	defer func() { require.NoError(t, book.Close()) }()
	r = start(t, newHost(book), p)
	f := altered(4)
	f.Place.Log = "gateway-2"
	require.NoError(t, book.Report(f))
	eventually(t, "the second opening", func() bool { return len(p.events(t)) > 1 })
	require.NoError(t, r.Shutdown(t.Context()))
	require.Equal(t, "gateway-2", p.events(t)[1].Incident.Place.Log)
	require.Len(t, p.events(t), 2)
}

// What was not taken when the receiver stopped comes after the next start.
func TestStopWhileRefused(t *testing.T) {
	book := openBook(t, t.TempDir())
	defer func() { require.NoError(t, book.Close()) }()
	p := &pipeline{}
	for range 1000 {
		p.errs = append(p.errs, errors.New("full"))
	}
	require.NoError(t, book.Report(altered(4)))
	r := start(t, newHost(book), p)
	eventually(t, "an attempt", func() bool { p.mu.Lock(); defer p.mu.Unlock(); return p.tried > 0 })
	require.NoError(t, r.Shutdown(t.Context()))
	require.Zero(t, book.Cursor("integrity_events"))

	p.errs = nil
	r = start(t, newHost(book), p)
	eventually(t, "the opening", func() bool { return len(p.events(t)) == 1 })
	require.NoError(t, r.Shutdown(t.Context()))
}

func TestStartNeedsTheExtension(t *testing.T) {
	r := created(t, &pipeline{})
	require.ErrorContains(t, r.Start(t.Context(), componenttest.NewNopHost()), `there is no extension "integrity"`)
	require.NoError(t, r.Shutdown(t.Context()))
	wrong := &host{extensions: map[component.ID]component.Component{component.NewID(integrity): struct {
		component.StartFunc
		component.ShutdownFunc
	}{}}}
	require.ErrorContains(t, created(t, &pipeline{}).Start(t.Context(), wrong), "finds nothing")
	require.ErrorContains(t, (&Config{}).Validate(), "extension: required")
	ours := &Config{Extension: component.NewID(integrity)}
	require.ErrorContains(t, ours.CheckStart([]component.ID{component.NewIDWithName(integrity, "x")}), `there is no extension "integrity"`)
	require.NoError(t, ours.CheckStart([]component.ID{component.NewID(integrity)}))
}
