package awsnotify

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	certURL   = "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-0123456789abcdef0123456789abcdef.pem"
	issuerURL = "http://crt.example.com/issuer.cer"
)

var (
	signedAt = time.Date(2026, 3, 1, 14, 25, 11, 796e6, time.UTC) // as envelope has it
	validity = 200 * 24 * time.Hour
)

// pair is a certificate and its key.
type pair struct {
	cert *x509.Certificate
	key  crypto.Signer
}

// makeCertificate makes one that parent signs, or itself without one.
func makeCertificate(t testing.TB, parent *pair, change func(*x509.Certificate), keys ...crypto.Signer) *pair {
	t.Helper()
	var key crypto.Signer
	if len(keys) > 0 {
		key = keys[0]
	} else {
		key = makeKey(t, 2048)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "of the test"},
		NotBefore: signedAt.Add(-validity / 2), NotAfter: signedAt.Add(validity / 2), BasicConstraintsValid: true,
	}
	change(template)
	if parent == nil {
		parent = &pair{template, key}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent.cert, key.Public(), parent.key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &pair{cert, key}
}

func makeKey(t testing.TB, bits int) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func authority(name string) func(*x509.Certificate) {
	return func(c *x509.Certificate) {
		c.Subject.CommonName, c.IsCA, c.KeyUsage = name, true, x509.KeyUsageCertSign
	}
}

func names(all ...string) func(*x509.Certificate) {
	return func(c *x509.Certificate) { c.DNSNames, c.IssuingCertificateURL = all, []string{issuerURL} }
}

// sns stands for Amazon's servers: a certificate at certURL and its issuer at issuerURL,
// whose answers a test changes.
type sns struct {
	t                  testing.TB
	root, issuer, leaf *pair
	client             *http.Client

	mu       sync.Mutex
	cert, ca http.HandlerFunc
	asked    []string
}

func (s *sns) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, r.Host+r.URL.Path)
	if r.TLS != nil {
		s.cert(w, r)
	} else {
		s.ca(w, r)
	}
}

func (s *sns) fetched() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.asked)
}

func serve(b []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(b) }
}

func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", "https://example.com/other.pem")
		w.WriteHeader(code)
	}
}

func inPEM(all ...*pair) []byte {
	var b []byte
	for _, p := range all {
		b = append(b, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.cert.Raw})...)
	}
	return b
}

var authorities = sync.OnceValue(func() (all [2]*pair) {
	t := &testing.T{}
	all[0] = makeCertificate(t, nil, authority("root"))
	all[1] = makeCertificate(t, all[0], authority("issuer"))
	return all
})

// startSNS serves a certificate as SNS does: alone, for sns.amazonaws.com.
func startSNS(t testing.TB) *sns {
	t.Helper()
	cas := authorities()
	s := &sns{t: t, root: cas[0], issuer: cas[1]}
	s.signWith(makeCertificate(t, s.issuer, names("sns.amazonaws.com")))
	s.ca = serve(s.issuer.cert.Raw)
	secure, plain := httptest.NewUnstartedServer(s), httptest.NewServer(s)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	host := makeCertificate(t, s.root, func(c *x509.Certificate) {
		names("sns.eu-central-1.amazonaws.com")(c)
		c.NotBefore, c.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	}, key)
	// The authorities are as old as the messages; TLS looks at them now.
	trusted := x509.NewCertPool()
	trusted.AddCert(host.cert)
	secure.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{host.cert.Raw}, PrivateKey: key}}}
	secure.StartTLS()
	t.Cleanup(secure.Close)
	t.Cleanup(plain.Close)
	s.client = &http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: trusted},
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			to := plain
			if strings.HasSuffix(addr, ":443") {
				to = secure
			}
			return new(net.Dialer).DialContext(ctx, network, to.Listener.Addr().String())
		},
	}}
	return s
}

func (s *sns) signWith(leaf *pair) {
	s.leaf, s.cert = leaf, serve(inPEM(leaf))
}

func (s *sns) options() Options {
	roots := x509.NewCertPool()
	roots.AddCert(s.root.cert)
	return Options{
		Topics: []string{testTopic}, Roots: roots, Client: s.client,
		Now: func() time.Time { return signedAt.Add(time.Hour) },
	}
}

