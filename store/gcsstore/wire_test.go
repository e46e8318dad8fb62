package gcsstore_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	raw "google.golang.org/api/storage/v1"

	"github.com/otelcol-custody/custody/store"
	"github.com/otelcol-custody/custody/store/gcsstore"
	"github.com/otelcol-custody/custody/store/storetest/servers"
	"github.com/otelcol-custody/custody/store/storetest/wire"
)

// tape notes requests with their bodies.
type tape struct {
	mu   sync.Mutex
	sent []sent
	base *http.Transport
}

type sent struct {
	method string
	url    *url.URL
	header http.Header
	body   []byte
}

func newTape(t *testing.T) *tape {
	tp := &tape{base: &http.Transport{}}
	t.Cleanup(tp.base.CloseIdleConnections)
	return tp
}

func (tp *tape) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		r.Body.Close()
		r = r.Clone(r.Context())
		body, r.Body, r.ContentLength = b, io.NopCloser(bytes.NewReader(b)), int64(len(b))
	}
	tp.mu.Lock()
	tp.sent = append(tp.sent, sent{r.Method, r.URL, r.Header.Clone(), body})
	tp.mu.Unlock()
	return tp.base.RoundTrip(r)
}

// rewind returns what was noted, and forgets it.
func (tp *tape) rewind() []sent {
	tp.mu.Lock()
	defer tp.mu.Unlock()
	out := tp.sent
	tp.sent = nil
	return out
}

// meta is the object's description in a request that begins an upload.
func (s sent) meta(t *testing.T) raw.Object {
	t.Helper()
	var r io.Reader = bytes.NewReader(s.body)
	kind, params, err := mime.ParseMediaType(s.header.Get("Content-Type"))
	if err == nil && strings.HasPrefix(kind, "multipart/") {
		r, err = multipart.NewReader(r, params["boundary"]).NextPart()
	}
	var o raw.Object
	if err == nil {
		err = json.NewDecoder(r).Decode(&o)
	}
	if err != nil {
		t.Fatalf("%s %s: %v", s.method, s.url, err)
	}
	return o
}

const kmsKey = "projects/acme/locations/eu/keyRings/audit/cryptoKeys/evidence"

func openFake(t *testing.T, opt gcsstore.Options) (*gcsstore.Store, *tape) {
	g := servers.FakeGCS(t)
	g.Bucket(t, "acme-audit")
	tp := newTape(t)
	opt.Endpoint, opt.Transport = g.Endpoint, tp
	s := open(t, opt)
	t.Cleanup(func() { _ = s.Close() })
	return s, tp
}

// TestUploadsCarry checks, on the wire to fake-gcs-server, everything that a
// request which creates an object must have, in one request and in chunks.
func TestUploadsCarry(t *testing.T) {
	s, tp := openFake(t, gcsstore.Options{
		StorageClass: "NEARLINE", KMSKey: kmsKey, UserProject: "acme-billing", Metadata: map[string]string{"team": "audit"},
	})
	until := time.Now().Add(72 * time.Hour).Truncate(time.Second).Add(time.Millisecond)
	for size, kind := range map[int]string{3 << 20: "multipart", 20 << 20: "resumable"} {
		tp.rewind()
		data := bytes.Repeat([]byte("evidence"), size/8)
		_, err := s.PutOnce(t.Context(), kind, data, store.PutOptions{Retention: store.Retention{Mode: store.ModeCompliance, Until: until}})
		if kind == "resumable" {
			// fake-gcs-server drops the retention of such uploads.
			says(t, err, store.ErrRetention, "compliance until", "by none")
		} else if err != nil {
			t.Fatal(err)
		}
		all := tp.rewind()
		q, o := all[0].url.Query(), all[0].meta(t)
		crc, md := checksums(data)
		sum := sha256.Sum256(data)
		for what, c := range map[string][2]string{
			"uploadType": {q.Get("uploadType"), kind}, "ifGenerationMatch": {q.Get("ifGenerationMatch"), "0"},
			"userProject": {q.Get("userProject"), "acme-billing"}, "kmsKeyName": {q.Get("kmsKeyName"), kmsKey},
			"crc32c": {o.Crc32c, crc}, "md5Hash": {o.Md5Hash, md}, "storageClass": {o.StorageClass, "NEARLINE"},
			"sha256": {o.Metadata[gcsstore.DigestKey], hex.EncodeToString(sum[:])}, "metadata": {o.Metadata["team"], "audit"},
			"mode": {o.Retention.Mode, "Locked"}, "until": {o.Retention.RetainUntilTime, until.Add(time.Second).UTC().Format(time.RFC3339)},
		} {
			if c[0] != c[1] {
				t.Errorf("%s: sent %s %q, want %q", kind, what, c[0], c[1])
			}
		}
		if want := map[string]int{"multipart": 1, "resumable": 3}[kind]; len(all) != want {
			t.Errorf("%s: %d requests, want %d", kind, len(all), want)
		}
	}
}

