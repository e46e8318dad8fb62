package integrity

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/otelcol-custody/custody/ledger"
	"github.com/otelcol-custody/custody/store"
	"github.com/otelcol-custody/custody/store/storetest"
)

// glitch is a store that once, for each name, reads other bytes than it holds, or
// finds nothing.
type glitch struct {
	*storetest.Memory
	nothing bool

	mu   sync.Mutex
	done map[string]bool
}

func (g *glitch) once(name string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	was := g.done[name]
	g.done[name] = true
	return !was
}

func (g *glitch) read(name string, body io.ReadCloser, info store.Info, err error) (io.ReadCloser, store.Info, error) {
	if err != nil || !g.once(name) {
		return body, info, err
	}
	defer body.Close()
	if g.nothing {
		return nil, store.Info{}, fmt.Errorf("%w: for once", store.ErrNotFound)
	}
	b, err := io.ReadAll(body)
	return io.NopCloser(bytes.NewReader(flipped(b, len(b)/2))), info, err
}

func (g *glitch) Get(ctx context.Context, name string) (io.ReadCloser, store.Info, error) {
	body, info, err := g.Memory.Get(ctx, name)
	return g.read(name, body, info, err)
}

func (g *glitch) GetVersion(ctx context.Context, name, version string) (io.ReadCloser, store.Info, error) {
	body, info, err := g.Memory.GetVersion(ctx, name, version)
	return g.read(name, body, info, err)
}

// What is wrong for once accuses nobody.
func TestSecondRead(t *testing.T) {
	l := chain(t, 3, 65600, 4)
	for _, nothing := range []bool{false, true} {
		for _, versions := range []bool{false, true} {
			t.Run(fmt.Sprintf("nothing=%v versions=%v", nothing, versions), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					g := &glitch{Memory: memory(t, "a", l...), nothing: nothing, done: map[string]bool{}}
					s := store.Store(g)
					if !versions {
						s = storetest.NewFaulty(t, g)
					}
					w := newBench(t, afterChain(3), s).start()
					w.wait(10 * time.Minute)
					w.want()
					if kinds := w.book.kinds(); len(kinds) > 1 || len(kinds) == 1 && kinds["late"] == 0 {
						t.Errorf("%v", kinds)
					}
					if w.guard.Status()[0].Verified != 65607 || !g.done["test/"+ledger.TileName(1, 0)] {
						t.Errorf("%+v", w.guard.Status())
					}
					w.stop()
				})
			})
		}
	}
}
