package pack_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/otelcol-custody/custody/ledger"
	"github.com/otelcol-custody/custody/ledger/archive"
	"github.com/otelcol-custody/custody/ledger/checkpoint"
	"github.com/otelcol-custody/custody/ledger/ledgertest"
	"github.com/otelcol-custody/custody/ledger/pack"
	"github.com/otelcol-custody/custody/ledger/proof"
)

const origin = "custody.example/test"

var made = time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)

// A source is a log to pack records of.
type source struct {
	t    testing.TB
	log  *archive.Log
	keys *checkpoint.Keys
	line [][]byte
}

func newSource(t testing.TB, counts ...int) *source {
	t.Helper()
	signer := ledgertest.Signer(t, origin)
	s := &source{t: t, keys: ledgertest.Keys(t, signer)}
	files := fstest.MapFS{}
	for _, seg := range ledgertest.Chain(t, signer, counts...) {
		files["test/"+seg.Seal.Name()] = &fstest.MapFile{Data: seg.Seal.Bytes()}
		files["test/"+seg.Seal.SegmentName()] = &fstest.MapFile{Data: seg.Object}
		s.line = append(s.line, seg.Lines...)
	}
	var err error
	if s.log, err = archive.Open(files, "test", s.keys); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *source) prove(indexes ...uint64) []*proof.Evidence {
	s.t.Helper()
	var out []*proof.Evidence
	for _, i := range indexes {
		e, err := s.log.Prove(i)
		if err != nil {
			s.t.Fatal(err)
		}
		out = append(out, e)
	}
	return out
}

func (s *source) pack(remarks []string, indexes ...uint64) *pack.Pack {
	s.t.Helper()
	p, err := pack.New("test", s.keys, made, remarks, s.prove(indexes...))
	if err != nil {
		s.t.Fatal(err)
	}
	return p
}

func isPackError(err error) bool {
	for _, class := range []error{pack.ErrNotPack, pack.ErrVersion, proof.ErrMalformed, proof.ErrBroken, checkpoint.ErrSignature, checkpoint.ErrUntrusted} {
		if errors.Is(err, class) {
			return true
		}
	}
	return false
}

// Every choice of records of small logs proves exactly these records.
func TestEveryChoice(t *testing.T) {
	for _, counts := range [][]int{{1}, {1, 1}, {2, 1}, {3, 4}} {
		s := newSource(t, counts...)
		for set := 1; set < 1<<len(s.line); set++ {
			var chosen []uint64
			for i := range s.line {
				if set>>i&1 == 1 {
					chosen = append(chosen, uint64(i))
				}
			}
			slices.Reverse(chosen) // The order of asking does not matter.
			p := s.pack(nil, chosen...)
			slices.Reverse(chosen)
			got, err := pack.Check(p.Format(), s.keys)
			if err != nil || len(got.Proven) != len(chosen) || got.Checkpoint.Size != uint64(len(s.line)) {
				t.Fatalf("%v, records %v: %v", counts, chosen, err)
			}
			for i, one := range got.Proven {
				if one.Index != chosen[i] || !bytes.Equal(one.Line, s.line[one.Index]) || one.Record == nil {
					t.Fatalf("%v, records %v: record %d is proven as %s", counts, chosen, one.Index, one.Line)
				}
			}
			parsed, err := pack.Parse(p.Format())
			if err != nil || !bytes.Equal(parsed.Format(), p.Format()) {
				t.Fatalf("%v, records %v: does not survive its form: %v", counts, chosen, err)
			}
		}
	}
}

// What is packed says the same on every run, and does not depend on the order of
// asking or the clock's fractions.
func TestDeterministic(t *testing.T) {
	s := newSource(t, 5, 3)
	want := s.pack([]string{"x"}, 1, 4, 6).Format()
	again, err := pack.New("test", s.keys, made.Add(999*time.Millisecond).In(time.FixedZone("", 3600)), []string{"x"}, s.prove(6, 1, 4))
	if err != nil || !bytes.Equal(again.Format(), want) {
		t.Errorf("%v: another form:\n%s", err, again.Format())
	}
}

