package s3store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/otelcol-custody/custody/store"
	"github.com/otelcol-custody/custody/store/s3store"
	"github.com/otelcol-custody/custody/store/storetest/servers"
	"github.com/otelcol-custody/custody/store/storetest/wire"
)

const page = "<!DOCTYPE html><html><body>Please sign in</body></html>"

// classes are all that a store's error can belong to.
var classes = []error{
	store.ErrExists, store.ErrNotFound, store.ErrUnavailable, store.ErrFull, store.ErrDenied, store.ErrUnfit, store.ErrRetention,
}

func classOf(err error) error {
	for _, class := range classes {
		if errors.Is(err, class) {
			return class
		}
	}
	return nil
}

// TestForeignAnswers: what a proxy or portal says is about no object and no
// setting, whatever its status is: neither stored, nor empty, nor a definite no.
func TestForeignAnswers(t *testing.T) {
	for name, body := range map[string]string{"nothing": "", "text": "404 page not found\n", "a page": page, "XML": "<ok/>", "JSON": "{}"} {
		for _, status := range []int{200, 204, 206, 302, 400, 404, 405, 407, 408, 409, 410, 411, 412, 416, 425, 501} {
			if status == 204 && body != "" {
				continue
			}
			t.Run(fmt.Sprintf("%d with %s", status, name), func(t *testing.T) {
				t.Parallel()
				transport := &canned{answer: willing}
				s := open(t, secretly(transport))
				transport.answer = func(*http.Request) (*http.Response, error) {
					return answer(status, http.Header{"Content-Type": {"text/html"}, "Location": {"https://portal.example.com/"}}, body), nil
				}
				for call, err := range every(t.Context(), s) {
					if !errors.Is(err, store.ErrUnavailable) || classOf(err) != store.ErrUnavailable {
						t.Errorf("%s: %v, want %v alone", call, err, store.ErrUnavailable)
					}
				}
				for _, readOnly := range []bool{false, true} {
					opt := secretly(transport)
					opt.ReadOnly = readOnly
					if _, err := s3store.Open(t.Context(), opt); classOf(err) != store.ErrUnavailable {
						t.Errorf("Open: %v, want %v", err, store.ErrUnavailable)
					}
				}
			})
		}
	}
}

// TestEveryRefusalHasAClass: also in words that nobody here knows, which are
// no definite no.
func TestEveryRefusalHasAClass(t *testing.T) {
	for _, status := range []int{302, 400, 401, 402, 403, 404, 405, 406, 409, 410, 411, 412, 413, 416, 418, 425, 451} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			t.Parallel()
			transport := &canned{answer: willing}
			s := open(t, secretly(transport))
			transport.answer = func(*http.Request) (*http.Response, error) {
				return answer(status, nil, "<Error><Code>SomethingNew</Code><Message>Bucket acme-audit is busy</Message></Error>"), nil
			}
			want := store.ErrUnavailable
			if status == 401 || status == 403 {
				want = store.ErrDenied
			}
			for call, err := range every(t.Context(), s) {
				switch {
				case status == 416 && call == "GetRange" && err == nil: // at the end
				case status == 405 && call == "GetVersion" && errors.Is(err, store.ErrNotFound): // a delete marker
				case classOf(err) != want:
					t.Errorf("%s: %v, want %v", call, err, want)
				}
			}
			if _, err := s3store.Open(t.Context(), secretly(transport)); classOf(err) != want {
				t.Errorf("Open: %v, want %v", err, want)
			}
		})
	}
}

// TestNamesAreNoCodes: a bucket's or an object's name can hold any word.
func TestNamesAreNoCodes(t *testing.T) {
	transport := &canned{answer: willing}
	opt := secretly(transport)
	opt.Bucket, opt.Prefix = "acme-retention", "object-lock"
	s := open(t, opt)
	for message, want := range map[string]error{
		"Bucket acme-retention is busy with object-lock/retain":         store.ErrUnavailable,
		"Bucket acme-retention is missing Object Lock Configuration":    store.ErrRetention,
		"The retention period of object-lock/retain must be positive":   store.ErrRetention,
		"acme-retention/object-lock/retain cannot be written right now": store.ErrUnavailable,
	} {
		transport.answer = func(r *http.Request) (*http.Response, error) {
			if isPut(r) {
				return answer(400, nil, "<Error><Code>InvalidRequest</Code><Message>"+message+"</Message></Error>"), nil
			}
			return willing(r)
		}
		if _, err := s.PutOnce(t.Context(), "retain", nil, store.PutOptions{}); classOf(err) != want {
			t.Errorf("%q: %v, want %v", message, err, want)
		}
	}
}

