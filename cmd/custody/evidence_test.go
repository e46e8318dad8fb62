package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/internal/keyfile"
	"github.com/otelcol-custody/custody/ledger/ledgertest"
	"github.com/otelcol-custody/custody/ledger/proof"
	"github.com/otelcol-custody/custody/ledger/record"
	"github.com/otelcol-custody/custody/ledger/seal"
	"github.com/otelcol-custody/custody/ledger/segment"
	"github.com/otelcol-custody/custody/ledger/tree"
)

func TestProveEveryRecord(t *testing.T) {
	f := newFixture(t)
	out := f.path("r.proof")
	index := 0
	for _, s := range f.log.Segments {
		for _, line := range s.Lines {
			f.run("prove", f.store, "--log", "test", "--index", fmt.Sprint(index), "--out", out)
			f.want(exitVerified, "no --key given: used the key that the log names itself; whoever runs check-proof decides with their own", "custody check-proof "+out)
			f.run("check-proof", out, "--key", f.key)
			f.want(exitVerified, fmt.Sprintf("proven: record %d of %s", index, origin))
			f.run("check-proof", "--json", "--key", f.key, out)
			f.want(exitVerified)
			var doc proofJSON
			if err := json.Unmarshal([]byte(f.stdout), &doc); err != nil {
				t.Fatal(err)
			}
			var compact strings.Builder
			if err := writeCompact(&compact, doc.Record); err != nil || compact.String() != string(line) {
				t.Errorf("record %d: the document holds %s, want %s", index, doc.Record, line)
			}
			index++
		}
	}
	f.run("prove", f.store, "--index", "3", "--out", out, "--key", f.key)
	f.want(exitVerified)
	if f.err != "" {
		t.Errorf("with a key there is nothing to say on stderr, it says %q", f.err)
	}
	f.run("check-proof", out, "--key", f.key)
	f.golden("proof.txt", f.stdout)
}

