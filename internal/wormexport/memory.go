package wormexport

import (
	"sync"
	"time"

	"github.com/otelcol-custody/custody/internal/logstore"
	"github.com/otelcol-custody/custody/ledger/seal"
)

// What an exporter remembers of its store. All of it can be read again; a limit
// costs requests, never correctness.
const (
	// rememberedSeals covers a spool of a thousand segments many times over.
	rememberedSeals = 1 << 14
	// rememberedHeads bounds memory: a head is as large as its seal.
	rememberedHeads = 64
)

// held is a valid seal that lies in the store.
type held struct {
	name string
	seal *seal.Verified
	// newest: it was written just now, so nothing of ours lies behind it.
	newest bool
}

func heldAs(h *logstore.Held) *held { return &held{name: h.Object.Name, seal: h.Seal} }

// waiting is what is remembered of a segment until it is stored.
type waiting struct {
	log    string
	closed time.Time
}

// memory is what the store is known to have. It is safe for concurrent use.
type memory struct {
	mu     sync.Mutex // guards what follows
	stored recent[sealID]
	placed recent[sealID] // segment and tiles are there; the seal may not be
	// arrived holds what was delivered, in this order, stored or not.
	arrived recent[sealID]
	// missing are the segments that were delivered and are not stored. What
	// exceeds rememberedSeals is not counted.
	missing map[sealID]waiting
	heads   map[string]*held
	order   []string // of heads, the one longest without news first
}

func newMemory() *memory {
	set := func() recent[sealID] { return newRecent[sealID](rememberedSeals) }
	return &memory{stored: set(), placed: set(), arrived: set(), missing: map[sealID]waiting{}, heads: map[string]*held{}}
}

func (m *memory) isStored(id sealID) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.stored.has(id)
}

func (m *memory) isPlaced(id sealID) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.placed.has(id)
}

func (m *memory) place(id sealID) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.placed.add(id)
}

// arrive notes a delivery.
func (m *memory) arrive(d *sealed) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.arrived.add(d.id)
	if !m.stored.has(d.id) && len(m.missing) < rememberedSeals {
		m.missing[d.id] = waiting{d.seal.Log, d.seal.Closed().At}
	}
}

// awaited returns the log of a segment that has arrived and is not stored.
func (m *memory) awaited(id sealID) (log string, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	w, ok := m.missing[id]
	return w.log, ok
}

// backlog is the number of segments that have arrived and are not stored, and
// when the oldest was closed.
func (m *memory) backlog() (n int, oldest time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, w := range m.missing {
		if oldest.IsZero() || w.closed.Before(oldest) {
			oldest = w.closed
		}
	}
	return len(m.missing), oldest
}

// lags says whether more than one segment of a log is missing.
func (m *memory) lags(log string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := 0
	for _, w := range m.missing {
		if w.log == log {
			n++
		}
		if n > 1 {
			return true
		}
	}
	return false
}

// now is a point in the order of arrivals.
func (m *memory) now() uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.arrived.added
}

// arrivedAfter says whether a seal was first delivered after that point.
func (m *memory) arrivedAfter(id sealID, point uint64) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.arrived.in[id] > point
}

// store notes that a segment is stored as it should be.
func (m *memory) store(id sealID, h *held) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.stored.add(id)
	delete(m.missing, id)
	m.setHead(h)
}

// find notes that a seal is in the store.
func (m *memory) find(h *held) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.setHead(h)
}

// setHead makes a seal the head if it goes furthest. The caller holds mu.
func (m *memory) setHead(h *held) {
	log := h.seal.Log
	now, known := m.heads[log]
	if known && now.seal.End() > h.seal.End() {
		return
	}
	for i, l := range m.order {
		if l == log {
			m.order = append(m.order[:i], m.order[i+1:]...)
			break
		}
	}
	m.heads[log], m.order = h, append(m.order, log)
	if len(m.order) > rememberedHeads {
		delete(m.heads, m.order[0])
		m.order = m.order[1:]
	}
}

// head is the furthest seal of a log that is known to be in the store, or nil.
func (m *memory) head(log string) *held {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.heads[log]
}

// recent is a set of the last so many things added, numbered from 1.
type recent[K comparable] struct {
	in    map[K]uint64
	ring  []K
	added uint64
}

func newRecent[K comparable](limit int) recent[K] {
	return recent[K]{map[K]uint64{}, make([]K, limit), 0}
}

func (r *recent[K]) has(k K) bool { return r.in[k] > 0 }

func (r *recent[K]) add(k K) {
	if r.has(k) {
		return
	}
	slot := &r.ring[r.added%uint64(len(r.ring))]
	if r.added >= uint64(len(r.ring)) {
		delete(r.in, *slot)
	}
	r.added++
	*slot, r.in[k] = k, r.added
}
