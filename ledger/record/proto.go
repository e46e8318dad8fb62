package record

import (
	"encoding/binary"
	"math"
)

// Tags of opentelemetry.proto.common.v1, field number and wire type.
const (
	varint, fixed64, bytesType = 0, 1, 2

	tagString = 1<<3 | bytesType
	tagBool   = 2<<3 | varint
	tagInt    = 3<<3 | varint
	tagDouble = 4<<3 | fixed64
	tagArray  = 5<<3 | bytesType
	tagKvlist = 6<<3 | bytesType
	tagBytes  = 7<<3 | bytesType

	tagElement = 1<<3 | bytesType // ArrayValue.values, KeyValueList.values
	tagKey     = 1<<3 | bytesType // KeyValue.key
	tagValue   = 2<<3 | bytesType // KeyValue.value
)

// AppendProto appends v as an AnyValue in the protobuf form of spec §3.5. It
// fails with [ErrTooDeep] or [ErrKind], and then returns dst unchanged.
func (e *Encoder) AppendProto(dst []byte, v *Value) ([]byte, error) {
	e.reset()
	e.proto.reset(math.MaxInt)
	e.putValue(v, 1)
	if e.err != nil {
		return dst, e.err
	}
	return append(dst, e.proto.bytes()...), nil
}

// A backward buffer is filled from its end, so that the length of a message is
// known when the tag before it is to be written.
type backward struct {
	buf  []byte
	at   int // buf[at:] is written
	most int // bytes after which writing may stop
}

// reset empties the buffer, to be filled with not much more than most bytes.
func (b *backward) reset(most int) {
	if len(b.buf) > keptScratch {
		b.buf = nil
	}
	b.at, b.most = len(b.buf), most
}

func (b *backward) bytes() []byte { return b.buf[b.at:] }
func (b *backward) size() int     { return len(b.buf) - b.at }

// room makes place for n bytes and returns it.
func (b *backward) room(n int) []byte {
	if b.at < n {
		grown := make([]byte, 2*len(b.buf)+n+64)
		at := len(grown) - b.size()
		copy(grown[at:], b.bytes())
		b.buf, b.at = grown, at
	}
	b.at -= n
	return b.buf[b.at : b.at+n]
}

func (b *backward) putString(s string) { copy(b.room(len(s)), s) }

func (b *backward) putVarint(n uint64) {
	var tmp [binary.MaxVarintLen64]byte
	copyLen := binary.PutUvarint(tmp[:], n)
	copy(b.room(copyLen), tmp[:copyLen])
}

// putHead makes a field of what was written since the buffer had size before.
func (b *backward) putHead(tag byte, before int) {
	b.putVarint(uint64(b.size() - before))
	b.room(1)[0] = tag
}

// putValue writes v, which lies at depth, as an AnyValue without a head.
func (e *Encoder) putValue(v *Value, depth int) {
	if depth > MaxDepth {
		e.fail(ErrTooDeep)
	}
	if e.proto.size() > e.proto.most {
		e.fail(ErrTooLong)
	}
	if e.err != nil {
		return
	}
	b, before := &e.proto, e.proto.size()
	switch v.Kind {
	case Empty:
	case String:
		b.putString(v.Str)
		b.putHead(tagString, before)
	case Bool:
		n := uint64(0)
		if v.Num != 0 {
			n = 1
		}
		b.putVarint(n)
		b.room(1)[0] = tagBool
	case Int:
		b.putVarint(v.Num)
		b.room(1)[0] = tagInt
	case Double:
		binary.LittleEndian.PutUint64(b.room(8), v.Num)
		b.room(1)[0] = tagDouble
	case Bytes:
		b.putString(v.Str)
		b.putHead(tagBytes, before)
	case List:
		e.putList(v.List, depth+1)
		b.putHead(tagArray, before)
	case Map:
		e.putMap(v.Map, depth+1)
		b.putHead(tagKvlist, before)
	default:
		e.fail(ErrKind)
	}
}

func (e *Encoder) putList(vs []Value, depth int) {
	for i := len(vs) - 1; i >= 0 && e.err == nil; i-- {
		before := e.proto.size()
		e.putValue(&vs[i], depth)
		e.proto.putHead(tagElement, before)
	}
}

func (e *Encoder) putMap(kvs []KeyValue, depth int) {
	// Escapes only decide on the order here; they do not count for the length.
	base, keys := e.pushEntries(kvs, math.MaxInt)
	for i := len(e.spans) - 1; i >= base && e.err == nil; i-- {
		kv := &kvs[e.spans[i].at]
		start := e.proto.size()
		e.putValue(&kv.Value, depth)
		e.proto.putHead(tagValue, start)
		if kv.Key != "" {
			before := e.proto.size()
			e.proto.putString(kv.Key)
			e.proto.putHead(tagKey, before)
		}
		e.proto.putHead(tagElement, start)
		e.spans = e.spans[:i]
	}
	e.spans, e.keys = e.spans[:base], e.keys[:keys]
}