// No bit of a pack can be changed unnoticed, but for the words of its maker: log
// name, time and remark. Of these the statement must agree.
func TestEveryBitCounts(t *testing.T) {
	s := newSource(t, 3, 4)
	good := s.pack([]string{"Case 7."}, 0, 3, 6).Format()
	free := map[int]bool{}
	for _, mark := range []string{"\nlog test", "\nremark Case 7."} {
		at := bytes.Index(good, []byte(mark))
		for i := at + strings.Index(mark, " ") + 1; i < at+len(mark); i++ {
			free[i] = true
		}
	}
	for i := range good {
		for bit := range 8 {
			b := bytes.Clone(good)
			b[i] ^= 1 << bit
			p, err := pack.Check(b, s.keys)
			if err == nil && !free[i] {
				t.Fatalf("accepted with bit %d of byte %d altered: %q", bit, i, around(b, i))
			}
			if err == nil && (len(p.Proven) != 3 || p.Log == "test" && p.Remarks[0] == "Case 7.") {
				t.Fatalf("bit %d of byte %d altered, and not to be seen", bit, i)
			}
			if err != nil && !isPackError(err) {
				t.Fatalf("an error of no class: %v", err)
			}
		}
		if _, err := pack.Check(good[:i], s.keys); !isPackError(err) {
			t.Fatalf("cut off at %d: %v", i, err)
		}
		if _, err := pack.Check(slices.Insert(bytes.Clone(good), i, '\n'), s.keys); err == nil {
			t.Fatalf("accepted with a line feed at %d: %q", i, around(good, i))
		}
		if _, err := pack.Check(slices.Delete(bytes.Clone(good), i, i+1), s.keys); err == nil && !free[i] {
			t.Fatalf("accepted without byte %d: %q", i, around(good, i))
		}
	}
	if _, err := pack.Check(append(bytes.Clone(good), '\n'), s.keys); err == nil {
		t.Error("accepted with a line feed behind")
	}
}

func around(b []byte, i int) []byte { return b[max(0, i-30):min(len(b), i+30)] }

// Every line of a pack left out, repeated, or swapped with the next one.
func TestEveryLineCounts(t *testing.T) {
	s := newSource(t, 3, 4)
	good := s.pack([]string{"one", "two"}, 0, 1, 3, 6).Format()
	lines := bytes.SplitAfter(good, []byte("\n"))
	remark := func(i int) bool { return bytes.HasPrefix(lines[i], []byte("remark ")) }
	for i := range lines[:len(lines)-1] {
		without := slices.Delete(slices.Clone(lines), i, i+1)
		twice := slices.Insert(slices.Clone(lines), i, lines[i])
		swapped := slices.Clone(lines)
		swapped[i], swapped[i+1] = swapped[i+1], swapped[i]
		for what, changed := range map[string][][]byte{"left out": without, "repeated": twice, "swapped": swapped} {
			b := bytes.Join(changed, nil)
			if bytes.Equal(b, good) || remark(i) && (what != "swapped" || remark(i+1)) {
				continue // The maker's own words.
			}
			if _, err := pack.Check(b, s.keys); !isPackError(err) {
				t.Errorf("line %d %q %s: %v", i+1, lines[i], what, err)
			}
		}
	}
}

// Whole records left out, repeated, and swapped with each other.
func TestEveryRecordCounts(t *testing.T) {
	s := newSource(t, 3, 4)
	const gap = "\n\nrecord "
	blocks := strings.Split(strings.TrimSuffix(string(s.pack(nil, 1, 2, 4, 5).Format()), "\n"), gap)
	try := func(what string, i, j int, changed []string, same bool) {
		t.Helper()
		if _, err := pack.Check([]byte(strings.Join(changed, gap)+"\n"), s.keys); (err == nil) != same || err != nil && !isPackError(err) {
			t.Errorf("blocks %d and %d %s: %v", i, j, what, err)
		}
	}
	for i := 1; i < len(blocks); i++ {
		try("left out", i, i, slices.Delete(slices.Clone(blocks), i, i+1), false)
		for j := 1; j < len(blocks); j++ {
			swapped, replaced := slices.Clone(blocks), slices.Clone(blocks)
			swapped[i], swapped[j] = swapped[j], swapped[i]
			replaced[i] = blocks[j]
			try("swapped", i, j, swapped, i == j)
			try("made the same", i, j, replaced, i == j)
			try("repeated", i, j, slices.Insert(slices.Clone(blocks), i, blocks[j]), false)
		}
	}
}

