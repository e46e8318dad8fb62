package s3store_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"go.uber.org/goleak"

	"github.com/otelcol-custody/custody/store"
	"github.com/otelcol-custody/custody/store/s3store"
	"github.com/otelcol-custody/custody/store/storetest"
	"github.com/otelcol-custody/custody/store/storetest/servers"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const bucket = "acme-audit"

// options reach a server's bucket, below a prefix.
func options(server *servers.S3, prefix string) s3store.Options {
	return s3store.Options{
		Bucket: bucket, Prefix: prefix, Region: server.Region, Endpoint: server.Endpoint, PathStyle: true,
		AccessKeyID: server.AccessKey, SecretAccessKey: server.SecretKey,
	}
}

func open(t testing.TB, opt s3store.Options) *s3store.Store {
	t.Helper()
	s, err := s3store.Open(t.Context(), opt)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return s
}

// attacker has the owner's credentials and a plain client.
func attacker(c *s3.Client, prefix string) storetest.Attacker {
	key := func(name string) *string { return aws.String(prefix + "/" + name) }
	version := func(v string) *string {
		if v == "" {
			return nil
		}
		return &v
	}
	remove := func(bypass *bool) func(context.Context, string, string) error {
		return func(ctx context.Context, name, v string) error {
			_, err := c.DeleteObject(ctx, &s3.DeleteObjectInput{
				Bucket: aws.String(bucket), Key: key(name), VersionId: version(v), BypassGovernanceRetention: bypass,
			})
			return err
		}
	}
	return storetest.Attacker{
		Delete: remove(nil),
		Bypass: remove(aws.Bool(true)),
		Overwrite: func(ctx context.Context, name string, data []byte) error {
			_, err := c.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String(bucket), Key: key(name), Body: bytes.NewReader(data)})
			return err
		},
		Retain: func(ctx context.Context, name, v string, r store.Retention) error {
			lock := &types.ObjectLockRetention{}
			if r.Mode != store.ModeNone {
				lock.Mode = types.ObjectLockRetentionMode(strings.ToUpper(r.Mode.String()))
				lock.RetainUntilDate = &r.Until
			}
			_, err := c.PutObjectRetention(ctx, &s3.PutObjectRetentionInput{
				Bucket: aws.String(bucket), Key: key(name), VersionId: version(v), Retention: lock,
			})
			return err
		},
	}
}

// prefixes gives each part of a suite an empty store in one bucket.
func prefixes() func() string {
	var n atomic.Int64
	return func() string { return fmt.Sprintf("part/%03d", n.Add(1)) }
}

func TestConformance(t *testing.T) {
	for _, c := range []struct {
		name   string
		start  func(t testing.TB) *servers.S3
		locked bool
	}{
		{"versitygw", func(t testing.TB) *servers.S3 { return servers.Versity(t) }, true},
		{"versitygw without versions", func(t testing.TB) *servers.S3 { return servers.Versity(t, servers.WithoutVersions()) }, false},
		{"minio", servers.MinIO, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := c.start(t)
			server.Bucket(t, bucket, c.locked)
			next := prefixes()
			openAt := func(t *testing.T) (storetest.Locked, storetest.Attacker) {
				prefix := next()
				s, err := s3store.Open(t.Context(), options(server, prefix))
				if err != nil {
					t.Fatalf("Open: %v", err)
				}
				return s, attacker(server.Client(), prefix)
			}
			storetest.Run(t, func(t *testing.T) store.Store {
				s, _ := openAt(t)
				return s
			}, storetest.Caps{Retention: c.locked, Large: 40 << 20})
			if c.locked {
				storetest.RunLocked(t, openAt, storetest.Caps{Large: 40 << 20})
			}
		})
	}
}

func put(t *testing.T, s store.Store, name string, data []byte, r store.Retention) store.Info {
	t.Helper()
	info, err := s.PutOnce(t.Context(), name, data, store.PutOptions{Retention: r})
	if err != nil {
		t.Fatalf("PutOnce(%q): %v", name, err)
	}
	if info.SHA256 != sha256.Sum256(data) || info.Size != int64(len(data)) {
		t.Errorf("PutOnce(%q) says %+v", name, info)
	}
	return info
}

// TestCloseLeavesNoConnection: nor does an Open that fails.
func TestCloseLeavesNoConnection(t *testing.T) {
	var live atomic.Int64
	refuse := false
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		response, _ := willing(r)
		if refuse {
			response = answer(403, nil, "<Error><Code>AccessDenied</Code></Error>")
		}
		maps.Copy(w.Header(), response.Header)
		w.WriteHeader(response.StatusCode)
		_, _ = io.Copy(w, response.Body)
	}))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			live.Add(1)
		case http.StateClosed:
			live.Add(-1)
		}
	}
	server.Start()
	defer server.Close()
	opt := secretly(nil)
	opt.Transport, opt.Endpoint = nil, server.URL
	s, err := s3store.Open(t.Context(), opt)
	if err != nil {
		t.Fatal(err)
	}
	if live.Load() == 0 {
		t.Error("no connection is kept for the next request")
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if _, err := s.Stat(t.Context(), "a"); !errors.Is(err, store.ErrClosed) {
		t.Errorf("Stat after Close: %v, want %v", err, store.ErrClosed)
	}
	refuse = true
	if _, err := s3store.Open(t.Context(), opt); !errors.Is(err, store.ErrDenied) {
		t.Errorf("Open: %v, want %v", err, store.ErrDenied)
	}
	for range 200 {
		if live.Load() == 0 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("%d connections stay open", live.Load())
}
