package contents

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/collector/extension/xextension/storage"
)

// memory is positions in memory.
type memory struct {
	mu   sync.Mutex
	data map[string][]byte
}

func newMemory() *memory { return &memory{data: map[string][]byte{}} }

func (m *memory) Get(_ context.Context, key string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.data[key], nil
}

func (m *memory) Batch(_ context.Context, ops ...*storage.Operation) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, op := range ops {
		m.data[op.Key] = op.Value
	}
	return nil
}

// copied is what another process finds.
func (m *memory) copied() *memory {
	m.mu.Lock()
	defer m.mu.Unlock()
	return &memory{data: maps.Clone(m.data)}
}

// A taker acknowledges batches of two letters of a file, and may fail.
type taker struct {
	took   []string
	repeat []bool
	fail   func(batch int) error
}

func (k *taker) Deliver(_ context.Context, f *File, ack func(int) error) (int, error) {
	k.repeat = append(k.repeat, f.Repeat)
	all := string(must(io.ReadAll(f.Open())))
	at := f.Acked
	for batch := 0; at < len(all); batch++ {
		if k.fail != nil {
			if err := k.fail(batch); err != nil {
				return at, err
			}
		}
		end := min(at+2, len(all))
		k.took = append(k.took, all[at:end])
		at = end
		if at < len(all) {
			if err := ack(at); err != nil {
				return at, err
			}
		}
	}
	return at, nil
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func packed(members ...string) []byte {
	var out bytes.Buffer
	for _, text := range members {
		zw := gzip.NewWriter(&out)
		must(zw.Write([]byte(text)))
		if err := zw.Close(); err != nil {
			panic(err)
		}
	}
	return out.Bytes()
}

func storedAs(data []byte) Stored {
	return Stored{Digest: sha256.Sum256(data), Size: int64(len(data)), Data: data}
}

func newTestBook(m Positions) *Book {
	return NewBook(m, Backoff{Initial: time.Millisecond, Max: time.Millisecond}, func(error) {})
}

func deliver(t *testing.T, b *Book, path string, data []byte, h Handler) (Result, End, error) {
	t.Helper()
	var end End
	res, err := b.Deliver(t.Context(), Found{Path: path, Stored: storedAs(data), Limit: 1 << 30,
		Also: func(e End) []*storage.Operation { end = e; return nil }}, h, func(err error) { t.Error(err) })
	return res, end, err
}

func TestACopyIsRecognised(t *testing.T) {
	b, k := newTestBook(newMemory()), &taker{}
	data := packed("abc", "de")
	res, end, err := deliver(t, b, "one", data, k)
	want := End{Records: 5, Inflated: sha256.Sum256([]byte("abcde"))}
	if err != nil || res.File == nil || end != want || res.File.Inflated != want.Inflated {
		t.Fatalf("first: %+v %+v %v", res, end, err)
	}
	res, end, err = deliver(t, b, "two", data, k)
	if err != nil || res.File != nil || res.Original != "one" || res.Records != 5 || end != want {
		t.Errorf("copy: %+v %+v %v", res, end, err)
	}
	if got := strings.Join(k.took, "|"); got != "ab|cd|e" {
		t.Errorf("delivered %s", got)
	}
}

// What a process had in flight when it died is known to be perhaps a repetition; what
// fails without dying is not.
func TestWhatMayBeARepetitionIsKnown(t *testing.T) {
	positions := newMemory()
	dead := errors.New("dead")
	k := &taker{fail: func(batch int) error {
		if batch == 1 {
			return dead
		}
		return nil
	}}
	b := newTestBook(positions)
	for range 2 { // The second time the same process tries again.
		if _, _, err := deliver(t, b, "one", []byte("abcdef"), k); !errors.Is(err, dead) {
			t.Fatal(err)
		}
	}
	b, k.fail = newTestBook(positions.copied()), nil // another process
	if _, _, err := deliver(t, b, "one", []byte("abcdef"), k); err != nil {
		t.Fatal(err)
	}
	if k.repeat[0] || k.repeat[1] || !k.repeat[2] {
		t.Errorf("repetitions %v, want the third only", k.repeat)
	}
	if got := strings.Join(k.took, "|"); got != "ab|cd|ef" {
		t.Errorf("delivered %s", got)
	}
}

// What fails behind the last batch does not make that batch come again.
func TestWhatIsAcknowledgedIsKeptThoughTheHandlerFails(t *testing.T) {
	b, k, broken := newTestBook(newMemory()), &taker{}, errors.New("broken")
	h := handlerFunc(func(ctx context.Context, f *File, ack func(int) error) (int, error) {
		total, _ := k.Deliver(ctx, f, ack)
		return total, broken
	})
	for range 2 {
		if _, _, err := deliver(t, b, "one", []byte("abcde"), h); !errors.Is(err, broken) {
			t.Fatal(err)
		}
	}
	_, end, err := deliver(t, b, "one", []byte("abcde"), k)
	if got := strings.Join(k.took, "|"); err != nil || got != "ab|cd|e" || end.Records != 5 {
		t.Errorf("delivered %s, %+v, %v", got, end, err)
	}
}

type handlerFunc func(context.Context, *File, func(int) error) (int, error)

func (h handlerFunc) Deliver(ctx context.Context, f *File, ack func(int) error) (int, error) {
	return h(ctx, f, ack)
}

// Who wants to know of a copy is told before it counts as done.
func TestACopyCountsOnlyOnceItWasTold(t *testing.T) {
	b, k, broken := newTestBook(newMemory()), &taker{}, errors.New("broken")
	if _, _, err := deliver(t, b, "one", []byte("abc"), k); err != nil {
		t.Fatal(err)
	}
	also := 0
	in := Found{Path: "two", Stored: storedAs([]byte("abc")), Limit: 100,
		Also:  func(End) []*storage.Operation { also++; return nil },
		Again: func(end End) error { return map[bool]error{true: broken}[also == 0 && end.Records == 3] }}
	if _, err := b.Deliver(t.Context(), in, k, func(error) {}); !errors.Is(err, broken) || also != 0 {
		t.Errorf("%v, noted %d times", err, also)
	}
}

// A stop between two batches leaves nothing that may be a repetition.
func TestAStopBetweenBatchesRepeatsNothing(t *testing.T) {
	positions := newMemory()
	k := &taker{fail: func(batch int) error {
		if batch == 1 {
			return ErrStopped
		}
		return nil
	}}
	if _, _, err := deliver(t, newTestBook(positions), "one", []byte("abcdef"), k); !errors.Is(err, ErrStopped) {
		t.Fatal(err)
	}
	k.fail = nil
	if _, _, err := deliver(t, newTestBook(positions.copied()), "one", []byte("abcdef"), k); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(k.took, "|"); got != "ab|cd|ef" || k.repeat[1] {
		t.Errorf("delivered %s, repetition %v", got, k.repeat)
	}
}

// A content beyond the window is inflated as it is read, and as often.
func TestLargeContentIsStreamed(t *testing.T) {
	text := strings.Repeat("0123456789abcdef", Window/16) + "!"
	f := &File{}
	f.inflate(storedAs(packed(text[:1000], text[1000:])), 1<<30)
	if f.Fault != nil || !f.Streamed() || f.Data != nil || f.Inflated != sha256.Sum256([]byte(text)) {
		t.Fatalf("fault %v, streamed %v, %d bytes held", f.Fault, f.Streamed(), len(f.Data))
	}
	for range 2 {
		if got := must(io.ReadAll(f.Open())); string(got) != text {
			t.Errorf("%d bytes, want %d", len(got), len(text))
		}
	}
	cut := packed(text)
	f = &File{}
	f.inflate(storedAs(cut[:len(cut)-9]), 1<<30)
	if !errors.Is(f.Fault, ErrIncomplete) || !f.Streamed() {
		t.Fatalf("cut: %v, streamed %v", f.Fault, f.Streamed())
	}
	if got := must(io.ReadAll(f.Open())); !strings.HasPrefix(text, string(got)) || len(got) < Window {
		t.Errorf("cut: %d bytes", len(got))
	}
	f = &File{}
	f.inflate(storedAs(packed(text)), Window)
	if !errors.Is(f.Fault, ErrTooLarge) || f.Streamed() || len(must(io.ReadAll(f.Open()))) != 0 {
		t.Errorf("too large: %v, streamed %v", f.Fault, f.Streamed())
	}
}
