package sealer

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"go.uber.org/goleak"

	"github.com/otelcol-custody/custody/internal/delivery"
	"github.com/otelcol-custody/custody/internal/durable"
	"github.com/otelcol-custody/custody/ledger"
	"github.com/otelcol-custody/custody/ledger/checkpoint"
	"github.com/otelcol-custody/custody/ledger/seal"
	"github.com/otelcol-custody/custody/ledger/segment"
	"github.com/otelcol-custody/custody/ledger/tree"
	"github.com/otelcol-custody/custody/ledger/verify"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// memStore is a store behind a WORM exporter, and enforces their contract: it
// verifies what comes, never replaces an object, and takes seals in order.
type memStore struct {
	t    testing.TB
	keys *checkpoint.Keys

	mu      sync.Mutex
	objects fstest.MapFS
	head    *seal.Verified
	notes   [][]byte
	records []string
	asked   int
	down    error // when set, every call fails with it
}

func newMemStore(t testing.TB, s *checkpoint.Signer) *memStore {
	keys, err := checkpoint.ParseKeys(s.VerifierKey())
	if err != nil {
		t.Fatal(err)
	}
	return &memStore{t: t, keys: keys, objects: fstest.MapFS{}}
}

func (m *memStore) Deliver(_ context.Context, o *delivery.Objects) (int, int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.asked++
	if m.down != nil {
		return 0, 1, m.down
	}
	if err := m.take(o); err != nil {
		return 0, 1, err
	}
	return 1, 1, nil
}

// take stores a segment's objects. The caller holds mu.
func (m *memStore) take(o *delivery.Objects) error {
	v, err := seal.Open(o.Seal, m.keys)
	if err != nil {
		return &delivery.AlteredError{Reason: err}
	}
	tiles, err := v.CheckTiles(o.Tiles)
	if err == nil && sha256.Sum256(o.Segment) != v.Segment {
		err = errors.New("the segment is not the one that the seal names")
	}
	if err != nil {
		return &delivery.AlteredError{Reason: err}
	}
	if have, ok := m.objects["web/"+v.Name()]; ok {
		if string(have.Data) != string(o.Seal) {
			return m.fork(v)
		}
		return nil
	}
	end := uint64(0)
	if m.head != nil {
		end = m.head.End()
	}
	if v.First > end {
		return fmt.Errorf("%w: the seal before is missing", delivery.ErrPending)
	}
	if _, err := v.Follows(m.head); v.First < end || err != nil {
		return m.fork(v)
	}
	m.head = v
	m.put(v.SegmentName(), o.Segment)
	for i, tile := range tiles {
		m.put(ledger.TileName(tile.Level, tile.Index), o.Tiles[i])
	}
	m.put(v.Name(), o.Seal)
	return nil
}

func (m *memStore) fork(v *seal.Verified) error {
	f := &delivery.ForkError{Store: "mem", Log: "web", Ours: string(v.Before())}
	if m.head != nil {
		f.Object, f.Size, f.Theirs = m.head.Name(), m.head.First, m.head.After().Text()
	}
	return f
}

func (m *memStore) put(name string, b []byte) {
	if have, ok := m.objects["web/"+name]; ok && string(have.Data) != string(b) {
		m.t.Errorf("object %s was delivered with other bytes", name)
	}
	m.objects["web/"+name] = &fstest.MapFile{Data: append([]byte(nil), b...), Mode: 0o444}
}

