package wormexport

import (
	"bytes"
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"testing"

	"go.opentelemetry.io/collector/component/componentstatus"

	"github.com/otelcol-custody/custody/internal/delivery"
	"github.com/otelcol-custody/custody/internal/logstore"
	"github.com/otelcol-custody/custody/ledger/checkpoint"
	"github.com/otelcol-custody/custody/ledger/ledgertest"
	"github.com/otelcol-custody/custody/store/storetest"
)

// fork makes two histories that share their beginning:
//
//	A -> B -> C
//	     B -> X -> Y
type forked struct{ a, b, c, x, y ledgertest.Segment }

func newFork(t *testing.T) forked {
	l := ledgertest.NewLog("test", ledgertest.Signer(t, origin))
	var f forked
	f.a, f.b = l.Add(t, 3), l.Add(t, 2)
	other := l.Branch("other")
	f.c = l.Add(t, 4)
	f.x, f.y = other.Add(t, 4), other.Add(t, 1)
	return f
}

func TestForkAtDelivery(t *testing.T) {
	f := newFork(t)
	for name, warm := range map[string]bool{"warm": true, "cold": false} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, nil)
			b.must(f.a, f.b)
			other := newBench(t, b.mem)
			other.must(f.x)
			if !warm {
				b = newBench(t, b.mem)
			}
			fork := wantFork(t, b.deliver(f.c))
			want := delivery.ForkError{
				Store: "memory://test", Log: "test", Object: "test/" + f.x.Seal.Name(), Size: 5,
				Ours: string(f.c.Seal.After().Note()), Theirs: string(f.x.Seal.After().Note()), Shared: 5,
			}
			if *fork != want {
				t.Errorf("got  %+v\nwant %+v", *fork, want)
			}
			if got := b.host.statuses(); !slices.Equal(got, []componentstatus.Status{componentstatus.StatusPermanentError}) {
				t.Errorf("reported %v", got)
			}
			wantFork(t, b.deliver(f.c)) // It stays one.
			if warm {                   // Content goes before the seal, which is what finds the fork.
				b.mem.Erase("test/" + f.c.Seal.SegmentName())
			}
			b.holds(f.a, f.b, f.x)
		})
	}
}

// The store went on along X; our next segment would follow C.
func TestForkBehind(t *testing.T) {
	l := ledgertest.NewLog("test", ledgertest.Signer(t, origin))
	l.Add(t, 3)
	other := l.Branch("other")
	l.Add(t, 4)
	d := l.Add(t, 1)
	for name, cut := range map[string][]int{"same cut": {4}, "overlapping": {9}, "two inside": {1, 9}} {
		t.Run(name, func(t *testing.T) {
			o := other.Branch(name)
			o.Add(t, cut...)
			b := newBench(t, nil)
			b.must(o.Segments...)
			wantFork(t, b.deliver(d))
			cold := newBench(t, b.mem)
			before := len(b.names())
			fork := wantFork(t, cold.deliver(d))
			if want := o.Segments[len(o.Segments)-1]; fork.Object != "test/"+want.Seal.Name() || fork.Ours != string(d.Seal.Before()) {
				t.Errorf("got %+v", fork)
			}
			if wrote := len(b.names()) - before; wrote > 0 {
				t.Errorf("%d objects more, of a fork", wrote)
			}
		})
	}
}

