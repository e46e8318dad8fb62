package azblobstore

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/otelcol-custody/custody/store"
	"github.com/otelcol-custody/custody/store/storetest/wire"
)

// tripper answers in the place of everybody.
type tripper func(*http.Request) (*http.Response, error)

func (f tripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestTokenRefused(t *testing.T) {
	opt := Options{
		AccountURL: "https://acmeaudit.blob.core.windows.net", Container: "evidence",
		TenantID: "11112222-3333-4444-5555-666677778888", ClientID: "acme-collector", ClientSecret: "c2VjcmV0",
	}
	opt.Transport = tripper(func(r *http.Request) (*http.Response, error) {
		body := io.NopCloser(strings.NewReader("{\"error\":\"invalid_client\",\n\"error_description\":\"c2VjcmV0\"}"))
		return &http.Response{StatusCode: 401, Header: http.Header{"Content-Type": {"application/json"}}, Body: body, Request: r}, nil
	})
	_, err := Open(t.Context(), opt)
	is(t, "Open with a wrong secret", err, store.ErrDenied)
	sentence(t, err, "client_id", "c2VjcmV0")

	opt.Transport = tripper(func(*http.Request) (*http.Response, error) { return nil, errors.New("dial tcp: no such host") })
	_, err = Open(t.Context(), opt)
	is(t, "Open without a network", err, store.ErrUnavailable)
	sentence(t, err, "", "c2VjcmV0")
}

// The SDK takes a version's address apart and puts it together again.
func TestSASStaysWhole(t *testing.T) {
	d := newDouble(t)
	opt := d.options()
	p := wire.NewProxy(t, strings.TrimSuffix(d.url, "/acmeaudit"))
	opt.AccountURL, opt.AccountKey = p.URL+"/acmeaudit", ""
	opt.SASToken = "sv=2025-01-05&spr=https,http&st=2026-01-01&se=2041-01-01T00%3A00Z&sr=c&sp=rcwl&sig=a%2Bb%2Fc%3D"
	s := open(t, opt)
	info := put(t, s, "a b/%2F+?#", []byte("x"))
	p.Forget()
	r, _, err := s.GetVersion(t.Context(), "a b/%2F+?#", info.Version)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	got, err := url.ParseQuery(p.Requests()[0].RawQuery)
	if err != nil {
		t.Fatal(err)
	}
	want, _ := url.ParseQuery(opt.SASToken)
	want.Set("versionid", info.Version)
	if got.Encode() != want.Encode() {
		t.Errorf("sent %s, want %s", got.Encode(), want.Encode())
	}
}