func (s *sns) verifier(change func(*Options)) *Verifier {
	s.t.Helper()
	opts := s.options()
	if change != nil {
		change(&opts)
	}
	v, err := NewVerifier(opts)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(v.Close)
	return v
}

// signed is a message that SNS signed. text is what it signs, written out here once
// more, so that a mistake in canonical is found.
func (s *sns) signed(version, kind, message, more, text string) string {
	s.t.Helper()
	var sig []byte
	var err error
	key := s.leaf.key.(*rsa.PrivateKey)
	if version == "1" {
		sum := sha1.Sum([]byte(text))
		sig, err = rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA1, sum[:])
	} else {
		sum := sha256.Sum256([]byte(text))
		sig, err = rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	}
	if err != nil {
		s.t.Fatal(err)
	}
	return envelope(kind, message, fmt.Sprintf(`%s,"SignatureVersion":%q,"Signature":%q,"SigningCertURL":%q`,
		more, version, base64.StdEncoding.EncodeToString(sig), certURL))
}

const validation = "CloudTrail validation message."

func (s *sns) notification(version string) string {
	return s.signed(version, "Notification", validation, `,"Subject":"Hello"`,
		"Message\n"+validation+"\nMessageId\n00000000-0000-4000-8000-000000000002\nSubject\nHello\n"+
			"Timestamp\n2026-03-01T14:25:11.796Z\nTopicArn\n"+testTopic+"\nType\nNotification\n")
}

