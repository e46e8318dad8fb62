package awstest

import (
	"bytes"
	"io"
	"net/http"
)

// newClient returns a client with connections of its own, which its owner closes.
func newClient() *http.Client { return &http.Client{Transport: &detached{&http.Transport{}}} }

// detached sends bodies of its own, so that the SDK may close its own whenever it likes:
// see settle.
type detached struct{ *http.Transport }

// RoundTrip implements [http.RoundTripper].
func (d *detached) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body == nil || r.Body == http.NoBody {
		return d.Transport.RoundTrip(r)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	_ = r.Body.Close() // It has been read.
	own := r.Clone(r.Context())
	own.Body = io.NopCloser(bytes.NewReader(body))
	return d.Transport.RoundTrip(own)
}
