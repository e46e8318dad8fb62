package logproof

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"iter"
	"path"
	"slices"
	"sort"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/otelcol-custody/custody/ledger"
	"github.com/otelcol-custody/custody/ledger/checkpoint"
	"github.com/otelcol-custody/custody/ledger/ledgertest"
	"github.com/otelcol-custody/custody/ledger/seal"
	"github.com/otelcol-custody/custody/ledger/segment"
	"github.com/otelcol-custody/custody/ledger/tree"
	"github.com/otelcol-custody/custody/store"
)

// simulated is a store with a log of any size, of which only the stretches that a
// test asks for are made: their seals are real. All hashes beyond are invented, once
// and for ever, and the tree above is real again: so every proof of a record in such
// a stretch holds. It counts what a cloud would: requests.
type simulated struct {
	store.Store // nil: nothing else is asked for
	size        uint64
	lengths     []uint64 // of segments, over and over again
	ends        []uint64 // sums of lengths
	signer      *checkpoint.Signer
	forest
	seals   map[string][]byte
	last    *seal.Verified // made last
	head    *seal.Verified
	missing map[string]bool

	mu                 sync.Mutex // guards what follows
	lists, gets, tiles int
}

// simulate makes a log of about size records with real stretches around these
// positions, which ascend, and at its end.
func simulate(t testing.TB, size uint64, lengths []uint64, positions ...uint64) *simulated {
	t.Helper()
	s := &simulated{
		lengths: lengths, signer: ledgertest.Signer(t, origin), seals: map[string][]byte{}, missing: map[string]bool{},
		forest: forest{leaves: map[uint64]tree.Hash{}, known: map[node]tree.Hash{}, real: map[node]bool{}},
	}
	end := uint64(0)
	for _, n := range lengths {
		end += n
		s.ends = append(s.ends, end)
	}
	s.size = s.first(s.covering(size - 1))
	for _, p := range append(positions, s.size-1) {
		around := min(p|255, s.size-1) // the last record of the tile
		at := s.covering(around)
		for i := at - min(at, 1); i <= at; i++ {
			s.make(t, i)
		}
	}
	s.head = s.last
	return s
}

// first is where the i-th segment begins.
func (s *simulated) first(i uint64) uint64 {
	n := uint64(len(s.ends))
	first := i / n * s.ends[n-1]
	if i%n > 0 {
		first += s.ends[i%n-1]
	}
	return first
}

// covering is the segment that holds a record.
func (s *simulated) covering(index uint64) uint64 {
	n := len(s.ends)
	rest := index % s.ends[n-1]
	return index/s.ends[n-1]*uint64(n) + uint64(sort.Search(n, func(i int) bool { return s.ends[i] > rest }))
}

// make makes the i-th segment, unless it is there.
func (s *simulated) make(t testing.TB, i uint64) {
	t.Helper()
	first, count := s.first(i), int(s.first(i+1)-s.first(i))
	name := "test/" + ledger.SealName(first)
	if s.seals[name] != nil {
		return
	}
	at := seal.Genesis("test", origin, s.signer.VerifierKey(), [32]byte{})
	if s.last != nil && s.last.End() == first {
		at = s.last.Place()
	} else if first > 0 {
		at.Edge, at.Link = s.edge(t, first), invented(0, first-1)
		note, err := checkpoint.Sign(checkpoint.Checkpoint{Origin: origin, Size: first, Root: at.Edge.Root()}, s.signer)
		if err != nil {
			t.Fatal(err)
		}
		at.Note = note
	}
	closed := segment.Closed{At: ledgertest.Began, First: first, Count: count, Key: s.signer.ID(), NextBy: ledgertest.Began.Add(time.Minute), Reason: segment.BySize, Software: "simulated"}
	line, err := closed.Line()
	if err != nil {
		t.Fatal(err)
	}
	c := seal.Content{Object: []byte(name), Seed: sha256.Sum256([]byte(name)), ClosedLine: line, Checkpoints: s.signer}
	for j := range count - 1 {
		c.Digests = append(c.Digests, invented(-1, first+uint64(j)))
	}
	c.Digests = append(c.Digests, tree.Digest(line))
	v, _, err := seal.Build(at, c)
	if err != nil {
		t.Fatal(err)
	}
	for j := range count {
		s.set(first+uint64(j), v.Link(j))
	}
	s.seals[name], s.last = v.Bytes(), v
}