func verify(t testing.TB, v *Verifier, body string) error {
	t.Helper()
	m, err := Parse([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return v.Verify(t.Context(), m)
}

func TestGenuine(t *testing.T) {
	s := startSNS(t)
	v := s.verifier(nil)
	for _, version := range []string{"1", "2"} {
		without := "Message\n" + validation + "\nMessageId\n00000000-0000-4000-8000-000000000002\n" +
			"Timestamp\n2026-03-01T14:25:11.796Z\nTopicArn\n" + testTopic + "\nType\nNotification\n"
		confirm := "Message\nYou have\nchosen\nMessageId\n00000000-0000-4000-8000-000000000002\nSubscribeURL\nhttps://example.com/?a=b&c=d\n" +
			"Timestamp\n2026-03-01T14:25:11.796Z\nToken\nabc\nTopicArn\n" + testTopic + "\nType\nSubscriptionConfirmation\n"
		for name, body := range map[string]string{
			"with subject":    s.notification(version),
			"without subject": s.signed(version, "Notification", validation, "", without),
			"null subject":    s.signed(version, "Notification", validation, `,"Subject":null`, without),
			"confirmation":    s.signed(version, "SubscriptionConfirmation", "You have\nchosen", `,"Token":"abc","SubscribeURL":"https://example.com/?a=b\u0026c=d"`, confirm),
		} {
			if err := verify(t, v, body); err != nil {
				t.Errorf("version %s, %s: %v", version, name, err)
			}
		}
	}
	want := "[sns.eu-central-1.amazonaws.com/SimpleNotificationService-0123456789abcdef0123456789abcdef.pem crt.example.com/issuer.cer]"
	if got := fmt.Sprint(s.asked); got != want {
		t.Errorf("fetched %s, want each once: %s", got, want)
	}
}

func TestNotSigned(t *testing.T) {
	s := startSNS(t)
	v := s.verifier(nil)
	for _, body := range []string{validation, s3Event(s3Record("ObjectCreated:Put", plain)), envelope("Notification", validation, "")} {
		if err := verify(t, v, body); !errors.Is(err, ErrUnsigned) || errors.Is(err, ErrNotGenuine) {
			t.Errorf("%v, want ErrUnsigned", err)
		}
	}
	if s.fetched() != 0 {
		t.Errorf("fetched %v", s.asked)
	}
}

// TestForged changes a genuine message in each way that must be noticed. What is wrong
// before the certificate is looked at must not make us fetch anything.
func TestForged(t *testing.T) {
	s := startSNS(t)
	body := s.notification("2")
	for name, c := range map[string]struct {
		from, to, want string
		fetches        bool
	}{
		"message":     {`"CloudTrail`, `" CloudTrail`, "does not fit", true},
		"subject":     {`"Subject":"Hello"`, `"Subject":"Hallo"`, "does not fit", true},
		"no subject":  {`,"Subject":"Hello"`, ``, "does not fit", true},
		"id":          {"000000000002", "000000000003", "does not fit", true},
		"time":        {"11.796Z", "11.797Z", "does not fit", true},
		"time's form": {"11.796Z", "11.7960Z", "does not fit", true},
		"type":        {`"Type":"Notification"`, `"Type":"UnsubscribeConfirmation"`, "does not fit", true},
		"version":     {`"SignatureVersion":"2"`, `"SignatureVersion":"1"`, "does not fit", true},
		"version 3":   {`"SignatureVersion":"2"`, `"SignatureVersion":"3"`, `version "3" is not taken`, false},
		"signature":   {`"Signature":"`, `"Signature":"AAAA`, "does not fit", true},
		"base64":      {`"Signature":"`, `"Signature":"*`, "not base64", true},
		"topic":       {":audit\"", ":other\"", "not among those", false},
		"account":     {"111122223333:audit", "444455556666:audit", "not among those", false},
		"line end":    {`"Subject":"Hello"`, `"Subject":"Hello\nTimestamp"`, "line end", true},
		"past":        {"2026-03-01T14", "2026-01-01T14", "longer ago", false},
		"future":      {"2026-03-01T14", "2026-03-02T14", "in the future", false},

		"plain HTTP":   {"https://sns", "http://sns", "certificate's address", false},
		"port":         {"amazonaws.com/Simple", "amazonaws.com:8443/Simple", "certificate's address", false},
		"user":         {"https://sns", "https://sns.eu-central-1.amazonaws.com@evil.example.com/sns", "certificate's address", false},
		"other host":   {"amazonaws.com/Simple", "amazonaws.com.example.com/Simple", "certificate's address", false},
		"bucket":       {"https://sns.eu-central-1", "https://s3.eu-central-1", "certificate's address", false},
		"other region": {"https://sns.eu-central-1", "https://sns.us-east-1", "certificate's address", false},
		"China":        {"amazonaws.com/Simple", "amazonaws.com.cn/Simple", "certificate's address", false},
		"case":         {"https://sns", "HTTPS://sns", "certificate's address", false},
		"folder":       {"/Simple", "/../Simple", "certificate's address", false},
		"query":        {".pem\"", ".pem?a=b.pem\"", "certificate's address", false},
		"action":       {"/SimpleNotificationService-", "/?Action=x&", "certificate's address", false},
		"line":         {".pem\"", ".pem\\n\"", "certificate's address", false},
	} {
		t.Run(name, func(t *testing.T) {
			if !strings.Contains(body, c.from) {
				t.Fatalf("nothing to change: %s", c.from)
			}
			before := s.fetched()
			err := verify(t, s.verifier(nil), strings.Replace(body, c.from, c.to, 1))
			var why *SignatureError
			if !errors.As(err, &why) || !errors.Is(err, ErrNotGenuine) || !strings.Contains(why.Reason, c.want) {
				t.Errorf("%v; want %q", err, c.want)
			}
			if fetched := s.fetched() > before; fetched != c.fetches {
				t.Errorf("fetched something: %v", fetched)
			}
		})
	}
	if err := verify(t, s.verifier(func(o *Options) { o.RefuseSHA1 = true }), s.notification("1")); !errors.Is(err, ErrNotGenuine) {
		t.Errorf("SHA-1 although it is refused: %v", err)
	}
}

func TestCertificates(t *testing.T) {
	base := startSNS(t)
	foreign := makeCertificate(t, nil, authority("issuer"))
	expired := func(c *x509.Certificate) { names("sns.amazonaws.com")(c); c.NotAfter = signedAt.Add(-time.Hour) }
	early := func(c *x509.Certificate) { names("sns.amazonaws.com")(c); c.NotBefore = signedAt.Add(time.Hour) }
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	genuine := makeKey(t, 2048)
	for name, c := range map[string]struct {
		leaf *pair
		want string // "" is genuine
	}{
		"regional":      {makeCertificate(t, base.issuer, names("sns.eu-central-1.amazonaws.com")), ""},
		"opted in":      {makeCertificate(t, base.issuer, names("sns-signing.eu-central-1.amazonaws.com")), ""},
		"other name":    {makeCertificate(t, base.issuer, names("sns.example.com")), "not SNS"},
		"other service": {makeCertificate(t, base.issuer, names("s3.amazonaws.com", "amazonaws.com")), "not SNS"},
		"other region":  {makeCertificate(t, base.issuer, names("sns-signing.us-east-1.amazonaws.com")), "not SNS"},
		"common name":   {makeCertificate(t, base.issuer, func(c *x509.Certificate) { c.Subject.CommonName = "sns.amazonaws.com" }), "not SNS"},
		"self-signed":   {makeCertificate(t, nil, func(c *x509.Certificate) { c.DNSNames = []string{"sns.amazonaws.com"} }), "not trusted"},
		"not a CA":      {makeCertificate(t, makeCertificate(t, base.root, names("example.com")), func(c *x509.Certificate) { c.DNSNames = []string{"sns.amazonaws.com"} }), "not trusted"},
		"expired":       {makeCertificate(t, base.issuer, expired), "not trusted"},
		"not yet valid": {makeCertificate(t, base.issuer, early), "not trusted"},
		"short key":     {makeCertificate(t, base.issuer, names("sns.amazonaws.com"), makeKey(t, 1024)), "not RSA with 2048"},
		"elliptic":      {makeCertificate(t, base.issuer, names("sns.amazonaws.com"), ec), "not RSA"},
	} {
		t.Run(name, func(t *testing.T) {
			s := startSNS(t)
			s.signWith(c.leaf)
			if c.leaf.key == crypto.Signer(ec) {
				s.leaf = &pair{c.leaf.cert, genuine} // Nothing signs with it; the key is refused before.
			}
			err := verify(t, s.verifier(nil), s.notification("2"))
			if c.want == "" && err != nil {
				t.Error(err)
			}
			if c.want != "" && (!errors.Is(err, ErrNotGenuine) || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("%v; want %q", err, c.want)
			}
		})
	}
	t.Run("foreign issuer", func(t *testing.T) {
		s := startSNS(t)
		s.signWith(makeCertificate(t, foreign, names("sns.amazonaws.com")))
		s.ca = serve(foreign.cert.Raw)
		if err := verify(t, s.verifier(nil), s.notification("2")); !errors.Is(err, ErrNotGenuine) {
			t.Error(err)
		}
	})
	for name, key := range map[string]func(*sns, *Options){
		"issuer in the file":   func(s *sns, _ *Options) { s.cert = serve(inPEM(s.leaf, s.issuer)) },
		"issuer given":         func(s *sns, o *Options) { o.Issuers = x509.NewCertPool(); o.Issuers.AddCert(s.issuer.cert) },
		"issuer served as PEM": func(s *sns, _ *Options) { s.ca = serve(inPEM(s.issuer)) },
	} {
		t.Run(name, func(t *testing.T) {
			s := startSNS(t)
			v := s.verifier(func(o *Options) { key(s, o) })
			if err := verify(t, v, s.notification("2")); err != nil {
				t.Error(err)
			}
			if n := s.fetched(); (n == 1) != (name != "issuer served as PEM") {
				t.Errorf("fetched %v", s.asked)
			}
		})
	}
}

// TestFetching: what the network does says nothing of the message; what SNS answers does.
func TestFetching(t *testing.T) {
	cut := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "5000")
		_, _ = io.WriteString(w, "-----BEGIN")
	}
	for name, c := range map[string]struct {
		cert, ca http.HandlerFunc
		want     error
	}{
		"503":          {cert: status(503), want: ErrUnavailable},
		"429":          {cert: status(429), want: ErrUnavailable},
		"cut":          {cert: cut, want: ErrUnavailable},
		"404":          {cert: status(404), want: ErrNotGenuine},
		"403":          {cert: status(403), want: ErrNotGenuine},
		"redirect":     {cert: status(302), want: ErrNotGenuine},
		"too large":    {cert: serve(make([]byte, maxFetched+1)), want: ErrNotGenuine},
		"no PEM":       {cert: serve([]byte("hello")), want: ErrNotGenuine},
		"bad DER":      {cert: serve(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("x")})), want: ErrNotGenuine},
		"issuer 503":   {ca: status(503), want: ErrUnavailable},
		"issuer other": {ca: serve(authorities()[0].cert.Raw), want: ErrUnavailable},
		"issuer none":  {ca: serve([]byte("hello")), want: ErrUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			s := startSNS(t)
			body, now := s.notification("2"), signedAt.Add(time.Hour)
			good, goodCA := s.cert, s.ca
			if c.cert != nil {
				s.cert = c.cert
			}
			if c.ca != nil {
				s.ca = c.ca
			}
			v := s.verifier(func(o *Options) { o.Now = func() time.Time { return now } })
			both := [2]error{ErrUnavailable, ErrNotGenuine}
			if c.want == ErrNotGenuine {
				both[0], both[1] = both[1], both[0]
			}
			for range 3 {
				err := verify(t, v, body)
				if strings.HasPrefix(name, "too") && !strings.Contains(err.Error(), name) {
					t.Errorf("%v; want %q", err, name)
				}
				if !errors.Is(err, both[0]) || errors.Is(err, both[1]) {
					t.Fatalf("%v, want %v", err, c.want)
				}
			}
			if n := s.fetched(); n > 2 {
				t.Errorf("fetched %d times while it failed", n)
			}
			s.mu.Lock()
			s.cert, s.ca = good, goodCA
			s.mu.Unlock()
			now = now.Add(failureStays)
			if err := verify(t, v, body); err != nil {
				t.Errorf("when it is served again: %v", err)
			}
		})
	}
}

