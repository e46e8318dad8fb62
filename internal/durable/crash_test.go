package durable_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"syscall"
	"testing"

	"github.com/otelcol-custody/custody/internal/durable"
	"github.com/otelcol-custody/custody/internal/durable/durabletest"
)

var content = bytes.Repeat([]byte("evidence"), 100)

// begin returns a file system on which the folder /d is durable, with old at
// /d/f if old is not nil.
func begin(t *testing.T, old []byte) *durabletest.FS {
	t.Helper()
	m := durabletest.New()
	if err := durable.MkdirAll(m, "/d", 0o755); err != nil {
		t.Fatal(err)
	}
	if old != nil {
		if err := durable.CreateOnly(m, "/d/f", old, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

// read returns the content of path, nil if it is not there.
func read(t *testing.T, m durable.FS, path string) []byte {
	t.Helper()
	f, err := m.OpenFile(path, os.O_RDONLY, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, info.Size())
	if _, err := f.ReadAt(b, 0); err != nil && info.Size() > 0 {
		t.Fatal(err)
	}
	return b
}

// eachFault runs what with each kind of fault at each of its calls.
func eachFault(t *testing.T, old []byte, what func(durable.FS) error, check func(t *testing.T, m *durabletest.FS, err error)) {
	probe := begin(t, old)
	before := len(probe.Calls())
	if err := what(probe); err != nil {
		t.Fatalf("without a fault: %v", err)
	}
	calls := probe.Calls()[before:]
	for n, call := range calls {
		for _, f := range []durabletest.Fault{
			{}, {Applied: true}, {Torn: true}, {UntilRestart: true}, {Applied: true, UntilRestart: true},
			{Err: syscall.ENOSPC, UntilRestart: true}, {Crash: true}, {Crash: true, Applied: true}, {Crash: true, Torn: true},
		} {
			f.N = n + 1
			t.Run(fmt.Sprintf("%d %s %s", n, call.Op, label(f)), func(t *testing.T) {
				m := begin(t, old)
				m.Inject(f)
				check(t, m, what(m))
			})
		}
	}
}

func label(f durabletest.Fault) string {
	s := "error"
	if f.Crash {
		s = "crash"
	}
	for _, x := range []struct {
		on   bool
		name string
	}{{f.Applied, "applied"}, {f.Torn, "torn"}, {f.UntilRestart, "until restart"}, {f.Err != nil, "disk full"}} {
		if x.on {
			s += " " + x.name
		}
	}
	return s
}

// boots returns what may be found after the machine starts again.
func boots(m *durabletest.FS) []*durabletest.FS {
	out := []*durabletest.FS{}
	for seed := range uint64(8) {
		out = append(out, m.CrashRandom(rand.New(rand.NewPCG(seed, 1))))
	}
	return out
}

func TestCreateOnlyCrash(t *testing.T) {
	create := func(m durable.FS) error { return durable.CreateOnly(m, "/d/f", content, 0o444) }
	eachFault(t, nil, create, func(t *testing.T, m *durabletest.FS, err error) {
		if errors.Is(err, fs.ErrExist) {
			t.Fatalf("it says that a file exists where none was: %v", err)
		}
		for i, boot := range append([]*durabletest.FS{m.Crash()}, boots(m)...) {
			got := read(t, boot, "/d/f")
			if got != nil && !bytes.Equal(got, content) {
				t.Fatalf("boot %d: part of a file is visible: %d of %d bytes", i, len(got), len(content))
			}
			if err == nil && got == nil {
				t.Fatalf("boot %d: CreateOnly returned nil, but the file is gone", i)
			}
			if _, err := durable.SweepTemp(boot, "/d"); err != nil {
				t.Fatal(err)
			}
			if again := create(boot); (got == nil) != (again == nil) || got != nil && !errors.Is(again, fs.ErrExist) {
				t.Fatalf("boot %d: again, with the file there: %t: %v", i, got != nil, again)
			}
			if after := read(t, boot.Crash(), "/d/f"); got == nil && !bytes.Equal(after, content) {
				t.Fatalf("boot %d: it did not recover", i)
			}
		}
	})
}

func TestCreateOnlyNeverReplaces(t *testing.T) {
	m := begin(t, []byte("old"))
	if err := durable.CreateOnly(m, "/d/f", content, 0o444); !errors.Is(err, fs.ErrExist) {
		t.Errorf("error %v, want %v", err, fs.ErrExist)
	}
	if got := read(t, m, "/d/f"); string(got) != "old" {
		t.Errorf("the file now holds %q", got)
	}
	if names, _ := m.ReadDir("/d"); len(names) != 1 {
		t.Errorf("left behind: %v", names)
	}
}

func TestCreateOnlyWithoutHardLinks(t *testing.T) {
	for _, no := range []error{syscall.EPERM, syscall.ENOTSUP, syscall.ENOSYS} {
		m := begin(t, nil)
		m.Inject(durabletest.Fault{Op: durabletest.OpLink, UntilRestart: true, Err: no})
		if err := durable.CreateOnly(m, "/d/f", content, 0o444); err != nil {
			t.Fatalf("%v: %v", no, err)
		}
		if err := durable.CreateOnly(m, "/d/f", []byte("x"), 0o444); !errors.Is(err, fs.ErrExist) {
			t.Errorf("%v: error %v, want %v", no, err, fs.ErrExist)
		}
		m.Inject(durabletest.Fault{Op: durabletest.OpRenameNoReplace, UntilRestart: true, Err: syscall.ENOSYS})
		if err := durable.CreateOnly(m, "/d/g", content, 0o444); !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("neither is there: error %v, want %v", err, errors.ErrUnsupported)
		}
		m = m.Crash()
		if got := read(t, m, "/d/f"); !bytes.Equal(got, content) {
			t.Errorf("%v: after a crash: %d bytes", no, len(got))
		}
		if names, _ := m.ReadDir("/d"); len(names) != 1 {
			t.Errorf("left behind: %v", names)
		}
	}
}

func TestWriteFileCrash(t *testing.T) {
	old := []byte("old content")
	write := func(m durable.FS) error { return durable.WriteFile(m, "/d/f", content, 0o600) }
	eachFault(t, old, write, func(t *testing.T, m *durabletest.FS, err error) {
		for i, boot := range append([]*durabletest.FS{m.Crash()}, boots(m)...) {
			got := read(t, boot, "/d/f")
			if !bytes.Equal(got, content) && (err == nil || !bytes.Equal(got, old)) {
				t.Fatalf("boot %d: after error %v the file holds %d bytes, neither old nor new", i, err, len(got))
			}
			if err := write(boot); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(read(t, boot.Crash(), "/d/f"), content) {
				t.Fatalf("boot %d: writing again is not durable", i)
			}
		}
	})
}

func TestRemoveCrash(t *testing.T) {
	remove := func(m durable.FS) error { return durable.Remove(m, "/d/f") }
	eachFault(t, []byte("old"), remove, func(t *testing.T, m *durabletest.FS, err error) {
		gone := read(t, m.Crash(), "/d/f") == nil
		if err == nil && !gone {
			t.Fatal("Remove returned nil, but the file came back")
		}
	})
	m := begin(t, []byte("old"))
	m.Inject(durabletest.Fault{Op: durabletest.OpSyncDir})
	if err := remove(m); !errors.Is(err, syscall.EIO) {
		t.Fatalf("error %v, want EIO", err)
	}
	if err := remove(m); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("again: error %v, want %v", err, fs.ErrNotExist)
	}
	if read(t, m.Crash(), "/d/f") != nil {
		t.Error("the second Remove did not make the first one durable")
	}
}

func TestMkdirAllCrash(t *testing.T) {
	mkdir := func(m durable.FS) error { return durable.MkdirAll(m, "/d/a/b/c", 0o755) }
	there := func(m durable.FS) bool { _, err := m.Stat("/d/a/b/c"); return err == nil }
	eachFault(t, nil, mkdir, func(t *testing.T, m *durabletest.FS, err error) {
		// The process ends and starts again on the same machine: folders
		// that it finds may not be durable.
		m = m.Restart()
		if again := mkdir(m); again != nil {
			t.Fatal(again)
		}
		if !there(m.Crash()) {
			t.Fatalf("first %v, then nil, but the folder is gone", err)
		}
	})
	m := begin(t, []byte("a file"))
	if err := durable.MkdirAll(m, "/d/f/x", 0o755); !errors.Is(err, syscall.ENOTDIR) {
		t.Errorf("below a file: error %v, want ENOTDIR", err)
	}
}

// TestCarelessWritersLose shows that the file system of these tests can tell.
func TestCarelessWritersLose(t *testing.T) {
	for name, careless := range map[string]func(m durable.FS) error{
		"no sync": func(m durable.FS) error {
			f, err := m.OpenFile("/d/f", os.O_WRONLY|os.O_CREATE, 0o644)
			if err != nil {
				return err
			}
			if _, err = f.Write(content); err != nil {
				return err
			}
			return errors.Join(f.Close(), m.SyncDir("/d"))
		},
		"no folder sync": func(m durable.FS) error {
			f, err := m.OpenFile("/d/f", os.O_WRONLY|os.O_CREATE, 0o644)
			if err != nil {
				return err
			}
			if _, err = f.Write(content); err != nil {
				return err
			}
			return errors.Join(f.Sync(), f.Close())
		},
	} {
		m := begin(t, nil)
		if err := careless(m); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(read(t, m.Restart(), "/d/f"), content) {
			t.Errorf("%s: not even a restart of the process keeps it", name)
		}
		m = begin(t, nil)
		if err := careless(m); err != nil {
			t.Fatal(err)
		}
		if bytes.Equal(read(t, m.Crash(), "/d/f"), content) {
			t.Errorf("%s: the crash forgot nothing", name)
		}
	}
}
