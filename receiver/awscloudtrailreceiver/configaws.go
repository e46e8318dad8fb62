package awscloudtrailreceiver

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"time"

	"go.opentelemetry.io/collector/config/configopaque"

	"github.com/otelcol-custody/custody/internal/awsclient"
	"github.com/otelcol-custody/custody/internal/awsnotify"
)

// AWSConfig says how AWS is called, by every source but the directory.
type AWSConfig struct {
	Region        string `mapstructure:"region"`
	Endpoint      string `mapstructure:"endpoint"`
	PathStyle     bool   `mapstructure:"path_style"`
	UseFIPS       bool   `mapstructure:"use_fips"`
	UseDualStack  bool   `mapstructure:"use_dualstack"`
	RequesterPays bool   `mapstructure:"requester_pays"`
	BucketOwner   string `mapstructure:"bucket_owner"`

	Profile              string              `mapstructure:"profile"`
	RoleARN              string              `mapstructure:"role_arn"`
	ExternalID           string              `mapstructure:"external_id"`
	WebIdentityTokenFile string              `mapstructure:"web_identity_token_file"`
	AccessKeyID          string              `mapstructure:"access_key_id"`
	SecretAccessKey      configopaque.String `mapstructure:"secret_access_key"`
	SessionToken         configopaque.String `mapstructure:"session_token"`

	// MaxInflatedMiB bounds one object, inflated.
	MaxInflatedMiB int64 `mapstructure:"max_inflated_mib"`
}

func (c *AWSConfig) options() awsclient.Options {
	return awsclient.Options{
		Region: c.Region, Endpoint: c.Endpoint, FIPS: c.UseFIPS, DualStack: c.UseDualStack,
		Profile: c.Profile, RoleARN: c.RoleARN, ExternalID: c.ExternalID, WebIdentityTokenFile: c.WebIdentityTokenFile,
		AccessKeyID: c.AccessKeyID, SecretAccessKey: string(c.SecretAccessKey), SessionToken: string(c.SessionToken),
	}
}

// anyRegion is looser than AWS: other makers of S3 name theirs as they like.
var anyRegion = regexp.MustCompile(`^[a-z0-9-]+$`)

var account = regexp.MustCompile(`^[0-9]{12}$`)

func (c *AWSConfig) check() error {
	errs := []error{c.options().Check()}
	if c.Region != "" && !anyRegion.MatchString(c.Region) {
		errs = append(errs, fmt.Errorf("region: want the name of a region such as eu-central-1, got %q", c.Region))
	}
	if c.BucketOwner != "" && !account.MatchString(c.BucketOwner) {
		errs = append(errs, errors.New("bucket_owner: want the 12 digits of an AWS account"))
	}
	if c.MaxInflatedMiB < 1 || c.MaxInflatedMiB > largestMaxInflatedMiB {
		errs = append(errs, fmt.Errorf("max_inflated_mib: must be 1 to %d, got %d", largestMaxInflatedMiB, c.MaxInflatedMiB))
	}
	return errors.Join(errs...)
}

// SQSConfig is the source of objects that a queue tells of.
type SQSConfig struct {
	QueueURL          string        `mapstructure:"queue_url"`
	MaxInFlight       int           `mapstructure:"max_in_flight"`
	VisibilityTimeout time.Duration `mapstructure:"visibility_timeout"`
	WaitTime          time.Duration `mapstructure:"wait_time"`
	// Buckets are the only ones of which objects are read; empty: all that a message
	// names and the credentials can read.
	Buckets []string `mapstructure:"buckets"`
	// SNSTopics are the topics of which messages are believed, if their signature is
	// right; empty: nothing is checked.
	SNSTopics []string `mapstructure:"sns_topics"`
}

// Limits of SQS: visibility ends after 12 h, a long poll after 20 s.
const (
	shortestVisibility = 30 * time.Second
	longestVisibility  = 12 * time.Hour
	longestWait        = 20 * time.Second
	largestInFlight    = 1000
)

func defaultSQS() SQSConfig {
	return SQSConfig{MaxInFlight: 8, VisibilityTimeout: 5 * time.Minute, WaitTime: longestWait}
}

// Validate reports every fault at once.
func (c *SQSConfig) Validate() error {
	var errs []error
	fault := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	switch u, err := url.Parse(c.QueueURL); {
	case err == nil && u.User != nil:
		fault("queue_url: must not contain credentials; use access_key_id and secret_access_key")
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || strings.Trim(u.Path, "/") == "":
		fault("queue_url: required: the queue's URL, for example https://sqs.eu-central-1.amazonaws.com/111122223333/cloudtrail, got %q", c.QueueURL)
	}
	if c.MaxInFlight < 1 || c.MaxInFlight > largestInFlight {
		fault("max_in_flight: must be 1 to %d, got %d", largestInFlight, c.MaxInFlight)
	}
	if c.VisibilityTimeout < shortestVisibility || c.VisibilityTimeout > longestVisibility {
		fault("visibility_timeout: must be %v to %v, got %v", shortestVisibility, longestVisibility, c.VisibilityTimeout)
	}
	if c.WaitTime < 0 || c.WaitTime > longestWait || c.WaitTime%time.Second != 0 {
		fault("wait_time: must be 0s to %v in whole seconds, with the unit, got %v", longestWait, c.WaitTime)
	}
	for _, name := range c.Buckets {
		if !anyBucket.MatchString(name) {
			fault("buckets: want the names of buckets, without s3:// or a path, got %q", name)
		}
	}
	for _, topic := range c.SNSTopics {
		if err := awsnotify.CheckTopicARN(topic); err != nil {
			fault("sns_topics: %w", err)
		}
	}
	return errors.Join(errs...)
}

// anyBucket is that of any bucket there is, the old ones of us-east-1 included.
var anyBucket = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9]$`)

var queueHost = regexp.MustCompile(`^(?:sqs|sqs-fips)\.([a-z0-9-]+)\.(?:amazonaws\.com(?:\.cn)?|api\.aws)$`)

// region is the one that the queue's URL names, or empty.
func (c *SQSConfig) region() string {
	u, err := url.Parse(c.QueueURL)
	if err != nil {
		return ""
	}
	if m := queueHost.FindStringSubmatch(u.Hostname()); m != nil {
		return m[1]
	}
	return ""
}
