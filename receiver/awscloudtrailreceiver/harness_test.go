package awscloudtrailreceiver

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

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/otelcol-custody/custody/internal/contents"
	"github.com/otelcol-custody/custody/internal/eventlog"
	"github.com/otelcol-custody/custody/internal/ingest"
	"github.com/otelcol-custody/custody/receiver/awscloudtrailreceiver/internal/metadata"
)

var (
	storageID  = component.MustNewIDWithName("file_storage", "positions")
	receiverID = component.NewIDWithName(metadata.Type, "test")
)

// memoryStorage is a storage extension in memory.
type memoryStorage struct {
	component.StartFunc
	component.ShutdownFunc
	mu     sync.Mutex
	data   map[string][]byte
	cut    bool // the process that uses it is dead: nothing it does has an effect
	closed int
}

func newStorage() *memoryStorage { return &memoryStorage{data: map[string][]byte{}} }

func (s *memoryStorage) GetClient(_ context.Context, kind component.Kind, id component.ID, name string) (storage.Client, error) {
	if kind != component.KindReceiver || id != receiverID || name != "" {
		return nil, fmt.Errorf("unexpected client: %v %v %q", kind, id, name)
	}
	return s, nil
}

func (s *memoryStorage) Get(ctx context.Context, key string) ([]byte, error) {
	op := storage.GetOperation(key)
	err := s.Batch(ctx, op)
	return op.Value, err
}

func (s *memoryStorage) Set(ctx context.Context, key string, value []byte) error {
	return s.Batch(ctx, storage.SetOperation(key, value))
}

func (s *memoryStorage) Delete(ctx context.Context, key string) error {
	return s.Batch(ctx, storage.DeleteOperation(key))
}

func (s *memoryStorage) Batch(ctx context.Context, ops ...*storage.Operation) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cut {
		return errors.New("storage: closed")
	}
	for _, op := range ops {
		switch op.Type {
		case storage.Get:
			op.Value = s.data[op.Key]
		case storage.Set:
			s.data[op.Key] = op.Value
		case storage.Delete:
			delete(s.data, op.Key)
		}
	}
	return ctx.Err()
}

func (s *memoryStorage) Close(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed++
	return nil
}

// kill makes the storage useless for its present user and returns what a new process
// finds.
func (s *memoryStorage) kill() *memoryStorage {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cut = true
	return &memoryStorage{data: maps.Clone(s.data)}
}

// testHost has one extension and remembers reported statuses.
type testHost struct {
	extensions map[component.ID]component.Component
	mu         sync.Mutex
	statuses   []componentstatus.Status
	last       error
}

func (h *testHost) GetExtensions() map[component.ID]component.Component { return h.extensions }

func (h *testHost) Report(e *componentstatus.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.statuses = append(h.statuses, e.Status())
	h.last = e.Err()
}

func (h *testHost) status() (componentstatus.Status, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.statuses) == 0 {
		return componentstatus.StatusNone, nil
	}
	return h.statuses[len(h.statuses)-1], h.last
}

// pipeline is a consumer that keeps what it takes. It spoils what it was given, as a
// mutating component behind it could, so nothing sent may be sent again.
type pipeline struct {
	mu      sync.Mutex
	records []plog.LogRecord
	byRes   []map[string]any // resource attributes of each record
	answer  func(attempt int) (take bool, err error)
	calls   int
	hold    func()                       // called first, when set
	refuse  func(eventName string) error // of the first record, when set
	counts  ingest.Counts
}

func (p *pipeline) Capabilities() consumer.Capabilities {
	return consumer.Capabilities{MutatesData: true}
}

func (p *pipeline) ConsumeLogs(ctx context.Context, logs plog.Logs) error {
	if p.hold != nil {
		p.hold()
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.refuse != nil && logs.LogRecordCount() > 0 {
		if err := p.refuse(logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).EventName()); err != nil {
			return err
		}
	}
	take, err := true, error(nil)
	if p.answer != nil {
		take, err = p.answer(p.calls)
	}
	p.calls++
	if take {
		if a := ingest.From(ctx); a != nil && a.Receiver() == receiverID.String() {
			c := a.Take(p)
			p.counts.Duplicate += c.Duplicate
			p.counts.Lost += c.Lost
		}
		kept := plog.NewLogs()
		logs.CopyTo(kept)
		for _, rl := range kept.ResourceLogs().All() {
			for _, lr := range rl.ScopeLogs().At(0).LogRecords().All() {
				p.records = append(p.records, lr)
				p.byRes = append(p.byRes, rl.Resource().Attributes().AsRaw())
			}
		}
	}
	logs.ResourceLogs().RemoveIf(func(plog.ResourceLogs) bool { return true })
	return err
}

