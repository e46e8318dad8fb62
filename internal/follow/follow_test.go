package follow

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/otelcol-custody/custody/internal/contents"
)

func TestFilesAreReadInOrderAndNewOnesFollow(t *testing.T) {
	root, s := t.TempDir(), &sink{}
	write(t, root, "b/2.json", "b2")
	write(t, root, "a/1.json.gz", members(t, "a1 a2", " a3 a4 a5"))
	write(t, root, "a/z/deep.json", "z")
	write(t, root, "b/1.json", "b1")
	write(t, root, "b/other.txt", "no")
	write(t, root, "b/1.json.gz.part", "no")
	time.Sleep(testConfig(root).StableFor) // all are due at the first look
	begin(t, testConfig(root), newMemory(), s)
	want := []string{
		"a/1.json.gz:a1", "a/1.json.gz:a2", "a/1.json.gz:a3", "a/1.json.gz:a4", "a/1.json.gz:a5",
		"a/z/deep.json:z", "b/1.json:b1", "b/2.json:b2",
	}
	eventually(t, "records", s, &s.records, want...)

	write(t, root, "a/0.json", "new")
	eventually(t, "records", s, &s.records, append(want, "a/0.json:new")...)
	eventually(t, "duplicates", s, &s.duplicates)
	if got := s.lastState(); got != (State{}) {
		t.Errorf("state %+v after all was done", got)
	}
}

func TestLongListOfDueFilesIsWorkedOffInParts(t *testing.T) {
	root, s := t.TempDir(), &sink{}
	var want []string
	for i := range 10 {
		path := fmt.Sprintf("%d/a.json", i)
		write(t, root, path, path)
		want = append(want, path)
	}
	write(t, root, "5/other.txt", "no")
	time.Sleep(testConfig(root).StableFor)
	var backlogs []int
	s.refuse = func(string) error { backlogs = append(backlogs, s.lastState().Backlog); return nil }
	f := New(testConfig(root), newMemory(), s, s)
	f.maxDue = 4
	f.Start()
	eventually(t, "done", s, &s.done, want...)
	stop(t, f)
	if want := []int{10, 9, 8, 7, 6, 5, 4, 3, 2, 1}; !slices.Equal(backlogs, want) {
		t.Errorf("backlogs %v, want %v", backlogs, want)
	}
}

func TestPositionsThatCannotBeReadAreTrouble(t *testing.T) {
	root, s, positions := t.TempDir(), &sink{}, newMemory()
	write(t, root, "a.json", "a")
	positions.setFail(errors.New("closed"))
	begin(t, testConfig(root), positions, s)
	until(t, "trouble is told", func() bool { return s.lastState().Troubled == 1 })
	eventually(t, "records without positions", s, &s.records)
	positions.setFail(nil)
	eventually(t, "records", s, &s.records, "a.json:a")
	until(t, "no trouble is left", func() bool { return s.lastState() == State{} })
}

func TestContentIsReadOnce(t *testing.T) {
	root, s, positions := t.TempDir(), &sink{}, newMemory()
	write(t, root, "a.json", "one two")
	f := begin(t, testConfig(root), positions, s)
	eventually(t, "done", s, &s.done, "a.json")

	write(t, root, "copy.json", "one two")
	eventually(t, "duplicates", s, &s.duplicates, "copy.json = a.json, 2")
	rename(t, root, "a.json", "renamed.json")
	eventually(t, "duplicates", s, &s.duplicates, "copy.json = a.json, 2", "renamed.json = a.json, 2")
	write(t, root, "copy.json", "other content")
	want := []string{"a.json:one", "a.json:two", "copy.json:other", "copy.json:content"}
	eventually(t, "records", s, &s.records, want...)
	stop(t, f)
	if s.idle == 0 || !s.last {
		t.Errorf("called when idle %d times, and at the end %v", s.idle, s.last)
	}

	again := &sink{}
	begin(t, testConfig(root), positions, again)
	eventually(t, "records after a restart", again, &again.records)
	eventually(t, "duplicates after a restart", again, &again.duplicates)
}

func TestSameSizeAndTimeButOtherContent(t *testing.T) {
	root, s := t.TempDir(), &sink{}
	write(t, root, "a.json", "old")
	old := time.Now().Add(-time.Hour)
	chtimes(t, root, "a.json", old)
	begin(t, testConfig(root), newMemory(), s)
	eventually(t, "records", s, &s.records, "a.json:old")
	write(t, root, "a.json", "new")
	chtimes(t, root, "a.json", old)
	eventually(t, "records", s, &s.records, "a.json:old", "a.json:new")
}

