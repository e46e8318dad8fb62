package recordindex

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/otelcol-custody/custody/internal/durable"
	"github.com/otelcol-custody/custody/internal/durable/durabletest"
)

const dir = "/index"

// small makes runs and merges of few ids.
func small(fs durable.FS, tell func(error)) Options {
	return Options{FS: fs, Tell: tell, recent: 64}
}

func open(t testing.TB, opt Options) *Index {
	t.Helper()
	x, err := Open(dir, "log", opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = x.Close() })
	return x
}

// ids are the ids of the records of a stretch, the same ones each time; some have
// none, some share one.
func ids(first, end uint64) []ID {
	var all []ID
	for p := first; p < end; p++ {
		switch {
		case p%7 == 3:
		case p%10 == 0:
			all = append(all, ID{p, RecordID, "shared"})
		default:
			all = append(all, ID{p, RecordID, fmt.Sprint("id ", p)}, ID{p, OriginalID, fmt.Sprint("id ", p+1)})
		}
	}
	return all
}

// grow adds segments of up to 30 records until there are so many.
func grow(t testing.TB, x *Index, size uint64) {
	t.Helper()
	for first := x.Through(); first < size; first = x.Through() {
		end := min(first+1+first%30, size)
		if err := x.Add(first, end, ids(first, end)); err != nil {
			t.Fatal(err)
		}
	}
}

// holds compares what is found with what was added, between two records.
func holds(t testing.TB, x *Index, from, through uint64) {
	t.Helper()
	if err := compare(x, from, through); err != nil {
		t.Fatal(err)
	}
}

func compare(x *Index, from, through uint64) error {
	want := map[string][]uint64{fmt.Sprint(RecordID, "none"): nil}
	for _, id := range ids(from, through) {
		want[id.Kind.String()+id.Text] = append(want[id.Kind.String()+id.Text], id.Position)
	}
	for _, id := range append(ids(from, through), ID{0, RecordID, "none"}, ID{0, OriginalID, "shared"}) {
		got, err := x.candidates(id.Kind, id.Text, 1<<20)
		if err != nil {
			return err
		}
		if w := want[id.Kind.String()+id.Text]; !slices.Equal(got, w) {
			return fmt.Errorf("%w: %s %q is at %v, want %v", errWrong, id.Kind, id.Text, got, w)
		}
	}
	if f, th := x.Range(); f != from || th != through {
		return fmt.Errorf("the index is of %d to %d, want %d to %d", f, th, from, through)
	}
	return nil
}

func TestGrows(t *testing.T) {
	fs := durabletest.New()
	x := open(t, small(fs, func(err error) { t.Error(err) }))
	holds(t, x, 0, 0)
	for _, size := range []uint64{1, 20, 64, 65, 500, 501, 3000, 9000} {
		grow(t, x, size)
		holds(t, x, 0, size)
		if size%2 == 0 {
			if err := x.Close(); err != nil {
				t.Fatal(err)
			}
			put(t, fs, "00000000000000ff.run", []byte("left by a crash"))
			x = open(t, small(fs, func(err error) { t.Error(err) }))
			holds(t, x, 0, size)
		}
	}
	if n := len(x.runs); n > 4*fanIn {
		t.Errorf("%d runs", n)
	}
	if x.bytes() > 9000*30 || x.Size() != x.bytes() {
		t.Errorf("%d bytes", x.Size())
	}
	files, _ := fs.ReadDir(dir)
	if len(files) != len(x.runs)+2 {
		t.Errorf("%d files for %d runs", len(files), len(x.runs))
	}
	if got, err := x.candidates(RecordID, "shared", 3); err != nil || !slices.Equal(got, []uint64{0, 20, 30}) {
		t.Errorf("the first three: %v, %v", got, err)
	}
}

