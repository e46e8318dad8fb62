package transfer

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/otelcol-custody/custody/ledger"
	"github.com/otelcol-custody/custody/ledger/verify"
	"github.com/otelcol-custody/custody/store"
	"github.com/otelcol-custody/custody/store/storetest"
)

func TestFetch(t *testing.T) {
	from := storetest.NewMemory("a")
	one, two := newLog(t, "one"), newLog(t, "two")
	fill(t, from, one.Segments...)
	fill(t, from, two.Segments...)
	c := newCopy(t)
	var last Progress
	r, err := c.fetch(from, Options{Progress: func(p Progress) { last = p }})
	if err != nil {
		t.Fatal(err)
	}
	for i, log := range []string{"one", "two"} {
		if l := r.Logs[i]; l.Log != log || l.Objects != 9 || l.Skipped != 0 || len(l.Notices) != 0 || !l.Complete() || l.Tampered() {
			t.Errorf("log %d: %+v", i, l)
		}
	}
	if want := (Progress{Log: "two", Done: 9, Found: 9, Listed: true, Bytes: r.Logs[1].Bytes}); last != want {
		t.Errorf("progress ended with %+v, want %+v", last, want)
	}
	to := c.open()
	wantSame(t, to, from)
	if err := to.Close(); err != nil {
		t.Error(err)
	}
	c.wantVerified(one)
	c.wantVerified(two)
}

// A second fetch reads nothing, a third one only what is new.
func TestFetchAgain(t *testing.T) {
	from := &counting{Memory: storetest.NewMemory("a")}
	l := newLog(t, "one")
	fill(t, from, l.Segments[:3]...)
	c := newCopy(t)
	for i, want := range []Report{{Objects: 6}, {Skipped: 6}, {Objects: 3, Skipped: 6}} {
		if i == 2 {
			fill(t, from, l.Segments[3])
		}
		from.reads.Store(0)
		r, err := c.fetch(from, Options{Workers: 1})
		if err != nil {
			t.Fatal(err)
		}
		got := r.Logs[0]
		if got.Objects != want.Objects || got.Skipped != want.Skipped || from.reads.Load() != int64(want.Objects) {
			t.Errorf("fetch %d copied %d and skipped %d objects with %d reads, want %d and %d", i, got.Objects, got.Skipped, from.reads.Load(), want.Objects, want.Skipped)
		}
	}
	c.wantVerified(l)
}

