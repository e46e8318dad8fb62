package integrityextension

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/otelcol-custody/custody/extension/integrityextension/internal/metadata"
	"github.com/otelcol-custody/custody/internal/integrity/incident"
	"github.com/otelcol-custody/custody/ledger/ledgertest"
	"github.com/otelcol-custody/custody/ledger/proof"
)

func TestACleanLog(t *testing.T) {
	s, h := newSite(t), newHost()
	s.grow(3)
	s.grow(2)
	e := s.start(h)
	s.eventually("both segments", func() bool { return s.verified() == 7 })
	s.grow(4)
	s.eventually("a new one", func() bool { return s.verified() == 12 })
	code, note := s.ask("/test/checkpoint", nil)
	require.Equal(t, http.StatusOK, code)
	require.True(t, strings.HasPrefix(note, origin+"\n12\n"), note)
	code, _ = s.ask("/v1/logs/test/records/0", nil)
	require.Equal(t, http.StatusForbidden, code, "records are not served unless it is said")
	require.Empty(t, s.findings("open"))
	require.Zero(t, h.reports())
	require.NoError(t, e.Shutdown(t.Context()))
}

// What the API hands out is proven with the log's key alone.
func TestProofs(t *testing.T) {
	s := newSite(t)
	s.settings["serve_records"] = true
	s.grow(3)
	one := s.grow(3)
	e := s.start(newHost())
	var found struct{ Index, Size uint64 }
	s.eventually("a record by its hash", func() bool {
		code, _ := s.ask("/v1/logs/test/proof?hash="+url.QueryEscape(one.Seal.Link(1).String()), &found)
		return code == http.StatusOK
	})
	require.Equal(t, one.Seal.First+1, found.Index)
	require.Equal(t, one.Seal.End(), found.Size)
	code, file := s.ask("/v1/logs/test/evidence?index=5", nil)
	require.Equal(t, http.StatusOK, code)
	proven, err := proof.Check([]byte(file), ledgertest.Keys(t, ledgertest.Signer(t, origin)))
	require.NoError(t, err)
	require.Equal(t, uint64(5), proven.Index)
	require.NoError(t, e.Shutdown(t.Context()))
}

// Tampering is told in every channel, and stays until a person acknowledges it,
// also over a restart.
func TestTampering(t *testing.T) {
	var posts []string
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		posts = append(posts, r.Header.Get("webhook-signature"))
	}))
	s, h := newSite(t), newHost()
	secret := filepath.Join(s.dir, "secret")
	require.NoError(t, os.WriteFile(secret, []byte("whsec_"+strings.Repeat("A", 43)+"=\n"), 0o600))
	s.settings["webhook"] = map[string]any{"endpoint": hook.URL, "secret": map[string]any{"file": secret}}
	good := s.grow(3)
	bad := s.grow(3)
	s.alter(bad)
	e := s.start(h)
	s.eventually("the finding", func() bool { return len(s.findings("open")) == 1 })
	f := s.findings("open")[0]
	require.Equal(t, "segment-altered tampering", f.Kind+" "+f.Severity)
	require.Equal(t, s.id()+" test test/"+bad.Seal.SegmentName(), f.Place.Store+" "+f.Place.Log+" "+f.Place.Object)
	s.eventually("the status", func() bool { return h.status() == componentstatus.StatusRecoverableError })
	s.eventually("the log", func() bool { return s.said.FilterMessageSnippet("TAMPERING").Len() == 1 })
	s.eventually("the rest of the log", func() bool { return s.verified() == bad.Seal.End() })
	require.NoError(t, e.Shutdown(t.Context()))
	hook.Close()
	require.NotEmpty(t, posts)
	require.True(t, strings.HasPrefix(posts[0], "v1,"), posts[0])

	delete(s.settings, "webhook")
	h = newHost()
	e = s.start(h)
	require.Equal(t, componentstatus.StatusRecoverableError, h.status(), "an incident is open from before")
	s.eventually("the API", func() bool { return len(s.findings("open")) == 1 })
	require.Zero(t, s.said.FilterMessageSnippet("TAMPERING").Len(), "it is told once")
	ack := filepath.Join(s.dir, "state", acknowledgeDir, f.ID)
	require.NoError(t, os.WriteFile(ack, []byte("Jane Doe: a test\n"), 0o600))
	s.eventually("the acknowledgement", func() bool { return h.status() == componentstatus.StatusOK })
	require.Equal(t, "Jane Doe", s.findings("open")[0].Acknowledged.Who, "what is still there stays open")
	s.eventually("its end", func() bool { _, err := os.Stat(ack); return errors.Is(err, os.ErrNotExist) })
	require.NoError(t, e.Shutdown(t.Context()))
	require.NotEqual(t, good.Seal.SegmentName(), bad.Seal.SegmentName())
}

