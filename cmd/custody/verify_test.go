package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/otelcol-custody/custody/ledger/ledgertest"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// golden compares text, in which the fixture's folder is written as DIR, with
// testdata/name.
func (f *fixture) golden(name, text string) {
	f.t.Helper()
	text = strings.ReplaceAll(text, f.dir, "DIR")
	path := filepath.Join("testdata", name)
	if *update {
		f.write(path, []byte(text))
	}
	if want := string(f.read(path)); text != want {
		f.t.Errorf("%s: got\n%s\nwant\n%s", name, text, want)
	}
}

func TestVerified(t *testing.T) {
	f := newFixture(t)
	f.verify()
	f.want(exitVerified)
	f.golden("verified.txt", f.stdout)
	f.verify("--quiet")
	f.want(exitVerified)
	if f.stdout+f.err != "" {
		t.Errorf("--quiet prints %q", f.stdout+f.err)
	}
	f.verify("--json")
	f.want(exitVerified)
	f.golden("verified.json", f.stdout)
}

func TestOverdue(t *testing.T) {
	f := newFixture(t)
	f.now = soon.Add(3 * time.Hour)
	f.verify()
	f.want(exitVerified, "overdue for 2h58m", "silence after 2026-03-01T12:03:00Z proves nothing")
	f.verify("--json")
	f.want(exitVerified, `"overdue": true`)
}

// Every attack is found, named, and placed.
func TestTampering(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(f *fixture)
		want []string
	}{
		{"flip a byte of a segment", func(f *fixture) { f.flip(f.segment(1)) },
			[]string{"segment-altered: log test, segment 3", "stored bytes are not those that were sealed", "test/segments/00000000000000000003-"}},
		{"make a segment unreadable", func(f *fixture) {
			b := f.read(f.segment(1))
			b[bytes.Index(b, []byte{0x28, 0xb5, 0x2f, 0xfd})+10] ^= 1 // where the frame's block begins
			f.write(f.segment(1), b)
		}, []string{"5 of the segment's 5 records are missing", "touched  5 records"}},
		{"replace a record and keep the form", func(f *fixture) { f.write(f.segment(1), f.otherRecords(1)) },
			[]string{"segment-altered: log test, segment 3, record 3", "touched  5 records"}},
		{"delete a middle segment", func(f *fixture) { f.remove(f.segment(1)) },
			[]string{"segment-missing: log test, segment 3", "records 3 to 7"}},
		{"delete a middle segment and its seal", func(f *fixture) { f.remove(f.segment(1), f.seal(1)) },
			[]string{"seal-missing: log test, segment 3"}},
		{"swap two segments", func(f *fixture) {
			a, b := f.read(f.segment(0)), f.read(f.segment(1))
			f.write(f.segment(0), b)
			f.write(f.segment(1), a)
		}, []string{"segment-altered: log test, segment 0", "segment-altered: log test, segment 3"}},
		{"swap two seals", func(f *fixture) {
			a, b := f.read(f.seal(0)), f.read(f.seal(1))
			f.write(f.seal(0), b)
			f.write(f.seal(1), a)
		}, []string{"seal-chain: log test, segment 0", "seal-chain: log test, segment 3"}},
		{"flip a byte of a seal", func(f *fixture) { f.flip(f.seal(1)) },
			[]string{"log test, segment 3", "test/seals/00000000000000000003.seal"}},
		{"sign again with another key", func(f *fixture) {
			l := ledgertest.NewLog("test", ledgertest.ImpostorOf(f.t, origin, "mallory"))
			l.Add(f.t, 3, 5, 2)
			f.remove(f.store)
			f.put(f.store, l)
		}, []string{"seal-signature: log test, segment 0", "signed by " + origin + "+", "trusted: " + origin + "+"}},
		{"plant a segment", func(f *fixture) {
			f.write(filepath.Join(f.store, "test/segments/00000000000000000003-00112233445566778899aabbccddeeff.jsonl.zst"), []byte("planted"))
		}, []string{"orphan-segment: log test, segment 3"}},
		{"plant a file", func(f *fixture) { f.write(filepath.Join(f.store, "test/seals/x\x1b[2J"), nil) },
			[]string{"foreign-object: log test", `x\u001b[2J`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFixture(t)
			c.do(f)
			f.verify()
			f.want(exitTampered, append(c.want, "TAMPERING FOUND")...)
			if strings.Contains(f.stdout, "\x1b") {
				t.Errorf("the output can steer a terminal: %q", f.stdout)
			}
			f.verify("--json")
			f.want(exitTampered, `"verdict": "tampered"`)
			f.verify("--quiet")
			f.want(exitTampered, c.want[0])
		})
	}
}

