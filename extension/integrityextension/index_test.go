package integrityextension

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/otelcol-custody/custody/internal/integrity"
	"github.com/otelcol-custody/custody/ledger/checkpoint"
	"github.com/otelcol-custody/custody/ledger/ledgertest"
	"github.com/otelcol-custody/custody/store"
	"github.com/otelcol-custody/custody/store/storetest"
)

// indexing is an index over a store that counts, in a bubble.
type indexing struct {
	*index
	t    *testing.T
	log  *ledgertest.Log
	mem  *storetest.Memory
	seen *storetest.Faulty
	head atomic.Pointer[checkpoint.Signed] // as the guard says
	stop func()
}

func newIndexing(t *testing.T) *indexing {
	i := &indexing{t: t, mem: storetest.NewMemory("a")}
	i.log = ledgertest.NewLog("test", ledgertest.Signer(t, origin))
	keys := ledgertest.Keys(t, ledgertest.Signer(t, origin))
	i.seen = storetest.NewFaulty(t, i.mem)
	shelf := newShelf(nil, keys, func(s store.Store) store.Store { return s })
	shelf.put("memory://a", i.seen)
	i.index = (&judge{cfg: &Config{StateDir: t.TempDir(), IndexMaxMiB: 1, PollInterval: time.Second}, guard: &integrity.Guard{}, shelf: shelf}).newIndex()
	i.index.log = zap.NewNop()
	i.status = func() []integrity.LogStatus {
		return []integrity.LogStatus{{Store: "memory://a", Log: "test", Head: i.head.Load()}}
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{}, 2)
	for _, run := range []func(context.Context){i.run, i.takeWhatWaits} {
		go func() { run(ctx); ended <- struct{}{} }()
	}
	i.stop = func() {
		cancel()
		<-ended
		<-ended
		require.NoError(t, i.close())
	}
	return i
}

// grow stores a segment, and hands it over as the guard does before it says so.
func (i *indexing) grow(offer bool) {
	after := i.log.Branch("grown")
	one := after.Add(i.t, 3)
	for name, b := range map[string][]byte{one.Seal.SegmentName(): one.Object, one.Seal.Name(): one.Seal.Bytes()} {
		_, err := i.mem.PutOnce(i.t.Context(), "test/"+name, b, store.PutOptions{})
		require.NoError(i.t, err)
	}
	if offer {
		i.offer(one.Seal, append(bytes.Join(one.Lines, []byte("\n")), '\n'))
	}
	i.log = after
	head := one.Seal.After()
	i.head.Store(&head)
}

// through waits until everything is indexed, and returns what was read for it.
func (i *indexing) through(within time.Duration) (reads []string) {
	i.t.Helper()
	from := len(i.seen.Calls())
	time.Sleep(within)
	synctest.Wait()
	require.Equal(i.t, i.log.Size(), i.Index("test").Through())
	for _, c := range i.seen.Calls()[from:] {
		reads = append(reads, c.Name)
	}
	return reads
}

// What the guard has verified is not read a second time; everything else is.
func TestIndexReadsNothingTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := newIndexing(t)
		i.grow(false)
		i.grow(false)
		require.NotEmpty(t, i.through(2*time.Second))
		for range 20 {
			i.grow(true)
			require.Empty(t, i.through(time.Millisecond), "entered at once, without a read")
			require.Empty(t, i.through(2*time.Second))
		}
		i.grow(false)
		i.grow(true)
		segments := slices.DeleteFunc(i.through(2*time.Second), func(name string) bool { return !strings.Contains(name, "/segments/") })
		require.Equal(t, []string{"test/" + i.log.Segments[22].Seal.SegmentName()}, segments, "only what was not handed over")
		i.stop()
	})
}

// Where another log takes a log's name, its index makes room.
func TestIndexOfAnotherLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := newIndexing(t)
		i.grow(false)
		i.through(2 * time.Second)
		one := ledgertest.NewLog("test", ledgertest.Signer(t, "custody.example/other")).Add(t, 3, 5)
		i.offer(one.Seal, nil)
		synctest.Wait()
		require.Equal(t, i.log.Size(), i.Index("test").Through(), "another log's segment is not taken")
		opened, err := i.opened(one.Seal)
		require.NoError(t, err)
		require.Zero(t, opened.Through())
		require.Same(t, opened, i.Index("test"))
		i.stop()
	})
}
