package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/cloudtrail"
	"github.com/otelcol-custody/custody/internal/eventlog"
	"github.com/otelcol-custody/custody/internal/logrecord"
	"github.com/otelcol-custody/custody/ledger/ledgertest"
	"github.com/otelcol-custody/custody/ledger/record"
	"github.com/otelcol-custody/custody/ledger/seal"
	"github.com/otelcol-custody/custody/ledger/segment"
)

func (f *fixture) render(more ...string) {
	f.t.Helper()
	f.run(append([]string{"render", f.store, "--ocsf", "--key", f.key}, more...)...)
}

// sequences are the places of the printed records, "log/place" each.
func (f *fixture) sequences() (all []string) {
	f.t.Helper()
	for line := range strings.Lines(f.stdout) {
		var event struct {
			Metadata struct {
				Sequence uint64
				Loggers  []struct {
					Log string `json:"log_name"`
				}
			}
		}
		if err := json.Unmarshal([]byte(line), &event); err != nil {
			f.t.Fatalf("%v: %s", err, line)
		}
		loggers := event.Metadata.Loggers
		all = append(all, fmt.Sprintf("%s/%d", loggers[len(loggers)-1].Log, event.Metadata.Sequence))
	}
	return all
}

func (f *fixture) wantSequences(want ...string) {
	f.t.Helper()
	if got := f.sequences(); !slices.Equal(got, want) {
		f.t.Fatalf("printed %v, want %v\n%s", got, want, f.err)
	}
}

// places are "log/from" to "log/to".
func places(log string, from, to int) (all []string) {
	for i := from; i <= to; i++ {
		all = append(all, fmt.Sprintf("%s/%d", log, i))
	}
	return all
}

func text(key, value string) record.KeyValue {
	return record.KeyValue{Key: key, Value: record.StringValue(value)}
}

// sealedRecords are one of a class, one that came from elsewhere, and one without anything.
func sealedRecords() []*record.Record {
	ns := uint64(ledgertest.Began.UnixNano())
	return []*record.Record{
		{
			Time: ns + 7, ObservedTime: ns + 1e9, EventName: audit.EventAPIActivity, Body: record.StringValue(`{"big":12345678901234567890}`),
			Attributes: []record.KeyValue{
				text(audit.AttrRecordID, "r-1"), text(audit.AttrOperation, "GetThing"), text(audit.AttrOutcome, audit.OutcomeSuccess), text(audit.AttrUserName, "ada"),
				{Key: audit.AttrTargets, Value: record.ListValue(record.MapValue(text("id", "a")), record.MapValue(text("id", "b")))},
				{Key: audit.AttrOCSFClass, Value: record.IntValue(6003)}, {Key: audit.AttrOCSFActivity, Value: record.IntValue(2)},
			},
			Resource: record.Resource{Attributes: []record.KeyValue{text("cloud.provider", "aws"), text("audit.ingest.receiver", "aws/1"), text("host.name", "h")}},
		},
		{
			Time: 1<<64 - 1, Body: record.MapValue(text("a", "b")), SeverityNumber: 9, TraceID: [16]byte{1}, Flags: 1,
			Attributes: []record.KeyValue{
				text("twice", "1"), text("twice", "2"), {Key: "f", Value: record.DoubleValue(0.5)}, text("turn\u202e", "\u202e"),
				{Key: "mixed", Value: record.ListValue(record.StringValue("x"), record.IntValue(1))}, {Key: "none", Value: record.Value{}},
				{Key: "maps", Value: record.ListValue(record.MapValue(text("k", "1"), text("k", "2")))},
			},
			Scope: record.Scope{Name: "scope"},
		},
		{},
	}
}

