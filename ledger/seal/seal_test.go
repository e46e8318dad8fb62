package seal_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"github.com/otelcol-custody/custody/ledger/checkpoint"
	"github.com/otelcol-custody/custody/ledger/ledgertest"
	"github.com/otelcol-custody/custody/ledger/seal"
	"github.com/otelcol-custody/custody/ledger/tree"
)

const origin = "custody.example/test"

// split takes a seal apart: head text, signature lines, parts.
func split(b []byte) (text, sigs string, parts []byte) {
	head, rest, _ := bytes.Cut(b, []byte("\n\n"))
	lines, parts, _ := bytes.Cut(rest, []byte("\n\n"))
	return string(head) + "\n", string(lines) + "\n", parts
}

func join(text, sigs string, parts []byte) []byte {
	return append([]byte(text+"\n"+sigs+"\n"), parts...)
}

// resign signs a head again after edits.
func resign(t testing.TB, b []byte, s *checkpoint.Signer, edits ...string) []byte {
	t.Helper()
	text, _, parts := split(b)
	for i := 0; i < len(edits); i += 2 {
		if !strings.Contains(text, edits[i]) {
			t.Fatalf("%q is not in the head", edits[i])
		}
		text = strings.Replace(text, edits[i], edits[i+1], 1)
	}
	signed, err := note.Sign(&note.Note{Text: text}, s)
	if err != nil {
		t.Fatal(err)
	}
	return append(append(signed, '\n'), parts...)
}

func TestBuildOpen(t *testing.T) {
	s := ledgertest.Signer(t, origin)
	keys := ledgertest.Keys(t, s)
	chain := ledgertest.Chain(t, s, 1, 1, 3, 254, 256, 257, 1024, 1)
	var prev *seal.Verified
	for i, c := range chain {
		v, err := seal.Open(c.Seal.Bytes(), keys)
		if err != nil {
			t.Fatalf("seal %d: %v", i, err)
		}
		if v.Head != c.Seal.Head || !bytes.Equal(v.ClosedLine(), c.Lines[len(c.Lines)-1]) || v.LastLink() != c.Seal.LastLink() || !v.Edge().Equal(c.Seal.Edge()) {
			t.Errorf("seal %d is not what was built", i)
		}
		if v.SegmentName() == "" || v.After().Size != v.End() || v.After().Root != v.Edge().Root() {
			t.Errorf("seal %d: checkpoint %+v", i, v.After().Checkpoint)
		}
		if _, err := v.Follows(prev); err != nil {
			t.Errorf("seal %d: %v", i, err)
		}
		h, at, err := seal.OpenHead(v.Bytes()[:min(2000, len(v.Bytes()))], keys)
		if err != nil || *h != v.Head || !bytes.HasPrefix(v.Bytes()[at:], v.Before()) {
			t.Errorf("seal %d: head %+v at %d, %v", i, h, at, err)
		}
		if b := v.Bytes()[at+v.AnchorsAt():]; v.Parts.Anchors > 0 && v.First == 0 && !bytes.Equal(b[:32], v.Previous[:]) {
			t.Errorf("seal %d: its anchors do not begin at %d", i, v.AnchorsAt())
		}
		v.Check(&c.Seed, joinLines(c.Lines), func(index uint64, err error) { t.Errorf("record %d: %v", index, err) })
		prev = v
	}
}

func joinLines(lines [][]byte) []byte { return append(bytes.Join(lines, []byte("\n")), '\n') }

func TestBuildIsAFunction(t *testing.T) {
	s := ledgertest.Signer(t, origin)
	a, b := ledgertest.Chain(t, s, 2, 300, 5), ledgertest.Chain(t, s, 2, 300, 5)
	for i := range a {
		if !bytes.Equal(a[i].Seal.Bytes(), b[i].Seal.Bytes()) || !bytes.Equal(a[i].Object, b[i].Object) {
			t.Errorf("segment %d has different bytes the second time", i)
		}
	}
}

func content(t *testing.T, c ledgertest.Segment, s *checkpoint.Signer) seal.Content {
	t.Helper()
	out := seal.Content{Object: c.Object, Seed: c.Seed, ClosedLine: c.Lines[len(c.Lines)-1], Checkpoints: s}
	for _, line := range c.Lines {
		out.Digests = append(out.Digests, tree.Digest(line))
	}
	return out
}

