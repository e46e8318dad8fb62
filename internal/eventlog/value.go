package eventlog

import (
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-custody/custody/audit"
)

// scalarBytes is what a number or a bool counts against Limits.Bytes.
const scalarBytes = 8

// putAttributes puts attrs into dst, which is empty, and returns their size in
// bytes. Keys are unique, as package audit promises.
func putAttributes(dst pcommon.Map, attrs []audit.Attribute) int {
	size := 0
	for i := range attrs {
		a := &attrs[i]
		size += len(a.Key) + putValue(dst.PutEmpty(a.Key), &a.Value)
	}
	return size
}

func putValue(dst pcommon.Value, v *audit.Value) int {
	switch v.Kind {
	case audit.String:
		dst.SetStr(v.Str)
		return len(v.Str)
	case audit.Int:
		dst.SetInt(v.Int)
		return scalarBytes
	case audit.Bool:
		dst.SetBool(v.Bool)
		return scalarBytes
	case audit.Strings:
		return putStrings(dst.SetEmptySlice(), v.Strs)
	case audit.Maps:
		return putMaps(dst.SetEmptySlice(), v.Maps)
	}
	panic("eventlog: unknown kind of audit value")
}

func putStrings(dst pcommon.Slice, values []string) int {
	size := 0
	dst.EnsureCapacity(len(values))
	for _, s := range values {
		dst.AppendEmpty().SetStr(s)
		size += len(s)
	}
	return size
}

func putMaps(dst pcommon.Slice, maps [][]audit.Attribute) int {
	size := 0
	dst.EnsureCapacity(len(maps))
	for _, m := range maps {
		size += putAttributes(dst.AppendEmpty().SetEmptyMap(), m)
	}
	return size
}
