package logrecord

import (
	"math"
	"slices"
	"strings"
	"unsafe"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/xpdata/entity"

	"github.com/otelcol-custody/custody/ledger/record"
)

// An arena holds the values of one record while its line is written. Text is
// shared with pdata.
type arena struct {
	kvs  []record.KeyValue
	vals []record.Value
	deep bool // something lay deeper than record.MaxDepth and was left out
}

// keptEntries is how many entries of each kind an arena keeps room for.
const keptEntries = 1 << 12

// reset empties the arena; nothing of pdata stays in it.
func (a *arena) reset() {
	clear(a.kvs)
	clear(a.vals)
	a.kvs, a.vals, a.deep = a.kvs[:0], a.vals[:0], false
}

// release drops what the arena holds, and large memory with it.
func (a *arena) release() {
	a.reset()
	if cap(a.kvs) > keptEntries {
		a.kvs = nil
	}
	if cap(a.vals) > keptEntries {
		a.vals = nil
	}
}

// attributes converts the attributes of a record, resource or scope, and
// renames those that only the log itself may use (spec §3.7).
func (a *arena) attributes(m pcommon.Map) []record.KeyValue {
	kvs := a.entries(m, 1)
	for i := range kvs {
		if isReserved(kvs[i].Key) {
			kvs[i].Key = originalPrefix + kvs[i].Key
		}
	}
	return kvs
}

const originalPrefix = "custody.original."

// isReserved says whether key is one that only the log itself may use.
func isReserved(key string) bool {
	return strings.HasPrefix(key, "custody.") || strings.HasPrefix(key, "audit.sequence.") ||
		strings.HasPrefix(key, "audit.integrity.")
}

// entries converts a map whose values lie at depth.
func (a *arena) entries(m pcommon.Map, depth int) []record.KeyValue {
	n, base := m.Len(), len(a.kvs)
	// The slice stays as it is when deeper entries make the arena grow.
	a.kvs = slices.Grow(a.kvs, n)[:base+n]
	kvs := a.kvs[base : base+n : base+n]
	i := 0
	m.Range(func(key string, v pcommon.Value) bool {
		kvs[i].Key = key
		a.set(&kvs[i].Value, v, depth)
		i++
		return !a.deep
	})
	return kvs
}

// elements converts an array whose elements lie at depth.
func (a *arena) elements(s pcommon.Slice, depth int) []record.Value {
	n, base := s.Len(), len(a.vals)
	a.vals = slices.Grow(a.vals, n)[:base+n]
	vals := a.vals[base : base+n : base+n]
	for i := 0; i < n && !a.deep; i++ {
		a.set(&vals[i], s.At(i), depth)
	}
	return vals
}

// set sets dst to v, which lies at depth.
func (a *arena) set(dst *record.Value, v pcommon.Value, depth int) {
	*dst = record.Value{}
	if depth > record.MaxDepth {
		a.deep = true
		return
	}
	switch v.Type() {
	case pcommon.ValueTypeStr:
		dst.Kind, dst.Str = record.String, v.Str()
	case pcommon.ValueTypeBool:
		dst.Kind = record.Bool
		if v.Bool() {
			dst.Num = 1
		}
	case pcommon.ValueTypeInt:
		dst.Kind, dst.Num = record.Int, uint64(v.Int())
	case pcommon.ValueTypeDouble:
		dst.Kind, dst.Num = record.Double, math.Float64bits(v.Double())
	case pcommon.ValueTypeBytes:
		// AsRaw copies; the copy is ours and nobody changes it any more.
		raw := v.Bytes().AsRaw()
		dst.Kind, dst.Str = record.Bytes, unsafe.String(unsafe.SliceData(raw), len(raw))
	case pcommon.ValueTypeSlice:
		dst.Kind, dst.List = record.List, a.elements(v.Slice(), depth+1)
	case pcommon.ValueTypeMap:
		dst.Kind, dst.Map = record.Map, a.entries(v.Map(), depth+1)
	}
}

func entityRefs(res pcommon.Resource) []record.EntityRef {
	refs := entity.ResourceEntityRefs(res)
	if refs.Len() == 0 {
		return nil
	}
	out := make([]record.EntityRef, 0, refs.Len())
	for _, r := range refs.All() {
		out = append(out, record.EntityRef{
			SchemaURL: r.SchemaUrl(), Type: r.Type(),
			IDKeys: r.IdKeys().AsRaw(), DescriptionKeys: r.DescriptionKeys().AsRaw(),
		})
	}
	return out
}
