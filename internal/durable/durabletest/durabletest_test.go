package durabletest_test

import (
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/otelcol-custody/custody/internal/durable"
	"github.com/otelcol-custody/custody/internal/durable/durabletest"
)

func must(t *testing.T, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

func second[T any](_ T, err error) error { return err }

func create(t *testing.T, m durable.FS, name, content string) durable.File {
	t.Helper()
	f, err := m.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o644)
	must(t, err, second(f.Write([]byte(content))))
	return f
}

func content(t *testing.T, m durable.FS, name string) string {
	t.Helper()
	f, err := m.OpenFile(name, os.O_RDONLY, 0)
	if errors.Is(err, os.ErrNotExist) {
		return "absent"
	}
	must(t, err)
	defer f.Close()
	b, err := io.ReadAll(f)
	must(t, err)
	return string(b)
}

// same runs one script on the real file system and on the one in memory.
func TestSameAsReal(t *testing.T) {
	script := func(t *testing.T, m durable.FS, root string) []error {
		p := func(s string) string { return filepath.Join(root, s) }
		create(t, m, p("a"), "0123456789")
		f, err := m.OpenFile(p("a"), os.O_RDWR, 0)
		must(t, err)
		must(t, second(f.WriteAt([]byte("XY"), 14)), f.Truncate(15), second(f.Seek(5, io.SeekStart)), second(f.Write([]byte("-"))))
		app, err := m.OpenFile(p("a"), os.O_WRONLY|os.O_APPEND, 0)
		must(t, err, second(app.Write([]byte("end"))))
		must(t, m.Truncate(p("a"), 17), f.Close(), app.Close())
		if got := content(t, m, p("a")); got != "01234-6789\x00\x00\x00\x00Xen" {
			t.Errorf("content %q", got)
		}
		must(t, m.Mkdir(p("d"), 0o755), m.Link(p("a"), p("d/l")))
		return []error{
			second(m.OpenFile(p("a"), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)), second(m.OpenFile(p("x/y"), os.O_CREATE|os.O_WRONLY, 0o644)),
			second(m.OpenFile(p("none"), os.O_RDONLY, 0)), second(m.OpenFile(p("d"), os.O_RDWR, 0)), second(m.OpenFile(p("a/b"), os.O_RDONLY, 0)),
			m.Link(p("a"), p("d/l")), m.Link(p("none"), p("z")), m.Mkdir(p("d"), 0o755), m.Mkdir(p("a"), 0o755), m.Mkdir(p("x/y"), 0o755),
			m.Remove(p("d")), m.Remove(p("none")), m.RenameNoReplace(p("a"), p("d/l")), m.Rename(p("none"), p("q")), m.Rename(p("d"), p("a")),
			m.SyncDir(p("none")), m.SyncDir(p("a")), second(m.ReadDir(p("a"))), second(m.Stat(p("a/b"))), f.Close(), second(f.Write(nil)),
		}
	}
	realDir, m := t.TempDir(), durabletest.New()
	want, got := script(t, durable.OS, realDir), script(t, m, "/")
	for i := range want {
		var w, g syscall.Errno
		if (want[i] == nil) != (got[i] == nil) || errors.As(want[i], &w) != errors.As(got[i], &g) || w != g {
			t.Errorf("call %d: in memory %v, really %v", i, got[i], want[i])
		}
	}
}

func TestCrashKeepsOrderOfRenames(t *testing.T) {
	for _, syncTo := range []bool{false, true} {
		m := durabletest.New()
		must(t, m.Mkdir("/a", 0o755), m.Mkdir("/b", 0o755), m.SyncDir("/"))
		must(t, create(t, m, "/a/f", "x").Sync(), m.SyncDir("/a"), m.Rename("/a/f", "/b/f"))
		if syncTo {
			must(t, m.SyncDir("/b"))
		}
		boot := m.Crash()
		a, b := content(t, boot, "/a/f"), content(t, boot, "/b/f")
		if syncTo && (a != "absent" || b != "x") || !syncTo && (a != "x" || b != "absent") {
			t.Errorf("folder synced: %t; /a/f %s, /b/f %s", syncTo, a, b)
		}
	}
}

func TestCrashRandomRepeats(t *testing.T) {
	run := func(seed uint64) (out []string) {
		m := durabletest.New()
		for _, n := range []string{"/a", "/b", "/c", "/d", "/e", "/f"} {
			create(t, m, n, "some content")
		}
		m = m.CrashRandom(rand.New(rand.NewPCG(seed, 0)))
		for _, n := range []string{"/a", "/b", "/c", "/d", "/e", "/f"} {
			out = append(out, content(t, m, n))
		}
		return out
	}
	kinds := map[string]bool{}
	for seed := range uint64(20) {
		one, two := run(seed), run(seed)
		for i := range one {
			if one[i] != two[i] {
				t.Fatalf("seed %d: %q and %q", seed, one, two)
			}
			switch one[i] {
			case "absent", "", "some content":
				kinds[one[i]] = true
			default:
				kinds["torn"] = true
			}
		}
	}
	if len(kinds) != 4 {
		t.Errorf("20 seeds gave only %v", kinds)
	}
}

func TestFaults(t *testing.T) {
	m := durabletest.New()
	f := create(t, m, "/f", "")
	m.Inject(durabletest.Fault{Op: durabletest.OpWrite, Path: "f", N: 2})
	m.Inject(durabletest.Fault{Op: durabletest.OpWrite, N: 3, Torn: true, Err: syscall.ENOSPC})
	m.Inject(durabletest.Fault{Op: durabletest.OpWrite, N: 4, Applied: true})
	must(t, second(f.Write([]byte("1"))))
	n2, err2 := f.Write([]byte("2"))
	n3, err3 := f.Write([]byte("3456"))
	n4, err4 := f.Write([]byte("7"))
	if n2 != 0 || !errors.Is(err2, syscall.EIO) || n3 != 2 || !errors.Is(err3, syscall.ENOSPC) || n4 != 1 || !errors.Is(err4, syscall.EIO) {
		t.Errorf("got %d %v, %d %v, %d %v", n2, err2, n3, err3, n4, err4)
	}
	if got := content(t, m, "/f"); got != "1347" {
		t.Errorf("content %q, want 1347", got)
	}
	m.Inject(durabletest.Fault{Op: durabletest.OpStat, UntilRestart: true})
	for range 3 {
		if _, err := m.Stat("/f"); !errors.Is(err, syscall.EIO) {
			t.Errorf("Stat: %v, want EIO until restart", err)
		}
	}
	old := m
	m = m.Restart()
	must(t, second(m.Stat("/f")))
	if _, err := old.Stat("/f"); !errors.Is(err, durabletest.ErrCrashed) {
		t.Errorf("the ended process still works: %v", err)
	}
	if _, err := f.Write(nil); !errors.Is(err, durabletest.ErrCrashed) {
		t.Errorf("a file of the ended process still works: %v", err)
	}
}

func TestLock(t *testing.T) {
	m := durabletest.New()
	l, err := m.Lock("/l")
	must(t, err)
	if _, err := m.Lock("/l"); !errors.Is(err, durable.ErrLocked) {
		t.Errorf("second Lock: %v", err)
	}
	must(t, l.Close())
	must(t, second(m.Lock("/l")))
	must(t, second(m.Crash().Lock("/l")))
}