func TestGivenUp(t *testing.T) {
	s := startSNS(t)
	v := s.verifier(nil)
	m, err := Parse([]byte(s.notification("2")))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := v.Verify(ctx, m); !errors.Is(err, ErrUnavailable) || !errors.Is(err, context.Canceled) {
		t.Errorf("given up: %v", err)
	}
	if err := v.Verify(t.Context(), m); err != nil {
		t.Errorf("after another gave up: %v", err)
	}
}

func TestTogether(t *testing.T) {
	s := startSNS(t)
	v := s.verifier(nil)
	body := s.notification("2")
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			if err := verify(t, v, body); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if s.fetched() != 2 {
		t.Errorf("fetched %v", s.asked)
	}
}

func TestCacheIsBounded(t *testing.T) {
	c := newCertificates(Options{})
	defer c.client.CloseIdleConnections()
	for i := range 3 * maxCached {
		c.at(fmt.Sprint(i))
	}
	if len(c.all) > maxCached {
		t.Errorf("%d certificates are kept", len(c.all))
	}
}

func TestTopics(t *testing.T) {
	for _, arn := range []string{testTopic, "arn:aws-cn:sns:cn-north-1:111122223333:a.fifo", "arn:aws-us-gov:sns:us-gov-west-1:111122223333:a", "arn:aws-eusc:sns:eusc-de-east-1:111122223333:a"} {
		if err := CheckTopicARN(arn); err != nil {
			t.Error(err)
		}
	}
	for _, arn := range []string{"", "audit", "arn:aws:sqs:eu-central-1:111122223333:audit", "arn:aws:sns:eu-central-1:1:audit", "arn:aws:sns:evil.example.com/:111122223333:a", testTopic + "\n", "arn:aws-iso:sns:us-iso-east-1:111122223333:a"} {
		if _, err := NewVerifier(Options{Topics: []string{testTopic, arn}}); err == nil {
			t.Errorf("%q is taken", arn)
		}
	}
	if _, err := NewVerifier(Options{}); err == nil {
		t.Error("no topic is taken")
	}
	china, err := parseTopic("arn:aws-cn:sns:cn-north-1:111122223333:a")
	if err != nil {
		t.Fatal(err)
	}
	if err := china.mayServe("https://sns.cn-north-1.amazonaws.com.cn/SimpleNotificationService-0.pem"); err != nil {
		t.Error(err)
	}
	if got := fmt.Sprint(china.certificateNames()); !strings.Contains(got, "sns-cn-north-1.amazonaws.com.cn") {
		t.Error(got)
	}
}
