package azblobstore

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/otelcol-custody/custody/store"
	"github.com/otelcol-custody/custody/store/storetest/wire"
)

// doubled puts a proxy between the store and this project's own double.
func doubled(t *testing.T) (Options, *wire.Proxy) {
	t.Helper()
	d := newDouble(t)
	p := wire.NewProxy(t, strings.TrimSuffix(d.url, "/acmeaudit"))
	opt := d.options()
	opt.AccountURL, opt.AccountKey, opt.SASToken = p.URL+"/acmeaudit", "", "sv=2025-01-05&sp=rcwl&sr=c&sig=aW52ZW50ZWQ%3D"
	return opt, p
}

func query(key, value string) func(*http.Request) bool {
	return func(r *http.Request) bool { return r.URL.Query().Get(key) == value }
}

// A SAS for blobs cannot read the container's properties, and a writer should
// not be able to delete. Neither is a reason to refuse to run.
func TestCheckLockWithFewRights(t *testing.T) {
	opt, p := doubled(t)
	s := open(t, opt)
	no := wire.Answer(403, http.Header{"x-ms-error-code": {"AuthorizationPermissionMismatch"}}, "")
	p.Inject(wire.Fault{Match: func(r *http.Request) bool { return r.Method == http.MethodDelete }, Action: no})
	p.Inject(wire.Fault{Match: query("restype", "container"), Action: no})
	if _, err := s.CheckLock(t.Context(), store.ModeCompliance); err != nil {
		t.Errorf("CheckLock: %v", err)
	}
	opt.ReadOnly = true
	reader := open(t, opt)
	_, err := reader.CheckLock(t.Context(), store.ModeCompliance)
	is(t, "CheckLock read-only, without the right", err, store.ErrDenied)
	p.Heal()
	if _, err := reader.CheckLock(t.Context(), store.ModeCompliance); err != nil {
		t.Errorf("CheckLock read-only: %v", err)
	}
	if _, err := s.CheckLock(t.Context(), store.ModeNone); err != nil {
		t.Errorf("CheckLock of no mode: %v", err)
	}
}

// Microsoft's pages disagree on whether an upload can lock at once.
func TestUploadThatOnlyUnlockedIsLocked(t *testing.T) {
	opt, p := doubled(t)
	s := open(t, opt)
	p.Inject(wire.Fault{Match: query("comp", ""), Action: wire.Strip("x-ms-immutability-policy-mode")})
	want := keepFor(time.Hour)
	info, err := s.PutOnce(t.Context(), "a", []byte("x"), store.PutOptions{Retention: want})
	if err != nil || !info.Retention.Covers(want) {
		t.Errorf("PutOnce: %+v, %v", info, err)
	}
}

func keepFor(d time.Duration) store.Retention {
	return store.Retention{Mode: store.ModeCompliance, Until: time.Now().Add(d)}
}

func TestExtensionThatIsForgottenIsFound(t *testing.T) {
	opt, p := doubled(t)
	s := open(t, opt)
	put(t, s, "a", []byte("x"))
	p.Inject(wire.Fault{Match: query("comp", "immutabilityPolicies"), Action: wire.Answer(200, http.Header{"x-ms-request-id": {"r"}}, "")})
	_, err := s.PutOnce(t.Context(), "a", []byte("x"), store.PutOptions{Retention: keepFor(time.Hour)})
	is(t, "PutOnce of what is there", err, store.ErrRetention)
	sentence(t, err, "keeps less", "aW52ZW50ZWQ")
	p.Heal()
	p.Inject(wire.Fault{Match: query("comp", "immutabilityPolicies"), Action: wire.Answer(403, http.Header{"x-ms-request-id": {"r"}}, "")})
	_, err = s.Extend(t.Context(), "a", "", keepFor(time.Hour))
	is(t, "Extend without the right", err, store.ErrDenied)
}
