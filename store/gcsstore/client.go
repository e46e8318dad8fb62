package gcsstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"cloud.google.com/go/auth"
	"cloud.google.com/go/auth/credentials"
	"cloud.google.com/go/auth/credentials/impersonate"
	"cloud.google.com/go/auth/httptransport"
	"cloud.google.com/go/storage"
	"github.com/googleapis/gax-go/v2"
	"google.golang.org/api/option"
)

// Limits on one request and on repeating it. A store that is down is reported
// within about retryFor; whoever calls decides when to try again.
const (
	attempts      = 5
	retryFor      = 15 * time.Second
	dialTimeout   = 5 * time.Second
	answerTimeout = 30 * time.Second // from the end of a request to its answer
	callTimeout   = 60 * time.Second // for a call without an object's bytes, its repetitions included
	slowestLink   = 128 << 10        // bytes a second; a slower upload is given up
)

// pauses between attempts; gax draws each at random below the growing limit.
var pauses = gax.Backoff{Initial: 250 * time.Millisecond, Max: 4 * time.Second, Multiplier: 2}

// google is named, so that the variable STORAGE_EMULATOR_HOST cannot lead
// evidence elsewhere.
const google = "https://storage.googleapis.com"

func newClient(ctx context.Context, opt Options) (*storage.Client, error) {
	tr := opt.Transport
	if tr == nil {
		base := newTransport()
		tr = base
		if !opt.Anonymous {
			creds, err := newCredentials(opt, base)
			if err != nil {
				return nil, &tokenError{err}
			}
			tr = &authorized{creds: creds, base: base}
		}
	}
	endpoint := google
	if opt.Endpoint != "" {
		endpoint = strings.TrimRight(opt.Endpoint, "/")
	}
	return storage.NewClient(ctx, option.WithHTTPClient(&http.Client{Transport: tr}),
		option.WithEndpoint(endpoint+"/storage/v1/"), storage.WithDisabledClientMetrics())
}

func newTransport() *http.Transport {
	return &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: dialTimeout, KeepAlive: 15 * time.Second}).DialContext,
		TLSHandshakeTimeout:   2 * dialTimeout,
		ResponseHeaderTimeout: answerTimeout,
		ForceAttemptHTTP2:     true,
		HTTP2:                 &http.HTTP2Config{SendPingTimeout: 15 * time.Second, PingTimeout: 10 * time.Second},
		MaxIdleConnsPerHost:   64,
		IdleConnTimeout:       90 * time.Second,
		WriteBufferSize:       64 << 10,
	}
}

// newCredentials finds the credentials that the options name.
func newCredentials(opt Options, base http.RoundTripper) (*auth.Credentials, error) {
	scope := storage.ScopeFullControl // the least that may set a retention; IAM says what is really allowed
	if opt.ReadOnly {
		scope = storage.ScopeReadOnly
	}
	detect := &credentials.DetectOptions{Scopes: []string{scope}, Client: &http.Client{Transport: base}}
	if opt.ImpersonateServiceAccount != "" {
		detect.Scopes = []string{"https://www.googleapis.com/auth/cloud-platform"}
	}
	creds, err := detectCredentials(opt.CredentialsFile, detect)
	if err != nil || opt.ImpersonateServiceAccount == "" {
		return creds, err
	}
	return impersonate.NewCredentials(&impersonate.CredentialsOptions{
		TargetPrincipal: opt.ImpersonateServiceAccount, Scopes: []string{scope},
		Client: &http.Client{Transport: &authorized{creds: creds, base: base}},
	})
}

func detectCredentials(file string, detect *credentials.DetectOptions) (*auth.Credentials, error) {
	if file == "" {
		creds, err := credentials.DetectDefault(detect)
		if err != nil {
			return nil, fmt.Errorf("application default credentials: %w", err)
		}
		return creds, nil
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("credentials_file: %w", err)
	}
	// The operator who names the file vouches for it, so any type will do.
	var kind struct {
		Type credentials.CredType `json:"type"`
	}
	if json.Unmarshal(b, &kind) != nil || kind.Type == "" {
		return nil, fmt.Errorf("credentials_file: %s is no credentials file of Google Cloud (JSON with a type)", file)
	}
	creds, err := credentials.NewCredentialsFromJSON(kind.Type, b, detect)
	if err != nil {
		// The parser's error may quote the key.
		return nil, fmt.Errorf("credentials_file: %s, of type %q, cannot be used", file, kind.Type)
	}
	return creds, nil
}

// tokenError marks what went wrong before a request was sent: there is no
// token for it.
type tokenError struct{ err error }

func (e *tokenError) Error() string { return fmt.Sprintf("no token: %v", e.err) }
func (e *tokenError) Unwrap() error { return e.err }

// authorized adds a token to each request.
type authorized struct {
	creds *auth.Credentials
	base  http.RoundTripper
}

func (a *authorized) RoundTrip(req *http.Request) (*http.Response, error) {
	token, err := a.creds.Token(req.Context())
	if err != nil {
		if req.Body != nil {
			err = errors.Join(err, req.Body.Close())
		}
		return nil, &tokenError{err}
	}
	req = req.Clone(req.Context())
	httptransport.SetAuthHeader(token, req)
	return a.base.RoundTrip(req)
}

func (a *authorized) CloseIdleConnections() {
	if c, ok := a.base.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
