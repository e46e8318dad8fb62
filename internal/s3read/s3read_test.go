package s3read_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/otelcol-custody/custody/internal/awsclient"
	"github.com/otelcol-custody/custody/internal/awstest"
	"github.com/otelcol-custody/custody/internal/s3read"
)

const (
	bucket = "trail"
	key    = "AWSLogs/111122223333/CloudTrail/eu-central-1/2026/11/20/a+b c=%2B.json.gz"
)

func newReader(t *testing.T, s *awstest.S3, opt s3read.Options) *s3read.Reader {
	t.Helper()
	cfg, err := awsclient.Load(t.Context(), awsclient.Options{Region: "eu-central-1", Endpoint: s.URL, AccessKeyID: "id", SecretAccessKey: "secret"})
	if err != nil {
		t.Fatal(err)
	}
	opt.PathStyle = true
	return s3read.New(cfg, opt)
}

func TestGetReadsTheVersionThatWasNamed(t *testing.T) {
	s := awstest.NewS3(t)
	r := newReader(t, s, s3read.Options{})
	version, etag := s.Put(bucket, key, []byte("first"), map[string]string{"Signature": "aa", "signature-algorithm": "SHA256withRSA"})
	s.Put(bucket, key, []byte("second"), nil)

	obj, err := r.Get(t.Context(), s3read.Ref{Bucket: bucket, Key: key, Version: version}, 100)
	if err != nil || string(obj.Stored.Data) != "first" || obj.Stored.Digest != sha256.Sum256([]byte("first")) {
		t.Fatalf("%+v, %v", obj, err)
	}
	if obj.Ref.ETag != etag || obj.Ref.Version != version || obj.Ref.Size != 5 || obj.Metadata["signature"] != "aa" ||
		obj.Metadata["signature-algorithm"] != "SHA256withRSA" || obj.Modified.IsZero() {
		t.Errorf("read %+v", obj)
	}
	if want := "s3://" + bucket + "/" + key + "?versionId=v1"; obj.Ref.String() != want {
		t.Errorf("reference %s, want %s", obj.Ref, want)
	}
	_, err = r.Get(t.Context(), s3read.Ref{Bucket: bucket, Key: key, ETag: etag}, 100)
	if awsclient.KindOf(err) != awsclient.Changed {
		t.Errorf("overwritten: %v", err)
	}
	obj, err = r.Get(t.Context(), s3read.Ref{Bucket: bucket, Key: key}, 3)
	if err != nil || obj.Stored.Data != nil || obj.Stored.Size != 6 || obj.Stored.Digest != sha256.Sum256([]byte("second")) {
		t.Errorf("over the limit: %+v, %v", obj, err)
	}
}

func TestABodyThatBreaksOffIsContinued(t *testing.T) {
	s := awstest.NewS3(t)
	r := newReader(t, s, s3read.Options{})
	data := bytes.Repeat([]byte("0123456789"), 1000)
	s.Put(bucket, key, data, nil)
	s.Fault(func(c awstest.S3Call) *awstest.S3Fault {
		if c.Number <= 3 {
			return &awstest.S3Fault{Cut: 1000}
		}
		return nil
	})
	obj, err := r.Get(t.Context(), s3read.Ref{Bucket: bucket, Key: key}, 1<<20)
	if err != nil || !bytes.Equal(obj.Stored.Data, data) {
		t.Fatal(err)
	}
	if n := s.Gets(bucket, key); n != 4 {
		t.Errorf("%d calls, want 4", n)
	}
	// It was overwritten in between: two halves of different objects are none.
	other := bytes.Repeat([]byte("x"), len(data))
	s.Fault(func(c awstest.S3Call) *awstest.S3Fault {
		if c.Number == 5 {
			return &awstest.S3Fault{Cut: 1000}
		}
		if c.Number == 6 {
			s.Erase(bucket, key)
			s.Put(bucket, key, other, nil)
		}
		return nil
	})
	if obj, err = r.Get(t.Context(), s3read.Ref{Bucket: bucket, Key: key}, 1<<20); err == nil {
		t.Errorf("read %d bytes of two objects", len(obj.Stored.Data))
	}
	s.Fault(func(awstest.S3Call) *awstest.S3Fault { return &awstest.S3Fault{Cut: 10} })
	if _, err = r.Get(t.Context(), s3read.Ref{Bucket: bucket, Key: key}, 1<<20); err == nil || !strings.Contains(err.Error(), "breaks off") {
		t.Errorf("always cut: %v", err)
	}
}

