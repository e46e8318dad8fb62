package record

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

func text(k, v string) KeyValue       { return KeyValue{k, StringValue(v)} }
func pair(k string, v Value) KeyValue { return KeyValue{k, v} }
func body(v Value) *Record            { return &Record{Body: v} }
func lists(depth int, v Value) Value {
	for range depth {
		v = ListValue(v)
	}
	return v
}

func lineOf(t *testing.T, r *Record) string {
	t.Helper()
	line, err := AppendLine(nil, r)
	if err != nil {
		t.Fatal(err)
	}
	return string(line)
}

// Pairs of records that other encodings have confused. Each pair has two lines.
func TestDistinct(t *testing.T) {
	nan := func(bits uint64) Value { return Value{Kind: Double, Num: bits} }
	for _, c := range []struct {
		name string
		a, b *Record
	}{
		// What contrib's signingprocessor got wrong.
		{"int64 beyond 2^53", body(IntValue(1 << 53)), body(IntValue(1<<53 + 1))},
		{"int64 extremes", body(IntValue(math.MaxInt64)), body(IntValue(math.MaxInt64 - 1))},
		{"nanoseconds", &Record{Time: 1772360143123456788}, &Record{Time: 1772360143123456789}},
		{"nanoseconds observed", &Record{ObservedTime: math.MaxUint64}, &Record{ObservedTime: math.MaxUint64 - 1}},
		{"types: int and string", body(IntValue(1)), body(StringValue("1"))},
		{"types: int and double", body(IntValue(1)), body(DoubleValue(1))},
		{"types: bool and string", body(BoolValue(true)), body(StringValue("true"))},
		{"types: none and string", body(ListValue(Value{})), body(ListValue(StringValue("null")))},
		{"types: bytes and base64", body(BytesValue([]byte{0})), body(StringValue("AA=="))},
		{"types: bytes and text", body(BytesValue([]byte("a"))), body(StringValue("a"))},
		{"types: list and JSON", body(ListValue(IntValue(1))), body(StringValue("[1]"))},
		{"types: empty list and map", body(ListValue()), body(MapValue())},
		{"body not a string: map", body(MapValue(text("a", "1"))), body(MapValue(text("a", "2")))},
		{"body not a string: int", body(IntValue(1)), body(IntValue(2))},
		{"body not a string: bytes", body(BytesValue([]byte{1})), body(BytesValue([]byte{2}))},
		{"body not a string: none", body(Value{}), body(StringValue(""))},
		{"resource", &Record{Resource: Resource{Attributes: []KeyValue{text("a", "1")}}}, &Record{Resource: Resource{Attributes: []KeyValue{text("a", "2")}}}},
		{"resource dropped", &Record{Resource: Resource{Dropped: 1}}, &Record{Resource: Resource{Dropped: 2}}},
		{"resource or scope URL", &Record{Resource: Resource{SchemaURL: "u"}}, &Record{Scope: Scope{SchemaURL: "u"}}},
		{"scope name or version", &Record{Scope: Scope{Name: "n"}}, &Record{Scope: Scope{Version: "n"}}},
		{"scope", &Record{Scope: Scope{Attributes: []KeyValue{text("a", "1")}}}, &Record{}},
		{"flags", &Record{Flags: 1}, &Record{}},
		{"dropped", &Record{Dropped: 1}, &Record{}},
		{"invalid UTF-8", body(StringValue("\xff")), body(StringValue("\xfe"))},
		{"invalid and replacement", body(StringValue("\xff")), body(StringValue("\ufffd"))},
		{"lone surrogates", body(StringValue("\xed\xa0\x80")), body(StringValue("\xed\xa0\x81"))},
		{"depth", body(lists(100, IntValue(1))), body(lists(101, IntValue(1)))},
		// And others.
		{"invalid and its escape", body(StringValue("\xff")), body(StringValue("\x1aff"))},
		{"U+001A", body(StringValue("\x1a")), body(StringValue("\x1a\x1a"))},
		{"escape and its text", body(StringValue("\n")), body(StringValue(`\n`))},
		{"zeros", body(DoubleValue(0)), body(DoubleValue(math.Copysign(0, -1)))},
		{"NaNs", body(nan(0x7ff8000000000000)), body(nan(0x7ff8000000000001))},
		{"infinities", body(DoubleValue(math.Inf(1))), body(DoubleValue(math.Inf(-1)))},
		{"NaN and its map", body(nan(0x7ff8000000000000)), body(MapValue(text("$f64", "7ff8000000000000")))},
		{"bytes and their map", body(BytesValue([]byte{0})), body(MapValue(text("$bytes", "AA==")))},
		{"deep and its map", body(lists(64, ListValue())), body(lists(64, MapValue(text("$otlp", "KgA="))))},
		{"duplicates and their map", body(MapValue(text("a", "1"), text("a", "2"))), body(MapValue(text("a", "1"), pair("$dup", ListValue(ListValue(StringValue("a"), StringValue("2"))))))},
		{"order of duplicates", body(MapValue(text("a", "1"), text("a", "2"))), body(MapValue(text("a", "2"), text("a", "1")))},
		{"order of deep duplicates", body(lists(64, MapValue(text("a", "1"), text("a", "2")))), body(lists(64, MapValue(text("a", "2"), text("a", "1"))))},
		{"order of elements", body(ListValue(IntValue(1), IntValue(2))), body(ListValue(IntValue(2), IntValue(1)))},
		{"keys with $", body(MapValue(text("$", ""))), body(MapValue(text("$$", "")))},
		{"absent and none", &Record{Attributes: []KeyValue{pair("a", Value{})}}, &Record{}},
		{"absent and empty", &Record{Attributes: []KeyValue{text("a", "")}}, &Record{Attributes: []KeyValue{pair("a", Value{})}}},
		{"attribute and custody", &Record{Attributes: []KeyValue{text("a", "")}}, &Record{Custody: []KeyValue{text("a", "")}}},
		{"entity keys", &Record{Resource: Resource{EntityRefs: []EntityRef{{IDKeys: []string{"a"}}}}}, &Record{Resource: Resource{EntityRefs: []EntityRef{{DescriptionKeys: []string{"a"}}}}}},
		{"entity count", &Record{Resource: Resource{EntityRefs: make([]EntityRef, 1)}}, &Record{Resource: Resource{EntityRefs: make([]EntityRef, 2)}}},
	} {
		if a, b := checkRecord(t, c.a), checkRecord(t, c.b); bytes.Equal(a, b) {
			t.Errorf("%s: both are %s", c.name, a)
		}
		if Equal(c.a, c.b) || !Equal(c.a, c.a) || !Equal(c.b, c.b) {
			t.Errorf("%s: Equal is wrong", c.name)
		}
	}
}

