package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/otelcol-custody/custody/ledger/ledgertest"
)

// withOther adds a second log, named "other", and trusts its key too. It returns
// a kept checkpoint of the first.
func (f *fixture) withOther() (kept string) {
	f.t.Helper()
	kept = f.path("kept.checkpoint")
	f.verify("--save-checkpoint", kept)
	f.want(exitVerified)
	signer := ledgertest.Signer(f.t, "custody.example/other")
	l := ledgertest.NewLog("other", signer)
	l.Add(f.t, 3, 4)
	f.put(f.store, l)
	f.key = f.file("both.pub", f.signer.VerifierKey()+"\n"+signer.VerifierKey()+"\n")
	return kept
}

// A log that lost all its seals is never verified, whatever the others have.
func TestLostSeals(t *testing.T) {
	f := newFixture(t)
	kept := f.withOther()
	was := string(f.read(kept))
	f.remove(filepath.Join(f.store, "other", "seals"))
	const unsealed = "log other: could not be checked: it has no valid seal: nothing was verified"
	for _, more := range [][]string{nil, {"--since", kept}, {"--since", kept, "--save-checkpoint", kept}, {"--save-checkpoint", f.path("new")}} {
		f.verify(more...)
		f.want(exitUnfinished, unsealed)
	}
	if string(f.read(kept)) != was {
		t.Error("the kept checkpoint was replaced")
	}

	// Another log's checkpoint says nothing about it.
	f.verify("--log", "other", "--since", kept)
	f.want(exitUnfinished, unsealed, "none of the logs named with --log has this origin")

	// Everything was read, and the log of the checkpoint has no seal either.
	f.remove(filepath.Join(f.store, "test", "seals"))
	f.verify("--since", kept)
	f.want(exitTampered, "rollback: the log of "+origin+", which had 10 records")
}

// A failed read is neither silence nor an accusation.
func TestUnreadableLog(t *testing.T) {
	// A link that leads out of the store cannot be read by anybody, root included.
	for name, unreadable := range map[string]func(f *fixture){
		"seals folder": func(f *fixture) { f.lead(filepath.Join(f.store, "test", "seals")) },
		"both folders": func(f *fixture) {
			f.lead(filepath.Join(f.store, "test", "seals"))
			f.lead(filepath.Join(f.store, "test", "segments"))
		},
		"every seal": func(f *fixture) {
			for i := range f.log.Segments {
				f.lead(f.seal(i))
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			kept := f.withOther()
			unreadable(f)
			f.verify()
			f.want(exitUnfinished, "log test: could not be checked")
			f.verify("--since", kept)
			f.want(exitUnfinished, "kept checkpoint of "+origin+": not compared, since log test")
			f.verify("--log", "test", "--since", kept)
			f.want(exitUnfinished)
			if strings.Contains(f.stdout, "rollback") {
				t.Errorf("a failed read accuses:\n%s", f.stdout)
			}

			// It does not excuse a log whose seals are readable.
			f.remove(filepath.Join(f.store, "test"))
			f.verify("--since", kept)
			f.want(exitTampered, "rollback: the log of "+origin)
		})
	}
}

// lead puts a link that leads out of the store in an object's place.
func (f *fixture) lead(path string) {
	f.t.Helper()
	f.remove(path)
	if err := os.Symlink("/dev/null", path); err != nil {
		f.t.Fatal(err)
	}
}
