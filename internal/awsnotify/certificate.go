package awsnotify

import (
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// certificates fetches and keeps the certificates with which SNS signs.
type certificates struct {
	client *http.Client
	roots  *x509.CertPool
	given  *x509.CertPool // issuers; may be nil
	now    func() time.Time

	mu  sync.Mutex
	all map[string]*certificate // by address; guarded by mu
}

// A certificate is that of one address. Who holds mu fetches it; the others wait.
type certificate struct {
	mu      sync.Mutex
	leaf    *x509.Certificate
	issuers []*x509.Certificate
	err     error     // of the last fetch
	tried   time.Time // when err happened
}

func newCertificates(opts Options) *certificates {
	client := &http.Client{Transport: http.DefaultTransport.(*http.Transport).Clone()}
	if opts.Client != nil {
		own := *opts.Client
		client = &own
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	if client.Timeout == 0 || client.Timeout > fetchTimeout {
		client.Timeout = fetchTimeout
	}
	return &certificates{client: client, roots: opts.Roots, given: opts.Issuers, now: opts.Now, all: map[string]*certificate{}}
}

// key returns the key of a certificate that has one of the names and was valid at a time.
func (c *certificates) key(ctx context.Context, address string, names []string, at time.Time) (*rsa.PublicKey, error) {
	cert := c.at(address)
	cert.mu.Lock()
	defer cert.mu.Unlock()
	if err := c.load(ctx, cert, address); err != nil {
		return nil, err
	}
	if !hasName(cert.leaf, names) {
		return nil, fmt.Errorf("the certificate is for %s, which is not SNS", shown(strings.Join(cert.leaf.DNSNames, " ")))
	}
	key, ok := cert.leaf.PublicKey.(*rsa.PublicKey)
	if !ok || key.N.BitLen() < minKeyBits {
		return nil, fmt.Errorf("the certificate's key is not RSA with %d bits at least", minKeyBits)
	}
	return key, c.trust(ctx, cert, at)
}

func (c *certificates) at(address string) *certificate {
	c.mu.Lock()
	defer c.mu.Unlock()
	cert := c.all[address]
	if cert == nil {
		for other := range c.all {
			if len(c.all) < maxCached {
				break
			}
			delete(c.all, other) // Any one: it is fetched again if it is wanted.
		}
		cert = &certificate{}
		c.all[address] = cert
	}
	return cert
}

// load fetches a certificate that is not there, but not again soon after it failed.
func (c *certificates) load(ctx context.Context, cert *certificate, address string) error {
	if cert.leaf != nil {
		return nil
	}
	return c.once(ctx, cert, func() error {
		text, err := c.fetch(ctx, address)
		if err == nil {
			cert.leaf, cert.issuers, err = readPEM(text)
		}
		return err
	})
}

// once does what may fail, but gives the same answer for a while after it failed.
func (c *certificates) once(ctx context.Context, cert *certificate, do func() error) error {
	if cert.err != nil && c.now().Sub(cert.tried) < failureStays {
		return cert.err
	}
	err := do()
	if ctx.Err() == nil { // What our caller gave up says nothing of the certificate.
		cert.err, cert.tried = err, c.now()
	}
	return err
}

// trust checks the chain up to a root as it was at a time, and fetches issuers that are
// missing: SNS serves its certificate alone.
func (c *certificates) trust(ctx context.Context, cert *certificate, at time.Time) error {
	last := cert.leaf
	if n := len(cert.issuers); n > 0 {
		last = cert.issuers[n-1]
	}
	for {
		err := c.chain(cert, at)
		var unknown x509.UnknownAuthorityError
		if !errors.As(err, &unknown) || len(cert.issuers) >= maxIssuers || len(last.IssuingCertificateURL) == 0 {
			if err != nil {
				return fmt.Errorf("its certificate is not trusted: %w", err)
			}
			return nil
		}
		err = c.once(ctx, cert, func() (err error) {
			last, err = c.issuer(ctx, last)
			return err
		})
		if err != nil {
			return err
		}
		cert.issuers = append(cert.issuers, last)
	}
}

func (c *certificates) chain(cert *certificate, at time.Time) error {
	pool := x509.NewCertPool()
	if c.given != nil {
		pool = c.given.Clone()
	}
	for _, issuer := range cert.issuers {
		pool.AddCert(issuer)
	}
	_, err := cert.leaf.Verify(x509.VerifyOptions{
		Roots: c.roots, Intermediates: pool, CurrentTime: at, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	})
	return err
}

// issuer fetches the certificate of who signed another. That it comes by HTTP does no
// harm: it counts only in a chain up to a root. The address is Amazon's word, since the
// certificate that names it came over TLS.
func (c *certificates) issuer(ctx context.Context, of *x509.Certificate) (*x509.Certificate, error) {
	address := of.IssuingCertificateURL[0]
	u, err := url.Parse(address)
	if err != nil || len(address) > maxURL || (u.Scheme != "http" && u.Scheme != "https") ||
		u.User != nil || u.Port() != "" || net.ParseIP(u.Hostname()) != nil || !strings.Contains(u.Host, ".") {
		return nil, fmt.Errorf("the certificate's issuer has no address that can be used: %s", shown(address))
	}
	text, err := c.fetch(ctx, address)
	if err != nil {
		return nil, err
	}
	if block, _ := pem.Decode(text); block != nil {
		text = block.Bytes
	}
	issuer, err := x509.ParseCertificate(text)
	if err != nil {
		return nil, fmt.Errorf("%w: what %s serves is none: %w", ErrUnavailable, address, err)
	}
	if err := of.CheckSignatureFrom(issuer); err != nil {
		return nil, fmt.Errorf("%w: %s serves another one than SNS's issuer; somebody in between may have changed it: %w", ErrUnavailable, address, err)
	}
	return issuer, nil
}

func (c *certificates) fetch(ctx context.Context, address string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	resp, err := c.client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	defer resp.Body.Close()
	switch code := resp.StatusCode; {
	case code == http.StatusOK:
	case code == http.StatusForbidden, code == http.StatusNotFound, code == http.StatusGone, code >= 300 && code < 400:
		return nil, fmt.Errorf("no certificate is served at %s: %s", shown(address), resp.Status)
	default:
		return nil, fmt.Errorf("%w: %s: %s", ErrUnavailable, address, resp.Status)
	}
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxFetched+1))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	if len(text) > maxFetched {
		return nil, fmt.Errorf("what %s serves is too large for a certificate", shown(address))
	}
	return text, nil
}

func readPEM(text []byte) (leaf *x509.Certificate, issuers []*x509.Certificate, err error) {
	var all []*x509.Certificate
	for block, rest := pem.Decode(text); block != nil && len(all) < maxPEM; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			continue
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, nil, fmt.Errorf("its certificate cannot be read: %w", err)
		}
		all = append(all, cert)
	}
	if len(all) == 0 {
		return nil, nil, errors.New("what is served for its certificate is none")
	}
	return all[0], all[1:], nil
}

func hasName(cert *x509.Certificate, names []string) bool {
	for _, name := range names {
		if cert.VerifyHostname(name) == nil {
			return true
		}
	}
	return false
}
