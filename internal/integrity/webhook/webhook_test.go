package webhook

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/otelcol-custody/custody/internal/durable"
	"github.com/otelcol-custody/custody/internal/durable/durabletest"
	"github.com/otelcol-custody/custody/internal/integrity/incident"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// An endpoint is the other side, without a network.
type endpoint struct {
	mu     sync.Mutex
	answer func(id string, m message) (*http.Response, error) // nil: 204
	got    []message
	ids    []string
	tries  int
}

func (e *endpoint) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	var m message
	if err := json.Unmarshal(body, &m); err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.tries++
	id := req.Header.Get("Webhook-Id")
	if e.answer != nil {
		if resp, err := e.answer(id, m); resp != nil || err != nil {
			return resp, err
		}
	}
	e.got, e.ids = append(e.got, m), append(e.ids, id)
	return status(204), nil
}

func status(code int, header ...string) *http.Response {
	h := http.Header{}
	for i := 0; i < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	return &http.Response{StatusCode: code, Status: fmt.Sprint(code), Header: h, Body: io.NopCloser(strings.NewReader("why\n"))}
}

// told is what was taken, as "what kind".
func (e *endpoint) told() (all []string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, m := range e.got {
		all = append(all, fmt.Sprintf("%s %s", m.Data.What, m.Data.Incident.Kind))
	}
	return all
}

func (e *endpoint) tried() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.tries
}

func (e *endpoint) set(answer func(string, message) (*http.Response, error)) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.answer = answer
}

var secret = bytes.Repeat([]byte{7}, 32)

// A rig is a hook that runs, on a disk that can crash.
type rig struct {
	t    *testing.T
	end  *endpoint
	fsys *durabletest.FS
	book *incident.Book
	hook *Hook
	stop func()
}

func newRig(t *testing.T) *rig {
	r := &rig{t: t, end: &endpoint{}}
	r.start(durabletest.New())
	return r
}

func (r *rig) start(fsys *durabletest.FS) {
	r.t.Helper()
	r.fsys = fsys
	var err error
	if r.book, err = incident.Open(incident.Settings{Dir: "/state", FS: fsys}); err != nil {
		r.t.Fatal(err)
	}
	r.hook, err = New(Config{Name: "pager", URL: "https://hooks.example/T0PSECRET", Secrets: [][]byte{secret},
		Client: &http.Client{Transport: r.end}, Book: r.book, Dir: "/state", FS: fsys})
	if err != nil {
		r.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(r.t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.hook.Run(ctx)
	}()
	r.stop = func() {
		cancel()
		<-done
	}
}

func (r *rig) restart(how func() *durabletest.FS) {
	r.t.Helper()
	fsys := how()
	r.stop()
	r.start(fsys)
}

func (r *rig) report(f incident.Finding) {
	r.t.Helper()
	if err := r.book.Report(f); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) wantTold(want ...string) {
	r.t.Helper()
	synctest.Wait()
	if got := r.end.told(); !slices.Equal(got, want) {
		r.t.Fatalf("told %q, want %q", got, want)
	}
}

func altered(n int) incident.Finding {
	return incident.Finding{Kind: incident.SegmentAltered, Place: incident.Place{Store: "s3", Log: fmt.Sprintf("web-%d", n)}, Message: "altered"}
}

func TestOpenedUpdatedAcknowledgedResolved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		defer func() { r.stop() }()
		r.report(altered(1))
		r.wantTold("opened segment-altered")
		time.Sleep(2 * time.Hour)
		r.report(altered(1))
		r.wantTold("opened segment-altered", "updated segment-altered")
		i := r.book.Incidents(incident.Filter{})[0]
		if err := r.book.Acknowledge(i.ID, "alex", "known"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		if err := r.book.Swept(incident.Place{}, time.Now(), incident.SegmentAltered); err != nil {
			t.Fatal(err)
		}
		r.wantTold("opened segment-altered", "updated segment-altered", "acknowledged segment-altered", "resolved segment-altered")
		if n, _ := r.hook.Waiting(); n != 0 {
			t.Fatalf("%d wait", n)
		}
		if events := r.book.Events(0, 99); r.book.Cursor("webhook pager") != events[3].Seq {
			t.Fatalf("the book was told %d", r.book.Cursor("webhook pager"))
		}
		r.restart(r.fsys.Crash)
		time.Sleep(time.Hour)
		if len(r.end.told()) != 4 {
			t.Fatalf("told again: %q", r.end.told())
		}
	})
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for header, want := range map[string]time.Duration{
		"": 0, "0": 0, "90": 90 * time.Second, "-5": 0, "99999": slowPause, "99999999999999999": slowPause, "9999999999999999999999": 0, "soon": 0,
		"Sun, 01 Mar 2026 12:02:00 GMT": 2 * time.Minute, "Sun, 01 Mar 2026 11:00:00 GMT": 0, "Sun, 01 Mar 2026 23:00:00 GMT": slowPause,
		"Sunday, 01-Mar-26 12:01:30 GMT": 90 * time.Second, "Sun Mar  1 12:00:10 2026": 10 * time.Second,
	} {
		if got := retryAfter(header, now); got != want {
			t.Errorf("%q: %v, want %v", header, got, want)
		}
	}
}

