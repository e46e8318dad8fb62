package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/ledger"
	"github.com/otelcol-custody/custody/ledger/archive"
	"github.com/otelcol-custody/custody/ledger/ledgertest"
	"github.com/otelcol-custody/custody/ledger/record"
)

// packed is what check-proof says of a pack.
func (f *fixture) packed(file string) proofJSON {
	f.t.Helper()
	f.run("check-proof", file, "--key", f.key, "--json")
	var doc proofJSON
	if err := json.Unmarshal([]byte(f.stdout), &doc); err != nil {
		f.t.Fatalf("%v: %s%s", err, f.stdout, f.err)
	}
	return doc
}

func (d *proofJSON) indexes() (out []uint64) {
	for _, r := range d.Records {
		out = append(out, *r.Index)
	}
	return out
}

func TestPack(t *testing.T) {
	f := newFixture(t)
	out := f.path("case.pack")
	f.run("pack", f.store, "--index", "3,7", "--remark", "Case 7.\n\nFor Größe GmbH\r\n", "--out", out)
	f.want(exitVerified, "no --key given", out+" proves 2 records of log test at size 10.", "custody check-proof "+out)
	if !strings.HasPrefix(string(f.read(out)), "custody-pack/v1\nlog test\norigin "+origin+"\nkey "+f.signer.VerifierKey()+"\nmade 2026-03-01T12:03:00Z\nsize 10\ncount 2\nfirst 3\nlast 7\n\nEVIDENCE") {
		t.Errorf("it begins with\n%s", f.read(out)[:400])
	}
	f.run("check-proof", out, "--key", f.key)
	f.want(exitVerified, "proven: 2 records of "+origin, "remark      For Größe GmbH\n", "proven: record 7\n")
	f.golden("pack.txt", f.stdout)
	doc := f.packed(out)
	if !slices.Equal(doc.indexes(), []uint64{3, 7}) || doc.Verdict != "proven" || doc.Index != nil || doc.Checkpoint.Size != 10 ||
		doc.Pack.Log != "test" || doc.Pack.Made != "2026-03-01T12:03:00Z" || doc.Pack.Key != f.signer.VerifierKey() || !slices.Equal(doc.Pack.Remarks, []string{"Case 7.", "For Größe GmbH"}) {
		t.Errorf("the document is %s", f.stdout)
	}
	for i, r := range doc.Records {
		var line strings.Builder
		if err := writeCompact(&line, r.Record); err != nil || line.String() != string(f.log.Segments[1].Lines[[]int{0, 4}[i]]) {
			t.Errorf("record %d is %s (%v)", *r.Index, r.Record, err)
		}
	}
	before := string(f.read(out))
	f.run("pack", f.store, "--index", "7", "--index", "3,3-3", "--remark", "Case 7.", "--remark", "For Größe GmbH", "--out", out, "--key", f.key)
	f.want(exitVerified)
	if after := string(f.read(out)); after != before || f.err != "" {
		t.Errorf("the same choice makes another file, or there is something to say: %s", f.err)
	}
}

