package recovery

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/otelcol-custody/custody/internal/delivery"
	"github.com/otelcol-custody/custody/internal/durable"
	"github.com/otelcol-custody/custody/internal/durable/durabletest"
	"github.com/otelcol-custody/custody/internal/logstore"
	"github.com/otelcol-custody/custody/internal/sealer"
	"github.com/otelcol-custody/custody/ledger"
	"github.com/otelcol-custody/custody/ledger/checkpoint"
	"github.com/otelcol-custody/custody/ledger/ledgertest"
	"github.com/otelcol-custody/custody/ledger/seal"
	"github.com/otelcol-custody/custody/ledger/segment"
	"github.com/otelcol-custody/custody/ledger/tree"
	"github.com/otelcol-custody/custody/ledger/verify"
	"github.com/otelcol-custody/custody/store"
	"github.com/otelcol-custody/custody/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// outlet is a store behind an exporter that keeps their contract.
type outlet struct {
	*storetest.Memory
	mu   sync.Mutex // guards down
	down error
}

// setDown makes it fail with err, until it is called with nil. It returns what it
// failed with before.
func (o *outlet) setDown(err error) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	before := o.down
	o.down = err
	return before
}

func (o *outlet) why() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.down
}

// world is a log, its collector's disk, and its stores.
type world struct {
	t      testing.TB
	signer *checkpoint.Signer
	keys   *checkpoint.Keys
	fs     *durabletest.FS
	dir    string
	stores []*outlet
	notes  [][]byte // checkpoints that were shown
	acked  map[int]bool
	loser  map[string][]byte // the state directory of a writer that lost
}

func newWorld(t testing.TB, stores int) *world {
	s := ledgertest.Signer(t, "custody.example/web")
	w := &world{t: t, signer: s, keys: ledgertest.Keys(t, s), fs: durabletest.New(), dir: "/state", acked: map[int]bool{}}
	for i := range stores {
		w.stores = append(w.stores, &outlet{Memory: storetest.NewMemory(string(rune('a' + i)))})
	}
	return w
}

func (w *world) Deliver(ctx context.Context, o *delivery.Objects) (given, asked int, err error) {
	for _, s := range w.stores {
		if e := w.deliver(ctx, s, o); e != nil {
			err = errors.Join(err, e)
			continue
		}
		given++
	}
	return given, len(w.stores), err
}

func (w *world) deliver(ctx context.Context, s *outlet, o *delivery.Objects) error {
	if err := s.why(); err != nil {
		return err
	}
	v, err := seal.Open(o.Seal, w.keys)
	if err != nil {
		w.t.Errorf("delivered: %v", err)
		return err
	}
	if sha256.Sum256(o.Segment) != v.Segment {
		w.t.Errorf("delivered: segment %d is not its seal's", v.First)
	}
	head, err := w.head(ctx, s)
	if err != nil {
		return err
	}
	f, err := w.reader(s).At(ctx, v.First)
	switch {
	case err != nil:
		return err
	case len(f.Seals) > 0 && !f.Seals[0].Seal.Same(v):
		return &delivery.ForkError{Store: s.ID(), Log: "web"}
	case len(f.Seals) > 0:
		return nil
	case head == nil && v.First > 0, head != nil && head.End() < v.First:
		return fmt.Errorf("%w: the seal before is missing", delivery.ErrPending)
	}
	if _, err := v.Follows(head); err != nil {
		return &delivery.ForkError{Store: s.ID(), Log: "web", Theirs: head.After().Text()}
	}
	tiles, err := v.CheckTiles(o.Tiles)
	if err != nil {
		w.t.Errorf("delivered: %v", err)
	}
	w.put(s, v.SegmentName(), o.Segment)
	for i, t := range tiles {
		w.put(s, ledger.TileName(t.Level, t.Index), o.Tiles[i])
	}
	w.put(s, v.Name(), o.Seal)
	return nil
}

