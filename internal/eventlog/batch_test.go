package eventlog_test

import (
	"reflect"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/internal/eventlog"
)

var (
	eventTime = time.Date(2026, 3, 1, 12, 0, 0, 5, time.UTC)
	seenTime  = time.Date(2026, 3, 1, 12, 5, 0, 0, time.UTC)
	noLimits  = eventlog.Limits{Records: 1 << 20, Bytes: 1 << 30}
)

func record(body string, res audit.Resource) *audit.Record {
	return &audit.Record{Body: []byte(body), EventName: audit.EventAPIActivity, Time: eventTime, Resource: res}
}

func TestAddKeepsEveryPartOfARecord(t *testing.T) {
	b := eventlog.NewBatch("aws_cloudtrail/x", noLimits)
	rec := record(`{"eventID":"1"}`, audit.Resource{
		Provider: "aws", AccountID: "111122223333", Region: "eu-central-1", OrgID: "o-1", Product: "cloudtrail", Stream: "management",
	})
	rec.Attributes = []audit.Attribute{
		audit.StringAttr("s", "text"),
		audit.StringAttr("empty", ""),
		audit.IntAttr("i", 9007199254740993),
		audit.BoolAttr("b", true),
		audit.StringsAttr("ss", []string{"a", "b"}),
		audit.MapsAttr("mm", [][]audit.Attribute{{audit.StringAttr("id", "x"), audit.IntAttr("n", -1)}, {}}),
	}
	b.Add(rec, eventlog.Origin{Source: "file://a.json#0", Observed: seenTime})
	rec.Body[0] = '!' // the batch holds a copy

	rl := b.Take().ResourceLogs().At(0)
	wantEqual(t, rl.Resource().Attributes().AsRaw(), map[string]any{
		"cloud.provider": "aws", "cloud.account.id": "111122223333", "cloud.region": "eu-central-1",
		"audit.org.id": "o-1", "audit.product": "cloudtrail", "audit.ingest.stream": "management",
		"audit.ingest.receiver": "aws_cloudtrail/x",
	})
	lr := rl.ScopeLogs().At(0).LogRecords().At(0)
	wantEqual(t, lr.Body().AsRaw(), any(`{"eventID":"1"}`))
	wantEqual(t, lr.EventName(), audit.EventAPIActivity)
	wantEqual(t, lr.Timestamp(), pcommon.NewTimestampFromTime(eventTime))
	wantEqual(t, lr.ObservedTimestamp(), pcommon.NewTimestampFromTime(seenTime))
	wantEqual(t, lr.SeverityNumber(), plog.SeverityNumberUnspecified)
	wantEqual(t, lr.Attributes().AsRaw(), map[string]any{
		"s": "text", "empty": "", "i": int64(9007199254740993), "b": true,
		"ss":                  []any{"a", "b"},
		"mm":                  []any{map[string]any{"id": "x", "n": int64(-1)}, map[string]any{}},
		"audit.ingest.source": "file://a.json#0",
	})
}

func TestBodyThatIsNotTextStaysBytes(t *testing.T) {
	b := eventlog.NewBatch("r", noLimits)
	b.Add(record("a\xffb", audit.Resource{}), eventlog.Origin{Observed: seenTime})
	body := b.Take().ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Body()
	wantEqual(t, body.Type(), pcommon.ValueTypeBytes)
	wantEqual(t, body.Bytes().AsRaw(), []byte("a\xffb"))
}

func TestUnknownTimesAreZero(t *testing.T) {
	for _, at := range []time.Time{{}, time.Date(1969, 12, 31, 23, 59, 59, 0, time.UTC)} {
		b := eventlog.NewBatch("r", noLimits)
		rec := record("x", audit.Resource{})
		rec.Time = at
		b.Add(rec, eventlog.Origin{Observed: seenTime})
		lr := b.Take().ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0)
		wantEqual(t, lr.Timestamp(), pcommon.Timestamp(0))
	}
}

// A time ahead of the clock that took the event up is flagged, and stays as it is.
func TestTimeAheadIsFlagged(t *testing.T) {
	for ahead, want := range map[time.Duration]int64{
		-time.Hour: 0, 0: 0, 1: 1, time.Millisecond: 1, time.Millisecond + 1: 2, 24 * time.Hour: 86_400_000,
		200 * 365 * 24 * time.Hour: 200 * 365 * 86_400_000,
	} {
		b := eventlog.NewBatch("r", noLimits)
		rec := record("x", audit.Resource{})
		rec.Time = seenTime.Add(ahead)
		b.Add(rec, eventlog.Origin{Observed: seenTime})
		lr := b.Take().ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0)
		got, flagged := lr.Attributes().Get(audit.AttrTimeSkew)
		if flagged != (want > 0) || flagged && got.Int() != want {
			t.Errorf("%v ahead: %v %d, want %d", ahead, flagged, got.Int(), want)
		}
		wantEqual(t, lr.Timestamp(), pcommon.NewTimestampFromTime(rec.Time))
		wantEqual(t, lr.ObservedTimestamp(), pcommon.NewTimestampFromTime(seenTime))
	}
}

// What has no time, or was taken up at an unknown one, is not ahead.
func TestUnknownTimesAreNotAhead(t *testing.T) {
	for _, times := range [][2]time.Time{{{}, seenTime}, {eventTime, {}}, {time.Unix(-1, 0), time.Unix(-2, 0)}} {
		b := eventlog.NewBatch("r", noLimits)
		rec := record("x", audit.Resource{})
		rec.Time = times[0]
		b.Add(rec, eventlog.Origin{Observed: times[1]})
		attrs := b.Take().ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Attributes()
		wantEqual(t, attrs.Len(), 0)
	}
}

func TestRecordsAreGroupedByResource(t *testing.T) {
	one, two := audit.Resource{AccountID: "111122223333"}, audit.Resource{AccountID: "444455556666"}
	b := eventlog.NewBatch("r", noLimits)
	for _, r := range []*audit.Record{record("a", one), record("b", two), record("c", one)} {
		b.Add(r, eventlog.Origin{Observed: seenTime})
	}
	var got [][]string
	for _, rl := range b.Take().ResourceLogs().All() {
		id, _ := rl.Resource().Attributes().Get("cloud.account.id")
		group := []string{id.Str()}
		for _, lr := range rl.ScopeLogs().At(0).LogRecords().All() {
			group = append(group, lr.Body().Str())
		}
		got = append(got, group)
	}
	wantEqual(t, got, [][]string{{"111122223333", "a", "c"}, {"444455556666", "b"}})
}

func TestBatchIsBoundedByRecordsAndBytes(t *testing.T) {
	b := eventlog.NewBatch("r", eventlog.Limits{Records: 2, Bytes: 10})
	from := eventlog.Origin{Observed: seenTime}
	b.Add(record("abc", audit.Resource{}), from)
	wantEqual(t, b.Full(), false)
	b.Add(record("abc", audit.Resource{}), from)
	wantEqual(t, b.Full(), true) // two records
	wantEqual(t, b.Len(), 2)

	b.Take()
	wantEqual(t, b.Full(), false)
	wantEqual(t, b.Len(), 0)
	rec := record("abc", audit.Resource{})
	rec.Attributes = []audit.Attribute{audit.StringAttr("key", "value")}
	b.Add(rec, from)
	wantEqual(t, b.Full(), true) // 3 + 3 + 5 bytes
}

func wantEqual[T any](t *testing.T, got, want T) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}
