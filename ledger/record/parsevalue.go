package record

import (
	"bytes"
	"encoding/base64"
)

// attributes reads a map whose values lie at depth 1.
func (d *decoder) attributes() []KeyValue {
	d.expect('{')
	return d.members(1)
}

// value reads a value that lies at depth.
func (d *decoder) value(depth int) Value {
	switch d.next() {
	case '"':
		return StringValue(d.text())
	case '{':
		d.pos++
		return d.braced(depth)
	case '[':
		d.pos++
		v := Value{Kind: List}
		d.each(']', func() { v.List = append(v.List, d.value(depth+1)) })
		return v
	case 't':
		d.pos += len("true")
		return BoolValue(true)
	case 'f':
		d.pos += len("false")
		return BoolValue(false)
	case 'n':
		d.pos += len("null")
		return Value{}
	}
	token := d.token()
	if n, ok := parseInt(token, 1<<63-1); ok {
		return IntValue(n)
	}
	bits, ok := parseDouble(token)
	d.failed = d.failed || !ok
	return Value{Kind: Double, Num: bits}
}

// braced reads a map, or an object that stands for another value, behind its
// opening bracket.
func (d *decoder) braced(depth int) (v Value) {
	rest := d.line[min(d.pos, len(d.line)):]
	switch {
	case bytes.HasPrefix(rest, []byte(`"$f64":`)):
		d.pos += len(`"$f64":`)
		bits, ok := parseHex64(d.raw())
		d.failed = d.failed || !ok
		v = Value{Kind: Double, Num: bits}
	case bytes.HasPrefix(rest, []byte(`"$bytes":`)):
		d.pos += len(`"$bytes":`)
		v = Value{Kind: Bytes, Str: string(d.base64())}
	case bytes.HasPrefix(rest, []byte(`"$otlp":`)):
		d.pos += len(`"$otlp":`)
		var ok bool
		v, ok = parseAny(d.base64(), depth)
		d.failed = d.failed || !ok
	default:
		return Value{Kind: Map, Map: d.members(depth + 1)}
	}
	d.expect('}')
	return v
}

// members reads a map behind its opening bracket, and puts what $dup holds
// behind the first occurrences.
func (d *decoder) members(depth int) (kvs []KeyValue) {
	var dups []KeyValue
	d.each('}', func() {
		raw := d.raw()
		d.expect(':')
		if string(raw) == dupName {
			dups = d.duplicates(depth)
			return
		}
		kvs = append(kvs, KeyValue{Key: plainKey(raw), Value: d.value(depth)})
	})
	if len(dups) == 0 {
		return kvs
	}
	return merge(kvs, dups)
}

// merge puts each of dups behind the entries of kvs that have its key. Both
// are sorted by emitted key.
func merge(kvs, dups []KeyValue) []KeyValue {
	all := make([]KeyValue, 0, len(kvs)+len(dups))
	for _, kv := range kvs {
		all = append(all, kv)
		for len(dups) > 0 && dups[0].Key == kv.Key {
			all = append(all, dups[0])
			dups = dups[1:]
		}
	}
	return append(all, dups...)
}

func (d *decoder) duplicates(depth int) (dups []KeyValue) {
	d.expect('[')
	d.each(']', func() {
		d.expect('[')
		key := plainKey(d.raw())
		d.expect(',')
		dups = append(dups, KeyValue{Key: key, Value: d.value(depth)})
		d.expect(']')
	})
	return dups
}

// plainKey returns the key that is emitted as raw.
func plainKey(raw []byte) string {
	return unescape(bytes.TrimPrefix(raw, []byte{'$'}))
}

// raw reads a JSON string and returns what stands between the marks.
func (d *decoder) raw() []byte {
	d.expect('"')
	if d.failed {
		return nil
	}
	end, fault := scanText(d.line, d.pos)
	if fault != "" {
		d.failed = true
		return nil
	}
	raw := d.line[d.pos:end]
	d.pos = end + 1
	return raw
}

func (d *decoder) text() string { return unescape(d.raw()) }

func (d *decoder) base64() []byte {
	b, err := base64.StdEncoding.AppendDecode(nil, d.raw())
	d.failed = d.failed || err != nil
	return b
}

// token reads the characters up to the next structural one.
func (d *decoder) token() []byte {
	rest := d.line[min(d.pos, len(d.line)):]
	n := bytes.IndexAny(rest, ",]}")
	if n < 0 {
		d.failed = true
		return nil
	}
	d.pos += n
	return rest[:n]
}

// longEscape holds what the letters of two-byte escapes stand for.
var longEscape = [256]byte{
	'"': '"', '\\': '\\', 'b': '\b', 't': '\t', 'n': '\n', 'f': '\f', 'r': '\r',
}

// unescape undoes appendEscaped on text that scanText has passed.
func unescape(raw []byte) string {
	i := bytes.IndexByte(raw, '\\')
	if i < 0 {
		return string(raw)
	}
	s := make([]byte, 0, len(raw))
	for ; i >= 0 && i+1 < len(raw); i = bytes.IndexByte(raw, '\\') {
		s = append(s, raw[:i]...)
		raw = raw[i:]
		if c := longEscape[raw[1]]; c != 0 {
			s, raw = append(s, c), raw[2:]
			continue
		}
		c, _ := controlEscape(raw, 0)
		raw = raw[min(len(mark), len(raw)):]
		if c == 0x1a {
			c, raw = unmark(raw)
		}
		s = append(s, c)
	}
	return string(append(s, raw...))
}

// unmark reads what stands behind a mark: one more, or a byte in hex.
func unmark(raw []byte) (c byte, rest []byte) {
	if c, ok := hexByte(raw, 0); ok {
		return c, raw[2:]
	}
	return 0x1a, raw[min(len(mark), len(raw)):]
}
