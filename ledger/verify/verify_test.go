package verify_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/otelcol-custody/custody/ledger/checkpoint"
	"github.com/otelcol-custody/custody/ledger/ledgertest"
	"github.com/otelcol-custody/custody/ledger/verify"
)

// cut divides n records into segments of a size.
func cut(n, size int) []int {
	var counts []int
	for ; n > 0; n -= size {
		counts = append(counts, min(n, size))
	}
	return counts
}

func TestExhaustiveSmall(t *testing.T) {
	s := ledgertest.Signer(t, origin)
	keys := ledgertest.Keys(t, s)
	for n := 1; n <= 64; n++ {
		for _, size := range []int{1, 2, 3, 7, 64} {
			if testing.Short() && size < 3 && n%8 != 0 {
				continue
			}
			counts := cut(n, size)
			chain := ledgertest.Chain(t, s, counts...)
			since := chain[len(chain)/2].Seal.After()
			r := check(t, put(chain...).fs(), keys, since)
			want(t, fmt.Sprint(counts), r, "")
			last := chain[len(chain)-1].Seal
			if r.Records != uint64(n) || r.Checked != uint64(n) || r.Segments != uint64(len(counts)) || r.Expired != 0 || len(r.Notices) != 0 ||
				r.Head.Checkpoint != last.After().Checkpoint || !r.CompleteUntil.Equal(last.Closed().At) || !r.NextBy.Equal(last.Closed().NextBy) || r.Origin != origin {
				t.Fatalf("%v: %+v", counts, r)
			}
		}
	}
}

func TestEveryByteOfSeals(t *testing.T) {
	s := ledgertest.Signer(t, origin)
	keys := ledgertest.Keys(t, s)
	chain := ledgertest.Chain(t, s, 2, 3, 1)
	all := put(chain...)
	step := 3
	if testing.Short() {
		step = 29
	}
	for _, c := range chain {
		for at := 0; at < len(c.Seal.Bytes()); at += step {
			r := check(t, all.flip(c.Seal.Name(), at).fs(), keys)
			if len(r.Findings) != 1 || r.Findings[0].First != c.Seal.First || !r.Complete() {
				t.Fatalf("seal %d, byte %d: %s", c.Seal.First, at, found(r))
			}
			switch r.Findings[0].Code {
			case verify.SealMalformed, verify.SealSignature, verify.SealInvalid:
			default:
				t.Fatalf("seal %d, byte %d: %s", c.Seal.First, at, found(r))
			}
		}
	}
}

func TestEveryByteOfSegments(t *testing.T) {
	s := ledgertest.Signer(t, origin)
	keys := ledgertest.Keys(t, s)
	chain := ledgertest.Chain(t, s, 2, 3, 1)
	all := put(chain...)
	for _, c := range chain {
		for at := range c.Object {
			r := check(t, all.flip(c.Seal.SegmentName(), at).fs(), keys)
			if len(r.Findings) != 1 || r.Findings[0].Code != verify.SegmentAltered || r.Findings[0].First != c.Seal.First || !r.Complete() {
				t.Fatalf("segment %d, byte %d: %s", c.Seal.First, at, found(r))
			}
			if i := r.Findings[0].Record; i != nil && (*i < c.Seal.First || *i >= c.Seal.End()) {
				t.Fatalf("segment %d, byte %d: names record %d", c.Seal.First, at, *i)
			}
		}
	}
}

func TestTruncatedAndExtended(t *testing.T) {
	s := ledgertest.Signer(t, origin)
	keys := ledgertest.Keys(t, s)
	chain := ledgertest.Chain(t, s, 2, 3, 1)
	all := put(chain...)
	for _, c := range chain {
		for _, name := range []string{c.Seal.Name(), c.Seal.SegmentName()} {
			code := map[bool]verify.Code{true: verify.SealMalformed, false: verify.SegmentAltered}[name == c.Seal.Name()]
			n := len(all[name])
			for _, b := range [][]byte{nil, all[name][:1], all[name][:n/3], all[name][:n/2], all[name][:n-32], all[name][:n-1], append(bytes.Clone(all[name]), 0), append(bytes.Clone(all[name]), all[name]...)} {
				o := maps.Clone(all)
				o[name] = b
				r := check(t, o.fs(), keys)
				if len(r.Findings) != 1 || r.Findings[0].Code != code || r.Findings[0].First != c.Seal.First {
					t.Errorf("%s with %d of %d bytes: %s", name, len(b), n, found(r))
				}
			}
		}
	}
}

