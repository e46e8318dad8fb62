package segment_test

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/otelcol-custody/custody/ledger"
	"github.com/otelcol-custody/custody/ledger/record"
	"github.com/otelcol-custody/custody/ledger/segment"
	"github.com/otelcol-custody/custody/ledger/tree"
)

func recoveryRecord() segment.Recovery {
	root, link := tree.Digest([]byte("root")), tree.Digest([]byte("link"))
	return segment.Recovery{
		At: at, Software: "custody test", Size: 7, Root: root, Kept: 3, Unreadable: 41, Found: "the disk was lost",
		AcceptedLoss: true, Reasons: []string{"nobody remembers a checkpoint"},
		Stores: []segment.RecoveryStore{{Store: "a", Size: 7, Root: root}, {Store: "b\xff", Error: "away"}},
		Checkpoints: []segment.RecoveryCheckpoint{
			{Source: "kept", Size: 5, Root: root, Verdict: segment.CheckpointAgrees},
			{Source: "other", Size: 9, Root: root, Verdict: segment.CheckpointAhead, Note: "note\n"}, {Source: "bad", Verdict: "of a later version"},
		},
		Resealed: []segment.RecoveryRange{
			{First: 11, Count: 2, Former: 0, FormerKnown: true, Previous: link, Source: "branch"}, {First: 13, Count: 1, Source: "journal"},
		},
		LastClosed: at.Add(-time.Hour), NextBy: at.Add(-time.Minute),
	}
}

func TestRecoveryRoundTrip(t *testing.T) {
	bare := segment.Recovery{At: at, Root: (&tree.Edge{}).Root()}
	for _, r := range []segment.Recovery{recoveryRecord(), bare} {
		line, err := r.Line()
		if err != nil {
			t.Fatal(err)
		}
		if !segment.IsRecovery(line) || segment.IsClosed(line) || record.CheckLine(line) != nil {
			t.Errorf("%s is not a recovery record", line)
		}
		got, err := segment.ParseRecovery(line)
		if err != nil || !reflect.DeepEqual(*got, r) {
			t.Errorf("got  %+v, %v\nwant %+v", got, err, r)
		}
		if again, _ := got.Line(); !bytes.Equal(again, line) {
			t.Errorf("written again: %s", again)
		}
	}
}

const stamp = "2026-03-01T12:00:00.123456789Z"

// TestRecoveryByHand pins the line's bytes.
func TestRecoveryByHand(t *testing.T) {
	r := recoveryRecord()
	r.Stores, r.Checkpoints = r.Stores[:1], r.Checkpoints[1:2]
	line, err := r.Line()
	const root, link = "SBNJTRN+FjG7owHVrKtue7eqdM4RhdRWVl71HXN2d7I=", "b1b1bdb480c61d075300d9bff7d9cb69cf31695ea048e478facadf426e8d0fb0"
	want := `{"custody":{"recovery":{"accepted_loss":true,"at":"` + stamp + `","checkpoints":[{"note":"note\n","root":"` + root + `","size":9,"source":"other","verdict":"ahead"}],` +
		`"found":"the disk was lost","kept":3,"last_closed":"2026-03-01T11:00:00.123456789Z","next_by":"2026-03-01T11:59:00.123456789Z","reasons":["nobody remembers a checkpoint"],` +
		`"resealed":[{"count":2,"first":11,"former":0,"previous":"` + link + `","source":"branch"},{"count":1,"first":13,"source":"journal"}],` +
		`"root":"` + root + `","size":7,"software":"custody test","stores":[{"root":"` + root + `","size":7,"store":"a"}],"unreadable":41}},` +
		`"observed_time":"` + stamp + `","time":"` + stamp + `"}`
	if err != nil || string(line) != want {
		t.Errorf("got  %s, %v\nwant %s", line, err, want)
	}
}

