package gcsstore_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/otelcol-custody/custody/store"
	"github.com/otelcol-custody/custody/store/gcsstore"
)

// cutter ends the body of each answer to a read after 1,000 bytes.
type cutter struct{ http.RoundTripper }

func (c cutter) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := c.RoundTripper.RoundTrip(r)
	if err == nil && strings.HasPrefix(r.URL.Path, "/acme-audit/") {
		resp.Header.Del("X-Goog-Hash")
		resp.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(resp.Body, 1000), resp.Body}
	}
	return resp, err
}

func TestCutReadIsNoEnd(t *testing.T) {
	s := open(t, gcsstore.Options{Endpoint: newDouble(t, nil).URL, Transport: cutter{newTape(t)}})
	defer s.Close()
	if _, err := s.PutOnce(t.Context(), "a", make([]byte, 2000), store.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	r, _, err := s.Get(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	n, err := io.Copy(io.Discard, r)
	says(t, err, io.ErrUnexpectedEOF, "was cut")
	if n != 1000 {
		t.Errorf("it delivered %d bytes, want the 1,000 that came", n)
	}
	if b, err := s.GetRange(t.Context(), "a", 0, 2000); err == nil {
		t.Errorf("GetRange: %d bytes and no error", len(b))
	}
}

// TestReadsAreNotUnpacked: only who takes gzip gets the bytes as they lie.
func TestReadsAreNotUnpacked(t *testing.T) {
	tp := newTape(t)
	s := open(t, gcsstore.Options{Endpoint: newDouble(t, nil).URL, Transport: tp})
	defer s.Close()
	if _, err := s.PutOnce(t.Context(), "a", []byte("xyz"), store.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	tp.rewind()
	r, _, err := s.Get(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	_ = r.Close()
	if _, err := s.GetRange(t.Context(), "a", 1, 1); err != nil {
		t.Fatal(err)
	}
	for _, q := range tp.rewind() {
		if q.header.Get("Accept-Encoding") != "gzip" {
			t.Errorf("%s %s: sent Accept-Encoding %q, want gzip", q.method, q.url, q.header.Get("Accept-Encoding"))
		}
	}
}
