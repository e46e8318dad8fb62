package verify_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/otelcol-custody/custody/ledger"
	"github.com/otelcol-custody/custody/ledger/ledgertest"
	"github.com/otelcol-custody/custody/ledger/verify"
)

// synthetic is a log of n segments of one size that makes its objects when they
// are asked for, in order, and keeps but a few.
type synthetic struct {
	t     testing.TB
	count int
	n     int

	mu   sync.Mutex
	log  *ledgertest.Log
	made int
	kept fstest.MapFS
	old  []string
	peak uint64
}

func (s *synthetic) Open(name string) (fs.File, error) {
	switch name {
	case ".", ledger.SegmentsDir:
		return &names{}, nil
	case ledger.SealsDir:
		return &names{n: s.n, step: s.count}, nil
	}
	if strings.HasPrefix(name, ledger.TilesDir+"/") {
		return nil, fs.ErrNotExist
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.kept[name] == nil && s.made < s.n {
		s.grow()
	}
	return s.kept.Open(name)
}

func (s *synthetic) grow() {
	c := s.log.Add(s.t, s.count)
	s.log.Segments = nil
	s.made++
	s.kept[c.Seal.Name()], s.kept[c.Seal.SegmentName()] = &fstest.MapFile{Data: c.Seal.Bytes()}, &fstest.MapFile{Data: c.Object}
	s.old = append(s.old, c.Seal.Name(), c.Seal.SegmentName())
	for len(s.old) > 20 {
		delete(s.kept, s.old[0])
		s.old = s.old[1:]
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	s.peak = max(s.peak, m.HeapAlloc)
}

// names is the folder of the seals.
type names struct {
	fstest.MapFS
	n, step, at int
}

func (d *names) Stat() (fs.FileInfo, error) { return nil, errors.ErrUnsupported }
func (d *names) Read([]byte) (int, error)   { return 0, errors.ErrUnsupported }
func (d *names) Close() error               { return nil }
func (d *names) ReadDir(n int) ([]fs.DirEntry, error) {
	var out []fs.DirEntry
	for ; d.at < d.n && len(out) < n; d.at++ {
		out = append(out, name(fmt.Sprintf("%020d.seal", d.at*d.step)))
	}
	if len(out) == 0 {
		return nil, io.EOF
	}
	return out, nil
}

type name string

func (n name) Name() string             { return string(n) }
func (name) IsDir() bool                { return false }
func (name) Type() fs.FileMode          { return 0 }
func (name) Info() (fs.FileInfo, error) { return nil, errors.ErrUnsupported }

func TestMemoryIsBounded(t *testing.T) {
	n := 2000
	if testing.Short() {
		n = 300
	}
	s := ledgertest.Signer(t, origin)
	peak := func(n int) uint64 {
		runtime.GC()
		store := &synthetic{t: t, log: ledgertest.NewLog("test", s), count: 40, n: n, kept: fstest.MapFS{}}
		r, err := verify.Log(context.Background(), store, "test", verify.Options{Keys: ledgertest.Keys(t, s), Now: time.Now()})
		if err != nil {
			t.Fatal(err)
		}
		if r.Segments != uint64(n) || r.Tampered() || r.Records != uint64(40*n) {
			t.Fatalf("%d segments, %s", r.Segments, found(r))
		}
		return store.peak
	}
	small, large := peak(n/30), peak(n)
	if large > small+16<<20 {
		t.Errorf("%d segments need %d bytes, %d segments %d", n/30, small, n, large)
	}
}
