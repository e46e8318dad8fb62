package s3store_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/otelcol-custody/custody/store"
	"github.com/otelcol-custody/custody/store/s3store"
	"github.com/otelcol-custody/custody/store/storetest"
	"github.com/otelcol-custody/custody/store/storetest/servers"
	"github.com/otelcol-custody/custody/store/storetest/wire"
)

const large = 33 << 20 // goes up in parts

func isPut(r *http.Request) bool {
	return r.Method == http.MethodPut && r.URL.RawQuery == "x-id=PutObject"
}

func isBegin(r *http.Request) bool {
	return r.Method == http.MethodPost && strings.Contains(r.URL.RawQuery, "uploads")
}

func isComplete(r *http.Request) bool {
	return r.Method == http.MethodPost && strings.Contains(r.URL.RawQuery, "uploadId=")
}

func isDelete(r *http.Request) bool { return r.Method == http.MethodDelete }

func isRetain(r *http.Request) bool {
	return r.Method == http.MethodPut && r.URL.Query().Has("retention")
}

// of keeps a fault away from the store's probes.
func of(name string, match func(*http.Request) bool) func(*http.Request) bool {
	return func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/"+name) && match(r) }
}

// behind returns options that reach a new server's locked bucket through a
// proxy.
func behind(t testing.TB, start func(testing.TB) *servers.S3) (s3store.Options, *wire.Proxy) {
	t.Helper()
	server := start(t)
	server.Bucket(t, bucket, true)
	proxy := wire.NewProxy(t, server.Endpoint, wire.Resign(server.AccessKey, server.SecretKey, server.Region))
	opt := options(server, "p")
	opt.Endpoint = proxy.URL
	return opt, proxy
}

func versity(t testing.TB) *servers.S3 { return servers.Versity(t) }

var kept = store.Retention{Mode: store.ModeCompliance, Until: time.Now().Add(48 * time.Hour)}

func versionsOf(t *testing.T, s store.Store, name string, want int) {
	t.Helper()
	if v, err := s.Versions(t.Context(), name); err != nil || len(v) != want {
		t.Errorf("%s has %d versions (%v), want %d", name, len(v), err, want)
	}
}

// TestLostAnswer: the store did what it was told, and the client didn't learn.
func TestLostAnswer(t *testing.T) {
	for name, start := range map[string]func(testing.TB) *servers.S3{"versitygw": versity, "minio": servers.MinIO} {
		t.Run(name, func(t *testing.T) {
			opt, proxy := behind(t, start)
			s := open(t, opt)
			data := bytes.Repeat([]byte("0123456789abcdef"), large/16)
			for _, c := range []struct {
				name  string
				match func(*http.Request) bool
				data  []byte
			}{{"small", isPut, data[:1000]}, {"large", isComplete, data}} {
				proxy.Inject(wire.Fault{Match: of(c.name, c.match), Times: 1, Action: wire.DropAnswer()})
				put(t, s, c.name, c.data, kept)
				versionsOf(t, s, c.name, 1)
				info, err := s.Stat(t.Context(), c.name)
				if err != nil || !info.Retention.Covers(kept) {
					t.Errorf("%s: %+v, %v", c.name, info, err)
				}
				_, err = s.PutOnce(t.Context(), c.name, []byte("other"), store.PutOptions{})
				if !errors.Is(err, store.ErrExists) {
					t.Errorf("other bytes: %v", err)
				}
			}
		})
	}
}

func TestRetries(t *testing.T) {
	opt, proxy := behind(t, versity)
	s := open(t, opt)
	proxy.Forget()
	proxy.Inject(wire.Fault{Match: isPut, Times: 2, Action: wire.Answer(503, nil, "<Error><Code>SlowDown</Code></Error>")})
	put(t, s, "a", []byte("x"), store.Retention{})
	if n := len(proxy.Requests()); n != 3 {
		t.Errorf("%d requests, want 3", n)
	}
	proxy.Inject(wire.Fault{Match: isPut, Times: 1, Action: wire.Refuse()})
	put(t, s, "b", []byte("x"), store.Retention{})
	proxy.Inject(wire.Fault{Match: isPut, Times: 1, Action: wire.Answer(409, nil, "<Error><Code>ConditionalRequestConflict</Code></Error>")})
	put(t, s, "c", []byte("x"), store.Retention{})
}

// TestFailedUploadIsAborted: what was sent of it costs nothing any more.
func TestFailedUploadIsAborted(t *testing.T) {
	opt, proxy := behind(t, versity)
	s := open(t, opt)
	proxy.Inject(wire.Fault{Match: isComplete, Action: wire.Answer(403, nil, "<Error><Code>AccessDenied</Code></Error>")})
	proxy.Forget()
	_, err := s.PutOnce(t.Context(), "large", make([]byte, large), store.PutOptions{})
	if !errors.Is(err, store.ErrDenied) {
		t.Errorf("PutOnce: %v, want %v", err, store.ErrDenied)
	}
	requests := proxy.Requests()
	if last := requests[len(requests)-1]; last.Method != http.MethodDelete || !strings.Contains(last.RawQuery, "uploadId=") || last.Status != 204 {
		t.Errorf("the last request is %s %s (%d), want the upload's end", last.Method, last.RawQuery, last.Status)
	}
}

