package segment

import (
	"errors"
	"fmt"
	"time"

	"github.com/otelcol-custody/custody/ledger"
	"github.com/otelcol-custody/custody/ledger/record"
)

// A Reason says why a segment was closed (spec §7).
type Reason string

// The reasons that this version writes. Readers accept others.
const (
	BySize    Reason = "size"
	ByAge     Reason = "age"
	Heartbeat Reason = "heartbeat"
	Shutdown  Reason = "shutdown"
	Recovered Reason = "recovered"
	Ended     Reason = "ended"
)

// A Closed record is the log's own last word in a segment (spec §7).
type Closed struct {
	At          time.Time
	First       uint64
	Count       int
	Counts      map[string]Counts // by receiver
	Key         string            // name+hash of the sealing key
	NextBy      time.Time         // zero: nothing said; so it is when the log has ended
	Reason      Reason
	RetainUntil time.Time // zero: nothing promised
	Software    string
	Unfenced    bool
}

// Counts are what happened to a receiver's records since the last closed
// record, by the names of spec §7. A name that is missing is not known.
type Counts map[string]int64

// Ends says whether the log ends with this record: nothing may follow.
func (c *Closed) Ends() bool { return c.Reason == Ended && c.NextBy.IsZero() }

// IsClosed says whether a line is a closed record; no other canonical line
// begins so.
func IsClosed(line []byte) bool { return isOwn(line, "closed") }

// Line is the closed record's line.
func (c *Closed) Line() ([]byte, error) {
	return ownLine("closed", c.At, c.members(), ledger.MaxClosed)
}

func (c *Closed) members() []record.KeyValue {
	counts := []record.KeyValue{}
	for receiver, byName := range c.Counts {
		var kvs []record.KeyValue
		for name, n := range byName {
			kvs = append(kvs, record.KeyValue{Key: name, Value: record.IntValue(n)})
		}
		counts = append(counts, record.KeyValue{Key: receiver, Value: record.MapValue(kvs...)})
	}
	kvs := []record.KeyValue{
		{Key: "at", Value: record.StringValue(formatTime(c.At))},
		{Key: "count", Value: record.IntValue(int64(c.Count))},
		{Key: "counts", Value: record.MapValue(counts...)},
		{Key: "first", Value: record.IntValue(int64(c.First))},
		{Key: "key", Value: record.StringValue(c.Key)},
		{Key: "reason", Value: record.StringValue(string(c.Reason))},
		{Key: "software", Value: record.StringValue(c.Software)},
	}
	if !c.NextBy.IsZero() {
		kvs = append(kvs, record.KeyValue{Key: "next_by", Value: record.StringValue(formatTime(c.NextBy))})
	}
	if !c.RetainUntil.IsZero() {
		kvs = append(kvs, record.KeyValue{Key: "retain_until", Value: record.StringValue(formatTime(c.RetainUntil))})
	}
	if c.Unfenced {
		kvs = append(kvs, record.KeyValue{Key: "unfenced", Value: record.BoolValue(true)})
	}
	return kvs
}

var errClosed = errors.New("not a closed record")

// ParseClosed reads a closed record's line, which must be canonical. It accepts
// members that it does not know.
func ParseClosed(line []byte) (*Closed, error) {
	m, err := parseOwn(line, "closed", ledger.MaxClosed)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errClosed, err)
	}
	c := &Closed{
		At: m.time("at", true), First: uint64(m.int("first")), Count: int(m.int("count")),
		Key: m.string("key"), NextBy: m.time("next_by", false), Reason: Reason(m.string("reason")),
		RetainUntil: m.time("retain_until", false), Software: m.string("software"),
		Counts: m.counts(), Unfenced: m.flag("unfenced"),
	}
	if err := m.done(c.At); err != nil {
		return nil, fmt.Errorf("%w: %w", errClosed, err)
	}
	return c, nil
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
