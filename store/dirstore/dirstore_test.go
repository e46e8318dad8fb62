package dirstore

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/otelcol-custody/custody/internal/durable/durabletest"
	"github.com/otelcol-custody/custody/store"
	"github.com/otelcol-custody/custody/store/storetest"
)

var off = Options{Immutable: ImmutableOff}

func open(t *testing.T, dir string, opt Options) *Store {
	t.Helper()
	s, err := Open(dir, opt)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func put(t *testing.T, s *Store, name, data string) {
	t.Helper()
	if _, err := s.PutOnce(t.Context(), name, []byte(data), store.PutOptions{}); err != nil {
		t.Fatalf("PutOnce(%q): %v", name, err)
	}
}

func says(t *testing.T, err, want error, words ...string) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("error %v, want %v", err, want)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("the message lacks %q: %v", w, err)
		}
	}
}

// tree lists all that lies below dir.
func tree(t *testing.T, dir string) []string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		out = append(out, strings.TrimPrefix(path, dir)+" "+info.Mode().String()+" "+info.ModTime().String())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestConformance(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store {
		s, err := Open(filepath.Join(t.TempDir(), "store"), off)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}, storetest.Caps{})
}

func TestConformanceInMemory(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store {
		s, err := Open("/store", Options{FS: durabletest.New()})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}, storetest.Caps{})
}

func TestFilesAreReadOnlyAndNothingElseIsLeft(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, off)
	put(t, s, "log/a", "x")
	put(t, s, "log/a", "x")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(dir, "log", "a"))
	if err != nil || info.Mode().Perm()&0o222 != 0 {
		t.Errorf("mode %v, %v; want read-only", info.Mode(), err)
	}
	if left, err := os.ReadDir(filepath.Join(dir, ".tmp")); err != nil || len(left) != 0 {
		t.Errorf("left in .tmp: %v, %v", left, err)
	}
	if _, err := s.Stat(t.Context(), "log/a"); !errors.Is(err, store.ErrClosed) {
		t.Errorf("after Close: %v, want %v", err, store.ErrClosed)
	}
}

func TestTwoStoresOneDirectory(t *testing.T) {
	dir := t.TempDir()
	a, b := open(t, dir, off), open(t, dir, off)
	if a.ID() != b.ID() || !strings.HasPrefix(a.ID(), "file:///") {
		t.Errorf("IDs %q and %q", a.ID(), b.ID())
	}
	for range 20 {
		var wg sync.WaitGroup
		var errs [2]error
		for i, s := range []*Store{a, b} {
			wg.Go(func() {
				_, errs[i] = s.PutOnce(t.Context(), "x", []byte{byte(i)}, store.PutOptions{})
			})
		}
		wg.Wait()
		if (errs[0] == nil) == (errs[1] == nil) || !errors.Is(errors.Join(errs[:]...), store.ErrExists) {
			t.Fatalf("errors %v, want one winner", errs)
		}
		if err := os.Remove(filepath.Join(dir, "x")); err != nil {
			t.Fatal(err)
		}
	}
}

func TestReadOnlyTouchesNothing(t *testing.T) {
	dir := t.TempDir()
	w := open(t, dir, off)
	put(t, w, "log/a", "x")
	dead := filepath.Join(dir, ".tmp", "custody-0123456789abcdef-1.tmp")
	if err := errors.Join(w.Close(), os.WriteFile(dead, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	before := tree(t, dir)
	s := open(t, dir, Options{ReadOnly: true, Immutable: ImmutableRequire})
	_, err := s.PutOnce(t.Context(), "log/b", []byte("x"), store.PutOptions{})
	says(t, err, store.ErrReadOnly, dir)
	if _, err := s.Stat(t.Context(), "log/a"); err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if after := tree(t, dir); !slices.Equal(before, after) {
		t.Errorf("changed from\n%q to\n%q", before, after)
	}
	missing := filepath.Join(dir, "missing")
	_, err = Open(missing, Options{ReadOnly: true})
	says(t, err, store.ErrNotFound, missing, "mounted")
	if _, err := os.Stat(missing); err == nil {
		t.Error("opening it read-only made the directory")
	}
}

func TestSweep(t *testing.T) {
	dir := t.TempDir()
	live := open(t, dir, off)
	tmp := filepath.Join(dir, ".tmp")
	files := map[string]bool{ // name: is it swept?
		"custody-0123456789abcdef-1.tmp": true, "custody-0123456789abcdef-22.tmp": true, "custody-0123456789abcdef.lock": true,
		"custody-aaaaaaaaaaaaaaaa-1.tmp": true, filepath.Base(live.session.temp()): false, "notes.txt": false, "custody-x-1.tmp": false,
		filepath.Base(live.session.lockPath(live.session.id)): false,
	}
	for name := range files {
		f, err := os.OpenFile(filepath.Join(tmp, name), os.O_CREATE|os.O_WRONLY, 0o444)
		if err = errors.Join(err, f.Close()); err != nil {
			t.Fatal(err)
		}
	}
	s := open(t, dir, off)
	for name, swept := range files {
		if _, err := os.Stat(filepath.Join(tmp, name)); errors.Is(err, fs.ErrNotExist) != swept {
			t.Errorf("%s: %v, want it swept: %t", name, err, swept)
		}
	}
	put(t, live, "a", "the swept-beside store still works")
	put(t, s, "b", "x")
}

func TestForeignFiles(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, off)
	put(t, s, "log/a", "x")
	secret := filepath.Join(t.TempDir(), "secret")
	err := errors.Join(os.WriteFile(secret, []byte("x"), 0o600), os.Symlink(secret, filepath.Join(dir, "link")),
		syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600), os.Mkdir(filepath.Join(dir, "lost+found"), 0o700),
		os.WriteFile(filepath.Join(dir, "lost+found", "x"), nil, 0o600), os.WriteFile(filepath.Join(dir, ".hidden"), nil, 0o600))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"link", "pipe"} {
		if _, _, err := s.Get(t.Context(), name); err == nil || errors.Is(err, store.ErrNotFound) || !strings.Contains(err.Error(), "no regular file") {
			t.Errorf("Get(%s): %v", name, err)
		}
		if _, err := s.PutOnce(t.Context(), name, []byte("x"), store.PutOptions{}); err == nil {
			t.Errorf("PutOnce(%s) succeeded", name)
		}
	}
	var got []string
	var last error
	for info, err := range s.List(t.Context(), "", "") {
		got, last = append(got, info.Name), err
	}
	if !slices.Equal(got, []string{""}) || last == nil || !strings.Contains(last.Error(), filepath.Join(dir, "link")) {
		t.Errorf("List: %q, %v; want an error that names the link", got, last)
	}
	for info, err := range s.List(t.Context(), "log/", "") {
		if err != nil || info.Name != "log/a" {
			t.Errorf("List(log/): %v, %v", info, err)
		}
	}
	put(t, s, "log/b/c", "x")
	_, err = s.PutOnce(t.Context(), "log/b", []byte("x"), store.PutOptions{})
	says(t, err, syscall.EISDIR, "move it away")
	_, err = s.PutOnce(t.Context(), "log/a/x", []byte("x"), store.PutOptions{})
	says(t, err, syscall.ENOTDIR, "move it away")
}

