package recovery

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/otelcol-custody/custody/internal/durable"
	"github.com/otelcol-custody/custody/internal/sealer"
)

// The same on a real file system: second names, folders that move, a lock.
func TestOnDisk(t *testing.T) {
	w := newWorld(t, 1)
	w.stores[0].setDown(errors.New("away"))
	dir := filepath.Join(t.TempDir(), "state")
	c := w.config()
	c.Dir, c.FS, c.Genesis = dir, durable.OS, true
	appendAll := func(s *sealer.Sealer, from, n int) {
		t.Helper()
		b := &sealer.Batch{}
		for i := range n {
			b.Add(event(from+i), "otlp", false)
			w.acked[from+i] = true
		}
		if err := s.Append(context.Background(), b); err != nil {
			t.Fatal(err)
		}
	}
	s, err := sealer.Open(c, w, silent{})
	if err != nil {
		t.Fatal(err)
	}
	appendAll(s, 0, 9)
	appendAll(s, 9, 9)
	if err := s.Close(context.Background(), 10*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	w.stores[0].setDown(nil)
	if err := os.WriteFile(filepath.Join(dir, "checkpoint"), []byte("junk"), 0o600); err != nil {
		t.Fatal(err)
	}
	c.Genesis = false
	if _, err := sealer.Open(c, w, silent{}); !errors.Is(err, sealer.ErrDamaged) {
		t.Fatalf("with a damaged checkpoint: %v, want ErrDamaged", err)
	}
	o := w.options()
	o.FS, o.StateDir, o.AcceptLoss = nil, dir, true // Perhaps nothing was sealed yet that vouches.
	r, err := Recover(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	if int64(r.Size)+r.Kept < 18 || r.Resealed != 0 {
		t.Errorf("the report says %+v", r)
	}
	for _, name := range []string{"spool", "journal", recoveredNote} {
		if _, err := os.Stat(filepath.Join(dir, r.SetAside, name)); err != nil {
			t.Error(err)
		}
	}
	if s, err = sealer.Open(c, w, silent{}); err != nil {
		t.Fatal(err)
	}
	appendAll(s, 18, 2)
	if err := s.Close(context.Background(), time.Minute); err != nil {
		t.Fatal(err)
	}
	only(t, w.audit(w.stores[0], nil))
}

const recoveredNote = "recovery.json"
