package gcsstore_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/otelcol-custody/custody/store"
	"github.com/otelcol-custody/custody/store/gcsstore"
	"github.com/otelcol-custody/custody/store/storetest/wire"
)

// classOf is the class that a store's error belongs to, if any.
func classOf(err error) error {
	for _, class := range []error{
		store.ErrExists, store.ErrNotFound, store.ErrUnavailable, store.ErrFull, store.ErrDenied, store.ErrUnfit, store.ErrRetention,
	} {
		if errors.Is(err, class) {
			return class
		}
	}
	return nil
}

// instead answers every request in the server's place, once it is told to.
type instead struct {
	on     atomic.Bool
	status int
	body   string
}

func (i *instead) RoundTrip(r *http.Request) (*http.Response, error) {
	if !i.on.Load() {
		return http.DefaultTransport.RoundTrip(r)
	}
	if r.Body != nil {
		_, _ = io.Copy(io.Discard, r.Body)
		r.Body.Close()
	}
	return &http.Response{
		StatusCode: i.status, Status: fmt.Sprint(i.status), Header: http.Header{"Content-Type": {"text/html"}},
		Body: io.NopCloser(strings.NewReader(i.body)), ContentLength: int64(len(i.body)), Request: r, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}, nil
}

// every calls every method, all at once: most wait between their tries.
func every(ctx context.Context, s *gcsstore.Store, opt gcsstore.Options, check func(call string, err error), skip ...string) {
	later := store.Retention{Mode: store.ModeCompliance, Until: time.Now().Add(time.Hour)}
	put := func(data []byte, r store.Retention) error {
		_, err := s.PutOnce(ctx, "a", data, store.PutOptions{Retention: r})
		return err
	}
	reopen := func() error {
		s, err := gcsstore.Open(ctx, opt)
		if err == nil {
			_ = s.Close()
		}
		return err
	}
	var calls sync.WaitGroup
	for call, do := range map[string]func() error{
		"PutOnce": func() error { return put([]byte("x"), store.Retention{}) }, "PutOnce locked": func() error { return put(nil, later) },
		"PutOnce in chunks": func() error { return put(chunks, store.Retention{}) },
		"Get":               func() error { _, _, err := s.Get(ctx, "a"); return err },
		"GetVersion":        func() error { _, _, err := s.GetVersion(ctx, "a", "1"); return err },
		"GetRange":          func() error { _, err := s.GetRange(ctx, "a", 0, 1); return err },
		"Stat":              func() error { _, err := s.Stat(ctx, "a"); return err },
		"Versions":          func() error { _, err := s.Versions(ctx, "a"); return err },
		"Extend":            func() error { _, err := s.Extend(ctx, "a", "", later); return err },
		"CheckLock":         func() error { _, err := s.CheckLock(ctx, store.ModeGovernance); return err },
		"List":              func() error { return last(s.List(ctx, "", "")) },
		"ListVersions":      func() error { return last(s.ListVersions(ctx, "", "")) },
		"Open":              reopen,
	} {
		if !slices.Contains(skip, call) {
			calls.Go(func() { check(call, do()) })
		}
	}
	calls.Wait()
}

var chunks = make([]byte, 17<<20) // is sent in chunks

func last(list iter.Seq2[store.Info, error]) (last error) {
	for _, err := range list {
		last = err
	}
	return last
}

// answered opens a store whose server then answers everything with body.
func answered(t *testing.T, d *double, status int, body string, check func(call string, err error), skip ...string) {
	tr := &instead{status: status, body: body}
	opt := gcsstore.Options{Bucket: "acme-audit", Endpoint: d.URL, Transport: tr}
	s, err := gcsstore.Open(t.Context(), opt)
	if err != nil {
		t.Errorf("Open: %v", err)
		return
	}
	defer s.Close()
	tr.on.Store(true)
	every(t.Context(), s, opt, check, skip...)
}

// TestForeignAnswers: what a proxy or portal says is about no object and no
// setting, whatever its status is: neither stored, nor empty, nor a definite no.
func TestForeignAnswers(t *testing.T) {
	const page = "<!DOCTYPE html><html><body>Please sign in</body></html>"
	d := newDouble(t, nil)
	var cases sync.WaitGroup
	defer cases.Wait()
	for name, body := range map[string]string{"nothing": "", "text": "404 page not found\n", "a page": page} {
		for _, status := range []int{200, 302, 400, 403, 404, 405, 407, 409, 410, 411, 425, 501} {
			cases.Go(func() {
				answered(t, d, status, body, func(call string, err error) {
					if classOf(err) != store.ErrUnavailable {
						t.Errorf("%d with %s: %s: %v, want %v", status, name, call, err, store.ErrUnavailable)
					}
				})
			})
		}
	}
}