func (m *memStore) Probe(_ context.Context, p *delivery.Probe) (int, int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.down != nil {
		return 0, 1, m.down
	}
	size := uint64(0)
	if p.Seal != nil {
		v, err := seal.Open(p.Seal, m.keys)
		if err != nil {
			m.t.Errorf("probe: %v", err)
			return 0, 1, err
		}
		size = v.End()
		if have, ok := m.objects["web/"+v.Name()]; ok && string(have.Data) != string(p.Seal) {
			return 0, 1, m.fork(v)
		}
	}
	end := uint64(0)
	if m.head != nil {
		end = m.head.End()
	}
	if p.Stored > min(size, end) {
		m.t.Errorf("a probe of a log of %d records says that %d were confirmed; there are %d", size, p.Stored, end)
	}
	if end > size {
		return 0, 1, &delivery.ForkError{Store: "mem", Log: "web", Object: m.head.Name(), Size: m.head.First, Theirs: m.head.After().Text()}
	}
	return 1, 1, nil
}

func (m *memStore) Checkpoint(_ context.Context, note []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, err := checkpoint.Open(note, m.keys); err != nil {
		m.t.Errorf("checkpoint: %v", err)
	}
	m.notes = append(m.notes, note)
	return nil
}

func (m *memStore) Records(_ context.Context, v *seal.Verified, _ *tree.Seed, lines []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.down != nil {
		return m.down
	}
	for _, line := range segment.Lines(lines) {
		m.records = append(m.records, string(line))
	}
	return nil
}

func (m *memStore) setDown(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.down = err
}

// verify judges the store as an auditor would, and returns its record lines.
func (m *memStore) verify(since ...checkpoint.Signed) []string {
	m.t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	sub, err := m.objects.Sub("web")
	if err != nil {
		m.t.Fatal(err)
	}
	r, err := verify.Log(m.t.Context(), sub, "web", verify.Options{Keys: m.keys, Since: since, Workers: 2, Now: time.Now()})
	if err != nil {
		m.t.Fatal(err)
	}
	for _, f := range r.Findings {
		m.t.Errorf("finding: %v", f)
	}
	if !r.Complete() || r.Checked != r.Records {
		m.t.Errorf("checked %d of %d records, unread %v", r.Checked, r.Records, r.Unread)
	}
	return m.readLines()
}

func (m *memStore) lines() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.readLines()
}

// readLines is lines for a caller that holds mu.
func (m *memStore) readLines() (out []string) {
	dec := segment.NewDecoder()
	defer dec.Close()
	for name, f := range m.objects { // Order does not matter: indexes are in the names.
		if !strings.Contains(name, "/segments/") {
			continue
		}
		sg, err := segment.Parse(f.Data)
		if err != nil {
			m.t.Fatal(err)
		}
		lines, err := dec.Inflate(sg)
		if err != nil {
			m.t.Fatal(err)
		}
		for _, line := range segment.Lines(lines) {
			if !segment.IsClosed(line) {
				out = append(out, string(line))
			}
		}
	}
	return out
}

// quiet is an observer that keeps what it is told.
type quiet struct {
	mu      sync.Mutex
	fatal   error
	notices []string
	stored  int
}

func (q *quiet) Sealed(*seal.Verified, int64) {}
func (q *quiet) Waiting(int)                  {}
func (q *quiet) Synced(time.Duration)         {}
func (q *quiet) Stored(*seal.Head, int, time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.stored++
}
func (q *quiet) Trouble(string, error) {}
func (q *quiet) Better(string)         {}
func (q *quiet) Fatal(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.fatal = err
}
func (q *quiet) Notice(text string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.notices = append(q.notices, text)
}

