package segment

import (
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/otelcol-custody/custody/ledger/record"
	"github.com/otelcol-custody/custody/ledger/tree"
)

const timeLayout = "2006-01-02T15:04:05.000000000Z"

// isOwn says whether a line is the log's own record of this kind: no other
// canonical line begins so, and no producer can set the member custody.
func isOwn(line []byte, kind string) bool {
	const head, tail = `{"custody":{"`, `":{`
	n := len(head) + len(kind)
	return len(line) >= n+len(tail) && // Every line is asked: nothing is allocated.
		string(line[:len(head)]) == head && string(line[len(head):n]) == kind && string(line[n:n+len(tail)]) == tail
}

// ownLine is the line of a record of the log's own: kind's members, at the time
// at, and nothing else.
func ownLine(kind string, at time.Time, kvs []record.KeyValue, limit int) ([]byte, error) {
	if !inRange(at) {
		return nil, fmt.Errorf("%s record: no record can have the time %v", kind, at)
	}
	line, err := record.AppendLine(nil, ownRecord(at, []record.KeyValue{{Key: kind, Value: record.MapValue(kvs...)}}))
	if err == nil && len(line) > limit {
		err = fmt.Errorf("%s record has %d bytes, the limit is %d", kind, len(line), limit)
	}
	return line, err
}

func ownRecord(at time.Time, custody []record.KeyValue) *record.Record {
	ns := nanoseconds(at)
	return &record.Record{Custody: custody, Time: ns, ObservedTime: ns}
}

var errKind = errors.New("it is not a record of this kind")

// parseOwn reads the line of a record of the log's own, which must be
// canonical. done says at the end whether all was well.
func parseOwn(line []byte, kind string, limit int) (*members, error) {
	if !isOwn(line, kind) {
		return nil, errKind
	}
	if len(line) > limit {
		return nil, fmt.Errorf("%d bytes, the limit is %d", len(line), limit)
	}
	r, err := record.ParseLine(line)
	if err != nil {
		return nil, err
	}
	if len(r.Custody) != 1 || r.Custody[0].Key != kind || r.Custody[0].Value.Kind != record.Map {
		return nil, errKind
	}
	return &members{kvs: r.Custody[0].Value.Map, record: r}, nil
}

// members reads a map's values by key and keeps the first error.
type members struct {
	kvs    []record.KeyValue
	err    error
	record *record.Record // whose own statement this is; nil for an inner map
}

// done is the first error. It demands that the record says nothing but its own
// statement, and that its times are at.
func (m *members) done(at time.Time) error {
	if m.err == nil && !record.Equal(m.record, ownRecord(at, m.record.Custody)) {
		m.fail("its times are not %q, or it says more than a record of the log's own does", formatTime(at))
	}
	return m.err
}

func (m *members) fail(format string, args ...any) {
	if m.err == nil {
		m.err = fmt.Errorf(format, args...)
	}
}

func (m *members) get(key string) *record.Value {
	i := slices.IndexFunc(m.kvs, func(kv record.KeyValue) bool { return kv.Key == key })
	if i < 0 {
		return nil
	}
	return &m.kvs[i].Value
}

func (m *members) want(key string, kind record.Kind) *record.Value {
	v := m.get(key)
	if v == nil || v.Kind != kind {
		m.fail("member %q is missing or has the wrong type", key)
		return &record.Value{}
	}
	return v
}

func (m *members) int(key string) int64     { return int64(m.want(key, record.Int).Num) }
func (m *members) string(key string) string { return m.want(key, record.String).Str }

// flag is true or left out; what a later version may say instead is false.
func (m *members) flag(key string) bool {
	v := m.get(key)
	return v != nil && v.Kind == record.Bool && v.Num == 1
}

// count is an int that is not negative.
func (m *members) count(key string) uint64 {
	n := m.int(key)
	if n < 0 {
		m.fail("member %q is negative: %d", key, n)
	}
	return uint64(n)
}

