// Package wire stands between a client and a test server, notes what was
// really sent, and breaks the connection in the ways that networks and
// careless servers do.
package wire

import (
	"context"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"sync"
	"testing"
)

// Request is a request that arrived at a proxy, as the client sent it.
type Request struct {
	Method   string
	Path     string // still escaped
	RawQuery string
	Header   http.Header
	Host     string
	// Bytes of the body that were read.
	Bytes int64
	// Status of the server's answer, or of the one given in its place; 0 if
	// there was none, or none yet. With [DropAnswer] it is what the client
	// did not learn.
	Status int
}

// Proxy passes requests on to a server. Path, query and Host stay as the client
// sent and signed them. Its methods may be called by many goroutines.
type Proxy struct {
	URL string // http://127.0.0.1:PORT, without a slash at the end

	t      testing.TB
	target *url.URL
	sign   func(*http.Request) error // nil: cannot
	passOn http.Handler

	mu       sync.Mutex // guards what follows
	requests []*Request
	faults   []*fault
	healed   chan struct{} // closed by Heal
}

// Option changes a proxy.
type Option func(*Proxy)

// NewProxy starts a proxy in front of the server at target, such as
// "http://127.0.0.1:9000". It ends with the test.
func NewProxy(t testing.TB, target string, opts ...Option) *Proxy {
	t.Helper()
	u, err := url.Parse(target)
	if err != nil || u.Host == "" {
		t.Fatalf("wire: target %q is not a URL: %v", target, err)
	}
	p := &Proxy{t: t, target: u, healed: make(chan struct{})}
	for _, opt := range opts {
		opt(p)
	}
	// Without compression: the transport would ask for it in the client's name.
	transport := &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 64}
	p.passOn = &httputil.ReverseProxy{
		Rewrite: p.rewrite, Transport: transport, ErrorLog: log.New(io.Discard, "", 0),
		FlushInterval: -1,
		// A server that cannot be reached is not one that says 502.
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}
	server := httptest.NewUnstartedServer(p)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.Start()
	p.URL = server.URL
	t.Cleanup(func() {
		p.Heal()
		server.CloseClientConnections()
		server.Close()
		transport.CloseIdleConnections()
	})
	return p
}

// Requests returns what arrived so far, in order of arrival.
func (p *Proxy) Requests() []Request {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := make([]Request, 0, len(p.requests))
	for _, r := range p.requests {
		out = append(out, *r)
	}
	return out
}

// Forget drops the record of what arrived so far.
func (p *Proxy) Forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.requests = nil
}

// ServeHTTP implements [http.Handler].
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	note := &Request{Method: r.Method, Path: r.URL.EscapedPath(), RawQuery: r.URL.RawQuery, Header: r.Header.Clone(), Host: r.Host}
	p.mu.Lock()
	p.requests = append(p.requests, note)
	p.mu.Unlock()
	r.Body = &counter{ReadCloser: r.Body, p: p, note: note}
	h := p.passOn
	for _, act := range slices.Backward(p.due(r)) {
		h = act(p, h)
	}
	h.ServeHTTP(&watcher{ResponseWriter: w, p: p, note: note}, r)
}

// rewrite sends to the server what the client sent to the proxy.
func (p *Proxy) rewrite(pr *httputil.ProxyRequest) {
	pr.Out.URL.Scheme, pr.Out.URL.Host = p.target.Scheme, p.target.Host
	pr.Out.URL.RawQuery = pr.In.URL.RawQuery // As it was, not cleaned: it is signed.
	pr.Out.Host = pr.In.Host
	pr.Out.Header.Del("Expect") // The proxy has answered it. Nobody signs it.
	if pr.In.Context().Value(stripped{}) != nil {
		p.resign(pr.Out)
	}
}

// stripped marks the context of a request that lost headers.
type stripped struct{}

// counter counts a request's body.
type counter struct {
	io.ReadCloser
	p    *Proxy
	note *Request
}

func (c *counter) Read(b []byte) (int, error) {
	n, err := c.ReadCloser.Read(b)
	c.p.mu.Lock()
	defer c.p.mu.Unlock()
	c.note.Bytes += int64(n)
	return n, err
}

// watcher notes the status of an answer.
type watcher struct {
	http.ResponseWriter
	p    *Proxy
	note *Request
}

// Unwrap lets a [http.ResponseController] flush.
func (w *watcher) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *watcher) WriteHeader(status int) {
	w.answered(status)
	w.ResponseWriter.WriteHeader(status)
}

func (w *watcher) answered(status int) {
	w.p.mu.Lock()
	defer w.p.mu.Unlock()
	if w.note.Status < 200 {
		w.note.Status = status
	}
}

// wait returns false when the client has gone before until happened.
func wait[T any](ctx context.Context, until <-chan T, healed <-chan struct{}) bool {
	select {
	case <-until:
	case <-healed:
	case <-ctx.Done():
	}
	return ctx.Err() == nil
}