func (s *simulated) edge(t testing.TB, size uint64) *tree.Edge {
	var b []byte
	for level := 0; size>>(8*level) > 0; level++ {
		b = append(b, tree.Tile{Hashes: s.hashes(level, size>>(8*level)>>8<<8, size>>(8*level))}.Bytes()...)
	}
	e, err := tree.ParseEdge(size, b)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// forest is a tree of which some leaves are real.
type forest struct {
	leaves map[uint64]tree.Hash
	known  map[node]tree.Hash
	real   map[node]bool // with a real leaf below
}

type node struct {
	level int
	index uint64
}

func (f *forest) set(index uint64, leaf tree.Hash) {
	f.leaves[index] = leaf
	for level := 1; level < 8; level++ {
		f.real[node{level, index >> (8 * level)}] = true
	}
}

// hash is that of a node all of whose leaves are there.
func (f *forest) hash(level int, index uint64) tree.Hash {
	if h, ok := f.leaves[index]; level == 0 && ok {
		return h
	}
	n := node{level, index}
	if !f.real[n] {
		return invented(level, index)
	}
	if h, ok := f.known[n]; ok {
		return h
	}
	h := tree.Subtree(f.hashes(level-1, index*256, index*256+256))
	f.known[n] = h
	return h
}

func (f *forest) hashes(level int, from, to uint64) []tree.Hash {
	var hs []tree.Hash
	for i := from; i < to; i++ {
		hs = append(hs, f.hash(level, i))
	}
	return hs
}

func invented(level int, index uint64) tree.Hash {
	return sha256.Sum256(fmt.Append(nil, "invented ", level, " ", index))
}

func (s *simulated) count(n *int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	*n++
}

// forget forgets the requests so far.
func (s *simulated) forget() { s.lists, s.gets, s.tiles = 0, 0, 0 }

func (s *simulated) ID() string { return "simulated" }

func (s *simulated) GetVersion(ctx context.Context, name, version string) (io.ReadCloser, store.Info, error) {
	s.count(&s.gets)
	b, ok := s.seals[name]
	if !ok {
		return nil, store.Info{}, fmt.Errorf("%s was not made: %w", name, store.ErrUnavailable)
	}
	return io.NopCloser(bytes.NewReader(b)), store.Info{Name: name, Size: int64(len(b)), Version: version, Latest: true}, ctx.Err()
}

func (s *simulated) GetRange(_ context.Context, name string, off, n int64) ([]byte, error) {
	s.count(&s.tiles)
	var level int
	if _, err := fmt.Sscanf(path.Base(path.Dir(name)), "%d", &level); err != nil {
		return nil, err
	}
	index, ok := ledger.ParseTileName(path.Base(name))
	if !ok || s.missing[name] {
		return nil, fmt.Errorf("%w: %s", store.ErrNotFound, name)
	}
	b := tree.Tile{Hashes: s.hashes(level, index*256, index*256+256)}.Bytes()
	return b[off:min(off+n, int64(len(b)))], nil
}

// ListVersions lists seals; each thousand names are a request.
func (s *simulated) ListVersions(ctx context.Context, prefix, after string) iter.Seq2[store.Info, error] {
	return func(yield func(store.Info, error) bool) {
		begin := max(prefix, after)
		begin = strings.TrimPrefix(begin, "test/seals/")
		var from uint64
		if len(begin) >= 20 {
			if _, err := fmt.Sscanf(strings.TrimLeft(begin[:20], "0")+" ", "%d", &from); err != nil && begin[:20] != fmt.Sprintf("%020d", 0) {
				panic(begin)
			}
		}
		i := uint64(0)
		if from > 0 {
			i = s.covering(from - 1)
		}
		s.count(&s.lists)
		for listed := 0; s.first(i) < s.size; i++ {
			name := "test/" + ledger.SealName(s.first(i))
			if !strings.HasPrefix(name, prefix) {
				if name > prefix {
					return
				}
				continue
			}
			if name <= after {
				continue
			}
			if listed++; listed > 1 && listed%1000 == 1 {
				s.count(&s.lists)
			}
			if !yield(store.Info{Name: name, Size: int64(max(len(s.seals[name]), 1000)), Version: "1", Latest: true}, ctx.Err()) {
				return
			}
		}
	}
}

// log returns the log, whose head is known.
func (s *simulated) log(t testing.TB, cache *Cache) *Log {
	t.Helper()
	l := New(s, "test", ledgertest.Keys(t, s.signer), cache, nil)
	if err := l.Advance(t.Context(), s.head); err != nil {
		t.Fatal(err)
	}
	return l
}

// The double must be a log like any other.
func TestSimulatedIsALog(t *testing.T) {
	s := simulate(t, 3000, []uint64{10, 300, 1})
	for i := range s.covering(s.size - 1) {
		s.make(t, i)
	}
	var names []string
	for info := range s.ListVersions(t.Context(), "test/seals/", "") {
		names = append(names, info.Name)
	}
	if len(names) != int(s.covering(s.size-1))+1 || !slices.IsSorted(names) {
		t.Fatalf("%d names", len(names))
	}
}