func TestAddRefuses(t *testing.T) {
	x := open(t, small(durabletest.New(), nil))
	grow(t, x, 100)
	if err := x.Add(50, 100, []ID{{60, RecordID, "again"}}); err != nil {
		t.Errorf("what is indexed: %v", err)
	}
	for name, at := range map[string][2]uint64{"a gap": {101, 110}, "an overlap": {90, 110}, "too far": {100, 1 << 49}} {
		if err := x.Add(at[0], at[1], nil); err == nil {
			t.Errorf("%s is added", name)
		}
	}
	holds(t, x, 0, 100)
	if err := errors.Join(x.Close(), x.Close()); err != nil {
		t.Error(err)
	}
	if err := x.Add(100, 101, nil); !errors.Is(err, errClosed) {
		t.Errorf("added to a closed one: %v", err)
	}
	if _, err := x.candidates(RecordID, "shared", 1); !errors.Is(err, errClosed) {
		t.Errorf("found in a closed one: %v", err)
	}
}

func TestOneAtATime(t *testing.T) {
	fs := durabletest.New()
	open(t, small(fs, nil))
	if _, err := Open(dir, "log", small(fs, nil)); !errors.Is(err, durable.ErrLocked) {
		t.Errorf("a second one: %v", err)
	}
}

func TestAnotherLogBeginsAnew(t *testing.T) {
	fs := durabletest.New()
	x := open(t, small(fs, nil))
	grow(t, x, 300)
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	var told error
	y, err := Open(dir, "another", small(fs, func(err error) { told = err }))
	if err != nil {
		t.Fatal(err)
	}
	holds(t, y, 0, 0)
	if told == nil || !strings.Contains(told.Error(), "of another log, log") {
		t.Errorf("told %v", told)
	}
	if files, _ := fs.ReadDir(dir); len(files) != 2 {
		t.Errorf("%d files", len(files))
	}
	if err := y.Close(); err != nil {
		t.Error(err)
	}
}

// TestLimit forgets the oldest records and keeps what is said of the others right.
func TestLimit(t *testing.T) {
	opt := small(durabletest.New(), func(err error) { t.Error(err) })
	opt.Limit = 60_000
	x := open(t, opt)
	for size := uint64(500); size <= 10_000; size += 500 {
		grow(t, x, size)
		from, _ := x.Range()
		holds(t, x, from, size)
		if x.Size() > opt.Limit+64*entryBytes {
			t.Fatalf("%d bytes at size %d", x.Size(), size)
		}
	}
	from, _ := x.Range()
	if from == 0 || from > 9000 {
		t.Errorf("it begins at %d", from)
	}
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	y := open(t, opt)
	_, through := y.Range()
	from, _ = y.Range()
	holds(t, y, from, through)
}

// contents reads every file of the index.
func contents(t *testing.T, fs durable.FS) map[string][]byte {
	t.Helper()
	entries, err := fs.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]byte{}
	for _, e := range entries {
		f, err := fs.OpenFile(filepath.Join(dir, e.Name()), os.O_RDONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(f)
		if err := errors.Join(err, f.Close()); err != nil {
			t.Fatal(err)
		}
		all[e.Name()] = b
	}
	delete(all, "lock")
	return all
}