// Records that are the same have one line.
func TestSame(t *testing.T) {
	a := body(MapValue(text("b", "1"), text("a", "2"), text("b", "3"), pair("c", MapValue(text("y", ""), text("x", "")))))
	b := body(MapValue(pair("c", MapValue(text("x", ""), text("y", ""))), text("b", "1"), text("b", "3"), text("a", "2")))
	if la, lb := lineOf(t, a), lineOf(t, b); la != lb || !Equal(a, b) {
		t.Errorf("%s\n%s", la, lb)
	}
	deep := func(v Value) *Record { return body(lists(70, v)) }
	if la, lb := lineOf(t, deep(a.Body)), lineOf(t, deep(b.Body)); la != lb {
		t.Errorf("%s\n%s", la, lb)
	}
}

// Many records that differ, made from few texts and keys so that they are alike.
func TestInjective(t *testing.T) {
	rnd := rand.New(rand.NewPCG(7, 8))
	seen := map[string]*Record{}
	for range 50_000 {
		s := source{randomBytes(rnd, 12)}
		r := s.record()
		line := lineOf(t, r)
		if other, ok := seen[line]; ok && !Equal(r, other) {
			t.Fatalf("two records have the line %s\n%+v\n%+v", line, r, other)
		}
		seen[line] = r
	}
	if len(seen) < 5000 {
		t.Errorf("only %d different records", len(seen))
	}
}