func TestRootGoneOrReplaced(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	s := open(t, dir, off)
	put(t, s, "log/a", "x")
	if err := os.Rename(dir, dir+".away"); err != nil {
		t.Fatal(err)
	}
	check := func(word string) {
		t.Helper()
		_, err := s.PutOnce(t.Context(), "log/b", []byte("x"), store.PutOptions{})
		says(t, err, store.ErrUnavailable, word)
		_, err = s.Stat(t.Context(), "log/a")
		says(t, err, store.ErrUnavailable, word)
		if errors.Is(err, store.ErrNotFound) || errors.Is(err, fs.ErrNotExist) {
			t.Errorf("a missing directory passes for a missing object: %v", err)
		}
	}
	check("is gone")
	for _, err := range s.List(t.Context(), "", "") {
		says(t, err, store.ErrUnavailable)
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	check("not the one that was opened")
	if err := errors.Join(os.Remove(dir), os.Rename(dir+".away", dir)); err != nil {
		t.Fatal(err)
	}
	put(t, s, "log/b", "x")
}

func TestFolderRemovedMeanwhile(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, off)
	put(t, s, "log/a", "x")
	if err := os.RemoveAll(filepath.Join(dir, "log")); err != nil {
		t.Fatal(err)
	}
	_, err := s.PutOnce(t.Context(), "log/b", []byte("x"), store.PutOptions{})
	says(t, err, store.ErrUnavailable, "disappeared")
	put(t, s, "log/b", "x")
}

func TestCutWhileRead(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, off)
	put(t, s, "a", strings.Repeat("x", 1000))
	r, _, err := s.Get(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := os.Truncate(filepath.Join(dir, "a"), 500); err != nil {
		t.Fatal(err)
	}
	_, err = io.ReadAll(r)
	says(t, err, io.ErrUnexpectedEOF, "was cut")
}

func TestGetEndsWithItsContext(t *testing.T) {
	s := open(t, t.TempDir(), off)
	put(t, s, "a", "x")
	ctx, cancel := context.WithCancel(t.Context())
	r, _, err := s.Get(ctx, "a")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	cancel()
	_, err = io.ReadAll(r)
	says(t, err, context.Canceled)
}

func TestOpenErrors(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Open(file, off)
	says(t, err, syscall.ENOTDIR, file, "name another directory")
	if _, err = Open(file, Options{ReadOnly: true}); err == nil || !strings.Contains(err.Error(), "is a file") {
		t.Errorf("read-only on a file: %v", err)
	}
	for _, c := range []struct {
		op    durabletest.Op
		err   error
		want  error
		words string
	}{
		{durabletest.OpMkdir, syscall.EACCES, fs.ErrPermission, "not writable for user"},
		{durabletest.OpLock, syscall.EACCES, fs.ErrPermission, "chown"},
		{durabletest.OpLock, syscall.EROFS, syscall.EROFS, "mount it writable"},
		{durabletest.OpLock, syscall.ENOSPC, store.ErrFull, "/store"},
		{durabletest.OpLock, syscall.EDQUOT, store.ErrFull, "quota"},
		{durabletest.OpReadDir, syscall.EIO, syscall.EIO, ".tmp"},
	} {
		m := durabletest.New()
		m.Inject(durabletest.Fault{Op: c.op, Err: c.err})
		_, err := Open("/store", Options{FS: m})
		says(t, err, c.want, "/store", c.words)
		open(t, "/store", Options{FS: m})
	}
}
