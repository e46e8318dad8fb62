package record

import "encoding/binary"

// A source turns bytes into records, so that a fuzzer reaches every kind of
// record by changing bytes. Behind its end it yields zeros.
type source struct{ b []byte }

func (s *source) byte() byte {
	if len(s.b) == 0 {
		return 0
	}
	c := s.b[0]
	s.b = s.b[1:]
	return c
}

func (s *source) uint64() uint64 {
	var b [8]byte
	copy(b[:], s.b)
	s.b = s.b[min(8, len(s.b)):]
	return binary.LittleEndian.Uint64(b[:])
}

// awkward are texts and keys that are likely to be confused with each other.
var awkward = []string{
	"", "a", "b", "ab", "$", "$$", "$dup", "$f64", "$bytes", "$otlp", "$$dup", "\x1a", "\x1aff", "\xff", "\xe2\x82\xac", "\xe2\x82", "\xac",
	"null", "1", "\"", "\\", "\u0000", "\x7f", "#", "%", "\ud7ff", "\ue000", "\xed\xa0\x80", "\U0010ffff", "\xf4\x90\x80\x80", "\xc0\x80", "\u2028",
}

func (s *source) text() string {
	switch c := s.byte(); {
	case c < 128:
		return awkward[int(c)%len(awkward)]
	case c < 192:
		n := min(int(c-128), len(s.b))
		t := string(s.b[:n])
		s.b = s.b[n:]
		return t
	default:
		return awkward[int(c)%len(awkward)] + awkward[int(s.byte())%len(awkward)]
	}
}

func (s *source) value(depth int) Value {
	switch c := s.byte(); c % 10 {
	case 0:
		return Value{}
	case 1:
		return StringValue(s.text())
	case 2:
		return BoolValue(c >= 128)
	case 3:
		return IntValue(int64(s.uint64()))
	case 4:
		return IntValue(int64(int8(s.byte())))
	case 5:
		return Value{Kind: Double, Num: s.uint64()}
	case 6:
		return DoubleValue(float64(int8(s.byte())) / 4)
	case 7:
		return BytesValue([]byte(s.text()))
	case 8:
		v := Value{Kind: List}
		for n := s.byte() % 5; n > 0 && depth < 200; n-- {
			v.List = append(v.List, s.value(depth+1))
		}
		return s.bury(v, c)
	default:
		return s.bury(Value{Kind: Map, Map: s.entries(depth + 1)}, c)
	}
}

// bury wraps v in lists so that it comes to lie near the natural limit.
func (s *source) bury(v Value, c byte) Value {
	if c < 230 {
		return v
	}
	for n := 60 + s.byte()%8; n > 0; n-- {
		v = ListValue(v)
	}
	return v
}

func (s *source) entries(depth int) (kvs []KeyValue) {
	for n := s.byte() % 6; n > 0 && depth < 200; n-- {
		kvs = append(kvs, KeyValue{Key: s.text(), Value: s.value(depth)})
	}
	return kvs
}

func (s *source) texts() (t []string) {
	for n := s.byte() % 3; n > 0; n-- {
		t = append(t, s.text())
	}
	return t
}

func (s *source) record() *Record {
	r := &Record{Attributes: s.entries(1), Body: s.value(1)}
	has := s.byte()
	if has&1 != 0 {
		r.Custody = s.entries(1)
	}
	if has&2 != 0 {
		r.Dropped, r.Flags, r.EventName = uint32(s.uint64()), uint32(s.uint64()), s.text()
	}
	if has&4 != 0 {
		r.ObservedTime, r.Time = s.uint64(), s.uint64()
	}
	if has&8 != 0 {
		r.SeverityNumber, r.SeverityText = int32(s.uint64()), s.text()
	}
	if has&16 != 0 {
		binary.LittleEndian.PutUint64(r.SpanID[:], s.uint64())
		binary.LittleEndian.PutUint64(r.TraceID[4:], s.uint64())
	}
	if has&32 != 0 {
		r.Resource = Resource{Attributes: s.entries(1), Dropped: uint32(s.byte()), SchemaURL: s.text()}
		for n := s.byte() % 3; n > 0; n-- {
			r.Resource.EntityRefs = append(r.Resource.EntityRefs, EntityRef{
				SchemaURL: s.text(), Type: s.text(), IDKeys: s.texts(), DescriptionKeys: s.texts(),
			})
		}
	}
	if has&64 != 0 {
		r.Scope = Scope{Attributes: s.entries(1), Dropped: uint32(s.byte()), Name: s.text(), Version: s.text(), SchemaURL: s.text()}
	}
	return r
}