// TestForeignJSON: another server's JSON decodes into nothing. An empty
// listing of Cloud Storage looks no other.
func TestForeignJSON(t *testing.T) {
	answered(t, newDouble(t, nil), 200, "{}", func(call string, err error) {
		listing := err == nil && strings.HasPrefix(call, "List")
		empty := call == "Versions" && errors.Is(err, store.ErrNotFound)
		if classOf(err) != store.ErrUnavailable && !listing && !empty {
			t.Errorf("%s: %v, want %v", call, err, store.ErrUnavailable)
		}
	}, "PutOnce in chunks") // the client waits for its deadline
}

// TestEveryRefusalHasAClass: also in words that nobody here knows, which are
// no definite no.
func TestEveryRefusalHasAClass(t *testing.T) {
	d := newDouble(t, nil)
	var cases sync.WaitGroup
	defer cases.Wait()
	for _, status := range []int{400, 401, 402, 403, 405, 406, 409, 410, 411, 413, 418, 425, 451} {
		want := store.ErrUnavailable
		if status == 401 || status == 403 {
			want = store.ErrDenied
		}
		cases.Go(func() {
			answered(t, d, status, said("somethingNew", "Not now"), func(call string, err error) {
				if classOf(err) != want {
					t.Errorf("%d: %s: %v, want %v", status, call, err, want)
				}
			})
		})
	}
}

// TestNamesAreNoReasons: a bucket's or an object's name can hold any word.
func TestNamesAreNoReasons(t *testing.T) {
	p := wire.NewProxy(t, newDouble(t, nil).URL)
	s := open(t, gcsstore.Options{Endpoint: p.URL, Prefix: "retention"})
	defer s.Close()
	for message, want := range map[string]error{
		"The object acme-audit/retention/retention is busy": store.ErrUnavailable,
		"'acme-audit/retention/x' in retention is busy":     store.ErrUnavailable,
		"Object 'acme-audit/x' is under active hold":        store.ErrUnavailable,
	} {
		p.Inject(wire.Fault{Action: wire.Answer(409, nil, said("conflict", message))})
		_, err := s.PutOnce(t.Context(), "retention", []byte("x"), store.PutOptions{})
		if classOf(err) != want {
			t.Errorf("%q: %v, want %v", message, err, want)
		}
		p.Heal()
	}
}

// TestObjectThatOneAnswerMisses: a 404 from in between, while the object is
// there, is no missing object.
func TestObjectThatOneAnswerMisses(t *testing.T) {
	p := wire.NewProxy(t, newDouble(t, nil).URL)
	s := open(t, gcsstore.Options{Endpoint: p.URL})
	defer s.Close()
	if _, err := s.PutOnce(t.Context(), "a", []byte("x"), store.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	p.Inject(wire.Fault{Match: func(r *http.Request) bool { return r.URL.Path == "/acme-audit/a" }, Action: wire.Answer(404, nil, "")})
	_, _, err := s.Get(t.Context(), "a")
	says(t, err, store.ErrUnavailable)
}

// TestPlantedProbes: who may write cannot keep the collector from starting.
func TestPlantedProbes(t *testing.T) {
	d := newDouble(t, nil)
	o, today := owner(t, d.URL), time.Now().UTC().Format(time.DateOnly)
	for _, kind := range []string{"probe", "lock-governance", "lock-compliance"} {
		if err := o.Overwrite(t.Context(), ".custody/"+kind+"-"+today, []byte("planted")); err != nil {
			t.Fatal(err)
		}
	}
	s := open(t, gcsstore.Options{Endpoint: d.URL, Prefix: "prod"})
	defer s.Close()
	for _, mode := range []store.Mode{store.ModeGovernance, store.ModeCompliance} {
		if _, err := s.CheckLock(t.Context(), mode); err != nil {
			t.Errorf("CheckLock(%v) beside a planted object: %v", mode, err)
		}
	}
}

// TestDeleteThatWasNot: a page in place of the refusal proves nothing.
func TestDeleteThatWasNot(t *testing.T) {
	p := wire.NewProxy(t, newDouble(t, nil).URL)
	s := open(t, gcsstore.Options{Endpoint: p.URL})
	defer s.Close()
	for _, status := range []int{200, 404} {
		p.Inject(wire.Fault{Match: func(r *http.Request) bool { return r.Method == http.MethodDelete }, Action: wire.Answer(status, nil, "<html>")})
		if _, err := s.CheckLock(t.Context(), store.ModeCompliance); classOf(err) != store.ErrUnavailable {
			t.Errorf("CheckLock whose delete is answered with %d: %v, want %v", status, err, store.ErrUnavailable)
		}
		p.Heal()
	}
}
