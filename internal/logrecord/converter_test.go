package logrecord

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/goleak"

	"github.com/otelcol-custody/custody/ledger/record"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// checkLogs demands of every record of ld: it has a line; the line is
// canonical; both ways of conversion agree; and the same record comes back out
// of the line. ld must not change.
func checkLogs(t *testing.T, c *Converter, ld plog.Logs) {
	t.Helper()
	ld.MarkReadOnly()
	var m plog.ProtoMarshaler
	before, err := m.MarshalLogs(ld)
	if err != nil {
		t.Fatal(err)
	}
	var lines [][]byte
	if err := c.Each(ld, func(line []byte, info Info) error {
		if info.Oversize {
			t.Fatalf("oversize: %q", line)
		}
		lines = append(lines, bytes.Clone(line))
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for _, res := range ld.ResourceLogs().All() {
		for _, sc := range res.ScopeLogs().All() {
			for _, lr := range sc.LogRecords().All() {
				line, _, err := new(Converter).AppendLine(nil, res, sc, lr)
				if err != nil || !bytes.Equal(line, lines[0]) {
					t.Fatalf("%v: two lines for one record:\n%q\n%q", err, line, lines[0])
				}
				checkRoundTrip(t, line, describe(res, sc, lr, renamed))
				checkMarshal(t, res, sc, lr)
				lines = lines[1:]
			}
		}
	}
	if len(lines) > 0 {
		t.Fatalf("%d lines too many", len(lines))
	}
	after, err := m.MarshalLogs(ld)
	if err != nil || !bytes.Equal(before, after) {
		t.Fatalf("%v: the conversion changed its source", err)
	}
}

func checkRoundTrip(t *testing.T, line []byte, want string) {
	t.Helper()
	r, err := record.ParseLine(line)
	if err != nil {
		t.Fatalf("%v\n%q", err, line)
	}
	ld, err := ToLogs(r)
	if err != nil {
		t.Fatal(err)
	}
	res := ld.ResourceLogs().At(0)
	sc := res.ScopeLogs().At(0)
	if got := describe(res, sc, sc.LogRecords().At(0), same); got != want {
		t.Fatalf("another record came back from %q:\n%s\n%s", line, got, want)
	}
}

// checkMarshal demands that what an oversize record would be digested from is
// the record, for pdata too.
func checkMarshal(t *testing.T, res plog.ResourceLogs, sc plog.ScopeLogs, lr plog.LogRecord) {
	t.Helper()
	var u plog.ProtoUnmarshaler
	ld, err := u.UnmarshalLogs(marshalAlone(res, sc, lr))
	if err != nil {
		t.Fatal(err)
	}
	r := ld.ResourceLogs().At(0)
	s := r.ScopeLogs().At(0)
	if got, want := describe(r, s, s.LogRecords().At(0), same), describe(res, sc, lr, same); got != want {
		t.Fatalf("marshalled another record:\n%s\n%s", got, want)
	}
}

func randomBytes(rnd *rand.Rand, n int) []byte {
	b := make([]byte, rnd.IntN(n)+1)
	for i := range b {
		b[i] = byte(rnd.Uint32())
	}
	return b
}

func TestRandomLogs(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	var c Converter
	for range 3000 {
		s := source{randomBytes(rnd, 400)}
		checkLogs(t, &c, s.logs())
	}
}

func FuzzLogs(f *testing.F) {
	rnd := rand.New(rand.NewPCG(3, 4))
	for range 30 {
		f.Add(randomBytes(rnd, 400))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		s := source{b}
		checkLogs(t, new(Converter), s.logs())
	})
}

// FuzzProto takes whatever pdata makes of bytes: duplicate keys, values of
// kinds unknown here, invalid text, what no pdata function would build.
func FuzzProto(f *testing.F) {
	rnd := rand.New(rand.NewPCG(5, 6))
	var m plog.ProtoMarshaler
	for range 30 {
		s := source{randomBytes(rnd, 400)}
		b, err := m.MarshalLogs(s.logs())
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var u plog.ProtoUnmarshaler
		ld, err := u.UnmarshalLogs(b)
		if err != nil {
			return
		}
		checkLogs(t, new(Converter), ld)
	})
}