func TestBuildRefuses(t *testing.T) {
	s := ledgertest.Signer(t, origin)
	c := ledgertest.Chain(t, s, 3)[0]
	at := seal.Genesis("test", origin, s.VerifierKey(), [32]byte{1})
	if _, _, err := seal.Build(at, content(t, c, s)); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*seal.Place, *seal.Content){
		"no records":           func(_ *seal.Place, c *seal.Content) { c.Digests = nil },
		"another closed line":  func(_ *seal.Place, c *seal.Content) { c.ClosedLine = []byte("{}") },
		"closed line not last": func(_ *seal.Place, c *seal.Content) { c.Digests[2] = c.Digests[0] },
		"log name":             func(p *seal.Place, _ *seal.Content) { p.Log = "Test" },
		"origin of the key":    func(p *seal.Place, _ *seal.Content) { p.Origin = "custody.example/other" },
		"vkey":                 func(p *seal.Place, _ *seal.Content) { p.VKey = "nonsense" },
		"link at genesis":      func(p *seal.Place, _ *seal.Content) { p.Link = tree.Hash{} },
		"empty object":         func(_ *seal.Place, c *seal.Content) { c.Object = nil },
		"no note":              func(p *seal.Place, _ *seal.Content) { p.Edge.Append(tree.Hash{}, nil) },
	} {
		at, in := seal.Genesis("test", origin, s.VerifierKey(), [32]byte{1}), content(t, c, s)
		change(&at, &in)
		if _, _, err := seal.Build(at, in); err == nil {
			t.Errorf("%s: sealed", name)
		}
	}
}

// TestEveryByteCounts flips each byte of a small seal. What an unsigned change
// touches decides the class of the error: the head its form or signature, the
// parts their hash.
func TestEveryByteCounts(t *testing.T) {
	s := ledgertest.Signer(t, origin)
	keys := ledgertest.Keys(t, s)
	for _, c := range ledgertest.Chain(t, s, 2, 3)[:2] {
		good := c.Seal.Bytes()
		text, sigs, _ := split(good)
		at := len(text) + 1 + len(sigs) + 1
		for i := range good {
			for _, bit := range []byte{1, 2, 0x20, 0x80} {
				b := bytes.Clone(good)
				b[i] ^= bit
				_, err := seal.Open(b, keys)
				malformed, signature := errors.Is(err, seal.ErrMalformed), errors.Is(err, checkpoint.ErrSignature) || errors.Is(err, checkpoint.ErrUntrusted)
				switch {
				case i >= at && !errors.Is(err, seal.ErrInvalid), i < at && !malformed && !signature:
					t.Fatalf("byte %d of %d (head ends at %d), bit %#x: %v", i, len(good), at, bit, err)
				}
			}
		}
		for i := range good {
			if _, err := seal.Open(good[:i], keys); !errors.Is(err, seal.ErrMalformed) {
				t.Fatalf("cut off at %d of %d: %v", i, len(good), err)
			}
		}
		for _, tail := range []string{"\x00", "\n", string(good), strings.Repeat("x", 32)} {
			if _, err := seal.Open(append(bytes.Clone(good), tail...), keys); !errors.Is(err, seal.ErrMalformed) {
				t.Errorf("%d bytes behind: %v", len(tail), err)
			}
		}
	}
}

func TestSignatures(t *testing.T) {
	s, other := ledgertest.Signer(t, origin), ledgertest.ImpostorOf(t, origin, "other")
	stranger := ledgertest.Signer(t, "custody.example/elsewhere")
	good := ledgertest.Chain(t, s, 2)[0].Seal.Bytes()
	text, sigs, parts := split(good)
	by := func(s *checkpoint.Signer) string {
		_, sigs, _ := split(resign(t, good, s))
		return sigs
	}
	for _, test := range []struct {
		name string
		sigs string
		keys *checkpoint.Keys
		want error
	}{
		{"ours", sigs, ledgertest.Keys(t, s), nil},
		{"another key", sigs, ledgertest.Keys(t, other), checkpoint.ErrUntrusted},
		{"a stranger too", sigs + by(stranger), ledgertest.Keys(t, s), nil},
		{"twice", sigs + sigs, ledgertest.Keys(t, s), checkpoint.ErrSignature},
		{"an impostor", by(other), ledgertest.Keys(t, s), checkpoint.ErrUntrusted},
		{"a trusted key of another origin", by(stranger), ledgertest.Keys(t, s, stranger), checkpoint.ErrUntrusted},
		{"two trusted keys", sigs + by(other), ledgertest.Keys(t, s, other), nil},
		{"another trusted log's key too", sigs + by(stranger), ledgertest.Keys(t, s, stranger), nil},
		{"none", "", ledgertest.Keys(t, s), seal.ErrMalformed},
	} {
		v, err := seal.Open(join(text, test.sigs, parts), test.keys)
		if !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", test.name, err, test.want)
		}
		if first, _ := seal.Open(good, test.keys); err == nil && !v.Same(first) {
			t.Errorf("%s: not the same seal", test.name)
		}
	}
}

