// Package logrecord turns pdata into record lines and records into pdata. It is
// the only place that knows both.
package logrecord

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-custody/custody/ledger/record"
)

// Attributes that the counts of closed records rest on.
const (
	receiverAttribute    = "audit.ingest.receiver" // of the resource: a string
	quarantinedAttribute = "audit.quarantined"     // of the record: true
)

// Info is what the log counts about a record.
type Info struct {
	// Oversize says that the record exceeds a limit and its line tells only
	// what is known of it (spec §3.6).
	Oversize bool
	// Quarantined says that the receiver could not parse the record.
	Quarantined bool
	// Receiver is the receiver's name for itself, or "".
	Receiver string
}

// A Converter turns pdata into record lines. It reads pdata and never writes to
// it, and keeps nothing of it when a method has returned. The zero value is
// ready. A Converter reuses its memory and is for one goroutine at a time.
type Converter struct {
	enc   record.Encoder
	arena arena
	rec   record.Record
	line  []byte

	res group // of the resource last set
	sc  group // of the scope last set

	receiver string
}

// A group is what is known of a resource or scope whose members were encoded.
type group struct{ deep, long bool }

// Each calls f with the line of each record of ld, in their order, without line
// feed. The line and Info.Receiver are valid until f returns. Each stops at
// the first error of f and returns it.
func (c *Converter) Each(ld plog.Logs, f func(line []byte, info Info) error) error {
	defer c.release()
	for _, res := range ld.ResourceLogs().All() {
		c.setResource(res)
		for _, sc := range res.ScopeLogs().All() {
			c.setScope(sc)
			for _, lr := range sc.LogRecords().All() {
				var info Info
				var err error
				if c.line, info, err = c.appendLine(c.line[:0], res, sc, lr); err != nil {
					return err
				}
				if err = f(c.line, info); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// AppendLine appends the line of the one record lr, which belongs to res and
// sc, without line feed. Every record that pdata can hold has a line, so that an
// error is a fault of this package; it leaves dst as it was. Info.Receiver
// shares memory with res. Each is cheaper for many records.
func (c *Converter) AppendLine(dst []byte, res plog.ResourceLogs, sc plog.ScopeLogs, lr plog.LogRecord) ([]byte, Info, error) {
	defer c.release()
	c.setResource(res)
	c.setScope(sc)
	return c.appendLine(dst, res, sc, lr)
}

// keptLine is the largest line buffer that is kept for the next call.
const keptLine = 1 << 20

// release drops all references to pdata.
func (c *Converter) release() {
	c.arena.release()
	c.rec = record.Record{}
	c.receiver = ""
	if cap(c.line) > keptLine {
		c.line = nil
	}
}

func (c *Converter) setResource(res plog.ResourceLogs) {
	c.arena.reset()
	r := record.Resource{
		Attributes: c.arena.attributes(res.Resource().Attributes()),
		Dropped:    res.Resource().DroppedAttributesCount(),
		EntityRefs: entityRefs(res.Resource()),
		SchemaURL:  res.SchemaUrl(),
	}
	c.receiver = ""
	if v, ok := res.Resource().Attributes().Get(receiverAttribute); ok && v.Type() == pcommon.ValueTypeStr {
		c.receiver = v.Str()
	}
	// A fault is no error: it is part of what is known of the records.
	c.res = group{deep: c.arena.deep, long: c.enc.SetResource(&r) != nil}
}

func (c *Converter) setScope(sc plog.ScopeLogs) {
	c.arena.reset()
	s := record.Scope{
		Attributes: c.arena.attributes(sc.Scope().Attributes()),
		Dropped:    sc.Scope().DroppedAttributesCount(),
		Name:       sc.Scope().Name(),
		Version:    sc.Scope().Version(),
		SchemaURL:  sc.SchemaUrl(),
	}
	c.sc = group{deep: c.arena.deep, long: c.enc.SetScope(&s) != nil}
}

// appendLine appends the line of lr, with the resource and scope that were set.
func (c *Converter) appendLine(dst []byte, res plog.ResourceLogs, sc plog.ScopeLogs, lr plog.LogRecord) ([]byte, Info, error) {
	c.arena.reset()
	c.fill(lr)
	info := Info{Receiver: c.receiver}
	if v, ok := lr.Attributes().Get(quarantinedAttribute); ok && v.Type() == pcommon.ValueTypeBool {
		info.Quarantined = v.Bool()
	}
	reason := ""
	switch {
	case c.arena.deep || c.res.deep || c.sc.deep:
		reason = tooDeep
	case c.res.long || c.sc.long:
		reason = tooLong
	default:
		line, err := c.enc.AppendShared(dst, &c.rec)
		if err == nil {
			return line, info, nil
		}
		// The arena makes no value too deep and none of unknown kind.
		reason = tooLong
	}
	info.Oversize = true
	line, err := appendOversize(dst, res, sc, lr, reason)
	return line, info, err
}

// fill sets c.rec to lr, without resource and scope.
func (c *Converter) fill(lr plog.LogRecord) {
	r := &c.rec
	r.Attributes = c.arena.attributes(lr.Attributes())
	c.arena.set(&r.Body, lr.Body(), 1)
	r.Dropped = lr.DroppedAttributesCount()
	r.EventName = lr.EventName()
	r.Flags = uint32(lr.Flags())
	r.ObservedTime = uint64(lr.ObservedTimestamp())
	r.Time = uint64(lr.Timestamp())
	r.SeverityNumber = int32(lr.SeverityNumber())
	r.SeverityText = lr.SeverityText()
	r.SpanID = lr.SpanID()
	r.TraceID = lr.TraceID()
}