// Only segments that were read and are what was sealed count as intact.
func TestIntactSegments(t *testing.T) {
	f := newFixture(t)
	f.log.Add(t, 4)
	f.put(f.store, f.log)
	whole := f.read(f.segment(1))
	f.remove(f.segment(1))
	f.verify()
	f.want(exitTampered, "checked and found intact: 9 records in 3 segments of 1 log")
	f.write(f.segment(1), f.read(f.segment(2)))
	f.write(f.segment(2), whole)
	f.verify()
	f.want(exitTampered, "checked and found intact: 7 records in 2 segments of 1 log")
}

// A key that signed nothing is more likely the wrong file than an attack, which
// excuses nothing.
func TestWrongKey(t *testing.T) {
	f := newFixture(t)
	own := f.key
	const is = "none of the given keys signed any seal of log test; it is sealed by " + origin + "+f3020c4a. Is it the right key file?\n\nTAMPERING FOUND: 3 findings"
	f.key = f.file("other.pub", ledgertest.ImpostorOf(t, origin, "mallory").VerifierKey()+"\n")
	f.verify("--quiet")
	f.want(exitTampered, "seal-signature: log test, segment 0")
	if !strings.HasPrefix(f.stdout, is) {
		t.Errorf("it does not begin with %q:\n%s", is, f.stdout)
	}

	// Two other keys, or a seal that is something else, are no mistake.
	l := ledgertest.NewLog("test", ledgertest.ImpostorOf(t, origin, "eve"))
	l.Add(t, 3, 5, 2)
	for i, s := range l.Segments {
		sealed := f.read(f.seal(i))
		for _, other := range [][]byte{s.Seal.Bytes(), []byte("junk")} {
			f.write(f.seal(i), other)
			f.verify()
			f.want(exitTampered)
			if strings.Contains(f.stdout, "right key file") {
				t.Errorf("it excuses an attack:\n%s", f.stdout)
			}
		}
		f.write(f.seal(i), sealed)
	}
	f.write(f.seal(2), l.Segments[2].Seal.Bytes())
	f.key = own
	f.verify()
	f.want(exitTampered, "seal-signature: log test, segment 8")
	if strings.Contains(f.stdout, "right key file") {
		t.Errorf("the key signed two seals:\n%s", f.stdout)
	}
}

// otherRecords is a segment of the same form as the i-th with other records.
func (f *fixture) otherRecords(i int) []byte {
	l := ledgertest.NewLog("test", f.signer).Branch("other")
	for _, s := range f.log.Segments[:i+1] {
		l.Add(f.t, s.Seal.Count)
	}
	return l.Segments[i].Object
}

func TestCutOffTail(t *testing.T) {
	f := newFixture(t)
	kept := f.path("kept.checkpoint")
	f.verify("--save-checkpoint", kept)
	f.want(exitVerified, "--since "+kept)
	f.verify("--since", kept)
	f.want(exitVerified, "extends", "kept checkpoint at size 10")
	if strings.Contains(f.stdout, "not checked") {
		t.Errorf("truncation was checked, yet it says:\n%s", f.stdout)
	}
	f.remove(f.segment(2), f.seal(2))
	f.verify()
	f.want(exitVerified, "not checked: whether the end of a log was cut off")
	f.verify("--since", kept)
	f.want(exitTampered, "rollback: log test", "records 8 to 9 are gone")
	f.verify("--since", kept, "--save-checkpoint", kept)
	f.want(exitTampered)
	if !strings.Contains(string(f.read(kept)), "\n10\n") {
		t.Error("a failed verification replaced the kept checkpoint")
	}
	f.remove(filepath.Join(f.store, "test", "seals"), filepath.Join(f.store, "test", "segments"))
	f.verify("--since", kept)
	f.want(exitTampered, "rollback", "is gone")
}

