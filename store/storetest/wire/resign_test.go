package wire_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"

	"github.com/otelcol-custody/custody/store/storetest/servers"
	"github.com/otelcol-custody/custody/store/storetest/wire"
)

const bucket = "acme-audit"

func isPut(r *http.Request) bool { return r.Method == http.MethodPut }

// through returns a client that reaches Versity through a proxy.
func through(t *testing.T) (*s3.Client, *wire.Proxy) {
	t.Helper()
	s := servers.Versity(t)
	s.Bucket(t, bucket, true)
	p := wire.NewProxy(t, s.Endpoint, wire.Resign(s.AccessKey, s.SecretKey, s.Region))
	s.Endpoint = p.URL
	return s.Client(), p
}

// locked is a create-only, locked put with a digest that was computed before.
func locked(key string, data []byte) *s3.PutObjectInput {
	sum := sha256.Sum256(data)
	return &s3.PutObjectInput{
		Bucket: aws.String(bucket), Key: aws.String(key), Body: bytes.NewReader(data), IfNoneMatch: aws.String("*"),
		ChecksumSHA256: aws.String(base64.StdEncoding.EncodeToString(sum[:])),
		ObjectLockMode: types.ObjectLockModeCompliance, ObjectLockRetainUntilDate: aws.Time(time.Now().Add(time.Hour)),
	}
}

func holds(t *testing.T, c *s3.Client, key string, want []byte) {
	t.Helper()
	got, err := c.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String(bucket), Key: aws.String(key)})
	if err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close()
	if b, err := io.ReadAll(got.Body); err != nil || !bytes.Equal(b, want) {
		t.Errorf("%q holds %d bytes, %v; want %d", key, len(b), err, len(want))
	}
}

func TestSignaturesHoldThroughTheProxy(t *testing.T) {
	c, p := through(t)
	key := "a b/c+d/ü%2F"
	if _, err := c.PutObject(t.Context(), locked(key, []byte("one"))); err != nil {
		t.Fatal(err)
	}
	var refusal smithy.APIError
	if _, err := c.PutObject(t.Context(), locked(key, []byte("two"))); !errors.As(err, &refusal) || refusal.ErrorCode() != "PreconditionFailed" {
		t.Errorf("put over an object: %v, want PreconditionFailed", err)
	}
	holds(t, c, key, []byte("one"))
	for i, status := range []int{http.StatusOK, http.StatusPreconditionFailed} {
		if r := p.Requests()[i]; r.Status != status || r.Header.Get("If-None-Match") != "*" || r.Header.Get("X-Amz-Object-Lock-Mode") != "COMPLIANCE" {
			t.Errorf("noted: %+v, want status %d", r, status)
		}
	}
}

func TestResign(t *testing.T) {
	c, p := through(t)
	for _, data := range [][]byte{[]byte("one"), []byte("two"), bytes.Repeat([]byte("x"), 3<<20)} {
		p.Inject(wire.Fault{Match: isPut, Times: 1, Action: wire.Strip("If-None-Match")})
		if _, err := c.PutObject(t.Context(), locked("a/b c", data)); err != nil {
			t.Fatalf("put without its condition: %v", err)
		}
		holds(t, c, "a/b c", data)
	}
	p.Inject(wire.Fault{Match: isPut, Action: wire.Strip("X-Amz-Object-Lock-Mode", "X-Amz-Object-Lock-Retain-Until-Date")})
	if _, err := c.PutObject(t.Context(), locked("bare", []byte("x"))); err != nil {
		t.Fatalf("put without its lock: %v", err)
	}
	head, err := c.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: aws.String(bucket), Key: aws.String("bare")})
	if err != nil || head.ObjectLockMode != "" {
		t.Errorf("the lock was not stripped: %v, %v", head, err)
	}
}

// With a checksum that the SDK computes, also of what it cannot hash in advance.
func TestResignComputedChecksum(t *testing.T) {
	c, p := through(t)
	p.Inject(wire.Fault{Match: isPut, Action: wire.Strip("If-None-Match")})
	for _, data := range [][]byte{[]byte("one"), []byte("two")} {
		in := locked("a", data)
		in.ChecksumSHA256, in.ChecksumAlgorithm = nil, types.ChecksumAlgorithmSha256
		if _, err := c.PutObject(t.Context(), in); err != nil {
			t.Fatal(err)
		}
		holds(t, c, "a", data)
	}
}