func TestRestartResumesAfterTheLastAcknowledgedBatch(t *testing.T) {
	root, positions := t.TempDir(), newMemory()
	write(t, root, "a.json", "1 2 3 4 5 6 7")
	write(t, root, "b.json", "8")
	for _, diesAt := range []string{"1", "3", "5", "7"} {
		s := &sink{refuse: func(record string) error {
			if record == "a.json:"+diesAt {
				return errors.New("downstream is gone")
			}
			return nil
		}}
		store := positions.branch()
		f := begin(t, testConfig(root), store, s)
		until(t, "b is done", func() bool { return len(s.copyOf(&s.done)) == 1 })
		store = store.branch() // the old process is dead from here
		rest := &sink{}
		begin(t, testConfig(root), store, rest)
		until(t, "a is done", func() bool { return len(rest.copyOf(&rest.done)) == 1 })
		got := slices.DeleteFunc(append(s.copyOf(&s.records), rest.copyOf(&rest.records)...),
			func(r string) bool { return r == "b.json:8" })
		want := []string{"a.json:1", "a.json:2", "a.json:3", "a.json:4", "a.json:5", "a.json:6", "a.json:7"}
		if !slices.Equal(got, want) {
			t.Errorf("died before record %s: got %q", diesAt, got)
		}
		stop(t, f)
	}
}

func TestCrashBetweenDeliveryAndPosition(t *testing.T) {
	root, positions, s := t.TempDir(), newMemory(), &sink{}
	write(t, root, "a.json", "1 2 3")
	s.refuse = func(record string) error {
		if record == "a.json:3" {
			positions.setFail(errors.New("disk full"))
		}
		return nil
	}
	begin(t, testConfig(root), positions, s)
	until(t, "trouble is told", func() bool { return s.lastState().Troubled == 1 })
	crashed := positions.branch()

	positions.setFail(nil)
	eventually(t, "done when the disk has space again", s, &s.done, "a.json")
	eventually(t, "records", s, &s.records, "a.json:1", "a.json:2", "a.json:3")
	if got := s.lastState(); got.Troubled != 0 {
		t.Errorf("state %+v after the disk has space again", got)
	}
	after := &sink{}
	begin(t, testConfig(root), crashed, after)
	eventually(t, "records after a crash", after, &after.records, "a.json:3")
}

