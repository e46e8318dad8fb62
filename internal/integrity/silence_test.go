package integrity

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/otelcol-custody/custody/ledger/ledgertest"
	"github.com/otelcol-custody/custody/store"
	"github.com/otelcol-custody/custody/store/storetest"
)

// deaf is a store that heeds no context: while it hangs, calls of one method hang
// until it wakes.
type deaf struct {
	*storetest.Memory
	method string
	hangs  atomic.Bool
	wake   chan struct{}
	inside atomic.Int64
	closed atomic.Int64
}

func (d *deaf) call(method string) {
	if method == d.method && d.hangs.Load() {
		d.inside.Add(1)
		defer d.inside.Add(-1)
		<-d.wake
	}
}

func (d *deaf) Get(ctx context.Context, name string) (io.ReadCloser, store.Info, error) {
	d.call("get")
	body, info, err := d.Memory.Get(ctx, name)
	return deafBody{body, d}, info, err
}

func (d *deaf) GetVersion(ctx context.Context, name, version string) (io.ReadCloser, store.Info, error) {
	d.call("get")
	body, info, err := d.Memory.GetVersion(ctx, name, version)
	return deafBody{body, d}, info, err
}

func (d *deaf) Stat(ctx context.Context, name string) (store.Info, error) {
	d.call("stat")
	return d.Memory.Stat(ctx, name)
}

func (d *deaf) Versions(ctx context.Context, name string) ([]store.Info, error) {
	d.call("versions")
	return d.Memory.Versions(ctx, name)
}

func (d *deaf) List(ctx context.Context, prefix, after string) iter.Seq2[store.Info, error] {
	return d.list(d.Memory.List(ctx, prefix, after))
}

func (d *deaf) ListVersions(ctx context.Context, prefix, after string) iter.Seq2[store.Info, error] {
	return d.list(d.Memory.ListVersions(ctx, prefix, after))
}

func (d *deaf) list(all iter.Seq2[store.Info, error]) iter.Seq2[store.Info, error] {
	return func(yield func(store.Info, error) bool) {
		d.call("list")
		for info, err := range all {
			if !yield(info, err) {
				return
			}
			d.call("go on listing")
		}
	}
}

func (d *deaf) Close() error {
	d.call("close")
	d.closed.Add(1)
	return d.Memory.Close()
}

type deafBody struct {
	io.ReadCloser
	d *deaf
}

func (b deafBody) Read(to []byte) (int, error) {
	b.d.call("read")
	return b.ReadCloser.Read(to)
}

func (b deafBody) Close() error {
	b.d.call("close a body")
	return b.ReadCloser.Close()
}

// A store that hangs without heeding its context keeps the guard neither from
// telling, nor from watching others, nor from ending; what hangs is bounded.
func TestDeafStore(t *testing.T) {
	for _, method := range []string{"get", "read", "close a body", "list", "go on listing", "close", "open", "none"} {
		t.Run(method, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := ledgertest.NewLog("test", ledgertest.Signer(t, origin))
				l.Add(t, 3, 2, 4)
				d := &deaf{Memory: memory(t, "a", l.Segments...), method: method, wake: make(chan struct{})}
				b := memory(t, "b", l.Segments...)
				w := newBench(t, afterChain(4), d, b)
				w.set.Sources[0].Open = func(context.Context) (store.Store, error) { d.call("open"); return d, nil }
				d.hangs.Store(method == "open")
				w.start()
				w.wait(time.Minute)
				d.hangs.Store(method != "none")
				fill(t, b, l.Add(t, 4))
				w.wait(3 * time.Hour)
				if st := w.guard.Status(); st[len(st)-1].Verified != 13 {
					t.Errorf("it holds up another store: %+v", st)
				}
				lines, st := fmt.Sprint(w.book.standing()), w.guard.Status()
				if told := strings.Contains(lines, "unread a"); told != (method != "close" && method != "none") {
					t.Errorf("said: %s", lines)
				}
				if told := strings.Contains(st[0].Error, "said nothing"); told != (method != "close" && method != "none") {
					t.Errorf("status: %+v", st[0])
				}
				most := int64(maxCalls)
				if method == "open" {
					most = 1
				}
				if n := d.inside.Load(); n > most {
					t.Errorf("%d calls hang", n)
				}
				began := time.Now()
				w.stop()
				if took := time.Since(began); took > 4*grace {
					t.Errorf("it took %v to end", took)
				}
				if n := d.closed.Load(); (n == 1) != (method == "none") {
					t.Errorf("it was closed %d times", n)
				}
				close(d.wake)
				synctest.Wait()
				if n := d.inside.Load(); n != 0 {
					t.Errorf("%d calls still hang", n)
				}
			})
		})
	}
}