func TestAnotherHistory(t *testing.T) {
	f := newFixture(t)
	kept := f.path("kept.checkpoint")
	f.verify("--save-checkpoint", kept)
	l := ledgertest.NewLog("test", f.signer).Branch("other")
	l.Add(t, 3, 5, 2, 4)
	f.remove(f.store)
	f.put(f.store, l)
	f.verify()
	f.want(exitVerified)
	f.verify("--since", kept)
	f.want(exitTampered, "fork: log test", "another history")
}

func TestSaveCheckpointNeedsSince(t *testing.T) {
	f := newFixture(t)
	kept := f.path("kept.checkpoint")
	f.verify("--save-checkpoint", kept)
	f.want(exitVerified)
	f.verify("--save-checkpoint", kept)
	f.want(exitUsage, "add --since "+kept)
	f.log.Add(t, 7)
	f.put(f.store, f.log)
	f.verify("--since", kept, "--save-checkpoint", kept)
	f.want(exitVerified)
	if !strings.Contains(string(f.read(kept)), "\n17\n") {
		t.Errorf("the kept checkpoint is not the new head:\n%s", f.read(kept))
	}
}

func TestTwoLogs(t *testing.T) {
	f := newFixture(t)
	second := ledgertest.Signer(t, "custody.example/second")
	l := ledgertest.NewLog("second", second)
	l.Add(t, 4)
	f.put(f.store, l)
	f.verify()
	f.want(exitTampered, "seal-signature: log second, segment 0")
	f.verify("--log", "test")
	f.want(exitVerified)
	f.key = f.file("both.pub", f.signer.VerifierKey()+"\n"+second.VerifierKey()+"\n")
	kept := f.path("kept")
	f.verify("--save-checkpoint", kept)
	f.want(exitVerified, "14 records in 4 segments of 2 logs")
	f.verify("--since", kept)
	f.want(exitVerified, "size 4", "size 10")

	// One log's kept checkpoint stays when another is verified.
	f.verify("--log", "test", "--since", kept, "--save-checkpoint", kept)
	f.want(exitVerified, "the kept checkpoint of custody.example/second was not used")
	if got := strings.Count(string(f.read(kept)), "— "); got != 2 {
		t.Errorf("%d checkpoints kept, want 2", got)
	}

	// The log is gone, or emptied: it is the one that is accused.
	f.remove(filepath.Join(f.store, "second", "seals"))
	f.verify("--since", kept)
	f.want(exitTampered, "rollback: the log of custody.example/second", "log second: could not be checked: it has no valid seal")
	if strings.Contains(f.stdout, "rollback: log test") || strings.Count(f.stdout, "rollback") != 1 {
		t.Errorf("an intact log is accused:\n%s", f.stdout)
	}
	f.remove(filepath.Join(f.store, "second"))
	f.verify("--since", kept)
	f.want(exitTampered, "rollback: the log of custody.example/second, which had 4 records")
}

// A log whose origin is not that of the kept checkpoint is not excused by
// naming it.
func TestSinceOfAnotherOrigin(t *testing.T) {
	f := newFixture(t)
	kept := f.path("kept")
	f.verify("--save-checkpoint", kept)
	other := ledgertest.Signer(t, "custody.example/other")
	l := ledgertest.NewLog("test", other)
	l.Add(t, 20)
	f.remove(f.store)
	f.put(f.store, l)
	f.key = f.file("both.pub", f.signer.VerifierKey()+"\n"+other.VerifierKey()+"\n")
	f.verify("--since", kept)
	f.want(exitTampered, "rollback")
	f.verify("--since", kept, "--log", "test")
	f.want(exitUnfinished, "none of the logs named with --log has this origin")
}