func TestAnswerAboutOtherBytes(t *testing.T) {
	transport := &canned{answer: willing}
	s := open(t, secretly(transport))
	transport.answer = func(r *http.Request) (*http.Response, error) {
		if r.Method == http.MethodPut {
			return answer(200, http.Header{"Etag": {`"e"`}, "X-Amz-Checksum-Sha256": {"b3RoZXIgYnl0ZXM="}}, ""), nil
		}
		return willing(r)
	}
	for name, data := range map[string][]byte{"small": []byte("x"), "large": make([]byte, large)} {
		_, err := s.PutOnce(t.Context(), name, data, store.PutOptions{})
		if classOf(err) != store.ErrUnavailable || !strings.Contains(err.Error(), "other bytes") {
			t.Errorf("%s: %v, want %v that says why", name, err, store.ErrUnavailable)
		}
	}
}

// TestPlantedProbes: who may write cannot keep the collector from starting.
func TestPlantedProbes(t *testing.T) {
	server := servers.Versity(t)
	server.Bucket(t, bucket, true)
	proxy := wire.NewProxy(t, server.Endpoint, wire.Resign(server.AccessKey, server.SecretKey, server.Region))
	opt := options(server, "p")
	opt.Endpoint = proxy.URL
	s, owner := open(t, opt), attacker(server.Client(), "p")
	today := time.Now().UTC().Format(time.DateOnly)
	for _, kind := range []string{"probe", "lock-compliance-single", "lock-compliance-parts", "lock-governance-single", "lock-governance-parts"} {
		if err := owner.Overwrite(t.Context(), ".custody/"+kind+"-"+today, []byte("planted")); err != nil {
			t.Fatal(err)
		}
	}
	open(t, opt)
	proxy.Forget()
	if _, err := s.CheckLock(t.Context(), store.ModeCompliance); err != nil {
		t.Errorf("CheckLock beside planted objects: %v", err)
	}
	for _, r := range proxy.Requests() {
		created := r.RawQuery == "x-id=PutObject" || r.Method == http.MethodPost && strings.Contains(r.RawQuery, "uploadId=")
		if created && r.Header.Get("If-None-Match") != "*" {
			t.Errorf("%s %s carries no condition", r.Method, r.Path)
		}
	}
	if err := owner.Delete(t.Context(), ".custody/lock-governance-single-"+today, ""); err != nil { // a delete marker
		t.Fatal(err)
	}
	proxy.Inject(wire.Fault{
		Match: func(r *http.Request) bool {
			return r.Method == http.MethodHead && strings.HasSuffix(r.URL.Path, "/lock-governance-parts-"+today)
		},
		Action: wire.Answer(400, nil, ""), // encrypted with a key that only the other one has
	})
	if _, err := s.CheckLock(t.Context(), store.ModeGovernance); err != nil {
		t.Errorf("CheckLock beside odd objects: %v", err)
	}
}

// TestHoldThatCannotBeSeen: the message names what is missing.
func TestHoldThatCannotBeSeen(t *testing.T) {
	opt, proxy := behind(t, versity)
	s := open(t, opt)
	proxy.Inject(wire.Fault{Match: isPut, Action: wire.Strip("X-Amz-Object-Lock-Legal-Hold")})
	held := kept
	held.LegalHold = true
	_, err := s.PutOnce(t.Context(), "a", []byte("x"), store.PutOptions{Retention: held})
	if !errors.Is(err, store.ErrRetention) || !strings.Contains(err.Error(), "does not keep locks") {
		t.Errorf("PutOnce whose hold is dropped: %v, want %v", err, store.ErrRetention)
	}
	proxy.Inject(wire.Fault{Match: func(r *http.Request) bool { return r.Method == http.MethodGet && r.URL.Query().Has("legal-hold") },
		Action: wire.Answer(403, nil, "<Error><Code>AccessDenied</Code></Error>")})
	_, err = s.PutOnce(t.Context(), "b", []byte("x"), store.PutOptions{Retention: held})
	if !errors.Is(err, store.ErrDenied) || !strings.Contains(err.Error(), "s3:GetObjectLegalHold") {
		t.Errorf("PutOnce that may not see the hold: %v, want %v", err, store.ErrDenied)
	}
}

// TestAbortEndsSoon: a caller whose time is over isn't kept.
func TestAbortEndsSoon(t *testing.T) {
	opt, proxy := behind(t, versity)
	s := open(t, opt)
	proxy.Inject(wire.Fault{Match: func(r *http.Request) bool {
		return r.URL.Query().Has("partNumber") || r.Method == http.MethodDelete
	}, Action: wire.Hang()})
	defer proxy.Heal()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	began := time.Now()
	_, err := s.PutOnce(ctx, "a", bytes.Repeat([]byte("x"), large), store.PutOptions{})
	if took := time.Since(began); !errors.Is(err, context.DeadlineExceeded) || took > 5*time.Second {
		t.Errorf("PutOnce: %v after %v, want %v within 3s", err, took, context.DeadlineExceeded)
	}
}