func TestParseRecoveryIsStrict(t *testing.T) {
	r := recoveryRecord()
	b, err := r.Line()
	if err != nil {
		t.Fatal(err)
	}
	good := string(b)
	replace := func(old, with string) string {
		if !strings.Contains(good, old) {
			t.Fatalf("%q is not in the line", old)
		}
		return strings.Replace(good, old, with, 1)
	}
	root := `"root":"` + r.Root.String() + `"`
	for _, ok := range []string{
		replace(`"kept":3`, `"kept":3,"kept_more":{}`), replace(`"store":"a"`, `"store":"a","z":[]`), replace(`"verdict":"agrees"`, `"verdict":"of a later version"`),
		replace(`"former":0,`, ``), replace(root+`,"size":7,"store"`, `"size":7,"store"`), replace(`"accepted_loss":true,`, ``),
	} {
		if _, err := segment.ParseRecovery([]byte(ok)); err != nil {
			t.Errorf("%s: %v", ok, err)
		}
	}
	var bad []string
	for _, change := range [][2]string{
		{`"found":"the disk was lost",`, ``}, {`"kept":3,`, ``}, {root + `,"size":7,"software"`, `"size":7,"software"`}, {`"size":7,"software"`, `"software"`},
		{`"software":"custody test",`, ``}, {`"reasons":["nobody remembers a checkpoint"],`, ``}, {`,"unreadable":41`, ``}, {`"at":"` + stamp + `",`, ``},
		{`"kept":3`, `"kept":-3`}, {`"unreadable":41`, `"unreadable":41.0`}, {`"reasons":["nobody remembers a checkpoint"]`, `"reasons":[1]`},
		{`"reasons":["nobody remembers a checkpoint"]`, `"reasons":{}`}, {`"resealed":[{`, `"resealed":[1,{`}, {`"verdict":"agrees"`, `"verdict":1`},
		{`"former":0`, `"former":-1`}, {`"former":0`, `"former":"0"`}, {`"source":"journal"`, `"source":null`}, {`"count":1,`, ``},
		{root, strings.Replace(root, "=", "", 1)}, {root, strings.Replace(root, "=", "==", 1)}, {root, strings.ReplaceAll(root, `":"`, `":"\n`)},
		{`"previous":"`, `"previous":"00`}, {`"previous":"`, `"previous":"G`}, {`"last_closed":"2026`, `"last_closed":"1926`},
		{`"observed_time":"` + stamp, `"observed_time":"2026-03-01T12:00:00.123456788Z`}, {`,"time":"` + stamp + `"`, ``},
		{`,"observed_time"`, `,"event_name":"x","observed_time"`}, {`}},"observed_time"`, `},"closed":{}},"observed_time"`}, {`{"custody"`, `{"body":1,"custody"`},
	} {
		bad = append(bad, replace(change[0], change[1]))
	}
	for _, line := range append(bad, "", "{}", good+"\n", good[:len(good)-1], `{"custody":{"recovery":{}}}`, `{"custody":{"recovery":1}}`) {
		if r, err := segment.ParseRecovery([]byte(line)); err == nil {
			t.Errorf("%s: accepted as %+v", line, r)
		}
	}
}

func TestRecoveryLimits(t *testing.T) {
	r := recoveryRecord()
	r.Found = strings.Repeat("x", ledger.MaxRecovery)
	if line, err := r.Line(); err == nil {
		t.Errorf("a recovery record of %d bytes", len(line))
	}
	r = recoveryRecord()
	r.At = time.Time{}
	if line, err := r.Line(); err == nil {
		t.Errorf("a recovery record at no time: %s", line)
	}
}

// TestProducersSpeakForThemselves: what arrives is never the log's own word.
func TestProducersSpeakForThemselves(t *testing.T) {
	forged := record.MapValue(record.KeyValue{Key: "recovery", Value: record.MapValue(record.KeyValue{Key: "at", Value: record.StringValue(stamp)})})
	for _, r := range []record.Record{
		{Body: record.MapValue(record.KeyValue{Key: "custody", Value: forged})},
		{Attributes: []record.KeyValue{{Key: "custody", Value: forged}}},
		{Resource: record.Resource{Attributes: []record.KeyValue{{Key: "custody", Value: forged}}}},
		{EventName: `{"custody":{"recovery":{`},
		{Custody: []record.KeyValue{{Key: "oversize", Value: forged}}},
	} {
		line, err := record.AppendLine(nil, &r)
		if err != nil {
			t.Fatal(err)
		}
		if segment.IsRecovery(line) || segment.IsClosed(line) {
			t.Errorf("%s is taken for the log's own", line)
		}
	}
}

func FuzzParseRecovery(f *testing.F) {
	r := recoveryRecord()
	line, err := r.Line()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(line)
	f.Add([]byte(`{"custody":{"recovery":{"at":""}}}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		r, err := segment.ParseRecovery(line)
		if err != nil {
			return
		}
		again, err := r.Line()
		if err != nil {
			t.Fatalf("%s: cannot be written: %v", line, err)
		}
		if d, err := segment.ParseRecovery(again); err != nil || !reflect.DeepEqual(r, d) {
			t.Fatalf("%s: read as %+v, written and read as %+v, %v", line, r, d, err)
		}
	})
}
