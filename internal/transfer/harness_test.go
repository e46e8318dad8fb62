package transfer

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/otelcol-custody/custody/ledger"
	"github.com/otelcol-custody/custody/ledger/ledgertest"
	"github.com/otelcol-custody/custody/ledger/seal"
	"github.com/otelcol-custody/custody/ledger/segment"
	"github.com/otelcol-custody/custody/ledger/tree"
	"github.com/otelcol-custody/custody/ledger/verify"
	"github.com/otelcol-custody/custody/store"
	"github.com/otelcol-custody/custody/store/dirstore"
	"github.com/otelcol-custody/custody/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const origin = "custody.example/test"

// objects are a segment's objects by their names in a store.
func objects(s ledgertest.Segment) map[string][]byte {
	log := s.Seal.Log
	all := map[string][]byte{log + "/" + s.Seal.SegmentName(): s.Object, log + "/" + s.Seal.Name(): s.Seal.Bytes()}
	for _, t := range s.Tiles {
		if t.Level > 0 {
			all[log+"/"+ledger.TileName(t.Level, t.Index)] = t.Bytes()
		}
	}
	return all
}

func put(t *testing.T, s store.Store, name string, data []byte) {
	t.Helper()
	if _, err := s.PutOnce(t.Context(), name, data, store.PutOptions{}); err != nil {
		t.Fatal(err)
	}
}

func fill(t *testing.T, s store.Store, segments ...ledgertest.Segment) {
	t.Helper()
	for _, seg := range segments {
		for name, data := range objects(seg) {
			put(t, s, name, data)
		}
	}
}

// newLog returns a log of a few segments, the last of which completes a tile.
func newLog(t *testing.T, name string) *ledgertest.Log {
	t.Helper()
	made.Lock()
	defer made.Unlock()
	if made.logs[name] == nil {
		l := ledgertest.NewLog(name, ledgertest.Signer(t, origin))
		l.Add(t, 3, 1, 300, 65300)
		made.logs[name] = l
	}
	return made.logs[name].Branch("test") // Which grows on its own.
}

// made are logs that were made before: sealing 65,000 records takes a while.
var made = struct {
	sync.Mutex
	logs map[string]*ledgertest.Log
}{logs: map[string]*ledgertest.Log{}}

// content reads everything that a store shows.
func content(t *testing.T, s store.Store) map[string]string {
	t.Helper()
	all := map[string]string{}
	for info, err := range s.List(t.Context(), "", "") {
		if err != nil {
			t.Fatal(err)
		}
		r, _, err := s.Get(t.Context(), info.Name)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = r.Close()
		all[info.Name] = string(b)
	}
	return all
}

func wantSame(t *testing.T, got, want store.Store) {
	t.Helper()
	g, w := content(t, got), content(t, want)
	if !maps.Equal(g, w) {
		t.Errorf("the stores differ: %d objects, want %d: %q, want %q", len(g), len(w), slices.Sorted(maps.Keys(g)), slices.Sorted(maps.Keys(w)))
	}
}

// A copy is a directory that is fetched into.
type copied struct {
	t   *testing.T
	dir string
}

func newCopy(t *testing.T) *copied { return &copied{t, t.TempDir()} }

func (c *copied) open() *dirstore.Store {
	c.t.Helper()
	s, err := dirstore.Open(c.dir, dirstore.Options{Immutable: dirstore.ImmutableOff})
	if err != nil {
		c.t.Fatal(err)
	}
	return s
}

// fetch fetches once, as a process of its own would.
func (c *copied) fetch(from store.Store, opt Options) (*Result, error) {
	c.t.Helper()
	to := c.open()
	defer func() { _ = to.Close() }()
	return Fetch(c.t.Context(), from, to, opt)
}

func (c *copied) must(from store.Store) *Result {
	c.t.Helper()
	r, err := c.fetch(from, Options{})
	if err != nil {
		c.t.Fatal(err)
	}
	if !r.Complete() {
		c.t.Fatalf("not complete: %+v", r.Logs[0].Failures)
	}
	return r
}

// verify is what `custody verify` says of a log in the directory.
func (c *copied) verify(log string) *verify.Report {
	c.t.Helper()
	r, err := verify.Log(c.t.Context(), os.DirFS(filepath.Join(c.dir, log)), log,
		verify.Options{Keys: ledgertest.Keys(c.t, ledgertest.Signer(c.t, origin)), Now: time.Now(), Workers: 2})
	if err != nil {
		c.t.Fatal(err)
	}
	return r
}

func (c *copied) wantVerified(l *ledgertest.Log) {
	c.t.Helper()
	last := l.Segments[len(l.Segments)-1].Seal
	r := c.verify(last.Log)
	if r.Tampered() || !r.Complete() || r.Checked != last.End() {
		c.t.Errorf("%d of %d records verified; findings %v, unread %v", r.Checked, last.End(), r.Findings, r.Unread)
	}
}

// codes are the codes of notices, in the order of objects.
func codes(r *Report) (list []Code) {
	for _, n := range r.Notices {
		if n.Log != r.Log || n.Object == "" || n.Message == "" {
			panic(fmt.Sprintf("incomplete notice %+v", n))
		}
		list = append(list, n.Code)
	}
	return list
}

// counting counts what is read of a store with versions.
type counting struct {
	*storetest.Memory
	reads atomic.Int64
}

func (c *counting) GetVersion(ctx context.Context, name, version string) (io.ReadCloser, store.Info, error) {
	c.reads.Add(1)
	return c.Memory.GetVersion(ctx, name, version)
}

func flipped(b []byte) []byte {
	b = bytes.Clone(b)
	b[len(b)/2] ^= 1
	return b
}

// expiring returns segments of the log "one", each of a closed record alone that
// promises to keep its segment for a second.
func expiring(t *testing.T, n int) []ledgertest.Segment {
	t.Helper()
	signer := ledgertest.Signer(t, origin)
	at := seal.Genesis("one", origin, signer.VerifierKey(), [32]byte{1})
	var list []ledgertest.Segment
	for range n {
		first := at.Edge.Size()
		closed := segment.Closed{
			At: ledgertest.Began, First: first, Count: 1, Key: signer.ID(), Reason: segment.BySize,
			Software: "test", RetainUntil: ledgertest.Began.Add(time.Second),
		}
		line, err := closed.Line()
		if err != nil {
			t.Fatal(err)
		}
		lines, seed := append(bytes.Clone(line), '\n'), tree.Seed{byte(first)}
		obj, err := segment.NewEncoder().Append(nil, segment.Header{Origin: origin, First: first, Count: 1, Bytes: len(lines), Seed: seed}, lines)
		if err != nil {
			t.Fatal(err)
		}
		v, _, err := seal.Build(at, seal.Content{Object: obj, Seed: seed, Digests: []tree.Hash{tree.Digest(line)}, ClosedLine: line, Checkpoints: signer})
		if err != nil {
			t.Fatal(err)
		}
		list, at = append(list, ledgertest.Segment{Object: obj, Seal: v}), v.Place()
	}
	return list
}