// TestHoldIsSent: fake-gcs-server drops the hold, and the store notices.
func TestHoldIsSent(t *testing.T) {
	s, tp := openFake(t, gcsstore.Options{})
	tp.rewind()
	_, err := s.PutOnce(t.Context(), "held", []byte("x"), store.PutOptions{Retention: store.Retention{LegalHold: true}})
	says(t, err, store.ErrRetention, "none with a legal hold")
	if o := tp.rewind()[0].meta(t); !o.TemporaryHold || o.Retention != nil {
		t.Errorf("sent %+v, want a temporary hold and no retention", o)
	}
}

func TestExtendSends(t *testing.T) {
	d, tp := newDouble(t, nil), newTape(t)
	s := open(t, gcsstore.Options{Endpoint: d.URL, Transport: tp})
	defer s.Close()
	at := func(mode store.Mode, hours int) store.Retention {
		return store.Retention{Mode: mode, Until: time.Now().Add(time.Duration(hours) * time.Hour)}
	}
	info, err := s.PutOnce(t.Context(), "a", []byte("x"), store.PutOptions{Retention: at(store.ModeGovernance, 24)})
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range []struct {
		r        store.Retention
		override string
	}{{at(store.ModeGovernance, 48), ""}, {at(store.ModeCompliance, 12), "true"}, {at(store.ModeGovernance, 72), ""}} {
		tp.rewind()
		if _, err := s.Extend(t.Context(), "a", info.Version, c.r); err != nil {
			t.Fatal(err)
		}
		all := tp.rewind()
		p := all[len(all)-1]
		q := p.url.Query()
		if p.method != http.MethodPatch || q.Get("generation") != info.Version || q.Get("ifMetagenerationMatch") != string(rune('1'+i)) ||
			q.Get("overrideUnlockedRetention") != c.override {
			t.Errorf("extension %d: sent %s %s", i, p.method, p.url)
		}
		if o := p.meta(t); i == 2 && o.Retention.Mode != "Locked" {
			t.Errorf("extension %d weakens: %+v", i, o.Retention)
		}
	}
}

func isUpload(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, "/upload/") }

// through leads requests to the proxy and leaves their Host as it is, by which
// fake-gcs-server tells reading from the rest.
func through(t *testing.T, p *wire.Proxy) http.RoundTripper {
	tr := &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, strings.TrimPrefix(p.URL, "http://"))
	}}
	t.Cleanup(tr.CloseIdleConnections)
	return tr
}

// TestLostAnswers: the server did it, and the client does not learn so.
func TestLostAnswers(t *testing.T) {
	g := servers.FakeGCS(t)
	g.Bucket(t, "acme-audit")
	p := wire.NewProxy(t, g.Endpoint)
	s := open(t, gcsstore.Options{Endpoint: g.Endpoint, Transport: through(t, p)})
	defer s.Close()
	last := func(r *http.Request) bool {
		return isUpload(r) && r.Header.Get("Content-Range") != "" && !strings.HasSuffix(r.Header.Get("Content-Range"), "/*")
	}
	for name, match := range map[string]func(*http.Request) bool{"small": isUpload, "large": last} {
		data := bytes.Repeat([]byte(name), map[string]int{"small": 200, "large": 4 << 20}[name])
		p.Inject(wire.Fault{Match: match, Times: 1, Action: wire.DropAnswer()})
		info, err := s.PutOnce(t.Context(), name, data, store.PutOptions{})
		if err != nil || info.SHA256 != sha256.Sum256(data) {
			t.Errorf("%s: %+v, %v", name, info, err)
		}
		if got, err := s.Versions(t.Context(), name); err != nil || len(got) != 1 {
			t.Errorf("%s: %d versions, %v; want 1", name, len(got), err)
		}
		p.Heal()
	}
}

