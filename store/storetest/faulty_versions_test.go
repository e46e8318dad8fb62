package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/otelcol-custody/custody/store"
)

func TestFaultyVersionedConforms(t *testing.T) {
	Run(t, func(t *testing.T) store.Store {
		f := NewFaultyVersioned(t, NewMemory("test"))
		f.AllowConflicts()
		return f
	}, Caps{Retention: true})
}

// forgetful takes a retention and keeps none.
type forgetful struct{ *Memory }

func (f forgetful) PutOnce(ctx context.Context, name string, data []byte, _ store.PutOptions) (store.Info, error) {
	return f.Memory.PutOnce(ctx, name, data, store.PutOptions{})
}

func (f forgetful) Extend(context.Context, string, string, store.Retention) (store.Retention, error) {
	return store.Retention{}, nil
}

func TestFaultyVersionedSeesLostRetention(t *testing.T) {
	r := &recorder{TB: t}
	f := NewFaultyVersioned(r, forgetful{NewMemory("test")})
	year := store.Retention{Mode: store.ModeGovernance, Until: time.Now().AddDate(1, 0, 0)}
	_, _ = f.PutOnce(t.Context(), "a", nil, store.PutOptions{Retention: year})
	r.must(t, "it is retained by")
	_, _ = f.Extend(t.Context(), "a", "", year)
	r.must(t, "less than")
}

func TestFaultyVersionedInjects(t *testing.T) {
	m := NewMemory("test")
	f := NewFaultyVersioned(t, m)
	info := put(t, f, "a", []byte("x"))
	year := store.Retention{Mode: store.ModeGovernance, Until: time.Now().AddDate(1, 0, 0)}
	calls := map[Method]func() error{
		GetVersion:   func() error { _, _, err := f.GetVersion(t.Context(), "a", info.Version); return err },
		ListVersions: func() error { _, err := names(f.ListVersions(t.Context(), "a", "")); return err },
		CheckLock:    func() error { _, err := f.CheckLock(t.Context(), store.ModeGovernance); return err },
		Extend:       func() error { _, err := f.Extend(t.Context(), "a", "", year); return err },
	}
	for m, call := range calls {
		f.Inject(Fault{Method: m, Applied: m == Extend})
		refused(t, string(m), call(), store.ErrUnavailable)
	}
	if now, err := m.Stat(t.Context(), "a"); err != nil || now.Retention != year {
		t.Errorf("an applied Extend left %+v, %v", now.Retention, err)
	}
	for m, call := range calls {
		if err := call(); err != nil {
			t.Errorf("%s after its fault: %v", m, err)
		}
	}
}