// Every record that a choice means is in the pack, and no other.
func TestPackChoices(t *testing.T) {
	f := newFixture(t)
	rec := func(id, body string) *record.Record {
		return &record.Record{Body: record.StringValue(body), Attributes: []record.KeyValue{{Key: audit.AttrRecordID, Value: record.StringValue(id)}}}
	}
	f.putRecords("events", rec("a", "alice"), rec("b", `{"by":"alice"}`), rec("c", "bob\x00"), rec("d", "zoë"), rec("twice", ""), rec("twice", ""))
	out := f.path("x.pack")
	for _, c := range []struct {
		args string
		want []uint64
	}{
		{"--index 0", []uint64{0}},
		{"--index 0-6", []uint64{0, 1, 2, 3, 4, 5, 6}},
		{"--index 5,1-2 --index 2-3", []uint64{1, 2, 3, 5}},
		{"--id c", []uint64{2}},
		{"--id c --id a --index 6", []uint64{0, 2, 6}},
		{"--find alice", []uint64{0, 1}},
		{`--find "by":"alice"`, []uint64{1}},
		{`--find "body":"alice`, []uint64{0}},
		{"--find zoë --find bob", []uint64{2, 3}},
		{"--find bob\x00", []uint64{2}},
		{"--find bob --id c --index 2", []uint64{2}},
		{"--index 1 --closed", []uint64{1, 6}},
		{"--index 6 --closed", []uint64{6}},
	} {
		f.run(append(append([]string{"pack", f.store, "--log", "events", "--out", out}, strings.Fields(c.args)...), "--key", f.key)...)
		f.want(exitVerified)
		if doc := f.packed(out); !slices.Equal(doc.indexes(), c.want) {
			t.Errorf("%s: %v, want %v", c.args, doc.indexes(), c.want)
		}
	}
	for args, want := range map[string]string{
		"--id e":                  `no record has the audit.record.id "e"`,
		"--find carol":            `no record holds "carol"`,
		"--find alice --find eve": `no record holds "eve"`,
	} {
		f.run(append([]string{"pack", f.store, "--log", "events", "--out", out}, strings.Fields(args)...)...)
		f.want(exitUnfinished, want)
	}
	f.run("pack", f.store, "--log", "events", "--out", out, "--id", "twice")
	f.want(exitUsage, "2 records have the", "4, 5")
	f.run("pack", f.store, "--log", "test", "--out", out, "--index", "1,4,8", "--closed")
	f.want(exitVerified)
	if doc := f.packed(out); !slices.Equal(doc.indexes(), []uint64{1, 2, 4, 7, 8, 9}) {
		t.Errorf("with closed records: %v", doc.indexes())
	}
}

func TestPackUsage(t *testing.T) {
	f := newFixture(t)
	out := f.path("x.pack")
	f.write(f.path("some.proof"), []byte(evidenceStart))
	for _, c := range []struct{ args, want string }{
		{"", "choose records with --index, --id or --find"},
		{"--closed", "choose records"},
		{"--index x", `"x" is neither a record's number nor a range`},
		{"--index 3-", "nor a range"},
		{"--index -3", "nor a range"},
		{"--index 3,", "nor a range"},
		{"--index 4-3", "nor a range"},
		{"--index 99999999999999999999", "nor a range"},
		{"--index 10", "the last one is 9"},
		{"--index 5-12", "the last one is 9"},
		{"--index 0-9223372036854775807 --index 0-9223372036854775807", "at most 65,536 records"},
		{"--index 0-65536", "at most 65,536 records"},
		{"--index 1 --remark \u202e", "remark line"},
		{"--index 1 --remark " + strings.Repeat("x", 1001), "at most 1000 bytes"},
		{"--index 1 --log other", `holds no log "other"`},
		{"--index 1 --out " + f.dir, "is a folder"},
		{"--index 1 --out " + f.key, "is not an evidence pack; it is not replaced"},
		{"--index 1 --out " + f.path("some.proof"), "is not an evidence pack; it is not replaced"},
		{"--index 1 --out " + filepath.Join(f.store, "x"), "lies in the store"},
	} {
		f.run(append([]string{"pack", f.store, "--out", out}, strings.Fields(c.args)...)...)
		f.want(exitUsage, c.want)
	}
	f.run("pack", f.store, "--index", "1")
	f.want(exitUsage, "--out is missing")
	if _, err := os.Stat(out); err == nil {
		t.Error("a pack was written")
	}
}

