package integrity

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/otelcol-custody/custody/internal/integrity/incident"
	"github.com/otelcol-custody/custody/ledger/checkpoint"
)

// compare holds what stores show of each log against each other, until ctx ends.
// Each log has a goroutine, so that a store that gives little of one holds up no
// other.
func (g *Guard) compare(ctx context.Context) {
	if len(g.watch) < 2 {
		return
	}
	var all sync.WaitGroup
	defer all.Wait()
	begun := map[string]bool{}
	for sleep(ctx, g.set.Poll) == nil {
		for _, w := range g.watch {
			for _, l := range w.all() {
				if !begun[l.name] {
					begun[l.name] = true
					all.Go(func() { g.compareLog(ctx, l.name) })
				}
			}
		}
	}
}

// compareLog compares one log.
func (g *Guard) compareLog(ctx context.Context, name string) {
	r := &rivals{agreed: map[*logWatch]checkpoint.Checkpoint{}}
	for ctx.Err() == nil {
		var ls []*logWatch
		for _, w := range g.watch {
			if l := w.log(name); l != nil {
				ls = append(ls, l)
			}
		}
		r.judge(ctx, g, ls)
		_ = sleep(ctx, g.set.Poll)
	}
}

// rivals are the stores that hold one log.
type rivals struct {
	agreed map[*logWatch]checkpoint.Checkpoint // heads that were compared, with that of the longest
	with   map[*logWatch]*logWatch
	grown  []grown // how the longest one grew, for as long as one may be behind
}

// grown says that a size was there at a time.
type grown struct {
	at   time.Time
	size uint64
}

// judge compares each store with the one that has most.
func (r *rivals) judge(ctx context.Context, g *Guard, ls []*logWatch) {
	var most *logWatch
	var head *checkpoint.Signed
	for _, l := range ls {
		if h, _ := l.signed(); h != nil && (head == nil || h.Size > head.Size) {
			most, head = l, h
		}
	}
	if most == nil {
		return
	}
	due := r.due(g.clock.now(), head.Size, g.set.Behind)
	for _, l := range ls {
		h, end := l.signed()
		if l == most || !end && h == nil {
			continue
		}
		if h != nil && !r.compared(l, most, *h) {
			same, err := r.same(ctx, l, most, h, head)
			if err != nil {
				continue // Whoever follows that store says it.
			}
			if same {
				r.agreed[l] = h.Checkpoint
				r.remember(l, most)
			}
		}
		if end {
			l.behind(ctx, h, head, most, due)
		}
	}
	if _, end := most.signed(); end {
		most.behind(ctx, head, head, most, 0)
		most.say(ctx, incident.StoresDiffer, nil, g.set.Now())
	}
}

func (r *rivals) compared(l, most *logWatch, h checkpoint.Signed) bool {
	return r.agreed[l] == h.Checkpoint && r.with[l] == most
}

func (r *rivals) remember(l, most *logWatch) {
	if r.with == nil {
		r.with = map[*logWatch]*logWatch{}
	}
	r.with[l] = most
}

// same says whether the head of l is a beginning of the longer log, and reports
// both heads if not.
func (r *rivals) same(ctx context.Context, l, most *logWatch, h, head *checkpoint.Signed) (bool, error) {
	began := l.set.Now()
	most.mu.Lock()
	top := most.head
	most.mu.Unlock()
	if top == nil || top.End() < h.Size {
		return false, errShort
	}
	within, cancel := context.WithTimeout(ctx, l.set.patience())
	defer cancel()
	root, err := most.rootAt(within, top, h.Size)
	if err != nil {
		return false, err
	}
	if root == h.Root && h.Origin == head.Origin {
		l.say(ctx, incident.StoresDiffer, nil, began)
		return true, nil
	}
	l.say(ctx, incident.StoresDiffer, &incident.Finding{Place: incident.Place{End: h.Size}, Want: head.Text(), Got: h.Text(),
		Message:  fmt.Sprintf("stores %s and %s hold different histories of log %s, both signed: at size %d the roots are %v and %v", l.src, most.src, l.name, h.Size, h.Root, root),
		Evidence: []incident.Evidence{{Name: "head in " + l.src, Bytes: h.Note()}, {Name: "head in " + most.src, Bytes: head.Note()}}}, began)
	return false, nil
}

// due is the size that every store is to have by now: what the longest one had
// that long ago.
func (r *rivals) due(now time.Time, size uint64, behind time.Duration) uint64 {
	if n := len(r.grown); n == 0 || r.grown[n-1].size != size {
		r.grown = append(r.grown, grown{now, size})
	}
	for len(r.grown) > 1 && now.Sub(r.grown[1].at) >= behind {
		r.grown = r.grown[1:]
	}
	const most = 4096
	if len(r.grown) > most { // Every second one: whoever is behind is found a little later.
		kept := r.grown[:0]
		for i, g := range r.grown {
			if i%2 == 0 {
				kept = append(kept, g)
			}
		}
		r.grown = kept
	}
	if now.Sub(r.grown[0].at) < behind {
		return 0
	}
	return min(r.grown[0].size, size) // The longest one may have been cut off since.
}

// behind says whether the store lacks what it should have.
func (l *logWatch) behind(ctx context.Context, h, head *checkpoint.Signed, most *logWatch, due uint64) {
	has := uint64(0)
	if h != nil {
		has = h.Size
	}
	var f *incident.Finding
	if has < due {
		f = &incident.Finding{Place: incident.Place{First: has, End: due}, Want: fmt.Sprintf("at least %d records", due), Got: fmt.Sprintf("%d records", has),
			Message:  fmt.Sprintf("store %s lacks records %d to %d of log %s, which store %s has had for longer than %v", l.src, has, due-1, l.name, most.src, l.set.Behind),
			Evidence: []incident.Evidence{{Name: "head in " + most.src, Bytes: head.Note()}}}
	}
	l.say(ctx, incident.StoreBehind, f, l.set.Now())
}
