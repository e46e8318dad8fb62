package memory

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/otelcol-custody/custody/internal/durable"
	"github.com/otelcol-custody/custody/internal/durable/durabletest"
	"github.com/otelcol-custody/custody/internal/integrity/framed"
	"github.com/otelcol-custody/custody/internal/integrity/incident"
	"github.com/otelcol-custody/custody/ledger/checkpoint"
	"github.com/otelcol-custody/custody/ledger/ledgertest"
	"github.com/otelcol-custody/custody/ledger/tree"
)

const origin = "custody.example/web"

// history is a tree whose heads are signed; branches differ from their first
// record on.
type history struct {
	t      *testing.T
	signer *checkpoint.Signer
	branch string
}

func branch(t *testing.T, name string) *history {
	return &history{t, ledgertest.Signer(t, origin), name}
}

func (h *history) root(size uint64) tree.Hash {
	e := &tree.Edge{}
	for i := range size {
		e.Append(tree.Digest(fmt.Appendf(nil, "%s %d", h.branch, i)), nil)
	}
	return e.Root()
}

func (h *history) head(size uint64) checkpoint.Signed {
	h.t.Helper()
	note, err := checkpoint.Sign(checkpoint.Checkpoint{Origin: h.signer.Name(), Size: size, Root: h.root(size)}, h.signer)
	if err != nil {
		h.t.Fatal(err)
	}
	signed, err := checkpoint.Open(note, ledgertest.Keys(h.t, h.signer))
	if err != nil {
		h.t.Fatal(err)
	}
	return signed
}

func (h *history) rootAt(_ context.Context, size uint64) (tree.Hash, error) { return h.root(size), nil }

func keys(t testing.TB) *checkpoint.Keys {
	return ledgertest.Keys(t, ledgertest.Signer(t, origin), ledgertest.Signer(t, "custody.example/other"))
}

func open(t *testing.T, fsys durable.FS) *Memory {
	t.Helper()
	m, err := Open(fsys, "/state", keys(t))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// judge shows a head of a branch; size 0: none.
func judge(t *testing.T, m *Memory, h *history, size uint64) *incident.Finding {
	t.Helper()
	f, err := ask(t, m, h, size)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func ask(t *testing.T, m *Memory, h *history, size uint64) (*incident.Finding, error) {
	var head *checkpoint.Signed
	if size > 0 {
		s := h.head(size)
		head = &s
	}
	return m.Judge(t.Context(), "s3", "web", head, h.rootAt)
}

// unsure shows less for as long as that accuses nobody, and for a second less than
// it takes.
func unsure(t *testing.T, m *Memory, h *history, size uint64) {
	t.Helper()
	for _, d := range []time.Duration{0, time.Second, minDoubt - 2*time.Second} {
		time.Sleep(d)
		if f, err := ask(t, m, h, size); f != nil || !errors.Is(err, ErrUnsure) {
			t.Fatalf("%v later: %+v, %v", d, f, err)
		}
	}
}

func wantFinding(t *testing.T, f *incident.Finding, kind incident.Kind, place incident.Place, notes ...checkpoint.Signed) {
	t.Helper()
	if f == nil || f.Kind != kind || f.Place != place || len(f.Evidence) != len(notes) {
		t.Fatalf("got %+v, want %s at %+v", f, kind, place)
	}
	for i, n := range notes {
		if !bytes.Equal(f.Evidence[i].Bytes, n.Note()) {
			t.Fatalf("evidence %d is\n%s\nwant\n%s", i, f.Evidence[i].Bytes, n.Note())
		}
	}
}

func TestRisingHeads(t *testing.T) {
	fsys := durabletest.New()
	m, a := open(t, fsys), branch(t, "a")
	for _, size := range []uint64{0, 5, 5, 300, 301} {
		if f := judge(t, m, a, size); f != nil {
			t.Fatalf("size %d: %+v", size, f)
		}
	}
	m = open(t, fsys.Crash())
	if all := m.Heads(); len(all) != 1 || all[0].Signed.Size != 301 || all[0].Store != "s3" || all[0].Log != "web" {
		t.Fatalf("remembers %+v", all)
	}
	if logs := m.Logs("s3"); len(logs) != 1 || logs[0] != "web" || len(m.Logs("gcs")) != 0 {
		t.Fatalf("logs: %q", logs)
	}
}

func TestRollback(t *testing.T) {
	for name, size := range map[string]uint64{"less": 7, "nothing": 0} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { rollback(t, size) })
		})
	}
}

