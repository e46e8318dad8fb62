package awscloudtrailreceiver

import (
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"time"

	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/otelcol-custody/custody/internal/contents"
)

// An eventKey names one event as it was delivered: the first half of the SHA-256 of
// eventID, a zero byte and the event's bytes. The id alone would let another event with
// the same id be taken for a duplicate.
type eventKey [16]byte

func keyOfEvent(id string, body []byte) (k eventKey) {
	sum := sha256.New()
	sum.Write([]byte(id))
	sum.Write([]byte{0})
	sum.Write(body)
	copy(k[:], sum.Sum(nil))
	return k
}

// bucketSpan is the time that one stored set of keys covers. Each delivery writes the
// sets that it adds to, so they are small.
const bucketSpan = 5 * time.Minute

func bucketOf(t time.Time) int64 { return t.Truncate(bucketSpan).Unix() }

// An eventMemory remembers how far one region's history is in the log. What is stored:
//
//	lookup/1/<region>           {"settled":"<RFC 3339>","buckets":[…]}
//	lookup/1/<region>/<bucket>  16 bytes for each delivered event of these five minutes
//	lookup/1/<region>/open      16 bytes for each event of the batch under way
//
// A bucket is its beginning in seconds since 1970. Those that lie before settled are
// deleted, so the memory is bounded by what a window and the overlap hold. One goroutine
// uses it.
type eventMemory struct {
	book      *contents.Book
	positions contents.Positions
	key       string

	// settled is the time before which every event is in the log, and none is to come.
	settled time.Time
	seen    map[eventKey]struct{} // delivered, at settled or later
	buckets map[int64][]eventKey  // the same, by time
	doubt   map[eventKey]bool     // under way when the former process ended
}

type lookupPosition struct {
	Settled time.Time `json:"settled"`
	Buckets []int64   `json:"buckets,omitempty"`
}

func newEventMemory(book *contents.Book, positions contents.Positions, region string) *eventMemory {
	return &eventMemory{book: book, positions: positions, key: "lookup/1/" + region,
		seen: map[eventKey]struct{}{}, buckets: map[int64][]eventKey{}, doubt: map[eventKey]bool{}}
}

// recall reads what the former process left, and reports whether there was anything.
func (m *eventMemory) recall(ctx context.Context) (bool, error) {
	var pos lookupPosition
	found, err := m.book.Recall(ctx, m.key, &pos)
	if err != nil {
		return false, err
	}
	seen, doubt, buckets := map[eventKey]struct{}{}, map[eventKey]bool{}, map[int64][]eventKey{}
	for _, b := range pos.Buckets {
		if buckets[b], err = m.keys(ctx, m.bucketKey(b)); err != nil {
			return false, err
		}
		for _, k := range buckets[b] {
			seen[k] = struct{}{}
		}
	}
	open, err := m.keys(ctx, m.openKey())
	if err != nil {
		return false, err
	}
	for _, k := range open {
		doubt[k] = true
	}
	m.settled, m.seen, m.buckets, m.doubt = pos.Settled, seen, buckets, doubt
	return found, nil
}

func (m *eventMemory) bucketKey(b int64) string { return fmt.Sprintf("%s/%d", m.key, b) }
func (m *eventMemory) openKey() string          { return m.key + "/open" }

func (m *eventMemory) keys(ctx context.Context, key string) ([]eventKey, error) {
	data, err := m.positions.Get(ctx, key)
	if err != nil {
		return nil, fmt.Errorf("read position %s: %w", key, err)
	}
	if len(data)%len(eventKey{}) != 0 {
		return nil, fmt.Errorf("%w: %s has %d bytes", contents.ErrDamaged, key, len(data))
	}
	var list []eventKey
	for k := range slices.Chunk(data, len(eventKey{})) {
		list = append(list, eventKey(k))
	}
	return list, nil
}

// known reports whether an event was delivered.
func (m *eventMemory) known(k eventKey) bool {
	_, ok := m.seen[k]
	return ok
}

// begin notes which events are about to be delivered, so that the next process knows
// which may have been.
func (m *eventMemory) begin(ctx context.Context, batch []historyEvent) error {
	open := slices.Collect(maps.Keys(m.doubt))
	for _, e := range batch {
		if !m.doubt[e.key] {
			open = append(open, e.key)
		}
	}
	return m.book.Save(ctx, setKeys(m.openKey(), open))
}

// commit notes that events are in the log.
func (m *eventMemory) commit(ctx context.Context, batch []historyEvent) error {
	touched := map[int64]bool{}
	for _, e := range batch {
		delete(m.doubt, e.key)
		if m.known(e.key) {
			continue
		}
		b := bucketOf(e.at)
		m.seen[e.key], touched[b] = struct{}{}, true
		m.buckets[b] = append(m.buckets[b], e.key)
	}
	ops := []*storage.Operation{m.position(), m.open()}
	for b := range touched {
		ops = append(ops, setKeys(m.bucketKey(b), m.buckets[b]))
	}
	return m.book.Save(ctx, ops...)
}

// settle notes that nothing before t is to come any more, and forgets what is settled.
func (m *eventMemory) settle(ctx context.Context, t time.Time) error {
	if !t.After(m.settled) {
		return nil
	}
	m.settled = t
	var ops []*storage.Operation
	for b, keys := range m.buckets {
		if b >= bucketOf(t) {
			continue
		}
		for _, k := range keys {
			delete(m.seen, k)
		}
		delete(m.buckets, b)
		ops = append(ops, storage.DeleteOperation(m.bucketKey(b)))
	}
	return m.book.Save(ctx, append(ops, m.position())...)
}

// assured notes that everything which could be read again was: what was in doubt and
// did not come again never will.
func (m *eventMemory) assured(ctx context.Context) error {
	if len(m.doubt) == 0 {
		return nil
	}
	clear(m.doubt)
	return m.book.Save(ctx, m.open())
}

func (m *eventMemory) position() *storage.Operation {
	return contents.Set(m.key, lookupPosition{Settled: m.settled, Buckets: slices.Sorted(maps.Keys(m.buckets))})
}

// open is the operation that stores what is in doubt and nothing else.
func (m *eventMemory) open() *storage.Operation {
	if len(m.doubt) == 0 {
		return storage.DeleteOperation(m.openKey())
	}
	return setKeys(m.openKey(), slices.Collect(maps.Keys(m.doubt)))
}

func setKeys(key string, list []eventKey) *storage.Operation {
	data := make([]byte, 0, len(list)*len(eventKey{}))
	for _, k := range list {
		data = append(data, k[:]...)
	}
	return storage.SetOperation(key, data)
}
