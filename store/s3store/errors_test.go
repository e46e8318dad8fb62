package s3store_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/otelcol-custody/custody/store"
	"github.com/otelcol-custody/custody/store/s3store"
)

// Credentials that must never be seen in a message.
const (
	accessKey    = "AKIAIOSFODNN7EXAMPLE"
	secretKey    = "acme/secret+of+the+audit/bucket"
	sessionToken = "acme-session-token-that-is-secret"
	externalID   = "acme-external-id"
)

// canned answers every request in a store's place.
type canned struct {
	answer func(*http.Request) (*http.Response, error)

	mu       sync.Mutex // guards requests
	requests []*http.Request
}

func (c *canned) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		_, _ = io.Copy(io.Discard, r.Body)
		r.Body.Close()
	}
	c.mu.Lock()
	c.requests = append(c.requests, r)
	c.mu.Unlock()
	response, err := c.answer(r)
	if response != nil {
		response.Request = r
		if r.Method == http.MethodHead {
			response.Body = http.NoBody
		}
	}
	return response, err
}

func answer(status int, header http.Header, body string) *http.Response {
	if header == nil {
		header = http.Header{}
	}
	return &http.Response{
		StatusCode: status, Status: fmt.Sprint(status), Header: header, ContentLength: int64(len(body)),
		Body: io.NopCloser(strings.NewReader(body)), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}
}

// willing plays a store on which everything works.
func willing(r *http.Request) (*http.Response, error) {
	q := r.URL.Query()
	switch {
	case r.Method == http.MethodPut && r.Header.Get("If-None-Match") != "" && strings.Contains(r.URL.Path, "/.custody/"):
		return answer(412, nil, "<Error><Code>PreconditionFailed</Code></Error>"), nil
	case r.Method == http.MethodPut:
		return answer(200, http.Header{"Etag": {`"e"`}, "X-Amz-Version-Id": {"v1"}}, ""), nil
	case r.Method == http.MethodPost && q.Has("uploads"):
		return answer(200, nil, "<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>"), nil
	case r.Method == http.MethodPost && strings.Contains(r.URL.Path, "/.custody/"):
		return answer(412, nil, "<Error><Code>PreconditionFailed</Code></Error>"), nil
	case r.Method == http.MethodPost:
		return answer(200, nil, "<CompleteMultipartUploadResult><ETag>e</ETag></CompleteMultipartUploadResult>"), nil
	case r.Method == http.MethodGet && q.Get("list-type") == "2":
		return answer(200, nil, "<ListBucketResult></ListBucketResult>"), nil
	case r.Method == http.MethodGet && q.Has("object-lock"):
		return answer(200, nil, "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled></ObjectLockConfiguration>"), nil
	case r.Method == http.MethodGet:
		return answer(404, nil, "<Error><Code>NoSuchKey</Code></Error>"), nil
	}
	return answer(404, nil, ""), nil
}

func secretly(transport http.RoundTripper) s3store.Options {
	return s3store.Options{
		Bucket: bucket, Prefix: "p", Region: "us-east-1", Endpoint: "https://s3.example.com", PathStyle: true, Transport: transport,
		AccessKeyID: accessKey, SecretAccessKey: secretKey, SessionToken: sessionToken,
	}
}

// every calls every method and returns the errors.
func every(ctx context.Context, s *s3store.Store) map[string]error {
	calls := map[string]func() error{
		"PutOnce":          func() error { _, err := s.PutOnce(ctx, "a", []byte("x"), store.PutOptions{}); return err },
		"PutOnce in parts": func() error { _, err := s.PutOnce(ctx, "a", make([]byte, large), store.PutOptions{}); return err },
		"PutOnce locked": func() error {
			_, err := s.PutOnce(ctx, "a", nil, store.PutOptions{Retention: kept})
			return err
		},
		"Get":          func() error { _, _, err := s.Get(ctx, "a"); return err },
		"GetVersion":   func() error { _, _, err := s.GetVersion(ctx, "a", "v"); return err },
		"GetRange":     func() error { _, err := s.GetRange(ctx, "a", 0, 1); return err },
		"Stat":         func() error { _, err := s.Stat(ctx, "a"); return err },
		"Versions":     func() error { _, err := s.Versions(ctx, "a"); return err },
		"Extend":       func() error { _, err := s.Extend(ctx, "a", "", kept); return err },
		"CheckLock":    func() error { _, err := s.CheckLock(ctx, store.ModeGovernance); return err },
		"List":         func() error { return last(s.List(ctx, "", "")) },
		"ListVersions": func() error { return last(s.ListVersions(ctx, "", "")) },
	}
	var mu sync.Mutex // guards out
	out := map[string]error{}
	var done sync.WaitGroup
	for name, call := range calls {
		done.Go(func() {
			err := call()
			mu.Lock()
			defer mu.Unlock()
			out[name] = err
		})
	}
	done.Wait()
	return out
}

