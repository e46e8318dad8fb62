package storetest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/otelcol-custody/custody/store"
)

func TestMemory(t *testing.T) {
	Run(t, func(*testing.T) store.Store { return NewMemory("test") }, Caps{Retention: true})
}

func TestFaultyConforms(t *testing.T) {
	Run(t, func(t *testing.T) store.Store {
		f := NewFaulty(t, NewMemory("test"))
		f.AllowConflicts()
		return f
	}, Caps{Retention: true})
}

func TestMemoryShadows(t *testing.T) {
	m := NewMemory("test")
	put(t, m, "a", []byte("genuine"))
	m.Shadow("a", []byte("forged"))
	m.Hide("a")
	if _, err := m.Stat(t.Context(), "a"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("Stat below a delete marker: %v", err)
	}
	vs, err := m.Versions(t.Context(), "a")
	if err != nil || len(vs) != 3 || !vs[0].DeleteMarker || !vs[0].Latest || vs[1].Latest || vs[2].Size != 7 {
		t.Fatalf("Versions: %+v, %v", vs, err)
	}
	if _, _, err := m.GetVersion(t.Context(), "a", vs[0].Version); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("GetVersion of a delete marker: %v", err)
	}
}

// recorder is a test that may fail without failing the real one.
type recorder struct {
	testing.TB
	said []string
}

func (r *recorder) Errorf(format string, args ...any) {
	r.said = append(r.said, fmt.Sprintf(format, args...))
}

func (r *recorder) must(t *testing.T, say string) {
	t.Helper()
	if len(r.said) != 1 || !strings.Contains(r.said[0], say) {
		t.Errorf("the contract check said %q, want one sentence with %q", r.said, say)
	}
	r.said = nil
}

// liar breaks the contract of a store.
type liar struct {
	store.Store
	put func(data []byte) error
}

func (l liar) PutOnce(_ context.Context, _ string, data []byte, _ store.PutOptions) (store.Info, error) {
	return store.Info{}, l.put(data)
}

func TestFaultySeesBrokenContracts(t *testing.T) {
	r := &recorder{TB: t}
	ctx, opt := t.Context(), store.PutOptions{}
	f := NewFaulty(r, NewMemory("test"))
	_, _ = f.PutOnce(ctx, "a", []byte("one"), opt)
	_, _ = f.PutOnce(ctx, "a", []byte("one"), opt)
	if len(r.said) != 0 {
		t.Fatalf("it complains about nothing: %q", r.said)
	}
	_, _ = f.PutOnce(ctx, "a", []byte("two"), opt)
	r.must(t, `"a" was put with bytes hashing to`)

	inner := NewMemory("test")
	f = NewFaulty(r, liar{inner, func(data []byte) error { data[0] ^= 1; inner.Shadow("a", data); return nil }})
	_, _ = f.PutOnce(ctx, "a", []byte("one"), opt)
	r.must(t, "changed while PutOnce ran")

	f = NewFaulty(r, liar{NewMemory("test"), func([]byte) error { return nil }})
	_, _ = f.PutOnce(ctx, "a", []byte("one"), opt)
	r.must(t, "cannot be read after PutOnce")

	inner = NewMemory("test")
	put(t, inner, "a", []byte("other"))
	f = NewFaulty(r, liar{inner, func([]byte) error { return nil }})
	_, _ = f.PutOnce(ctx, "a", []byte("one"), opt)
	r.must(t, "other bytes are there")

	f = NewFaulty(r, liar{inner, func([]byte) error { return store.ErrExists }})
	_, _ = f.PutOnce(ctx, "a", []byte("other"), opt)
	r.must(t, "for the bytes that are there")

	_ = f.Close()
	_, _ = f.Stat(ctx, "a")
	r.must(t, "after Close")
}

func TestFaultyInjects(t *testing.T) {
	inner := NewMemory("test")
	f := NewFaulty(t, inner)
	ctx, opt, boom := t.Context(), store.PutOptions{}, errors.New("boom")
	f.Inject(Fault{Method: Put, Name: "seal", N: 2, Err: boom})
	put(t, f, "seal/1", nil)
	put(t, f, "tile/1", nil)
	_, err := f.PutOnce(ctx, "seal/2", nil, opt)
	refused(t, "second seal", err, boom)
	_, err = inner.Stat(ctx, "seal/2")
	refused(t, "an error that is not applied", err, store.ErrNotFound)
	put(t, f, "seal/2", nil)

	f.Inject(Fault{Method: Put, Applied: true, UntilHeal: true})
	for range 2 {
		_, err = f.PutOnce(ctx, "seal/3", []byte("x"), opt)
		refused(t, "applied, but an error", err, store.ErrUnavailable)
		holds(t, inner, "seal/3", []byte("x"))
	}
	f.Heal()
	put(t, f, "seal/3", []byte("x"))

	f.SetDown(true)
	_, err = f.Stat(ctx, "seal/3")
	refused(t, "Stat while down", err, store.ErrUnavailable)
	_, err = names(f.List(ctx, "", ""))
	refused(t, "List while down", err, store.ErrUnavailable)
	f.SetDown(false)
	holds(t, f, "seal/3", []byte("x"))
	if calls := f.Calls(); len(calls) == 0 || calls[0] != (Call{Method: Put, Name: "seal/1"}) {
		t.Errorf("calls: %v", calls)
	}
}

func TestFaultyWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := NewFaulty(t, NewMemory("test"))
		f.SetDelay(time.Minute)
		begin := time.Now()
		put(t, f, "a", nil)
		if took := time.Since(begin); took != time.Minute {
			t.Errorf("a slow store took %v, want a minute", took)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := f.Stat(ctx, "a")
		refused(t, "Stat of a slow store", err, context.DeadlineExceeded)

		f.SetDelay(0)
		f.Hang(true)
		done := make(chan error)
		go func() {
			_, err := f.Stat(t.Context(), "a")
			done <- err
		}()
		synctest.Wait()
		select {
		case err := <-done:
			t.Errorf("Stat of a hanging store returned %v", err)
		default:
		}
		f.Heal()
		if err := <-done; err != nil {
			t.Errorf("Stat after it: %v", err)
		}
	})
}

// What somebody else wrote under a name that no method takes is shown.
func TestMemoryShowsForeignNames(t *testing.T) {
	m := NewMemory("x")
	for _, name := range []string{`a\b`, "a\nb", "a0", ".hidden", "z/"} {
		m.Shadow(name, nil)
	}
	for _, list := range []func(context.Context, string, string) iter.Seq2[store.Info, error]{m.List, m.ListVersions} {
		for after, want := range map[string][]string{"": {`a\x0ab`, "a0", `a\\b`}, `a\x0ab`: {"a0", `a\\b`}} {
			if got, err := names(list(t.Context(), "", after)); err != nil || !slices.Equal(got, want) {
				t.Errorf("after %q: %q, %v", after, got, err)
			}
		}
	}
}
