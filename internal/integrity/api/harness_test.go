package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"path"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/internal/integrity"
	"github.com/otelcol-custody/custody/internal/integrity/api"
	"github.com/otelcol-custody/custody/internal/integrity/incident"
	"github.com/otelcol-custody/custody/internal/logproof"
	"github.com/otelcol-custody/custody/internal/recordindex"
	"github.com/otelcol-custody/custody/ledger"
	"github.com/otelcol-custody/custody/ledger/checkpoint"
	"github.com/otelcol-custody/custody/ledger/ledgertest"
	"github.com/otelcol-custody/custody/ledger/record"
	"github.com/otelcol-custody/custody/store"
	"github.com/otelcol-custody/custody/store/storetest"
)

const origin = "custody.example/test"

// world is an API over a log "test", in stores that can fail.
type world struct {
	t    testing.TB
	keys *checkpoint.Keys
	log  *ledgertest.Log
	book *incident.Book
	api  *api.API

	stores  map[string]*storetest.Faulty
	provers map[string]*logproof.Log
	index   *recordindex.Index
	asked   atomic.Int64 // for logs in stores

	mu     sync.Mutex
	status []integrity.LogStatus
	failed []string
}

// newWorld has one store, "a", which holds segments of so many records. change, if
// it is not nil, edits the API's configuration.
func newWorld(t testing.TB, change func(*api.Config), counts ...int) *world {
	t.Helper()
	book, err := incident.Open(incident.Settings{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = book.Close() })
	signer := ledgertest.Signer(t, origin)
	w := &world{
		t: t, keys: ledgertest.Keys(t, signer), log: ledgertest.NewLog("test", signer), book: book,
		stores: map[string]*storetest.Faulty{}, provers: map[string]*logproof.Log{},
	}
	if len(counts) > 0 {
		w.log.Add(t, counts...)
	}
	set := api.Config{
		Logs: w, Status: w, Findings: book, Records: true, Rate: 1e6, ClientRate: 1e6,
		Failed: func(path string, err error) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.failed = append(w.failed, path+": "+err.Error())
		},
	}
	if change != nil {
		change(&set)
	}
	if w.api, err = api.New(set); err != nil {
		t.Fatal(err)
	}
	w.add("a", w.log.Segments)
	return w
}

// add makes a store that holds segments, all of which were judged.
func (w *world) add(id string, segments []ledgertest.Segment) *storetest.Memory {
	w.t.Helper()
	m := storetest.NewMemory(id)
	s := integrity.LogStatus{Store: id, Log: "test", Coverage: integrity.Coverage{Promise: time.Hour}}
	for _, g := range segments {
		put(w.t, m, path.Join(g.Seal.Log, g.Seal.SegmentName()), g.Object)
		for _, tile := range g.Tiles {
			put(w.t, m, path.Join(g.Seal.Log, ledger.TileName(tile.Level, tile.Index)), tile.Bytes())
		}
		put(w.t, m, path.Join(g.Seal.Log, g.Seal.Name()), g.Seal.Bytes())
		head, closed := g.Seal.After(), g.Seal.Closed()
		s.Origin, s.Head, s.Verified, s.ClosedAt, s.NextBy = head.Origin, &head, head.Size, closed.At, closed.NextBy
	}
	w.stores[id] = storetest.NewFaulty(w.t, m)
	w.provers[id] = logproof.New(w.stores[id], "test", w.keys, logproof.NewCache(1<<20), nil)
	w.status = append(w.status, s)
	return m
}

func put(t testing.TB, m *storetest.Memory, name string, data []byte) {
	t.Helper()
	if _, err := m.PutOnce(context.Background(), name, data, store.PutOptions{}); err != nil {
		t.Fatal(err)
	}
}

// Status implements [api.Status].
func (w *world) Status() []integrity.LogStatus {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]integrity.LogStatus(nil), w.status...)
}

// Log implements [api.Logs].
func (w *world) Log(store, log string) *logproof.Log {
	w.asked.Add(1)
	if log != "test" {
		return nil
	}
	return w.provers[store]
}

// Index implements [api.Logs].
func (w *world) Index(string) *recordindex.Index { return w.index }

// named seals records with these ids, "id" or "id/original id", as one segment that
// store "a" and the index have.
func (w *world) named(ids ...string) {
	w.t.Helper()
	var lines [][]byte
	for _, id := range ids {
		id, original, _ := strings.Cut(id, "/")
		r := record.Record{Attributes: []record.KeyValue{{Key: audit.AttrRecordID, Value: record.StringValue(id)}}}
		if original != "" {
			r.Attributes = append(r.Attributes, record.KeyValue{Key: audit.AttrOriginalID, Value: record.StringValue(original)})
		}
		line, err := record.AppendLine(nil, &r)
		if err != nil {
			w.t.Fatal(err)
		}
		lines = append(lines, line)
	}
	w.log.Extend(w.t, lines, nil)
	w.status = nil
	w.add("a", w.log.Segments)
	w.fill()
}

// fill indexes the log.
func (w *world) fill() {
	w.t.Helper()
	var err error
	if w.index, err = recordindex.Open(w.t.TempDir(), "test", recordindex.Options{Leaves: true}); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = w.index.Close() })
	if err := errors.Join(w.provers["a"].Refresh(w.t.Context()), w.index.Fill(w.t.Context(), w.provers["a"])); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) do(method, target string) *http.Response {
	rec := httptest.NewRecorder()
	w.api.ServeHTTP(rec, httptest.NewRequest(method, target, nil))
	return rec.Result()
}

// get is the body of an answer that must be one.
func (w *world) get(target string) []byte {
	w.t.Helper()
	res := w.do(http.MethodGet, target)
	b, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		w.t.Fatalf("%s: %d %s %v", target, res.StatusCode, b, err)
	}
	return b
}

func (w *world) decode(target string, doc any) {
	w.t.Helper()
	dec := json.NewDecoder(strings.NewReader(string(w.get(target))))
	dec.DisallowUnknownFields()
	if err := dec.Decode(doc); err != nil {
		w.t.Fatalf("%s: %v", target, err)
	}
}

// refused is the problem of an answer that must be none.
func (w *world) refused(target string, status int, code string) api.Problem {
	w.t.Helper()
	return refusal(w.t, w.do(http.MethodGet, target), target, status, code)
}

func refusal(t testing.TB, res *http.Response, target string, status int, code string) (p api.Problem) {
	t.Helper()
	b, err := io.ReadAll(res.Body)
	if err == nil {
		err = json.Unmarshal(b, &p)
	}
	if err != nil || res.StatusCode != status || p.Status != status || p.Code != code || p.Detail == "" || p.Title == "" {
		t.Errorf("%s: got %d %s %v, want %d with code %s", target, res.StatusCode, b, err, status, code)
	}
	if got := res.Header.Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("%s: content type %q", target, got)
	}
	return p
}