// A store that lacks what every store had confirmed was emptied, or is another
// one: it cannot say that nobody went on with the log.
func TestProbeOfLackingStore(t *testing.T) {
	f := newFork(t)
	for name, c := range map[string]struct {
		holds  []ledgertest.Segment
		head   ledgertest.Segment
		stored uint64
		near   uint64
		lacks  bool
	}{
		"holds all":                      {[]ledgertest.Segment{f.a, f.b}, f.b, f.b.Seal.End(), 0, false},
		"has what was confirmed":         {[]ledgertest.Segment{f.a}, f.c, f.a.Seal.End(), 0, false},
		"nothing was confirmed":          {nil, f.c, 0, 0, false},
		"empty":                          {nil, f.c, f.a.Seal.End(), 0, true},
		"empty, all was confirmed":       {nil, f.b, f.b.Seal.End(), 0, true},
		"empty, the first was confirmed": {nil, f.a, f.a.Seal.End(), 0, true},
		"lacks the last":                 {[]ledgertest.Segment{f.a}, f.b, f.b.Seal.End(), f.b.Seal.First, true},
		"lacks the last but one":         {[]ledgertest.Segment{f.a}, f.c, f.c.Seal.First, f.a.Seal.End(), true},
	} {
		t.Run(name, func(t *testing.T) {
			writer := newBench(t, nil)
			writer.must(c.holds...)
			b := newBench(t, writer.mem)
			err := b.send((&delivery.Probe{Seal: c.head.Seal.Bytes(), Stored: c.stored}).Logs())
			var lacks *PredecessorError
			if errors.As(err, &lacks) != c.lacks || (err != nil) != c.lacks || c.lacks && lacks.Near != c.near {
				t.Errorf("answer: %v", err)
			}
		})
	}
}

func TestProbe(t *testing.T) {
	f := newFork(t)
	for _, c := range []struct {
		name  string
		holds []ledgertest.Segment
		head  ledgertest.Segment
		fork  *ledgertest.Segment // the one that is found
		words []string
	}{
		{"empty store", nil, f.b, nil, nil},
		{"equal", []ledgertest.Segment{f.a, f.b}, f.b, nil, nil},
		{"store lags", []ledgertest.Segment{f.a}, f.b, nil, nil},
		{"store lags far", []ledgertest.Segment{f.a}, f.y, nil, nil},
		{"restored from a backup", []ledgertest.Segment{f.a, f.b, f.c}, f.b, &f.c, ahead},
		{"restored from an old backup", []ledgertest.Segment{f.a, f.b, f.x, f.y}, f.a, &f.b, ahead},
		{"other history", []ledgertest.Segment{f.a, f.b, f.x}, f.c, &f.x, parted},
		{"other history, longer", []ledgertest.Segment{f.a, f.b, f.x, f.y}, f.c, &f.x, parted},
		{"other history, behind", []ledgertest.Segment{f.a, f.b, f.c}, f.y, &f.c, other},
	} {
		t.Run(c.name, func(t *testing.T) {
			writer := newBench(t, nil)
			writer.must(c.holds...)
			b := newBench(t, writer.mem)
			err := b.probe(c.head)
			if n := b.puts(""); n != 0 {
				t.Errorf("a probe wrote %d objects", n)
			}
			if c.fork == nil {
				if err != nil {
					t.Error(err)
				}
				return
			}
			fork := wantFork(t, err)
			ours := string(c.head.Seal.After().Note())
			if c.fork.Seal.End() == c.head.Seal.First {
				ours = string(c.head.Seal.Before()) // Two roots for one size say it best.
			}
			if fork.Object != "test/"+c.fork.Seal.Name() || fork.Theirs != string(c.fork.Seal.After().Note()) || fork.Ours != ours {
				t.Errorf("found %s, ours %q, theirs %q", fork.Object, fork.Ours, fork.Theirs)
			}
			for _, words := range append(c.words, "otelcol-custody recover", "--log test", `docs/operations.md, "A fork"`) {
				if !strings.Contains(err.Error(), words) {
					t.Errorf("it does not say %q: %v", words, err)
				}
			}
		})
	}
}

// What an operator reads, by what is in the store.
var (
	ahead  = []string{"the store is ahead", "older than the store", "restored from a backup", "went on with a copy"}
	parted = []string{"log test is forked", "both begin with the same 5 records", "Another collector writes this log"}
	other  = []string{"log test is forked", "is not of this collector's history; ", "Another collector writes this log"}
)