// Where the newest version is not the genuine one, it is found below, and what
// lies on top is noticed. A second fetch says the same and reads nothing.
func TestFetchBelowShadows(t *testing.T) {
	const log = "one"
	l := newLog(t, log)
	s := l.Segments[3]
	segment, tile, seal := log+"/"+s.Seal.SegmentName(), log+"/"+ledger.TileName(1, 0), log+"/"+s.Seal.Name()
	for name, c := range map[string]struct {
		do       func(*storetest.Memory)
		notices  []Code
		findings []verify.Code
	}{
		"segment shadowed":                      {func(m *storetest.Memory) { m.Shadow(segment, []byte("x")) }, []Code{Shadowed}, nil},
		"segment shadowed with its own size":    {func(m *storetest.Memory) { m.Shadow(segment, flipped(s.Object)) }, []Code{Shadowed}, nil},
		"segment hidden":                        {func(m *storetest.Memory) { m.Hide(segment) }, []Code{Hidden}, nil},
		"segment hidden and shadowed":           {func(m *storetest.Memory) { m.Hide(segment); m.Shadow(segment, nil) }, []Code{Hidden, Shadowed}, nil},
		"segment shadowed by what is too large": {func(m *storetest.Memory) { m.Shadow(segment, make([]byte, ledger.MaxSegment+1)) }, []Code{TooLarge}, nil},
		"tile shadowed":                         {func(m *storetest.Memory) { m.Shadow(tile, make([]byte, 8192)) }, []Code{Shadowed}, nil},
		"tile hidden":                           {func(m *storetest.Memory) { m.Hide(tile) }, []Code{Hidden}, nil},
		"seal hidden":                           {func(m *storetest.Memory) { m.Hide(seal) }, []Code{Hidden}, nil},
		"seal put again":                        {func(m *storetest.Memory) { m.Shadow(seal, s.Seal.Bytes()) }, []Code{Shadowed}, nil},
		// Which is genuine only a key can tell: both are kept, and verify names the other.
		"seal shadowed": {func(m *storetest.Memory) { m.Shadow(seal, []byte("x")) }, []Code{Shadowed}, []verify.Code{verify.ForeignObject}},
		"log hidden":    {func(m *storetest.Memory) { hideAll(m, l.Segments[0].Seal.Log) }, slices.Repeat([]Code{Hidden}, 9), nil},
		"objects of strangers": {func(m *storetest.Memory) {
			put(t, m, "one/tiles/1/x", nil)
			put(t, m, "one/notes/x", nil)
			m.Hide("one/seals/x")
		}, []Code{Foreign, Foreign, Foreign}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			from := &counting{Memory: storetest.NewMemory("a")}
			fill(t, from, l.Segments...)
			c.do(from.Memory)
			dir := newCopy(t)
			first := dir.must(from).Logs[0]
			if got := codes(first); !slices.Equal(got, c.notices) || first.Tampered() {
				t.Errorf("notices %+v, findings %+v; want %v and none", first.Notices, first.Findings, c.notices)
			}
			r := dir.verify(log)
			var found []verify.Code
			for _, f := range r.Findings {
				found = append(found, f.Code)
			}
			if !slices.Equal(found, c.findings) || r.Checked != s.Seal.End() || !r.Complete() {
				t.Errorf("verify finds %v, want %v; %d records checked", r.Findings, c.findings, r.Checked)
			}
			for _, n := range r.Notices {
				t.Errorf("verify notices %s", n)
			}
			from.reads.Store(0)
			second := dir.must(from).Logs[0]
			if second.Objects != 0 || !slices.Equal(second.Notices, first.Notices) || from.reads.Load() != 0 && name != "seal put again" {
				t.Errorf("fetched again: %d objects, %d reads, notices %+v, want 0, 0 and %+v", second.Objects, from.reads.Load(), second.Notices, first.Notices)
			}
		})
	}
}

func hideAll(m *storetest.Memory, log string) {
	var names []string
	for info := range m.List(context.Background(), log+"/", "") {
		names = append(names, info.Name)
	}
	for _, name := range names {
		m.Hide(name)
	}
}

// Every content that a seal's place ever had is kept, under names that verifiers
// look at, the same whenever it came.
func TestFetchKeepsEverySeal(t *testing.T) {
	l := newLog(t, "one")
	s := l.Segments[1]
	name := func(n int) string { return "one/" + ledger.BesideSealName(s.Seal.First, n) }
	from := storetest.NewMemory("a")
	fill(t, from, l.Segments[0], l.Segments[2], l.Segments[3])
	put(t, from, "one/"+s.Seal.SegmentName(), s.Object)
	put(t, from, "one/"+s.Seal.Name(), []byte("squatter"))
	put(t, from, name(1), s.Seal.Bytes())
	from.Shadow("one/"+s.Seal.Name(), []byte("second"))
	from.Shadow(name(1), []byte("squatter")) // The same bytes as elsewhere.
	c := newCopy(t)
	c.must(from)
	from.Shadow(name(1), []byte("third"))
	put(t, from, name(2), []byte("fourth")) // "second" has this name in the directory.
	for range 2 {
		c.must(from)
	}
	to := c.open()
	defer func() { _ = to.Close() }()
	got := content(t, to)
	for n, want := range []string{"squatter", string(s.Seal.Bytes()), "second", "third", "fourth"} {
		at := name(n)
		if n == 0 {
			at = "one/" + s.Seal.Name()
		}
		if n >= 3 { // Their order is that of their names in the store.
			want = ""
		}
		if want != "" && got[at] != want {
			t.Errorf("%s holds %.20q, want %.20q", at, got[at], want)
		}
	}
	if len(got) != len(content(t, from))+2 {
		t.Errorf("%d objects in the directory", len(got))
	}
	if r := c.verify("one"); r.Checked != l.Segments[3].Seal.End() || len(r.Findings) != 4 {
		t.Errorf("verify: %d records, findings %v", r.Checked, r.Findings)
	}
}