func TestGrowingFileIsReadWhenItStandsStill(t *testing.T) {
	root, s := t.TempDir(), &sink{}
	cfg := testConfig(root)
	cfg.StableFor, cfg.IncompleteAfter = 500*time.Millisecond, 500*time.Millisecond
	file, err := os.Create(filepath.Join(root, "a.json"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	begin(t, cfg, newMemory(), s)
	for i := range 30 {
		if _, err := fmt.Fprintf(file, "%d ", i); err != nil {
			t.Fatal(err)
		}
		time.Sleep(25 * time.Millisecond)
	}
	if got := s.copyOf(&s.records); len(got) != 0 {
		t.Errorf("read while it was growing: %q", got)
	}
	until(t, "all are read", func() bool { return len(s.copyOf(&s.records)) == 30 })
	eventually(t, "troubles", s, &s.troubles, "a.json: "+errGrowing.Error())
	if got := s.lastState(); got.Troubled != 0 {
		t.Errorf("state %+v after it was read", got)
	}
}

func TestTruncatedGzipIsWaitedForAndThenReported(t *testing.T) {
	root, s := t.TempDir(), &sink{}
	whole := members(t, strings.Repeat("x", 10), " second")
	write(t, root, "late.json.gz", whole[:len(whole)-12])
	write(t, root, "never.json.gz", members(t, "first")+whole[:8])
	begin(t, testConfig(root), newMemory(), s)
	time.Sleep(60 * time.Millisecond)
	if got := s.copyOf(&s.records); len(got) != 0 {
		t.Errorf("delivered before the wait was over: %q", got)
	}
	write(t, root, "late.json.gz", whole)
	eventually(t, "records", s, &s.records,
		"late.json.gz:xxxxxxxxxx", "late.json.gz:second",
		"never.json.gz:first", "never.json.gz!"+contents.ErrIncomplete.Error())

	write(t, root, "never.json.gz", members(t, "first")+whole)
	eventually(t, "records when it is whole after all", s, &s.records,
		"late.json.gz:xxxxxxxxxx", "late.json.gz:second",
		"never.json.gz:first", "never.json.gz!"+contents.ErrIncomplete.Error(),
		"never.json.gz:firstxxxxxxxxxx", "never.json.gz:second")
}

func TestFaultyFilesAreDeliveredWithTheirFault(t *testing.T) {
	good := members(t, "good")
	flipped := []byte(good)
	flipped[len(flipped)-8] ^= 1 // the checksum
	for _, tt := range []struct {
		name, content string
		want          []string
	}{
		{"checksum", string(flipped), []string{"f.json.gz:good", "f.json.gz!" + contents.ErrCorrupt.Error()}},
		{"bytes behind the last member", good + "junk!junk!junk!", []string{"f.json.gz:good", "f.json.gz!" + contents.ErrCorrupt.Error()}},
		{"no header", "\x1f\x8b\xff\xff\xff\xff\xff\xff\xff\xff\xff", []string{"f.json.gz!" + contents.ErrCorrupt.Error()}},
		{"empty", "", []string{"f.json.gz!" + contents.ErrIncomplete.Error()}},
		{"one byte", "\x1f", []string{"f.json.gz!" + contents.ErrIncomplete.Error()}},
		{"inflated over the limit", members(t, strings.Repeat("a", 1<<20), "a"), []string{"f.json.gz!" + contents.ErrTooLarge.Error()}},
		{"stored over the limit", strings.Repeat("a", 1<<20+1), []string{"f.json.gz!" + contents.ErrTooLarge.Error()}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			root, s := t.TempDir(), &sink{}
			write(t, root, "f.json.gz", tt.content)
			begin(t, testConfig(root), newMemory(), s)
			eventually(t, "records", s, &s.records, tt.want...)
			eventually(t, "done", s, &s.done, "f.json.gz")
		})
	}
}

func TestContentAtTheLimitIsRead(t *testing.T) {
	for _, content := range []string{strings.Repeat("a", 1<<20), members(t, strings.Repeat("a", 1<<20))} {
		root, s := t.TempDir(), &sink{}
		write(t, root, "f.json", content)
		begin(t, testConfig(root), newMemory(), s)
		eventually(t, "records", s, &s.records, "f.json:"+strings.Repeat("a", 1<<20))
	}
}

func TestLoweringTheLimitHalfwayStillTellsOfTheGap(t *testing.T) {
	root, positions := t.TempDir(), newMemory()
	write(t, root, "f.json", "1 2 3 4 5 6 7")
	half := &sink{refuse: func(record string) error {
		if record == "f.json:5" {
			return errors.New("downstream is gone")
		}
		return nil
	}}
	f := begin(t, testConfig(root), positions, half)
	until(t, "four records are delivered", func() bool { return len(half.copyOf(&half.records)) == 4 })
	stop(t, f)

	cfg := testConfig(root)
	cfg.MaxInflated = 10
	lowered := &sink{}
	begin(t, cfg, positions, lowered)
	eventually(t, "records with a lower limit", lowered, &lowered.records, "f.json!"+contents.ErrTooLarge.Error())
}

func TestRaisingTheLimitReadsWhatWasTooLarge(t *testing.T) {
	root, positions, s := t.TempDir(), newMemory(), &sink{}
	write(t, root, "f.json", "12345 12345")
	cfg := testConfig(root)
	cfg.MaxInflated = 10
	f := begin(t, cfg, positions, s)
	eventually(t, "records", s, &s.records, "f.json!"+contents.ErrTooLarge.Error())
	stop(t, f)

	same := &sink{}
	f = begin(t, cfg, positions, same)
	eventually(t, "records with the same limit", same, &same.records)
	eventually(t, "duplicates with the same limit", same, &same.duplicates)
	stop(t, f)

	cfg.MaxInflated = 11
	raised := &sink{}
	begin(t, cfg, positions, raised)
	eventually(t, "records with a higher limit", raised, &raised.records, "f.json:12345", "f.json:12345")
}

func TestUnreadableFileIsReportedAndReadLater(t *testing.T) {
	root, s := t.TempDir(), &sink{}
	write(t, root, "a.json", "a")
	write(t, root, "b.json", "b")
	var denied atomic.Bool
	denied.Store(true)
	f := New(testConfig(root), newMemory(), s, s)
	open := f.openFile
	f.openFile = func(root *os.Root, path string) (handle, error) {
		if path == "a.json" && denied.Load() {
			return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrPermission}
		}
		return open(root, path)
	}
	f.Start()
	t.Cleanup(func() { stop(t, f) })
	eventually(t, "records", s, &s.records, "b.json:b")
	state := s.lastState()
	if state.Troubled != 1 || state.Backlog != 1 || !errors.Is(state.Example, fs.ErrPermission) {
		t.Errorf("state %+v", state)
	}
	if got := s.copyOf(&s.troubles); len(got) != 1 || !strings.HasPrefix(got[0], "a.json: cannot be read") {
		t.Errorf("troubles %q", got)
	}
	denied.Store(false)
	eventually(t, "records", s, &s.records, "b.json:b", "a.json:a")
	if got := s.lastState(); got != (State{}) {
		t.Errorf("state %+v after all was read", got)
	}
}