func TestAppendLineKeepsWhatIsThere(t *testing.T) {
	r := &Record{Attributes: []KeyValue{text("b", ""), text("a", "")}}
	line, err := AppendLine([]byte("before"), r)
	if err != nil || string(line) != `before{"attributes":{"a":"","b":""}}` {
		t.Errorf("%v: %s", err, line)
	}
	if r.Attributes[0].Key != "b" {
		t.Error("AppendLine sorted the record itself")
	}
	line, err = AppendLine([]byte("before"), body(Value{Kind: 99}))
	if !errors.Is(err, ErrKind) || string(line) != "before" {
		t.Errorf("%v: %s", err, line)
	}
}

func TestLimits(t *testing.T) {
	frame := len(`{"body":""}`)
	long := strings.Repeat("x", MaxLine)
	for _, c := range []struct {
		name string
		r    *Record
		want error
	}{
		{"longest", body(StringValue(long[frame:])), nil},
		{"longer", body(StringValue(long[frame-1:])), ErrTooLong},
		{"escapes", body(StringValue(strings.Repeat("\xff", MaxLine/8))), ErrTooLong},
		{"list", body(Value{Kind: List, List: make([]Value, MaxLine/4)}), ErrTooLong},
		{"map", &Record{Attributes: make([]KeyValue, MaxLine/8)}, ErrTooLong},
		{"key", &Record{Attributes: []KeyValue{text(long, "")}}, ErrTooLong},
		{"many keys", &Record{Attributes: slices.Repeat([]KeyValue{text(long[:1<<20], "")}, 20)}, ErrTooLong},
		{"deep bytes", body(lists(64, ListValue(BytesValue(make([]byte, MaxLine))))), ErrTooLong},
		{"deep key with escapes", body(lists(64, MapValue(text(strings.Repeat("\xff", 3<<20), "")))), nil},
		{"resource", &Record{Resource: Resource{SchemaURL: long}}, ErrTooLong},
		{"scope", &Record{Scope: Scope{Name: long}}, ErrTooLong},
		{"sum of parts", &Record{EventName: long[:MaxLine/2], Scope: Scope{Name: long[:MaxLine/2]}}, ErrTooLong},
		{"deepest", body(lists(MaxDepth-1, IntValue(1))), nil},
		{"deeper", body(lists(MaxDepth, IntValue(1))), ErrTooDeep},
		{"deepest list", body(lists(MaxDepth-1, ListValue())), nil},
		{"deeper list", body(lists(MaxDepth, ListValue())), ErrTooDeep},
		{"very deep", body(lists(1_000_000, ListValue())), ErrTooDeep},
		{"deep attribute", &Record{Attributes: []KeyValue{pair("a", lists(MaxDepth, IntValue(1)))}}, ErrTooDeep},
		{"deep custody", &Record{Custody: []KeyValue{pair("a", lists(MaxDepth, IntValue(1)))}}, ErrTooDeep},
		{"deep resource", &Record{Resource: Resource{Attributes: []KeyValue{pair("a", lists(MaxDepth, IntValue(1)))}}}, ErrTooDeep},
		{"deep scope", &Record{Scope: Scope{Attributes: []KeyValue{pair("a", lists(MaxDepth, IntValue(1)))}}}, ErrTooDeep},
		{"long, then deep", &Record{EventName: long, Scope: Scope{Attributes: []KeyValue{pair("a", lists(MaxDepth, IntValue(1)))}}}, ErrTooDeep},
		{"long attribute, deep body", &Record{Attributes: []KeyValue{text("a", long)}, Body: lists(MaxDepth, IntValue(1))}, ErrTooDeep},
	} {
		line, err := AppendLine(nil, c.r)
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
		if err == nil {
			checkBytes(t, line)
		}
	}
}

func TestLongLinesAreRejected(t *testing.T) {
	line := []byte(`{"body":"` + strings.Repeat("x", MaxLine) + `"}`)
	checkBytes(t, line)
	if CheckLine(line) == nil {
		t.Error("a line past the limit is accepted")
	}
	for _, open := range []string{"[", `{"a":`, `{"$dup":[["a",`} {
		line := []byte(`{"body":` + strings.Repeat(open, 1_000_000))
		checkBytes(t, line)
		if CheckLine(line) == nil {
			t.Error("nesting past the limit is accepted")
		}
	}
}