// A pack names each record that it does not prove, and no other.
func TestNamesWhatIsNotProven(t *testing.T) {
	s := newSource(t, 3, 4)
	lie := func(b string, old, with string) string {
		t.Helper()
		if !strings.Contains(b, old) {
			t.Fatalf("no %q in\n%s", old, b)
		}
		return strings.Replace(b, old, with, 1)
	}
	b := string(s.pack(nil, 0, 1, 4).Format())
	b = lie(b, string(s.line[1]), string(s.line[5]))
	b = lie(b, string(s.line[4]), `{"body":"invented"}`)
	var u *pack.Unproven
	if _, err := pack.Check([]byte(b), s.keys); !errors.As(err, &u) || !errors.Is(err, proof.ErrBroken) {
		t.Fatal(err)
	}
	if !slices.Equal(u.Proven, []uint64{0}) || len(u.Failures) != 2 || u.Failures[0].Index != 1 || u.Failures[1].Index != 4 {
		t.Errorf("%+v", u)
	}
	if got := u.Error(); !strings.HasPrefix(got, "2 of 3 records are not proven: evidence broken: record 1 with its salt and predecessor is not in the tree of size 7") {
		t.Errorf("says %s", got)
	}
}

func TestKeys(t *testing.T) {
	s := newSource(t, 3, 4)
	good := s.pack(nil, 2).Format()
	mine, other := ledgertest.Signer(t, origin), ledgertest.ImpostorOf(t, origin, "x")
	if _, err := pack.Check(good, ledgertest.Keys(t, other)); !errors.Is(err, checkpoint.ErrUntrusted) {
		t.Errorf("another key: %v", err)
	}
	if _, err := pack.Check(good, ledgertest.Keys(t, other, mine)); err != nil {
		t.Errorf("a further key: %v", err)
	}
	upper := strings.ReplaceAll(string(good), mine.ID(), strings.Replace(mine.ID(), "+f", "+F", 1))
	if _, err := pack.Parse([]byte(upper)); upper == string(good) || !errors.Is(err, proof.ErrMalformed) {
		t.Errorf("a key in another form: %v", err)
	}
	// The other key's name and statement are right for it; it did not sign.
	lie := strings.NewReplacer(mine.VerifierKey(), other.VerifierKey(), mine.ID()+"\n", other.ID()+"\n").Replace(string(good))
	if _, err := pack.Parse([]byte(lie)); err != nil {
		t.Fatal(err)
	}
	if _, err := pack.Check([]byte(lie), ledgertest.Keys(t, mine)); !errors.Is(err, proof.ErrBroken) || !strings.Contains(err.Error(), "names another one") {
		t.Errorf("a key that nobody trusts: %v", err)
	}
	if _, err := pack.Check([]byte(lie), ledgertest.Keys(t, mine, other)); !errors.Is(err, proof.ErrBroken) || !strings.Contains(err.Error(), "not signed by the key that the pack names") {
		t.Errorf("a trusted key that did not sign: %v", err)
	}
}

func TestNewRefuses(t *testing.T) {
	s := newSource(t, 3, 4)
	elsewhere := newSource(t, 3, 4, 1)
	for name, try := range map[string]func() (*pack.Pack, error){
		"no records":     func() (*pack.Pack, error) { return pack.New("test", s.keys, made, nil, nil) },
		"a record twice": func() (*pack.Pack, error) { return pack.New("test", s.keys, made, nil, s.prove(1, 2, 1)) },
		"two checkpoints": func() (*pack.Pack, error) {
			return pack.New("test", s.keys, made, nil, append(s.prove(1), elsewhere.prove(2)...))
		},
		"another key": func() (*pack.Pack, error) {
			return pack.New("test", ledgertest.Keys(t, ledgertest.ImpostorOf(t, origin, "x")), made, nil, s.prove(1))
		},
		"log name":    func() (*pack.Pack, error) { return pack.New("a b", s.keys, made, nil, s.prove(1)) },
		"before 1970": func() (*pack.Pack, error) { return pack.New("test", s.keys, time.Time{}, nil, s.prove(1)) },
		"year 10000":  func() (*pack.Pack, error) { return pack.New("test", s.keys, made.AddDate(9000, 0, 0), nil, s.prove(1)) },
		"too many": func() (*pack.Pack, error) {
			one := s.prove(1)[0]
			var many []*proof.Evidence
			for i := range uint64(ledger.MaxPackRecords + 1) {
				e := *one
				e.Index = i
				many = append(many, &e)
			}
			return pack.New("test", s.keys, made, nil, many)
		},
		"too long": func() (*pack.Pack, error) {
			line := bytes.Repeat([]byte("x"), ledger.MaxLine)
			var large []*proof.Evidence
			for i := range uint64(ledger.MaxPack / ledger.MaxLine) {
				large = append(large, &proof.Evidence{Index: i, Line: line, Checkpoint: s.log.Head().After().Note()})
			}
			return pack.New("test", s.keys, made, nil, large)
		},
	} {
		if p, err := try(); err == nil {
			t.Errorf("%s: packed %d records", name, len(p.Records))
		}
	}
}

