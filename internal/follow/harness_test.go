package follow

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.uber.org/goleak"

	"github.com/otelcol-custody/custody/internal/contents"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// memory is a positions store that outlives followers. It fails when told to.
type memory struct {
	mu   sync.Mutex
	data map[string][]byte
	fail error
}

func newMemory() *memory { return &memory{data: map[string][]byte{}} }

func (m *memory) Get(ctx context.Context, key string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.data[key], errors.Join(m.fail, ctx.Err())
}

func (m *memory) Batch(ctx context.Context, ops ...*storage.Operation) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := errors.Join(m.fail, ctx.Err()); err != nil {
		return err
	}
	for _, op := range ops {
		if op.Type != storage.Set {
			return fmt.Errorf("unexpected operation %v", op.Type)
		}
		m.data[op.Key] = op.Value
	}
	return nil
}

func (m *memory) setFail(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fail = err
}

// branch is a store with the same content from now on its own: what a new process
// finds after the old one died at this moment.
func (m *memory) branch() *memory {
	m.mu.Lock()
	defer m.mu.Unlock()
	return &memory{data: maps.Clone(m.data)}
}

// sink is a handler whose records are lines, two in a batch, and an observer.
type sink struct {
	mu         sync.Mutex
	records    []string // path:line, and path!fault
	done       []string
	duplicates []string // path = original, and how many records
	idle       int      // calls of Idle
	last       bool     // the newest one came when ctx had ended
	troubles   []string
	state      State

	refuse func(record string) error // asked before each batch, for its first record
}

func (s *sink) Deliver(ctx context.Context, f *contents.File, ack func(int) error) (int, error) {
	records := strings.Fields(string(f.Data))
	for i := range records {
		records[i] = f.Path + ":" + records[i]
	}
	for _, fault := range []error{contents.ErrTooLarge, contents.ErrIncomplete, contents.ErrCorrupt} {
		if errors.Is(f.Fault, fault) {
			records = append(records, f.Path+"!"+fault.Error())
		}
	}
	for at := f.Acked; at < len(records); {
		if at > f.Acked {
			if err := ack(at); err != nil {
				return 0, err
			}
		}
		end := min(at+2, len(records))
		if err := s.accept(ctx, records[at:end]); err != nil {
			return 0, err
		}
		at = end
	}
	return len(records), nil
}

func (s *sink) Idle(ctx context.Context) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.idle++
	s.last = ctx.Err() != nil
}

func (s *sink) accept(ctx context.Context, batch []string) error {
	if s.refuse != nil {
		if err := s.refuse(batch[0]); err != nil {
			return err
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.records = append(s.records, batch...)
	return nil
}

func (s *sink) note(list *[]string, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	*list = append(*list, text)
}

func (s *sink) Done(f *contents.File) { s.note(&s.done, f.Path) }
func (s *sink) Duplicate(path, o string, records int) {
	s.note(&s.duplicates, fmt.Sprintf("%s = %s, %d", path, o, records))
}
func (s *sink) Trouble(path string, err error) {
	s.note(&s.troubles, path+": "+err.Error())
}

func (s *sink) State(state State) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state = state
}

func (s *sink) copyOf(list *[]string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(*list)
}

func (s *sink) lastState() State {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state
}

func testConfig(root string) Config {
	return Config{
		Root:            root,
		Include:         []string{"*.json", "*.json.gz"},
		PollInterval:    5 * time.Millisecond,
		StableFor:       20 * time.Millisecond,
		IncompleteAfter: 150 * time.Millisecond,
		MaxInflated:     1 << 20,
		Workers:         1,
		Retry:           contents.Backoff{Initial: time.Millisecond, Max: 10 * time.Millisecond},
	}
}

// begin starts a follower and stops it when the test ends.
func begin(t *testing.T, cfg Config, positions contents.Positions, s *sink) *Follower {
	t.Helper()
	f := New(cfg, positions, s, s)
	f.Start()
	t.Cleanup(func() { stop(t, f) })
	return f
}

func stop(t *testing.T, f *Follower) {
	t.Helper()
	if err := f.Shutdown(context.Background()); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
}

func write(t *testing.T, root, path, content string) {
	t.Helper()
	full := filepath.Join(root, filepath.FromSlash(path))
	if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(full, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// members returns one gzip member for each text.
func members(t *testing.T, texts ...string) string {
	t.Helper()
	var out bytes.Buffer
	for _, text := range texts {
		zw := gzip.NewWriter(&out)
		if _, err := zw.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
		if err := zw.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return out.String()
}

// eventually waits until the list is want, and then shows that it stays so.
func eventually(t *testing.T, what string, s *sink, list *[]string, want ...string) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for !slices.Equal(s.copyOf(list), want) && time.Now().Before(deadline) {
		time.Sleep(time.Millisecond)
	}
	time.Sleep(30 * time.Millisecond)
	if got := s.copyOf(list); !slices.Equal(got, want) {
		t.Fatalf("%s:\ngot  %q\nwant %q", what, got, want)
	}
}

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("never happened: %s", what)
		}
		time.Sleep(time.Millisecond)
	}
}