// A journal was sealed here after the store went on from it: the store is ahead
// if it has all records of ours, which is all but the closed one.
func TestForkOfJournal(t *testing.T) {
	l := ledgertest.NewLog("test", ledgertest.Signer(t, origin))
	a := l.Add(t, 3)
	for name, c := range map[string]struct {
		branch       string
		ours, theirs int // records that they add
		ahead        bool
		shared       uint64
	}{
		"all records are there":  {"journal", 3, 4, true, 5},
		"none was added":         {"journal", 1, 3, true, 3},
		"records that it lacks":  {"journal", 4, 2, false, 4},
		"one record is another":  {"restored", 2, 2, false, 3},
		"only the log's own one": {"restored", 1, 2, true, 3},
	} {
		mine, theirs := l.Branch(c.branch).Add(t, c.ours), l.Branch("journal").Add(t, c.theirs)
		for _, find := range []func(*bench) error{
			func(b *bench) error { return b.probe(mine) },
			func(b *bench) error { return b.deliver(mine) },
		} {
			b := newBench(t, nil)
			b.must(a, theirs)
			fork := wantFork(t, find(newBench(t, b.mem)))
			if fork.Ahead != c.ahead || fork.Shared != c.shared {
				t.Errorf("%s: ahead %t, %d records shared; want %t and %d", name, fork.Ahead, fork.Shared, c.ahead, c.shared)
			}
		}
	}
}

func TestProbeAtGenesis(t *testing.T) {
	f := newFork(t)
	b := newBench(t, nil)
	if err := b.probeGenesis("test"); err != nil {
		t.Fatal(err)
	}
	b.must(f.a)
	if fork := wantFork(t, b.probeGenesis("test")); fork.Ours != "" || fork.Object != "test/"+f.a.Seal.Name() ||
		!strings.Contains(fork.Error(), "was about to begin the log") || fork.Ahead {
		t.Errorf("got %+v", fork)
	}
	if err := b.probeGenesis("tes"); err != nil {
		t.Errorf("another log: %v", err)
	}
	// The beginning was removed, what came later is enough.
	late := newBench(t, nil)
	plant(t, late.mem, "test/"+f.b.Seal.Name(), f.b.Seal.Bytes())
	if fork := wantFork(t, late.probeGenesis("test")); fork.Size != 3 {
		t.Errorf("got %+v", fork)
	}
}

func TestProbeIsJudged(t *testing.T) {
	b := newBench(t, nil)
	impostor := ledgertest.Chain(t, ledgertest.ImpostorOf(t, origin, "mallory"), 2)[0]
	wantAltered(t, b.probe(impostor))
	s := ledgertest.Chain(t, b.signer, 2)[0]
	flipped := bytes.Clone(s.Seal.Bytes())
	flipped[len(flipped)-1] ^= 1
	wantAltered(t, b.send((&delivery.Probe{Seal: flipped}).Logs()))
	err := b.send((&delivery.Probe{Log: "test", Origin: "custody.example/unknown"}).Logs())
	wantAltered(t, err)
	if !errors.Is(err, checkpoint.ErrUntrusted) {
		t.Errorf("got %v", err)
	}
	wantAltered(t, b.send((&delivery.Probe{Log: "../up", Origin: origin}).Logs()))
	if n := len(b.store.Calls()); n != 0 {
		t.Errorf("%d calls of the store", n)
	}
}

// cosigned adds a signature line by a key that nobody knows.
func cosigned(seal []byte) []byte {
	line := "— mallory.example " + base64.StdEncoding.EncodeToString(make([]byte, 68)) + "\n"
	text := bytes.Index(seal, []byte("\n\n")) + 2
	end := text + bytes.Index(seal[text:], []byte("\n\n")) + 1
	return slices.Concat(seal[:end], []byte(line), seal[end:])
}