func (w *world) put(s *outlet, name string, b []byte) {
	if _, err := s.PutOnce(context.Background(), "web/"+name, b, store.PutOptions{}); err != nil {
		w.t.Error(err)
	}
}

func (w *world) reader(s *outlet) *logstore.Reader { return logstore.New(s, "web", w.keys, nil) }

func (w *world) head(ctx context.Context, s *outlet) (*seal.Verified, error) {
	h, err := w.reader(s).Head(ctx)
	if errors.Is(err, logstore.ErrNoLog) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return h.Seal, nil
}

func (w *world) Probe(ctx context.Context, p *delivery.Probe) (given, asked int, err error) {
	for _, s := range w.stores {
		if e := w.probe(ctx, s, p); e != nil {
			err = errors.Join(err, e)
			continue
		}
		given++
	}
	return given, len(w.stores), err
}

func (w *world) probe(ctx context.Context, s *outlet, p *delivery.Probe) error {
	if err := s.why(); err != nil {
		return err
	}
	head, err := w.head(ctx, s)
	if err != nil || head == nil {
		return err
	}
	fork := &delivery.ForkError{Store: s.ID(), Log: "web", Theirs: head.After().Text()}
	if p.Seal == nil {
		return fork
	}
	v, err := seal.Open(p.Seal, w.keys)
	if err != nil {
		return err
	}
	if head.End() > v.End() {
		return fork
	}
	if f, err := w.reader(s).At(ctx, v.First); err != nil || len(f.Seals) > 0 && !f.Seals[0].Seal.Same(v) {
		return errors.Join(fork, err)
	}
	return nil
}

func (w *world) Checkpoint(_ context.Context, note []byte) error {
	w.notes = append(w.notes, note)
	return nil
}

func (w *world) Records(context.Context, *seal.Verified, *tree.Seed, []byte) error { return nil }

// silent is an observer.
type silent struct{}

func (silent) Sealed(*seal.Verified, int64)          {}
func (silent) Waiting(int)                           {}
func (silent) Stored(*seal.Head, int, time.Duration) {}
func (silent) Trouble(string, error)                 {}
func (silent) Better(string)                         {}
func (silent) Fatal(error)                           {}
func (silent) Synced(time.Duration)                  {}
func (silent) Notice(string)                         {}

func (w *world) config() sealer.Config {
	return sealer.Config{
		Log: "web", Signer: w.signer, Dir: w.dir, Software: "custody/test", FS: w.fs,
		MaxBytes: 150, MaxAge: time.Minute, Heartbeat: time.Hour, Checkpoint: 10 * time.Millisecond,
		AckTimeout: 5 * time.Second, SpoolLimit: 1 << 30, MinStores: 1,
	}
}

// start opens the sealer; genesis begins a new log.
func (w *world) start(genesis bool) *sealer.Sealer {
	w.t.Helper()
	c := w.config()
	c.Genesis = genesis
	s, err := sealer.Open(c, w, silent{})
	if err != nil {
		w.t.Fatalf("open: %v", err)
	}
	return s
}

// send has records acknowledged, and lets what can be stored be stored. More
// than 6 fill a segment.
func (w *world) send(s *sealer.Sealer, from, n int) {
	w.t.Helper()
	b := &sealer.Batch{}
	for i := range n {
		b.Add(event(from+i), "otlp", false)
	}
	if err := s.Append(context.Background(), b); err != nil {
		w.t.Fatal(err)
	}
	for i := range n {
		w.acked[from+i] = true
	}
	w.settle()
}

func (w *world) settle() {
	time.Sleep(time.Second)
	synctest.Wait()
}

func event(n int) []byte { return fmt.Appendf(nil, `{"body":"event %d"}`, n) }

func (w *world) stop(s *sealer.Sealer) {
	w.t.Helper()
	if err := s.Close(context.Background(), time.Minute); err != nil {
		w.t.Fatal(err)
	}
}