// TestSignedLies re-signs heads that say something wrong.
func TestSignedLies(t *testing.T) {
	s := ledgertest.Signer(t, origin)
	chain := ledgertest.Chain(t, s, 2, 3)
	keys := ledgertest.Keys(t, s)
	hex32 := strings.Repeat("ab", 32)
	for _, test := range []struct {
		i     int
		field string
		to    string
		want  error
	}{
		{0, "log", "Test", seal.ErrMalformed}, {0, "log", "", seal.ErrMalformed},
		{0, "origin", "custody.example/other", seal.ErrMalformed}, // the vkey's name
		{0, "vkey", "nonsense", seal.ErrMalformed},
		{0, "vkey", ledgertest.Signer(t, "custody.example/other").VerifierKey(), seal.ErrMalformed},
		{0, "vkey", ledgertest.ImpostorOf(t, origin, "x").VerifierKey(), seal.ErrInvalid},
		{0, "nonce", hex32, seal.ErrInvalid}, {0, "nonce", strings.ToUpper(hex32), seal.ErrMalformed}, {0, "nonce", "ab", seal.ErrMalformed},
		{0, "previous", hex32, seal.ErrInvalid}, {1, "previous", hex32, seal.ErrInvalid},
		{0, "first", "2", seal.ErrMalformed}, {1, "first", "3", seal.ErrMalformed}, {1, "first", "02", seal.ErrMalformed},
		{0, "count", "3", seal.ErrMalformed}, {0, "count", "0", seal.ErrMalformed}, {0, "count", "262145", seal.ErrMalformed},
		{0, "closed_salt", hex32[:32], seal.ErrInvalid}, {0, "segment_size", "0", seal.ErrMalformed}, {0, "segment_size", "83886081", seal.ErrMalformed},
		{0, "parts_sha256", hex32, seal.ErrInvalid}, {0, "parts", "1 2 3 4 5 6", seal.ErrMalformed}, {0, "parts", "0 0", seal.ErrMalformed},
		{1, "parts", "0 99999999999 1 1 1 1", seal.ErrMalformed},
	} {
		good := chain[test.i].Seal.Bytes()
		text, _, _ := split(good)
		line := lineOf(text, test.field)
		b := resign(t, good, s, line, test.field+" "+test.to+"\n")
		if _, err := seal.Open(b, keys); !errors.Is(err, test.want) {
			t.Errorf("seal %d, %s %s: %v, want %v", test.i, test.field, test.to, err, test.want)
		}
	}
	good := chain[0].Seal.Bytes()
	later := resign(t, good, s, "custody-seal/v1", "custody-seal/v2")
	if _, err := seal.Open(later, keys); !errors.Is(err, seal.ErrVersion) {
		t.Errorf("a later version: %v", err)
	}
	if _, err := seal.Open(later, ledgertest.Keys(t, ledgertest.ImpostorOf(t, origin, "x"))); !errors.Is(err, seal.ErrMalformed) || errors.Is(err, seal.ErrVersion) {
		t.Errorf("a later version that nobody vouches for: %v", err)
	}
	for _, extra := range [][2]string{{"parts_sha256", "more x\nparts_sha256"}, {"custody-seal/v1", "custody-seal/v1 "}, {"log test", "log  test"}, {"custody-seal/v1", "custody/v1"}} {
		if _, err := seal.Open(resign(t, good, s, extra[0], extra[1]), keys); !errors.Is(err, seal.ErrMalformed) {
			t.Errorf("%q: %v", extra[1], err)
		}
	}
}

func lineOf(text, field string) string {
	i := strings.Index(text, "\n"+field+" ") + 1
	return text[i : i+strings.IndexByte(text[i:], '\n')+1]
}

func TestFollows(t *testing.T) {
	s := ledgertest.Signer(t, origin)
	l := ledgertest.NewLog("test", s)
	a := l.Add(t, 2).Seal
	fork := l.Branch("x")
	b, c := l.Add(t, 3).Seal, l.Add(t, 2).Seal
	x := fork.Add(t, 3).Seal
	y := fork.Add(t, 2).Seal
	other := ledgertest.NewLog("other", s)
	other.Add(t, 2)
	o := other.Add(t, 3).Seal
	for _, test := range []struct {
		name    string
		v, prev *seal.Verified
		ok      bool
	}{
		{"first", a, nil, true}, {"second", b, a, true}, {"third", c, b, true}, {"branch", x, a, true}, {"branch's third", y, x, true},
		{"not the first", b, nil, false}, {"repeated", a, a, false}, {"skipped", c, a, false}, {"backwards", a, b, false},
		{"across branches", c, x, false}, {"across branches, too", y, b, false}, {"another log", o, a, false},
	} {
		if _, err := test.v.Follows(test.prev); (err == nil) != test.ok || err != nil && !errors.Is(err, seal.ErrChain) {
			t.Errorf("%s: %v", test.name, err)
		}
	}
	if b.FollowsGap(x) != nil || c.FollowsGap(a) != nil || !errors.Is(o.FollowsGap(a), seal.ErrChain) || !b.SameLog(x) || o.SameLog(a) {
		t.Error("what belongs to one log is not told from what does not")
	}
}

