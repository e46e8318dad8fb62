package e2e

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// keep keeps a checkpoint of a store, as an auditor does.
func (h *home) keep(t *testing.T, name string) string {
	t.Helper()
	file := h.path(name)
	verify(t, 0, h.store(), h.pub(), "--save-checkpoint", file)
	return file
}

// goesOn starts a recovered log, adds to it, stops it, and returns what is stored.
func (h *home) goesOn(t *testing.T, b *book, prefix string) []stored {
	t.Helper()
	loaded(t, h, b, prefix, `processors: {hash_chain: {on_missing_head: fail}}`)
	return readStore(t, h.store())
}

// recoveries are the sealed records that say what a recovery saw and did.
func recoveries(records []stored) (list []string) {
	for i := range records {
		if strings.Contains(string(records[i].Custody), `"recovery"`) {
			list = append(list, string(records[i].Custody))
		}
	}
	return list
}

// The disk with the state is gone. With a checkpoint that somebody kept the log
// goes on; everything that was stored is still what it was.
func TestRecoverLostState(t *testing.T) {
	t.Parallel()
	h := newHome(t, "")
	b, places := newBook(), &places{}
	loaded(t, h, b, "a")
	before := readStore(t, h.store())
	places.check(t, before)
	kept := h.keep(t, "kept.checkpoint")
	done(t, os.RemoveAll(h.path("state")))
	wantRefusal(t, h, `processors: {hash_chain: {on_missing_head: fail}}`, "holds no history of log quickstart", "recover")
	done(t, os.RemoveAll(h.path("state")))

	r := h.onConfig(t, "recover", nil, nil).want(t, 1)
	wantSaid(t, r.stdout, "--checkpoint", "REFUSED; nothing was changed")
	r = h.onConfig(t, "recover", nil, []string{"--checkpoint", kept, "--dry-run"}).want(t, 0)
	wantSaid(t, r.stdout, "remembered by kept.checkpoint", "agrees", "CAN BE RECOVERED")
	if _, err := os.Stat(h.path("state/identity")); err == nil {
		t.Error("a dry run made a state directory")
	}
	h.onConfig(t, "recover", nil, []string{"--checkpoint", kept, "--log", logName}).want(t, 0)
	h.onConfig(t, "recover", nil, []string{"--checkpoint", kept}).want(t, 0) // There is nothing left to do.

	after := h.goesOn(t, b, "b")
	places.check(t, after)
	b.check(t, after)
	verify(t, 0, h.store(), h.pub(), "--since", kept)
	if n := len(recoveries(after)); n != 1 || len(recoveries(before)) != 0 {
		t.Errorf("%d records tell of a recovery, want 1", n)
	}
	wantSaid(t, custody(t, "inspect", h.store()).want(t, 0).stdout, "recover")
}

// A store that was cut off is not taken for the whole log: not without the word of
// an operator, and never behind the back of who kept a checkpoint.
func TestRecoverTruncatedStore(t *testing.T) {
	t.Parallel()
	h := newHome(t, "")
	b := newBook()
	loaded(t, h, b, "a")
	loaded(t, h, b, "b")
	kept := h.keep(t, "kept.checkpoint")
	seals, segments := objects(t, h.store(), "seals"), objects(t, h.store(), "segments")
	remove(t, seals[len(seals)-1])
	last := filepath.Base(seals[len(seals)-1])[:20]
	remove(t, segments[slices.IndexFunc(segments, func(s string) bool { return strings.HasPrefix(filepath.Base(s), last) })])
	done(t, os.RemoveAll(h.path("state")))

	r := h.onConfig(t, "recover", nil, []string{"--checkpoint", kept}).want(t, 1)
	wantSaid(t, r.stdout, "kept.checkpoint", "ahead", "REFUSED")
	h.onConfig(t, "recover", nil, nil).want(t, 1)
	r = h.onConfig(t, "recover", nil, []string{"--checkpoint", kept, "--accept-loss"}).want(t, 0)
	wantSaid(t, r.stdout, "ACCEPTED LOSS", "RECOVERED")

	after := h.goesOn(t, newBook(), "c")
	told := recoveries(after)
	if len(told) != 1 || !strings.Contains(told[0], "kept.checkpoint") {
		t.Errorf("the log tells of its recovery: %q", told)
	}
	verify(t, 0, h.store(), h.pub())
	verify(t, 1, h.store(), h.pub(), "--since", kept) // Who remembers still finds it.
}

// The state comes from an old backup; the store is ahead.
func TestRecoverOldBackup(t *testing.T) {
	t.Parallel()
	h := newHome(t, "")
	b, places := newBook(), &places{}
	loaded(t, h, b, "a")
	copyTree(t, h.path("state"), h.path("backup"))
	loaded(t, h, b, "b")
	places.check(t, readStore(t, h.store()))
	kept := h.keep(t, "kept.checkpoint")
	done(t, os.RemoveAll(h.path("state")))
	done(t, os.Rename(h.path("backup"), h.path("state")))
	wantRefusal(t, h, "", "the store is ahead", "otelcol-custody recover")

	h.onConfig(t, "recover", nil, []string{"--checkpoint", kept}).want(t, 0)
	after := h.goesOn(t, b, "c")
	places.check(t, after)
	b.check(t, after)
	verify(t, 0, h.store(), h.pub(), "--since", kept)
}

// A damaged journal: what can be read of it is sealed, and the log goes on.
func TestRecoverDamagedJournal(t *testing.T) {
	t.Parallel()
	h := newHome(t, "")
	b := newBook()
	c := start(t, h, `processors: {hash_chain: {segment: {max_age: 1h}}}`)
	s := byGRPC(t, h.grpc)
	for i := range 20 {
		b.mustDeliver(t, s, strings.Repeat("x", i+1))
	}
	c.kill()
	journals, err := filepath.Glob(h.path("state/journal/*.journal"))
	if err != nil || len(journals) != 1 {
		t.Fatalf("journals: %q, %v", journals, err)
	}
	edit(t, journals[0], func(b []byte) []byte { b[len(b)/2] ^= 1; return b })
	wantRefusal(t, h, "", "state is damaged", "otelcol-custody recover")

	r := h.onConfig(t, "recover", nil, nil).want(t, 1)
	wantSaid(t, h.said(r.stdout), "against it: journal/00000000000000000000.journal has lost acknowledged writes", "1 at least", "REFUSED")
	r = h.onConfig(t, "recover", nil, []string{"--accept-loss"}).want(t, 0)
	wantSaid(t, h.said(r.stdout), "state: journal/00000000000000000000.journal: frame", "its digest is wrong", "RECOVERED", "sealed again")
	after := h.goesOn(t, newBook(), "after")
	verify(t, 0, h.store(), h.pub())
	found := idsOf(after)
	lost := 0
	for id := range b.answered {
		if found[id] == 0 {
			lost++
		}
	}
	if lost > 1 { // The one whose frame was damaged.
		t.Errorf("%d of %d answered records are lost by one damaged byte", lost, len(b.answered))
	}
	if n := len(recoveries(after)); n != 1 {
		t.Errorf("%d records tell of a recovery, want 1", n)
	}
}
