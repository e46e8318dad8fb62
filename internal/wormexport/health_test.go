package wormexport

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"go.opentelemetry.io/collector/component/componentstatus"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otelcol-custody/custody/internal/delivery"
	"github.com/otelcol-custody/custody/ledger/ledgertest"
	"github.com/otelcol-custody/custody/store"
)

// Each reason of an outage is told once, whatever numbers its message has; after
// the store worked all are news again.
func TestAnotherReasonIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zap.WarnLevel)
		var now error
		b := newBench(t, nil)
		mem := b.mem
		set := b.set
		set.Telemetry.Logger = zap.New(core)
		set.Open = func(context.Context) (store.Store, error) { return mem, now }
		host := &everyEvent{}
		e, err := New(set)
		if err != nil {
			t.Fatal(err)
		}
		now = fmt.Errorf("%w: connection refused, request 1f", store.ErrUnavailable)
		if err := e.Start(t.Context(), host); err != nil {
			t.Fatal(err)
		}
		b.Exporter = e
		s := ledgertest.Chain(t, b.signer, 3)[0]
		for _, cause := range []error{
			fmt.Errorf("%w: connection refused, request 2b", store.ErrUnavailable),
			fmt.Errorf("%w: retention::mode: the bucket has no object lock", store.ErrRetention),
			errors.New("x509: certificate has expired"),
			fmt.Errorf("%w: connection refused, request 3c", store.ErrUnavailable),
		} {
			now = cause
			b.rest()
			wantPending(t, b.deliver(s))
		}
		if n := logs.FilterMessageSnippet("cannot store now").Len(); n != 3 {
			t.Errorf("said %d of 3 reasons: %v", n, logs.All())
		}
		if len(host.errs) != 3 || !errors.Is(host.errs[1], store.ErrRetention) {
			t.Errorf("reported %v", host.errs)
		}
		now = nil
		b.rest()
		b.must(s)
		if err := e.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		b.Exporter, _ = New(b.set)
	})
}

// everyEvent records the errors of what a component reports.
type everyEvent struct {
	statusHost
	errs []error
}

func (h *everyEvent) Report(ev *componentstatus.Event) {
	if ev.Err() != nil {
		h.errs = append(h.errs, ev.Err())
	}
}

// Who sends over OTLP with a trusted key cannot make the exporter say for good
// that something is wrong: it keeps other logs, too.
func TestForkOverOTLPIsNotPermanent(t *testing.T) {
	other := ledgertest.Signer(t, "custody.example/other")
	b := newVersioned(t, nil, func(s *Settings) {
		s.Keys = ledgertest.Keys(t, ledgertest.Signer(t, origin), other)
	})
	chain := ledgertest.Chain(t, b.signer, 3, 5)
	theirs := ledgertest.NewLog("test", other).Add(t, 4)
	b.must(chain[0])
	err := b.ConsumeLogs(t.Context(), objects(theirs).Logs())
	fork := wantFork(t, err)
	for _, want := range []string{"nother log with origin " + origin + " has this name", "ours has origin custody.example/other"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not say %q", err, want)
		}
	}
	if fork.Log != "test" {
		t.Errorf("log %s", fork.Log)
	}
	b.must(chain[1])
	want := []componentstatus.Status{componentstatus.StatusRecoverableError, componentstatus.StatusOK}
	if got := b.host.statuses(); !slices.Equal(got, want) {
		t.Errorf("reported %v, want %v", got, want)
	}
	// From a hash_chain of this process it is for good.
	ctx, _ := delivery.WithBook(t.Context())
	wantFork(t, b.ConsumeLogs(ctx, (&delivery.Probe{Log: "test", Origin: other.Name()}).Logs()))
	if got := b.host.statuses(); got[len(got)-1] != componentstatus.StatusPermanentError {
		t.Errorf("reported %v", got)
	}
}
