package recovery

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sort"
	"sync"

	"github.com/otelcol-custody/custody/internal/logstore"
	"github.com/otelcol-custody/custody/internal/sealer"
	"github.com/otelcol-custody/custody/ledger/checkpoint"
	"github.com/otelcol-custody/custody/ledger/seal"
	"github.com/otelcol-custody/custody/ledger/tree"
)

// mark is what memory keeps of a seal: a log may have millions.
type mark struct {
	first, end uint64
	root       tree.Hash // at end
	says       saying
}

// saying pins everything that a seal says of its place in a log.
type saying struct{ nonce, segment, parts [32]byte }

func markOfSeal(v *seal.Verified) mark { return makeMark(&v.Head, v.After().Root) }

func markOf(s *sealer.SalvagedSeal) mark { return makeMark(&s.Head, s.After.Root) }

func makeMark(h *seal.Head, root tree.Hash) mark {
	return mark{h.First, h.End(), root, saying{h.Nonce, h.Segment, h.PartsSum}}
}

// history is what one store remembers of the log.
type history struct {
	id        string
	reader    *logstore.Reader // nil if the store could not be opened
	marks     []mark           // from genesis on, each following the one before
	head      *seal.Verified   // the last of them
	behind    []claim          // valid seals behind a gap
	recovered []mark           // of segments that were closed as recovered
	fork      *logstore.ForkError
	err       error // why it could not be read, or not to its end
	notices   int
}

func (h *history) end() uint64 {
	if h.head == nil {
		return 0
	}
	return h.head.End()
}

// readStores walks through all stores at once.
func readStores(ctx context.Context, o *Options, keys *checkpoint.Keys) []*history {
	all := make([]*history, len(o.Stores))
	var wg sync.WaitGroup
	for i, s := range o.Stores {
		h := &history{id: s.ID, err: s.Err}
		all[i] = h
		if s.Store == nil {
			h.err = cmp.Or(h.err, errors.New("it was not opened"))
			continue
		}
		h.id = cmp.Or(s.ID, s.Store.ID())
		h.reader = logstore.New(s.Store, o.Log, keys, func(logstore.Notice) { h.notices++ })
		wg.Go(func() { h.read(ctx, o) })
	}
	wg.Wait()
	return all
}

func (h *history) read(ctx context.Context, o *Options) {
	for held, err := range h.reader.Seals(ctx, nil) {
		var fork *logstore.ForkError
		var gap *logstore.GapError
		switch {
		case errors.As(err, &fork):
			h.fork = fork
			return
		case errors.As(err, &gap):
			h.err = h.readBehind(ctx, gap.Next.Seal.First)
			return
		case err != nil:
			h.err = err
			return
		}
		m := markOfSeal(held.Seal)
		h.marks, h.head = append(h.marks, m), held.Seal
		if isRecovered(held.Seal) {
			h.recovered = append(h.recovered, m)
		}
		o.Progress(h.id, uint64(len(h.marks)))
	}
}

// readBehind collects the seals behind a gap: each proves that the log went at
// least so far.
func (h *history) readBehind(ctx context.Context, from uint64) error {
	for f, err := range h.reader.From(ctx, from) {
		if err != nil {
			return err
		}
		for _, held := range f.Seals {
			h.behind = append(h.behind, sealClaim(fmt.Sprintf("store %s, %s", h.id, held.Object.Name), markOfSeal(held.Seal), held.Seal.After()))
		}
	}
	return nil
}

// common is how many seals two histories share from the beginning.
func common(a, b []mark) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

// has says whether a seal is one of the history's.
func (h *history) has(m mark) bool {
	i := sort.Search(len(h.marks), func(i int) bool { return h.marks[i].first >= m.first })
	return i < len(h.marks) && h.marks[i] == m
}

// allows says whether a seal is one of the history's, or can lie behind it.
func (h *history) allows(s *sealer.SalvagedSeal) (bool, error) {
	if h.end() < s.Head.First {
		return true, nil
	}
	if h.end() == s.Head.First {
		v, err := s.Open()
		if err != nil {
			return false, err
		}
		_, err = v.Follows(h.head)
		return err == nil, nil
	}
	i := sort.Search(len(h.marks), func(i int) bool { return h.marks[i].end > s.Head.First })
	return h.marks[i] == markOf(s), nil
}

// at reads the seals at a place. Where too much lies to read all of it, what was
// read counts.
func (h *history) at(ctx context.Context, first uint64) ([]*logstore.Held, error) {
	f, err := h.reader.At(ctx, first)
	if flooded := (*logstore.FloodedError)(nil); err != nil && !errors.As(err, &flooded) {
		return nil, fmt.Errorf("read the seal at record %d from store %s: %w", first, h.id, err)
	}
	return f.Seals, nil
}

// open reads the seal of a mark again.
func (h *history) open(ctx context.Context, m mark) (*seal.Verified, error) {
	seals, err := h.at(ctx, m.first)
	if err != nil {
		return nil, err
	}
	for _, held := range seals {
		if markOfSeal(held.Seal) == m {
			return held.Seal, nil
		}
	}
	return nil, fmt.Errorf("store %s: the seal at record %d was there a moment ago and is not any more: somebody is changing the store; run recover again", h.id, m.first)
}
