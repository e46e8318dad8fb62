package wire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// Tests of stores check that no goroutine is left.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// echo is a server that says what it got, and counts.
func echo(t *testing.T) (target string, count *atomic.Int64) {
	count = new(atomic.Int64)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		count.Add(1)
		w.Header().Set("X-Served", "yes")
		w.WriteHeader(http.StatusCreated)
		fmt.Fprintf(w, "%s %s %s %q %d", r.Method, r.Host, r.RequestURI, r.Header.Values("X-Lock"), len(body))
	}))
	t.Cleanup(s.Close)
	return s.URL, count
}

func post(t *testing.T, ctx context.Context, url, body string) (int, string, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header["X-Lock"] = []string{"one", "two"}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(b), err
}

const odd = "/b/a%2Fb%20c+d/%C3%BC?x=a;b&y=%2F&z"

func TestPassesOnUnchanged(t *testing.T) {
	target, _ := echo(t)
	p := NewProxy(t, target)
	host := strings.TrimPrefix(p.URL, "http://")
	status, said, err := post(t, t.Context(), p.URL+odd, "12345")
	want := fmt.Sprintf("POST %s %s %q 5", host, odd, []string{"one", "two"})
	if err != nil || status != http.StatusCreated || said != want {
		t.Errorf("got %d %q, %v; want 201 %q", status, said, err, want)
	}
	got := p.Requests()
	if len(got) != 1 {
		t.Fatalf("%d requests are noted, want 1", len(got))
	}
	r := got[0]
	if path, query, _ := strings.Cut(odd, "?"); r.Method != "POST" || r.Path != path || r.RawQuery != query || r.Bytes != 5 ||
		r.Status != http.StatusCreated || r.Host != host || r.Header.Get("X-Lock") != "one" {
		t.Errorf("noted: %+v", r)
	}
	if p.Forget(); len(p.Requests()) != 0 {
		t.Error("Forget keeps requests")
	}
}

func TestDropAnswer(t *testing.T) {
	target, count := echo(t)
	p := NewProxy(t, target)
	p.Inject(Fault{Match: func(r *http.Request) bool { return r.URL.Path == "/b" }, Times: 2, Action: DropAnswer()})
	for i, want := range []bool{true, false, true, false, false, true} {
		path := "/b"
		if i == 0 || i == 2 {
			path = "/a"
		}
		if i == 4 {
			p.Inject(Fault{Times: 1, Action: DropAnswer()})
		}
		if i == 3 && count.Load() != 3 {
			t.Errorf("the server served %d requests, want 3: also the one whose answer was lost", count.Load())
		}
		if _, _, err := post(t, t.Context(), p.URL+path, "x"); (err == nil) != want {
			t.Errorf("request %d: %v, want success: %v", i, err, want)
		}
	}
	if n := count.Load(); n != 6 {
		t.Errorf("the server served %d requests, want 6", n)
	}
	if r := p.Requests()[1]; r.Status != http.StatusCreated || r.Bytes != 1 {
		t.Errorf("noted: %+v", r)
	}
}

func TestAnswerAndRefuse(t *testing.T) {
	target, count := echo(t)
	p := NewProxy(t, target)
	p.Inject(Fault{Times: 1, Action: Answer(http.StatusServiceUnavailable, http.Header{"retry-after": {"1"}}, "slow down")})
	status, said, err := post(t, t.Context(), p.URL+"/a", strings.Repeat("x", 1<<20))
	if err != nil || status != http.StatusServiceUnavailable || said != "slow down" {
		t.Errorf("got %d %q, %v", status, said, err)
	}
	p.Inject(Fault{Action: Refuse()})
	for range 2 {
		if status, _, err := post(t, t.Context(), p.URL+"/a", "x"); err == nil {
			t.Errorf("a dead server answers %d", status)
		}
	}
	if n := count.Load(); n != 0 {
		t.Errorf("the server served %d requests, want none", n)
	}
	p.Heal()
	if _, _, err := post(t, t.Context(), p.URL+"/a", "x"); err != nil {
		t.Errorf("after Heal: %v", err)
	}
}

func TestDelayAndHang(t *testing.T) {
	target, count := echo(t)
	p := NewProxy(t, target)
	p.Inject(Fault{Times: 1, Action: Delay(50 * time.Millisecond)})
	begin := time.Now()
	if _, said, err := post(t, t.Context(), p.URL+"/a", "123"); err != nil || !strings.HasSuffix(said, " 3") || time.Since(begin) < 50*time.Millisecond {
		t.Errorf("a delayed request: %q, %v after %v", said, err, time.Since(begin))
	}
	p.Inject(Fault{Action: Hang()})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, _, err := post(t, ctx, p.URL+"/gone", "x"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a hanging request: %v", err)
	}
	done := make(chan error)
	go func() {
		_, _, err := post(t, t.Context(), p.URL+"/waits", "x")
		done <- err
	}()
	for len(p.Requests()) < 3 {
		time.Sleep(time.Millisecond)
	}
	p.Heal()
	if err := <-done; err != nil {
		t.Errorf("after Heal: %v", err)
	}
	if n := count.Load(); n != 2 {
		t.Errorf("the server served %d requests, want 2: not the one whose client went away", n)
	}
}

func TestStrip(t *testing.T) {
	target, _ := echo(t)
	p := NewProxy(t, target)
	p.Inject(Fault{Times: 1, Action: Strip("x-lock")})
	_, said, err := post(t, t.Context(), p.URL+"/a", "12")
	if err != nil || !strings.Contains(said, " [] 2") {
		t.Errorf("the server got %q, %v; want no X-Lock", said, err)
	}
	if got := p.Requests()[0].Header.Values("X-Lock"); len(got) != 2 {
		t.Errorf("noted %q, want what the client sent", got)
	}
}

func TestDeadTargetIsNoAnswer(t *testing.T) {
	dead := httptest.NewServer(nil)
	dead.Close()
	if status, _, err := post(t, t.Context(), NewProxy(t, dead.URL).URL, "x"); err == nil {
		t.Errorf("a dead server answers %d", status)
	}
}

// noted is a test that notes its failure.
type noted struct {
	testing.TB
	said string
}

func (n *noted) Errorf(format string, _ ...any) { n.said = format }

func TestStripOfSignedHeadersFails(t *testing.T) {
	target, _ := echo(t)
	n := &noted{TB: t}
	p := NewProxy(n, target)
	p.Inject(Fault{Action: Strip("X-Lock")})
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=x")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if !strings.Contains(n.said, "Resign") {
		t.Errorf("the test was failed with %q, want the way out", n.said)
	}
}