// single returns logs with one record, and that record.
func single() (plog.Logs, plog.LogRecord) {
	ld := plog.NewLogs()
	return ld, ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
}

func lineOf(t *testing.T, ld plog.Logs) (string, Info) {
	t.Helper()
	ld.MarkReadOnly()
	res := ld.ResourceLogs().At(0)
	sc := res.ScopeLogs().At(0)
	line, info, err := new(Converter).AppendLine([]byte("before "), res, sc, sc.LogRecords().At(0))
	if err != nil {
		t.Fatal(err)
	}
	s, ok := strings.CutPrefix(string(line), "before ")
	if !ok {
		t.Fatalf("overwrote what was there: %q", line[:7])
	}
	if err := record.CheckLine([]byte(s)); err != nil {
		t.Fatal(err)
	}
	return s, info
}

func TestReservedNames(t *testing.T) {
	ld, lr := single()
	res := ld.ResourceLogs().At(0)
	res.Resource().Attributes().PutInt("custody.a", 1)
	res.ScopeLogs().At(0).Scope().Attributes().PutInt("audit.integrity.b", 2)
	for i, k := range []string{"custody.closed", "custody.original.custody.closed", "audit.sequence.number", "custody", "audit.sequence", "x.custody.y"} {
		lr.Attributes().PutInt(k, int64(i))
	}
	lr.Body().SetEmptyMap().PutInt("custody.inner", 7)
	want := `{"attributes":{"audit.sequence":4,"custody":3,"custody.original.audit.sequence.number":2,"custody.original.custody.closed":0,` +
		`"custody.original.custody.original.custody.closed":1,"x.custody.y":5},"body":{"custody.inner":7},` +
		`"resource":{"attributes":{"custody.original.custody.a":1}},"scope":{"attributes":{"custody.original.audit.integrity.b":2}}}`
	if got, _ := lineOf(t, ld); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestInfo(t *testing.T) {
	for _, c := range []struct {
		name string
		set  func(res, rec pcommon.Map)
		want Info
	}{
		{"nothing", func(_, _ pcommon.Map) {}, Info{}},
		{"both", func(res, rec pcommon.Map) {
			res.PutStr("audit.ingest.receiver", "aws_cloudtrail")
			rec.PutBool("audit.quarantined", true)
		}, Info{Quarantined: true, Receiver: "aws_cloudtrail"}},
		{"false", func(_, rec pcommon.Map) { rec.PutBool("audit.quarantined", false) }, Info{}},
		{"other types", func(res, rec pcommon.Map) {
			res.PutInt("audit.ingest.receiver", 1)
			rec.PutStr("audit.quarantined", "true")
		}, Info{}},
		{"other places", func(res, rec pcommon.Map) {
			rec.PutStr("audit.ingest.receiver", "otlp")
			res.PutBool("audit.quarantined", true)
		}, Info{}},
	} {
		ld, lr := single()
		c.set(ld.ResourceLogs().At(0).Resource().Attributes(), lr.Attributes())
		if _, got := lineOf(t, ld); got != c.want {
			t.Errorf("%s: got %+v, want %+v", c.name, got, c.want)
		}
	}
}

// nest puts a list into a list and so on; the innermost value lies at depth.
func nest(v pcommon.Value, depth int) {
	for range depth - 1 {
		v = v.SetEmptySlice().AppendEmpty()
	}
	v.SetInt(1)
}

func TestOversize(t *testing.T) {
	long := strings.Repeat("x", record.MaxLine)
	for _, c := range []struct {
		name, reason string
		set          func(res plog.ResourceLogs, sc plog.ScopeLogs, lr plog.LogRecord)
	}{
		{"deepest", "", func(_ plog.ResourceLogs, _ plog.ScopeLogs, lr plog.LogRecord) { nest(lr.Body(), record.MaxDepth) }},
		{"longest", "", func(_ plog.ResourceLogs, _ plog.ScopeLogs, lr plog.LogRecord) {
			lr.Body().SetStr(long[len(`{"body":"","observed_time":"1970-01-01T00:00:00.000000007Z"}`):])
		}},
		{"longer", "length", func(_ plog.ResourceLogs, _ plog.ScopeLogs, lr plog.LogRecord) {
			lr.Body().SetStr(long[len(`{"body":"","observed_time":"1970-01-01T00:00:00.000000007Z"}`)-1:])
		}},
		{"long key", "length", func(_ plog.ResourceLogs, _ plog.ScopeLogs, lr plog.LogRecord) { lr.Attributes().PutStr(long, "") }},
		{"long resource", "length", func(res plog.ResourceLogs, _ plog.ScopeLogs, _ plog.LogRecord) { res.SetSchemaUrl(long) }},
		{"long scope", "length", func(_ plog.ResourceLogs, sc plog.ScopeLogs, _ plog.LogRecord) { sc.Scope().SetName(long) }},
		{"deep body", "nesting", func(_ plog.ResourceLogs, _ plog.ScopeLogs, lr plog.LogRecord) { nest(lr.Body(), record.MaxDepth+1) }},
		{"very deep body", "nesting", func(_ plog.ResourceLogs, _ plog.ScopeLogs, lr plog.LogRecord) { nest(lr.Body(), 100_000) }},
		{"deep resource", "nesting", func(res plog.ResourceLogs, _ plog.ScopeLogs, _ plog.LogRecord) {
			nest(res.Resource().Attributes().PutEmpty("a"), record.MaxDepth+1)
		}},
		{"deep scope", "nesting", func(_ plog.ResourceLogs, sc plog.ScopeLogs, _ plog.LogRecord) {
			nest(sc.Scope().Attributes().PutEmpty("a"), record.MaxDepth+1)
		}},
		{"long and deep", "nesting", func(_ plog.ResourceLogs, _ plog.ScopeLogs, lr plog.LogRecord) {
			lr.Attributes().PutStr("long", long)
			nest(lr.Body(), record.MaxDepth+1)
		}},
		{"long resource, deep scope", "nesting", func(res plog.ResourceLogs, sc plog.ScopeLogs, _ plog.LogRecord) {
			res.SetSchemaUrl(long)
			nest(sc.Scope().Attributes().PutEmpty("a"), record.MaxDepth+1)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			ld, lr := single()
			res := ld.ResourceLogs().At(0)
			lr.SetObservedTimestamp(7)
			c.set(res, res.ScopeLogs().At(0), lr)
			line, info := lineOf(t, ld)
			if info.Oversize != (c.reason != "") {
				t.Fatalf("oversize: %v, in a line of %d bytes", info.Oversize, len(line))
			}
			if c.reason != "" {
				checkOversize(t, line, c.reason, ld)
			}
		})
	}
}

func checkOversize(t *testing.T, line, reason string, ld plog.Logs) {
	t.Helper()
	res := ld.ResourceLogs().At(0)
	sc := res.ScopeLogs().At(0)
	data := marshalAlone(res, sc, sc.LogRecords().At(0))
	sum := sha256.Sum256(data)
	r, err := record.ParseLine([]byte(line))
	if err != nil {
		t.Fatal(err)
	}
	text := func(k, v string) record.KeyValue { return record.KeyValue{Key: k, Value: record.StringValue(v)} }
	want := &record.Record{ObservedTime: 7, Custody: []record.KeyValue{{Key: "oversize", Value: record.MapValue(
		text("encoding", "otlp-logsdata-protobuf"), text("reason", reason), text("sha256", hex.EncodeToString(sum[:])),
		record.KeyValue{Key: "size", Value: record.IntValue(int64(len(data)))})}}}
	if !record.Equal(r, want) {
		t.Errorf("got %s\nwant %+v", line, want)
	}
}

func TestOversizeCarriesInfoAndNoNeighbour(t *testing.T) {
	ld, lr := single()
	ld.ResourceLogs().At(0).Resource().Attributes().PutStr("audit.ingest.receiver", "r")
	lr.Attributes().PutBool("audit.quarantined", true)
	nest(lr.Body(), record.MaxDepth+1)
	next := ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().AppendEmpty()
	next.Body().SetStr("next")
	ld.MarkReadOnly()
	var infos []Info
	var last string
	if err := new(Converter).Each(ld, func(line []byte, info Info) error {
		infos, last = append(infos, info), string(line)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if infos[0] != (Info{Oversize: true, Quarantined: true, Receiver: "r"}) || infos[1] != (Info{Receiver: "r"}) {
		t.Errorf("got %+v", infos)
	}
	if last != `{"body":"next","resource":{"attributes":{"audit.ingest.receiver":"r"}}}` {
		t.Errorf("got %s", last)
	}
}

func TestEachStopsAtError(t *testing.T) {
	ld, _ := single()
	ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().AppendEmpty()
	stop, n := errors.New("stop"), 0
	err := new(Converter).Each(ld, func([]byte, Info) error { n++; return stop })
	if !errors.Is(err, stop) || n != 1 {
		t.Errorf("%d calls, then %v", n, err)
	}
}

// A converter that served one caller shows nothing of it to the next, though
// pdata may put other records at the same addresses.
func TestConverterForgets(t *testing.T) {
	var c Converter
	ld, lr := single()
	attrs := ld.ResourceLogs().At(0).Resource().Attributes()
	for _, s := range []string{"one", "two"} {
		attrs.PutStr("k", s)
		lr.Body().SetStr(s)
		if err := c.Each(ld, func(line []byte, _ Info) error {
			if want := `{"body":"` + s + `","resource":{"attributes":{"k":"` + s + `"}}}`; string(line) != want {
				t.Errorf("got %s, want %s", line, want)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		for _, kv := range c.arena.kvs[:cap(c.arena.kvs)] {
			if kv.Key != "" || kv.Value.Str != "" {
				t.Errorf("keeps %+v", kv)
			}
		}
	}
}

func TestToLogs(t *testing.T) {
	text := func(s string) record.Value { return record.StringValue(s) }
	a := &record.Record{Body: text("a"), Resource: record.Resource{SchemaURL: "u"}}
	b := &record.Record{Body: text("b"), Resource: record.Resource{SchemaURL: "u"}}
	c := &record.Record{Custody: []record.KeyValue{{Key: "closed", Value: record.MapValue()}}}
	ld, err := ToLogs(a, b, c)
	if err != nil {
		t.Fatal(err)
	}
	if n := ld.ResourceLogs().Len(); n != 2 || ld.LogRecordCount() != 3 {
		t.Fatalf("%d groups with %d records", n, ld.LogRecordCount())
	}
	own := ld.ResourceLogs().At(1).ScopeLogs().At(0).LogRecords().At(0)
	if _, ok := own.Attributes().Get("custody.closed"); !ok {
		t.Errorf("the log's own statement is gone: %v", own.Attributes().AsRaw())
	}
	if ld, err = ToLogs(); err != nil || ld.LogRecordCount() != 0 {
		t.Errorf("%v: no records became %d", err, ld.LogRecordCount())
	}
	deep := record.ListValue()
	for range record.MaxDepth {
		deep = record.ListValue(deep)
	}
	if _, err := ToLogs(&record.Record{Body: deep}); !errors.Is(err, record.ErrTooDeep) {
		t.Errorf("too deep: %v", err)
	}
	if _, err := ToLogs(&record.Record{Body: record.Value{Kind: 99}}); !errors.Is(err, record.ErrKind) {
		t.Errorf("unknown kind: %v", err)
	}
}