func rollback(t *testing.T, size uint64) {
	fsys := durabletest.New()
	m, a := open(t, fsys), branch(t, "a")
	judge(t, m, a, 10)
	m = open(t, fsys.Crash())
	unsure(t, m, a, size)
	time.Sleep(time.Second)
	place := incident.Place{Store: "s3", Log: "web", First: size, End: 10}
	notes := []checkpoint.Signed{a.head(10)}
	if size > 0 {
		notes = append(notes, a.head(size))
	}
	for range 2 {
		f := judge(t, m, a, size)
		wantFinding(t, f, incident.Rollback, place, notes...)
		if !strings.Contains(f.Message, "not mounted") {
			t.Errorf("it does not say what looks the same: %s", f.Message)
		}
	}
	if f := judge(t, m, a, 12); f != nil {
		t.Fatalf("the log is back: %+v", f)
	}
}

// What a store shows for less than a minute, or hardly ever, accuses nobody, however
// often that happens.
func TestOldStateForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, a := open(t, durabletest.New()), branch(t, "a")
		for range 3 {
			judge(t, m, a, 10)
			unsure(t, m, a, 7)
		}
		judge(t, m, a, 10)
		for range 2 {
			if f, err := ask(t, m, a, 7); f != nil || !errors.Is(err, ErrUnsure) {
				t.Errorf("%+v, %v", f, err)
			}
			time.Sleep(time.Hour)
		}
	})
}

func TestFork(t *testing.T) {
	a, b := branch(t, "a"), branch(t, "b")
	for _, size := range []uint64{10, 11, 300} {
		m := open(t, durabletest.New())
		judge(t, m, a, 10)
		f := judge(t, m, b, size)
		wantFinding(t, f, incident.Fork, incident.Place{Store: "s3", Log: "web", End: 10}, a.head(10), b.head(size))
		if !strings.Contains(f.Want, a.root(10).String()) || !strings.Contains(f.Got, b.root(10).String()) {
			t.Fatalf("want %s, got %s", f.Want, f.Got)
		}
		if all := m.Heads(); all[0].Signed.Root != a.root(10) {
			t.Fatal("the fork was remembered")
		}
	}
}

func TestOtherOrigin(t *testing.T) {
	m, a := open(t, durabletest.New()), branch(t, "a")
	judge(t, m, a, 10)
	o := &history{t, ledgertest.Signer(t, "custody.example/other"), "a"}
	note, err := checkpoint.Sign(checkpoint.Checkpoint{Origin: o.signer.Name(), Size: 20, Root: a.root(20)}, o.signer)
	if err != nil {
		t.Fatal(err)
	}
	other, err := checkpoint.Open(note, keys(t))
	if err != nil {
		t.Fatal(err)
	}
	f, err := m.Judge(t.Context(), "s3", "web", &other, a.rootAt)
	if err != nil {
		t.Fatal(err)
	}
	wantFinding(t, f, incident.Fork, incident.Place{Store: "s3", Log: "web", End: 10}, a.head(10), other)
}

func TestUnreadIsNoVerdict(t *testing.T) {
	m, a := open(t, durabletest.New()), branch(t, "a")
	judge(t, m, a, 10)
	away := errors.New("timeout")
	head := a.head(20)
	f, err := m.Judge(t.Context(), "s3", "web", &head, func(context.Context, uint64) (tree.Hash, error) { return tree.Hash{}, away })
	if f != nil || !errors.Is(err, away) || m.Heads()[0].Signed.Size != 10 {
		t.Fatalf("got %+v, %v", f, err)
	}
}

func TestFailedWriteDoesNotCount(t *testing.T) {
	fsys := durabletest.New()
	m, a := open(t, fsys), branch(t, "a")
	judge(t, m, a, 10)
	fsys.Inject(durabletest.Fault{Op: durabletest.OpSync, Path: "heads"})
	head := a.head(20)
	if _, err := m.Judge(t.Context(), "s3", "web", &head, a.rootAt); err == nil || m.Heads()[0].Signed.Size != 10 {
		t.Fatalf("a failed sync gave %v", err)
	}
	judge(t, m, a, 20)
	if got := open(t, fsys.Crash()).Heads()[0].Signed.Size; got != 20 {
		t.Fatalf("remembers %d", got)
	}
}

func TestForget(t *testing.T) {
	fsys := durabletest.New()
	m, a, b := open(t, fsys), branch(t, "a"), branch(t, "b")
	judge(t, m, a, 10)
	if m.Forget("s3", "web", "", "emptied") == nil || m.Forget("s3", "web", "alex", "") == nil {
		t.Fatal("forgotten by nobody, or for nothing")
	}
	if err := m.Forget("s3", "web", "alex", "the log was begun anew"); err != nil {
		t.Fatal(err)
	}
	m = open(t, fsys.Crash())
	if head, known := m.Highest("s3", "web"); head != nil || !known {
		t.Fatalf("that it was forgotten is not known: %v, %v", head, known)
	}
	if _, known := m.Highest("s3", "other"); known {
		t.Fatal("it knows what nobody said")
	}
	if f := judge(t, m, b, 5); f != nil {
		t.Fatalf("got %+v", f)
	}
	if head, known := m.Highest("s3", "web"); head == nil || head.Size != 5 || !known {
		t.Fatalf("got %v, %v", head, known)
	}
}

