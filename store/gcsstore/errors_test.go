package gcsstore_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/otelcol-custody/custody/store"
	"github.com/otelcol-custody/custody/store/gcsstore"
	"github.com/otelcol-custody/custody/store/storetest/servers"
	"github.com/otelcol-custody/custody/store/storetest/wire"
)

// said is an answer of Cloud Storage that isn't success.
func said(reason, message string) string {
	b, _ := json.Marshal(map[string]any{"error": map[string]any{
		"message": message, "errors": []map[string]string{{"reason": reason, "message": message}},
	}})
	return string(b)
}

const noRight = "writer@acme.iam.gserviceaccount.com does not have storage.objects.%s access to the Google Cloud Storage object. Permission denied."

// TestAnswersHaveClasses gives Google's answers in the server's place.
func TestAnswersHaveClasses(t *testing.T) {
	p := wire.NewProxy(t, newDouble(t, nil).URL)
	s := open(t, gcsstore.Options{Endpoint: p.URL})
	defer s.Close()
	for _, c := range []struct {
		code  int
		body  string
		class error
		words string
	}{
		{401, said("authError", "Invalid Credentials"), store.ErrDenied, "Invalid Credentials"},
		{403, said("forbidden", fmt.Sprintf(noRight, "create")), store.ErrDenied, "storage.objects.create"},
		{403, said("forbidden", fmt.Sprintf(noRight, "setRetention")), store.ErrDenied, "storage.objects.setRetention"},
		{403, said("retentionPolicyNotMet", "Object 'a' is subject to bucket's retention policy"), store.ErrRetention, "retention policy"},
		{403, said("rateLimitExceeded", "slow down"), store.ErrUnavailable, "slow down"},
		{400, said("invalid", "Object retention is not enabled"), store.ErrRetention, "--enable-per-object-retention"},
		{400, said("userProjectMissing", "Bucket is a requester pays bucket but no user project provided."), store.ErrUnfit, "user_project"},
		{400, said("invalid", "Invalid storage class"), store.ErrUnfit, "Invalid storage class"},
		{404, said("notFound", "The specified bucket does not exist."), store.ErrUnfit, "bucket: there is no bucket"},
		{403, "<Error><Code>AccessDenied</Code><Details>writer does not have storage.objects.get access</Details></Error>", store.ErrDenied, "storage.objects.get"},
	} {
		p.Inject(wire.Fault{Action: wire.Answer(c.code, nil, c.body)})
		_, err := s.PutOnce(t.Context(), "a", []byte("x"), store.PutOptions{})
		says(t, err, c.class, c.words, s.ID())
		if strings.Contains(err.Error(), "http://127") {
			t.Errorf("the message holds a URL: %v", err)
		}
		if c.body[0] == '<' { // So the interface for reading answers.
			_, _, err = s.Get(t.Context(), "a")
			says(t, err, c.class, c.words)
		}
		p.Heal()
	}
}

func TestMissingBucket(t *testing.T) {
	for _, endpoint := range []string{newDouble(t, nil).URL, servers.FakeGCS(t).Endpoint} {
		for _, readOnly := range []bool{false, true} {
			_, err := gcsstore.Open(t.Context(), gcsstore.Options{Bucket: "missing", Endpoint: endpoint, Anonymous: true, ReadOnly: readOnly})
			says(t, err, store.ErrUnfit, "bucket: there is no bucket", "gs://missing")
		}
	}
}

// TestBucketGoes: a bucket that is gone does not pass for missing objects.
func TestBucketGoes(t *testing.T) {
	p := wire.NewProxy(t, newDouble(t, nil).URL)
	s := open(t, gcsstore.Options{Endpoint: p.URL})
	defer s.Close()
	p.Inject(wire.Fault{Action: wire.Answer(404, nil, said("notFound", "The specified bucket does not exist."))})
	_, _, err := s.Get(t.Context(), "a")
	says(t, err, store.ErrUnfit, "bucket")
	_, err = s.Stat(t.Context(), "a")
	says(t, err, store.ErrUnfit, "bucket")
	for _, err := range s.List(t.Context(), "", "") {
		says(t, err, store.ErrUnfit, "bucket")
	}
}

// careless drops the precondition, as a server does that does not know it.
type careless struct{ http.RoundTripper }

func (c careless) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	q := r.URL.Query()
	q.Del("ifGenerationMatch")
	r.URL.RawQuery = q.Encode()
	return c.RoundTripper.RoundTrip(r)
}

func TestServerThatReplacesIsRefused(t *testing.T) {
	tp := newTape(t)
	_, err := gcsstore.Open(t.Context(), gcsstore.Options{Bucket: "acme-audit", Endpoint: newDouble(t, nil).URL, Transport: careless{tp}})
	says(t, err, store.ErrUnfit, "ifGenerationMatch=0", "cannot keep evidence")
}

func TestProbeCostsOneRequestWhenItWasDoneToday(t *testing.T) {
	d, tp := newDouble(t, nil), newTape(t)
	for i, want := range []int{3, 2} { // settings, probe, probe again
		tp.rewind()
		s := open(t, gcsstore.Options{Endpoint: d.URL, Transport: tp, Prefix: "/prod/"})
		if got := tp.rewind(); len(got) != want {
			t.Errorf("opening %d took %d requests, want %d", i, len(got), want)
		}
		for info, err := range s.ListVersions(t.Context(), "", "") {
			t.Errorf("a probe is listed: %+v, %v", info, err)
		}
		_ = s.Close()
	}
}

