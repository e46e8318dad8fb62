package recordindex

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/otelcol-custody/custody/internal/durable/durabletest"
	"github.com/otelcol-custody/custody/internal/logproof"
	"github.com/otelcol-custody/custody/ledger/ledgertest"
	"github.com/otelcol-custody/custody/store/storetest"
)

// handed is a bench whose store counts, and segments whose reading it counts.
type handed struct {
	*bench
	counts *storetest.Faulty
	all    []ledgertest.Segment
}

func newHanded(t *testing.T, segments int) *handed {
	b := newBench(t)
	h := &handed{bench: b, counts: storetest.NewFaulty(t, b.mem)}
	b.p = logproof.New(h.counts, "test", ledgertest.Keys(t, ledgertest.Signer(t, origin)), logproof.NewCache(1<<20), nil)
	for range segments {
		h.all = append(h.all, b.add(lines(t)))
	}
	return h
}

func (h *handed) offer(n ...int) {
	for _, i := range n {
		h.x.Offer(h.all[i].Seal, slices.Concat(withLF(h.all[i].Lines)...))
	}
}

func withLF(lines [][]byte) (all [][]byte) {
	for _, l := range lines {
		all = append(all, append(slices.Clone(l), '\n'))
	}
	return all
}

// read are the segments that were read from the store since the call before.
func (h *handed) read() (n []int) {
	h.t.Helper()
	for _, c := range h.counts.Calls() {
		for i, g := range h.all {
			if strings.HasSuffix(c.Name, g.Seal.SegmentName()) {
				n = append(n, i)
			}
		}
	}
	h.counts = storetest.NewFaulty(h.t, h.mem)
	h.p = logproof.New(h.counts, "test", ledgertest.Keys(h.t, ledgertest.Signer(h.t, origin)), logproof.NewCache(1<<20), nil)
	if err := h.p.Refresh(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
	return n
}

func (h *handed) reads(what string, want ...int) {
	h.t.Helper()
	h.fill()
	if got := h.read(); !slices.Equal(got, want) {
		h.t.Errorf("%s: segments %v were read, want %v", what, got, want)
	}
	per := uint64(len(lines(h.t)) + 1)
	var all []uint64
	for i := range h.x.Through() / per {
		all = append(all, i*per, i*per+7)
	}
	h.finds(RecordID, "one", 99, all...)
	for _, i := range []int{0, len(h.all) / 2, len(h.all) - 1} {
		v := h.all[i].Seal
		if got, ok, err := h.x.Leaf(h.t.Context(), h.p, v.Link(3)); got != v.First+3 || !ok || err != nil {
			h.t.Errorf("%s: the leaf of record %d is at %d, %t, %v", what, v.First+3, got, ok, err)
		}
	}
	h.read()
}

// What was handed over is not read again, in whatever order it came.
func TestOffered(t *testing.T) {
	h := newHanded(t, 6)
	h.x.opt.recent = 1 << 10
	h.offer(2, 0, 1, 5, 4, 3)
	if h.x.Through() != 0 {
		t.Error("an offer waits for somebody to take it")
	}
	h.reads("in another order")
	h.offer(0, 3, 5)
	h.reads("what is there already")
	if n := len(h.x.ahead.segments); n != 0 || h.x.ahead.ids != 0 {
		t.Errorf("%d segments wait for nobody, with %d ids", n, h.x.ahead.ids)
	}
}

// Gaps are read from the store, and nothing else.
func TestGapsAreRead(t *testing.T) {
	h := newHanded(t, 8)
	h.x.opt.recent = 1 << 10
	h.offer(1, 2, 5, 7)
	h.reads("gaps", 0, 3, 4, 6)
}

// Memory is bounded: what has no room is read.
func TestRoom(t *testing.T) {
	h := newHanded(t, 8)
	const each = 11 + 9 // leaves and ids of a segment
	h.x.opt.recent = 2*each + 1
	h.offer(7, 6, 5, 4, 3, 0)
	if n := h.x.ahead.ids; n > 4*each {
		t.Errorf("%d ids wait", n)
	}
	h.reads("what there was no room for", 1, 2, 3, 4)
}

// What waits for an index that begins anew is of no use to it.
func TestOfferedAndBegunAnew(t *testing.T) {
	h := newHanded(t, 4)
	h.x.opt.recent = 1 << 10
	h.offer(0, 1, 2)
	if err := h.x.abandon(h.x.key, errDamaged); err == nil {
		t.Error("nobody is told")
	}
	h.offer(3)
	h.reads("hashed with another key", 0, 1, 2)
}

// An index that was made of another history than the store's begins anew.
func TestAnotherHistory(t *testing.T) {
	h := newHanded(t, 2)
	other := ledgertest.NewLog("test", ledgertest.Signer(t, origin)).Extend(t, lines(t)[:4], nil)
	h.x.Offer(other.Seal, nil)
	if err := h.x.Fill(t.Context(), h.p); !errors.Is(err, ErrRebuilding) {
		t.Errorf("%v", err)
	}
	h.read()
	h.reads("of the store's own history", 0, 1)
}

// Those who offer, who take and who fill do not disturb each other.
func TestOfferedAtOnce(t *testing.T) {
	h := newHanded(t, 40)
	var all sync.WaitGroup
	for half := range 2 {
		all.Go(func() {
			for i := half; i < len(h.all); i += 2 {
				h.offer(i)
			}
		})
	}
	for range 2 {
		all.Go(func() {
			for h.x.Through() < h.log.Size() {
				if err := h.x.Take(); err != nil {
					t.Error(err)
				}
				if err := h.x.Fill(t.Context(), h.p); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	h.read()
	h.reads("everything is there")
	if err := h.x.Close(); err != nil {
		t.Fatal(err)
	}
	h.offer(3) // after the end
	if err := open(t, Options{FS: durabletest.New()}).Take(); err != nil {
		t.Error(err)
	}
}
