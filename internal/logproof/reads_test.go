package logproof

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/otelcol-custody/custody/ledger"
	"github.com/otelcol-custody/custody/ledger/tree"
)

const hundredMillion = 100_000_000

// shapes are the lengths of a log's segments, and the listings that finding one
// may take.
var shapes = []struct {
	name    string
	lengths []uint64
	lists   int
	proofs  int // to try; long segments take long to make
}{
	{"10,000 records each", []uint64{10_000}, 1, 5},
	{"the longest", []uint64{ledger.MaxRecords}, 1, 1},
	{"long and short", []uint64{1, 20_000, 3, 5_000, 1, 1, 100_000, 40}, 1, 3},
	{"60 records each", []uint64{60}, 2, 20},
	{"1 record each", []uint64{1}, 2, 20},
	{"crowds between deserts", append(slices.Repeat([]uint64{1}, 5000), 100_000, 100_000), 12, 3},
}

// positions are some in a log, in order.
func positions(n int, size uint64) []uint64 {
	rng := rand.New(rand.NewPCG(7, 8))
	var all []uint64
	for range n {
		all = append(all, rng.Uint64N(size))
	}
	slices.Sort(all)
	return all
}

// TestReadsOfAColdProof counts what a proof costs in a log of 10^8 records, when
// nothing but the head is known: at most 2 × log256(N) besides the seal, unless
// segments are crowded to mislead.
func TestReadsOfAColdProof(t *testing.T) {
	const twiceLog = 2 * 27 / 8 // 2 × log256(10^8) = 6.6
	for _, shape := range shapes {
		at := positions(shape.proofs, hundredMillion*9/10)
		s := simulate(t, hundredMillion, shape.lengths, at...)
		tiles, lists, seals := 0, 0, 0
		for _, index := range at {
			l := s.log(t, NewCache(64<<20))
			s.forget()
			s.prove(t, l, index)
			if s.tiles > 2 || s.lists > shape.lists || s.gets > 2 || shape.lists <= 2 && s.tiles+s.lists+s.gets-1 > twiceLog {
				t.Errorf("%s: record %d takes %d tiles, %d listings, %d seals", shape.name, index, s.tiles, s.lists, s.gets)
			}
			tiles, lists, seals = max(tiles, s.tiles), max(lists, s.lists), max(seals, s.gets)
			s.forget()
			if s.prove(t, l, index); s.tiles+s.lists+s.gets > 0 {
				t.Errorf("%s: record %d takes %d reads again", shape.name, index, s.tiles+s.lists+s.gets)
			}
		}
		t.Logf("%s, %d records: %d tiles, %d listings, %d seals at most", shape.name, s.size, tiles, lists, seals)
	}
}

func (s *simulated) prove(t testing.TB, l *Log, index uint64) {
	t.Helper()
	i, err := l.Inclusion(t.Context(), index, 0)
	if err == nil {
		err = tree.CheckInclusion(i.Path, s.size, s.head.After().Root, index, i.Leaf)
	}
	if err != nil || i.Leaf != s.hash(0, index) {
		t.Fatalf("record %d: %v", index, err)
	}
}

// TestReadsOfNeighbours goes through a stretch of the log, as a client that mirrors
// it does: one listing, then each seal once, by its name.
func TestReadsOfNeighbours(t *testing.T) {
	const from = 77_000_000
	var at []uint64
	for i := range uint64(10) {
		at = append(at, from+i*1000)
	}
	s := simulate(t, hundredMillion, []uint64{1000}, at...)
	l := s.log(t, NewCache(64<<20))
	s.forget()
	for index := uint64(from + 256); index < from+9000; index += 100 {
		s.prove(t, l, index)
	}
	if s.tiles > 3 || s.lists > 1 || s.gets > 10 {
		t.Errorf("%d tiles, %d listings, %d seals for 10 segments", s.tiles, s.lists, s.gets)
	}
}

// TestReadsOfALostTile counts what it costs that a stored tile is missing: two more
// seals, not the 256 tiles below.
func TestReadsOfALostTile(t *testing.T) {
	const index = 33_333_333
	completed := uint64(index | 0xffff)
	s := simulate(t, hundredMillion, []uint64{10_000}, index, completed)
	s.missing["test/"+ledger.TileName(1, index>>16)] = true
	l := s.log(t, NewCache(64<<20))
	s.forget()
	s.prove(t, l, index)
	if s.tiles != 2 || s.lists > 2 || s.gets > 4 {
		t.Errorf("%d tiles, %d listings, %d seals", s.tiles, s.lists, s.gets)
	}
}

func BenchmarkInclusion(b *testing.B) {
	at := positions(20, hundredMillion*9/10)
	s := simulate(b, hundredMillion, []uint64{10_000}, at...)
	b.Run("cached", func(b *testing.B) {
		l := s.log(b, NewCache(64<<20))
		for _, index := range at {
			s.prove(b, l, index)
		}
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			if _, err := l.Inclusion(b.Context(), at[i%len(at)], 0); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("cold", func(b *testing.B) {
		s.forget()
		n := 0
		for ; b.Loop(); n++ {
			l := s.log(b, NewCache(64<<20))
			if _, err := l.Inclusion(b.Context(), at[n%len(at)], 0); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(s.tiles+s.lists)/float64(n), "small-reads/op")
		b.ReportMetric(float64(s.gets)/float64(n), "seals/op")
	})
}