func put(t *testing.T, fs durable.FS, name string, b []byte) {
	t.Helper()
	if err := durable.WriteFile(fs, filepath.Join(dir, name), b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestDamage changes what is on disk in every way. What is found then is what was
// added, or the index says that it begins anew; and after it was filled again it is
// whole.
func TestDamage(t *testing.T) {
	fs := durabletest.New()
	x := open(t, small(fs, nil))
	const size = 400
	grow(t, x, size)
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	clean := contents(t, fs)
	if len(clean) < 3 {
		t.Fatalf("%d files", len(clean))
	}
	last := ""
	for name := range clean {
		if name != manifestName {
			last = name
		}
	}
	anew := 0
	try := func(what string, files map[string][]byte) {
		t.Helper()
		fs := durabletest.New()
		if err := durable.MkdirAll(fs, dir, 0o700); err != nil {
			t.Fatal(err)
		}
		for name, b := range files {
			put(t, fs, name, b)
		}
		told := 0
		x := open(t, small(fs, func(error) { told++ }))
		var err error
		if x.Through() == size {
			err = compare(x, 0, size)
		}
		switch {
		case errors.Is(err, ErrRebuilding), err == nil && x.Through() == 0:
			if told != 1 && files[manifestName] != nil || x.Through() != 0 {
				t.Errorf("%s: told %d times, through %d", what, told, x.Through())
			}
			anew++
		case err != nil:
			t.Errorf("%s: %v", what, err)
		}
		grow(t, x, size)
		holds(t, x, 0, size)
		if err := x.Close(); err != nil {
			t.Error(err)
		}
		holds(t, open(t, small(fs, nil)), 0, size)
	}
	try("nothing", clean)
	if anew != 0 {
		t.Error("a whole one begins anew")
	}
	tried := 0
	with := func(what, name string, b []byte) {
		files := map[string][]byte{}
		for n, c := range clean {
			files[n] = c
		}
		if files[name] = b; b == nil {
			delete(files, name)
		}
		tried++
		try(name+" "+what, files)
	}
	for name, b := range clean {
		step := max(1, len(b)/24)
		for i := 0; i < len(b); i += step {
			flipped := slices.Clone(b)
			flipped[i] ^= 1 << (i % 8)
			with(fmt.Sprint("flipped at ", i), name, flipped)
		}
		with("missing", name, nil)
		with("empty", name, []byte{})
		with("cut", name, b[:len(b)-1])
		with("longer", name, append(slices.Clone(b), 0))
	}
	for name, b := range clean {
		if name != manifestName && name != last && len(b) == len(clean[last]) {
			with("in the place of "+last, last, b)
		}
	}
	if anew < tried*3/4 { // The others hit what is padding or is not read.
		t.Errorf("%d of %d were noticed", anew, tried)
	}
}

// TestFaults fails every call once, with and without effect, and cuts the power.
func TestFaults(t *testing.T) {
	tiny := func(fs durable.FS) Options { return Options{FS: fs, recent: 14} }
	run := func(fs *durabletest.FS) error {
		x, err := Open(dir, "log", tiny(fs))
		if err != nil {
			return err
		}
		for first := x.Through(); first < 110; first = x.Through() {
			end := first + 10
			if err = x.Add(first, end, ids(first, end)); err != nil {
				if cerr := compare(x, 0, first); errors.Is(cerr, errWrong) {
					return fmt.Errorf("after a failed Add: %w", cerr)
				}
				_ = x.Add(first, end, ids(first, end))
				break
			}
		}
		_ = x.Close()
		return err
	}
	plain := durabletest.New()
	if err := run(plain); err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(plain.Calls(), func(c durabletest.Call) bool {
		return c.Op == durabletest.OpRemove && strings.HasSuffix(c.Name, ".run")
	}) {
		t.Fatal("nothing was merged")
	}
	rng := rand.New(rand.NewPCG(3, 4))
	for n := range plain.Calls() {
		call := plain.Calls()[n]
		if !call.Op.Changing() {
			continue
		}
		for _, f := range []durabletest.Fault{{N: n + 1}, {N: n + 1, Applied: true}, {N: n + 1, Torn: true}, {N: n + 1, Crash: true}, {N: n + 1, UntilRestart: true}} {
			fs := durabletest.New()
			fs.Inject(f)
			if err := run(fs); errors.Is(err, errWrong) {
				t.Fatalf("%v, %+v: %v", call, f, err)
			}
			after := fs.Restart()
			if f.Crash || rng.IntN(2) == 0 {
				after = fs.CrashRandom(rng)
			}
			x, err := Open(dir, "log", tiny(after))
			if err != nil {
				t.Fatalf("%v, %+v: %v", call, f, err)
			}
			holds(t, x, 0, x.Through())
			grow(t, x, 130)
			holds(t, x, 0, 130)
			if err := x.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// What is said to be on disk survives.
func TestSurvivesPowerLoss(t *testing.T) {
	fs := durabletest.New()
	x := open(t, small(fs, nil))
	for size := uint64(200); size < 2000; size += 200 {
		grow(t, x, size)
		if x.manifest.through < size-100 {
			t.Fatalf("%d of %d records are on disk", x.manifest.through, size)
		}
		want := x.manifest.through
		fs = fs.Crash()
		x = open(t, small(fs, func(err error) { t.Error(err) }))
		holds(t, x, 0, want)
	}
}

var errWrong = errors.New("wrong answer")

// A read that fails is no damage.
func TestUnreadIsNotDamaged(t *testing.T) {
	fs := durabletest.New()
	x := open(t, small(fs, func(err error) { t.Error(err) }))
	grow(t, x, 500)
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	y := open(t, small(fs, func(err error) { t.Error(err) }))
	fs.Inject(durabletest.Fault{Op: durabletest.OpRead, UntilRestart: true})
	if _, err := y.candidates(RecordID, "id 5", 1); err == nil || errors.Is(err, ErrRebuilding) {
		t.Errorf("got %v", err)
	}
	if err := y.Close(); err != nil {
		t.Error(err)
	}
	if _, err := Open(dir, "log", small(fs, func(err error) { t.Error(err) })); err == nil {
		t.Error("opened without being read")
	}
	fs.Heal()
	holds(t, open(t, small(fs, func(err error) { t.Error(err) })), 0, 500)
}

// Who looks while others add finds what was there before, or more.
func TestManyAtOnce(t *testing.T) {
	x := open(t, small(durabletest.New(), func(err error) { t.Error(err) }))
	grow(t, x, 100)
	want, err := x.candidates(RecordID, "shared", 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for x.Through() < 1500 {
				got, err := x.candidates(RecordID, "shared", len(want))
				if err != nil || !slices.Equal(got, want) {
					t.Errorf("got %v, %v, want %v", got, err, want)
					return
				}
			}
		})
	}
	grow(t, x, 1500)
	wg.Wait()
	holds(t, x, 0, 1500)
}

func FuzzParseManifest(f *testing.F) {
	m := newManifest("log \"1\"")
	f.Add(m.format())
	m.through, m.next, m.runs = 70, 5, []span{{1, 10, 0, 40}, {4, 3, 40, 70}}
	f.Add(m.format())
	f.Add(append(m.format(), 'x'))
	f.Add([]byte(strings.Replace(string(m.format()), "next 5", "next 6", 1)))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := parseManifest(b)
		if err == nil && string(m.format()) != string(b) || err != nil && !errors.Is(err, errDamaged) {
			t.Errorf("%q: %v", b, err)
		}
	})
}

// BenchmarkIndex says what a record with two ids takes, and what finding one does.
func BenchmarkIndex(b *testing.B) {
	x, err := Open(b.TempDir(), "log", Options{})
	if err != nil {
		b.Fatal(err)
	}
	const perSegment = 10_000
	size := uint64(0)
	b.Run("add 10,000 records", func(b *testing.B) {
		for b.Loop() {
			all := make([]ID, 0, 2*perSegment)
			for p := size; p < size+perSegment; p++ {
				all = append(all, ID{p, RecordID, text(p)}, ID{p, OriginalID, text(p)})
			}
			if err := x.Add(size, size+perSegment, all); err != nil {
				b.Fatal(err)
			}
			size += perSegment
		}
		b.ReportMetric(b.Elapsed().Seconds()/float64(b.N)/perSegment*1e9, "ns/record")
	})
	b.Run("find", func(b *testing.B) {
		for i := uint64(0); b.Loop(); i++ {
			if got, err := x.candidates(RecordID, text(i*7919%size), 1); err != nil || len(got) != 1 {
				b.Fatal(got, err)
			}
		}
		b.ReportMetric(float64(len(x.runs)), "runs")
		b.ReportMetric(float64(x.Size())/float64(x.manifest.through), "bytes/record")
		b.ReportMetric(float64(size), "records")
	})
	if err := x.Close(); err != nil {
		b.Fatal(err)
	}
}

func text(p uint64) string {
	return string(binary.BigEndian.AppendUint64([]byte("0198e2b0-7c4f-7d2a-"), p*0x9E3779B97F4A7C15))
}