// TestTampering takes a log of 2 + 3 + 1 + 4 records apart.
func TestTampering(t *testing.T) {
	s := ledgertest.Signer(t, origin)
	impostor := ledgertest.ImpostorOf(t, origin, "x")
	keys := ledgertest.Keys(t, s)
	l := ledgertest.NewLog("test", s)
	l.Add(t, 2, 3)
	fork := l.Branch("fork")
	l.Add(t, 1, 4)
	chain, other := l.Segments, ledgertest.NewLog("test", impostor)
	other.Add(t, 2, 3, 1, 4)
	fork.Add(t, 1, 4)
	elsewhere := ledgertest.NewLog("elsewhere", s)
	elsewhere.Add(t, 2, 3, 1, 4)
	names := func(i int) (string, string) { return chain[i].Seal.Name(), chain[i].Seal.SegmentName() }
	beside := func(i, n int) string {
		return strings.Replace(chain[i].Seal.Name(), ".seal", fmt.Sprintf(".%d.seal", n), 1)
	}
	for _, test := range []struct {
		name  string
		do    func(objects)
		since int // index of the segment whose checkpoint was kept, -1 for none
		want  string
	}{
		{"clean", func(objects) {}, 3, ""},
		{"first seal dropped", func(o objects) { n, _ := names(0); delete(o, n) }, -1, "seal-missing 0"},
		{"middle seal dropped", func(o objects) { n, _ := names(1); delete(o, n) }, 3, "seal-missing 2"},
		{"two seals dropped", func(o objects) { n, _ := names(1); m, _ := names(2); delete(o, n); delete(o, m) }, -1, "seal-missing 2"},
		{"two seals apart dropped", func(o objects) { n, _ := names(0); m, _ := names(2); delete(o, n); delete(o, m) }, -1, "seal-missing 0, seal-missing 5"},
		{"last seal dropped", func(o objects) { n, _ := names(3); delete(o, n) }, -1, ""},
		{"last seal dropped, noticed", func(o objects) { n, _ := names(3); delete(o, n) }, 3, "rollback 6"},
		{"last seal dropped, kept earlier", func(o objects) { n, _ := names(3); delete(o, n) }, 2, ""},
		{"tail cut off", func(o objects) { n, m := names(3); delete(o, n); delete(o, m) }, -1, ""},
		{"tail cut off, noticed", func(o objects) { n, m := names(3); delete(o, n); delete(o, m) }, 3, "rollback 6"},
		{"everything cut off: of no origin", func(o objects) { clear(o) }, 3, ""},
		{"segment dropped", func(o objects) { _, m := names(1); delete(o, m) }, -1, "segment-missing 2"},
		{"segment and seal dropped", func(o objects) { n, m := names(1); delete(o, n); delete(o, m) }, -1, "seal-missing 2"},
		{"seal repeated beside", func(o objects) { n, _ := names(1); o[beside(1, 1)] = o[n] }, 3, "foreign-object 2"},
		{"seal repeated behind the head", func(o objects) { n, _ := names(1); o["seals/00000000000000000010.seal"] = o[n] }, 3, "seal-chain 10"},
		{"seal repeated within a segment", func(o objects) { n, _ := names(1); o["seals/00000000000000000004.seal"] = o[n] }, 3, "foreign-object 4"},
		{"segment repeated", func(o objects) {
			_, m := names(1)
			o["segments/00000000000000000002-00000000000000000000000000000000.jsonl.zst"] = o[m]
		}, -1, "orphan-segment 2"},
		{"segment repeated behind the head", func(o objects) {
			_, m := names(1)
			o["segments/00000000000000000010-00000000000000000000000000000000.jsonl.zst"] = o[m]
		}, -1, ""},
		{"seals swapped", func(o objects) { a, _ := names(1); b, _ := names(2); o[a], o[b] = o[b], o[a] }, -1, "seal-chain 2, seal-chain 5"},
		{"segments swapped", func(o objects) { _, a := names(1); _, b := names(2); o[a], o[b] = o[b], o[a] }, -1, "segment-altered 2, segment-altered 5"},
		{"signed anew by another key", func(o objects) { clear(o); maps.Copy(o, put(other.Segments...)) }, -1,
			"seal-signature 0, seal-signature 2, seal-signature 5, seal-signature 6"},
		{"spliced with another key's log", func(o objects) { maps.Copy(o, put(other.Segments[2:]...)) }, -1, "seal-signature 5, seal-signature 6"},
		{"fork instead", func(o objects) { clear(o); maps.Copy(o, put(fork.Segments...)) }, 3, "fork 0"},
		{"fork instead, kept before it", func(o objects) { clear(o); maps.Copy(o, put(fork.Segments...)) }, 1, ""},
		{"fork beside", func(o objects) { o[beside(2, 1)] = fork.Segments[2].Seal.Bytes() }, -1, "fork 5"},
		{"fork beside, its segment too", func(o objects) {
			o[beside(2, 1)], o[fork.Segments[2].Seal.SegmentName()] = fork.Segments[2].Seal.Bytes(), fork.Segments[2].Object
		}, -1, "fork 5"},
		{"forked at a position, then ours again", func(o objects) {
			n, m := names(2)
			delete(o, m)
			o[n], o[fork.Segments[2].Seal.SegmentName()] = fork.Segments[2].Seal.Bytes(), fork.Segments[2].Object
		}, -1, "seal-chain 6"},
		{"another log's seal", func(o objects) { n, _ := names(2); o[n] = elsewhere.Segments[2].Seal.Bytes() }, -1, "seal-chain 5"},
		{"squatter", func(o objects) { n, _ := names(1); o[beside(1, 1)] = o[n]; o[n] = []byte("mine") }, 3, "foreign-object 2"},
		{"two squatters", func(o objects) {
			n, _ := names(1)
			o[beside(1, 2)], o[beside(1, 1)], o[n] = o[n], other.Segments[1].Seal.Bytes(), []byte("mine")
		}, 3, "foreign-object 2, foreign-object 2"},
		{"squatter at the head", func(o objects) { o["seals/00000000000000000010.seal"] = []byte("mine") }, 3, "seal-malformed 10"},
		{"squatter far behind", func(o objects) { o["seals/00000000000000000099.seal"] = []byte("mine") }, 3, "seal-malformed 99"},
		{"only a squatter", func(o objects) { n, _ := names(1); o[n] = []byte("mine") }, -1, "seal-malformed 2"},
		{"last seal is a squatter's", func(o objects) { n, _ := names(3); o[n] = []byte("mine") }, 3, "rollback 6, seal-malformed 6"},
		{"seal by a number that leaves gaps", func(o objects) { n, _ := names(1); o[beside(1, 7)] = o[n]; delete(o, n) }, -1, ""},
		{"orphan", func(o objects) {
			o["segments/00000000000000000003-000102030405060708090a0b0c0d0e0f.jsonl.zst"] = []byte("x")
		}, -1, "orphan-segment 3"},
		{"foreign", func(o objects) { o["segments/readme"], o["seals/readme.txt"] = nil, nil }, -1, "foreign-object 10, foreign-object 10"},
		{"foreign elsewhere", func(o objects) { o["readme"], o["other/x"], o["tiles/readme"] = nil, nil, nil }, -1, ""},
		{"dot names", func(o objects) { o[".readme"], o["segments/.tmp"], o["seals/.x.seal"] = nil, nil, nil }, -1, ""},
	} {
		o := put(chain...)
		test.do(o)
		var since []checkpoint.Signed
		if test.since >= 0 {
			since = append(since, chain[test.since].Seal.After())
		}
		r := check(t, o.fs(), keys, since...)
		want(t, test.name, r, test.want)
	}
}