// It goes on where a store wakes up, and nobody is accused.
func TestDeafStoreWakes(t *testing.T) {
	for _, method := range []string{"get", "read", "close a body", "list", "go on listing", "open"} {
		synctest.Test(t, func(t *testing.T) {
			l := ledgertest.NewLog("test", ledgertest.Signer(t, origin))
			l.Add(t, 3, 2, 4)
			d := &deaf{Memory: memory(t, "a", l.Segments...), method: method, wake: make(chan struct{})}
			w := newBench(t, afterChain(4), d)
			w.set.Sources[0].Open = func(context.Context) (store.Store, error) { d.call("open"); return d, nil }
			d.hangs.Store(true)
			w.start()
			w.wait(time.Hour)
			d.hangs.Store(false)
			close(d.wake)
			w.wait(2 * time.Hour)
			w.want()
			if st := w.guard.Status(); st[0].Verified != 9 || st[0].Error != "" {
				t.Errorf("%s: %+v", method, st)
			}
			if n := d.closed.Load(); method == "open" && n != 1 {
				t.Errorf("what was opened too late was closed %d times", n)
			}
			w.stop()
		})
	}
}

// What a call brings after it was given up is let go.
func TestLateAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wake, late := make(chan struct{}), make(chan int, 2)
		c := newCalls()
		for _, fails := range []error{nil, io.ErrUnexpectedEOF} {
			s := c.listen(t.Context())
			if _, err := wait(s, func() (int, error) { <-wake; return 7, fails }, func(n int) { late <- n }); !errors.Is(err, errSilent) {
				t.Errorf("%v", err)
			}
			s.end()
		}
		if len(c) != 2 {
			t.Errorf("%d places are held", len(c))
		}
		close(wake)
		synctest.Wait()
		if len(c) != 0 || len(late) != 1 || <-late != 7 {
			t.Errorf("%d places are held, %d answers came", len(c), len(late))
		}
	})
}

// Who reads beside the guard keeps within its limit, and waits for it.
func TestYielding(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := storetest.NewMemory("a")
		plant(t, a, "x", make([]byte, 3000))
		g := &Guard{pace: newPace(1000)}
		s := g.Yielding(a)
		if _, err := s.PutOnce(t.Context(), "y", nil, store.PutOptions{}); !errors.Is(err, store.ErrReadOnly) {
			t.Errorf("it writes: %v", err)
		}
		began := time.Now()
		body, _, err := s.Get(t.Context(), "x")
		if err != nil {
			t.Fatal(err)
		}
		if b, err := io.ReadAll(body); err != nil || len(b) != 3000 {
			t.Fatalf("%d bytes, %v", len(b), err)
		}
		if err := errors.Join(body.Close(), s.Close()); err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took < 2*time.Second || took > 4*time.Second {
			t.Errorf("3000 bytes at 1000 a second took %v", took)
		}
		if _, ok := s.(store.Versioned); !ok {
			t.Error("it hides versions")
		}
		if s.(patientVersioned).urgent {
			t.Error("it waits for nobody")
		}
	})
}
