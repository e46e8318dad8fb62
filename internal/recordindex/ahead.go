package recordindex

import (
	"maps"
	"sync"

	"github.com/otelcol-custody/custody/ledger/seal"
)

// ahead holds the ids of segments that somebody else has read and verified, until
// the index reaches them.
type ahead struct {
	mu       sync.Mutex // guards what follows
	segments map[uint64]waiting
	ids      int
}

// waiting is a segment whose ids wait.
type waiting struct {
	first, end uint64
	key        [32]byte // with which the ids were hashed
	entries    []entry
}

// Offer hands over a segment that was verified, with its lines, in any order and
// from many goroutines; it keeps neither. Its ids wait in memory for [Index.Take].
// When as many wait as there is room for (3 MB), or the index is beyond it, it is
// passed over: [Index.Fill] reads it.
func (x *Index) Offer(v *seal.Verified, lines []byte) {
	x.mu.RLock()
	m, through, closed := manifest{key: x.key}, x.through, x.closed
	x.mu.RUnlock()
	if closed || v.First < through || !x.ahead.room(v.First, through, x.opt.recent) {
		return
	}
	ids := x.idsOf(v, lines)
	w := waiting{v.First, v.End(), m.key, make([]entry, 0, len(ids))}
	for _, id := range ids {
		w.entries = append(w.entries, newEntry(m.hash(id.Kind, id.Text), id.Position))
	}
	x.ahead.put(w)
}

// Take enters what waits and continues the index. Like [Index.Add] it takes up to
// seconds when runs are merged. What could not be entered is passed over.
func (x *Index) Take() error {
	x.writing.Lock()
	defer x.writing.Unlock()
	for {
		w, ok := x.ahead.next(x.through)
		switch {
		case !ok:
			return nil
		case w.key != x.key:
			continue // It began anew.
		}
		if err := x.enter(w.first, w.end, len(w.entries), func() []entry { return w.entries }); err != nil {
			return err
		}
	}
}

// room says whether a segment may wait: the one that is next always, of others as
// many as there is room for.
func (a *ahead) room(first, through uint64, most int) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	_, there := a.segments[first]
	return !there && (first == through || a.ids < most)
}

func (a *ahead) put(w waiting) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.segments == nil {
		a.segments = map[uint64]waiting{}
	}
	a.ids += len(w.entries) - len(a.segments[w.first].entries)
	a.segments[w.first] = w
}

// next takes out the segment that begins there, and drops those before it.
func (a *ahead) next(through uint64) (waiting, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	w, ok := a.segments[through]
	maps.DeleteFunc(a.segments, func(first uint64, old waiting) bool {
		if first <= through {
			a.ids -= len(old.entries)
		}
		return first <= through
	})
	return w, ok
}

// has says whether the segment that begins there waits.
func (a *ahead) has(first uint64) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	_, ok := a.segments[first]
	return ok
}
