package s3store

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/otelcol-custody/custody/store"
)

// Options says which bucket to open and how. Only Bucket is needed.
type Options struct {
	Bucket string
	// Prefix is put before every name, with a slash between unless it is
	// empty or ends with one.
	Prefix string
	// Region is the bucket's region; empty takes the SDK's (environment,
	// profile), and us-east-1 where there is an Endpoint and no region.
	Region string
	// Endpoint is the URL of an S3-compatible store, such as
	// "https://minio.example.com:9000". Empty means AWS.
	Endpoint string
	// PathStyle puts the bucket into the path instead of the host name.
	PathStyle bool

	StorageClass  string            // such as "GLACIER_IR"; empty means the bucket's
	KMSKeyID      string            // encrypt with this KMS key (SSE-KMS); empty leaves it to the bucket
	Tags          map[string]string // object tags set with every write
	RequesterPays bool              // the caller pays for requests and transfer
	BucketOwner   string            // the 12-digit account that must own the bucket; empty checks nothing

	// Credentials: without any the SDK's chain decides (environment,
	// profile, web identity, container, instance).
	Profile         string // of the shared configuration files
	RoleARN         string // assumed with whatever credentials the rest gives
	ExternalID      string // of RoleARN's trust policy
	AccessKeyID     string
	SecretAccessKey string
	SessionToken    string

	// ReadFirst runs the weaker mode, which reads before it writes, on
	// stores that ignore If-None-Match. Of two writers that put other bytes
	// at one name at once, both can succeed there.
	ReadFirst bool
	// ReadOnly never writes anything, no probe either.
	ReadOnly bool
	// Transport carries the HTTP requests; nil means one with timeouts.
	Transport http.RoundTripper
}

// check refuses what cannot mean anything, each fault led by its key.
func (o Options) check() error {
	var errs []error
	fault := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if o.Bucket == "" {
		fault("bucket: required")
	}
	if o.Prefix != "" {
		if err := store.CheckName(strings.TrimSuffix(o.Prefix, "/")); err != nil {
			fault("prefix: %w", err)
		}
	}
	if o.Endpoint != "" {
		if u, err := url.Parse(o.Endpoint); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			fault("endpoint: want a URL such as https://minio.example.com:9000")
		} else if u.User != nil {
			fault("endpoint: must not contain credentials; use access_key_id and secret_access_key")
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
	if o.BucketOwner != "" && (len(o.BucketOwner) != 12 || strings.Trim(o.BucketOwner, "0123456789") != "") {
		fault("bucket_owner: want the 12 digits of an AWS account")
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("%w: %w", store.ErrUnfit, err)
	}
	return nil
}

// prefix is what stands before every name: empty or ending with a slash.
func (o Options) prefix() string {
	if o.Prefix == "" || strings.HasSuffix(o.Prefix, "/") {
		return o.Prefix
	}
	return o.Prefix + "/"
}

// partitions are Amazon's, by the beginning of their regions ("AWS Regions and
// partitions"). A bucket's name is unique within one; the first, aws, has no entry.
var partitions = map[string]string{"cn-": "aws-cn", "us-gov-": "aws-us-gov", "us-iso-": "aws-iso", "us-isob-": "aws-iso-b", "eu-isoe-": "aws-iso-e", "us-isof-": "aws-iso-f", "eusc-": "aws-eusc"}

// ID names the store that o reaches: bucket and prefix as a URL, with the partition
// of Amazon's where o.Region is in another than aws, or with the host of an
// endpoint.
func (o Options) ID() string { return o.id(o.Endpoint) }

// id names the store: everything that says which objects it reaches.
func (o Options) id(endpoint string) string {
	u := url.URL{Scheme: "s3", Host: o.Bucket, Path: "/" + strings.TrimSuffix(o.Prefix, "/")}
	if u.Path == "/" {
		u.Path = ""
	}
	if e, err := url.Parse(endpoint); err == nil && e.Host != "" {
		u.RawQuery = "endpoint=" + e.Host
		return u.String()
	}
	for begin, partition := range partitions {
		if strings.HasPrefix(o.Region, begin) {
			u.RawQuery = "partition=" + partition
		}
	}
	return u.String()
}