func TestReadOnlyNeverWrites(t *testing.T) {
	d, tp := newDouble(t, nil), newTape(t)
	s := open(t, gcsstore.Options{Endpoint: d.URL, Transport: tp, ReadOnly: true})
	defer s.Close()
	keep := store.Retention{Mode: store.ModeGovernance, Until: time.Now().Add(time.Hour)}
	_, err := s.PutOnce(t.Context(), "a", nil, store.PutOptions{})
	says(t, err, store.ErrReadOnly)
	_, err = s.Extend(t.Context(), "a", "", keep)
	says(t, err, store.ErrReadOnly)
	if _, err := s.CheckLock(t.Context(), store.ModeGovernance); err != nil {
		t.Error(err)
	}
	for _, r := range tp.rewind() {
		if r.method != http.MethodGet {
			t.Errorf("sent %s %s", r.method, r.url)
		}
	}
}

func TestRetentionThatCannotBeSaid(t *testing.T) {
	s := open(t, gcsstore.Options{Endpoint: newDouble(t, nil).URL})
	defer s.Close()
	soon := time.Now().Add(time.Hour)
	for _, r := range []store.Retention{{Mode: store.ModeGovernance}, {Until: soon}, {Mode: store.ModeCompliance, Until: time.Now()}, {Mode: 9, Until: soon}} {
		_, err := s.PutOnce(t.Context(), "a", []byte("x"), store.PutOptions{Retention: r})
		says(t, err, store.ErrRetention)
		_, err = s.Stat(t.Context(), "a")
		says(t, err, store.ErrNotFound)
	}
}

func TestUnreachable(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	begin := time.Now()
	_, err = gcsstore.Open(t.Context(), gcsstore.Options{Bucket: "acme-audit", Endpoint: "http://" + l.Addr().String(), Anonymous: true})
	says(t, err, store.ErrUnavailable, "refused")
	if took := time.Since(begin); took > 20*time.Second {
		t.Errorf("it took %v to say so", took)
	}

	p := wire.NewProxy(t, newDouble(t, nil).URL)
	s := open(t, gcsstore.Options{Endpoint: p.URL})
	defer s.Close()
	for size, act := range map[int]wire.Action{1: wire.Refuse(), 17 << 20: wire.Answer(503, nil, said("backendError", "try later"))} {
		p.Inject(wire.Fault{Action: act})
		begin := time.Now()
		_, err = s.PutOnce(t.Context(), "a", make([]byte, size), store.PutOptions{})
		says(t, err, store.ErrUnavailable)
		if strings.Contains(err.Error(), "/upload/") { // The URL of an upload is as good as a key.
			t.Errorf("the message holds a URL: %v", err)
		}
		if took := time.Since(begin); took > 20*time.Second {
			t.Errorf("PutOnce of %d bytes took %v to fail", size, took)
		}
		_, err = s.Stat(t.Context(), "a")
		says(t, err, store.ErrUnavailable)
		p.Heal()
	}
}

func TestHangingServerEndsWithTheContext(t *testing.T) {
	p := wire.NewProxy(t, newDouble(t, nil).URL)
	s := open(t, gcsstore.Options{Endpoint: p.URL})
	defer s.Close()
	p.Inject(wire.Fault{Action: wire.Hang()})
	for what, call := range map[string]func(context.Context) error{
		"PutOnce": func(ctx context.Context) error {
			_, err := s.PutOnce(ctx, "a", []byte("x"), store.PutOptions{})
			return err
		},
		"PutOnce, large": func(ctx context.Context) error {
			_, err := s.PutOnce(ctx, "a", make([]byte, 17<<20), store.PutOptions{})
			return err
		},
		"Stat": func(ctx context.Context) error { _, err := s.Stat(ctx, "a"); return err },
		"Get":  func(ctx context.Context) error { _, _, err := s.Get(ctx, "a"); return err },
		"CheckLock": func(ctx context.Context) error {
			_, err := s.CheckLock(ctx, store.ModeGovernance)
			return err
		},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		begin := time.Now()
		err := call(ctx)
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) > 5*time.Second {
			t.Errorf("%s: %v after %v", what, err, time.Since(begin))
		}
	}
	p.Heal()
}

func TestOptions(t *testing.T) {
	for words, opt := range map[string]gcsstore.Options{
		"bucket: required": {}, "bucket: ": {Bucket: "acme/audit"}, "prefix: ": {Bucket: "b", Prefix: "a/../b"},
		"endpoint: ": {Bucket: "b", Endpoint: "127.0.0.1:80"}, "scheme, host and port alone": {Bucket: "b", Endpoint: "http://u:p@h"},
		"kms_key: ": {Bucket: "b", KMSKey: "evidence"}, "anonymous: ": {Bucket: "b", Anonymous: true, CredentialsFile: "x"},
		"tags: ": {Bucket: "b", Metadata: map[string]string{gcsstore.DigestKey: "x"}},
	} {
		if _, err := gcsstore.Open(t.Context(), opt); err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("%+v: %v, want it to say %q", opt, err, words)
		}
	}
}

func TestID(t *testing.T) {
	d := newDouble(t, nil)
	for prefix, want := range map[string]string{"": "gs://acme-audit", "/prod/eu/": "gs://acme-audit/prod/eu"} {
		s := open(t, gcsstore.Options{Endpoint: d.URL, Prefix: prefix})
		if want += "?endpoint=" + strings.TrimPrefix(d.URL, "http://"); s.ID() != want {
			t.Errorf("ID %q, want %q", s.ID(), want)
		}
		_ = s.Close()
		if _, err := s.Stat(t.Context(), "a"); !errors.Is(err, store.ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
	}
}