func TestRender(t *testing.T) {
	f := newFixture(t)
	f.putRecords("events", sealedRecords()...)
	f.render("--log", "events")
	f.want(exitVerified)
	f.wantSequences(places("events", 0, 3)...)
	if f.err != "" {
		t.Errorf("something to say: %s", f.err)
	}
	f.golden("render.jsonl", f.stdout)
	before := f.stdout
	f.run("render", "--log", "events", f.store, "--ocsf")
	f.want(exitVerified, "no --key given: nothing is verified by a key that you trust")
	if f.stdout != before {
		t.Errorf("without a key it prints\n%s", f.stdout)
	}
	f.render()
	f.want(exitVerified)
	f.wantSequences(append(places("events", 0, 3), places("test", 0, 9)...)...)
	f.render("--log", "test", "--log", "events")
	f.wantSequences(append(places("events", 0, 3), places("test", 0, 9)...)...)
}

// Whatever line there can be has its event, of valid JSON.
func TestRenderVectors(t *testing.T) {
	files, err := filepath.Glob("../../docs/spec/vectors/records/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d vectors: %v", len(files), err)
	}
	var records []*record.Record
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var v struct {
			Line, Expect string
		}
		if err := json.Unmarshal(b, &v); err != nil {
			t.Fatal(err)
		}
		if r, err := record.ParseLine([]byte(v.Line)); err == nil && len(r.Custody) == 0 {
			records = append(records, r)
		}
	}
	if len(records) < 20 {
		t.Fatalf("only %d lines", len(records))
	}
	f := newFixture(t)
	f.putRecords("vectors", records...)
	f.render("--log", "vectors")
	f.want(exitVerified)
	f.wantSequences(places("vectors", 0, len(records))...)
}

// What a receiver handed over is what is rendered, whatever lies in between.
func TestRenderedIsWhatWasReceived(t *testing.T) {
	data, err := os.ReadFile("../../audit/cloudtrail/testdata/roles.json")
	if err != nil {
		t.Fatal(err)
	}
	n, seen := 0, time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC) // Later than any event, so that no clock is ahead.
	_, err = cloudtrail.Parse(data, func(r *audit.Record) error {
		n++
		batch := eventlog.NewBatch("aws/1", eventlog.Limits{Records: 10, Bytes: 1 << 20})
		batch.Add(r, eventlog.Origin{Observed: seen})
		var c logrecord.Converter
		return c.Each(batch.Take(), func(line []byte, _ logrecord.Info) error {
			sealed, err := record.ParseLine(line)
			if err != nil {
				return err
			}
			got, err := asEvent(sealed)
			if err != nil {
				return err
			}
			byKey := func(a, b audit.Attribute) int { return strings.Compare(a.Key, b.Key) }
			want := *r
			want.Attributes = slices.SortedFunc(slices.Values(r.Attributes), byKey)
			slices.SortFunc(got.Attributes, byKey)
			if got.Rest != nil || got.Receiver != "aws/1" || !got.Observed.Equal(seen) || fmt.Sprintf("%+v", got.Record) != fmt.Sprintf("%+v", want) {
				t.Errorf("got %+v\nwant %+v", got, want)
			}
			return nil
		})
	})
	if err != nil || n == 0 {
		t.Fatalf("%d records: %v", n, err)
	}
}

func TestRenderTimes(t *testing.T) {
	f := newFixture(t)
	at := func(s int) *record.Record {
		return &record.Record{Time: uint64(ledgertest.Began.Add(time.Duration(s) * time.Second).UnixNano())}
	}
	late := &record.Record{ObservedTime: at(15).Time} // Without a time of its own.
	f.putRecords("events", at(10), at(30), late, at(20))
	stamp := func(s int) string { return ledgertest.Began.Add(time.Duration(s) * time.Second).Format(time.RFC3339) }
	for _, c := range []struct {
		flags []string
		want  []string
	}{
		{[]string{"--from", stamp(15), "--to", stamp(30)}, []string{"events/2", "events/3"}},
		{[]string{"--from", stamp(30)}, []string{"events/1"}},
		{[]string{"--to", stamp(10)}, []string{"events/4"}}, // The closed record.
		{[]string{"--from", stamp(10), "--to", stamp(11)}, []string{"events/0"}},
		{[]string{"--from", stamp(31)}, nil},
	} {
		f.render(append([]string{"--log", "events"}, c.flags...)...)
		f.want(exitVerified)
		f.wantSequences(c.want...)
	}
}

