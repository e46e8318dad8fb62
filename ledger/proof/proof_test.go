package proof_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/otelcol-custody/custody/ledger/archive"
	"github.com/otelcol-custody/custody/ledger/checkpoint"
	"github.com/otelcol-custody/custody/ledger/ledgertest"
	"github.com/otelcol-custody/custody/ledger/proof"
	"github.com/otelcol-custody/custody/ledger/record"
)

const origin = "custody.example/test"

// opened is a log in a store, and all of its lines.
func opened(t testing.TB, counts ...int) (*archive.Log, [][]byte, *checkpoint.Keys) {
	t.Helper()
	s := ledgertest.Signer(t, origin)
	keys := ledgertest.Keys(t, s)
	files := fstest.MapFS{}
	var lines [][]byte
	for _, c := range ledgertest.Chain(t, s, counts...) {
		files["test/"+c.Seal.Name()] = &fstest.MapFile{Data: c.Seal.Bytes()}
		files["test/"+c.Seal.SegmentName()] = &fstest.MapFile{Data: c.Object}
		lines = append(lines, c.Lines...)
	}
	l, err := archive.Open(files, "test", keys)
	if err != nil {
		t.Fatal(err)
	}
	return l, lines, keys
}

func TestEveryRecord(t *testing.T) {
	for _, counts := range [][]int{{1}, {1, 1}, {2, 1}, {3, 4}, {5, 3, 9}, {16, 1, 1}, {33}, {257, 3}} {
		l, lines, keys := opened(t, counts...)
		for i, line := range lines {
			e, err := l.Prove(uint64(i))
			if err != nil {
				t.Fatalf("%v, record %d: %v", counts, i, err)
			}
			file := e.Format()
			p, err := proof.Check(file, keys)
			if err != nil || p.Index != uint64(i) || !bytes.Equal(p.Line, line) || p.Record == nil || p.Checkpoint.Size != uint64(len(lines)) {
				t.Fatalf("%v, record %d: %v", counts, i, err)
			}
			parsed, err := proof.Parse(file)
			if err != nil || !bytes.Equal(parsed.Format(), file) || parsed.Leaf() != e.Leaf() {
				t.Fatalf("%v, record %d: does not survive its form: %v", counts, i, err)
			}
		}
		if _, err := l.Prove(uint64(len(lines))); err == nil {
			t.Errorf("%v: a record behind the end is proven", counts)
		}
	}
}

func isProofError(err error) bool {
	return errors.Is(err, proof.ErrMalformed) || errors.Is(err, proof.ErrBroken) || errors.Is(err, checkpoint.ErrSignature) || errors.Is(err, checkpoint.ErrUntrusted)
}

func TestEveryByteCounts(t *testing.T) {
	l, _, keys := opened(t, 3, 4)
	for _, index := range []uint64{0, 3, 6} {
		e, err := l.Prove(index)
		if err != nil {
			t.Fatal(err)
		}
		good := e.Format()
		for i := range good {
			for bit := range 8 {
				b := bytes.Clone(good)
				b[i] ^= 1 << bit
				if p, err := proof.Check(b, keys); err == nil {
					t.Fatalf("record %d: accepted with byte %d altered, as record %d: %s", index, i, p.Index, p.Line)
				} else if !isProofError(err) {
					t.Fatalf("an error of no class: %v", err)
				}
			}
			if _, err := proof.Check(good[:i], keys); !isProofError(err) {
				t.Fatalf("record %d: cut off at %d: %v", index, i, err)
			}
		}
		if _, err := proof.Check(append(bytes.Clone(good), '\n'), keys); err == nil {
			t.Error("accepted with a line feed behind")
		}
	}
}

