package sealer

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"testing"

	"github.com/otelcol-custody/custody/internal/durable"
	"github.com/otelcol-custody/custody/internal/durable/durabletest"
	"github.com/otelcol-custody/custody/ledger/tree"
)

func groupOf(lines ...string) group {
	var g group
	for _, l := range lines {
		g.addLine([]byte(l))
	}
	return g
}

func sameGroup(a, b *group) bool {
	return bytes.Equal(a.lines, b.lines) && slices.Equal(a.lengths, b.lengths) && slices.Equal(a.digests, b.digests)
}

func sampleGroups() []group {
	return []group{
		groupOf(`{"body":"one"}`, `{"body":"two"}`),
		groupOf(`{"body":"three"}`),
		groupOf(`{}`, ``, "no JSON \x00\xff at all", frameMagic[:3]),
	}
}

func sampleHeader() journalHeader {
	return newHeader("custody.example/web", 7, tree.Digest([]byte("previous")))
}

// writeSample writes a journal as the pool does, with every group answered but
// perhaps the last, and returns its path, and where each frame begins.
func writeSample(t testing.TB, fsys durable.FS, answerLast, closing bool) (path string, starts []int64) {
	t.Helper()
	if err := durable.MkdirAll(fsys, "/s/"+journalDir, 0o700); err != nil {
		t.Fatal(err)
	}
	j, err := createJournal(fsys, "/s", sampleHeader(), nil, false)
	if err != nil {
		t.Fatal(err)
	}
	groups := sampleGroups()
	for i := range groups {
		starts = append(starts, j.written)
		kind := byte(kindGroup)
		if closing && i == len(groups)-1 {
			kind = kindClosing
		}
		if err := errors.Join(j.write(kind, &groups[i]), j.sync()); err != nil {
			t.Fatal(err)
		}
		if answerLast || i < len(groups)-1 {
			if err := j.answering(); err != nil {
				t.Fatal(err)
			}
		}
	}
	starts = append(starts, j.written)
	if err := j.close(); err != nil {
		t.Fatal(err)
	}
	return j.path, starts
}

// overwrite replaces a file as damage does, without asking.
func overwrite(t testing.TB, fsys durable.FS, path string, b []byte) {
	t.Helper()
	f, err := fsys.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.Write(b)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		t.Fatal(err)
	}
}

func mustRead(t testing.TB, fsys durable.FS, path string) []byte {
	t.Helper()
	b, err := readFile(fsys, path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestFramesRoundTrip(t *testing.T) {
	h := sampleHeader()
	f, n, err := parseFrame(append(h.frame(), "rest"...))
	if err != nil || n != len(h.frame()) || f.kind != kindHeader || f.header != h {
		t.Errorf("header: %+v, %d, %v; want %+v, %d", f.header, n, err, h, len(h.frame()))
	}
	all := sampleGroups()
	for _, kind := range []byte{kindGroup, kindClosing} {
		b := appendFrame([]byte("before"), kind, h.file, 9, &all[0], &all[1], &all[2])[len("before"):]
		f, n, err := parseFrame(append(b, "rest"...))
		if err != nil || n != len(b) || f.kind != kind || f.file != h.file || f.sequence != 9 {
			t.Fatalf("group: kind %c, sequence %d, %d of %d bytes, %v", f.kind, f.sequence, n, len(b), err)
		}
		var joined group
		joined.join(all)
		if !sameGroup(&f.group, &joined) {
			t.Errorf("a frame of three runs reads back as %q, want %q", f.group.lines, joined.lines)
		}
	}
}

// judgeJournal demands what a reader of a damaged journal may say: exactly the
// groups as they were written, perhaps without the last if nobody was answered
// for it, or ErrDamaged.
func judgeJournal(t *testing.T, what string, fsys durable.FS, path string, least int) {
	t.Helper()
	c, err := readJournal(fsys, path)
	if err != nil {
		if !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v, want ErrDamaged", what, err)
		}
		if !bytes.Contains([]byte(err.Error()), []byte(path)) {
			t.Errorf("%s: the error does not name the file: %v", what, err)
		}
		return
	}
	want := sampleGroups()
	if len(c.groups) < least || len(c.groups) > len(want) {
		t.Errorf("%s: read %d groups without an error, want %d to %d", what, len(c.groups), least, len(want))
		return
	}
	for i := range c.groups {
		if !sameGroup(&c.groups[i], &want[i]) {
			t.Errorf("%s: group %d reads %q, want %q", what, i, c.groups[i].lines, want[i].lines)
		}
	}
}

func TestJournalDamage(t *testing.T) {
	for _, c := range []struct{ answerLast, closing bool }{{true, false}, {false, false}, {false, true}} {
		fsys := durabletest.New()
		path, starts := writeSample(t, fsys, c.answerLast, c.closing)
		whole := mustRead(t, fsys, path)
		least := len(starts) - 1
		if !c.answerLast {
			least--
		}
		judgeJournal(t, "whole", fsys, path, least)
		name := fmt.Sprintf("last answered %t, closing %t", c.answerLast, c.closing)
		for at := range whole {
			for _, bit := range []byte{0x01, 0x80, 0xff} {
				b := bytes.Clone(whole)
				b[at] ^= bit
				overwrite(t, fsys, path, b)
				judgeJournal(t, fmt.Sprintf("%s: byte %d flipped", name, at), fsys, path, least)
				if _, err := readJournal(fsys, path); int64(at) < starts[least] && err == nil {
					t.Errorf("%s: byte %d of what was answered flipped: no error", name, at)
				}
			}
		}
		for n := range whole {
			overwrite(t, fsys, path, whole[:n])
			judgeJournal(t, fmt.Sprintf("%s: cut to %d", name, n), fsys, path, least)
			zeroed := append(bytes.Clone(whole[:n]), make([]byte, len(whole)-n)...)
			overwrite(t, fsys, path, zeroed)
			judgeJournal(t, fmt.Sprintf("%s: zero from %d on", name, n), fsys, path, least)
		}
	}
}

func TestJournalWithoutWatermark(t *testing.T) {
	for name, spoil := range map[string]func(b []byte) []byte{
		"torn":    func(b []byte) []byte { return b[:len(b)/2] },
		"zeroed":  func(b []byte) []byte { return make([]byte, len(b)) },
		"empty":   func([]byte) []byte { return nil },
		"flipped": func(b []byte) []byte { b[3] ^= 4; return b },
	} {
		fsys := durabletest.New()
		path, starts := writeSample(t, fsys, true, false)
		overwrite(t, fsys, markPath(path), spoil(mustRead(t, fsys, markPath(path))))
		judgeJournal(t, name, fsys, path, len(starts)-1)
	}
	fsys := durabletest.New()
	path, starts := writeSample(t, fsys, true, false)
	if err := fsys.Remove(markPath(path)); err != nil {
		t.Fatal(err)
	}
	judgeJournal(t, "missing", fsys, path, len(starts)-1)
	other := durabletest.New()
	writeSample(t, other, true, false)
	overwrite(t, fsys, markPath(path), mustRead(t, other, markPath(path)))
	b := mustRead(t, fsys, path)
	overwrite(t, fsys, path, b[:len(b)-1])
	if c, err := readJournal(fsys, path); err != nil || len(c.groups) != 2 {
		t.Errorf("a cut last frame with another file's watermark: %v, want it dropped", err)
	}
}

func TestJournalRefusals(t *testing.T) {
	fsys := durabletest.New()
	path, starts := writeSample(t, fsys, false, true)
	whole := mustRead(t, fsys, path)
	group := whole[starts[0]:starts[1]]
	for name, b := range map[string][]byte{
		"bytes behind the closing frame":      append(bytes.Clone(whole), 0),
		"a good frame behind the closing one": append(bytes.Clone(whole), group...),
		"a frame twice":                       slices.Concat(whole[:starts[1]], group),
		"a frame left out":                    slices.Concat(whole[:starts[0]], whole[starts[1]:]),
		"two headers":                         slices.Concat(whole[:starts[0]], whole[:starts[0]], whole[starts[0]:]),
		"no header":                           whole[starts[0]:],
		"bad middle frame":                    slices.Concat(whole[:starts[1]-1], []byte{whole[starts[1]-1] ^ 1}, whole[starts[1]:]),
		"nothing":                             nil,
	} {
		overwrite(t, fsys, path, b)
		_ = fsys.Remove(markPath(path)) // The first of them removed it.
		if _, err := readJournal(fsys, path); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v, want ErrDamaged", name, err)
		}
	}
}

