package azblobstore

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/otelcol-custody/custody/store"
	"github.com/otelcol-custody/custody/store/storetest/servers"
	"github.com/otelcol-custody/custody/store/storetest/wire"
)

// through puts a proxy between the store and Azurite.
func through(t *testing.T) (Options, *wire.Proxy) {
	t.Helper()
	server := servers.Azurite(t)
	p := wire.NewProxy(t, server.URL())
	opt := options(t, server, "acme-audit")
	opt.AccountURL = p.URL + "/" + server.Account
	return opt, p
}

func isPut(r *http.Request) bool { return r.Method == http.MethodPut }

func comp(r wire.Request) string {
	q, err := url.ParseQuery(r.RawQuery)
	if err != nil {
		return "invalid"
	}
	return q.Get("comp")
}

func sent(t *testing.T, r wire.Request, want map[string]string) {
	t.Helper()
	for name, value := range want {
		if got := r.Header.Get(name); got != value {
			t.Errorf("%s?%s: %s is %q, want %q", r.Path, r.RawQuery, name, got, value)
		}
	}
	if comp(r) != "blocklist" && r.Header.Get("Content-MD5") == "" {
		t.Errorf("%s?%s carries no checksum", r.Path, r.RawQuery)
	}
}

// Azurite takes these headers and drops what they ask for, so this shows what
// was sent, not what a server does with it.
func TestSentOnTheWire(t *testing.T) {
	opt, p := through(t)
	opt.AccessTier, opt.EncryptionScope, opt.Tags = "cool", "acme-cmk", map[string]string{"team": "a b"}
	s := open(t, opt)
	until := time.Date(2041, 5, 6, 7, 8, 9, 1, time.UTC)
	for _, c := range []struct {
		mode   store.Mode
		called string
		size   int
	}{{store.ModeCompliance, "Locked", 1000}, {store.ModeGovernance, "Unlocked", oneRequest + 1000}} {
		p.Forget()
		data := bytes.Repeat([]byte("x"), c.size)
		_, err := s.PutOnce(t.Context(), "seal/"+c.called, data, store.PutOptions{Retention: store.Retention{Mode: c.mode, Until: until, LegalHold: true}})
		is(t, "PutOnce on a server that drops policies", err, store.ErrRetention)
		if err == nil || !strings.Contains(err.Error(), "dropped its immutability policy") {
			t.Errorf("the error does not say what happened: %v", err)
		}
		sum := sha256.Sum256(data)
		scope := map[string]string{"x-ms-encryption-scope": "acme-cmk"}
		all := map[string]string{
			"If-None-Match": "*", "x-ms-immutability-policy-mode": c.called, "x-ms-immutability-policy-until-date": "Mon, 06 May 2041 07:08:10 GMT",
			"x-ms-legal-hold": "true", "x-ms-access-tier": "Cool", "x-ms-tags": "team=a+b", "x-ms-encryption-scope": "acme-cmk",
			"x-ms-meta-sha256": hex.EncodeToString(sum[:]),
		}
		var blobs, blocks int
		for _, r := range p.Requests() {
			switch {
			case r.Method == http.MethodPut && comp(r) == "block":
				blocks++
				sent(t, r, scope)
			case r.Method == http.MethodPut:
				blobs++
				sent(t, r, all)
			}
		}
		if wantBlocks := (c.size / oneRequest) * 2; blobs != 1 || blocks != wantBlocks {
			t.Errorf("%d bytes took %d blobs and %d blocks, want 1 and %d", c.size, blobs, blocks, wantBlocks)
		}
	}
}

func TestLostAnswers(t *testing.T) {
	opt, p := through(t)
	s := open(t, opt)
	large := bytes.Repeat([]byte("large"), oneRequest/4)
	for name, data := range map[string][]byte{"small": []byte("x"), "large": large} {
		final := func(r *http.Request) bool { return isPut(r) && r.URL.Query().Get("comp") != "block" }
		p.Inject(wire.Fault{Match: final, Times: 1, Action: wire.DropAnswer()})
		put(t, s, "once/"+name, data)

		p.Inject(wire.Fault{Match: final, Action: wire.DropAnswer()})
		_, err := s.PutOnce(t.Context(), "always/"+name, data, store.PutOptions{})
		is(t, "PutOnce without any answer", err, store.ErrUnavailable)
		p.Heal()
		put(t, s, "always/"+name, data)
		_, err = s.PutOnce(t.Context(), "always/"+name, append([]byte("other"), data...), store.PutOptions{})
		is(t, "PutOnce of other bytes", err, store.ErrExists)
	}
}