// TestForkTakesTheOneThatFits has two valid seals of which one follows.
func TestForkTakesTheOneThatFits(t *testing.T) {
	s := ledgertest.Signer(t, origin)
	l := ledgertest.NewLog("test", s)
	fork := l.Branch("fork")
	l.Add(t, 2, 3, 1)
	fork.Add(t, 2, 3, 1)
	o := put(l.Segments...)
	name := l.Segments[1].Seal.Name()
	o[strings.Replace(name, ".seal", ".1.seal", 1)] = o[name]
	o[name] = fork.Segments[1].Seal.Bytes()
	r := check(t, o.fs(), ledgertest.Keys(t, s))
	want(t, "the second fits", r, "fork 2")
	if r.Checked != 6 {
		t.Errorf("%d records were checked, want 6", r.Checked)
	}
}

func TestNotices(t *testing.T) {
	s := ledgertest.Signer(t, origin)
	chain := ledgertest.Chain(t, s, 2, 3, 1)
	for name, test := range map[string]struct {
		do   func(objects)
		want string
	}{
		"unsealed":         {func(o objects) { delete(o, chain[2].Seal.Name()) }, "no valid seal names it"},
		"tile of no size":  {func(o objects) { o["tiles/1/00000000000000000000.tile"] = nil }, "test/tiles/1/00000000000000000000.tile: not an object of the log"},
		"beside tiles":     {func(o objects) { o["tiles/z"] = nil }, "test/tiles/z: not an object of the log"},
		"no such level":    {func(o objects) { o["tiles/9/00000000000000000000.tile"] = nil }, "test/tiles/9: not an object of the log"},
		"foreign":          {func(o objects) { o["readme"] = nil }, "test/readme: not an object of the log"},
		"gap":              {func(o objects) { delete(o, chain[1].Seal.Name()) }, "records 2 to 4 are not checked"},
		"segment in a gap": {func(o objects) { delete(o, chain[1].Seal.Name()) }, "since no valid seal of it was read"},
	} {
		o := put(chain...)
		test.do(o)
		r := check(t, o.fs(), ledgertest.Keys(t, s))
		if !strings.Contains(strings.Join(r.Notices, "\n"), test.want) {
			t.Errorf("%s: notices %q", name, r.Notices)
		}
	}
}