// A journal that was written anew answers for its groups at once.
func TestRenewedJournalIsWitnessed(t *testing.T) {
	fsys := durabletest.New()
	path, _ := writeSample(t, fsys, true, false)
	c, err := readJournal(fsys, path)
	if err != nil {
		t.Fatal(err)
	}
	j, err := createJournal(fsys, "/s", newHeaderLike(c.header), c.groups, false)
	if err != nil {
		t.Fatal(err)
	}
	if err := j.close(); err != nil {
		t.Fatal(err)
	}
	b := mustRead(t, fsys, path)
	b[len(b)-1] ^= 1
	overwrite(t, fsys, path, b)
	if _, err := readJournal(fsys, path); !errors.Is(err, ErrDamaged) {
		t.Errorf("its last frame is damaged: %v, want ErrDamaged", err)
	}
}

func FuzzParseFrame(f *testing.F) {
	h := sampleHeader()
	f.Add(h.frame())
	for _, g := range sampleGroups() {
		f.Add(appendFrame(nil, kindGroup, h.file, 1, &g))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		fr, n, err := parseFrame(b)
		if err != nil {
			return
		}
		var again []byte
		if fr.kind == kindHeader {
			again = fr.header.frame()
			if fr.sequence != 0 {
				return // Readers refuse it by its place.
			}
		} else {
			again = appendFrame(nil, fr.kind, fr.file, fr.sequence, &fr.group)
		}
		if !bytes.Equal(again, b[:n]) {
			t.Errorf("a frame has two encodings:\n%x\n%x", b[:n], again)
		}
	})
}

func FuzzReadJournal(f *testing.F) {
	fsys := durabletest.New()
	path, starts := writeSample(f, fsys, true, true)
	whole, mark := mustRead(f, fsys, path), mustRead(f, fsys, markPath(path))
	f.Add(whole, mark)
	f.Add(whole[:starts[1]], mark)
	f.Add(whole[:len(whole)-3], []byte{})
	f.Fuzz(func(t *testing.T, b, mark []byte) {
		fsys := durabletest.New()
		path, _ := writeSample(t, fsys, true, true)
		overwrite(t, fsys, path, b)
		overwrite(t, fsys, markPath(path), mark)
		c, err := readJournal(fsys, path)
		if err != nil {
			if !errors.Is(err, ErrDamaged) {
				t.Errorf("%v, want ErrDamaged", err)
			}
			return
		}
		again := c.header.frame()
		for i := range c.groups {
			kind := byte(kindGroup)
			if c.closed && i == len(c.groups)-1 {
				kind = kindClosing
			}
			again = appendFrame(again, kind, c.header.file, uint64(i+1), &c.groups[i])
		}
		if !bytes.Equal(again, b[:c.size]) {
			t.Error("a journal was read as something else than it says")
		}
	})
}