// kill ends a process as kill -9 does.
func (w *world) kill(s *sealer.Sealer) {
	after := w.fs.Restart()
	for _, o := range w.stores {
		before := o.setDown(errors.New("killed"))
		defer o.setDown(before)
	}
	_ = s.Close(context.Background(), 0)
	w.fs = after
}

// session runs a process and kills it.
func (w *world) session(genesis bool, what func(*sealer.Sealer)) {
	s := w.start(genesis)
	what(s)
	w.kill(s)
}

func (w *world) options() Options {
	o := Options{Log: "web", Signer: w.signer, StateDir: w.dir, Software: "custody/test", FS: w.fs}
	for _, s := range w.stores {
		o.Stores = append(o.Stores, Store{ID: s.ID(), Store: s})
	}
	return o
}

// must recovers.
func (w *world) must(change func(*Options)) *Report {
	w.t.Helper()
	o := w.options()
	change(&o)
	r, err := Recover(context.Background(), o)
	if err != nil {
		w.t.Fatalf("recover: %v", err)
	}
	return r
}

// refused demands a refusal whose reasons contain all of these words.
func (w *world) refused(change func(*Options), words ...string) *Report {
	w.t.Helper()
	before := w.files()
	o := w.options()
	change(&o)
	_, err := Recover(context.Background(), o)
	var refused *RefusedError
	if !errors.As(err, &refused) {
		w.t.Fatalf("recover: %v, want a refusal", err)
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			w.t.Errorf("refused with %q, which does not say %q", err, word)
		}
	}
	if after := w.files(); fmt.Sprint(after) != fmt.Sprint(before) {
		w.t.Errorf("a refusal changed the state directory: %v, before %v", after, before)
	}
	return refused.Report
}

// files are the state directory's files with their content's hash.
func (w *world) files() (out []string) {
	var walk func(dir string)
	walk = func(dir string) {
		entries, err := w.fs.ReadDir(dir)
		if err != nil {
			return
		}
		for _, e := range entries {
			if name := dir + "/" + e.Name(); e.IsDir() {
				walk(name)
			} else if e.Name() != "lock" {
				out = append(out, fmt.Sprintf("%s %x", name, sha256.Sum256(w.read(name))))
			}
		}
	}
	walk(w.dir)
	return out
}