func TestUnreadIsNotTampering(t *testing.T) {
	s := ledgertest.Signer(t, origin)
	keys := ledgertest.Keys(t, s)
	chain := ledgertest.Chain(t, s, 2, 3, 1)
	o := put(chain...)
	last := chain[2].Seal.After()
	var names []string
	for name := range o {
		names = append(names, name)
	}
	for _, name := range append(names, "seals", "segments", ".") {
		r := check(t, broken{o.fs(), []string{name}}, keys, last)
		want(t, name, r, "unread")
	}
	want(t, "everything", check(t, broken{o.fs(), append(names, "seals", "segments", ".")}, keys, last), "unread")
	want(t, "last seals", check(t, broken{o.fs(), []string{chain[1].Seal.Name(), chain[2].Seal.Name()}}, keys, last), "unread")
	for _, name := range names {
		reads := 0
		r := check(t, unsteady{o.fs(), name, &reads}, keys)
		want(t, name+", never the same", r, "unread")
		if reads != 2 {
			t.Errorf("%s was read %d times, want 2", name, reads)
		}
	}
	// What could not be read does not hide what was found.
	altered := o.flip(chain[0].Seal.SegmentName(), 100)
	want(t, "both", check(t, broken{altered.fs(), []string{chain[2].Seal.Name()}}, keys), "segment-altered 0, unread")
}

func TestPlanted(t *testing.T) {
	s := ledgertest.Signer(t, origin)
	keys := ledgertest.Keys(t, s)
	chain := ledgertest.Chain(t, s, 2, 3)
	for name, findings := range map[string]string{chain[1].Seal.Name(): "foreign-object 2", chain[1].Seal.SegmentName(): "segment-altered 2, foreign-object 5"} {
		m := put(chain...).fs()
		m[name].Mode = fs.ModeDir
		want(t, "a folder in place of "+name, check(t, m, keys), findings)
	}
	m := put(chain...)
	m[chain[1].Seal.Name()] = make([]byte, 32<<20+1)
	m[chain[1].Seal.SegmentName()] = make([]byte, 80<<20+1)
	want(t, "large seal", check(t, m.fs(), keys), "seal-malformed 2")
	m[chain[1].Seal.Name()] = chain[1].Seal.Bytes()
	want(t, "large segment", check(t, m.fs(), keys), "segment-altered 2")
}

func TestRecordsAreNamed(t *testing.T) {
	s := ledgertest.Signer(t, origin)
	l := ledgertest.NewLog("test", s)
	b := l.Branch("b")
	l.Add(t, 2, 40)
	b.Add(t, 2, 40)
	ours, theirs := l.Segments[1], b.Segments[1]
	o := put(l.Segments...)
	o[ours.Seal.SegmentName()] = theirs.Object
	r := check(t, o.fs(), ledgertest.Keys(t, s))
	want(t, "another segment's object", r, "segment-altered 2 2")
	if f := r.Findings[0]; f.Records != 40 || f.End != 42 || !strings.HasPrefix(f.Object, "test/segments/") {
		t.Errorf("%+v", f)
	}
}

