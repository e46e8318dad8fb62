package outage

import (
	"io/fs"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/otelcol-custody/custody/internal/durable"
	"github.com/otelcol-custody/custody/ledger/seal"
	"github.com/otelcol-custody/custody/store/dirstore"
	"github.com/otelcol-custody/custody/store/storetest"
)

// lazyFS is this machine's disk without its syncs, so that nothing of what is
// written stays in this process's memory, and an hour passes quickly.
type lazyFS struct{ durable.FS }

func (lazyFS) SyncDir(string) error { return nil }

func (l lazyFS) OpenFile(name string, flag int, perm fs.FileMode) (durable.File, error) {
	f, err := l.FS.OpenFile(name, flag, perm)
	return lazyFile{f}, err
}

type lazyFile struct{ durable.File }

func (lazyFile) Sync() error { return nil }

// onDisk moves the state and the stores of a world to a disk.
func (w *world) onDisk() {
	disk := lazyFS{durable.OS}
	w.c.FS, w.c.Dir = disk, filepath.Join(w.t.TempDir(), "state")
	for i := range w.stores {
		d, err := dirstore.Open(filepath.Join(w.t.TempDir(), "store"), dirstore.Options{FS: disk, Immutable: dirstore.ImmutableOff})
		if err != nil {
			w.t.Fatal(err)
		}
		w.stores[i] = newUnruly(d, w.release)
		w.opens[i] = w.stores[i]
		w.inner[i] = d
	}
}

// lag is how long after a segment was closed its seal was in the store, at most,
// and how many seals there are.
func (w *world) lag(i int) (most time.Duration, seals int) {
	w.t.Helper()
	for name, f := range w.objects(i) {
		if !isSeal(name) {
			continue
		}
		v, err := seal.Open(f.Data, w.keys)
		if err != nil {
			w.t.Fatal(err)
		}
		w.stores[i].mu.Lock()
		most = max(most, w.stores[i].since[name].Sub(v.Closed().At))
		w.stores[i].mu.Unlock()
		seals++
	}
	return most, seals
}

func heap() int64 {
	runtime.GC()
	runtime.GC() // What a finalizer freed.
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// One of three stores is away for an hour: the others stay current, memory does
// not grow with what waits, and the backlog drains in the end.
func TestOneOfThreeAwayForAnHour(t *testing.T) {
	const (
		pad     = 16 << 10 // of a segment; what leaked would show
		allowed = 6 << 10  // bytes of memory for a segment that waits, this test's notes included
		current = 3 * time.Second
		// A call that hung when the store came back may do so until an exporter gives
		// it up; the stores of the clouds give up after a minute at most.
		drained = 15 * time.Minute
	)
	segments := 3600
	if testing.Short() {
		segments /= 6
	}
	bubble(t, func(w *world) {
		w.onDisk()
		p := w.start()
		i := 0
		run := func(until int) {
			for ; i < until; i++ {
				p.must(i, pad)
				time.Sleep(1005 * time.Millisecond)
			}
		}
		far := func(storetest.Method, string) answer { return answer{delay: 50 * time.Millisecond} }
		w.moods(far, far, far)
		run(200) // What is allocated once is.
		w.moods(far, down, far)
		run(300)
		before, began := heap(), i
		run(began + segments/2)
		w.moods(far, func(storetest.Method, string) answer { return answer{hang: true} }, far)
		run(began + segments)
		after := heap()
		if each := (after - before) / int64(segments); each > allowed {
			t.Errorf("a segment that waits takes %d bytes of memory", each)
		}
		t.Logf("heap %d KiB before, %d KiB after; %d bytes for each segment that waits", before>>10, after>>10, (after-before)/int64(segments))
		for _, k := range []int{0, 2} {
			lag, seals := w.lag(k)
			if lag > current || seals < segments {
				t.Errorf("store %d, which is well, lags by up to %v and has %d seals", k, lag, seals)
			}
			t.Logf("store %d: lag at most %v", k, lag)
		}
		if _, seals := w.lag(1); seals > 210 {
			t.Errorf("the store that is away has %d seals", seals)
		}
		w.moods(far, far, far)
		begin := time.Now()
		p.stop(time.Hour)
		if took := time.Since(begin); took > drained {
			t.Errorf("the backlog drained in %v", took)
		}
		if got := len(w.judge()); got != i {
			t.Errorf("%d of %d events are stored", got, i)
		}
		w.same()
	})
}
