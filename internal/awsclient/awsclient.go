// Package awsclient makes the clients with which receivers read from AWS: credentials as
// AWS users expect them, calls that end, and no retry where the caller paces itself.
package awsclient

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/logging"
)

// Options say who calls, and where. The zero value is the SDK's default chain:
// environment, shared configuration, web identity, container, instance.
type Options struct {
	Region    string // empty: the SDK's own (AWS_REGION, profile)
	Endpoint  string // URL of an emulator or a VPC endpoint; empty: AWS
	FIPS      bool   // endpoints with validated cryptography
	DualStack bool   // endpoints with IPv4 and IPv6

	Profile string // of the shared configuration files
	// RoleARN is assumed with the credentials that the rest gives, with ExternalID
	// where its trust policy asks for one. With WebIdentityTokenFile it is assumed by
	// that token instead.
	RoleARN              string
	ExternalID           string
	WebIdentityTokenFile string
	SessionName          string // shows in CloudTrail; empty: custody

	AccessKeyID     string
	SecretAccessKey string
	SessionToken    string
}

// Check reports every fault at once, each led by its key.
func (o Options) Check() error {
	var errs []error
	fault := func(text string) { errs = append(errs, errors.New(text)) }
	if o.Endpoint != "" {
		if u, err := url.Parse(o.Endpoint); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			fault("endpoint: want a URL such as https://vpce-0a1b.sqs.eu-central-1.vpce.amazonaws.com")
		} else if u.User != nil {
			fault("endpoint: must not contain credentials; use access_key_id and secret_access_key")
		}
		if o.FIPS || o.DualStack {
			fault("endpoint: with an endpoint of one's own, use_fips and use_dualstack mean nothing; leave them out")
		}
	}
	if (o.AccessKeyID == "") != (o.SecretAccessKey == "") {
		fault("access_key_id, secret_access_key: both or none")
	}
	if o.SessionToken != "" && o.AccessKeyID == "" {
		fault("session_token: needs access_key_id and secret_access_key")
	}
	if o.ExternalID != "" && o.RoleARN == "" {
		fault("external_id: needs role_arn")
	}
	if o.WebIdentityTokenFile != "" && o.RoleARN == "" {
		fault("web_identity_token_file: needs role_arn, the role that the token is exchanged for")
	}
	if o.WebIdentityTokenFile != "" && (o.ExternalID != "" || o.AccessKeyID != "" || o.Profile != "") {
		fault("web_identity_token_file: excludes external_id, access_key_id and profile")
	}
	if o.RoleARN != "" && !strings.HasPrefix(o.RoleARN, "arn:") {
		fault("role_arn: want an ARN such as arn:aws:iam::111122223333:role/custody-read")
	}
	return errors.Join(errs...)
}

// Limits on time and tries of one call.
const (
	dialTimeout  = 10 * time.Second
	firstPause   = 200 * time.Millisecond
	longestPause = 5 * time.Second
	attempts     = 3
)

// stallTimeout is how long an answer may take to begin. A long poll takes 20 s.
const stallTimeout = 60 * time.Second

// Load returns the configuration for the service clients. It makes no call.
func Load(ctx context.Context, o Options) (aws.Config, error) {
	cfg, err := config.LoadDefaultConfig(ctx, o.loading()...)
	if err != nil {
		return cfg, fmt.Errorf("the AWS configuration of this process (profile, AWS_* variables) cannot be used: %w", err)
	}
	if cfg.Region == "" {
		return cfg, errors.New("region: required, neither the configuration nor the environment (AWS_REGION) names one")
	}
	if o.Endpoint != "" {
		cfg.BaseEndpoint = aws.String(o.Endpoint)
	}
	cfg.Credentials = o.assume(cfg) // by the same endpoint
	return cfg, nil
}

func (o Options) loading() []func(*config.LoadOptions) error {
	load := []func(*config.LoadOptions) error{
		config.WithHTTPClient(httpClient()),
		config.WithLogger(logging.Nop{}),
		config.WithRetryer(newRetryer),
		config.WithRequestChecksumCalculation(aws.RequestChecksumCalculationWhenRequired),
		config.WithResponseChecksumValidation(aws.ResponseChecksumValidationWhenRequired),
	}
	if o.Region != "" {
		load = append(load, config.WithRegion(o.Region))
	}
	if o.Profile != "" {
		load = append(load, config.WithSharedConfigProfile(o.Profile))
	}
	if o.FIPS {
		load = append(load, config.WithUseFIPSEndpoint(aws.FIPSEndpointStateEnabled))
	}
	if o.DualStack {
		load = append(load, config.WithUseDualStackEndpoint(aws.DualStackEndpointStateEnabled))
	}
	if o.AccessKeyID != "" {
		load = append(load, config.WithCredentialsProvider(
			credentials.NewStaticCredentialsProvider(o.AccessKeyID, o.SecretAccessKey, o.SessionToken)))
	}
	return load
}

// assume returns the credentials of the role, or the plain ones.
func (o Options) assume(cfg aws.Config) aws.CredentialsProvider {
	if o.RoleARN == "" {
		return cfg.Credentials
	}
	name := o.SessionName
	if name == "" {
		name = "custody"
	}
	client := sts.NewFromConfig(cfg)
	if o.WebIdentityTokenFile != "" {
		return aws.NewCredentialsCache(stscreds.NewWebIdentityRoleProvider(client, o.RoleARN,
			stscreds.IdentityTokenFile(o.WebIdentityTokenFile),
			func(w *stscreds.WebIdentityRoleOptions) { w.RoleSessionName = name }))
	}
	return aws.NewCredentialsCache(stscreds.NewAssumeRoleProvider(client, o.RoleARN, func(a *stscreds.AssumeRoleOptions) {
		a.RoleSessionName = name
		if o.ExternalID != "" {
			a.ExternalID = aws.String(o.ExternalID)
		}
	}))
}

// newRetryer mends what passes within seconds; what lasts longer is the caller's, who
// then says so.
func newRetryer() aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = attempts
		o.Backoff = retry.BackoffDelayerFunc(func(attempt int, _ error) (time.Duration, error) {
			most := min(firstPause<<min(max(attempt-1, 0), 10), longestPause)
			return most/2 + rand.N(most/2), nil
		})
	})
}

func httpClient() aws.HTTPClient {
	dialer := &net.Dialer{Timeout: dialTimeout, KeepAlive: 30 * time.Second}
	return awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
		t.DialContext = dialer.DialContext
		t.TLSHandshakeTimeout = dialTimeout
		t.ResponseHeaderTimeout = stallTimeout
		t.MaxIdleConnsPerHost = 64
	})
}