func TestRemarks(t *testing.T) {
	s := newSource(t, 3, 4)
	long := strings.Repeat("x", ledger.MaxRemarkLine)
	for _, good := range [][]string{{"a"}, {" a "}, {"Fall 7: Käse, 証拠, 🧀"}, {long}, slices.Repeat([]string{"a"}, ledger.MaxRemarkLines), {"record 1"}, {"remark "}, {"\u200d"}} {
		p := s.pack(good, 2)
		if got, err := pack.Check(p.Format(), s.keys); err != nil || !slices.Equal(got.Remarks, good) {
			t.Errorf("%.40q: %v", good, err)
		}
	}
	for _, bad := range [][]string{{""}, {"a", ""}, {"a\nb"}, {"\r"}, {"\x00"}, {"\x7f"}, {"\u0085"}, {"\u009b2J"}, {"\u2028"}, {"\u202e"}, {"\u2066"}, {"\u061c"}, {"\xff"}, {long + "x"}, slices.Repeat([]string{"a"}, ledger.MaxRemarkLines+1)} {
		if _, err := pack.New("test", s.keys, made, bad, s.prove(2)); err == nil {
			t.Errorf("%.40q: packed", bad)
		}
		// Nor does a reader take it from somebody else.
		head, rest, _ := strings.Cut(string(s.pack([]string{"REMARK"}, 2).Format()), "remark REMARK\n")
		if _, err := pack.Parse([]byte(head + "remark " + strings.Join(bad, "\nremark ") + "\n" + rest)); !errors.Is(err, proof.ErrMalformed) {
			t.Errorf("%.40q: read: %v", bad, err)
		}
	}
}

// The statement is the specification's, and no figure can put words into it.
func TestStatement(t *testing.T) {
	spec, err := os.ReadFile("../../docs/spec/pack-statement.txt")
	if err != nil {
		t.Fatal(err)
	}
	ours, err := os.ReadFile("statement.txt")
	if err != nil || !bytes.Equal(spec, ours) {
		t.Errorf("statement.txt is not docs/spec/pack-statement.txt (%v)", err)
	}
	s := newSource(t, 3, 4)
	file := string(s.pack(nil, 2, 5).Format())
	for _, figure := range []string{"  the log               " + origin + "\n", "2, from number 2 to number 5\n", "  records in the log    7, counted", "  made                  2026-03-02T08:00:00Z, says"} {
		if !strings.Contains(file, figure) {
			t.Errorf("the statement lacks %q:\n%s", figure, file)
		}
	}
	if strings.Contains(file, "<the ") {
		t.Errorf("a gap is left:\n%s", file)
	}
}