// Forgetting lasts when the file is written anew.
func TestForgottenStays(t *testing.T) {
	fsys := durabletest.New()
	m, a := open(t, fsys), branch(t, "a")
	judge(t, m, a, 10)
	if err := m.Forget("s3", "web", "alex", "the log was begun anew"); err != nil {
		t.Fatal(err)
	}
	head := a.head(1)
	for range 2 * minCompact / len(head.Note()) {
		m.mu.Lock()
		err := m.remember(place{"s3", "other"}, head)
		m.mu.Unlock()
		if err != nil {
			t.Fatal(err)
		}
	}
	if head, known := open(t, fsys.Crash()).Highest("s3", "web"); head != nil || !known {
		t.Fatalf("got %v, %v", head, known)
	}
}

func TestDamageRefuses(t *testing.T) {
	fsys := durabletest.New()
	m, a := open(t, fsys), branch(t, "a")
	judge(t, m, a, 10)
	judge(t, m, a, 20)
	f, err := fsys.OpenFile("/state/heads", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt([]byte("x"), 100); err != nil {
		t.Fatal(err)
	}
	_, err = Open(fsys, "/state", keys(t))
	if !errors.Is(err, framed.ErrDamaged) || !strings.Contains(err.Error(), "move /state/heads away") {
		t.Fatalf("got %v", err)
	}
}

func TestKeyTakenAwayRefuses(t *testing.T) {
	fsys := durabletest.New()
	judge(t, open(t, fsys), branch(t, "a"), 10)
	_, err := Open(fsys, "/state", ledgertest.Keys(t, ledgertest.Signer(t, "custody.example/other")))
	if err == nil || !strings.Contains(err.Error(), "put it back") {
		t.Fatalf("got %v", err)
	}
}

// TestCrash cuts the power at every call: what Judge returned nil for is
// remembered.
func TestCrash(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	a := branch(t, "a")
	for n := 1; ; n++ {
		fsys := durabletest.New()
		fsys.Inject(durabletest.Fault{N: n, Crash: true})
		acked := uint64(0)
		m, err := Open(fsys, "/state", keys(t))
		for err == nil && acked < 6 {
			head := a.head(acked + 1)
			if _, err = m.Judge(t.Context(), "s3", "web", &head, a.rootAt); err == nil {
				acked++
			}
		}
		for range 5 {
			got := uint64(0)
			for _, h := range open(t, fsys.CrashRandom(rng)).Heads() {
				got = h.Signed.Size
			}
			if got < acked || got > acked+1 {
				t.Fatalf("crash at call %d: %d counted, %d remembered", n, acked, got)
			}
		}
		if err == nil {
			return
		}
	}
}

func TestFileStaysSmall(t *testing.T) {
	fsys := durabletest.New()
	m, a := open(t, fsys), branch(t, "a")
	head := a.head(1)
	for range 4 * minCompact / len(head.Note()) {
		m.mu.Lock()
		err := m.remember(place{"s3", "web"}, head)
		m.mu.Unlock()
		if err != nil {
			t.Fatal(err)
		}
	}
	if size := m.file.Size(); size > minCompact+1024 {
		t.Fatalf("the file has %d bytes", size)
	}
	if all := open(t, fsys.Crash()).Heads(); len(all) != 1 {
		t.Fatalf("remembers %+v", all)
	}
}

// TestTogether has many goroutines show heads of many logs.
func TestTogether(t *testing.T) {
	fsys := durabletest.New()
	m, a := open(t, fsys), branch(t, "a")
	heads := []checkpoint.Signed{a.head(1), a.head(2), a.head(3), a.head(4)}
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for j := range heads {
				if f, err := m.Judge(t.Context(), "s3", fmt.Sprint(i%4), &heads[j], a.rootAt); err != nil && !errors.Is(err, ErrUnsure) || f != nil {
					t.Errorf("got %+v, %v", f, err)
				}
			}
		})
	}
	all.Wait()
	for _, h := range open(t, fsys.Crash()).Heads() {
		if h.Signed.Size != 4 {
			t.Errorf("log %s: %d", h.Log, h.Signed.Size)
		}
	}
}

func FuzzLoad(f *testing.F) {
	f.Add([]byte(`{"store":"s3","log":"web","note":"x"}`))
	f.Add([]byte(`{"store":"s3","log":"web","forget":"x"}`))
	k := keys(f)
	f.Fuzz(func(t *testing.T, frame []byte) {
		m := &Memory{keys: k, known: map[place]checkpoint.Signed{}, gone: map[place]remembered{}}
		if err := m.load(frame); err == nil && len(m.known) > 0 {
			t.Fatalf("a head that no key signed: %q", frame)
		}
	})
}
