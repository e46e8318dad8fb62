package logrecord

import (
	"encoding/binary"
	"math"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

// marshalAlone returns the LogsData message that holds lr alone, with its
// resource and scope as they arrived, in the one form of spec §3.6. (What pdata
// writes is valid, but in an order that no standard gives.)
func marshalAlone(res plog.ResourceLogs, sc plog.ScopeLogs, lr plog.LogRecord) []byte {
	var b backward
	b.message(1, func() { // LogsData.resource_logs
		b.text(3, res.SchemaUrl()) // ResourceLogs.schema_url
		b.message(2, func() {      // ResourceLogs.scope_logs
			b.text(3, sc.SchemaUrl())             // ScopeLogs.schema_url
			b.message(2, func() { b.record(lr) }) // ScopeLogs.log_records
			b.filled(1, func() { b.scope(sc) })   // ScopeLogs.scope
		})
		b.filled(1, func() { b.resource(res) }) // ResourceLogs.resource
	})
	return b.buf[b.at:]
}

// A backward buffer is filled from its end, so that the length of a message is
// known when its tag is to be written. Fields are therefore written in
// descending order of their numbers, and repeated ones from the last.
type backward struct {
	buf []byte
	at  int // buf[at:] is written
}

// room makes place for n bytes and returns it.
func (b *backward) room(n int) []byte {
	if b.at < n {
		written := b.buf[b.at:]
		grown := make([]byte, 2*len(b.buf)+n+256)
		b.at = len(grown) - len(written)
		copy(grown[b.at:], written)
		b.buf = grown
	}
	b.at -= n
	return b.buf[b.at : b.at+n]
}

func (b *backward) size() int { return len(b.buf) - b.at }

func (b *backward) varint(n uint64) {
	var tmp [binary.MaxVarintLen64]byte
	size := binary.PutUvarint(tmp[:], n)
	copy(b.room(size), tmp[:size])
}

func (b *backward) tag(field, wireType byte) { b.room(1)[0] = field<<3 | wireType }

// message writes a field whose content write writes, even when it is empty.
func (b *backward) message(field byte, write func()) {
	before := b.size()
	write()
	b.close(field, before)
}

// filled writes a field whose content write writes, unless it is empty.
func (b *backward) filled(field byte, write func()) {
	before := b.size()
	write()
	if n := b.size() - before; n > 0 {
		b.varint(uint64(n))
		b.tag(field, 2)
	}
}

func (b *backward) string(field byte, s string) {
	copy(b.room(len(s)), s)
	b.varint(uint64(len(s)))
	b.tag(field, 2)
}

// text, number and fixed64 leave out a field at its default.
func (b *backward) text(field byte, s string) {
	if s != "" {
		b.string(field, s)
	}
}

func (b *backward) number(field byte, n uint64) {
	if n != 0 {
		b.varint(n)
		b.tag(field, 0)
	}
}

func (b *backward) fixed64(field byte, n uint64) {
	if n != 0 {
		binary.LittleEndian.PutUint64(b.room(8), n)
		b.tag(field, 1)
	}
}

func (b *backward) record(lr plog.LogRecord) {
	b.text(12, lr.EventName())
	b.fixed64(11, uint64(lr.ObservedTimestamp()))
	if id := lr.SpanID(); !id.IsEmpty() {
		b.string(10, string(id[:]))
	}
	if id := lr.TraceID(); !id.IsEmpty() {
		b.string(9, string(id[:]))
	}
	if f := uint32(lr.Flags()); f != 0 {
		binary.LittleEndian.PutUint32(b.room(4), f)
		b.tag(8, 5)
	}
	b.number(7, uint64(lr.DroppedAttributesCount()))
	b.entries(6, lr.Attributes())
	b.filled(5, func() { b.value(lr.Body()) })
	b.text(3, lr.SeverityText())
	b.number(2, uint64(int64(lr.SeverityNumber())))
	b.fixed64(1, uint64(lr.Timestamp()))
}

func (b *backward) scope(sc plog.ScopeLogs) {
	s := sc.Scope()
	b.number(4, uint64(s.DroppedAttributesCount()))
	b.entries(3, s.Attributes())
	b.text(2, s.Version())
	b.text(1, s.Name())
}

func (b *backward) resource(res plog.ResourceLogs) {
	r := res.Resource()
	refs := entityRefs(r)
	for i := len(refs) - 1; i >= 0; i-- {
		b.message(3, func() {
			b.strings(4, refs[i].DescriptionKeys)
			b.strings(3, refs[i].IDKeys)
			b.text(2, refs[i].Type)
			b.text(1, refs[i].SchemaURL)
		})
	}
	b.number(2, uint64(r.DroppedAttributesCount()))
	b.entries(1, r.Attributes())
}

func (b *backward) strings(field byte, all []string) {
	for i := len(all) - 1; i >= 0; i-- {
		b.string(field, all[i])
	}
}

// entries writes each entry of m as a KeyValue.
func (b *backward) entries(field byte, m pcommon.Map) {
	all := entriesOf(m)
	for i := len(all) - 1; i >= 0; i-- {
		b.message(field, func() {
			b.message(2, func() { b.value(all[i].value) })
			b.text(1, all[i].key)
		})
	}
}

// value writes the content of an AnyValue: the one field that is set, if any. It
// keeps its own stack: a producer decides how deep values nest.
func (b *backward) value(v pcommon.Value) {
	stack := b.enter(nil, v)
	for len(stack) > 0 {
		f := &stack[len(stack)-1]
		if f.open {
			f.finish(b)
		}
		if f.next--; f.next < 0 {
			b.close(f.field, f.before)
			stack = stack[:len(stack)-1]
			continue
		}
		stack = b.enter(stack, f.begin(b))
	}
}

// nested is a list or map that is being written, from its last element.
type nested struct {
	field   byte // of the AnyValue: 5 or 6
	before  int  // size of the buffer behind it
	list    pcommon.Slice
	entries []entry // of a map
	next    int     // the element that was begun last
	open    bool    // it is not finished
	outer   int     // size behind the element, for a map its KeyValue
}

type entry struct {
	key   string
	value pcommon.Value
}

// entriesOf lists a map's entries, which pcommon.Map yields forward only.
func entriesOf(m pcommon.Map) []entry {
	all := make([]entry, 0, m.Len())
	for k, v := range m.All() {
		all = append(all, entry{k, v})
	}
	return all
}

// enter writes a scalar, or puts a list or map onto the stack.
func (b *backward) enter(stack []nested, v pcommon.Value) []nested {
	switch v.Type() {
	case pcommon.ValueTypeSlice:
		return append(stack, nested{field: 5, before: b.size(), list: v.Slice(), next: v.Slice().Len()})
	case pcommon.ValueTypeMap:
		all := entriesOf(v.Map())
		return append(stack, nested{field: 6, before: b.size(), entries: all, next: len(all)})
	}
	b.scalar(v)
	return stack
}

func (f *nested) begin(b *backward) pcommon.Value {
	f.open, f.outer = true, b.size()
	if f.field == 5 {
		return f.list.At(f.next)
	}
	return f.entries[f.next].value
}

func (f *nested) finish(b *backward) {
	if f.field == 6 {
		b.close(2, f.outer) // KeyValue.value
		b.text(1, f.entries[f.next].key)
	}
	b.close(1, f.outer)
	f.open = false
}

// close writes length and tag of a field whose content begins at size before.
func (b *backward) close(field byte, before int) {
	b.varint(uint64(b.size() - before))
	b.tag(field, 2)
}

func (b *backward) scalar(v pcommon.Value) {
	switch v.Type() {
	case pcommon.ValueTypeStr:
		b.string(1, v.Str())
	case pcommon.ValueTypeBool:
		n := uint64(0)
		if v.Bool() {
			n = 1
		}
		b.varint(n)
		b.tag(2, 0)
	case pcommon.ValueTypeInt:
		b.varint(uint64(v.Int()))
		b.tag(3, 0)
	case pcommon.ValueTypeDouble:
		binary.LittleEndian.PutUint64(b.room(8), math.Float64bits(v.Double()))
		b.tag(4, 1)
	case pcommon.ValueTypeBytes:
		b.string(7, string(v.Bytes().AsRaw()))
	}
}
