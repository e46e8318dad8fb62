package storeconfig

import (
	"context"
	"regexp"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/config/configopaque"

	"github.com/otelcol-custody/custody/store"
	"github.com/otelcol-custody/custody/store/s3store"
)

// S3 is a bucket of Amazon S3, or of a store that speaks its protocol.
type S3 struct {
	// Region is the bucket's; empty: AWS_REGION or the profile says.
	Region string `mapstructure:"region"`
	Bucket string `mapstructure:"bucket"`
	// Prefix is the folder for everything, without slashes around it.
	Prefix string `mapstructure:"prefix"`
	// Endpoint is the URL of another store than Amazon's.
	Endpoint  string `mapstructure:"endpoint"`
	PathStyle bool   `mapstructure:"path_style"`

	StorageClass  string            `mapstructure:"storage_class"`
	KMSKey        string            `mapstructure:"kms_key"`
	Tags          map[string]string `mapstructure:"tags"`
	RequesterPays bool              `mapstructure:"requester_pays"`
	// BucketOwner is the account that must own the bucket.
	BucketOwner string `mapstructure:"bucket_owner"`

	Profile         string              `mapstructure:"profile"`
	RoleARN         string              `mapstructure:"role_arn"`
	ExternalID      string              `mapstructure:"external_id"`
	AccessKeyID     string              `mapstructure:"access_key_id"`
	SecretAccessKey configopaque.String `mapstructure:"secret_access_key"`
	SessionToken    configopaque.String `mapstructure:"session_token"`

	// ConditionalWrites is required or read_first.
	ConditionalWrites string    `mapstructure:"conditional_writes"`
	Retention         Retention `mapstructure:"retention"`
	// RequireLock refuses a bucket that cannot retain.
	RequireLock bool `mapstructure:"require_lock"`
}

// Values of conditional_writes.
const (
	writesRequired  = "required"
	writesReadFirst = "read_first"
)

// DefaultS3 returns the defaults.
func DefaultS3() S3 { return S3{ConditionalWrites: writesRequired, RequireLock: true} }

var (
	regionForm  = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	accountForm = regexp.MustCompile(`^[0-9]{12}$`)
	roleForm    = regexp.MustCompile(`^arn:aws[a-z-]*:iam::[0-9]{12}:role/.+$`)
	kmsForm     = regexp.MustCompile(`^(arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:(key|alias)/.+|alias/.+|mrk-[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$`)
	// s3Tag are the characters of a tag ("Categorizing your objects using tags").
	s3Tag = regexp.MustCompile(`^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$`)
)

// Validate reports every fault at once.
func (c *S3) Validate() error {
	var f faults
	c.checkPlace(&f)
	c.checkWrites(&f)
	c.checkCredentials(&f)
	c.Retention.check(&f, s3Lock, c.RequireLock)
	return f.err()
}

func (c *S3) checkPlace(f *faults) {
	if c.Region != "" && !regionForm.MatchString(c.Region) {
		f.add("region", "%q is no region, such as eu-central-1", c.Region)
	}
	switch {
	case strings.HasSuffix(c.Bucket, "--x-s3"):
		f.add("bucket", "%q is a directory bucket: these have neither versions nor Object Lock; use a general purpose bucket", c.Bucket)
	case strings.HasPrefix(c.Bucket, "arn:"):
		f.add("bucket", "must be the bucket's name: an access point does not tell whether the bucket locks")
	case c.Endpoint == "":
		f.name("bucket", c.Bucket, s3Bucket)
	case c.Bucket == "" || strings.ContainsAny(c.Bucket, "/:"): // Others have rules of their own.
		f.add("bucket", "required: the name alone; a folder goes into prefix")
	}
	f.prefix(c.Prefix)
	if c.Endpoint != "" {
		f.endpoint("endpoint", c.Endpoint, "https://s3.example.com:9000", false)
	}
	if c.BucketOwner != "" && !accountForm.MatchString(c.BucketOwner) {
		f.add("bucket_owner", "must be the 12 digits of an account, in quotation marks, got %q", c.BucketOwner)
	}
}

// Storage classes that cannot hold a log, and why.
var unfitClasses = map[string]string{
	"GLACIER":            "objects in it cannot be read back without restoring them first; GLACIER_IR is the coldest class that can",
	"DEEP_ARCHIVE":       "objects in it cannot be read back without restoring them first; GLACIER_IR is the coldest class that can",
	"EXPRESS_ONEZONE":    "it belongs to directory buckets, which have no Object Lock",
	"REDUCED_REDUNDANCY": "it loses objects by design",
}