// TestAway has the endpoint be away across restarts: all comes, in order.
func TestAway(t *testing.T) {
	for name, answer := range map[string]func(string, message) (*http.Response, error){
		"no connection": func(string, message) (*http.Response, error) { return nil, errors.New("connection refused") },
		"500":           func(string, message) (*http.Response, error) { return status(500), nil },
		"429":           func(string, message) (*http.Response, error) { return status(429, "Retry-After", "90"), nil },
		"503": func(string, message) (*http.Response, error) {
			return status(503, "Retry-After", time.Now().Add(90*time.Second).UTC().Format(http.TimeFormat)), nil
		},
		"408": func(string, message) (*http.Response, error) { return status(408), nil },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				defer func() { r.stop() }()
				r.end.set(answer)
				for n := range 3 {
					r.report(altered(n))
				}
				time.Sleep(10 * time.Minute)
				if n := r.end.tried(); n > 25 || n < 5 {
					t.Fatalf("tried %d times in ten minutes", n)
				}
				mine := r.book.Incidents(incident.Filter{Kind: incident.Undelivered})
				if len(mine) != 1 || !mine[0].Open() || !strings.Contains(mine[0].Message, "hooks.example") || strings.Contains(mine[0].Message+mine[0].Latest, "T0PSECRET") {
					t.Fatalf("got %+v", mine)
				}
				r.restart(r.fsys.Crash)
				r.end.set(nil)
				time.Sleep(10 * time.Minute)
				synctest.Wait()
				told := r.end.told()
				if len(told) != 5 || told[4] != "resolved undelivered" {
					t.Fatalf("told %q", told)
				}
				for n := range 3 {
					if r.end.got[n].Data.Incident.Place.Log != fmt.Sprintf("web-%d", n) {
						t.Fatalf("out of order: %+v", r.end.got)
					}
				}
			})
		})
	}
}

// TestRefused has one incident be refused: the others pass, and it comes in the
// end, in its order.
func TestRefused(t *testing.T) {
	for _, code := range []int{400, 410, 413, 302} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t)
			defer func() { r.stop() }()
			r.end.set(func(_ string, m message) (*http.Response, error) {
				if m.Data.Incident.Place.Log == "web-0" {
					return status(code, "Location", "https://elsewhere.example/"), nil
				}
				return nil, nil
			})
			r.report(altered(0))
			synctest.Wait()
			r.report(altered(1))
			r.wantTold("opened undelivered", "opened segment-altered")
			time.Sleep(2 * time.Hour)
			r.report(altered(0))
			synctest.Wait()
			if n := r.end.tried(); n > 6 {
				t.Fatalf("tried %d times in two hours", n)
			}
			r.end.set(nil)
			time.Sleep(slowPause)
			synctest.Wait()
			told := r.end.told()[2:]
			told = slices.DeleteFunc(told, func(s string) bool { return strings.HasPrefix(s, "updated undelivered") })
			if !slices.Equal(told, []string{"opened segment-altered", "updated segment-altered", "resolved undelivered"}) &&
				!slices.Equal(told, []string{"opened segment-altered", "resolved undelivered", "updated segment-altered"}) {
				t.Fatalf("code %d: told %q", code, told)
			}
		})
	}
}