func last(list iter.Seq2[store.Info, error]) (last error) {
	for _, err := range list {
		last = err
	}
	return last
}

func silent(t *testing.T, what string, err error) {
	t.Helper()
	for _, secret := range []string{accessKey, secretKey, sessionToken, externalID} {
		if err != nil && strings.Contains(fmt.Sprintf("%v %+v %#v", err, err, err), secret) {
			t.Errorf("%s tells a secret: %v", what, err)
		}
	}
}

// TestErrors gives every method every kind of refusal.
func TestErrors(t *testing.T) {
	// A store that echoes what it should keep for itself.
	echo := " " + secretKey + " " + sessionToken + " " + accessKey + "\x1b[31m"
	for _, c := range []struct {
		status int
		code   string
		want   error
		says   string
	}{
		{403, "AccessDenied", store.ErrDenied, "s3:"},
		{403, "InvalidAccessKeyId", store.ErrDenied, "access_key_id"},
		{403, "SignatureDoesNotMatch", store.ErrDenied, "secret_access_key"},
		{400, "ExpiredToken", store.ErrDenied, "renew"},
		{401, "Unauthorized", store.ErrDenied, "s3:"},
		{403, "RequestTimeTooSkewed", store.ErrDenied, "clock"},
		{404, "NoSuchBucket", store.ErrUnfit, "bucket"},
		{301, "PermanentRedirect", store.ErrUnfit, "region"},
		{400, "AuthorizationHeaderMalformed", store.ErrUnfit, "region: the bucket is in eu-north-1"},
		{500, "InternalError", store.ErrUnavailable, ""},
		{503, "SlowDown", store.ErrUnavailable, ""},
		{429, "TooManyRequestsException", store.ErrUnavailable, ""},
		{400, "RequestTimeout", store.ErrUnavailable, ""},
		{507, "XMinioStorageFull", store.ErrFull, "storage"},
		{403, "QuotaExceeded", store.ErrFull, "quota"},
		{400, "KMS.DisabledException", store.ErrDenied, "kms_key"},
		{400, "InvalidStorageClass", store.ErrUnfit, "storage_class"},
		{501, "NotImplemented", store.ErrUnfit, ""},
	} {
		t.Run(c.code, func(t *testing.T) {
			t.Parallel()
			transport := &canned{answer: willing}
			s := open(t, secretly(transport))
			header := http.Header{}
			if c.code == "AuthorizationHeaderMalformed" {
				header.Set("X-Amz-Bucket-Region", "eu-north-1")
			}
			transport.answer = func(*http.Request) (*http.Response, error) {
				return answer(c.status, header.Clone(), "<Error><Code>"+c.code+"</Code><Message>no"+strings.ReplaceAll(echo, "\x1b", "")+"</Message></Error>"), nil
			}
			for call, err := range every(t.Context(), s) {
				silent(t, call, err)
				// An answer to HEAD has no code; where its status says
				// enough, nothing else is asked.
				head := c.code == "NoSuchBucket" || c.code == "NotImplemented" || c.status == 507
				if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) && !head {
					t.Errorf("%s: %v, want %v that says %q", call, err, c.want, c.says)
				}
			}
			_, err := s3store.Open(t.Context(), secretly(transport))
			if !errors.Is(err, c.want) {
				t.Errorf("Open: %v, want %v", err, c.want)
			}
			silent(t, "Open", err)
		})
	}
}

// TestNoAnswer: what isn't S3, or isn't there, says nothing about any object.
func TestNoAnswer(t *testing.T) {
	for name, reply := range map[string]func(*http.Request) (*http.Response, error){
		"refused": func(*http.Request) (*http.Response, error) {
			return nil, &net.OpError{Op: "dial", Err: errors.New("connection refused " + secretKey)}
		},
		"ended": func(*http.Request) (*http.Response, error) { return nil, io.EOF },
		"a proxy's page": func(r *http.Request) (*http.Response, error) {
			return answer(502, nil, "<html><body>Bad gateway "+sessionToken), nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			transport := &canned{answer: willing}
			s := open(t, secretly(transport))
			transport.answer = reply
			for call, err := range every(t.Context(), s) {
				if !errors.Is(err, store.ErrUnavailable) || errors.Is(err, store.ErrNotFound) || errors.Is(err, io.EOF) {
					t.Errorf("%s: %v, want %v", call, err, store.ErrUnavailable)
				}
				silent(t, call, err)
			}
		})
	}
}