func TestSinceWithinSegments(t *testing.T) {
	s := ledgertest.Signer(t, origin)
	keys := ledgertest.Keys(t, s)
	l := ledgertest.NewLog("test", s)
	l.Add(t, 3, 300)
	all := put(l.Segments...).fs()
	for _, size := range []int{1, 2, 3, 4, 255, 256, 257, 302, 303} {
		root := rootAt(l, uint64(size))
		for _, lie := range []bool{false, true} {
			c := checkpoint.Checkpoint{Origin: origin, Size: uint64(size), Root: root}
			if lie {
				c.Root[0] ^= 1
			}
			note, err := checkpoint.Sign(c, s)
			if err != nil {
				t.Fatal(err)
			}
			signed, err := checkpoint.Open(note, keys)
			if err != nil {
				t.Fatal(err)
			}
			want(t, fmt.Sprintf("size %d, lie %v", size, lie), check(t, all, keys, signed), map[bool]string{false: "", true: "fork 0"}[lie])
		}
	}
}

func TestSinceAtZero(t *testing.T) {
	s := ledgertest.Signer(t, origin)
	keys := ledgertest.Keys(t, s)
	all := put(ledgertest.Chain(t, s, 2)...).fs()
	open := func(c checkpoint.Checkpoint) checkpoint.Signed {
		note, err := checkpoint.Sign(c, s)
		if err != nil {
			t.Fatal(err)
		}
		signed, err := checkpoint.Open(note, keys)
		if err != nil {
			t.Fatal(err)
		}
		return signed
	}
	want(t, "empty", check(t, all, keys, open(checkpoint.Checkpoint{Origin: origin, Root: emptyRoot()})), "")
	want(t, "empty with another root", check(t, all, keys, open(checkpoint.Checkpoint{Origin: origin})), "fork 0")
}

func TestSinceOfAnotherOrigin(t *testing.T) {
	s, o := ledgertest.Signer(t, origin), ledgertest.Signer(t, "custody.example/other")
	other := ledgertest.NewLog("other", o)
	kept := other.Add(t, 5).Seal.After()
	want(t, "ignored", check(t, put(ledgertest.Chain(t, s, 2)...).fs(), ledgertest.Keys(t, s, o), kept), "")
}

func TestGapOfAnotherLog(t *testing.T) {
	s := ledgertest.Signer(t, origin)
	l := ledgertest.NewLog("test", s)
	l.Add(t, 2, 3, 1)
	// The same name and key, another genesis.
	again := restarted(t, s, 2, 3, 1)
	o := put(l.Segments[0])
	maps.Copy(o, put(again[2]))
	want(t, "begun anew behind a gap", check(t, o.fs(), ledgertest.Keys(t, s)), "seal-missing 2, seal-chain 5")
}

func TestCancel(t *testing.T) {
	s := ledgertest.Signer(t, origin)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := verify.Log(ctx, put(ledgertest.Chain(t, s, 2, 3)...).fs(), "test", verify.Options{Keys: ledgertest.Keys(t, s)})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestProgress(t *testing.T) {
	s := ledgertest.Signer(t, origin)
	var last verify.Progress
	r, err := verify.Log(context.Background(), put(ledgertest.Chain(t, s, 2, 3, 1)...).fs(), "test", verify.Options{
		Keys: ledgertest.Keys(t, s), Workers: 4, Now: time.Now(), Progress: func(p verify.Progress) { last = p },
	})
	if err != nil || last.Records != 6 || last.Segments != 3 || last.Total != 3 || last.Stored != r.Stored || last.Log != "test" {
		t.Errorf("%+v, %v", last, err)
	}
}

// TestFindingsAreBounded has a log of which nothing is signed by the key.
func TestFindingsAreBounded(t *testing.T) {
	counts := make([]int, 130)
	for i := range counts {
		counts[i] = 1
	}
	r := check(t, put(ledgertest.Chain(t, ledgertest.Signer(t, origin), counts...)...).fs(), ledgertest.Keys(t, ledgertest.ImpostorOf(t, origin, "x")))
	if len(r.Findings) != 100 || !strings.Contains(strings.Join(r.Notices, "\n"), "30 more findings seal-signature") {
		t.Errorf("%d findings, notices %q", len(r.Findings), r.Notices[len(r.Notices)-1])
	}
	if s := r.Findings[3].String(); !strings.HasPrefix(s, "seal-signature: log test, segment 3: ") {
		t.Error(s)
	}
}
