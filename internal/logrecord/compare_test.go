package logrecord

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/xpdata/entity"
)

// A description describes pdata in full, in words that share no code with the
// record line: two records are the same when their descriptions are, up to the
// order of attributes with different keys.
type description struct{ strings.Builder }

// describe describes a record; name tells how its attributes are called.
func describe(res plog.ResourceLogs, sc plog.ScopeLogs, lr plog.LogRecord, name func(string) string) string {
	var d description
	fmt.Fprintf(&d, "res %q %d", res.SchemaUrl(), res.Resource().DroppedAttributesCount())
	d.entries(res.Resource().Attributes(), name)
	for _, r := range entity.ResourceEntityRefs(res.Resource()).All() {
		fmt.Fprintf(&d, " ref %q %q %q %q", r.SchemaUrl(), r.Type(), r.IdKeys().AsRaw(), r.DescriptionKeys().AsRaw())
	}
	s := sc.Scope()
	fmt.Fprintf(&d, " scope %q %q %q %d", sc.SchemaUrl(), s.Name(), s.Version(), s.DroppedAttributesCount())
	d.entries(s.Attributes(), name)
	traceID, spanID := lr.TraceID(), lr.SpanID()
	fmt.Fprintf(&d, " record %d %d %d %q %q %d %d %x %x", lr.Timestamp(), lr.ObservedTimestamp(), lr.SeverityNumber(), lr.SeverityText(),
		lr.EventName(), lr.Flags(), lr.DroppedAttributesCount(), traceID[:], spanID[:])
	d.value(lr.Body())
	d.entries(lr.Attributes(), name)
	return d.String()
}

// renamed is what an arriving attribute is called in the record (spec §3.7).
func renamed(k string) string {
	for _, p := range []string{"custody.", "audit.sequence.", "audit.integrity."} {
		if strings.HasPrefix(k, p) {
			return "custody.original." + k
		}
	}
	return k
}

func same(k string) string { return k }

func (d *description) entries(m pcommon.Map, name func(string) string) {
	type entry struct {
		key   string
		value pcommon.Value
	}
	var all []entry
	for k, v := range m.All() {
		all = append(all, entry{name(k), v})
	}
	slices.SortStableFunc(all, func(a, b entry) int { return strings.Compare(a.key, b.key) })
	d.WriteString(" {")
	for _, e := range all {
		fmt.Fprintf(d, " %q:", e.key)
		d.value(e.value)
	}
	d.WriteString("}")
}

func (d *description) value(v pcommon.Value) {
	switch v.Type() {
	case pcommon.ValueTypeStr:
		fmt.Fprintf(d, " str %q", v.Str())
	case pcommon.ValueTypeBool:
		fmt.Fprint(d, " bool ", v.Bool())
	case pcommon.ValueTypeInt:
		fmt.Fprint(d, " int ", v.Int())
	case pcommon.ValueTypeDouble:
		fmt.Fprintf(d, " double %x", math.Float64bits(v.Double()))
	case pcommon.ValueTypeBytes:
		fmt.Fprintf(d, " bytes %x", v.Bytes().AsRaw())
	case pcommon.ValueTypeSlice:
		d.WriteString(" [")
		for _, e := range v.Slice().All() {
			d.value(e)
		}
		d.WriteString("]")
	case pcommon.ValueTypeMap:
		d.entries(v.Map(), same)
	default:
		d.WriteString(" empty")
	}
}
