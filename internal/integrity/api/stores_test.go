package api_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/otelcol-custody/custody/internal/integrity/api"
	"github.com/otelcol-custody/custody/ledger/ledgertest"
	"github.com/otelcol-custody/custody/ledger/proof"
	"github.com/otelcol-custody/custody/store"
	"github.com/otelcol-custody/custody/store/storetest"
)

// questions need a store.
var questions = []string{
	"/test/tile/0/000", "/test/tile/0/001.p/1", "/test/tile/entries/000", "/v1/logs/test/segments", "/v1/logs/test/proof?index=0",
	"/v1/logs/test/consistency?from=1", "/v1/logs/test/records/0", "/v1/logs/test/evidence?index=299",
}

const secret = "AKIA-and-its-secret"

// fails makes every read of a store fail with a text that nobody may see.
func (w *world) fails(id string) {
	w.stores[id].Inject(storetest.Fault{UntilHeal: true, Err: errors.New("403 from bucket acme: " + secret)})
}

// TestAnotherStoreAnswers: with one of two stores away, everything is still proven.
func TestAnotherStoreAnswers(t *testing.T) {
	for name, harm := range map[string]func(*world, *storetest.Memory){
		"away": func(w *world, _ *storetest.Memory) { w.fails("a") },
		"known to be away": func(w *world, _ *storetest.Memory) {
			w.fails("a")
			w.status[0].Error = "away"
		},
		"emptied": func(w *world, m *storetest.Memory) {
			for _, g := range w.log.Segments {
				m.Erase("test/" + g.Seal.Name())
				m.Erase("test/" + g.Seal.SegmentName())
			}
		},
		"not open":      func(w *world, _ *storetest.Memory) { delete(w.provers, "a") },
		"never had one": func(w *world, _ *storetest.Memory) { w.status[0].Head = nil },
	} {
		w := newWorld(t, nil)
		w.status = nil
		w.log.Add(t, 200, 100)
		m := w.add("a", w.log.Segments)
		w.add("b", w.log.Segments)
		harm(w, m)
		for _, target := range questions {
			if res := w.do(http.MethodGet, target); res.StatusCode != 200 {
				b, _ := io.ReadAll(res.Body)
				t.Errorf("%s, %s: %d %s, %v", name, target, res.StatusCode, b, w.failed)
			}
		}
		var p inclusion
		w.decode("/v1/logs/test/proof?index=7", &p)
		p.check(w, newOracle(w), 7, 300)
	}
}

// TestAwayIsAskedLast: a store that could not be read a moment ago costs nobody time.
func TestAwayIsAskedLast(t *testing.T) {
	w := newWorld(t, nil, 200, 100)
	w.add("b", w.log.Segments)
	w.status[0].Error = "away"
	before := len(w.stores["a"].Calls())
	for _, target := range questions {
		w.get(target)
	}
	if len(w.stores["a"].Calls()) > before {
		t.Error("it was asked first")
	}
}

// TestShorterStore answers for what it holds, when the one with more is away.
func TestShorterStore(t *testing.T) {
	w := newWorld(t, nil, 10)
	w.log.Add(t, 20)
	w.add("b", w.log.Segments)
	w.fails("b")
	w.get("/test/tile/0/000.p/10")
	w.get("/v1/logs/test/evidence?index=9")
	w.refused("/test/tile/0/000.p/11", http.StatusServiceUnavailable, "store-unread")
}

func TestNoStoreAnswers(t *testing.T) {
	w := newWorld(t, nil, 200, 100)
	w.fails("a")
	for i, target := range questions {
		p := w.refused(target, http.StatusServiceUnavailable, "store-unread")
		if strings.Contains(p.Detail, secret) || strings.Contains(p.Title, secret) {
			t.Errorf("%s tells a secret: %+v", target, p)
		}
		if len(w.failed) != i+1 || !strings.Contains(w.failed[i], secret) || !strings.Contains(w.failed[i], strings.Split(target, "?")[0]) {
			t.Fatalf("%s: the operator is told %q", target, w.failed)
		}
	}
	if got := w.do(http.MethodGet, questions[0]).Header.Get("Retry-After"); got != "5" {
		t.Errorf("retry after %q", got)
	}
	// What the guard knows is answered without any store.
	for _, target := range []string{"/test/checkpoint", "/v1/logs", "/v1/logs/test", "/v1/heads", "/v1/coverage", "/v1/findings"} {
		w.get(target)
	}
	delete(w.provers, "a")
	w.refused(questions[0], http.StatusServiceUnavailable, "store-unread")
}

// TestBrokenIsSaid: a store whose bytes are not the sealed ones, beside one that
// cannot be read, must not be called the last word.
func TestBrokenIsSaid(t *testing.T) {
	w := newWorld(t, nil)
	w.status = nil
	w.log.Add(t, 200, 100)
	m := w.add("a", w.log.Segments)
	g := w.log.Segments[0]
	m.Shadow("test/"+g.Seal.SegmentName(), bytes.Repeat([]byte("x"), len(g.Object)))
	m.Erase("test/" + g.Seal.Name())
	w.refused("/v1/logs/test/proof?index=0", http.StatusBadGateway, "store-broken")
	w.add("b", w.log.Segments)
	w.fails("b")
	w.refused("/v1/logs/test/proof?index=0", http.StatusServiceUnavailable, "store-unread")
	w.stores["b"].Heal()
	w.get("/v1/logs/test/proof?index=0")
}

