package segment

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/otelcol-custody/custody/ledger"
	"github.com/otelcol-custody/custody/ledger/record"
)

// A Reason says why a segment was closed (spec §7).
type Reason string

// The reasons that this version writes. Readers accept others.
const (
	BySize      Reason = "size"
	ByAge       Reason = "age"
	Heartbeat   Reason = "heartbeat"
	Shutdown    Reason = "shutdown"
	Recovered   Reason = "recovered"
	Ended       Reason = "ended"
	timeLayout         = "2006-01-02T15:04:05.000000000Z"
	closedStart        = `{"custody":{"closed":{`
)

// A Closed record is the log's own last word in a segment (spec §7).
type Closed struct {
	At          time.Time
	First       uint64
	Count       int
	Counts      map[string]Counts // by receiver
	Key         string            // name+hash of the sealing key
	NextBy      time.Time         // zero: the log has ended
	Reason      Reason
	RetainUntil time.Time // zero: nothing promised
	Software    string
	Unfenced    bool
}

// Counts are what happened to a receiver's records since the last closed
// record, by the names of spec §7. A name that is missing is not known.
type Counts map[string]int64

// IsClosed says whether a line is a closed record; no other canonical line
// begins so.
func IsClosed(line []byte) bool { return bytes.HasPrefix(line, []byte(closedStart)) }

// Line is the closed record's line.
func (c *Closed) Line() ([]byte, error) {
	at := nanoseconds(c.At)
	r := record.Record{
		Time: at, ObservedTime: at,
		Custody: []record.KeyValue{{Key: "closed", Value: mapValue(c.members())}},
	}
	line, err := record.AppendLine(nil, &r)
	if err == nil && len(line) > ledger.MaxClosed {
		err = fmt.Errorf("closed record has %d bytes, the limit is %d", len(line), ledger.MaxClosed)
	}
	return line, err
}

func (c *Closed) members() []record.KeyValue {
	counts := []record.KeyValue{}
	for receiver, byName := range c.Counts {
		var kvs []record.KeyValue
		for name, n := range byName {
			kvs = append(kvs, record.KeyValue{Key: name, Value: intValue(n)})
		}
		counts = append(counts, record.KeyValue{Key: receiver, Value: mapValue(kvs)})
	}
	kvs := []record.KeyValue{
		{Key: "at", Value: stringValue(formatTime(c.At))},
		{Key: "count", Value: intValue(int64(c.Count))},
		{Key: "counts", Value: mapValue(counts)},
		{Key: "first", Value: intValue(int64(c.First))},
		{Key: "key", Value: stringValue(c.Key)},
		{Key: "reason", Value: stringValue(string(c.Reason))},
		{Key: "software", Value: stringValue(c.Software)},
	}
	if !c.NextBy.IsZero() {
		kvs = append(kvs, record.KeyValue{Key: "next_by", Value: stringValue(formatTime(c.NextBy))})
	}
	if !c.RetainUntil.IsZero() {
		kvs = append(kvs, record.KeyValue{Key: "retain_until", Value: stringValue(formatTime(c.RetainUntil))})
	}
	if c.Unfenced {
		kvs = append(kvs, record.KeyValue{Key: "unfenced", Value: record.Value{Kind: record.Bool, Num: 1}})
	}
	return kvs
}

var errClosed = errors.New("not a closed record")

// ParseClosed reads a closed record's line, which must be canonical. It accepts
// members that it does not know.
func ParseClosed(line []byte) (*Closed, error) {
	if !IsClosed(line) {
		return nil, errClosed
	}
	if len(line) > ledger.MaxClosed {
		return nil, fmt.Errorf("%w: %d bytes, the limit is %d", errClosed, len(line), ledger.MaxClosed)
	}
	r, err := record.ParseLine(line)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errClosed, err)
	}
	closed := r.Custody[0].Value
	if len(r.Custody) != 1 || r.Custody[0].Key != "closed" || closed.Kind != record.Map {
		return nil, errClosed
	}
	m := members{kvs: closed.Map}
	c := &Closed{
		At: m.time("at", true), First: uint64(m.int("first")), Count: int(m.int("count")),
		Key: m.string("key"), NextBy: m.time("next_by", false), Reason: Reason(m.string("reason")),
		RetainUntil: m.time("retain_until", false), Software: m.string("software"),
		Counts: m.counts(),
	}
	unfenced := m.get("unfenced")
	c.Unfenced = unfenced != nil && unfenced.Kind == record.Bool && unfenced.Num == 1
	if m.err != nil {
		return nil, fmt.Errorf("%w: %w", errClosed, m.err)
	}
	at := nanoseconds(c.At)
	bare := &record.Record{Custody: r.Custody, Time: at, ObservedTime: at}
	if !record.Equal(r, bare) {
		return nil, fmt.Errorf("%w: its times are not %q, or it says more than a closed record does", errClosed, formatTime(c.At))
	}
	return c, nil
}

// members reads a map's values by key and keeps the first error.
type members struct {
	kvs []record.KeyValue
	err error
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
		if m.err == nil {
			m.err = fmt.Errorf("member %q is missing or has the wrong type", key)
		}
		return &record.Value{}
	}
	return v
}

func (m *members) int(key string) int64     { return int64(m.want(key, record.Int).Num) }
func (m *members) string(key string) string { return m.want(key, record.String).Str }

func (m *members) time(key string, required bool) time.Time {
	if !required && m.get(key) == nil {
		return time.Time{}
	}
	s := m.string(key)
	t, err := time.Parse(timeLayout, s)
	if m.err == nil && (err != nil || formatTime(t) != s || !inRange(t)) {
		m.err = fmt.Errorf("member %q is not a time: %q", key, s)
	}
	return t
}

func (m *members) counts() map[string]Counts {
	out := map[string]Counts{}
	for _, kv := range m.want("counts", record.Map).Map {
		byName := Counts{}
		for _, n := range kv.Value.Map {
			if n.Value.Kind == record.Int {
				byName[n.Key] = int64(n.Value.Num)
			}
		}
		out[kv.Key] = byName
	}
	return out
}

// nanoseconds since 1970, as a record's time has them: they reach further than
// those of package time, which are signed.
func nanoseconds(t time.Time) uint64 {
	return uint64(t.Unix())*uint64(time.Second) + uint64(t.Nanosecond())
}

// inRange says whether a record can have this time (spec §3.1).
func inRange(t time.Time) bool {
	const max, second = uint64(math.MaxUint64), uint64(time.Second)
	last := time.Unix(int64(max/second), int64(max%second))
	return t.After(time.Unix(0, 0)) && !t.After(last)
}

func formatTime(t time.Time) string { return t.UTC().Format(timeLayout) }

func stringValue(s string) record.Value           { return record.Value{Kind: record.String, Str: s} }
func intValue(n int64) record.Value               { return record.Value{Kind: record.Int, Num: uint64(n)} }
func mapValue(kvs []record.KeyValue) record.Value { return record.Value{Kind: record.Map, Map: kvs} }