var s3Classes = []string{"STANDARD", "INTELLIGENT_TIERING", "STANDARD_IA", "ONEZONE_IA", "GLACIER_IR"}

func (c *S3) checkWrites(f *faults) {
	if why := unfitClasses[c.StorageClass]; why != "" {
		f.add("storage_class", "%s cannot be: %s", c.StorageClass, why)
	} else if c.StorageClass != "" && c.Endpoint == "" && !slices.Contains(s3Classes, c.StorageClass) {
		f.add("storage_class", "must be one of %s, got %q", strings.Join(s3Classes, ", "), c.StorageClass)
	}
	if c.KMSKey != "" && c.Endpoint == "" && !kmsForm.MatchString(c.KMSKey) {
		f.add("kms_key", "must be a key's ARN, id or alias/NAME, got %q", c.KMSKey)
	}
	f.tags(c.Tags, s3Tag)
	switch c.ConditionalWrites {
	case writesRequired:
	case writesReadFirst:
		if c.Endpoint == "" {
			f.add("conditional_writes", "%s is for stores that ignore If-None-Match, and weaker; Amazon S3 does not: write %s", writesReadFirst, writesRequired)
		}
	default:
		f.add("conditional_writes", "must be %s or %s, got %q", writesRequired, writesReadFirst, c.ConditionalWrites)
	}
}

func (c *S3) checkCredentials(f *faults) {
	if (c.AccessKeyID == "") != (c.SecretAccessKey == "") {
		f.add("access_key_id", "goes with secret_access_key: give both or none")
	}
	if c.SessionToken != "" && c.AccessKeyID == "" {
		f.add("session_token", "needs access_key_id and secret_access_key")
	}
	if c.Profile != "" && c.AccessKeyID != "" {
		f.add("profile", "cannot be combined with access_key_id: keep one of them")
	}
	if c.RoleARN != "" && !roleForm.MatchString(c.RoleARN) {
		f.add("role_arn", "must look like arn:aws:iam::111122223333:role/NAME, got %q", c.RoleARN)
	}
	if c.ExternalID != "" && c.RoleARN == "" {
		f.add("external_id", "needs role_arn, whose trust policy asks for it")
	}
}

// tags checks what S3 and Azure have in common: ten, of 128 and 256 characters.
func (f *faults) tags(tags map[string]string, form *regexp.Regexp) {
	if len(tags) > 10 {
		f.add("tags", "must be at most 10, got %d", len(tags))
	}
	for _, k := range sortedKeys(tags) {
		switch v := tags[k]; {
		case k == "" || len([]rune(k)) > 128 || len([]rune(v)) > 256:
			f.add("tags", "%q: a key has 1 to 128 characters, a value at most 256", k)
		case !form.MatchString(k) || !form.MatchString(v):
			f.add("tags", "%q: only letters, digits, spaces and some of _ . : / = + - @ may stand in keys and values", k)
		case strings.HasPrefix(strings.ToLower(k), "aws:"):
			f.add("tags", "%q: keys that begin with aws: are reserved", k)
		}
	}
}

// ID names the bucket and prefix as a URL, and the endpoint or partition.
func (c *S3) ID() string { return c.options(false).ID() }

// Policy says how objects are retained.
func (c *S3) Policy() Policy { return c.Retention.policy(s3Lock, c.RequireLock) }

// Weaker says what the configuration gives up.
func (c *S3) Weaker() []string {
	list := c.Policy().weaker()
	if c.ConditionalWrites == writesReadFirst {
		list = append(list, "conditional_writes is read_first: of two writers at one position both can succeed, so two histories of one log may come to lie in the store, and are found only afterwards")
	}
	return list
}

// Open opens the bucket.
func (c *S3) Open(ctx context.Context, readOnly bool) (store.Store, error) {
	return opened(s3store.Open(ctx, c.options(readOnly)))
}

func (c *S3) options(readOnly bool) s3store.Options {
	return s3store.Options{
		Bucket: c.Bucket, Prefix: c.Prefix, Region: c.Region, Endpoint: c.Endpoint, PathStyle: c.PathStyle,
		StorageClass: c.StorageClass, KMSKeyID: c.KMSKey, Tags: c.Tags, RequesterPays: c.RequesterPays, BucketOwner: c.BucketOwner,
		Profile: c.Profile, RoleARN: c.RoleARN, ExternalID: c.ExternalID,
		AccessKeyID: c.AccessKeyID, SecretAccessKey: string(c.SecretAccessKey), SessionToken: string(c.SessionToken),
		ReadFirst: c.ConditionalWrites == writesReadFirst, ReadOnly: readOnly,
	}
}
