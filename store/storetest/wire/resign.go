package wire

import (
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

const (
	payloadHash = "X-Amz-Content-Sha256"
	unsigned    = "UNSIGNED-PAYLOAD"
	chunkSigned = "STREAMING-AWS4" // each chunk's signature continues the header's
)

// Resign lets a proxy sign S3 requests again, with a test server's
// credentials, after [Strip] took headers that the signature covers. The body
// stays as it is and its hash stays what the client said; a body that the
// client signed chunk by chunk fails the test.
func Resign(access, secret, region string) Option {
	signer := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true })
	return func(p *Proxy) {
		p.sign = func(r *http.Request) error {
			hash := r.Header.Get(payloadHash)
			if strings.HasPrefix(hash, chunkSigned) {
				p.t.Errorf("wire: %s %s is signed chunk by chunk and cannot be signed again", r.Method, r.URL.Path)
			}
			if hash == "" {
				hash = unsigned
				r.Header.Set(payloadHash, hash)
			}
			r.Header.Del("Authorization")
			creds := aws.Credentials{AccessKeyID: access, SecretAccessKey: secret}
			return signer.SignHTTP(r.Context(), creds, r, hash, "s3", region, time.Now())
		}
	}
}

// resign makes a stripped request's signature fit again. Requests without
// one need nothing.
func (p *Proxy) resign(r *http.Request) {
	auth := r.Header.Get("Authorization")
	switch {
	case p.sign != nil:
		if err := p.sign(r); err != nil {
			p.t.Errorf("wire: sign again: %v", err)
		}
	case strings.HasPrefix(auth, "AWS4-"), strings.HasPrefix(auth, "SharedKey "):
		p.t.Errorf("wire: %s %s lost headers that its signature covers; S3 needs the option Resign, Azure a SAS", r.Method, r.URL.Path)
	}
}