func testSigner(t testing.TB, seed string) *checkpoint.Signer {
	t.Helper()
	skey, _, err := checkpoint.GenerateKey(strings.NewReader(strings.Repeat(seed, 64)), "custody.example/web")
	if err != nil {
		t.Fatal(err)
	}
	s, err := checkpoint.NewSigner(skey)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func testConfig(t testing.TB) Config {
	return Config{
		Log: "web", Signer: testSigner(t, "a"), Dir: t.TempDir() + "/state", Genesis: true, Software: "custody/test",
		MaxBytes: 1 << 20, MaxAge: time.Minute, Heartbeat: time.Hour, Checkpoint: 50 * time.Millisecond,
		AckTimeout: 5 * time.Second, SpoolLimit: 1 << 30, MinStores: 1, FS: durable.OS,
	}
}

func batchOf(from, n int) *Batch {
	b := &Batch{}
	for i := range n {
		b.Add(fmt.Appendf(nil, `{"body":"event %d"}`, from+i), "otlp", false)
	}
	return b
}

func open(t testing.TB, c Config, d Downstream) *Sealer {
	t.Helper()
	s, err := Open(c, d, &quiet{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func closeIt(t testing.TB, s *Sealer) {
	t.Helper()
	if err := s.Close(context.Background(), 5*time.Second); err != nil {
		t.Fatal(err)
	}
}

// each demands that every event is there exactly once.
func each(t testing.TB, lines []string, n int) {
	t.Helper()
	count := map[string]int{}
	for _, l := range lines {
		count[l]++
	}
	for i := range n {
		if got := count[fmt.Sprintf(`{"body":"event %d"}`, i)]; got != 1 {
			t.Errorf("event %d is in the log %d times", i, got)
		}
	}
	if len(lines) != n {
		t.Errorf("the log has %d records, want %d", len(lines), n)
	}
}

func TestSealAndVerify(t *testing.T) {
	c := testConfig(t)
	c.MaxBytes = 5000 // many segments
	store := newMemStore(t, c.Signer)
	s := open(t, c, store)
	var wg sync.WaitGroup
	const callers, batches, size = 8, 20, 17
	for w := range callers {
		wg.Go(func() {
			for i := range batches {
				if err := s.Append(t.Context(), batchOf((w*batches+i)*size, size)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	closeIt(t, s)
	each(t, store.verify(), callers*batches*size)
}

func TestRestartContinues(t *testing.T) {
	c := testConfig(t)
	store := newMemStore(t, c.Signer)
	for run := range 5 {
		s := open(t, c, store)
		if err := s.Append(t.Context(), batchOf(run*10, 10)); err != nil {
			t.Fatal(err)
		}
		closeIt(t, s)
		c.Genesis = false
	}
	each(t, store.verify(), 50)
}

func TestMissingHeadIsNoFreshStart(t *testing.T) {
	c := testConfig(t)
	c.Genesis = false
	if _, err := Open(c, newMemStore(t, c.Signer), &quiet{}); !errors.Is(err, ErrNoHead) {
		t.Fatalf("Open of an empty state: %v, want ErrNoHead", err)
	}
}

func TestSecondWriterIsRefused(t *testing.T) {
	c := testConfig(t)
	store := newMemStore(t, c.Signer)
	s := open(t, c, store)
	defer closeIt(t, s)
	if _, err := Open(c, store, &quiet{}); !errors.Is(err, durable.ErrLocked) {
		t.Fatalf("second Open: %v, want ErrLocked", err)
	}
}

func TestOtherKeyIsRefused(t *testing.T) {
	c := testConfig(t)
	store := newMemStore(t, c.Signer)
	closeIt(t, open(t, c, store))
	c.Signer = testSigner(t, "b")
	if _, err := Open(c, store, &quiet{}); !errors.Is(err, ErrOtherLog) {
		t.Fatalf("Open with another key: %v, want ErrOtherLog", err)
	}
}

func TestUsedStoreStopsGenesis(t *testing.T) {
	c := testConfig(t)
	store := newMemStore(t, c.Signer)
	s := open(t, c, store)
	if err := s.Append(t.Context(), batchOf(0, 3)); err != nil {
		t.Fatal(err)
	}
	closeIt(t, s)
	c.Dir = t.TempDir() + "/other" // the state is lost, the operator says genesis
	s = open(t, c, store)
	err := s.Append(t.Context(), batchOf(3, 3))
	if fork := (*delivery.ForkError)(nil); !errors.As(err, &fork) {
		t.Errorf("Append after genesis over a used store: %v, want a fork", err)
	}
	closeIt(t, s)
	each(t, store.verify(), 3)
}

func TestDeadStoreLosesNothing(t *testing.T) {
	c := testConfig(t)
	c.MaxBytes = 100
	store := newMemStore(t, c.Signer)
	store.setDown(errors.New("store is away"))
	s := open(t, c, store)
	for i := range 10 {
		if err := s.Append(t.Context(), batchOf(i*5, 5)); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(t.Context(), 10*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	store.setDown(nil)
	s = open(t, c, store)
	closeIt(t, s)
	each(t, store.verify(), 50)
}

func TestSpoolLimitPressesBack(t *testing.T) {
	c := testConfig(t)
	c.MaxBytes, c.SpoolLimit = 100, 20_000
	store := newMemStore(t, c.Signer)
	store.setDown(errors.New("store is away"))
	s := open(t, c, store)
	accepted := 0
	for {
		err := s.Append(t.Context(), batchOf(accepted*5, 5))
		if errors.Is(err, ErrFull) {
			break
		}
		if err != nil || accepted > 1000 {
			t.Fatalf("after %d batches: %v, want ErrFull", accepted, err)
		}
		accepted++
	}
	store.setDown(nil)
	deadline := time.Now().Add(20 * time.Second)
	for s.Append(t.Context(), batchOf(accepted*5, 5)) != nil {
		if time.Now().After(deadline) {
			t.Fatal("the spool did not empty after the store came back")
		}
		time.Sleep(10 * time.Millisecond)
	}
	closeIt(t, s)
	each(t, store.verify(), (accepted+1)*5)
}

func TestAckStoredWaitsForReceipt(t *testing.T) {
	c := testConfig(t)
	c.AckStored, c.AckTimeout = true, 3*time.Second
	store := newMemStore(t, c.Signer)
	s := open(t, c, store)
	if err := s.Append(t.Context(), batchOf(0, 5)); err != nil {
		t.Fatal(err)
	}
	if got := len(store.verify()); got != 5 {
		t.Errorf("answered with %d records stored, want 5", got)
	}
	store.setDown(errors.New("store is away"))
	if err := s.Append(t.Context(), batchOf(5, 5)); !errors.Is(err, ErrUnanswered) {
		t.Errorf("Append with a dead store: %v, want ErrUnanswered", err)
	}
	store.setDown(nil)
	closeIt(t, s)
	each(t, store.verify(), 10)
}

func TestCheckpointsExtendEachOther(t *testing.T) {
	c := testConfig(t)
	store := newMemStore(t, c.Signer)
	s := open(t, c, store)
	for i := range 20 {
		if err := s.Append(t.Context(), batchOf(i*3, 3)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Millisecond)
	}
	closeIt(t, s)
	if len(store.notes) < 2 {
		t.Fatalf("%d checkpoints in 400 ms at an interval of 50 ms", len(store.notes))
	}
	var since []checkpoint.Signed
	for _, n := range store.notes {
		signed, err := checkpoint.Open(n, store.keys)
		if err != nil {
			t.Fatal(err)
		}
		since = append(since, signed)
	}
	store.verify(since...)
}

func TestRecordsAreEmittedOnceInOrder(t *testing.T) {
	c := testConfig(t)
	c.MaxBytes, c.EmitRecords, c.RecordsLimit = 200, true, 1<<20
	store := newMemStore(t, c.Signer)
	s := open(t, c, store)
	for i := range 20 {
		if err := s.Append(t.Context(), batchOf(i*5, 5)); err != nil {
			t.Fatal(err)
		}
	}
	closeIt(t, s)
	store.verify()
	n := 0
	for _, line := range store.records {
		if !segment.IsClosed([]byte(line)) {
			if want := fmt.Sprintf(`{"body":"event %d"}`, n); line != want {
				t.Fatalf("emitted %s, want %s", line, want)
			}
			n++
		}
	}
	if n != 100 {
		t.Errorf("emitted %d records, want 100", n)
	}
}
