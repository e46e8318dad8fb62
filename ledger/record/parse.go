package record

import (
	"bytes"
	"encoding/hex"
)

// ParseLine returns the record whose canonical line this is, without its line
// feed. It accepts exactly what [AppendLine] writes and returns a [FormError]
// for anything else. Maps come back sorted by emitted key, equal keys in order
// of arrival. The record keeps no reference to line.
func ParseLine(line []byte) (*Record, error) {
	if err := CheckLine(line); err != nil {
		return nil, err
	}
	d := decoder{line: line}
	r := new(Record)
	d.record(r)
	if d.failed {
		return nil, &FormError{Offset: d.pos, Fault: "cannot be read"}
	}
	// The check above and the encoder know the rules independently.
	again, err := AppendLine(make([]byte, 0, len(line)+32), r)
	if err != nil {
		return nil, &FormError{Fault: err.Error()}
	}
	if !bytes.Equal(again, line) {
		return nil, &FormError{Offset: firstDifference(again, line), Fault: "its record has another line"}
	}
	return r, nil
}

func firstDifference(a, b []byte) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}

// A decoder builds a record from a line that was checked. It relies on the
// check for the form, not for its own safety.
type decoder struct {
	line   []byte
	pos    int
	failed bool
}

// next returns the byte at pos, or 0 at the end or after a failure.
func (d *decoder) next() byte {
	if d.failed || d.pos >= len(d.line) {
		return 0
	}
	return d.line[d.pos]
}

// expect moves over b.
func (d *decoder) expect(b byte) {
	if d.next() != b {
		d.failed = true
		return
	}
	d.pos++
}

// each calls one for each member or element up to the closing bracket, behind
// the opening one.
func (d *decoder) each(closing byte, one func()) {
	if d.next() == closing {
		d.pos++
		return
	}
	for !d.failed {
		one()
		if d.next() == closing {
			d.pos++
			return
		}
		d.expect(',')
	}
}

// object reads an object with fixed members.
func (d *decoder) object(member func(name string)) {
	d.expect('{')
	d.each('}', func() {
		name := d.text()
		d.expect(':')
		member(name)
	})
}

func (d *decoder) record(r *Record) {
	d.object(func(name string) {
		switch name {
		case "attributes":
			r.Attributes = d.attributes()
		case "body":
			r.Body = d.value(1)
		case "custody":
			r.Custody = d.attributes()
		case "dropped_attributes_count":
			r.Dropped = uint32(d.number())
		case "event_name":
			r.EventName = d.text()
		case "flags":
			r.Flags = uint32(d.number())
		case "observed_time":
			r.ObservedTime = d.time()
		case "resource":
			d.resource(&r.Resource)
		case "scope":
			d.scope(&r.Scope)
		case "severity_number":
			r.SeverityNumber = int32(d.number())
		case "severity_text":
			r.SeverityText = d.text()
		case "span_id":
			d.id(r.SpanID[:])
		case "time":
			r.Time = d.time()
		case "trace_id":
			d.id(r.TraceID[:])
		default:
			d.failed = true
		}
	})
}

func (d *decoder) resource(r *Resource) {
	d.object(func(name string) {
		switch name {
		case "attributes":
			r.Attributes = d.attributes()
		case "dropped_attributes_count":
			r.Dropped = uint32(d.number())
		case "entity_refs":
			d.expect('[')
			d.each(']', func() { r.EntityRefs = append(r.EntityRefs, d.ref()) })
		case "schema_url":
			r.SchemaURL = d.text()
		default:
			d.failed = true
		}
	})
}

func (d *decoder) ref() (r EntityRef) {
	d.object(func(name string) {
		switch name {
		case "description_keys":
			r.DescriptionKeys = d.texts()
		case "id_keys":
			r.IDKeys = d.texts()
		case "schema_url":
			r.SchemaURL = d.text()
		case "type":
			r.Type = d.text()
		default:
			d.failed = true
		}
	})
	return r
}

func (d *decoder) scope(s *Scope) {
	d.object(func(name string) {
		switch name {
		case "attributes":
			s.Attributes = d.attributes()
		case "dropped_attributes_count":
			s.Dropped = uint32(d.number())
		case "name":
			s.Name = d.text()
		case "schema_url":
			s.SchemaURL = d.text()
		case "version":
			s.Version = d.text()
		default:
			d.failed = true
		}
	})
}

func (d *decoder) texts() (texts []string) {
	d.expect('[')
	d.each(']', func() { texts = append(texts, d.text()) })
	return texts
}

func (d *decoder) number() int64 {
	n, ok := parseInt(d.token(), 1<<63-1)
	d.failed = d.failed || !ok
	return n
}

func (d *decoder) time() uint64 {
	ns, ok := parseTime(d.raw())
	d.failed = d.failed || !ok
	return ns
}

func (d *decoder) id(dst []byte) {
	raw := d.raw()
	if len(raw) != hex.EncodedLen(len(dst)) {
		d.failed = true
		return
	}
	if _, err := hex.Decode(dst, raw); err != nil {
		d.failed = true
	}
}