// A store that is not there is no tampering, and no silence.
func TestAStoreThatIsAway(t *testing.T) {
	s, h := newSite(t), newHost()
	require.NoError(t, os.Remove(s.store()))
	e := s.start(h)
	s.eventually("the finding", func() bool { return len(s.findings("open")) > 0 })
	require.Equal(t, "unread trouble", s.findings("open")[0].Kind+" "+s.findings("open")[0].Severity)
	s.eventually("the status", func() bool { return h.status() == componentstatus.StatusRecoverableError })
	require.NoError(t, os.Mkdir(s.store(), 0o700))
	s.grow(2)
	s.eventually("the end", func() bool { return len(s.findings("open")) == 0 })
	s.eventually("the status", func() bool { return h.status() == componentstatus.StatusOK })
	require.NoError(t, e.Shutdown(t.Context()))
}

// Two extensions that were shown two histories by two stores find that out from
// each other.
func TestPeers(t *testing.T) {
	far, s := newSite(t), newSite(t)
	far.grow(2)
	other := far.start(newHost())
	far.eventually("their log", func() bool { return far.verified() == 3 })
	s.log = s.log.Branch("other")
	s.grow(2)
	e := s.start(newHost())
	s.eventually("our log", func() bool { return s.verified() == 3 })
	require.Empty(t, s.findings("open"))
	require.NoError(t, e.Shutdown(t.Context())) // Now it knows a head from the start.
	s.settings["peers"] = []any{map[string]any{"endpoint": "http://" + far.address}}
	e = s.start(newHost())
	s.eventually("the finding", func() bool { return len(s.findings("open")) == 1 })
	require.Equal(t, "fork tampering", s.findings("open")[0].Kind+" "+s.findings("open")[0].Severity)
	require.NoError(t, e.Shutdown(t.Context()))
	require.NoError(t, other.Shutdown(t.Context()))
}

func TestMetrics(t *testing.T) {
	tel := componenttest.NewTelemetry()
	s := newSite(t)
	s.grow(3)
	s.alter(s.grow(2))
	e := s.create(tel.NewTelemetrySettings())
	require.NoError(t, e.Start(t.Context(), newHost()))
	s.eventually("the finding", func() bool { return len(s.findings("open")) == 1 && s.verified() == 7 })
	require.Equal(t, int64(4), value(t, tel, "otelcol_integrity_verified_records", "pass", "new"))
	require.Equal(t, int64(7), value(t, tel, "otelcol_integrity_head", "log", "test"))
	require.Equal(t, int64(7), value(t, tel, "otelcol_integrity_verified_size", "store", s.id()))
	require.Equal(t, int64(1), value(t, tel, "otelcol_integrity_incidents", "kind", "segment-altered"))
	require.Equal(t, int64(0), value(t, tel, "otelcol_integrity_incidents", "severity", "concern"))
	for _, name := range []string{"lag", "unread", "overdue", "coverage_promise"} {
		_, err := tel.GetMetric("otelcol_integrity_" + name)
		require.NoError(t, err)
	}
	require.NoError(t, e.Shutdown(t.Context()))
	require.NoError(t, tel.Shutdown(t.Context()))
}

