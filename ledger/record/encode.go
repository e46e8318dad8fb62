package record

import (
	"encoding/base64"
	"encoding/hex"
	"strconv"
	"sync"
)

// An Encoder writes record lines and reuses its scratch space from one to the
// next. The zero value is ready. An Encoder is for one goroutine at a time.
type Encoder struct {
	// resource and scope are what SetResource and SetScope encoded: the
	// member and a comma, or nothing.
	resource, scope []byte

	orders orderCache
	order  []byte  // stack of the orders of maps that are being written
	keys   []byte  // stack of emitted keys of maps that are being written
	spans  []entry // stack of the entries to which keys belongs
	proto  backward
	err    error // the first fault of the current call
}

var encoders = sync.Pool{New: func() any { return new(Encoder) }}

// AppendLine appends the canonical line of r to dst, without a line feed. It
// fails with [ErrTooDeep] or [ErrTooLong] where the record exceeds a limit, in
// this order, or with [ErrKind], and then returns dst unchanged.
func AppendLine(dst []byte, r *Record) ([]byte, error) {
	e := encoders.Get().(*Encoder)
	defer encoders.Put(e)
	return e.AppendLine(dst, r)
}

// AppendLine does what the function of this name does.
func (e *Encoder) AppendLine(dst []byte, r *Record) ([]byte, error) {
	if err := e.SetResource(&r.Resource); err != nil {
		return dst, e.deepest(r, err)
	}
	if err := e.SetScope(&r.Scope); err != nil {
		return dst, e.deepest(r, err)
	}
	line, err := e.AppendShared(dst, r)
	return line, e.deepest(r, err)
}

// deepest prefers ErrTooDeep to ErrTooLong when a record is both.
func (e *Encoder) deepest(r *Record, err error) error {
	if err == ErrTooLong && tooDeep(r) {
		return ErrTooDeep
	}
	return err
}

// SetResource encodes the resource for the calls of AppendShared that follow.
// It fails as AppendLine does; then no record of this resource has a line.
func (e *Encoder) SetResource(r *Resource) error {
	e.reset()
	e.resource = e.appendResource(emptied(e.resource), r)
	return e.err
}

// SetScope encodes the scope for the calls of AppendShared that follow.
// It fails as AppendLine does; then no record of this scope has a line.
func (e *Encoder) SetScope(s *Scope) error {
	e.reset()
	e.scope = e.appendScope(emptied(e.scope), s)
	return e.err
}

// AppendShared appends the line of r, taking resource and scope from the last
// successful calls of SetResource and SetScope instead of from r. Otherwise it
// does what AppendLine does, except that a record that is both too deep and
// too long may be reported as either.
func (e *Encoder) AppendShared(dst []byte, r *Record) ([]byte, error) {
	e.reset()
	start := len(dst)
	line := e.appendRecord(dst, r)
	if e.err == nil && len(line)-start > MaxLine {
		e.err = ErrTooLong
	}
	if e.err != nil {
		return dst, e.err
	}
	return line, nil
}

func (e *Encoder) reset() {
	e.order, e.keys, e.spans, e.err = e.order[:0], emptied(e.keys), e.spans[:0], nil
}

// keptScratch is the largest scratch buffer that is kept for the next call.
const keptScratch = 1 << 20

func emptied(b []byte) []byte {
	if cap(b) > keptScratch {
		return nil
	}
	return b[:0]
}

func (e *Encoder) fail(err error) {
	if e.err == nil {
		e.err = err
	}
}

// The members stand in the order of their names (spec §3.1); each is followed
// by a comma, the last of which becomes the closing bracket.
func (e *Encoder) appendRecord(dst []byte, r *Record) []byte {
	dst = append(dst, '{')
	dst = e.appendAttributes(dst, `"attributes":`, r.Attributes)
	if r.Body.Kind != Empty {
		dst = e.appendValue(append(dst, `"body":`...), &r.Body, 1)
		dst = append(dst, ',')
	}
	dst = e.appendAttributes(dst, `"custody":`, r.Custody)
	dst = appendCount(dst, `"dropped_attributes_count":`, r.Dropped)
	dst = appendMember(dst, `"event_name":`, r.EventName)
	dst = appendCount(dst, `"flags":`, r.Flags)
	dst = appendTimeMember(dst, `"observed_time":`, r.ObservedTime)
	dst = append(dst, e.resource...)
	dst = append(dst, e.scope...)
	if r.SeverityNumber != 0 {
		dst = append(dst, `"severity_number":`...)
		dst = strconv.AppendInt(dst, int64(r.SeverityNumber), 10)
		dst = append(dst, ',')
	}
	dst = appendMember(dst, `"severity_text":`, r.SeverityText)
	if r.SpanID != [8]byte{} {
		dst = hex.AppendEncode(append(dst, `"span_id":"`...), r.SpanID[:])
		dst = append(dst, `",`...)
	}
	dst = appendTimeMember(dst, `"time":`, r.Time)
	if r.TraceID != [16]byte{} {
		dst = hex.AppendEncode(append(dst, `"trace_id":"`...), r.TraceID[:])
		dst = append(dst, `",`...)
	}
	return closeWith(dst, '}')
}