func TestFullQueueDropsUpdates(t *testing.T) {
	fsys := durabletest.New()
	q, damaged, err := openQueue(fsys, "/q", time.Now())
	if err != nil || damaged != nil {
		t.Fatal(err, damaged)
	}
	event := func(n int, what incident.What) incident.Event {
		return incident.Event{Seq: uint64(n), What: what, Incident: incident.Incident{ID: fmt.Sprint(n % 100), Severity: incident.Concern}}
	}
	n := 0
	for ; n < 100; n++ {
		q.add(event(n, incident.Opened))
	}
	for ; n < 5000; n++ {
		q.add(event(n, incident.Updated))
	}
	for ; q.room() > 0; n++ {
		q.add(event(n, incident.Resolved))
	}
	opened := 0
	for _, i := range q.items {
		switch i.Event.What {
		case incident.Opened:
			opened++
		case incident.Updated:
			t.Fatal("an update kept its place before a resolved one")
		}
	}
	if opened != 100 || len(q.items) != maxItems || q.dropped != 4900 {
		t.Fatalf("%d openings of %d, %d dropped", opened, len(q.items), q.dropped)
	}
	if err := q.store(); err != nil {
		t.Fatal(err)
	}
	again, damaged, err := openQueue(fsys.Crash(), "/q", time.Now())
	if err != nil || damaged != nil || len(again.items) != maxItems {
		t.Fatalf("%d read back, %v, %v", len(again.items), damaged, err)
	}
}

func TestFailingDiskHoldsNoPostBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		defer func() { r.stop() }()
		r.fsys.Inject(durabletest.Fault{Op: durabletest.OpWrite, Path: "webhook", UntilRestart: true})
		r.fsys.Inject(durabletest.Fault{Op: durabletest.OpOpen, Path: "durable-tmp", UntilRestart: true})
		r.report(altered(1))
		r.wantTold("opened segment-altered")
		if r.book.Cursor("webhook pager") != 0 {
			t.Fatal("the book was told that the queue has it")
		}
	})
}

func TestDamagedQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		defer func() { r.stop() }()
		r.report(altered(1))
		r.wantTold("opened segment-altered")
		r.end.set(func(string, message) (*http.Response, error) { return nil, errors.New("away") })
		r.report(altered(2))
		synctest.Wait()
		fsys := r.fsys.Crash()
		r.stop()
		if err := durable.WriteFile(fsys, "/state/webhook-pager", []byte("rubbish\nmore\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		r.end.set(nil)
		r.start(fsys)
		synctest.Wait()
		told := r.end.told()[1:]
		slices.Sort(told)
		if !slices.Equal(told, []string{"opened segment-altered", "opened segment-altered", "opened state-damaged"}) {
			t.Fatalf("told %q", told)
		}
	})
}

// TestNewEndpoint is not told what is over.
func TestNewEndpoint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fsys := durabletest.New()
		book, err := incident.Open(incident.Settings{Dir: "/state", FS: fsys})
		if err != nil {
			t.Fatal(err)
		}
		r := &rig{t: t, end: &endpoint{}, book: book}
		r.report(altered(1))
		r.report(incident.Finding{Kind: incident.Unread, Place: incident.Place{Store: "s3"}})
		time.Sleep(time.Second)
		if err := book.Swept(incident.Place{}, time.Now(), incident.Unread); err != nil {
			t.Fatal(err)
		}
		r.start(fsys.Crash())
		defer func() { r.stop() }()
		r.wantTold("opened segment-altered")
	})
}

// TestCrash cuts the power at random while incidents open: each opening comes,
// with one id however often it is sent.
func TestCrash(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for range 60 {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t)
			posts := 0
			r.end.set(func(string, message) (*http.Response, error) {
				if posts++; posts%3 == 0 {
					return status(503), nil
				}
				return nil, nil
			})
			r.fsys.Inject(durabletest.Fault{N: 5 + rng.IntN(60), Crash: true})
			acked := 0
			for acked < 8 && r.book.Report(altered(acked)) == nil {
				acked++
				time.Sleep(time.Duration(rng.IntN(3)) * time.Second)
			}
			r.restart(func() *durabletest.FS { return r.fsys.CrashRandom(rng) })
			defer func() { r.stop() }()
			r.end.set(nil)
			time.Sleep(time.Hour)
			synctest.Wait()
			ids := map[string]string{}
			for n, m := range r.end.got {
				if log := m.Data.Incident.Place.Log; m.Data.What == incident.Opened {
					if was := ids[log]; was != "" && was != r.end.ids[n] {
						t.Fatalf("%s came as %s and as %s", log, was, r.end.ids[n])
					}
					ids[log] = r.end.ids[n]
				}
			}
			for n := range acked {
				if ids[fmt.Sprintf("web-%d", n)] == "" {
					t.Fatalf("opening %d of %d never came: %q", n, acked, r.end.told())
				}
			}
		})
	}
}