// TestMissingBucket: without it HEAD's answer looks like a missing object's.
func TestMissingBucket(t *testing.T) {
	transport := &canned{answer: willing}
	s := open(t, secretly(transport))
	transport.answer = func(*http.Request) (*http.Response, error) {
		return answer(404, nil, "<Error><Code>NoSuchBucket</Code></Error>"), nil
	}
	if _, err := s.Stat(t.Context(), "a"); !errors.Is(err, store.ErrUnfit) {
		t.Errorf("Stat in a bucket that is gone: %v, want %v", err, store.ErrUnfit)
	}
}

func TestNoCredentials(t *testing.T) {
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_WEB_IDENTITY_TOKEN_FILE"} {
		t.Setenv(name, "")
	}
	empty := filepath.Join(t.TempDir(), "none")
	t.Setenv("AWS_CONFIG_FILE", empty)
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", empty)
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	opt := secretly(&canned{answer: willing})
	opt.AccessKeyID, opt.SecretAccessKey, opt.SessionToken = "", "", ""
	_, err := s3store.Open(t.Context(), opt)
	if !errors.Is(err, store.ErrDenied) || !strings.Contains(err.Error(), "credentials") {
		t.Errorf("Open without credentials: %v, want %v", err, store.ErrDenied)
	}
	opt.Profile = "acme"
	if _, err := s3store.Open(t.Context(), opt); !errors.Is(err, store.ErrUnfit) || !strings.Contains(err.Error(), "acme") {
		t.Errorf("Open with an unknown profile: %v, want %v that names it", err, store.ErrUnfit)
	}
}

// TestRole: the role is assumed first, with the external id.
func TestRole(t *testing.T) {
	opt := secretly(nil)
	opt.RoleARN, opt.ExternalID = "arn:aws:iam::111122223333:role/custody-writer", externalID
	var form string
	granted := true
	opt.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
		if !strings.HasPrefix(r.URL.Host, "sts.") {
			return willing(r)
		}
		body, _ := io.ReadAll(r.Body)
		form = string(body)
		if !granted {
			return answer(403, nil, "<ErrorResponse><Error><Code>AccessDenied</Code><Message>not with "+externalID+"</Message></Error></ErrorResponse>"), nil
		}
		return answer(200, nil, "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>AKIA0</AccessKeyId><SecretAccessKey>s</SecretAccessKey>"+
			"<SessionToken>t</SessionToken><Expiration>"+time.Now().Add(time.Hour).UTC().Format(time.RFC3339)+
			"</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"), nil
	})
	open(t, opt)
	if !strings.Contains(form, "ExternalId="+externalID) || !strings.Contains(form, "custody-writer") {
		t.Errorf("STS was asked for %q", form)
	}
	granted = false
	_, err := s3store.Open(t.Context(), opt)
	if !errors.Is(err, store.ErrDenied) || !strings.Contains(err.Error(), "role_arn") {
		t.Errorf("Open with a role that is refused: %v, want %v", err, store.ErrDenied)
	}
	silent(t, "Open", err)
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestOptions(t *testing.T) {
	for key, opt := range map[string]s3store.Options{
		"bucket":       {},
		"prefix":       {Bucket: bucket, Prefix: "../x"},
		"endpoint":     {Bucket: bucket, Endpoint: "minio:9000"},
		"endpoint:":    {Bucket: bucket, Endpoint: "https://" + accessKey + ":" + secretKey + "@minio"},
		"secret":       {Bucket: bucket, AccessKeyID: accessKey},
		"external_id":  {Bucket: bucket, ExternalID: externalID},
		"bucket_owner": {Bucket: bucket, BucketOwner: "1234"},
	} {
		_, err := s3store.Open(t.Context(), opt)
		if !errors.Is(err, store.ErrUnfit) || !strings.Contains(err.Error(), key) {
			t.Errorf("%s: %v, want %v that names it", key, err, store.ErrUnfit)
		}
		silent(t, key, err)
	}
}