func TestStoreThatIgnoresConditions(t *testing.T) {
	opt, proxy := behind(t, versity)
	proxy.Inject(wire.Fault{Action: wire.Strip("If-None-Match")})
	_, err := s3store.Open(t.Context(), opt)
	if !errors.Is(err, store.ErrUnfit) || !strings.Contains(err.Error(), "conditional_writes: read_first") {
		t.Fatalf("Open: %v, want %v that names conditional_writes", err, store.ErrUnfit)
	}
	next := prefixes()
	opt.ReadFirst = true
	storetest.Run(t, func(t *testing.T) store.Store {
		opt.Prefix = next()
		s, err := s3store.Open(t.Context(), opt)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}, storetest.Caps{Retention: true, NotAtomic: true, Objects: 50, Large: large})
	for _, r := range proxy.Requests() {
		if r.Header.Get("If-None-Match") != "" && strings.Contains(r.Path, "/part/") {
			t.Fatalf("%s %s carries a condition", r.Method, r.Path)
		}
	}
}

func TestStoreThatIgnoresConditionsOfUploads(t *testing.T) {
	opt, proxy := behind(t, versity)
	proxy.Inject(wire.Fault{Match: isComplete, Action: wire.Strip("If-None-Match")})
	_, err := s3store.Open(t.Context(), opt)
	if !errors.Is(err, store.ErrUnfit) || !strings.Contains(err.Error(), "multipart") {
		t.Fatalf("Open: %v, want %v that names multipart uploads", err, store.ErrUnfit)
	}
}

// TestReadFirstSeesTheOther: another writer gets between reading and writing.
func TestReadFirstSeesTheOther(t *testing.T) {
	opt, proxy := behind(t, versity)
	opt.ReadFirst = true
	s, rival := open(t, opt), open(t, opt)
	proxy.Inject(wire.Fault{Match: of("a", isPut), Times: 1, Action: func(_ *wire.Proxy, next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			put(t, rival, "a", []byte("theirs"), store.Retention{})
			next.ServeHTTP(w, r)
		})
	}})
	_, err := s.PutOnce(t.Context(), "a", []byte("mine"), store.PutOptions{})
	if !errors.Is(err, store.ErrExists) {
		t.Errorf("PutOnce: %v, want %v", err, store.ErrExists)
	}
}

const (
	lockMode  = "X-Amz-Object-Lock-Mode"
	lockUntil = "X-Amz-Object-Lock-Retain-Until-Date"
)

func TestStoreThatDropsLocks(t *testing.T) {
	for _, c := range []struct {
		name  string
		fault wire.Fault
		says  string
	}{
		{"on objects put at once", wire.Fault{Match: isPut, Action: wire.Strip(lockMode, lockUntil)}, "put at once"},
		{"on multipart uploads", wire.Fault{Match: isBegin, Action: wire.Strip(lockMode, lockUntil)}, "multipart"},
		{"when told to delete", wire.Fault{Match: isDelete, Action: wire.Answer(204, nil, "")}, "deleted an object that it had locked"},
		{"when told to shorten", wire.Fault{Match: isRetain, Action: wire.Answer(200, nil, "")}, "let a lock be shortened"},
	} {
		t.Run(c.name, func(t *testing.T) {
			opt, proxy := behind(t, versity)
			s := open(t, opt)
			proxy.Inject(c.fault)
			for _, mode := range []store.Mode{store.ModeGovernance, store.ModeCompliance} {
				_, err := s.CheckLock(t.Context(), mode)
				if !errors.Is(err, store.ErrRetention) || !strings.Contains(err.Error(), c.says) {
					t.Errorf("CheckLock(%v): %v, want %v that says %q", mode, err, store.ErrRetention, c.says)
				}
			}
			proxy.Heal() // The operator mends it; the same day it works.
			if _, err := s.CheckLock(t.Context(), store.ModeGovernance); err != nil {
				t.Errorf("CheckLock of the mended store: %v", err)
			}
		})
	}
}