// What is altered is copied as it is, so that verify names the records.
func TestFetchAltered(t *testing.T) {
	l := newLog(t, "one")
	s := l.Segments[2]
	name := "one/" + s.Seal.SegmentName()
	from := storetest.NewMemory("a")
	fill(t, from, l.Segments...)
	from.Erase(name)
	put(t, from, name, flipped(s.Object))
	c := newCopy(t)
	r := c.must(from).Logs[0]
	if len(r.Findings) != 1 || r.Findings[0].Code != SegmentAltered || r.Findings[0].Object != name || *r.Findings[0].First != s.Seal.First {
		t.Errorf("findings %+v", r.Findings)
	}
	v := c.verify("one")
	if len(v.Findings) != 1 || v.Findings[0].Code != verify.SegmentAltered || v.Findings[0].First != s.Seal.First {
		t.Errorf("verify finds %v", v.Findings)
	}
}

// What only a stranger can have put among seals and segments is left out of the
// copy, so verify cannot name it: fetch does, each time.
func TestFetchForeign(t *testing.T) {
	l := newLog(t, "one")
	for _, name := range []string{"one/seals/x.seal", "one/segments/x", "one/seals/deep/" + ledger.SealName(0)} {
		from, c := storetest.NewMemory("a"), newCopy(t)
		fill(t, from, l.Segments...)
		put(t, from, name, []byte("x"))
		for range 2 {
			r := c.must(from).Logs[0]
			if len(r.Findings) != 1 || r.Findings[0].Code != ForeignObject || r.Findings[0].Object != name || r.Foreign != 1 {
				t.Errorf("%s: %+v", name, r)
			}
		}
		c.wantVerified(l)
	}
}

func TestFetchGone(t *testing.T) {
	l := newLog(t, "one")
	from := storetest.NewMemory("a")
	fill(t, from, l.Segments...)
	c := newCopy(t)
	c.must(from)
	from.Erase("one/" + l.Segments[1].Seal.SegmentName()) // As when its time is over.
	from.Erase("one/" + l.Segments[1].Seal.Name())
	r := c.must(from).Logs[0]
	if len(r.Notices) != 1 || r.Notices[0].Code != Gone || r.Notices[0].Object != "one/"+l.Segments[1].Seal.Name() || r.Tampered() {
		t.Errorf("%+v", r)
	}
	c.wantVerified(l)
}

// Where directory and store contradict each other, one of them was altered.
func TestFetchContradiction(t *testing.T) {
	l := newLog(t, "one")
	s := l.Segments[1]
	for name, c := range map[string]struct {
		object string
		data   []byte
		here   bool // altered in the directory
		want   Code
	}{
		"segment in the directory": {s.Seal.SegmentName(), []byte("x"), true, CopyDiffers},
		"segment in the store":     {s.Seal.SegmentName(), []byte("x"), false, SegmentAltered},
		"seal in the directory":    {s.Seal.Name(), []byte("x"), true, CopyDiffers},
		"seal in the store":        {s.Seal.Name(), []byte("x"), false, CopyDiffers},
		"tile in the directory":    {ledger.TileName(1, 0), []byte("x"), true, CopyDiffers},
	} {
		t.Run(name, func(t *testing.T) {
			from, dir := storetest.NewMemory("a"), newCopy(t)
			fill(t, from, l.Segments...)
			dir.must(from)
			object := "one/" + c.object
			if c.here {
				file := filepath.Join(dir.dir, filepath.FromSlash(object))
				if err := errors.Join(os.Chmod(file, 0o600), os.WriteFile(file, c.data, 0o600)); err != nil {
					t.Fatal(err)
				}
			} else {
				from.Erase(object)
				put(t, from, object, c.data)
			}
			for range 2 {
				r := dir.must(from).Logs[0]
				if len(r.Findings) != 1 || r.Findings[0].Code != c.want || r.Findings[0].Object != object {
					t.Fatalf("findings %+v, want %s of %s", r.Findings, c.want, object)
				}
				if c.object == s.Seal.Name() { // Kept beside from the first time on.
					break
				}
			}
		})
	}
}