// value is that of a metric's point with a label.
func value(t *testing.T, tel *componenttest.Telemetry, name, key, label string) int64 {
	t.Helper()
	m, err := tel.GetMetric(name)
	require.NoError(t, err)
	var points []metricdata.DataPoint[int64]
	switch data := m.Data.(type) {
	case metricdata.Gauge[int64]:
		points = data.DataPoints
	case metricdata.Sum[int64]:
		points = data.DataPoints
	}
	for _, p := range points {
		for _, a := range p.Attributes.ToSlice() {
			if string(a.Key) == key && a.Value.AsString() == label {
				return p.Value
			}
		}
	}
	t.Fatalf("%s has no point with %s=%s: %+v", name, key, label, points)
	return 0
}

func TestStateBelongsToOne(t *testing.T) {
	s := newSite(t)
	e := s.start(newHost())
	other := newSite(t)
	other.settings["state_dir"] = s.settings["state_dir"]
	second := other.create(component.TelemetrySettings{})
	require.ErrorContains(t, second.Start(t.Context(), newHost()), "state_dir: ")
	require.NoError(t, second.Shutdown(t.Context()))
	require.NoError(t, e.Shutdown(t.Context()))
	e = s.start(newHost())
	require.NoError(t, e.Shutdown(t.Context()))
}

// What cannot be had refuses the start, and leaves nothing behind.
func TestRefusals(t *testing.T) {
	s := newSite(t)
	file := filepath.Join(s.dir, "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	folder := filepath.Join(s.dir, "folder")
	require.NoError(t, os.MkdirAll(filepath.Join(folder, "heads"), 0o700))
	usual := s.settings["state_dir"]
	for _, dir := range []string{file, folder} {
		s.settings["state_dir"] = dir
		e := s.create(component.TelemetrySettings{})
		err := e.Start(t.Context(), newHost())
		require.ErrorContains(t, err, "state_dir: ")
		require.ErrorContains(t, err, "name another one, or move away what is in the way")
		require.NoError(t, e.Shutdown(t.Context()))
	}
	s.settings["state_dir"] = usual
	taken := httptest.NewServer(http.NotFoundHandler())
	defer taken.Close()
	free := s.address
	s.settings["http"] = map[string]any{"endpoint": taken.Listener.Addr().String()}
	e := s.create(component.TelemetrySettings{})
	require.ErrorContains(t, e.Start(t.Context(), newHost()), "http::endpoint: ")
	require.NoError(t, e.Shutdown(t.Context()))
	delete(s.settings, "http")
	j := s.start(newHost()).(*judge)
	_, err := j.prove(t.Context(), s.id(), "test", 1, 2)
	require.ErrorIs(t, err, errNotOpen)
	require.Empty(t, j.Dependencies())
	require.NoError(t, j.Shutdown(t.Context()))
	s.settings["http"] = map[string]any{"endpoint": free}
	require.NoError(t, s.start(newHost()).Shutdown(t.Context()))
}

// A store that hangs does not keep the process from stopping.
func TestShutdownHasALimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tb, err := metadata.NewTelemetryBuilder(componenttest.NewNopTelemetrySettings())
		require.NoError(t, err)
		_, stop := context.WithCancel(t.Context())
		j := &judge{telemetry: tb, stop: stop}
		answer := make(chan struct{})
		j.work.Go(func() error { <-answer; return nil })
		began := time.Now()
		require.ErrorContains(t, j.Shutdown(t.Context()), "did not answer")
		require.Equal(t, stopGrace, time.Since(began))
		close(answer)
	})
}