// counted is what the pipeline was told besides records.
func (p *pipeline) counted() ingest.Counts {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.counts
}

func (p *pipeline) bodies() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []string
	for _, lr := range p.records {
		out = append(out, lr.Body().Str())
	}
	return out
}

// sources are the values of audit.ingest.source, in order of arrival.
func (p *pipeline) sources() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []string
	for _, lr := range p.records {
		v, _ := lr.Attributes().Get("audit.ingest.source")
		out = append(out, v.Str())
	}
	return out
}

type fixture struct {
	root  string
	store *memoryStorage
	host  *testHost
	next  *pipeline
	set   receiver.Settings
	extra string // further keys of directory
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	set := receivertest.NewNopSettings(metadata.Type)
	set.ID = receiverID
	return &fixture{root: t.TempDir(), store: newStorage(), next: &pipeline{}, set: set}
}

func (x *fixture) config(t *testing.T) *Config {
	t.Helper()
	cfg, err := configFrom(fmt.Sprintf(`
storage: file_storage/positions
directory:
  path: %s
  poll_interval: 5ms
  stable_for: 20ms
  incomplete_after: 100ms
%s`, x.root, x.extra))
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// start runs a receiver that is stopped when the test ends, in batches of five.
func (x *fixture) start(t *testing.T) *cloudTrail {
	t.Helper()
	r, err := newReceiver(x.config(t), x.set, x.next)
	if err != nil {
		t.Fatal(err)
	}
	r.retry = contents.Backoff{Initial: time.Millisecond, Max: 5 * time.Millisecond}
	r.limits = eventlog.Limits{Records: 5, Bytes: 1 << 20}
	x.host = &testHost{extensions: map[component.ID]component.Component{storageID: x.store}}
	if err := r.Start(context.Background(), x.host); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { shutdown(t, r) })
	return r
}

func shutdown(t *testing.T, r *cloudTrail) {
	t.Helper()
	if err := r.Shutdown(context.Background()); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
}

// event is a CloudTrail event with the traps that a re-marshaller falls into: odd
// spaces, escapes, a number beyond 2^53, a duplicate key and one that nobody knows.
func event(id string) string {
	return fmt.Sprintf(`{"eventVersion":"1.10" , "eventID":%q,"eventTime":"2026-03-01T12:00:00Z",`+
		`"eventSource":"s3.amazonaws.com","eventName":"GetObject","awsRegion":"eu-central-1",`+
		`"userIdentity":{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user\/alice","accountId":"111122223333"},`+
		`"recipientAccountId":"111122223333","requestParameters":{"size":9007199254740993,"k":"\u00e9<>&"},`+
		`"unknown":1,"unknown":2}`, id)
}

// logFile is a CloudTrail log file with the given events.
func logFile(events ...string) string {
	return `{"Records": [` + strings.Join(events, " ,\n") + `]}`
}

func events(prefix string, count int) []string {
	var out []string
	for i := range count {
		out = append(out, event(fmt.Sprintf("%s-%04d", prefix, i)))
	}
	return out
}

func packed(t *testing.T, texts ...string) string {
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

// put writes a file the way `aws s3 sync` does: beside its name, then renamed.
func (x *fixture) put(t *testing.T, path, content string) {
	t.Helper()
	full := filepath.Join(x.root, filepath.FromSlash(path))
	if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(full+".6eA5f8C2", []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(full+".6eA5f8C2", full); err != nil {
		t.Fatal(err)
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

// settles waits until get returns want and shows that it stays so.
func settles(t *testing.T, what string, get func() []string, want []string) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for !slices.Equal(get(), want) && time.Now().Before(deadline) {
		time.Sleep(time.Millisecond)
	}
	time.Sleep(30 * time.Millisecond)
	if got := get(); !slices.Equal(got, want) {
		t.Fatalf("%s: %d instead of %d\ngot  %.2000q\nwant %.2000q", what, len(got), len(want), got, want)
	}
}