// TestLies alters evidence in ways that keep its form.
func TestLies(t *testing.T) {
	l, lines, keys := opened(t, 3, 4)
	for name, change := range map[string]func(*proof.Evidence){
		"index":         func(e *proof.Evidence) { e.Index++ },
		"index behind":  func(e *proof.Evidence) { e.Index = 7 },
		"index far":     func(e *proof.Evidence) { e.Index = 1<<63 - 1 },
		"salt":          func(e *proof.Evidence) { e.Salt[0] ^= 1 },
		"previous":      func(e *proof.Evidence) { e.Previous[0] ^= 1 },
		"another line":  func(e *proof.Evidence) { e.Line = lines[1] },
		"no line":       func(e *proof.Evidence) { e.Line = nil },
		"shorter proof": func(e *proof.Evidence) { e.Proof = e.Proof[1:] },
		"longer proof":  func(e *proof.Evidence) { e.Proof = append(e.Proof, e.Proof[0]) },
		"no proof":      func(e *proof.Evidence) { e.Proof = nil },
		"proof swapped": func(e *proof.Evidence) { e.Proof[0], e.Proof[1] = e.Proof[1], e.Proof[0] },
		"line with LF":  func(e *proof.Evidence) { e.Line = append(bytes.Clone(e.Line), '\n') },
		"earlier checkpoint": func(e *proof.Evidence) {
			v, err := l.Seal(0)
			if err != nil {
				t.Fatal(err)
			}
			e.Checkpoint = v.After().Note()
		},
	} {
		e, err := l.Prove(4)
		if err != nil {
			t.Fatal(err)
		}
		change(e)
		if _, err := proof.Check(e.Format(), keys); !errors.Is(err, proof.ErrBroken) && !errors.Is(err, proof.ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	e, err := l.Prove(4)
	if err != nil {
		t.Fatal(err)
	}
	other := ledgertest.Keys(t, ledgertest.ImpostorOf(t, origin, "x"))
	if _, err := proof.Check(e.Format(), other); !errors.Is(err, checkpoint.ErrUntrusted) {
		t.Errorf("another key: %v", err)
	}
}

func TestParseIsStrict(t *testing.T) {
	l, _, _ := opened(t, 3, 4)
	e, err := l.Prove(4)
	if err != nil {
		t.Fatal(err)
	}
	good := string(e.Format())
	for _, edit := range [][2]string{
		{"@v1", "@v2"}, {"c2sp", "\nc2sp"}, {"extra ", "extra  "}, {"extra ", ""}, {"index 4", "index 04"}, {"index 4", "index +4"}, {"index 4", "4"},
		{"index 4\n", "index 4\r\n"}, {"index 4\n", ""}, {"index 4\n", "index 4\nindex 4\n"}, {"index 4", "index 18446744073709551616"},
		{"index 4\n", "index 4\nAAAA\n"}, {"index 4\n", "index 4\n" + strings.Repeat(e.Proof[0].String()+"\n", 65)},
	} {
		if _, err := proof.Parse([]byte(strings.Replace(good, edit[0], edit[1], 1))); !errors.Is(err, proof.ErrMalformed) {
			t.Errorf("%q for %q: %v", edit[1], edit[0], err)
		}
	}
	// Many short lines must not become many allocations.
	if n := testing.AllocsPerRun(1, func() {
		_, _ = proof.Parse([]byte("c2sp.org/tlog-proof@v1\nextra \nindex 1\n" + strings.Repeat("A\n", 1<<20)))
	}); n > 1000 {
		t.Errorf("%v allocations for a file of many lines", n)
	}
	if _, err := proof.Parse(make([]byte, 2*record.MaxLine+1<<20)); !errors.Is(err, proof.ErrMalformed) {
		t.Errorf("a large file: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	l, _, keys := opened(f, 3, 4)
	for i := range uint64(7) {
		e, err := l.Prove(i)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(e.Format())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := proof.Parse(b)
		if err != nil {
			if !errors.Is(err, proof.ErrMalformed) {
				t.Fatal(err)
			}
			return
		}
		if !bytes.Equal(e.Format(), b) {
			t.Fatalf("%q has another form", b)
		}
		if p, err := proof.Check(b, keys); err == nil {
			if genuine, err := l.Prove(p.Index); err != nil || !bytes.Equal(genuine.Line, p.Line) {
				t.Fatalf("proven, and not in the log: %q", p.Line)
			}
		} else if !isProofError(err) {
			t.Fatal(err)
		}
	})
}
