package azblobstore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// How long one try may take without a sign of life. The SDK's own limit for a
// try counts the reading of the answer, too, and would cut long downloads.
const (
	answerWithin = 5 * time.Second  // from the request's end to the answer's begin
	slowest      = 256 << 10        // bytes a second at which a request's body gets through
	idleAtMost   = 10 * time.Second // between two pieces of an answer
)

// transport makes one try of a request, with limits to its patience.
type transport struct {
	base     http.RoundTripper
	own      *http.Transport // nil if the caller gave one
	patience time.Duration   // answerWithin
}

func newTransport(base http.RoundTripper) *transport {
	if base != nil {
		return &transport{base: base, patience: answerWithin}
	}
	own := http.DefaultTransport.(*http.Transport).Clone()
	own.DialContext = (&net.Dialer{Timeout: 3 * time.Second, KeepAlive: 15 * time.Second}).DialContext
	own.TLSHandshakeTimeout = answerWithin
	own.MaxIdleConns, own.MaxIdleConnsPerHost = 64, 64
	own.DisableCompression = true // an object is the bytes that were stored
	return &transport{base: own, own: own, patience: answerWithin}
}

func (t *transport) close() {
	if t.own != nil {
		t.own.CloseIdleConnections()
	}
}

// Do implements the SDK's policy.Transporter.
func (t *transport) Do(req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancel(req.Context())
	w := &watch{cancel: cancel}
	w.begin(t.patience + time.Duration(max(req.ContentLength, 0))*time.Second/slowest)
	resp, err := t.base.RoundTrip(req.WithContext(ctx))
	w.end()
	if err != nil {
		cancel()
		return nil, w.explain(err)
	}
	w.body, resp.Body = resp.Body, w
	return resp, nil
}

// onlyAzure makes an error of answers that something between here and the
// service gave, such as a proxy's page, whatever their status: they say
// nothing about any blob. The service names each of its answers.
type onlyAzure struct{ *transport }

func (t onlyAzure) Do(req *http.Request) (*http.Response, error) {
	resp, err := t.transport.Do(req)
	if err == nil && resp.Header.Get("X-Ms-Request-Id") == "" && resp.Header.Get("X-Ms-Error-Code") == "" {
		resp.Body.Close()
		return nil, fmt.Errorf("%s (it answers %d)", alien, resp.StatusCode)
	}
	return resp, err
}

const alien = "the answer is not Azure Blob Storage's: is there a proxy or portal in between?"

// watch ends a try in which nothing happens any more. It is the answer's body.
type watch struct {
	cancel context.CancelFunc
	timer  *time.Timer
	fired  atomic.Bool
	body   io.ReadCloser
}

func (w *watch) begin(patience time.Duration) {
	if w.timer == nil {
		w.timer = time.AfterFunc(patience, func() { w.fired.Store(true); w.cancel() })
		return
	}
	w.timer.Reset(patience)
}

func (w *watch) end() { w.timer.Stop() }

func (w *watch) explain(err error) error {
	if err != nil && err != io.EOF && w.fired.Load() {
		return stalled{}
	}
	return err
}

func (w *watch) Read(p []byte) (int, error) {
	w.begin(idleAtMost)
	n, err := w.body.Read(p)
	w.end()
	return n, w.explain(err)
}

func (w *watch) Close() error {
	w.end()
	err := w.body.Close()
	w.cancel()
	return err
}

// stalled is a net.Error: the SDK tries again.
type stalled struct{}

func (stalled) Error() string   { return "no answer from the service in time" }
func (stalled) Timeout() bool   { return true }
func (stalled) Temporary() bool { return true }

var _ net.Error = stalled{}

// sized delivers exactly the promised size or an error.
type sized struct {
	ctx  context.Context // of the call that made it
	s    *Store
	name string
	body io.ReadCloser
	left int64
}

func (r *sized) Read(p []byte) (int, error) {
	n, err := r.body.Read(p)
	r.left -= int64(n)
	switch {
	case r.left < 0:
		return 0, fmt.Errorf("%s: the service sent more than it announced", r.name)
	case errors.Is(err, io.EOF) && r.left > 0, errors.Is(err, io.ErrUnexpectedEOF):
		return n, fmt.Errorf("%s was cut while it was read: %w", r.name, io.ErrUnexpectedEOF)
	case err != nil && err != io.EOF:
		return n, r.s.fail(r.ctx, "read "+r.name, err)
	}
	return n, err
}

func (r *sized) Close() error { return r.body.Close() }