func TestDroppedLockIsNoticed(t *testing.T) {
	opt, proxy := behind(t, versity)
	s := open(t, opt)
	proxy.Inject(wire.Fault{Match: isPut, Action: wire.Strip(lockMode, lockUntil)})
	_, err := s.PutOnce(t.Context(), "a", []byte("x"), store.PutOptions{Retention: kept})
	if !errors.Is(err, store.ErrRetention) || !strings.Contains(err.Error(), "made it nothing") {
		t.Errorf("PutOnce: %v, want %v that says what the store did", err, store.ErrRetention)
	}
	proxy.Inject(wire.Fault{Match: func(r *http.Request) bool { return r.URL.Query().Has("retention") },
		Action: wire.Answer(403, nil, "<Error><Code>AccessDenied</Code></Error>")})
	_, err = s.PutOnce(t.Context(), "b", []byte("x"), store.PutOptions{Retention: kept})
	if !errors.Is(err, store.ErrDenied) || !strings.Contains(err.Error(), "s3:GetObjectRetention") {
		t.Errorf("PutOnce that may not see the lock: %v, want %v", err, store.ErrDenied)
	}
}

// TestCheckLockPutsOnceADay: a bucket that locks keeps each probe.
func TestCheckLockPutsOnceADay(t *testing.T) {
	opt, proxy := behind(t, versity)
	s := open(t, opt)
	proxy.Forget()
	for range 3 {
		if _, err := s.CheckLock(t.Context(), store.ModeCompliance); err != nil {
			t.Fatal(err)
		}
	}
	puts, deletes := 0, 0
	for _, r := range proxy.Requests() {
		switch {
		case r.Method == http.MethodDelete:
			deletes++
		case r.Method == http.MethodPut && r.RawQuery == "x-id=PutObject", r.Method == http.MethodPost && strings.Contains(r.RawQuery, "uploadId="):
			puts++
		}
	}
	if puts != 2 || deletes != 6 {
		t.Errorf("%d puts and %d deletes, want one put of each kind, and a delete of each, each time", puts, deletes)
	}
}

func TestReadOnlyWritesNothing(t *testing.T) {
	opt, proxy := behind(t, versity)
	put(t, open(t, opt), "a", []byte("x"), store.Retention{})
	proxy.Forget()
	opt.ReadOnly = true
	s := open(t, opt)
	if _, err := s.CheckLock(t.Context(), store.ModeCompliance); err != nil {
		t.Errorf("CheckLock: %v", err)
	}
	if _, err := s.PutOnce(t.Context(), "b", []byte("x"), store.PutOptions{}); !errors.Is(err, store.ErrReadOnly) {
		t.Errorf("PutOnce: %v", err)
	}
	if _, err := s.Extend(t.Context(), "a", "", kept); !errors.Is(err, store.ErrReadOnly) {
		t.Errorf("Extend: %v", err)
	}
	for _, r := range proxy.Requests() {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			t.Errorf("a read-only store sent %s %s", r.Method, r.Path)
		}
	}
}

func TestUnreachable(t *testing.T) {
	opt, proxy := behind(t, versity)
	s := open(t, opt)
	proxy.Inject(wire.Fault{Action: wire.Refuse()})
	start := time.Now()
	if _, err := s3store.Open(t.Context(), opt); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("Open: %v, want %v", err, store.ErrUnavailable)
	}
	if _, err := s.PutOnce(t.Context(), "a", nil, store.PutOptions{}); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("PutOnce: %v, want %v", err, store.ErrUnavailable)
	}
	if took := time.Since(start); took > 15*time.Second {
		t.Errorf("two calls took %v", took)
	}
	proxy.Heal()
	proxy.Inject(wire.Fault{Action: wire.Hang()})
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, err := s.Stat(ctx, "a"); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, store.ErrNotFound) {
		t.Errorf("Stat of a hanging store: %v, want %v", err, context.DeadlineExceeded)
	}
}

// TestBrokenOff: an answer that ends early is never taken for the object.
func TestBrokenOff(t *testing.T) {
	opt, proxy := behind(t, versity)
	s := open(t, opt)
	data := make([]byte, 1<<20)
	put(t, s, "a", data, store.Retention{})
	proxy.Inject(wire.Fault{Match: func(r *http.Request) bool { return r.Method == http.MethodGet }, Action: func(_ *wire.Proxy, next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { next.ServeHTTP(&short{w, 1000}, r) })
	}})
	r, info, err := s.Get(t.Context(), "a")
	if err != nil || info.Size != int64(len(data)) {
		t.Fatalf("Get: %+v, %v", info, err)
	}
	defer r.Close()
	if got, err := io.ReadAll(r); !errors.Is(err, io.ErrUnexpectedEOF) || !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("%d bytes, %v; want %v", len(got), err, io.ErrUnexpectedEOF)
	}
	if got, err := s.GetRange(t.Context(), "a", 10, 5000); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("GetRange: %d bytes, %v; want %v", len(got), err, io.ErrUnexpectedEOF)
	}
}

// short breaks an answer's body off.
type short struct {
	http.ResponseWriter
	left int
}

func (s *short) Write(p []byte) (int, error) {
	if len(p) > s.left {
		_, _ = s.ResponseWriter.Write(p[:s.left])
		_ = http.NewResponseController(s.ResponseWriter).Flush()
		panic(http.ErrAbortHandler)
	}
	s.left -= len(p)
	return s.ResponseWriter.Write(p)
}
