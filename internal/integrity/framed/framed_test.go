package framed

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/otelcol-custody/custody/internal/durable"
	"github.com/otelcol-custody/custody/internal/durable/durabletest"
)

const title = "custody-test/1"

func open(t *testing.T, fsys durable.FS) (*File, []string, error) {
	t.Helper()
	var got []string
	f, err := Open(fsys, "/f", title, func(b []byte) error {
		got = append(got, string(b))
		return nil
	})
	return f, got, err
}

func mustOpen(t *testing.T, fsys durable.FS) (*File, []string) {
	t.Helper()
	f, got, err := open(t, fsys)
	if err != nil {
		t.Fatal(err)
	}
	return f, got
}

func write(t *testing.T, fsys durable.FS, b []byte) {
	t.Helper()
	if err := durable.WriteFile(fsys, "/f", b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// content is a file with three frames.
func content(t *testing.T) []byte {
	t.Helper()
	fsys := durabletest.New()
	f, _ := mustOpen(t, fsys)
	for _, s := range []string{"one", "", "three"} {
		if err := f.Append([]byte(s)); err != nil {
			t.Fatal(err)
		}
	}
	return read(t, fsys, "/f")
}

func read(t *testing.T, fsys durable.FS, name string) []byte {
	t.Helper()
	f, err := fsys.OpenFile(name, os.O_RDONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if _, err := b.ReadFrom(f); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestAppendAndReopen(t *testing.T) {
	fsys := durabletest.New()
	write(t, fsys, content(t))
	f, got := mustOpen(t, fsys)
	if want := []string{"one", "", "three"}; !slices.Equal(got, want) {
		t.Fatalf("got %q, want %q", got, want)
	}
	if err := f.Append([]byte("four")); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if f.Append([]byte("five")) == nil {
		t.Fatal("a closed file took a frame")
	}
	if _, got = mustOpen(t, fsys.Crash()); len(got) != 4 || got[3] != "four" {
		t.Fatalf("got %q after a crash", got)
	}
}

// TestCut cuts the file at every byte: what is gone can only be the last line.
func TestCut(t *testing.T) {
	whole := content(t)
	for n := range whole {
		fsys := durabletest.New()
		write(t, fsys, whole[:n])
		f, got, err := open(t, fsys)
		lines := bytes.Count(whole[:n], []byte("\n"))
		if lines == 0 {
			if !errors.Is(err, ErrDamaged) {
				t.Fatalf("cut at %d: a torn title gave %v", n, err)
			}
			continue
		}
		if err != nil || len(got) != lines-1 {
			t.Fatalf("cut at %d: %d frames, %v; want %d", n, len(got), err, lines-1)
		}
		if atLine := whole[n-1] == '\n'; f.Usable() != atLine {
			t.Fatalf("cut at %d: usable: %v", n, f.Usable())
		}
	}
}

// TestFlip flips every byte: in the last line that is a torn line, else damage.
func TestFlip(t *testing.T) {
	whole := content(t)
	last := bytes.LastIndexByte(whole[:len(whole)-1], '\n') + 1
	for i := range whole {
		b := slices.Clone(whole)
		b[i] ^= 0x41
		fsys := durabletest.New()
		write(t, fsys, b)
		_, got, err := open(t, fsys)
		if i >= last-1 { // without the line feed before it, two lines are one
			if err != nil || len(got) > 2 {
				t.Fatalf("byte %d of the last line: %q, %v", i, got, err)
			}
			continue
		}
		var d *DamagedError
		if !errors.As(err, &d) || d.Line != bytes.Count(whole[:i], []byte("\n"))+1 || d.Path != "/f" {
			t.Fatalf("byte %d: %v", i, err)
		}
	}
}

func TestLinesTakenAwayOrMoved(t *testing.T) {
	lines := bytes.SplitAfter(content(t), []byte("\n"))
	for name, b := range map[string][][]byte{
		"removed":  {lines[0], lines[2], lines[3]},
		"swapped":  {lines[0], lines[2], lines[1], lines[3]},
		"repeated": {lines[0], lines[1], lines[1], lines[2], lines[3]},
	} {
		fsys := durabletest.New()
		write(t, fsys, bytes.Join(b, nil))
		if _, _, err := open(t, fsys); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestFailedReadIsNotDamage(t *testing.T) {
	fsys := durabletest.New()
	write(t, fsys, content(t))
	fsys.Inject(durabletest.Fault{Op: durabletest.OpRead, Path: "/f"})
	if f, _, err := open(t, fsys); err == nil || errors.Is(err, ErrDamaged) || f != nil {
		t.Fatalf("got %v", err)
	}
}

func TestRewriteMends(t *testing.T) {
	fsys := durabletest.New()
	f, _ := mustOpen(t, fsys)
	fsys.Inject(durabletest.Fault{Op: durabletest.OpSync, Path: "/f"})
	if err := f.Append([]byte("lost")); err == nil || f.Usable() {
		t.Fatalf("a failed sync gave %v", err)
	}
	if err := f.Append([]byte("lost, too")); err == nil {
		t.Fatal("a file took a frame after a failed sync")
	}
	if err := f.Rewrite(slices.Values([][]byte{[]byte("a"), []byte("b")})); err != nil {
		t.Fatal(err)
	}
	if err := f.Append([]byte("c")); err != nil {
		t.Fatal(err)
	}
	if _, got := mustOpen(t, fsys.Crash()); !slices.Equal(got, []string{"a", "b", "c"}) {
		t.Fatalf("got %q", got)
	}
}

// TestCrash cuts the power at every call: what was acknowledged is there, and at
// most one frame more.
func TestCrash(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for n := 1; ; n++ {
		fsys := durabletest.New()
		fsys.Inject(durabletest.Fault{N: n, Crash: true})
		acked, err := 0, error(nil)
		var f *File
		if f, _, err = open(t, fsys); err == nil {
			for acked < 4 {
				if err = f.Append(fmt.Appendf(nil, "frame %d", acked)); err != nil {
					break
				}
				acked++
			}
		}
		for range 20 {
			_, got, err := open(t, fsys.CrashRandom(rng))
			if err != nil || len(got) < acked || len(got) > acked+1 {
				t.Fatalf("crash at call %d: %d acknowledged, got %q, %v", n, acked, got, err)
			}
		}
		if err == nil {
			return
		}
	}
}

func TestKeep(t *testing.T) {
	fsys := durabletest.New()
	write(t, fsys, []byte("rubbish"))
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	var names []string
	for range 2 {
		name, err := Keep(fsys, "/f", now)
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	if want := []string{"/f.damaged-20260102T030405Z", "/f.damaged-20260102T030405Z-1"}; !slices.Equal(names, want) {
		t.Fatalf("got %q, want %q", names, want)
	}
	fsys.Inject(durabletest.Fault{Op: durabletest.OpLink, Err: errors.ErrUnsupported})
	name, err := Keep(fsys, "/f", now.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	if got := read(t, fsys.Crash(), name); string(got) != "rubbish" {
		t.Fatalf("the copy holds %q", got)
	}
}

func FuzzOpen(f *testing.F) {
	f.Add([]byte(title + "\n"))
	f.Add([]byte(strings.Repeat("x", 100)))
	f.Fuzz(func(t *testing.T, b []byte) {
		r := newReader(bytes.NewReader(b), title)
		again := []byte(title + "\n")
		sum := first(title)
		err := r.each(func(frame []byte) error {
			sum = next(sum, frame)
			again = appendLine(again, sum, frame)
			return nil
		})
		if r.failed {
			t.Fatalf("a read failed: %v", err)
		}
		// Whatever was taken is what Append would have written.
		if (err == nil) && !bytes.HasPrefix(b, again) {
			t.Fatalf("took %q from %q", again, b)
		}
		if err == nil && !r.torn && !bytes.Equal(b, again) {
			t.Fatalf("%q was taken as whole", b)
		}
	})
}