func (w *world) read(name string) []byte {
	w.t.Helper()
	f, err := w.fs.OpenFile(name, 0, 0)
	if err != nil {
		w.t.Fatal(err)
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil {
		w.t.Fatal(err)
	}
	return b
}

// lose takes the whole disk away.
func (w *world) lose() { w.fs = durabletest.New() }

// resume starts the collector after a recovery, has it take records and stop, and
// returns each store's records by event.
func (w *world) resume(next int) {
	w.t.Helper()
	s := w.start(false)
	w.settle()
	w.send(s, next, 2)
	w.stop(s)
	if err := s.Fatal(); err != nil {
		w.t.Fatalf("after the recovery: %v", err)
	}
}

// audit verifies a store as an auditor does, and demands each acknowledged event
// once, but for those excused. It returns the recovery records.
func (w *world) audit(o *outlet, excused map[int]bool, since ...[]byte) []*segment.Recovery {
	w.t.Helper()
	files, lines := w.copy(o)
	opt := verify.Options{Keys: w.keys, Now: time.Now()}
	for _, n := range since {
		signed, err := checkpoint.Open(n, w.keys)
		if err != nil {
			w.t.Fatal(err)
		}
		opt.Since = append(opt.Since, signed)
	}
	r, err := verify.Log(context.Background(), files, "web", opt)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, f := range r.Findings {
		w.t.Errorf("finding: %v", f)
	}
	if !r.Complete() || r.Checked != r.Records {
		w.t.Errorf("checked %d of %d records, unread %v", r.Checked, r.Records, r.Unread)
	}
	have := map[int]int{}
	var recoveries []*segment.Recovery
	for i, line := range lines {
		var e int
		switch {
		case segment.IsClosed(line):
		case segment.IsRecovery(line):
			rec, err := segment.ParseRecovery(line)
			if err != nil {
				w.t.Fatal(err)
			}
			w.ranges(rec, lines)
			recoveries = append(recoveries, rec)
		default:
			if _, err := fmt.Sscanf(string(line), `{"body":"event %d"}`, &e); err != nil {
				w.t.Errorf("record %d is invented: %s", i, line)
			}
			have[e]++
		}
	}
	for e := range w.acked {
		if have[e] != 1 && !(excused[e] && have[e] == 0) {
			w.t.Errorf("event %d is in the log %d times", e, have[e])
		}
	}
	return recoveries
}

// ranges checks that what a recovery says of its records is in its place.
func (w *world) ranges(rec *segment.Recovery, lines [][]byte) {
	for _, g := range rec.Resealed {
		for i := g.First; i < g.First+g.Count; i++ {
			if i >= uint64(len(lines)) || segment.IsClosed(lines[i]) || segment.IsRecovery(lines[i]) {
				w.t.Errorf("record %d was sealed again, says the recovery; it is none", i)
			}
		}
	}
}

// copy returns a store's log as files, and its record lines in order.
func (w *world) copy(o *outlet) (fstest.MapFS, [][]byte) {
	w.t.Helper()
	ctx := context.Background()
	files := fstest.MapFS{}
	for info, err := range o.List(ctx, "web/", "") {
		if err != nil {
			w.t.Fatal(err)
		}
		body, _, err := o.Get(ctx, info.Name)
		if err != nil {
			w.t.Fatal(err)
		}
		b, _ := io.ReadAll(body)
		files[strings.TrimPrefix(info.Name, "web/")] = &fstest.MapFile{Data: b, Mode: 0o444}
	}
	var lines [][]byte
	dec := segment.NewDecoder()
	defer dec.Close()
	for h, err := range w.reader(o).Seals(ctx, nil) {
		if err != nil {
			w.t.Fatal(err)
		}
		b, _, err := w.reader(o).Segment(ctx, h.Seal)
		if err != nil {
			w.t.Fatal(err)
		}
		s, err := segment.Parse(b)
		if err != nil {
			w.t.Fatal(err)
		}
		text, err := dec.Inflate(s)
		if err != nil {
			w.t.Fatal(err)
		}
		for _, line := range segment.Lines(text) {
			lines = append(lines, bytes.Clone(line))
		}
	}
	return files, lines
}

// contradicted demands that a verifier who kept this checkpoint still finds out.
func (w *world) contradicted(note []byte) {
	w.t.Helper()
	signed, err := checkpoint.Open(note, w.keys)
	if err != nil {
		w.t.Fatal(err)
	}
	files, _ := w.copy(w.stores[0])
	r, err := verify.Log(context.Background(), files, "web", verify.Options{Keys: w.keys, Now: time.Now(), Since: []checkpoint.Signed{signed}})
	if err != nil {
		w.t.Fatal(err)
	}
	if len(r.Findings) == 0 {
		w.t.Error("a verifier with the kept checkpoint finds nothing")
	}
}

// snapshot and restore are a backup of the state directory.
func (w *world) snapshot() map[string][]byte {
	out := map[string][]byte{}
	for _, name := range w.names() {
		out[name] = w.read(name)
	}
	return out
}

func (w *world) restore(files map[string][]byte) {
	w.t.Helper()
	w.fs = durabletest.New()
	for name, b := range files {
		if err := durable.MkdirAll(w.fs, path.Dir(name), 0o700); err != nil {
			w.t.Fatal(err)
		}
		if err := durable.WriteFile(w.fs, name, b, 0o600); err != nil {
			w.t.Fatal(err)
		}
	}
}