func TestFetchResumes(t *testing.T) {
	l := newLog(t, "one")
	mem := storetest.NewMemory("a")
	fill(t, mem, l.Segments...)
	stopped := 0
	for stop := range 9 {
		from, c := storetest.NewFaulty(t, mem), newCopy(t)
		ctx, cancel := context.WithCancel(t.Context())
		to := c.open()
		_, err := Fetch(ctx, from, to, Options{Workers: 1, Progress: func(p Progress) {
			if p.Done >= uint64(stop) {
				cancel()
			}
		}})
		cancel()
		if err := to.Close(); err != nil {
			t.Fatal(err)
		}
		switch {
		case errors.Is(err, context.Canceled):
			stopped++
		case err != nil: // Without an error it was done before it noticed.
			t.Fatalf("stopped after %d: %v", stop, err)
		}
		r := c.must(from)
		if l := r.Logs[0]; l.Skipped < uint64(stop) || l.Skipped+l.Objects != 9 {
			t.Errorf("stopped after %d, went on with %d skipped and %d copied", stop, l.Skipped, l.Objects)
		}
		c.wantVerified(l)
	}
	if stopped < 5 {
		t.Errorf("only %d of 9 were stopped", stopped)
	}
}

// Passing faults are got over; lasting ones of single objects are passed over.
func TestFetchFaults(t *testing.T) {
	l := newLog(t, "one")
	mem := storetest.NewMemory("a")
	fill(t, mem, l.Segments...)
	synctest.Test(t, func(t *testing.T) {
		for _, f := range []storetest.Fault{{Method: storetest.Get}, {Method: storetest.Get, N: 3}, {Method: storetest.List}, {Method: storetest.List, N: 4}} {
			from, to := storetest.NewFaulty(t, mem), storetest.NewMemory("b")
			from.Inject(f)
			r, err := Fetch(t.Context(), from, to, Options{})
			if err != nil || !r.Complete() {
				t.Errorf("%+v: %v, %+v", f, err, r)
			}
			wantSame(t, to, mem)
		}
		from, to := storetest.NewFaulty(t, mem), storetest.NewMemory("b")
		name := "one/" + l.Segments[1].Seal.SegmentName()
		from.Inject(storetest.Fault{Method: storetest.Get, Name: name, UntilHeal: true})
		r, err := Fetch(t.Context(), from, to, Options{})
		if err != nil || r.Complete() || r.Logs[0].Failed != 1 || r.Logs[0].Failures[0].Object != name || r.Logs[0].Objects != 8 {
			t.Errorf("%v, %+v", err, r.Logs[0])
		}
		from.Heal()
		if r, err = Fetch(t.Context(), from, to, Options{}); err != nil || !r.Complete() || r.Logs[0].Objects != 1 {
			t.Errorf("%v, %+v", err, r.Logs[0])
		}
	})
}

// A store that fails every time is given up, not asked a million times.
func TestFetchGivesUp(t *testing.T) {
	mem := storetest.NewMemory("a")
	for i := range 200 {
		put(t, mem, "one/"+ledger.SealName(uint64(i)), []byte("x"))
	}
	synctest.Test(t, func(t *testing.T) {
		for _, fault := range []error{store.ErrUnavailable, store.ErrDenied} {
			from := storetest.NewFaulty(t, mem)
			from.Inject(storetest.Fault{Method: storetest.Get, UntilHeal: true, Err: fmt.Errorf("%w: injected", fault)})
			_, err := Fetch(t.Context(), from, storetest.NewMemory("b"), Options{})
			if !errors.Is(err, errGivenUp) || !errors.Is(err, fault) || len(from.Calls()) > 200 {
				t.Errorf("%v after %d calls", err, len(from.Calls()))
			}
		}
	})
}