func TestMissingDirectoryIsWaitedFor(t *testing.T) {
	root, s := filepath.Join(t.TempDir(), "later"), &sink{}
	begin(t, testConfig(root), newMemory(), s)
	until(t, "trouble is told", func() bool { return s.lastState().Troubled == 1 })
	write(t, root, "a.json", "a")
	eventually(t, "records", s, &s.records, "a.json:a")
	if got := s.lastState(); got.Troubled != 0 {
		t.Errorf("state %+v", got)
	}
}

func TestLinksAndOtherThingsThatAreNotFiles(t *testing.T) {
	root, outside, s := t.TempDir(), t.TempDir(), &sink{}
	write(t, outside, "secret.json", "secret")
	write(t, outside, "folder/secret.json", "secret")
	write(t, root, "data/real.bin", "real")
	write(t, root, "data/x.json", "x")
	write(t, root, "folder.json/inner.json", "inner")
	links := map[string]string{
		"out.json":     filepath.Join(outside, "secret.json"),
		"out.folder":   filepath.Join(outside, "folder"),
		"up.json":      "../" + filepath.Base(outside) + "/secret.json",
		"nowhere.json": "data/none.json",
		"in.json":      "data/real.bin",
		"in.folder":    "data",
	}
	for name, target := range links {
		if err := os.Symlink(target, filepath.Join(root, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(filepath.Join(root, "pipe.json"), 0o644); err != nil {
		t.Fatal(err)
	}
	time.Sleep(testConfig(root).StableFor)
	begin(t, testConfig(root), newMemory(), s)
	eventually(t, "records", s, &s.records, "data/x.json:x", "folder.json/inner.json:inner", "in.json:real")
	var named []string
	for _, trouble := range s.copyOf(&s.troubles) {
		path, _, _ := strings.Cut(trouble, ":")
		named = append(named, path)
	}
	if want := []string{"nowhere.json", "out.folder", "out.json", "up.json"}; !slices.Equal(named, want) {
		t.Errorf("troubles with %q, want %q", named, want)
	}
}

func TestParkedFileStaysUntilItChangesOrARestart(t *testing.T) {
	root, positions := t.TempDir(), newMemory()
	var attempts atomic.Int32
	s := &sink{refuse: func(record string) error {
		if strings.HasPrefix(record, "a.json:bad") {
			attempts.Add(1)
			return fmt.Errorf("refused: %w", contents.ErrParked)
		}
		return nil
	}}
	write(t, root, "a.json", "good good bad")
	write(t, root, "b.json", "b")
	f := begin(t, testConfig(root), positions, s)
	eventually(t, "records", s, &s.records, "a.json:good", "a.json:good", "b.json:b")
	if got := attempts.Load(); got != 1 {
		t.Errorf("%d attempts at a parked file", got)
	}
	if got := s.lastState(); got.Troubled != 1 || !errors.Is(got.Example, contents.ErrParked) {
		t.Errorf("state %+v", got)
	}
	stop(t, f)
	after := &sink{}
	begin(t, testConfig(root), positions, after)
	eventually(t, "records after a restart", after, &after.records, "a.json:bad")
}

func TestSeveralWorkersDeliverEachContentOnce(t *testing.T) {
	root, s := t.TempDir(), &sink{}
	for i := range 60 {
		write(t, root, fmt.Sprintf("%02d.json", i), fmt.Sprint("v", i/2)) // pairs of equal files
	}
	cfg := testConfig(root)
	cfg.Workers = 4
	begin(t, cfg, newMemory(), s)
	until(t, "all are done", func() bool {
		return len(s.copyOf(&s.done)) == 30 && len(s.copyOf(&s.duplicates)) == 30
	})
	if got := s.copyOf(&s.records); len(got) != 30 {
		t.Errorf("%d records, want 30", len(got))
	}
}

func TestEqualFilesInWorkAtOnceAreDeliveredOnce(t *testing.T) {
	root, s := t.TempDir(), &sink{}
	write(t, root, "a.json", "same")
	write(t, root, "b.json", "same")
	s.refuse = func(string) error { time.Sleep(100 * time.Millisecond); return nil }
	cfg := testConfig(root)
	cfg.Workers = 2
	time.Sleep(cfg.StableFor)
	begin(t, cfg, newMemory(), s)
	until(t, "both are done", func() bool { return len(s.copyOf(&s.done))+len(s.copyOf(&s.duplicates)) == 2 })
	if got := s.copyOf(&s.records); len(got) != 1 {
		t.Errorf("records %q", got)
	}
}

// spoiled is a file that somebody writes to when its end has been read.
type spoiled struct {
	handle
	spoil func()
}

func (s spoiled) Read(p []byte) (int, error) {
	n, err := s.handle.Read(p)
	if err != nil {
		s.spoil()
	}
	return n, err
}

func TestFileThatChangesWhileItIsReadIsReadAgain(t *testing.T) {
	root, s := t.TempDir(), &sink{}
	write(t, root, "a.json", "old")
	f := New(testConfig(root), newMemory(), s, s)
	open, once := f.openFile, sync.OnceFunc(func() { write(t, root, "a.json", "new") })
	f.openFile = func(root *os.Root, path string) (handle, error) {
		file, err := open(root, path)
		return spoiled{file, once}, err
	}
	f.Start()
	t.Cleanup(func() { stop(t, f) })
	eventually(t, "records", s, &s.records, "a.json:new")
}

func TestDamagedPositionIsReportedAndTheFileReadAgain(t *testing.T) {
	root, positions, s := t.TempDir(), newMemory(), &sink{}
	write(t, root, "a.json", "a")
	f := begin(t, testConfig(root), positions, s)
	eventually(t, "done", s, &s.done, "a.json")
	stop(t, f)
	for key := range positions.data {
		positions.data[key] = []byte("{")
	}
	again := &sink{}
	begin(t, testConfig(root), positions, again)
	eventually(t, "records", again, &again.records, "a.json:a")
	if got := again.copyOf(&again.troubles); len(got) != 1 || !strings.Contains(got[0], contents.ErrDamaged.Error()) {
		t.Errorf("troubles %q", got)
	}
}

func TestShutdownEndsWaitsAtOnceAndHonoursItsContext(t *testing.T) {
	if err := New(Config{}, nil, nil, nil).Shutdown(context.Background()); err != nil {
		t.Errorf("without a start: %v", err)
	}
	root, held := t.TempDir(), make(chan struct{})
	write(t, root, "a.json", "a")
	reached := make(chan struct{})
	s := &sink{refuse: func(string) error { close(reached); <-held; return nil }}
	f := New(testConfig(root), newMemory(), s, s)
	f.Start()
	<-reached
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if err := f.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Shutdown with a stuck handler: %v", err)
	}
	close(held)
	stop(t, f)

	idle := testConfig(t.TempDir())
	idle.PollInterval = time.Hour
	f = New(idle, newMemory(), s, s)
	f.Start()
	begun := time.Now()
	stop(t, f)
	if took := time.Since(begun); took > time.Second {
		t.Errorf("an idle follower took %v to stop", took)
	}
}

func rename(t *testing.T, root, from, to string) {
	t.Helper()
	if err := os.Rename(filepath.Join(root, from), filepath.Join(root, to)); err != nil {
		t.Fatal(err)
	}
}

func chtimes(t *testing.T, root, path string, at time.Time) {
	t.Helper()
	if err := os.Chtimes(filepath.Join(root, path), at, at); err != nil {
		t.Fatal(err)
	}
}