// TestHangingStore leaves the next one time to answer.
func TestHangingStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(c *api.Config) { c.Timeout = 20 * time.Second }, 200, 100)
		w.add("b", w.log.Segments)
		w.stores["a"].Hang(true)
		began := time.Now()
		w.get("/v1/logs/test/proof?index=0")
		if took := time.Since(began); took > 11*time.Second {
			t.Errorf("took %v of 20 s", took)
		}
		w.stores["a"].Hang(false)
	})
}

func TestBothHang(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(c *api.Config) { c.Timeout = 20 * time.Second }, 200, 100)
		w.stores["a"].Hang(true)
		began := time.Now()
		w.refused("/v1/logs/test/proof?index=0", http.StatusGatewayTimeout, "store-slow")
		if took := time.Since(began); took != 20*time.Second {
			t.Errorf("took %v of 20 s", took)
		}
		w.stores["a"].Hang(false)
	})
}

// TestBusy: of more requests than may read stores at a time the others wait, and
// are told so in the end; what needs no store is answered meanwhile.
func TestBusy(t *testing.T) {
	for target, most := range map[string]int64{"/v1/logs/test/proof?index=%d": 32, "/v1/logs/test/evidence?index=%d": 2} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, nil, 200, 100)
			w.stores["a"].Hang(true)
			statuses := make(chan int, 40)
			for i := range cap(statuses) {
				go func() { statuses <- w.do(http.MethodGet, fmt.Sprintf(target, i)).StatusCode }()
			}
			synctest.Wait()
			if n := w.asked.Load(); n != most {
				t.Errorf("%s: %d at a time, want %d", target, n, most)
			}
			w.get("/test/checkpoint")
			for range cap(statuses) {
				if s := <-statuses; s != http.StatusGatewayTimeout && s != http.StatusServiceUnavailable {
					t.Errorf("%s: got %d", target, s)
				}
			}
			w.stores["a"].Hang(false)
		})
	}
}

// TestGrowingLog: what was judged a moment ago is proven, although the prover's
// head is older.
func TestGrowingLog(t *testing.T) {
	w := newWorld(t, nil, 3)
	for range 5 {
		e, err := proof.Check(w.get(fmt.Sprintf("/v1/logs/test/evidence?index=%d", w.log.Size()-1)), w.keys)
		if err != nil || e.Checkpoint.Size != w.log.Size() {
			t.Fatalf("size %d: %v", w.log.Size(), err)
		}
		g := w.log.Add(t, 100)
		for name, data := range map[string][]byte{g.Seal.SegmentName(): g.Object, g.Seal.Name(): g.Seal.Bytes()} {
			if _, err := w.stores["a"].PutOnce(t.Context(), "test/"+name, data, store.PutOptions{}); err != nil {
				t.Fatal(err)
			}
		}
		head := g.Seal.After()
		w.status[0].Head = &head
	}
}

// TestOtherHistory: a store that parted from the judged history proves nothing.
func TestOtherHistory(t *testing.T) {
	for _, counts := range [][]int{{200, 100}, {200, 100, 5}} {
		testOtherHistory(t, counts)
	}
}

func testOtherHistory(t *testing.T, counts []int) {
	w := newWorld(t, nil, 200, 100)
	other := ledgertest.NewLog("test", ledgertest.Signer(t, origin)).Branch("other")
	other.Add(t, counts...)
	w.status = nil
	w.add("b", other.Segments)
	w.add("c", w.log.Segments)
	w.status[0].Head = w.status[1].Head
	var p inclusion
	w.decode("/v1/logs/test/proof?index=7", &p)
	p.check(w, newOracle(w), 7, 300)
	e, err := proof.Check(w.get("/v1/logs/test/evidence?index=7"), w.keys)
	if err != nil || e.Checkpoint.Root != w.status[1].Head.Root {
		t.Errorf("evidence: %v", err)
	}
	w.checkTile(newOracle(w), 0, 0, 256, 300)
	delete(w.provers, "c")
	for _, target := range questions {
		w.refused(target, http.StatusBadGateway, "store-broken")
	}
}

// slowClient takes an answer only when it is let.
type slowClient struct {
	*httptest.ResponseRecorder
	take <-chan struct{}
}

func (s slowClient) Write(b []byte) (int, error) {
	<-s.take
	return s.ResponseRecorder.Write(b)
}

// TestSlowClients hold no more than a bounded part of the memory.
func TestSlowClients(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil, 200, 100)
		size := int64(len(w.get("/test/tile/0/000")))
		w.api.LimitSending(3 * size)
		take, codes := make(chan struct{}), make(chan int, 5)
		for range cap(codes) {
			go func() {
				c := slowClient{httptest.NewRecorder(), take}
				w.api.ServeHTTP(c, httptest.NewRequest(http.MethodGet, "/test/tile/0/000", nil))
				codes <- c.Code
			}()
		}
		time.Sleep(api.DefaultTimeout + time.Second)
		res := w.do(http.MethodGet, "/v1/logs/test/evidence?index=0")
		refusal(t, res, "evidence", http.StatusServiceUnavailable, "busy")
		if got := res.Header.Get("Content-Disposition"); got != "" {
			t.Errorf("a refusal is saved as %s", got)
		}
		close(take)
		seen := map[int]int{}
		for range cap(codes) {
			seen[<-codes]++
		}
		if seen[http.StatusOK] != 3 || seen[http.StatusServiceUnavailable] != 2 {
			t.Errorf("got %v", seen)
		}
		w.get("/test/tile/0/000")
	})
}
