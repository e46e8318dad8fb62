package azblobstore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/otelcol-custody/custody/store"
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

// instead answers every request in the service's place, once it is told to.
type instead struct {
	on     atomic.Bool
	status int
	header http.Header
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
	resp := &http.Response{
		StatusCode: i.status, Status: fmt.Sprint(i.status), Header: i.header.Clone(), Body: io.NopCloser(strings.NewReader(i.body)),
		ContentLength: int64(len(i.body)), Request: r, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}
	if r.Method == http.MethodHead {
		resp.Body = http.NoBody
	}
	return resp, nil
}

// replaced gives every call to a store, and a new Open, the same answer.
func replaced(t *testing.T, i *instead, check func(call string, err error)) {
	opt := newDouble(t).options()
	opt.Transport = i
	s := open(t, opt)
	put(t, s, "a", []byte("x"))
	i.on.Store(true)
	ctx, later := t.Context(), store.Retention{Mode: store.ModeCompliance, Until: time.Now().Add(time.Hour)}
	for call, do := range map[string]func() error{
		"PutOnce":        func() error { _, err := s.PutOnce(ctx, "b", nil, store.PutOptions{}); return err },
		"PutOnce locked": func() error { _, err := s.PutOnce(ctx, "b", nil, store.PutOptions{Retention: later}); return err },
		"PutOnce in blocks": func() error {
			_, err := s.PutOnce(ctx, "b", make([]byte, oneRequest+1), store.PutOptions{})
			return err
		},
		"Get":          func() error { _, _, err := s.Get(ctx, "a"); return err },
		"GetVersion":   func() error { _, _, err := s.GetVersion(ctx, "a", "v"); return err },
		"GetRange":     func() error { _, err := s.GetRange(ctx, "a", 0, 1); return err },
		"Stat":         func() error { _, err := s.Stat(ctx, "a"); return err },
		"Versions":     func() error { _, err := s.Versions(ctx, "a"); return err },
		"Extend":       func() error { _, err := s.Extend(ctx, "a", "", later); return err },
		"CheckLock":    func() error { _, err := s.CheckLock(ctx, store.ModeGovernance); return err },
		"List":         func() error { return last(s.List(ctx, "", "")) },
		"ListVersions": func() error { return last(s.ListVersions(ctx, "", "")) },
		"Open":         func() error { return opens(ctx, opt) },
	} {
		check(call, do())
	}
}

func opens(ctx context.Context, opt Options) error {
	s, err := Open(ctx, opt)
	if err == nil {
		_ = s.Close()
	}
	return err
}

func last(list iter.Seq2[store.Info, error]) (last error) {
	for _, err := range list {
		last = err
	}
	return last
}

// TestForeignAnswers: what a proxy or portal says is about no blob and no
// setting, whatever its status is: neither stored, nor empty, nor a definite no.
func TestForeignAnswers(t *testing.T) {
	const page = "<!DOCTYPE html><html><body>Please sign in</body></html>"
	for name, body := range map[string]string{"nothing": "", "a page": page} {
		for _, status := range []int{200, 201, 302, 400, 401, 403, 404, 405, 407, 409, 410, 412, 416, 425, 501} {
			t.Run(fmt.Sprintf("%d with %s", status, name), func(t *testing.T) {
				t.Parallel()
				replaced(t, &instead{status: status, header: http.Header{"Etag": {`"e"`}}, body: body}, func(call string, err error) {
					if classOf(err) != store.ErrUnavailable {
						t.Errorf("%s: %v, want %v", call, err, store.ErrUnavailable)
					}
				})
			})
		}
	}
}

// TestEveryRefusalHasAClass: also with codes that nobody here knows, which are
// no definite no.
func TestEveryRefusalHasAClass(t *testing.T) {
	for _, code := range []string{"", "SomethingNew"} {
		for _, status := range []int{302, 400, 401, 402, 403, 404, 405, 406, 409, 410, 411, 412, 413, 416, 418, 425, 451} {
			t.Run(fmt.Sprintf("%d %s", status, code), func(t *testing.T) {
				t.Parallel()
				want := store.ErrUnavailable
				if status == 401 || status == 403 {
					want = store.ErrDenied
				}
				header := http.Header{"X-Ms-Request-Id": {"r"}, "X-Ms-Error-Code": {code}}
				replaced(t, &instead{status: status, header: header}, func(call string, err error) {
					if classOf(err) != want {
						t.Errorf("%s: %v, want %v", call, err, want)
					}
				})
			})
		}
	}
}

// TestSuccessWithoutAnETag: the service says which blob it stored.
func TestSuccessWithoutAnETag(t *testing.T) {
	header := http.Header{"X-Ms-Request-Id": {"r"}}
	replaced(t, &instead{status: 201, header: header}, func(call string, err error) {
		if strings.HasPrefix(call, "PutOnce") && classOf(err) != store.ErrUnavailable {
			t.Errorf("%s: %v, want %v", call, err, store.ErrUnavailable)
		}
	})
}

// TestPlantedProbes: who may write cannot keep the collector from starting.
func TestPlantedProbes(t *testing.T) {
	opt, p := doubled(t)
	s := open(t, opt)
	for _, kind := range []string{"probe-", "lock-compliance-", "lock-governance-"} {
		if err := attacker(s).Overwrite(t.Context(), hidden+kind+today(), []byte("planted")); err != nil {
			t.Fatal(err)
		}
	}
	open(t, opt)
	for _, mode := range []store.Mode{store.ModeGovernance, store.ModeCompliance} {
		if _, err := s.CheckLock(t.Context(), mode); err != nil {
			t.Errorf("CheckLock(%v) beside a planted blob: %v", mode, err)
		}
	}
	p.Inject(wire.Fault{ // as of a blob in the archive
		Match: func(r *http.Request) bool {
			return r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "lock-compliance-"+today())
		},
		Action: wire.Answer(409, http.Header{"x-ms-error-code": {"BlobArchived"}}, ""),
	})
	if _, err := s.CheckLock(t.Context(), store.ModeCompliance); err != nil {
		t.Errorf("CheckLock beside an archived blob: %v", err)
	}
}