func TestFetchFullDisk(t *testing.T) {
	l := newLog(t, "one")
	from, to := storetest.NewMemory("a"), storetest.NewFaulty(t, storetest.NewMemory("b"))
	fill(t, from, l.Segments...)
	to.Inject(storetest.Fault{Method: storetest.Put, N: 2, UntilHeal: true, Err: store.ErrFull})
	r, err := Fetch(t.Context(), from, to, Options{Workers: 1})
	if !errors.Is(err, store.ErrFull) || r.Logs[0].Objects != 1 {
		t.Errorf("%v, %+v", err, r)
	}
	to.Heal()
	if r, err = Fetch(t.Context(), from, to, Options{}); err != nil || r.Logs[0].Objects != 8 {
		t.Errorf("%v, %+v", err, r)
	}
}

func TestFetchNothing(t *testing.T) {
	from := storetest.NewMemory("a")
	put(t, from, "readme.txt", nil)
	put(t, from, "other/x", nil)
	c := newCopy(t)
	r, err := c.fetch(from, Options{})
	if !errors.Is(err, ErrNoLog) || !slices.Equal(r.Beside, []string{"readme.txt", "other/"}) {
		t.Errorf("%v, %+v", err, r)
	}
	fill(t, from, newLog(t, "one").Segments...)
	if _, err := c.fetch(from, Options{Logs: []string{"two"}}); !errors.Is(err, ErrNoLog) {
		t.Errorf("an unknown log: %v", err)
	}
	if r := c.must(from); len(r.Logs) != 1 || r.Logs[0].Log != "one" {
		t.Errorf("%+v", r)
	}
}

// A seal that was listed has its segment in the copy, also when the log is
// written meanwhile.
func TestFetchWhileWritten(t *testing.T) {
	l := newLog(t, "one")
	mem := storetest.NewMemory("a")
	fill(t, mem, l.Segments[:2]...)
	from, c := &growing{Memory: mem, grow: func() { fill(t, mem, l.Segments[2:]...) }}, newCopy(t)
	c.must(from)
	if r := c.verify("one"); r.Tampered() || !r.Complete() {
		t.Errorf("verify: %v %v", r.Findings, r.Unread)
	}
	c.must(from)
	c.wantVerified(l)
}

// growing gets new objects between its listings.
type growing struct {
	*storetest.Memory
	grow func()
}

func (g *growing) ListVersions(ctx context.Context, prefix, after string) iter.Seq2[store.Info, error] {
	return func(yield func(store.Info, error) bool) {
		g.Memory.ListVersions(ctx, prefix, after)(yield)
		if strings.HasSuffix(prefix, "/segments/") {
			g.grow()
		}
	}
}

// A listing that breaks off, even between the versions of an object, is taken up
// again: nothing is left out, nothing comes twice.
func TestFetchBrokenListing(t *testing.T) {
	l := newLog(t, "one")
	mem := storetest.NewMemory("a")
	fill(t, mem, l.Segments...)
	name := "one/" + l.Segments[1].Seal.SegmentName()
	mem.Shadow(name, []byte("x"))
	synctest.Test(t, func(t *testing.T) {
		for after := range 5 {
			to := storetest.NewMemory("b")
			r, err := Fetch(t.Context(), &breaking{Memory: mem, after: after, broken: map[string]bool{}}, to, Options{})
			if err != nil || !r.Complete() || r.Logs[0].Objects != 9 || r.Logs[0].Skipped != 0 || !slices.Equal(codes(r.Logs[0]), []Code{Shadowed}) {
				t.Errorf("broken after %d: %v, %+v", after, err, r.Logs[0])
			}
		}
	})
}

// breaking is a store whose listings break off once.
type breaking struct {
	*storetest.Memory
	after  int
	mu     sync.Mutex
	broken map[string]bool // prefixes
}

func (b *breaking) ListVersions(ctx context.Context, prefix, after string) iter.Seq2[store.Info, error] {
	b.mu.Lock()
	defer b.mu.Unlock()
	breaks := !b.broken[prefix]
	b.broken[prefix] = true
	return func(yield func(store.Info, error) bool) {
		n := 0
		for info, err := range b.Memory.ListVersions(ctx, prefix, after) {
			if n++; breaks && n > b.after {
				yield(store.Info{}, store.ErrUnavailable)
				return
			}
			if !yield(info, err) {
				return
			}
		}
	}
}