// What no trusted key signed for this place neither stops the log nor fakes a
// fork: anybody with access to the store can put it there.
func TestSquatters(t *testing.T) {
	f := newFork(t)
	impostor := ledgertest.Chain(t, ledgertest.ImpostorOf(t, origin, "mallory"), 3)[0]
	elsewhere := ledgertest.NewLog("elsewhere", ledgertest.Signer(t, origin))
	elsewhere.Add(t, 3)
	for name, junk := range map[string][]byte{
		"noise":            []byte("x"),
		"empty":            {},
		"impostor":         impostor.Seal.Bytes(),
		"another log's":    elsewhere.Segments[0].Seal.Bytes(),
		"another place's":  f.b.Seal.Bytes(),
		"a copy":           cosigned(f.a.Seal.Bytes()),
		"our own, damaged": f.a.Seal.Bytes()[:len(f.a.Seal.Bytes())-1],
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, nil)
			b.store.AllowConflicts()
			plant(t, b.mem, "test/seals/00000000000000000000.seal", junk)
			plant(t, b.mem, "test/seals/00000000000000000000.1.seal", []byte("y"))
			plant(t, b.mem, "test/seals/00000000000000000077.seal", junk)
			if err := b.probeGenesis("test"); err != nil && name != "a copy" {
				t.Fatal(err)
			}
			if err := b.probe(f.a); err != nil {
				t.Fatal(err)
			}
			b.must(f.a)
			if got := b.read("test/seals/00000000000000000000.2.seal"); got != string(f.a.Seal.Bytes()) {
				t.Error("the seal does not lie beside the squatters")
			}
			// A cold exporter finds it there, and a fork, too.
			cold := newBench(t, b.mem)
			if err := cold.probe(f.a); err != nil {
				t.Error(err)
			}
			cold.must(f.a, f.b)
			if n := cold.puts("00000000000000000000"); n != 0 {
				t.Errorf("%d uploads of what the store has", n)
			}
			wantFork(t, newBench(t, b.mem).deliver(ledgertest.Chain(t, b.signer, 9)[0]))
		})
	}
}

func TestTooManySquatters(t *testing.T) {
	b := newBench(t, nil)
	b.store.AllowConflicts()
	s := ledgertest.Chain(t, b.signer, 2)[0]
	for n := range logstore.MaxBeside {
		plant(t, b.mem, logstore.SealName("test", 0, n), []byte("x"))
	}
	err := b.deliver(s)
	wantPending(t, err)
	var o *ObstructedError
	if !errors.As(err, &o) {
		t.Errorf("got %v", err)
	}
}

// On a store with versions the genuine object can lie below another.
func TestShadowsAndDeleteMarkers(t *testing.T) {
	f := newFork(t)
	shadow := func(t *testing.T, hide func(m *storetest.Memory, name string)) {
		writer := newBench(t, nil)
		writer.must(f.a, f.b)
		for _, name := range writer.names() {
			hide(writer.mem, name)
		}
		b := newVersioned(t, writer.mem)
		if err := b.probe(f.b); err != nil {
			t.Error(err)
		}
		b.must(f.b, f.a, f.c)
		wantFork(t, newVersioned(t, writer.mem).deliver(f.x))
	}
	t.Run("shadow", func(t *testing.T) {
		shadow(t, func(m *storetest.Memory, name string) { m.Shadow(name, []byte("x")) })
	})
	t.Run("marker", func(t *testing.T) {
		shadow(t, func(m *storetest.Memory, name string) { m.Hide(name) })
	})
}

// A delete marker makes room for a second seal; the first one still fences.
func TestMarkerDoesNotLiftTheFence(t *testing.T) {
	f := newFork(t)
	mem := storetest.NewMemory("test")
	ours := newVersioned(t, mem)
	ours.must(f.a, f.b)
	theirs := newBench(t, ours.mem)
	theirs.must(f.x)
	ours.mem.Hide("test/" + f.x.Seal.Name())
	fork := wantFork(t, ours.deliver(f.c))
	if fork.Theirs != string(f.x.Seal.After().Note()) {
		t.Errorf("found %+v", fork)
	}
}

func TestDifferingTileDoesNotStop(t *testing.T) {
	b := newBench(t, nil)
	b.store.AllowConflicts()
	s := ledgertest.Chain(t, b.signer, 65536)[0]
	name := "test/tiles/1/00000000000000000000.tile"
	plant(t, b.mem, name, []byte("x"))
	b.must(s)
	if b.read(name) != "x" {
		t.Error("the tile was replaced")
	}
}

func TestObstructedSegment(t *testing.T) {
	b := newBench(t, nil)
	b.store.AllowConflicts()
	s := ledgertest.Chain(t, b.signer, 2)[0]
	name := "test/" + s.Seal.SegmentName()
	plant(t, b.mem, name, []byte("x"))
	err := b.deliver(s)
	wantPending(t, err)
	var o *ObstructedError
	if !errors.As(err, &o) || o.Name != name {
		t.Errorf("got %v", err)
	}
	b.mem.Erase(name)
	b.must(s)
	b.holds(s)
}
