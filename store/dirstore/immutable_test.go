package dirstore

import (
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/otelcol-custody/custody/internal/durable"
	"github.com/otelcol-custody/custody/internal/durable/durabletest"
	"github.com/otelcol-custody/custody/store"
)

func TestImmutableWherePossible(t *testing.T) {
	for _, setting := range []Immutable{ImmutableAuto, ImmutableRequire} {
		m := durabletest.New()
		s := open(t, "/store", Options{FS: m, Immutable: setting})
		put(t, s, "log/a", "x")
		put(t, s, "log/a", "x")
		put(t, s, "log/b", "x")
		if st := s.Status(); !st.Active || st.Immutable != 3 || st.Plain != 0 || st.Reason != "" || st.Setting != setting {
			t.Errorf("%v: %+v", setting, st)
		}
		if err := m.Remove("/store/log/a"); !errors.Is(err, fs.ErrPermission) {
			t.Errorf("%v: removing a stored file: %v", setting, err)
		}
		if on, err := m.IsImmutable("/store/log"); on || err != nil {
			t.Errorf("%v: the folder is immutable: %t, %v", setting, on, err)
		}
		if on, err := m.IsImmutable("/store/" + NoteName); !on || err != nil {
			t.Errorf("%v: no lasting note says how to delete the store: %v", setting, err)
		}
	}
}

func TestImmutableNotPermitted(t *testing.T) {
	for _, c := range []struct {
		err  error
		word string
	}{{syscall.EPERM, "CAP_LINUX_IMMUTABLE"}, {syscall.ENOTSUP, "file system has no immutable attribute"}} {
		m := durabletest.New()
		m.Inject(durabletest.Fault{Op: durabletest.OpSetImmutable, UntilRestart: true, Err: c.err})
		_, err := Open("/store", Options{FS: m, Immutable: ImmutableRequire})
		says(t, err, c.err, "immutable: require", c.word, "/store")
		s := open(t, "/store", Options{FS: m})
		put(t, s, "a", "x")
		if st := s.Status(); st.Active || st.Immutable != 0 || st.Plain != 1 || !strings.Contains(st.Reason, c.word) {
			t.Errorf("%v: %+v", c.err, st)
		}
		if _, err := m.Stat("/store/" + NoteName); err == nil {
			t.Error("a store without immutable files says that it has some")
		}
	}
}

func TestImmutableFailsLater(t *testing.T) {
	for _, setting := range []Immutable{ImmutableAuto, ImmutableRequire} {
		m := durabletest.New()
		s := open(t, "/store", Options{FS: m, Immutable: setting})
		m.Inject(durabletest.Fault{Op: durabletest.OpSetImmutable, Err: syscall.EIO})
		_, err := s.PutOnce(t.Context(), "a", []byte("x"), store.PutOptions{})
		if setting == ImmutableRequire {
			says(t, err, store.ErrUnavailable, "is stored, but")
		} else if err != nil {
			t.Errorf("auto: %v", err)
		}
		if st := s.Status(); st.Plain != 1 || st.Reason == "" {
			t.Errorf("%v: it is not reported: %+v", setting, st)
		}
		put(t, s, "a", "x")
		if on, err := m.IsImmutable("/store/a"); !on || err != nil {
			t.Errorf("%v: the second try did not protect it: %v", setting, err)
		}
	}
}

func TestImmutableOff(t *testing.T) {
	m := durabletest.New()
	s := open(t, "/store", Options{FS: m, Immutable: ImmutableOff})
	put(t, s, "a", "x")
	if st := s.Status(); st.Active || st.Plain != 1 || !strings.Contains(st.Reason, "off") {
		t.Errorf("%+v", st)
	}
	if err := m.Remove("/store/a"); err != nil {
		t.Errorf("it is immutable: %v", err)
	}
	ro := open(t, "/store", Options{FS: m, ReadOnly: true})
	if st := ro.Status(); st.Active || st.Reason == "" {
		t.Errorf("read-only: %+v", st)
	}
}

// TestImmutableStaysAfterCrash: no crash may bring a temporary name of an
// immutable object back, since sweeping it would unprotect the object.
func TestImmutableStaysAfterCrash(t *testing.T) {
	m := durabletest.New()
	s := open(t, "/store", Options{FS: m})
	put(t, s, "a", "x")
	for seed := range uint64(30) {
		boot := m.CrashRandom(rand.New(rand.NewPCG(seed, 3)))
		open(t, "/store", Options{FS: boot})
		if on, err := boot.IsImmutable("/store/a"); !on || err != nil {
			t.Fatalf("seed %d: after the next start the object is immutable: %t, %v", seed, on, err)
		}
	}
}

// TestImmutableProbeLeftByCrash: the power goes while the probe is immutable.
func TestImmutableProbeLeftByCrash(t *testing.T) {
	m := durabletest.New()
	m.Inject(durabletest.Fault{Op: durabletest.OpSetImmutable, N: 2, Crash: true})
	_, _ = Open("/store", Options{FS: m})
	m = m.Restart()
	left, err := m.ReadDir("/store/.tmp")
	if err != nil || len(left) != 2 { // the lock and the probe
		t.Fatalf("the crash left %v, %v", left, err)
	}
	s := open(t, "/store", Options{FS: m})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if left, err = m.ReadDir("/store/.tmp"); err != nil || len(left) != 0 {
		t.Errorf("left in .tmp: %v, %v", left, err)
	}
}

// TestImmutableReally works on the machine's file system; where that or the
// account cannot, it checks that this is said.
func TestImmutableReally(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "log", "a")
	im := durable.OS.(durable.Immutable)
	t.Cleanup(func() { // or nobody could delete the test's directory
		for _, p := range []string{path, filepath.Join(dir, NoteName)} {
			_ = im.SetImmutable(p, false)
		}
	})
	s := open(t, dir, Options{})
	put(t, s, "log/a", "x")
	st := s.Status()
	if !st.Active {
		t.Logf("not possible here: %s", st.Reason)
		if st.Plain != 1 || st.Reason == "" {
			t.Errorf("%+v", st)
		}
		if _, err := Open(dir, Options{Immutable: ImmutableRequire}); err == nil {
			t.Error("require is accepted where it is impossible")
		}
		return
	}
	for what, err := range map[string]error{
		"remove": os.Remove(path), "overwrite": os.WriteFile(path, []byte("y"), 0o600), "rename": os.Rename(path, path+"2"),
		"truncate": os.Truncate(path, 0), "link": os.Link(path, path+"2"), "chmod": os.Chmod(path, 0o600),
	} {
		if !errors.Is(err, fs.ErrPermission) {
			t.Errorf("%s of an immutable file: %v", what, err)
		}
	}
	put(t, s, "log/a", "x")
	if on, err := im.IsImmutable(path); !on || err != nil {
		t.Errorf("IsImmutable: %t, %v", on, err)
	}
}

func TestParseImmutable(t *testing.T) {
	for _, i := range []Immutable{ImmutableAuto, ImmutableRequire, ImmutableOff} {
		if got, err := ParseImmutable(i.String()); got != i || err != nil {
			t.Errorf("%v: %v, %v", i, got, err)
		}
	}
	if _, err := ParseImmutable("always"); err == nil {
		t.Error("always is accepted")
	}
}