func TestID(t *testing.T) {
	for want, opt := range map[string]s3store.Options{
		"s3://acme-audit":     {Bucket: bucket},
		"s3://acme-audit/a/b": {Bucket: bucket, Prefix: "a/b"},
		"s3://acme-audit/a":   {Bucket: bucket, Prefix: "a/"},
		"s3://acme-audit/a?endpoint=minio.example.com:9000":       {Bucket: bucket, Prefix: "a", Endpoint: "https://minio.example.com:9000"},
		"s3://acme-audit/with%20space?endpoint=minio.example.com": {Bucket: bucket, Prefix: "with space", Endpoint: "https://minio.example.com/"},
		"s3://acme-audit?partition=aws-cn":                        {Bucket: bucket, Region: "cn-north-1"},
		"s3://acme-audit/a?partition=aws-us-gov":                  {Bucket: bucket, Prefix: "a", Region: "us-gov-west-1"},
		"s3://acme-audit?endpoint=minio.example.com":              {Bucket: bucket, Region: "cn-north-1", Endpoint: "https://minio.example.com"},
		"s3://acme-audit/eu":                                      {Bucket: bucket, Prefix: "eu", Region: "eu-central-1"},
	} {
		opt.Transport, opt.AccessKeyID, opt.SecretAccessKey = &canned{answer: willing}, accessKey, secretKey
		opt.Region = cmp.Or(opt.Region, "us-east-1")
		if got := open(t, opt).ID(); got != want || opt.ID() != want {
			t.Errorf("ID %q and before it is open %q, want %q", got, opt.ID(), want)
		}
	}
}

// TestOnTheWire checks what every upload carries.
func TestOnTheWire(t *testing.T) {
	transport := &canned{answer: willing}
	opt := secretly(transport)
	opt.StorageClass, opt.KMSKeyID = "GLACIER_IR", "arn:aws:kms:us-east-1:111122223333:key/audit"
	opt.Tags = map[string]string{"team": "audit & risk", "a": "b+c"}
	opt.RequesterPays, opt.BucketOwner = true, "111122223333"
	s := open(t, opt)
	until := time.Date(2099, 1, 2, 3, 4, 5, 6, time.UTC)
	for name, data := range map[string][]byte{"small": []byte("x"), "large": bytes.Repeat([]byte("x"), large)} {
		r := store.Retention{Mode: store.ModeCompliance, Until: until, LegalHold: true}
		_, err := s.PutOnce(t.Context(), name, data, store.PutOptions{Retention: r})
		if err == nil {
			t.Error("the read-back of a lock that isn't there succeeded")
		}
	}
	object := map[string]string{
		lockMode: "COMPLIANCE", lockUntil: "2099-01-02T03:04:06Z", "X-Amz-Object-Lock-Legal-Hold": "ON",
		"X-Amz-Server-Side-Encryption": "aws:kms", "X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id": opt.KMSKeyID,
		"X-Amz-Storage-Class": "GLACIER_IR", "X-Amz-Tagging": "a=b%2Bc&team=audit%20%26%20risk",
	}
	seen := map[string]int{}
	for _, r := range transport.requests {
		kind := kindOf(r)
		if !strings.Contains(r.URL.Path, "/.custody/") {
			seen[kind]++
			carries(t, kind, r, map[string]map[string]string{"put": object, "begin": object}[kind])
		}
		switch kind {
		case "put", "part":
			if r.Header.Get("X-Amz-Checksum-Sha256") == "" {
				t.Errorf("%s %s carries no SHA-256", kind, r.URL)
			}
		case "begin":
			carries(t, kind, r, map[string]string{"X-Amz-Checksum-Algorithm": "SHA256"})
		}
		if kind == "put" || kind == "complete" {
			carries(t, kind, r, map[string]string{"If-None-Match": "*"})
		}
		carries(t, kind, r, map[string]string{"X-Amz-Expected-Bucket-Owner": "111122223333"})
		if r.Method != http.MethodHead && !r.URL.Query().Has("object-lock") {
			carries(t, kind, r, map[string]string{"X-Amz-Request-Payer": "requester"})
		}
	}
	if seen["put"] != 1 || seen["begin"] != 1 || seen["part"] != 3 || seen["complete"] != 1 {
		t.Errorf("requests seen: %v", seen)
	}
}

func kindOf(r *http.Request) string {
	switch {
	case isPut(r):
		return "put"
	case isBegin(r):
		return "begin"
	case isComplete(r):
		return "complete"
	case r.Method == http.MethodPut:
		return "part"
	}
	return r.Method
}

func carries(t *testing.T, kind string, r *http.Request, want map[string]string) {
	t.Helper()
	for name, value := range want {
		if got := r.Header.Get(name); got != value {
			t.Errorf("%s %s has %s: %q, want %q", kind, r.URL, name, got, value)
		}
	}
}