// Nothing is printed that the keys do not vouch for, and every failure says what to do.
func TestRenderTampered(t *testing.T) {
	for name, c := range map[string]struct {
		alter func(f *fixture)
		code  int
		last  int // record that is printed; -1 for none
		want  string
		hint  bool
	}{
		"segment":       {func(f *fixture) { f.flip(f.segment(1)) }, exitTampered, 2, "is not what was sealed", true},
		"seal":          {func(f *fixture) { f.flip(f.seal(1)) }, exitTampered, 2, "test/seals", true},
		"seal missing":  {func(f *fixture) { f.remove(f.seal(1)) }, exitTampered, 2, "log test: records from 8 on: ", true},
		"first missing": {func(f *fixture) { f.remove(f.seal(0)) }, exitTampered, -1, "no seal for records 0 to 2", true},
		"last seal":     {func(f *fixture) { f.flip(f.seal(2)) }, exitTampered, 7, "passed over, run custody verify", false},
		"wrong key":     {func(f *fixture) { f.write(f.key, []byte(ledgertest.ImpostorOf(f.t, origin, "x").VerifierKey()+"\n")) }, exitTampered, -1, "signed by", false},
		"no seal":       {func(f *fixture) { f.remove(f.seal(0), f.seal(1), f.seal(2)) }, exitUnfinished, -1, "no seal", false},
		"unreadable":    {func(f *fixture) { f.remove(f.segment(1)); f.write(filepath.Join(f.segment(1), "x"), nil) }, exitUnfinished, 2, "is a directory", false},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			c.alter(f)
			f.render()
			f.want(c.code, c.want)
			f.wantSequences(places("test", 0, c.last)...)
			if c.hint {
				f.want(c.code, fmt.Sprintf("log test: stopped before record %d; custody verify names all that is wrong", c.last+1))
			}
		})
	}
}

// A sealed line that is no record's, which a key holder alone can make, names itself.
func TestRenderBadLine(t *testing.T) {
	f := newFixture(t)
	f.log.Extend(t, [][]byte{[]byte(`{"time": "x"}`)}, nil)
	f.put(f.store, f.log)
	f.render()
	f.want(exitTampered, "log test: record 10: the sealed line cannot be read", "stopped before record 10")
	f.wantSequences(places("test", 0, 9)...)
}

func TestRenderMissing(t *testing.T) {
	f := newFixture(t)
	f.remove(f.segment(1))
	rest := append(places("test", 0, 2), "test/8", "test/9")
	f.render()
	f.want(exitTampered, "log test: the segment with records 3 to 7 is gone, and no retention of it has ended; run custody verify")
	f.wantSequences(rest...)
	f.run("render", f.store, "--ocsf")
	f.want(exitUnfinished, "the segment with records 3 to 7 is gone")
	f.wantSequences(rest...)

	f = newFixture(t)
	f.remove(f.store)
	at := seal.Genesis("life", origin, f.signer.VerifierKey(), [32]byte{2})
	v := f.putSegment(at, segment.Closed{At: ledgertest.Began, Reason: segment.ByAge, RetainUntil: ledgertest.Began.Add(time.Hour)}, &record.Record{})
	f.putSegment(v.Place(), segment.Closed{At: ledgertest.Began, Reason: segment.ByAge}, &record.Record{})
	f.remove(filepath.Join(f.store, "life", v.SegmentName()))
	f.now = ledgertest.Began.Add(2 * time.Hour)
	f.render()
	f.want(exitVerified, "log life: 1 segment expired; what was in it is not printed")
	f.wantSequences("life/2", "life/3")
}

