package e2e

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials/insecure"
)

// idKey is the attribute that tells records of senders apart.
const idKey = "e2e.id"

// A book keeps what senders did.
type book struct {
	mu       sync.Mutex
	sent     map[string]int // how often an id was sent
	answered map[string]bool
}

func newBook() *book { return &book{sent: map[string]int{}, answered: map[string]bool{}} }

func (b *book) note(ids []string, answered bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, id := range ids {
		if answered {
			b.answered[id] = true
		} else {
			b.sent[id]++
		}
	}
}

func (b *book) answers() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.answered)
}

// join adds what other senders did, under other ids.
func (b *book) join(o *book) {
	maps.Copy(b.sent, o.sent)
	maps.Copy(b.answered, o.answered)
}

// check holds the book against a store: what was answered is there, and nothing
// is there more often than it was sent.
func (b *book) check(t *testing.T, records []stored) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	found := idsOf(records)
	lost, extra := 0, 0
	for id := range b.answered {
		if found[id] == 0 {
			lost++
			t.Logf("answered and not stored: %s", id)
		}
	}
	for id, n := range found {
		if n > b.sent[id] {
			extra++
			t.Logf("%s was sent %d times and is stored %d times", id, b.sent[id], n)
		}
	}
	if lost+extra > 0 {
		t.Errorf("%d of %d answered records are lost, %d of %d stored ones are there too often", lost, len(b.answered), extra, len(found))
	}
	t.Logf("%d ids sent, %d answered, %d stored", len(b.sent), len(b.answered), len(maps.Clone(found)))
}

// A send delivers a request once; nil means that it was answered as taken.
type send func(ctx context.Context, ld plog.Logs) error

func byGRPC(t *testing.T, endpoint string) send {
	t.Helper()
	quick := grpc.ConnectParams{Backoff: backoff.Config{BaseDelay: 20 * time.Millisecond, Multiplier: 1.5, MaxDelay: 200 * time.Millisecond}, MinConnectTimeout: time.Second}
	conn, err := grpc.NewClient(endpoint, grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithConnectParams(quick))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	client := plogotlp.NewGRPCClient(conn)
	return func(ctx context.Context, ld plog.Logs) error {
		resp, err := client.Export(ctx, plogotlp.NewExportRequestFromLogs(ld))
		if err == nil && resp.PartialSuccess().RejectedLogRecords() > 0 {
			err = fmt.Errorf("rejected: %s", resp.PartialSuccess().ErrorMessage())
		}
		return err
	}
}

func byHTTP(t *testing.T, endpoint string) send {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{}}
	t.Cleanup(client.CloseIdleConnections)
	return func(ctx context.Context, ld plog.Logs) error {
		b, err := plogotlp.NewExportRequestFromLogs(ld).MarshalProto()
		if err != nil {
			return err
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+endpoint+"/v1/logs", bytes.NewReader(b))
		if err != nil {
			return err
		}
		req.Header.Set("Content-Type", "application/x-protobuf")
		return answerOf(client.Do(req))
	}
}

func answerOf(resp *http.Response, err error) error {
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %q", resp.Status, b)
	}
	answer := plogotlp.NewExportResponse()
	if err := answer.UnmarshalProto(b); err != nil {
		return err
	}
	if answer.PartialSuccess().RejectedLogRecords() > 0 {
		return fmt.Errorf("rejected: %s", answer.PartialSuccess().ErrorMessage())
	}
	return nil
}

// request makes a request with one record for each id, padded to a size.
func request(ids []string, pad int) plog.Logs {
	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	rl.Resource().Attributes().PutStr("service.name", "e2e")
	records := rl.ScopeLogs().AppendEmpty().LogRecords()
	for _, id := range ids {
		lr := records.AppendEmpty()
		lr.Attributes().PutStr(idKey, id)
		lr.Body().SetStr("did something " + strings.Repeat(id, pad/len(id)))
	}
	return ld
}

// deliver sends ids once and notes what came of it.
func (b *book) deliver(ctx context.Context, s send, ids []string, pad int) error {
	b.note(ids, false)
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	err := s(ctx, request(ids, pad))
	if err == nil {
		b.note(ids, true)
	}
	return err
}

// A load is several senders at work, which send again what was not answered.
type load struct {
	cancel context.CancelFunc
	wg     sync.WaitGroup
	pause  time.Duration // of a sender after each answer
}

// startLoad starts two senders for each way in, as fast as they are answered.
// Names of ids begin with prefix.
func startLoad(t *testing.T, b *book, h *home, prefix string) *load {
	t.Helper()
	return startPacedLoad(t, b, h, prefix, 0)
}

func startPacedLoad(t *testing.T, b *book, h *home, prefix string, pause time.Duration) *load {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	l := &load{cancel: cancel, pause: pause}
	for i, s := range []send{byGRPC(t, h.grpc), byHTTP(t, h.http), byGRPC(t, h.grpc), byHTTP(t, h.http)} {
		l.wg.Go(func() { l.sendFor(ctx, b, s, fmt.Sprintf("%s-%d", prefix, i)) })
	}
	t.Cleanup(l.stop)
	return l
}

// stop waits for the answers that are due.
func (l *load) stop() {
	l.cancel()
	l.wg.Wait()
}

func (l *load) sendFor(ctx context.Context, b *book, s send, prefix string) {
	for n := 0; ctx.Err() == nil; n++ {
		var ids []string
		for i := range 1 + n%20 {
			ids = append(ids, fmt.Sprintf("%s-%d-%d", prefix, n, i))
		}
		// An answer that is on its way when the load ends still counts.
		for b.deliver(context.WithoutCancel(ctx), s, ids, 400) != nil && ctx.Err() == nil {
			time.Sleep(20 * time.Millisecond)
		}
		time.Sleep(l.pause)
	}
}