func TestCouldNotFinish(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(f *fixture) []string
		want string
	}{
		{"no store", func(f *fixture) []string { f.remove(f.store); return nil }, "no such file"},
		{"empty store", func(f *fixture) []string { f.remove(filepath.Join(f.store, "test")); return nil }, "nothing was verified"},
		{"a log's folder", func(f *fixture) []string { f.store = filepath.Join(f.store, "test"); return nil }, "name the store, which is the folder above"},
		{"the folder above", func(f *fixture) []string { f.store = f.dir; return nil }, "holds no logs, but"},
		{"no seal yet", func(f *fixture) []string { f.remove(filepath.Join(f.store, "test", "seals")); return nil }, "nothing was verified"},
		{"a file", func(f *fixture) []string { f.store = f.key; return nil }, "not a store"},
		{"a segment that cannot be read", func(f *fixture) []string {
			f.remove(f.segment(1))
			if err := os.Symlink("/dev/null", f.segment(1)); err != nil {
				f.t.Fatal(err)
			}
			return nil
		}, "is a link that leads out of the store; copy the file itself"},
		{"seals that lead outside", func(f *fixture) []string {
			seals := filepath.Join(f.store, "test", "seals")
			if err := os.Rename(seals, f.path("seals")); err != nil {
				f.t.Fatal(err)
			}
			if err := os.Symlink(f.path("seals"), seals); err != nil {
				f.t.Fatal(err)
			}
			return nil
		}, "is a link that leads out of the store; copy the file itself"},
		{"interrupted", func(f *fixture) []string {
			ctx, cancel := context.WithCancel(f.ctx)
			cancel()
			f.ctx = ctx
			return nil
		}, "interrupted"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFixture(t)
			more := c.do(f)
			f.verify(more...)
			f.want(exitUnfinished, c.want)
			f.verify(append(more, "--json")...)
			f.want(exitUnfinished)
			var doc struct{ Version, Verdict any }
			if err := json.Unmarshal([]byte(f.stdout), &doc); err != nil || doc.Verdict != "incomplete" || doc.Version != 1.0 {
				t.Errorf("--json gives %s (%v)", f.stdout, err)
			}
		})
	}
}

// A store that holds the log twice, under two names, is not two logs.
func TestCopiedLog(t *testing.T) {
	f := newFixture(t)
	if err := os.CopyFS(filepath.Join(f.store, "copy"), os.DirFS(filepath.Join(f.store, "test"))); err != nil {
		t.Fatal(err)
	}
	f.verify()
	f.want(exitTampered, "seal-chain: log copy, segment 0", `a seal of the log "test"`)
}

func TestProgress(t *testing.T) {
	f := newFixture(t)
	f.terminal = true
	f.verify()
	f.want(exitVerified, "of 3 segments")
	if !strings.HasSuffix(f.err, "\r\x1b[K") || strings.Contains(f.stdout, "\x1b") {
		t.Errorf("the progress line stays: %q", f.err)
	}
	f.verify("--quiet")
	if f.err != "" {
		t.Errorf("--quiet shows progress: %q", f.err)
	}
}

// What lies beside the logs, and what is missing altogether, is said.
func TestNotChecked(t *testing.T) {
	f := newFixture(t)
	f.write(filepath.Join(f.store, "README"), nil)
	f.write(filepath.Join(f.store, ".hidden"), nil)
	if err := os.Symlink("test", filepath.Join(f.store, "link")); err != nil {
		t.Fatal(err)
	}
	f.key = f.file("both.pub", f.signer.VerifierKey()+"\n"+ledgertest.Signer(t, "custody.example/gone").VerifierKey()+"\n")
	f.verify()
	f.want(exitVerified, "README is not a log; not checked", "link is a symbolic link", "no log of custody.example/gone, whose key you trust")
	if strings.Contains(f.stdout, "hidden") {
		t.Errorf("hidden files are not part of a store:\n%s", f.stdout)
	}
}

func TestCheckpointThatCannotBeKept(t *testing.T) {
	f := newFixture(t)
	f.write(f.path("kept/x"), nil)
	f.clock = func() { f.remove(f.path("kept")) } // while it verifies
	f.verify("--json", "--save-checkpoint", f.path("kept/kept"))
	f.want(exitUnfinished, "could not be kept", `"verdict": "incomplete"`)
}

func TestKeptCheckpointsFollowEachOther(t *testing.T) {
	a, b := "origin\n1\nAA==\n\n— origin AAAA\n— witness BBBB\n", "other\n2\nAA==\n\n— other CCCC\n"
	for _, notes := range [][]string{nil, {a}, {a, b}, {b, a, b}, {"no note"}} {
		if got := splitNotes(strings.Join(notes, "")); !slices.Equal(got, notes) {
			t.Errorf("split into %q, want %q", got, notes)
		}
	}
}
