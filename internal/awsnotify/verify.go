package awsnotify

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
)

// The classes of what [Verifier.Verify] finds. None of them is another.
var (
	// ErrUnsigned means that the message carries no signature that could be checked.
	ErrUnsigned = errors.New("the message is not signed: it did not come through SNS, or raw message delivery is on; " +
		"switch raw message delivery off in the subscription, or do not ask for signatures")
	// ErrNotGenuine means that the message is not what SNS signed for an allowed topic.
	ErrNotGenuine = errors.New("the SNS message is not genuine")
	// ErrUnavailable means that a certificate could not be fetched. It says nothing of
	// the message; try again later.
	ErrUnavailable = errors.New("a certificate for SNS messages cannot be fetched")
)

// A SignatureError says why a message is not believed. It is [ErrNotGenuine].
type SignatureError struct {
	TopicARN  string
	MessageID string
	Reason    string
}

func (e *SignatureError) Error() string {
	return fmt.Sprintf("SNS message %s of topic %s is not genuine: %s", shown(e.MessageID), shown(e.TopicARN), e.Reason)
}

// Unwrap returns [ErrNotGenuine].
func (e *SignatureError) Unwrap() error { return ErrNotGenuine }

// Options are what a [Verifier] needs to know. Only Topics is required.
type Options struct {
	// Topics are the ARNs of the topics that are believed. SNS signs for everybody: a
	// signature alone only says that some account published the message.
	Topics []string
	// RefuseSHA1 takes only signature version 2. Topics sign with version 1, which is
	// SHA-1, unless their attribute SignatureVersion is 2.
	RefuseSHA1 bool
	// MaxAge is how old a message may be; 0 is [DefaultMaxAge]. It bounds what a signing
	// key that leaked after its time is good for.
	MaxAge time.Duration
	// Roots are believed; nil is the system's. Issuers stand between them and SNS's
	// certificates; SNS does not send them. Those that are not given are fetched from
	// where the certificate says, by HTTP, and count only if a root signed them.
	Roots, Issuers *x509.CertPool
	// Client fetches certificates; nil is one with the environment's proxy. Redirects
	// are refused whatever it says.
	Client *http.Client
	Now    func() time.Time // nil is time.Now
}

// A Verifier checks signatures of SNS messages. Certificates are kept and fetched once.
// It is safe for concurrent use.
type Verifier struct {
	opts  Options
	certs *certificates
}

// NewVerifier returns an error if a topic is missing or is no topic's ARN. Call
// [Verifier.Close] when it is no longer used.
func NewVerifier(opts Options) (*Verifier, error) {
	if len(opts.Topics) == 0 {
		return nil, errors.New("name the topics whose messages are believed: SNS signs for everybody")
	}
	for _, topic := range opts.Topics {
		if _, err := parseTopic(topic); err != nil {
			return nil, err
		}
	}
	opts.Topics = slices.Clone(opts.Topics)
	if opts.MaxAge == 0 {
		opts.MaxAge = DefaultMaxAge
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	return &Verifier{opts: opts, certs: newCertificates(opts)}, nil
}

// Close closes idle connections.
func (v *Verifier) Close() { v.certs.client.CloseIdleConnections() }

// Verify returns nil if SNS signed the message for one of the topics. Otherwise the
// error is [ErrUnsigned], [ErrNotGenuine] or [ErrUnavailable]. Whether a certificate was
// revoked is not asked.
func (v *Verifier) Verify(ctx context.Context, m Message) error {
	if m.SNS == nil || m.SNS.signed.signature == "" {
		return ErrUnsigned
	}
	err := v.verify(ctx, m.SNS)
	if err == nil || errors.Is(err, ErrUnavailable) {
		return err
	}
	return &SignatureError{TopicARN: m.SNS.TopicARN, MessageID: m.SNS.MessageID, Reason: err.Error()}
}

func (v *Verifier) verify(ctx context.Context, env *Envelope) error {
	s := env.signed
	if !slices.Contains(v.opts.Topics, env.TopicARN) {
		return errors.New("the topic is not among those that are believed")
	}
	if s.version != "2" && (s.version != "1" || v.opts.RefuseSHA1) {
		return fmt.Errorf("signature version %s is not taken", shown(s.version))
	}
	from, err := parseTopic(env.TopicARN)
	if err != nil {
		return err
	}
	if err := from.mayServe(s.certURL); err != nil {
		return err
	}
	if err := v.inTime(env.Timestamp); err != nil {
		return err
	}
	key, err := v.certs.key(ctx, s.certURL, from.certificateNames(), env.Timestamp)
	if err != nil {
		return err
	}
	return s.check(key)
}

func (v *Verifier) inTime(at time.Time) error {
	now := v.opts.Now()
	if at.After(now.Add(futureAllowed)) {
		return fmt.Errorf("it was signed at %s, which is in the future; check this machine's clock", at.Format(time.RFC3339))
	}
	if at.Before(now.Add(-v.opts.MaxAge)) {
		return fmt.Errorf("it was signed at %s, longer ago than %v", at.Format(time.RFC3339), v.opts.MaxAge)
	}
	return nil
}

// CheckTopicARN says what is wrong with a topic's ARN, for a configuration's check.
func CheckTopicARN(arn string) error {
	_, err := parseTopic(arn)
	return err
}

// topic is where a topic lives.
type topic struct{ region, suffix string }

// suffixes of the partitions' domains.
var suffixes = map[string]string{
	"aws": "amazonaws.com", "aws-us-gov": "amazonaws.com", "aws-cn": "amazonaws.com.cn", "aws-eusc": "amazonaws.eu",
}

var topicARN = regexp.MustCompile(`^arn:(aws[a-z-]*):sns:([a-z]{2,5}(?:-[a-z]+)+-[0-9]{1,2}):[0-9]{12}:[A-Za-z0-9_-]{1,256}(\.fifo)?$`)

func parseTopic(arn string) (topic, error) {
	m := topicARN.FindStringSubmatch(arn)
	if m == nil {
		return topic{}, fmt.Errorf("%s is not a topic's ARN such as arn:aws:sns:eu-central-1:111122223333:audit", shown(arn))
	}
	suffix, ok := suffixes[m[1]]
	if !ok {
		return topic{}, fmt.Errorf("%s lies in a partition whose certificates are not known", shown(arn))
	}
	return topic{region: m[2], suffix: suffix}, nil
}

// path of a signing certificate. Nothing in it can be a query, an escape or a folder.
var certPath = regexp.MustCompile(`^/SimpleNotificationService(-[0-9A-Za-z]{1,64})?\.pem$`)

// mayServe compares the whole text, so that no user, port or other spelling of a host
// gets past it.
func (t topic) mayServe(certURL string) error {
	host := "https://sns." + t.region + "." + t.suffix
	path, ok := strings.CutPrefix(certURL, host)
	if !ok || !certPath.MatchString(path) {
		return fmt.Errorf("the certificate's address %s is not %s/SimpleNotificationService-….pem", shown(certURL), host)
	}
	return nil
}

// certificateNames are those that SNS's certificates have: one for most regions, one of
// their own for regions that are opted into, and older ones in China and GovCloud.
func (t topic) certificateNames() []string {
	names := []string{
		"sns." + t.suffix, "sns." + t.region + "." + t.suffix,
		"sns-signing." + t.region + "." + t.suffix, "sns-" + t.region + "." + t.suffix,
	}
	if strings.HasPrefix(t.region, "us-gov-") {
		names = append(names, "sns-us-gov-west-1."+t.suffix)
	}
	return names
}