func (e *Encoder) appendResource(dst []byte, r *Resource) []byte {
	const open = `"resource":{`
	start := len(dst)
	dst = append(dst, open...)
	dst = e.appendAttributes(dst, `"attributes":`, r.Attributes)
	dst = appendCount(dst, `"dropped_attributes_count":`, r.Dropped)
	if len(r.EntityRefs) > 0 {
		dst = append(dst, `"entity_refs":[`...)
		for i := range r.EntityRefs {
			dst = appendEntityRef(dst, &r.EntityRefs[i])
		}
		dst = append(closeWith(dst, ']'), ',')
	}
	dst = appendMember(dst, `"schema_url":`, r.SchemaURL)
	if len(dst) == start+len(open) {
		return dst[:start]
	}
	return append(closeWith(dst, '}'), ',')
}

func appendEntityRef(dst []byte, r *EntityRef) []byte {
	dst = append(dst, '{')
	dst = appendTexts(dst, `"description_keys":`, r.DescriptionKeys)
	dst = appendTexts(dst, `"id_keys":`, r.IDKeys)
	dst = appendMember(dst, `"schema_url":`, r.SchemaURL)
	dst = appendMember(dst, `"type":`, r.Type)
	return append(closeWith(dst, '}'), ',')
}

func (e *Encoder) appendScope(dst []byte, s *Scope) []byte {
	const open = `"scope":{`
	start := len(dst)
	dst = append(dst, open...)
	dst = e.appendAttributes(dst, `"attributes":`, s.Attributes)
	dst = appendCount(dst, `"dropped_attributes_count":`, s.Dropped)
	dst = appendMember(dst, `"name":`, s.Name)
	dst = appendMember(dst, `"schema_url":`, s.SchemaURL)
	dst = appendMember(dst, `"version":`, s.Version)
	if len(dst) == start+len(open) {
		return dst[:start]
	}
	return append(closeWith(dst, '}'), ',')
}

// appendAttributes appends a member that is a map, unless it is empty.
func (e *Encoder) appendAttributes(dst []byte, name string, kvs []KeyValue) []byte {
	if len(kvs) == 0 {
		return dst
	}
	dst = append(dst, name...)
	dst = e.appendMap(dst, kvs, 1)
	return append(dst, ',')
}

func appendMember(dst []byte, name, text string) []byte {
	if text == "" {
		return dst
	}
	dst = append(dst, name...)
	dst = appendText(dst, text)
	return append(dst, ',')
}

func appendTexts(dst []byte, name string, texts []string) []byte {
	if len(texts) == 0 {
		return dst
	}
	dst = append(dst, name...)
	dst = append(dst, '[')
	for _, t := range texts {
		dst = append(appendText(dst, t), ',')
	}
	return append(closeWith(dst, ']'), ',')
}

func appendCount(dst []byte, name string, n uint32) []byte {
	if n == 0 {
		return dst
	}
	dst = append(dst, name...)
	dst = strconv.AppendUint(dst, uint64(n), 10)
	return append(dst, ',')
}

func appendTimeMember(dst []byte, name string, ns uint64) []byte {
	if ns == 0 {
		return dst
	}
	dst = append(dst, name...)
	dst = appendTime(dst, ns)
	return append(dst, ',')
}

// closeWith ends an object or array: its last comma gives way to bracket.
func closeWith(dst []byte, bracket byte) []byte {
	if last := len(dst) - 1; dst[last] == ',' {
		dst[last] = bracket
		return dst
	}
	return append(dst, bracket)
}

// appendValue appends the value v, which lies at depth (spec §3.3).
func (e *Encoder) appendValue(dst []byte, v *Value, depth int) []byte {
	switch v.Kind {
	case Empty:
		return append(dst, "null"...)
	case String:
		return appendText(dst, v.Str)
	case Bool:
		return strconv.AppendBool(dst, v.Num != 0)
	case Int:
		return strconv.AppendInt(dst, int64(v.Num), 10)
	case Double:
		return appendDouble(dst, v.Num)
	case Bytes:
		dst = append(dst, `{"$bytes":"`...)
		dst = base64.StdEncoding.AppendEncode(dst, []byte(v.Str))
		return append(dst, `"}`...)
	case List:
		if depth > MaxNatural {
			return e.appendDeep(dst, v, depth)
		}
		return e.appendList(dst, v.List, depth+1)
	case Map:
		if depth > MaxNatural {
			return e.appendDeep(dst, v, depth)
		}
		return e.appendMap(dst, v.Map, depth+1)
	}
	e.fail(ErrKind)
	return dst
}

// appendList appends an array whose elements lie at depth.
func (e *Encoder) appendList(dst []byte, vs []Value, depth int) []byte {
	start := len(dst)
	dst = append(dst, '[')
	for i := range vs {
		dst = append(e.appendValue(dst, &vs[i], depth), ',')
		if e.full(dst, start) {
			return dst
		}
	}
	return closeWith(dst, ']')
}

// appendDeep appends an array or key-value list beyond MaxNatural.
func (e *Encoder) appendDeep(dst []byte, v *Value, depth int) []byte {
	e.proto.reset(MaxLine)
	e.putValue(v, depth)
	dst = append(dst, `{"$otlp":"`...)
	dst = base64.StdEncoding.AppendEncode(dst, e.proto.bytes())
	return append(dst, `"}`...)
}

// full says whether encoding should stop, since what was appended from start
// on is too long already or a fault was found.
func (e *Encoder) full(dst []byte, start int) bool {
	if len(dst)-start > MaxLine {
		e.fail(ErrTooLong)
	}
	return e.err != nil
}