// What the service says about an overwrite depends on its policies and on the
// caller's rights. Always what is there decides.
func TestRefusedOverwriteIsCompared(t *testing.T) {
	opt, p := through(t)
	s := open(t, opt)
	put(t, s, "a", []byte("genuine"))
	for _, answer := range []struct {
		status int
		code   string
	}{{409, "BlobAlreadyExists"}, {409, "BlobImmutableDueToPolicy"}, {409, "BlobImmutableDueToLegalHold"}, {412, "ConditionNotMet"}, {403, "UnauthorizedBlobOverwrite"}} {
		p.Inject(wire.Fault{Match: isPut, Action: wire.Answer(answer.status, http.Header{"x-ms-error-code": {answer.code}}, "")})
		put(t, s, "a", []byte("genuine"))
		_, err := s.PutOnce(t.Context(), "a", []byte("forged!"), store.PutOptions{})
		is(t, answer.code, err, store.ErrExists)
		_, err = s.PutOnce(t.Context(), "gone", nil, store.PutOptions{})
		is(t, answer.code+" with nothing there", err, store.ErrUnavailable)
		p.Heal()
	}
	// A lack of rights says nothing about what is there.
	p.Inject(wire.Fault{Match: isPut, Action: wire.Answer(403, http.Header{"x-ms-error-code": {"AuthorizationPermissionMismatch"}}, "")})
	put(t, s, "a", []byte("genuine"))
	_, err := s.PutOnce(t.Context(), "a", []byte("forged!"), store.PutOptions{})
	is(t, "a writer that may only add", err, store.ErrExists)
	_, err = s.PutOnce(t.Context(), "gone", nil, store.PutOptions{})
	is(t, "a writer that may not write", err, store.ErrDenied)
}

// flip changes a bit of each upload, after its checksum was made.
type flip struct{ http.RoundTripper }

func (f flip) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method == http.MethodPut && r.ContentLength > 0 && strings.Contains(r.URL.Path, "seal") {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		b[0] ^= 1
		r.Body = io.NopCloser(bytes.NewReader(b))
	}
	return f.RoundTripper.RoundTrip(r)
}

func TestDamageOnTheWayIsRefused(t *testing.T) {
	opt, _ := through(t)
	opt.Transport = flip{http.DefaultTransport}
	s := open(t, opt)
	_, err := s.PutOnce(t.Context(), "seal", []byte("genuine"), store.PutOptions{})
	is(t, "PutOnce of damaged bytes", err, store.ErrUnavailable)
	_, err = s.Stat(t.Context(), "seal")
	is(t, "Stat", err, store.ErrNotFound)
}

// cut breaks the first downloads off.
type cut struct {
	http.RoundTripper
	times int
	after int64
}

func (c *cut) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := c.RoundTripper.RoundTrip(r)
	if err == nil && r.Method == http.MethodGet && resp.ContentLength > 100 && c.times > 0 {
		c.times--
		resp.Body = struct {
			io.Reader
			io.Closer
		}{io.MultiReader(io.LimitReader(resp.Body, c.after), broken{}), resp.Body}
	}
	return resp, err
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestBrokenDownloads(t *testing.T) {
	opt, _ := through(t)
	c := &cut{RoundTripper: http.DefaultTransport}
	opt.Transport = c
	s := open(t, opt)
	data := bytes.Repeat([]byte("0123456789"), 100)
	put(t, s, "a", data)
	for _, times := range []int{1, 100} {
		c.times, c.after = times, int64(100/times/times)
		r, _, err := s.Get(t.Context(), "a")
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(r)
		if times == 1 && (err != nil || !bytes.Equal(got, data)) {
			t.Errorf("a download that broke once: %d bytes, %v", len(got), err)
		}
		if times == 100 && err == nil {
			t.Errorf("a download that always breaks: %d of %d bytes and no error", len(got), len(data))
		}
		_ = r.Close()
	}
	c.times, c.after = 100, 0
	_, err := s.GetRange(t.Context(), "a", 0, 1000)
	is(t, "GetRange that always breaks", err, store.ErrUnavailable)
}