func TestErrorsSayWhere(t *testing.T) {
	for _, c := range []struct{ line, want string }{
		{`{"body":1,"attributes":{"a":1}}`, "record line not canonical at byte 10: member is unknown, repeated or out of order"},
		{`{"body":{"b":1,"a":2}}`, "record line not canonical at byte 16: key is repeated or out of order"},
		{`{"body":"a` + "\n" + `"}`, "record line not canonical at byte 10: control character is not escaped"},
		{`{"body":1.50}`, "record line not canonical at byte 8: not the shortest form of a double"},
		{`{} `, "record line not canonical at byte 2: bytes behind the record"},
		{`{"body":{"$dup":[["x",1]],"y":1}}`, "record line not canonical at byte 19: key of $dup has no natural member"},
	} {
		for _, check := range []func([]byte) error{CheckLine, func(b []byte) error { _, err := ParseLine(b); return err }} {
			if err := check([]byte(c.line)); err == nil || err.Error() != c.want {
				t.Errorf("%s\ngot  %v\nwant %s", c.line, err, c.want)
			}
		}
	}
}

// encoding/json writes doubles as ECMAScript does.
func TestDoublesAgainstJSON(t *testing.T) {
	rnd := rand.New(rand.NewPCG(9, 10))
	check := func(f float64) {
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return
		}
		want, err := json.Marshal(f)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.ContainsAny(want, ".e") {
			want = append(want, ".0"...)
		}
		if got := appendDouble(nil, math.Float64bits(f)); !bytes.Equal(got, want) {
			t.Fatalf("%b: got %s, want %s", f, got, want)
		}
		if bits, ok := parseDouble(want); !ok || bits != math.Float64bits(f) {
			t.Fatalf("%s reads as %x, %v", want, bits, ok)
		}
	}
	for range 300_000 {
		check(math.Float64frombits(rnd.Uint64()))
		check(float64(rnd.Int64N(1<<60)) / float64(int64(1)<<rnd.IntN(60)))
	}
	for e := -330; e < 310; e++ {
		f, _ := strconv.ParseFloat("1e"+strconv.Itoa(e), 64)
		for _, f := range []float64{f, math.Nextafter(f, 0), math.Nextafter(f, math.Inf(1)), -f, 3 * f} {
			check(f)
		}
	}
}

func TestTimesAgainstPackageTime(t *testing.T) {
	rnd := rand.New(rand.NewPCG(11, 12))
	check := func(ns uint64) {
		want := time.Unix(int64(ns/1e9), int64(ns%1e9)).UTC().Format(`"2006-01-02T15:04:05.000000000Z"`)
		if got := appendTime(nil, ns); string(got) != want {
			t.Fatalf("%d: got %s, want %s", ns, got, want)
		}
		back, ok := parseTime([]byte(want[1 : len(want)-1]))
		if ns != 0 && (!ok || back != ns) || ns == 0 && ok {
			t.Fatalf("%s reads as %d, %v", want, back, ok)
		}
	}
	for range 200_000 {
		check(rnd.Uint64())
	}
	const day = uint64(86_400_000_000_000)
	for d := uint64(0); d < math.MaxUint64/day; d++ {
		check(d * day)
		check(d*day - 1)
	}
	check(math.MaxUint64)
}

// encoding/json knows nothing of the mark for invalid bytes, but all else.
func TestTextAgainstJSON(t *testing.T) {
	rnd := rand.New(rand.NewPCG(13, 14))
	for range 100_000 {
		s := source{randomBytes(rnd, 80)}
		want := s.text() + s.text()
		var got string
		if err := json.Unmarshal(appendText(nil, want), &got); err != nil {
			t.Fatalf("%q: %v", want, err)
		}
		var b []byte
		for i := 0; i < len(got); i++ {
			switch {
			case got[i] != 0x1a:
				b = append(b, got[i])
			case got[i+1] == 0x1a:
				b = append(b, 0x1a)
				i++
			default:
				n, err := strconv.ParseUint(got[i+1:i+3], 16, 8)
				if err != nil {
					t.Fatal(err)
				}
				b = append(b, byte(n))
				i += 2
			}
		}
		if string(b) != want {
			t.Fatalf("%q came back as %q", want, b)
		}
	}
}