// TestWriterThatMayNotReplace: it can be refused by its rights before the
// precondition is looked at. What is there decides, also at the start.
func TestWriterThatMayNotReplace(t *testing.T) {
	p := wire.NewProxy(t, newDouble(t, nil).URL)
	first := open(t, gcsstore.Options{Endpoint: p.URL})
	defer first.Close()
	if _, err := first.PutOnce(t.Context(), "a", []byte("genuine"), store.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	p.Inject(wire.Fault{Match: isUpload, Action: wire.Answer(403, nil, said("forbidden", fmt.Sprintf(noRight, "delete")))})
	s := open(t, gcsstore.Options{Endpoint: p.URL}) // Finds today's probe there.
	defer s.Close()
	if _, err := s.PutOnce(t.Context(), "a", []byte("genuine"), store.PutOptions{}); err != nil {
		t.Error(err)
	}
	_, err := s.PutOnce(t.Context(), "a", []byte("forged!"), store.PutOptions{})
	says(t, err, store.ErrExists, "a")
	_, err = s.PutOnce(t.Context(), "gone", nil, store.PutOptions{})
	says(t, err, store.ErrDenied, "storage.objects.delete")
}

// TestLostAnswerKeepsRetention, on the double: what is found is retained.
func TestLostAnswerKeepsRetention(t *testing.T) {
	p := wire.NewProxy(t, newDouble(t, nil).URL)
	s := open(t, gcsstore.Options{Endpoint: p.URL})
	defer s.Close()
	for _, method := range []string{http.MethodPost, http.MethodPatch} {
		want := store.Retention{Mode: store.ModeCompliance, Until: time.Now().Add(time.Duration(len(method)) * time.Hour)}
		p.Inject(wire.Fault{Match: func(r *http.Request) bool { return r.Method == method }, Times: 1, Action: wire.DropAnswer()})
		info, err := s.PutOnce(t.Context(), "a", []byte("x"), store.PutOptions{Retention: want})
		if err != nil || !info.Retention.Covers(want) {
			t.Errorf("lost answer to %s: %+v, %v", method, info, err)
		}
		p.Heal()
	}
}

// TestLostUploadIsBegunAgain: a server may forget an upload between chunks; its
// 404 then doesn't mean that the bucket is gone.
func TestLostUploadIsBegunAgain(t *testing.T) {
	p := wire.NewProxy(t, newDouble(t, nil).URL)
	s := open(t, gcsstore.Options{Endpoint: p.URL})
	defer s.Close()
	data := make([]byte, 17<<20)
	last := func(r *http.Request) bool { return strings.HasSuffix(r.Header.Get("Content-Range"), "/17825792") }
	for i, act := range []wire.Action{wire.Answer(404, nil, ""), wire.Answer(410, nil, ""), wire.DropAnswer()} {
		p.Inject(wire.Fault{Match: last, Times: 1, Action: act})
		if _, err := s.PutOnce(t.Context(), fmt.Sprint("large", i), data, store.PutOptions{}); err != nil {
			t.Errorf("fault %d: %v", i, err)
		}
	}
}

func TestTransientErrorsAreTriedAgain(t *testing.T) {
	p := wire.NewProxy(t, newDouble(t, nil).URL)
	s := open(t, gcsstore.Options{Endpoint: p.URL})
	defer s.Close()
	for _, code := range []int{408, 429, 503} {
		for _, size := range []int{10, 17 << 20} {
			name := http.StatusText(code)[:3] + base64.RawURLEncoding.EncodeToString([]byte{byte(code), byte(size)})
			p.Inject(wire.Fault{Match: isUpload, Times: 2, Action: wire.Answer(code, nil, `{}`)})
			if _, err := s.PutOnce(t.Context(), name, make([]byte, size), store.PutOptions{}); err != nil {
				t.Errorf("%d twice: %v", code, err)
			}
			p.Inject(wire.Fault{Times: 2, Action: wire.Answer(code, nil, `{}`)})
			if _, err := s.GetRange(t.Context(), name, 0, 5); err != nil {
				t.Errorf("%d twice: %v", code, err)
			}
			p.Heal()
		}
	}
}
