package dirstore

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/otelcol-custody/custody/internal/durable/durabletest"
	"github.com/otelcol-custody/custody/store"
)

const object = "log/segments/1"

var content = bytes.Repeat([]byte("evidence"), 1000)

// visible returns the object's content, nil if there is none.
func visible(t *testing.T, s *Store) []byte {
	t.Helper()
	r, _, err := s.Get(t.Context(), object)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestPutOnceFaults lets each call of a PutOnce fail in each way and looks at
// the store after a crash, a restart, and a second try.
func TestPutOnceFaults(t *testing.T) {
	m := durabletest.New()
	s := open(t, "/data/store", Options{FS: m})
	before := len(m.Calls())
	put(t, s, object, string(content))
	calls := m.Calls()[before:]
	hit := map[durabletest.Op]int{}
	for n, call := range calls {
		for _, f := range []durabletest.Fault{
			{}, {Applied: true}, {Torn: true}, {UntilRestart: true}, {Applied: true, UntilRestart: true},
			{Crash: true}, {Crash: true, Applied: true}, {Crash: true, Torn: true}, {Err: syscall.ENOSPC}, {Err: syscall.ENOSPC, Applied: true},
		} {
			f.N = n + 1
			hit[call.Op]++
			t.Run(fmt.Sprintf("%d %v applied=%t torn=%t always=%t crash=%t", n, call.Op, f.Applied, f.Torn, f.UntilRestart, f.Crash), func(t *testing.T) {
				putWithFault(t, f)
			})
		}
	}
	for _, op := range []durabletest.Op{
		durabletest.OpMkdir, durabletest.OpOpen, durabletest.OpWrite, durabletest.OpSync, durabletest.OpLink,
		durabletest.OpRemove, durabletest.OpSyncDir, durabletest.OpSetImmutable,
	} {
		if hit[op] == 0 {
			t.Errorf("PutOnce made no call %s: the table misses it", op)
		}
	}
}

func putWithFault(t *testing.T, f durabletest.Fault) {
	m := durabletest.New()
	s := open(t, "/data/store", Options{FS: m})
	m.Inject(f)
	_, first := s.PutOnce(t.Context(), object, content, store.PutOptions{})
	if errors.Is(first, store.ErrExists) || errors.Is(first, store.ErrNotFound) {
		t.Fatalf("a fault passes for an answer about the object: %v", first)
	}
	_, second := s.PutOnce(t.Context(), object, content, store.PutOptions{})
	if errors.Is(second, store.ErrExists) {
		t.Fatalf("the same bytes again: %v", second)
	}
	if second != nil && !f.UntilRestart && !f.Crash {
		t.Fatalf("the second try fails, too: %v", second)
	}
	if f.Crash && second == nil && first != nil {
		t.Fatal("the second try succeeded after the crash")
	}
	acked := first == nil || second == nil
	reopened(t, m.Crash(), acked)
	for seed := range uint64(6) {
		reopened(t, m.CrashRandom(rand.New(rand.NewPCG(seed, 2))), acked)
	}
	reopened(t, m.Restart(), acked)
}

// reopened checks what the next process finds.
func reopened(t *testing.T, m *durabletest.FS, acked bool) {
	t.Helper()
	ro, err := Open("/data/store", Options{FS: m, ReadOnly: true})
	if err == nil {
		if got := visible(t, ro); got != nil && !bytes.Equal(got, content) {
			t.Fatalf("part of an object is visible: %d of %d bytes", len(got), len(content))
		} else if acked && got == nil {
			t.Fatal("an acknowledged object is gone")
		}
	} else if acked {
		t.Fatalf("the store is gone: %v", err)
	}
	s := open(t, "/data/store", Options{FS: m})
	put(t, s, object, string(content))
	after := m.Crash()
	s = open(t, "/data/store", Options{FS: after})
	if !bytes.Equal(visible(t, s), content) {
		t.Fatal("putting it again is not durable")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if left, err := after.ReadDir("/data/store/.tmp"); err != nil || len(left) != 0 {
		t.Fatalf("left in .tmp: %v, %v", left, err)
	}
}

// TestConfirmsCopies: bytes that somebody copied into the store count as
// stored only once they are durable.
func TestConfirmsCopies(t *testing.T) {
	m := durabletest.New()
	s := open(t, "/store", Options{FS: m})
	for _, dir := range []string{"/store/log", "/store/log/segments"} {
		if err := m.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	f, err := m.OpenFile("/store/"+object, os.O_WRONLY|os.O_CREATE, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write(content); err != nil {
		t.Fatal(err)
	}
	put(t, s, object, string(content))
	if got := visible(t, open(t, "/store", Options{FS: m.Crash()})); !bytes.Equal(got, content) {
		t.Errorf("after a crash %d bytes are there", len(got))
	}
}

func TestDiskFull(t *testing.T) {
	m := durabletest.New()
	s := open(t, "/data/store", Options{FS: m})
	for _, f := range []durabletest.Fault{
		{Op: durabletest.OpWrite, Err: syscall.ENOSPC, Torn: true, UntilRestart: true}, {Op: durabletest.OpSync, Err: syscall.ENOSPC, UntilRestart: true},
		{Op: durabletest.OpOpen, Err: syscall.EDQUOT, UntilRestart: true}, {Op: durabletest.OpMkdir, Err: syscall.ENOSPC, UntilRestart: true},
	} {
		m.Inject(f)
		_, err := s.PutOnce(t.Context(), object, content, store.PutOptions{})
		if f.Op != durabletest.OpMkdir || err != nil { // folders are made once
			says(t, err, store.ErrFull, "/data/store", "free some")
		}
		m.Heal()
		if left, err := m.ReadDir("/data/store/.tmp"); err != nil || len(left) != 1 {
			t.Errorf("in .tmp: %v, %v; want the lock only", left, err)
		}
	}
	put(t, s, object, string(content))
}

func TestUnavailable(t *testing.T) {
	m := durabletest.New()
	s := open(t, "/store", Options{FS: m})
	put(t, s, object, string(content))
	for _, errno := range []error{syscall.EIO, syscall.ESTALE, syscall.EROFS, syscall.EMFILE} {
		m.Inject(durabletest.Fault{Op: durabletest.OpOpen, Err: errno})
		_, err := s.GetRange(t.Context(), object, 0, 1)
		says(t, err, store.ErrUnavailable, "/store")
		m.Inject(durabletest.Fault{Op: durabletest.OpOpen, Err: errno})
		_, err = s.PutOnce(t.Context(), "other", content, store.PutOptions{})
		says(t, err, store.ErrUnavailable, "/store")
	}
	m.Inject(durabletest.Fault{Op: durabletest.OpOpen, Err: syscall.EACCES})
	_, err := s.PutOnce(t.Context(), "other", content, store.PutOptions{})
	if errors.Is(err, store.ErrUnavailable) || err == nil || !strings.Contains(err.Error(), "restore its owner") {
		t.Errorf("permission taken away: %v", err)
	}
}