// Health tells the collector when the worst changes, and not with each incident:
// whoever causes findings must not begin recovery_duration anew.
func TestStatusIsReportedOnce(t *testing.T) {
	h, host := newHealth(extensiontest.NewNopSettings(typ).Logger), newHost()
	h.begin(host, nil)
	happen := func(what incident.What, id string, kind incident.Kind, edit func(*incident.Incident)) {
		i := incident.Incident{ID: id, Severity: kind.Severity(), Finding: incident.Finding{Kind: kind}}
		if edit != nil {
			edit(&i)
		}
		h.happened(incident.Event{What: what, Incident: i})
	}
	known := func(i *incident.Incident) { i.Acknowledged = &incident.Acknowledgement{Who: "a", Why: "b"} }
	happen(incident.Opened, "1", incident.Unread, nil)
	happen(incident.Opened, "2", incident.Unread, nil)
	require.Equal(t, 1, host.reports())
	happen(incident.Opened, "3", incident.Fork, nil)
	happen(incident.Opened, "4", incident.Fork, nil)
	require.Equal(t, 2, host.reports())
	require.ErrorContains(t, host.events[1].Err(), "tampering: fork")
	happen(incident.Acknowledged, "3", incident.Fork, known)
	happen(incident.Acknowledged, "4", incident.Fork, known)
	happen(incident.Resolved, "1", incident.Unread, func(i *incident.Incident) { i.Resolved = time.Now() })
	require.Equal(t, 2, host.reports())
	happen(incident.Resolved, "2", incident.Unread, func(i *incident.Incident) { i.Resolved = time.Now() })
	require.Equal(t, 3, host.reports())
	require.Equal(t, componentstatus.StatusOK, host.status())
	h.works(partBook, errors.New("full"))
	require.Equal(t, componentstatus.StatusRecoverableError, host.status())
	h.works(partBook, nil)
	require.Equal(t, componentstatus.StatusOK, host.status())
}

func TestDependencies(t *testing.T) {
	j := &judge{cfg: loaded(t, "all")}
	var names []string
	for _, id := range j.Dependencies() {
		names = append(names, id.String())
	}
	require.Equal(t, []string{"bearertokenauth", "bearertokenauth/peer"}, names)
}

// A head is only forgotten for who says which incident, who and why.
func TestForget(t *testing.T) {
	s := newSite(t)
	s.settings["full_pass_every"] = "2s" // A pass says that a fork is over.
	s.grow(2)
	s.grow(2)
	e := s.start(newHost())
	s.eventually("both", func() bool { return s.verified() == 6 })
	require.NoError(t, e.Shutdown(t.Context()))
	// The store is emptied and filled with another history, which needs no time to
	// be told from a store that is late.
	require.NoError(t, os.RemoveAll(filepath.Join(s.store(), "test")))
	s.log = ledgertest.NewLog("test", ledgertest.Signer(t, origin)).Branch("other")
	s.grow(2)
	s.grow(3)
	e = s.start(newHost())
	forks := func() []finding {
		return slices.DeleteFunc(s.findings("open"), func(f finding) bool { return f.Kind != "fork" })
	}
	s.eventually("the fork", func() bool { return len(forks()) == 1 })
	id := forks()[0].ID
	s.acknowledge("nonsense", "Jane Doe: x")
	s.acknowledge(id, "no name")
	s.acknowledge(id+forgetSuffix, "Jane Doe:")
	s.eventually("the refusals", func() bool { return s.said.FilterMessageSnippet("was not taken").Len() == 3 })
	require.Nil(t, forks()[0].Acknowledged)
	// Acknowledged alone, it is found for ever.
	s.acknowledge(id, "Jane Doe: I saw it")
	s.eventually("the acknowledgement", func() bool { return forks()[0].Acknowledged != nil })
	passes := s.passes()
	s.eventually("everything is read again", func() bool { return s.passes() >= passes+2 })
	require.Len(t, forks(), 1)
	s.acknowledge(id+forgetSuffix, "Jane Doe: the store was emptied")
	s.eventually("the end", func() bool { return len(forks()) == 0 })
	require.NoError(t, e.Shutdown(t.Context()))
}