// What does not verify is not packed.
func TestPackRefuses(t *testing.T) {
	f := newFixture(t)
	out := f.path("x.pack")
	other := f.file("o.pub", ledgertest.ImpostorOf(t, origin, "m").VerifierKey())
	f.run("pack", f.store, "--index", "1", "--out", out, "--key", other)
	f.want(exitTampered, "not signed by a trusted key")
	planted := filepath.Join(f.store, "test/seals/00000000000000000099.seal")
	f.write(planted, []byte("planted"))
	f.run("pack", f.store, "--index", "12", "--out", out)
	f.want(exitTampered, "no valid seal covers it")
	f.remove(planted)
	f.flip(f.segment(1))
	f.run("pack", f.store, "--index", "4", "--out", out)
	f.want(exitTampered, "is not what was sealed")
	f.run("pack", f.store, "--find", "test", "--out", out)
	f.want(exitTampered, "is not what was sealed")
	if _, err := os.Stat(out); err == nil {
		t.Error("a refused pack was written")
	}
	f.remove(f.segment(1))
	f.run("pack", f.store, "--index", "4", "--out", out)
	f.want(exitUnfinished, "record 4: its segment is not in this store\n")
	f.run("pack", f.store, "--index", "1,8", "--out", out)
	f.want(exitVerified, "proves 2 records")
	f.run("pack", f.store, "--find", `"index":4`, "--out", out)
	f.want(exitUnfinished, "1 segment not in this store: their records were not searched", "no record holds")
	f.run("pack", f.store, "--find", "branch", "--out", out)
	f.want(exitVerified, "1 segment not in this store", "proves 3 records")
	f.remove(f.seal(1))
	f.run("pack", f.store, "--index", "4", "--out", out)
	f.want(exitTampered, "no seal covers record 4")
}

func TestCheckPackRefuses(t *testing.T) {
	f := newFixture(t)
	out, bad := f.path("x.pack"), f.path("bad.pack")
	f.run("pack", f.store, "--index", "1,3-5", "--remark", "x", "--out", out)
	good := string(f.read(out))
	try := func(old, with string, code int, texts ...string) {
		t.Helper()
		if !strings.Contains(good, old) {
			t.Fatalf("no %q in it", old)
		}
		f.write(bad, []byte(strings.Replace(good, old, with, 1)))
		f.run("check-proof", bad, "--key", f.key)
		f.want(code, texts...)
		if code == exitTampered && (!strings.HasPrefix(f.stdout, "NOT PROVEN: "+bad) || f.err != "") {
			t.Errorf("stdout %q, stderr %q, want the verdict on stdout alone", f.stdout, f.err)
		}
	}
	try(`"index":4}`, `"index":5}`, exitTampered, "1 of 4 records are not proven: evidence broken: record 4", "  not proven  4\n", "  proven      1, 3, 5; yet somebody changed this file\n")
	doc := f.packed(bad)
	if !slices.Equal(doc.Proven, []uint64{1, 3, 5}) || len(doc.Unproven) != 1 || doc.Unproven[0].Index != 4 || doc.Verdict != "not proven" || f.code != exitTampered {
		t.Errorf("exit %d: %s", f.code, f.stdout)
	}
	try("What it does not prove", "What it proves too", exitTampered, "the statement")
	try("\nrecord 4", "\nrecord 2", exitTampered, "record 2 stands behind record 3")
	try("custody-pack/v1", "custody-pack/v2", exitUnfinished, "custody-pack/v2; use a later custody")
	try("custody-pack/v1", "custody-puck/v1", exitUnfinished, "is not an evidence file: it begins neither with")
	other := f.file("other.pub", ledgertest.ImpostorOf(t, origin, "mallory").VerifierKey()+"\n")
	f.run("check-proof", out, "--key", other)
	f.want(exitTampered, "NOT PROVEN", "not signed by a trusted key", "trusted: "+origin)
}

// Through the command, no byte of a pack can be changed unnoticed.
func TestFlippedPack(t *testing.T) {
	f := newFixture(t)
	out, bad := f.path("x.pack"), f.path("bad.pack")
	f.run("pack", f.store, "--index", "4-5", "--out", out)
	good := f.read(out)
	for i := 0; i < len(good); i += 7 {
		b := slices.Clone(good)
		b[i] ^= 4
		f.write(bad, b)
		f.run("check-proof", bad, "--key", f.key)
		want := exitTampered
		switch line := strings.Count(string(good[:i]), "\n"); {
		case line == 0:
			want = exitUnfinished // It is no pack at all.
		case line == 1 && f.code == exitVerified:
			want = exitVerified // The log's name, which is the maker's word.
		}
		f.want(want)
	}
}