func writeCompact(b *strings.Builder, raw json.RawMessage) error {
	enc := json.NewEncoder(b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(raw)
	text := strings.TrimSuffix(b.String(), "\n")
	b.Reset()
	b.WriteString(text)
	return err
}

// No byte of an evidence file can be changed unnoticed.
func TestFlippedEvidence(t *testing.T) {
	f := newFixture(t)
	out := f.path("r.proof")
	f.run("prove", f.store, "--index", "4", "--out", out)
	f.want(exitVerified)
	good := f.read(out)
	keys, err := keyfile.ReadKeys(f.key)
	if err != nil {
		t.Fatal(err)
	}
	for i := range good {
		for bit := range 8 {
			bad := append([]byte(nil), good...)
			bad[i] ^= 1 << bit
			if p, err := proof.Check(bad, keys); err == nil {
				t.Errorf("bit %d of byte %d was changed, yet record %d is proven", bit, i, p.Index)
			}
		}
		if i%16 != 0 {
			continue // The command itself is slower, and needs files.
		}
		bad := append([]byte(nil), good...)
		bad[i] ^= 1
		f.write(f.path("bad.proof"), bad)
		f.run("check-proof", f.path("bad.proof"), "--key", f.key)
		want := exitTampered
		if i < len(evidenceStart) {
			want = exitUnfinished // It is no evidence at all.
		}
		f.want(want)
	}
	for n := range good {
		if _, err := proof.Check(good[:n], keys); err == nil {
			t.Errorf("cut off at %d of %d bytes, and proven", n, len(good))
		}
	}
}

func TestCheckProofRefuses(t *testing.T) {
	f := newFixture(t)
	out := f.path("r.proof")
	f.run("prove", f.store, "--index", "4", "--out", out)
	other := f.file("other.pub", ledgertest.ImpostorOf(t, origin, "mallory").VerifierKey()+"\n")
	f.run("check-proof", out, "--key", other)
	f.want(exitTampered, "NOT PROVEN", "not signed by a trusted key", "trusted: "+origin)
	if !strings.HasPrefix(f.stdout, "NOT PROVEN: "+out) || f.err != "" {
		t.Errorf("stdout %q, stderr %q, want the verdict on stdout alone", f.stdout, f.err)
	}
	f.run("check-proof", out, "--key", other, "--json")
	f.want(exitTampered, `"verdict": "not proven"`)
	f.run("check-proof", f.key, "--key", f.key)
	f.want(exitUnfinished, "not an evidence file")
	f.run("check-proof", f.key, "--key", f.key, "--json")
	f.want(exitUnfinished, `"verdict": "incomplete"`)
	f.run("check-proof", f.path("none"), "--key", f.key)
	f.want(exitUnfinished, "none")
	f.run("check-proof", out)
	f.want(exitUsage, "--key is missing")
}

func TestProveRefuses(t *testing.T) {
	f := newFixture(t)
	out := f.path("r.proof")
	f.run("prove", f.store, "--index", "10", "--out", out)
	f.want(exitUsage, "the last one is 9")
	f.run("prove", f.store, "--index", "1", "--out", f.dir)
	f.want(exitUsage, "is a folder")
	f.run("prove", f.store, "--out", out)
	f.want(exitUsage, "--index or with --id")
	f.run("prove", f.store, "--id", "", "--out", out) // a script's query that found nothing
	f.want(exitUsage, "--id is empty")
	planted := filepath.Join(f.store, "test/seals/00000000000000000099.seal")
	f.write(planted, []byte("planted"))
	f.run("prove", f.store, "--index", "1", "--out", out)
	f.want(exitVerified, "passed over, run custody verify", "00000000000000000099.seal")
	f.run("prove", f.store, "--index", "12", "--out", out)
	f.want(exitTampered, "no valid seal covers it")
	f.remove(planted, out)
	f.run("prove", f.store, "--index", "1", "--out", out, "--key", f.file("o.pub", ledgertest.ImpostorOf(t, origin, "m").VerifierKey()))
	f.want(exitTampered, "not signed by a trusted key")
	f.flip(f.segment(1))
	f.run("prove", f.store, "--index", "4", "--out", out)
	f.want(exitTampered, "is not what was sealed")
	f.remove(f.segment(1))
	f.run("prove", f.store, "--index", "4", "--out", out)
	f.want(exitUnfinished, "record 4: its segment is not in this store\n")
	if _, err := os.Stat(out); err == nil {
		t.Error("a refused proof was written")
	}
}

func TestProveByID(t *testing.T) {
	f := newFixture(t)
	rec := func(id, body string) *record.Record {
		return &record.Record{
			Time: uint64(ledgertest.Began.UnixNano()), Body: record.StringValue(body),
			Attributes: []record.KeyValue{{Key: audit.AttrRecordID, Value: record.StringValue(id)}},
		}
	}
	f.putRecords("events", rec("a", "plain text"), rec("b\u202e\x1b[2J", `{"eventID":"b","big":12345678901234567890}`), rec("twice", "1"), rec("twice", "2"), rec("", "a"), withOriginal(rec("o", "x"), "original"), withOriginal(&record.Record{}, "nameless"))
	out := f.path("r.proof")
	f.run("prove", f.store, "--log", "events", "--id", "b\u202e\x1b[2J", "--out", out)
	f.want(exitVerified, "proves record 1 of log events")
	f.run("check-proof", out, "--key", f.key)
	f.want(exitVerified, `"big": 12345678901234567890`)
	if strings.ContainsAny(f.stdout, "\x1b\u202e") {
		t.Errorf("the record steers the terminal: %q", f.stdout)
	}
	f.run("prove", f.store, "--log", "events", "--id", "a", "--out", out)
	f.want(exitVerified, "proves record 0 of log events")
	f.run("check-proof", out, "--key", f.key)
	f.want(exitVerified, "body (control characters escaped)\nplain text\n")
	f.run("prove", f.store, "--log", "events", "--id", "twice", "--out", out)
	f.want(exitUsage, "2 records have", "2, 3")
	f.run("prove", f.store, "--log", "events", "--id", "c", "--out", out)
	f.want(exitUnfinished, "no record has")
	f.run("prove", f.store, "--log", "events", "--id", "original", "--out", out)
	f.want(exitUsage, `no record has the audit.record.id "original"; as audit.record.original_id it is record 5: use --id o`)
	f.run("prove", f.store, "--log", "events", "--id", "nameless", "--out", out)
	f.want(exitUsage, `as audit.record.original_id it is record 6: use --index 6`)
	f.run("prove", f.store, "--id", "a", "--out", out)
	f.want(exitUsage, "the store holds 2 logs: events, test")
}

func withOriginal(r *record.Record, id string) *record.Record {
	r.Attributes = append(r.Attributes, record.KeyValue{Key: audit.AttrOriginalID, Value: record.StringValue(id)})
	return r
}

// putRecords puts a log of one segment with these records into the store.
func (f *fixture) putRecords(name string, records ...*record.Record) {
	f.t.Helper()
	at := seal.Genesis(name, origin, f.signer.VerifierKey(), [32]byte{2})
	f.putSegment(at, segment.Closed{At: ledgertest.Began, Reason: segment.Ended, Software: "test"}, records...)
	f.now = ledgertest.Began.Add(time.Hour)
}

// putSegment puts the segment of these records at a place of a log, and returns
// where the log stands behind it.
func (f *fixture) putSegment(at seal.Place, closed segment.Closed, records ...*record.Record) *seal.Verified {
	f.t.Helper()
	seed := tree.Seed{1}
	closed.First, closed.Count, closed.Key = at.Edge.Size(), len(records)+1, f.signer.ID()
	last, err := closed.Line()
	if err != nil {
		f.t.Fatal(err)
	}
	var lines []byte
	var digests []tree.Hash
	for i := range len(records) + 1 {
		line := last
		if i < len(records) {
			if line, err = record.AppendLine(nil, records[i]); err != nil {
				f.t.Fatal(err)
			}
		}
		lines = append(append(lines, line...), '\n')
		digests = append(digests, tree.Digest(line))
	}
	object, err := segment.NewEncoder().Append(nil, segment.Header{Origin: origin, First: closed.First, Count: len(digests), Bytes: len(lines), Seed: seed}, lines)
	if err != nil {
		f.t.Fatal(err)
	}
	v, _, err := seal.Build(at, seal.Content{
		Object: object, Seed: seed, Digests: digests, ClosedLine: last, Checkpoints: f.signer,
	})
	if err != nil {
		f.t.Fatal(err)
	}
	f.write(filepath.Join(f.store, at.Log, v.Name()), v.Bytes())
	f.write(filepath.Join(f.store, at.Log, v.SegmentName()), object)
	return v
}

// A life has stops, delays, retention that has passed and one that has not.
func TestLife(t *testing.T) {
	f := newFixture(t)
	f.remove(f.store)
	day := func(n int) time.Time { return ledgertest.Began.AddDate(0, 0, n) }
	at := seal.Genesis("life", origin, f.signer.VerifierKey(), [32]byte{2})
	var gone string
	for i, c := range []segment.Closed{
		{At: day(0), NextBy: day(1), Reason: segment.ByAge, RetainUntil: day(10), Unfenced: true},
		{At: day(3), NextBy: day(4), Reason: segment.Shutdown, RetainUntil: day(40)},
		{At: day(5), NextBy: day(6), Reason: segment.Recovered},
		{At: day(6), NextBy: day(30), Reason: segment.Heartbeat, Counts: map[string]segment.Counts{"a": {"received": 0, "lost": 2}}},
	} {
		v := f.putSegment(at, c, &record.Record{EventName: "x"})
		at = v.Place()
		if i == 0 {
			gone = filepath.Join(f.store, "life", v.SegmentName())
		}
	}
	f.now = day(20)
	f.run("inspect", f.store)
	f.want(exitVerified,
		"gap        late: nothing closed from 2026-03-01T12:00:00Z to 2026-03-04T12:00:00Z (3 days), before record 2",
		"gap        planned stop: nothing closed from 2026-03-04T12:00:00Z to 2026-03-06T12:00:00Z (2 days), before record 4",
		"retention  until 2026-03-11T12:00:00Z (first segment to expire) to 2026-04-10T12:00:00Z (last); not stated in the log for 2 segments",
		"unfenced   1 segment", "closed by  age 1, heartbeat 1, recovered 1, shutdown 1",
		"    a  0         -       -          -            -        2")
	f.run("prove", f.store, "--id", "none", "--out", f.path("p"))
	f.want(exitUnfinished, "no record has")

	f.remove(gone)
	f.verify()
	f.want(exitVerified, "expired    1 segment, gone after their time")
	f.run("prove", f.store, "--id", "none", "--out", f.path("p"))
	f.want(exitUnfinished, "no record has")
	f.now = day(9)
	f.verify()
	f.want(exitTampered, "segment-missing: log life, segment 0", "to be kept until 2026-03-11")
}