// The general way to write a map agrees with the fast one, whatever orders the
// fast one remembers.
func TestFastMapsAgreeWithGeneralOnes(t *testing.T) {
	rnd := rand.New(rand.NewPCG(15, 16))
	var fast, general Encoder
	for range 20_000 {
		n := rnd.IntN(70) + 1
		if rnd.IntN(2) == 0 {
			n = rnd.IntN(4) + 1
		}
		var kvs []KeyValue
		for i, k := range rnd.Perm(n) {
			kvs = append(kvs, text("key."+strconv.Itoa(k), strconv.Itoa(i)))
		}
		if rnd.IntN(10) == 0 {
			kvs = append(kvs, kvs[rnd.IntN(n)])
		}
		kvs = append(kvs, pair("nested", MapValue(slices.Clone(kvs)...)))
		fast.reset()
		general.reset()
		got, want := fast.appendMap(nil, kvs, 1), general.appendAnyMap(nil, kvs, 1)
		if !bytes.Equal(got, want) {
			t.Fatalf("got  %s\nwant %s", got, want)
		}
	}
}

func TestSharedPartsGiveTheSameLine(t *testing.T) {
	rnd := rand.New(rand.NewPCG(17, 18))
	var e Encoder
	for range 5000 {
		s := source{randomBytes(rnd, 250)}
		r := s.record()
		want := lineOf(t, r)
		if err := e.SetResource(&r.Resource); err != nil {
			t.Fatal(err)
		}
		if err := e.SetScope(&r.Scope); err != nil {
			t.Fatal(err)
		}
		without := *r
		without.Resource, without.Scope = Resource{SchemaURL: "ignored"}, Scope{Name: "ignored"}
		if got, err := e.AppendShared(nil, &without); err != nil || string(got) != want {
			t.Fatalf("%v\ngot  %s\nwant %s", err, got, want)
		}
	}
}

func TestProtoRoundTrip(t *testing.T) {
	rnd := rand.New(rand.NewPCG(19, 20))
	var e Encoder
	var k keyOrder
	for range 20_000 {
		s := source{randomBytes(rnd, 120)}
		v := s.value(1)
		b, err := e.AppendProto(nil, &v)
		if err != nil || !k.checkAny(b, 1) {
			t.Fatalf("%v: not canonical: %x", err, b)
		}
		back, ok := parseAny(b, 1)
		if !ok || !equalValues(&v, &back) {
			t.Fatalf("%+v came back as %+v", v, back)
		}
		// Whatever passes the check is what is written.
		if len(b) == 0 {
			continue
		}
		b[rnd.IntN(len(b))] ^= 1 << rnd.IntN(8)
		if k.checkAny(b, 1) {
			v, _ := parseAny(b, 1)
			if again, err := e.AppendProto(nil, &v); err != nil || !bytes.Equal(again, b) {
				t.Fatalf("%v: accepted %x, writes %x", err, b, again)
			}
		}
	}
}

// In steady state the encoder and the check take no memory.
func TestNoAllocations(t *testing.T) {
	r := cloudTrailRecord()
	r.Attributes = append(r.Attributes, pair("raw", BytesValue([]byte("some bytes that are no text"))), pair("d", DoubleValue(1.5)))
	var e Encoder
	var line []byte
	if n := testing.AllocsPerRun(100, func() { line, _ = e.AppendLine(line[:0], r) }); n > 0 {
		t.Errorf("AppendLine: %v allocations", n)
	}
	if n := testing.AllocsPerRun(100, func() { _ = CheckLine(line) }); n > 0 {
		t.Errorf("CheckLine: %v allocations", n)
	}
}

// The protobuf form of what fits in a line may be longer than a line.
func TestProtoIsNotBoundByLines(t *testing.T) {
	v := Value{Kind: List, List: slices.Repeat([]Value{DoubleValue(0)}, MaxLine/5)}
	var e Encoder
	if line, err := e.AppendLine(nil, body(v)); err != nil || len(line) > MaxLine {
		t.Fatal(err)
	}
	if b, err := e.AppendProto(nil, &v); err != nil || len(b) < MaxLine {
		t.Errorf("%v, %d bytes", err, len(b))
	}
}