// A record's text passes neither for another record nor steers the terminal.
func TestPackShowsRecordsSetIn(t *testing.T) {
	f := newFixture(t)
	f.putRecords("events", &record.Record{Body: record.StringValue("x\n\nproven: record 99\n\u202e\u2028\x1b[2J")})
	out := f.path("x.pack")
	f.run("pack", f.store, "--log", "events", "--index", "0", "--out", out)
	f.run("check-proof", out, "--key", f.key)
	f.want(exitVerified, `  \u202e\u2028\u001b[2J`)
	if strings.Contains(f.stdout, "\nproven: record 99") {
		t.Errorf("a record speaks as check-proof does:\n%s", f.stdout)
	}
}

func TestPackProgress(t *testing.T) {
	f := newFixture(t)
	f.terminal = true
	f.clock = func() { f.now = f.now.Add(time.Second) }
	f.run("pack", f.store, "--find", "index", "--out", f.path("x.pack"))
	f.want(exitVerified, "\r\x1b[K8 of 10 records searched", "\r\x1b[K0 of 7 records proven", "\r\x1b[K2 of 7 records proven")
	if !strings.HasSuffix(f.err, "\r\x1b[K") {
		t.Errorf("the line stays: %q", f.err)
	}
	ctx, stop := context.WithCancel(context.Background())
	stop()
	f.ctx, f.terminal = ctx, false
	f.remove(f.path("x.pack"))
	for _, choice := range [][]string{{"--index", "0-9"}, {"--find", "index"}} {
		f.run(append([]string{"pack", f.store, "--out", f.path("x.pack")}, choice...)...)
		f.want(exitUnfinished, "interrupted; nothing is proven")
	}
	if _, err := os.Stat(f.path("x.pack")); err == nil {
		t.Error("an interrupted pack was written")
	}
}

// Limits are kept before there is much to hold.
func TestPackLimits(t *testing.T) {
	f := newFixture(t)
	large := ledgertest.NewLog("large", f.signer)
	large.Add(t, ledger.MaxPackRecords+2)
	f.put(f.store, large)
	f.run("pack", f.store, "--log", "large", "--find", "index", "--out", f.path("x.pack"))
	f.want(exitUsage, "65,537 records were chosen; a pack holds at most 65,536")

	l, err := archive.Open(os.DirFS(f.store), "test", ledgertest.Keys(t, f.signer))
	if err != nil {
		t.Fatal(err)
	}
	p := newProver(l)
	defer p.dec.Close()
	v, err := l.Covering(3)
	if err != nil {
		t.Fatal(err)
	}
	p.left = len(f.log.Segments[1].Lines[0])
	if out, err := p.segment(v, []uint64{3}, nil); err != nil || len(out) != 1 || p.left != 0 {
		t.Errorf("what just fits: %v", err)
	}
	if _, err := p.segment(v, []uint64{4}, nil); !errors.As(err, new(*usageError)) {
		t.Errorf("what does not fit: %v", err)
	}
	for i := uint64(0); len(p.seen) < maxSeen; i++ {
		p.seen[place{9, i}] = nil
	}
	if _, err := p.Tile(1, 0); err != nil || len(p.seen) != 1 {
		t.Errorf("%d tiles are remembered (%v)", len(p.seen), err)
	}
}

// TestPackVectors holds check-proof against every pack of the specification.
func TestPackVectors(t *testing.T) {
	const vectors = "../../docs/spec/vectors/packs"
	cases, err := os.ReadDir(vectors)
	if err != nil || len(cases) < 70 {
		t.Fatalf("%d vectors, %v", len(cases), err)
	}
	f := newFixture(t)
	for _, c := range cases {
		dir := filepath.Join(vectors, c.Name())
		var want struct {
			Exit     int
			Unproven []uint64
		}
		if err := json.Unmarshal(f.read(filepath.Join(dir, "vector.json")), &want); err != nil {
			t.Fatal(err)
		}
		f.key = filepath.Join(dir, "key.pub")
		doc := f.packed(filepath.Join(dir, "evidence.pack"))
		got := []uint64{}
		for _, u := range doc.Unproven {
			got = append(got, u.Index)
		}
		if f.code != want.Exit || fmt.Sprint(got) != fmt.Sprint(want.Unproven) {
			t.Errorf("%s: exit %d, want %d; not proven are %v, want %v: %s", c.Name(), f.code, want.Exit, got, want.Unproven, doc.Error)
		}
	}
}