func TestParseIsStrict(t *testing.T) {
	s := newSource(t, 3, 4)
	good := string(s.pack([]string{"a remark"}, 2, 5).Format())
	for _, edit := range [][2]string{
		{"\nlog test", "\nlog  test"}, {"\nlog test", "\nlog "}, {"\nlog test", "\nlog Test"}, {"\norigin ", "\norigin x"}, {"\nkey ", "\nkey x"},
		{"2026-03-02T08:00:00Z", "2026-03-02T08:00:00.0Z"}, {"2026-03-02T08:00:00Z", "2026-02-30T08:00:00Z"}, {"2026-03-02T08:00:00Z", "1969-03-02T08:00:00Z"},
		{"\nsize 7", "\nsize 07"}, {"\nsize 7", "\nsize 8"}, {"\ncount 2", "\ncount 3"}, {"\nfirst 2", "\nfirst 1"}, {"\nlast 5", "\nlast 6"}, {"\nsize 7", "\nsize 18446744073709551616"},
		{"remark a remark\n\n", "remark a remark\n"}, {"remark a remark\n\n", "remark a remark\n\n\n"}, {"remark a remark\n\n", "\n"}, {"remark a", "Remark a"},
		{"\n\nrecord 2\n", "\nrecord 2\n"}, {"record 2\n", "record 02\n"}, {"record 2\n", "record 2\n\n"}, {"record 5", "record 2"}, {"record 5", "record 1"},
		{"\nsalt ", "\nsalt 0"}, {"\nprevious ", "\n"}, {"\nprevious ", "\nPrevious "},
	} {
		if !strings.Contains(good, edit[0]) {
			t.Fatalf("no %q", edit[0])
		}
		// Where a figure stands in the statement, it is changed there too.
		for _, n := range []int{1, -1} {
			if _, err := pack.Parse([]byte(strings.Replace(good, edit[0], edit[1], n))); !errors.Is(err, proof.ErrMalformed) {
				t.Errorf("%q for %q: %v", edit[1], edit[0], err)
			}
		}
	}
	if _, err := pack.Parse([]byte(strings.Replace(good, "custody-pack/v1", "custody-pack/v2", 1))); !errors.Is(err, pack.ErrVersion) || errors.Is(err, proof.ErrMalformed) {
		t.Errorf("a later version: %v", err)
	}
	for _, start := range []string{"", "\n", "custody-pack/v1", "custody-pack/v1x\n", "custody-pack/v1\r\n", "custody-pack/v\n", "custody-seal/v1\n", strings.Repeat("x", 100)} {
		if _, err := pack.Parse([]byte(start + strings.TrimPrefix(good, pack.Start))); !errors.Is(err, pack.ErrNotPack) || errors.Is(err, proof.ErrMalformed) {
			t.Errorf("%q: %v", start, err)
		}
	}
	figures := strings.NewReplacer("\nlast 5", "\nlast 6", "to number 5", "to number 6").Replace(good)
	if _, err := pack.Parse([]byte(figures)); !errors.Is(err, proof.ErrMalformed) || !strings.Contains(err.Error(), "the figures of the first lines are not those of what follows") {
		t.Errorf("a figure in head and statement: %v", err)
	}
	e := s.prove(2)[0]
	hash := e.Proof[len(e.Proof)-1].String() + "\n"
	if _, err := pack.Parse([]byte(strings.Replace(good, hash, strings.Repeat(hash, 65), 1))); !errors.Is(err, proof.ErrMalformed) {
		t.Errorf("65 hashes: %v", err)
	}
	if _, err := pack.Parse(append([]byte(pack.Start), make([]byte, ledger.MaxPack)...)); !errors.Is(err, proof.ErrMalformed) || !strings.Contains(err.Error(), "bytes are too many") {
		t.Errorf("a large file: %v", err)
	}
	// Many short records must not become many allocations.
	head, _, _ := strings.Cut(good, "\nrecord ")
	head += strings.Repeat(fmt.Sprintf("\nrecord 1\n{\nsalt %032x\nprevious %064x\n", 0, 0), ledger.MaxPackRecords+1)
	for _, count := range []int{2, ledger.MaxPackRecords + 1} {
		many := strings.NewReplacer("\ncount 2", fmt.Sprintf("\ncount %d", count), "  2, from", fmt.Sprintf("  %d, from", count)).Replace(head)
		if n := testing.AllocsPerRun(1, func() { _, _ = pack.Parse([]byte(many)) }); n > 1000 {
			t.Errorf("%v allocations for a file of too many records, %d", n, count)
		}
	}
}

// FuzzParse leaves the statement alone, behind which nothing else would ever be
// reached, and alters what is around it.
func FuzzParse(f *testing.F) {
	s := newSource(f, 3, 4)
	const begins, ends = "\nEVIDENCE", "of that specification says.\n\n"
	var statement string
	for _, remarks := range [][]string{nil, {"a", "b"}} {
		before, rest, _ := strings.Cut(string(s.pack(remarks, 1, 2, 6).Format()), begins)
		words, after, ok := strings.Cut(rest, ends)
		if !ok {
			f.Fatal("the statement ends in other words")
		}
		statement = begins + words + ends
		f.Add([]byte(before), []byte(after))
	}
	f.Fuzz(func(t *testing.T, before, after []byte) {
		b := slices.Concat(before, []byte(statement), after)
		p, err := pack.Parse(b)
		if err != nil {
			if !isPackError(err) {
				t.Fatal(err)
			}
			return
		}
		if !bytes.Equal(p.Format(), b) {
			t.Fatalf("%q has another form", b)
		}
		proven, err := pack.Check(b, s.keys)
		if err != nil {
			if !isPackError(err) {
				t.Fatal(err)
			}
			return
		}
		for _, one := range proven.Proven {
			if !bytes.Equal(s.line[one.Index], one.Line) {
				t.Fatalf("proven, and not in the log: %q", one.Line)
			}
		}
	})
}
