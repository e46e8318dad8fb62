package s3store

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/logging"

	"github.com/otelcol-custody/custody/store"
)

// Limits on time and tries. What the caller's context allows is shorter in
// most cases; these end what a caller without a deadline would wait for.
const (
	dialTimeout  = 10 * time.Second
	stallTimeout = 60 * time.Second // without a byte in either direction
	attempts     = 5                // of one request
	firstPause   = 200 * time.Millisecond
	longestPause = 5 * time.Second
	connections  = 64 // idle ones that are kept
)

func newClient(ctx context.Context, opt Options) (*s3.Client, error) {
	cfg, err := config.LoadDefaultConfig(ctx, loading(opt)...)
	if err != nil {
		return nil, fmt.Errorf("%w: the AWS configuration of this process (profile, AWS_* variables) cannot be used: %w", store.ErrUnfit, err)
	}
	if cfg.Region == "" {
		if opt.Endpoint == "" {
			return nil, fmt.Errorf("%w: region: required, neither the configuration nor the environment (AWS_REGION) names one", store.ErrUnfit)
		}
		cfg.Region = "us-east-1"
	}
	// Not before: the SDK puts AWS_CA_BUNDLE into its own client only, whose
	// connections cannot be closed.
	transport := opt.Transport
	if c, ok := cfg.HTTPClient.(*awshttp.BuildableClient); ok && transport == nil {
		transport = c.GetTransport()
	}
	cfg.HTTPClient = &http.Client{Transport: transport, CheckRedirect: redirect}
	cfg.Credentials = named{assume(cfg, opt)}
	return s3.NewFromConfig(cfg, onlyS3, func(o *s3.Options) {
		o.UsePathStyle = opt.PathStyle
		o.DisableLogOutputChecksumValidationSkipped = true
		if opt.Endpoint != "" {
			o.BaseEndpoint = aws.String(opt.Endpoint)
		}
	}), nil
}

// loading is what opt says to the SDK's configuration.
func loading(opt Options) []func(*config.LoadOptions) error {
	load := []func(*config.LoadOptions) error{
		config.WithHTTPClient(httpClient()),
		config.WithLogger(logging.Nop{}),
		config.WithRetryer(newRetryer),
		// S3-compatible stores refuse checksums that they don't know; what
		// evidence needs is asked for by name.
		config.WithRequestChecksumCalculation(aws.RequestChecksumCalculationWhenRequired),
		// Readers check what bytes hash to, and must see the wrong ones.
		config.WithResponseChecksumValidation(aws.ResponseChecksumValidationWhenRequired),
	}
	if opt.Region != "" {
		load = append(load, config.WithRegion(opt.Region))
	}
	if opt.Profile != "" {
		load = append(load, config.WithSharedConfigProfile(opt.Profile))
	}
	if opt.AccessKeyID != "" {
		load = append(load, config.WithCredentialsProvider(
			credentials.NewStaticCredentialsProvider(opt.AccessKeyID, opt.SecretAccessKey, opt.SessionToken)))
	}
	return load
}

// assume returns the credentials of opt.RoleARN, or the plain ones.
func assume(cfg aws.Config, opt Options) aws.CredentialsProvider {
	if opt.RoleARN == "" {
		return cfg.Credentials
	}
	role := stscreds.NewAssumeRoleProvider(sts.NewFromConfig(cfg), opt.RoleARN, func(o *stscreds.AssumeRoleOptions) {
		o.RoleSessionName = "custody"
		if opt.ExternalID != "" {
			o.ExternalID = aws.String(opt.ExternalID)
		}
	})
	return aws.NewCredentialsCache(role)
}

// named marks errors of getting credentials, so that they aren't taken for
// the store's.
type named struct{ aws.CredentialsProvider }

type credentialError struct{ error }

func (e credentialError) Unwrap() error { return e.error }

func (n named) Retrieve(ctx context.Context) (aws.Credentials, error) {
	c, err := n.CredentialsProvider.Retrieve(ctx)
	if err != nil {
		return c, credentialError{err}
	}
	return c, nil
}

// newRetryer tries again what the SDK's standard rules call passing: lost
// connections, 5xx, throttling, within its quota.
func newRetryer() aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = attempts
		o.Backoff = retry.BackoffDelayerFunc(func(attempt int, _ error) (time.Duration, error) {
			return pause(attempt), nil
		})
	})
}

// pause doubles with each attempt; the jitter keeps many writers from coming
// back at once.
func pause(attempt int) time.Duration {
	most := min(firstPause<<min(max(attempt-1, 0), 10), longestPause)
	return most/2 + rand.N(most/2)
}

func httpClient() aws.HTTPClient {
	dialer := &net.Dialer{Timeout: dialTimeout, KeepAlive: 30 * time.Second}
	return awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
		t.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
			c, err := dialer.DialContext(ctx, network, addr)
			if err != nil {
				return nil, err
			}
			return &conn{Conn: c, stall: stallTimeout}, nil
		}
		t.TLSHandshakeTimeout = dialTimeout
		t.ResponseHeaderTimeout = stallTimeout
		t.MaxIdleConnsPerHost = connections
		t.WriteBufferSize = 64 << 10
		t.ReadBufferSize = 64 << 10
	})
}

// redirect follows what S3 says for a while after a bucket was made, and leaves
// the rest, such as a wrong region, to be reported.
func redirect(r *http.Request, via []*http.Request) error {
	if r.Response.StatusCode == http.StatusTemporaryRedirect && len(via) < 5 {
		return nil
	}
	return http.ErrUseLastResponse
}

// conn fails when nothing has moved for so long. Progress in one direction
// counts for both: while a large body is sent, no byte comes back.
type conn struct {
	net.Conn
	stall time.Duration
}

func (c *conn) Read(p []byte) (int, error) {
	if err := c.SetDeadline(time.Now().Add(c.stall)); err != nil {
		return 0, err
	}
	return c.Conn.Read(p)
}

func (c *conn) Write(p []byte) (int, error) {
	if err := c.SetDeadline(time.Now().Add(c.stall)); err != nil {
		return 0, err
	}
	return c.Conn.Write(p)
}