// A segment behind the last seal is no part of the log, and is not passed over in silence.
func TestRenderUnsealed(t *testing.T) {
	f := newFixture(t)
	f.remove(f.seal(2))
	f.render()
	f.want(exitVerified, "log test: 1 segment from record 8 on without a valid seal; not printed")
	f.wantSequences(places("test", 0, 7)...)
}

func TestRenderNothing(t *testing.T) {
	f := newFixture(t)
	f.render("--from", "2050-01-01T00:00:00Z")
	f.want(exitVerified, "no record is of that time; there are 10 records")
	f.wantSequences()
}

// Progress is shown to whoever waits for a file, and never in the midst of what is printed.
func TestRenderProgress(t *testing.T) {
	f := newFixture(t)
	out, err := os.Create(f.path("out.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = out.Close() }()
	for stdout, want := range map[io.Writer]string{out: "test: 1 of 3 segments, 3 records", &bytes.Buffer{}: ""} {
		var stderr bytes.Buffer
		code := run(f.ctx, []string{"render", f.store, "--ocsf", "--key", f.key}, env{stdout: stdout, stderr: &stderr, now: f.time, terminal: true})
		if code != exitVerified || !strings.Contains(stderr.String(), want) || want == "" && stderr.Len() > 0 {
			t.Errorf("exit %d, %q, want %q", code, stderr.String(), want)
		}
	}
}

func TestRenderUsage(t *testing.T) {
	f := newFixture(t)
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"render"}, "STORE is missing"},
		{[]string{"render", ""}, "STORE is empty"},
		{[]string{"render", f.store}, "--ocsf is missing"},
		{[]string{"render", f.store, "--ocsf", "--from", "yesterday"}, `invalid value "yesterday" for --from: not a time in RFC 3339, such as 2026-03-01T12:00:00Z`},
		{[]string{"render", f.store, "--ocsf", "--from", "2026-03-01T12:00:00Z", "--to", "2026-03-01T12:00:00Z"}, "--to must be later than --from"},
		{[]string{"render", f.store, "--ocsf", "--log", "tets"}, `holds no log "tets"; it holds test`},
		{[]string{"render", f.store, "--ocsf", "--key", f.path("none")}, "none"},
	} {
		f.run(c.args...)
		f.want(exitUsage, c.want)
		if f.stdout != "" {
			t.Errorf("%v: prints to stdout: %s", c.args, f.stdout)
		}
	}
	f.run("render", f.path("nowhere"), "--ocsf")
	f.want(exitUnfinished, "nowhere")
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("no space left") }

func TestRenderCannotPrint(t *testing.T) {
	f := newFixture(t)
	var stderr bytes.Buffer
	args := []string{"render", f.store, "--ocsf", "--key", f.key}
	if code := run(context.Background(), args, env{stdout: fullDisk{}, stderr: &stderr, now: f.time}); code != exitUnfinished || !strings.Contains(stderr.String(), "no space left") {
		t.Errorf("exit %d: %s", code, stderr.String())
	}
	// It fails in the middle, too, and is said once.
	f.putRecords("a", &record.Record{Body: record.StringValue(strings.Repeat("x", 1<<17))})
	stderr.Reset()
	run(context.Background(), args, env{stdout: fullDisk{}, stderr: &stderr, now: f.time})
	if n := strings.Count(stderr.String(), "no space left"); n != 1 {
		t.Errorf("said %d times: %s", n, stderr.String())
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	f.ctx = ctx
	f.run(args...)
	f.want(exitUnfinished, "interrupted")
}

func TestAsEventTakesEveryField(t *testing.T) {
	if got := reflect.TypeFor[record.Record]().NumField(); got != 14 {
		t.Errorf("a record has %d fields: see that asEvent keeps them all", got)
	}
	if e, err := asEvent(&record.Record{}); err != nil || e.Rest != nil || !e.Time.IsZero() {
		t.Errorf("an empty record is %+v, %v", e, err)
	}
}