func (m *members) optional(key string) string {
	if m.get(key) == nil {
		return ""
	}
	return m.string(key)
}

// root is a root as checkpoints have it (spec §5).
func (m *members) root(required bool) (h tree.Hash) {
	if !required && m.get("root") == nil {
		return h
	}
	s := m.string("root")
	h, err := tlog.ParseHash(s)
	if err != nil || h.String() != s {
		m.fail("member %q is not a root: %q", "root", s)
	}
	return h
}

// link is a link as seals have it (spec §8), zero when it is left out.
func (m *members) link(key string) (h tree.Hash) {
	if m.get(key) == nil {
		return h
	}
	s := m.string(key)
	if n, err := hex.Decode(h[:], []byte(s[:min(len(s), 2*len(h))])); err != nil || n < len(h) || hex.EncodeToString(h[:]) != s {
		m.fail("member %q is not a link: %q", key, s)
	}
	return h
}

func (m *members) texts(key string) (texts []string) {
	for _, v := range m.want(key, record.List).List {
		if v.Kind != record.String {
			m.fail("member %q holds what is no text", key)
		}
		texts = append(texts, v.Str)
	}
	return texts
}

// eachMap reads every map of the list at key.
func eachMap[T any](m *members, key string, read func(*members) T) (all []T) {
	for _, v := range m.want(key, record.List).List {
		if v.Kind != record.Map {
			m.fail("member %q holds what is no map", key)
			break
		}
		one := &members{kvs: v.Map}
		all = append(all, read(one))
		if one.err != nil {
			m.fail("%s: %w", key, one.err)
		}
	}
	return all
}

func (m *members) time(key string, required bool) time.Time {
	if !required && m.get(key) == nil {
		return time.Time{}
	}
	s := m.string(key)
	t, err := time.Parse(timeLayout, s)
	if err != nil || formatTime(t) != s || !inRange(t) {
		m.fail("member %q is not a time: %q", key, s)
	}
	return t
}

// nanoseconds since 1970, as a record's time has them: they reach further than
// those of package time, which are signed.
func nanoseconds(t time.Time) uint64 {
	return uint64(t.Unix())*uint64(time.Second) + uint64(t.Nanosecond())
}

// The first and the last time that a record can have (spec §3.1).
var earliest, latest = time.Unix(0, 1), time.Unix(int64(math.MaxUint64/uint64(time.Second)), int64(math.MaxUint64%uint64(time.Second)))

func inRange(t time.Time) bool { return t.Equal(Nearest(t)) }

// Nearest is the time nearest to t that a record can have: clocks can be wrong
// by more than that.
func Nearest(t time.Time) time.Time {
	switch {
	case t.Before(earliest):
		return earliest
	case t.After(latest):
		return latest
	}
	return t
}

func formatTime(t time.Time) string { return t.UTC().Format(timeLayout) }

// A writer collects a map's members.
type writer []record.KeyValue

func (w *writer) value(key string, v record.Value) {
	*w = append(*w, record.KeyValue{Key: key, Value: v})
}

func (w *writer) text(key, s string)         { w.value(key, record.StringValue(s)) }
func (w *writer) count(key string, n uint64) { w.value(key, record.IntValue(int64(n))) }

func (w *writer) unlessEmpty(key, s string) {
	if s != "" {
		w.text(key, s)
	}
}

func (w *writer) time(key string, t time.Time) {
	if !t.IsZero() {
		w.text(key, formatTime(t))
	}
}

func (w *writer) root(h tree.Hash) {
	if h != (tree.Hash{}) {
		w.text("root", h.String())
	}
}

func listOf[T any](all []T, value func(T) record.Value) record.Value {
	list := make([]record.Value, 0, len(all))
	for _, one := range all {
		list = append(list, value(one))
	}
	return record.ListValue(list...)
}