// A server that keeps the connection open and sends nothing more.
func TestABodyThatStandsStillIsContinued(t *testing.T) {
	s := awstest.NewS3(t)
	s.Put(bucket, key, []byte("0123456789"), nil)
	target := must(url.Parse(s.URL))
	onward := httputil.NewSingleHostReverseProxy(target)
	var calls atomic.Int32
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if calls.Add(1) > 1 {
			onward.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Length", "10")
		w.Header().Set("ETag", `"781e5e245d69b566979b86e28d23f2c7"`)
		w.Write([]byte("0123"))
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	}))
	t.Cleanup(front.Close)
	cfg, err := awsclient.Load(t.Context(), awsclient.Options{Region: "eu-central-1", Endpoint: front.URL, AccessKeyID: "id", SecretAccessKey: "secret"})
	if err != nil {
		t.Fatal(err)
	}
	r := s3read.New(cfg, s3read.Options{PathStyle: true, Stall: 50 * time.Millisecond})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	obj, err := r.Get(ctx, s3read.Ref{Bucket: bucket, Key: key}, 100)
	if err != nil || string(obj.Stored.Data) != "0123456789" || calls.Load() != 2 {
		t.Errorf("%+v, %v after %d calls", obj, err, calls.Load())
	}
}

// What does not fit beside the objects in hand waits; what never fits is read alone.
func TestMemoryIsBounded(t *testing.T) {
	s := awstest.NewS3(t)
	data := bytes.Repeat([]byte("x"), 1000)
	s.Put(bucket, key, data, nil)
	for _, memory := range []int64{30_000, 10} {
		r := newReader(t, s, s3read.Options{Memory: memory})
		first, err := r.Get(t.Context(), s3read.Ref{Bucket: bucket, Key: key}, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		if _, err := r.Get(ctx, s3read.Ref{Bucket: bucket, Key: key}, 1<<20); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%d bytes: a second object: %v", memory, err)
		}
		cancel()
		first.Release()
		second, err := r.Get(t.Context(), s3read.Ref{Bucket: bucket, Key: key}, 1<<20)
		if err != nil || !bytes.Equal(second.Stored.Data, data) {
			t.Errorf("%d bytes: after its release: %v", memory, err)
		}
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestRefusalsHaveAKindAndAWayOut(t *testing.T) {
	s := awstest.NewS3(t)
	r := newReader(t, s, s3read.Options{})
	for _, tt := range []struct {
		status int
		code   string
		kind   awsclient.Kind
		says   string
	}{
		{404, "NoSuchKey", awsclient.Missing, "NoSuchKey"},
		{404, "NoSuchVersion", awsclient.Missing, "NoSuchVersion"},
		{404, "NoSuchBucket", awsclient.Denied, "NoSuchBucket"},
		{405, "MethodNotAllowed", awsclient.Missing, "MethodNotAllowed"},
		{403, "AccessDenied", awsclient.Denied, "docs/aws.md"},
		{400, "KMS.DisabledException", awsclient.Denied, "KMS"},
		{503, "SlowDown", awsclient.Throttled, "more slowly"},
		{400, "ExpiredToken", awsclient.Credentials, "clock"},
		{403, "InvalidAccessKeyId", awsclient.Credentials, "clock"},
		{403, "InvalidObjectState", awsclient.Archived, "restore"},
		{500, "InternalError", awsclient.Passing, "InternalError"},
		{404, "", awsclient.Passing, ""}, // a proxy's, perhaps: nobody said that the object is gone
		{405, "", awsclient.Passing, ""},
		{400, "InvalidArgument", awsclient.Refused, "InvalidArgument"},
		{400, "RequestTimeout", awsclient.Passing, "RequestTimeout"},
	} {
		s.Fault(func(awstest.S3Call) *awstest.S3Fault { return &awstest.S3Fault{Status: tt.status, Code: tt.code} })
		_, err := r.Get(t.Context(), s3read.Ref{Bucket: bucket, Key: key}, 100)
		if err == nil || awsclient.KindOf(err) != tt.kind || !strings.Contains(err.Error(), tt.says) ||
			!strings.Contains(err.Error(), "s3://"+bucket+"/"+key) {
			t.Errorf("%s: kind %v, want %v: %v", tt.code, awsclient.KindOf(err), tt.kind, err)
		}
	}
}

// What passes within seconds is not even noticed.
func TestSlowDownIsRetried(t *testing.T) {
	s := awstest.NewS3(t)
	r := newReader(t, s, s3read.Options{})
	s.Put(bucket, key, []byte("x"), nil)
	s.Fault(func(c awstest.S3Call) *awstest.S3Fault {
		if c.Number < 3 {
			return &awstest.S3Fault{Status: 503, Code: "SlowDown"}
		}
		return nil
	})
	if _, err := r.Get(t.Context(), s3read.Ref{Bucket: bucket, Key: key}, 100); err != nil {
		t.Error(err)
	}
}

func TestHeadersThatOwnersAskFor(t *testing.T) {
	s := awstest.NewS3(t)
	r := newReader(t, s, s3read.Options{RequesterPays: true, BucketOwner: "111122223333"})
	s.Put(bucket, key, []byte("x"), nil)
	var seen []string
	s.Fault(func(c awstest.S3Call) *awstest.S3Fault {
		seen = append(seen, c.Header.Get("X-Amz-Request-Payer")+" "+c.Header.Get("X-Amz-Expected-Bucket-Owner"))
		return nil
	})
	if _, err := r.Get(t.Context(), s3read.Ref{Bucket: bucket, Key: key}, 100); err != nil {
		t.Fatal(err)
	}
	for _, err := range r.List(t.Context(), bucket, "", "") {
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, err := r.Folders(t.Context(), bucket, ""); err != nil {
		t.Fatal(err)
	}
	for _, got := range seen {
		if got != "requester 111122223333" {
			t.Errorf("sent %q", got)
		}
	}
}

// A bucket in another region says so, and is then called there.
func TestBucketInAnotherRegion(t *testing.T) {
	s := awstest.NewS3(t)
	r := newReader(t, s, s3read.Options{})
	s.Put(bucket, key, []byte("x"), nil)
	wrong := 0
	s.Fault(func(c awstest.S3Call) *awstest.S3Fault {
		if strings.Contains(c.Header.Get("Authorization"), "/us-west-2/s3/") {
			return nil
		}
		wrong++
		return &awstest.S3Fault{Status: http.StatusMovedPermanently, Code: "PermanentRedirect", Header: http.Header{"X-Amz-Bucket-Region": {"us-west-2"}}}
	})
	for range 3 {
		if _, err := r.Get(t.Context(), s3read.Ref{Bucket: bucket, Key: key}, 100); err != nil {
			t.Fatal(err)
		}
	}
	if wrong != 1 {
		t.Errorf("%d calls to the wrong region", wrong)
	}
}

func TestListAndFolders(t *testing.T) {
	s := awstest.NewS3(t)
	s.PageSize(3)
	r := newReader(t, s, s3read.Options{})
	var want []string
	for _, day := range []string{"19", "20", "21"} {
		for i := range 4 {
			k := fmt.Sprintf("p/2026/11/%s/%d", day, i)
			s.Put(bucket, k, []byte(k), nil)
			if day > "19" || i > 1 {
				want = append(want, k)
			}
		}
	}
	s.Put(bucket, "q", nil, nil)
	var got []string
	for o, err := range r.List(t.Context(), bucket, "p/", "p/2026/11/19/1") {
		if err != nil {
			t.Fatal(err)
		}
		if !o.Ref.Pinned() || o.Modified.IsZero() || o.Ref.Size != int64(len(o.Ref.Key)) {
			t.Errorf("listed %+v", o)
		}
		got = append(got, o.Ref.Key)
	}
	if !slices.Equal(got, want) {
		t.Errorf("listed %v, want %v", got, want)
	}
	folders, err := r.Folders(t.Context(), bucket, "p/2026/11/")
	if want := []string{"p/2026/11/19/", "p/2026/11/20/", "p/2026/11/21/"}; err != nil || !slices.Equal(folders, want) {
		t.Errorf("folders %v, %v", folders, err)
	}
	s.Fault(func(c awstest.S3Call) *awstest.S3Fault { return &awstest.S3Fault{Status: 403, Code: "AccessDenied"} })
	last := errors.New("no pair")
	for _, last = range r.List(t.Context(), bucket, "p/", "") {
	}
	if awsclient.KindOf(last) != awsclient.Denied || !strings.Contains(last.Error(), "s3:ListBucket") {
		t.Errorf("refused listing: %v", last)
	}
}