func TestCheckTiles(t *testing.T) {
	s := ledgertest.Signer(t, origin)
	l := ledgertest.NewLog("test", s)
	l.Add(t, 65_000)
	first := l.Segments[0]
	last := l.Add(t, 140_000)
	if _, err := first.Seal.CheckTiles(nil); err != nil {
		t.Error(err)
	}
	var encoded [][]byte
	for _, tile := range last.Tiles {
		encoded = append(encoded, tile.Bytes())
	}
	if len(encoded) != 3 {
		t.Fatalf("%d tiles, want 3", len(encoded))
	}
	got, err := last.Seal.CheckTiles(encoded)
	if err != nil {
		t.Fatal(err)
	}
	for i, tile := range got {
		if tile.Level != 1 || tile.Index != uint64(i) || !bytes.Equal(tile.Bytes(), encoded[i]) {
			t.Errorf("tile %d is %d of level %d", i, tile.Index, tile.Level)
		}
	}
	flipped := bytes.Clone(encoded[1])
	flipped[5000] ^= 1
	for name, bad := range map[string][][]byte{
		"none": nil, "one missing": encoded[:2], "one more": append(encoded[:3:3], encoded[0]), "swapped": {encoded[1], encoded[0], encoded[2]},
		"altered": {encoded[0], flipped, encoded[2]}, "short": {encoded[0], encoded[1][:8160], encoded[2]}, "long": {append(bytes.Clone(encoded[0]), 0), encoded[1], encoded[2]}, "empty": {nil, nil, nil},
	} {
		if _, err := last.Seal.CheckTiles(bad); !errors.Is(err, seal.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCheckNamesRecords(t *testing.T) {
	s := ledgertest.Signer(t, origin)
	c := ledgertest.Chain(t, s, 2, 5)[1]
	check := func(lines [][]byte) string {
		var out []string
		c.Seal.Check(&c.Seed, joinLines(lines), func(index uint64, err error) {
			var altered *seal.RecordError
			if errors.As(err, &altered) && altered.Index != index {
				t.Errorf("record %d is called %d", index, altered.Index)
			}
			out = append(out, fmt.Sprint(index))
		})
		return strings.Join(out, " ")
	}
	lines := func(i ...int) (out [][]byte) {
		for _, i := range i {
			out = append(out, c.Lines[i])
		}
		return out
	}
	for want, in := range map[string][][]byte{
		"":          lines(0, 1, 2, 3, 4),
		"3":         lines(0, 3, 2, 3, 4),
		"3 4":       lines(0, 2, 1, 3, 4),
		"6":         lines(0, 1, 2, 3),
		"3 4 5 6":   lines(0, 2, 3, 4),
		"7":         lines(0, 1, 2, 3, 4, 4),
		"2 3 4 5 6": append([][]byte{[]byte("{}")}, c.Lines[:3]...),
	} {
		if got := check(in); got != want {
			t.Errorf("%d lines: records %q, want %q", len(in), got, want)
		}
	}
}

var partsSum = regexp.MustCompile("\nparts_sha256 [0-9a-f]{64}\n")

// FuzzOpenSigned gets behind the signature and the hash of the parts: the key
// signs whatever head and parts the fuzzer makes.
func FuzzOpenSigned(f *testing.F) {
	s := ledgertest.Signer(f, origin)
	keys := ledgertest.Keys(f, s)
	for _, c := range ledgertest.Chain(f, s, 1, 2, 3, 260) {
		text, _, parts := split(c.Seal.Bytes())
		f.Add(text, parts)
	}
	f.Fuzz(func(t *testing.T, text string, parts []byte) {
		text = partsSum.ReplaceAllString(text, fmt.Sprintf("\nparts_sha256 %x\n", sha256.Sum256(parts)))
		signed, err := note.Sign(&note.Note{Text: text}, s)
		if err != nil {
			return
		}
		b := append(append(signed, '\n'), parts...)
		v, err := seal.Open(b, keys)
		if err == nil {
			if v.After().Root != v.Edge().Root() || v.End() != v.Edge().Size() || v.Closed().First != v.First {
				t.Errorf("an invalid seal is valid: %s", text)
			}
			return
		}
		for _, class := range []error{seal.ErrMalformed, seal.ErrInvalid, seal.ErrVersion, checkpoint.ErrUntrusted, checkpoint.ErrSignature} {
			if errors.Is(err, class) {
				return
			}
		}
		t.Errorf("an error of no class: %v", err)
	})
}