// TestSignature checks a real request as a receiver would.
func TestSignature(t *testing.T) {
	type request struct {
		header http.Header
		body   []byte
	}
	got := make(chan request, 1)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		got <- request{req.Header, body}
	}))
	defer srv.Close()
	fsys := durabletest.New()
	book, err := incident.Open(incident.Settings{Dir: "/state", FS: fsys})
	if err != nil {
		t.Fatal(err)
	}
	other := bytes.Repeat([]byte{9}, 32)
	hook, err := New(Config{Name: "x", URL: srv.URL, Secrets: [][]byte{other, secret}, Client: srv.Client(), Book: book, Dir: "/state", FS: fsys})
	if err != nil {
		t.Fatal(err)
	}
	if err := book.Report(altered(1)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		hook.Run(ctx)
	}()
	r := <-got
	cancel()
	<-done
	m := hmac.New(sha256.New, secret)
	fmt.Fprintf(m, "%s.%s.%s", r.header.Get("webhook-id"), r.header.Get("webhook-timestamp"), r.body)
	want := "v1," + base64.StdEncoding.EncodeToString(m.Sum(nil))
	if all := strings.Split(r.header.Get("webhook-signature"), " "); len(all) != 2 || all[1] != want {
		t.Fatalf("signatures %q, want %s", all, want)
	}
	var body map[string]any
	if err := json.Unmarshal(r.body, &body); err != nil || body["type"] != "custody.incident.opened" {
		t.Fatalf("body %s: %v", r.body, err)
	}
}

// TestNoRedirect: what is told does not go where nobody wanted it.
func TestNoRedirect(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("followed") }))
	defer elsewhere.Close()
	srv := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusTemporaryRedirect))
	defer srv.Close()
	h := &Hook{set: Config{URL: srv.URL, Secrets: [][]byte{secret}, Timeout: time.Minute}}
	fsys := durabletest.New()
	book, err := incident.Open(incident.Settings{Dir: "/state", FS: fsys})
	if err != nil {
		t.Fatal(err)
	}
	h.set.Book, h.set.Name, h.set.Dir, h.set.FS, h.set.Client = book, "x", "/state", fsys, srv.Client()
	if h, err = New(h.set); err != nil {
		t.Fatal(err)
	}
	v, _, err := h.send(t.Context(), &item{ID: "1"})
	if v != refused || err == nil || !strings.Contains(err.Error(), "redirects are not followed") {
		t.Fatalf("got %v, %v", v, err)
	}
}

func TestParseSecrets(t *testing.T) {
	good := "whsec_" + base64.StdEncoding.EncodeToString(secret)
	all, err := ParseSecrets("# old and new\n" + good + "\n\n" + good + "\r\n")
	if err != nil || len(all) != 2 || !bytes.Equal(all[0], secret) {
		t.Fatalf("got %q, %v", all, err)
	}
	for _, bad := range []string{"", "# none", "whsec_", "whsec_c2hvcnQ=", strings.TrimPrefix(good, "whsec_"), good + "!", "hunter2"} {
		if _, err := ParseSecrets(bad); err == nil || bad == "hunter2" && strings.Contains(err.Error(), bad) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestBadConfig(t *testing.T) {
	good := Config{Name: "x", URL: "https://hooks.example", Secrets: [][]byte{secret}}
	for name, spoil := range map[string]func(*Config){
		"no url":    func(c *Config) { c.URL = "" },
		"ftp":       func(c *Config) { c.URL = "ftp://hooks.example/T0PSECRET" },
		"not a url": func(c *Config) { c.URL = "https://hooks.example/%T0PSECRET" },
		"no secret": func(c *Config) { c.Secrets = nil },
		"a path":    func(c *Config) { c.Name = "../x" },
	} {
		c := good
		spoil(&c)
		if _, err := New(c); err == nil || strings.Contains(err.Error(), "T0PSECRET") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzQueue(f *testing.F) {
	f.Add([]byte(`{"add":{"id":"1","event":{"what":"opened"}}}`))
	f.Add([]byte(`{"done":"1"}`))
	f.Fuzz(func(t *testing.T, frame []byte) {
		var c change
		if json.Unmarshal(frame, &c) != nil {
			return
		}
		q := &queue{}
		q.apply(c)
		q.apply(c)
		if len(q.items) > 1 {
			t.Fatalf("%+v", q.items)
		}
	})
}
