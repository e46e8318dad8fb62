package storeconfig

import (
	"context"
	"regexp"
	"slices"
	"strings"

	"github.com/otelcol-custody/custody/store"
	"github.com/otelcol-custody/custody/store/gcsstore"
)

// GCS is a bucket of Google Cloud Storage.
type GCS struct {
	Bucket string `mapstructure:"bucket"`
	// Prefix is the folder for everything, without slashes around it.
	Prefix string `mapstructure:"prefix"`
	// Endpoint is the URL of an emulator or a private endpoint.
	Endpoint string `mapstructure:"endpoint"`

	StorageClass string `mapstructure:"storage_class"`
	KMSKey       string `mapstructure:"kms_key"`
	// Tags become custom metadata: Cloud Storage has no tags on objects.
	Tags map[string]string `mapstructure:"tags"`
	// UserProject pays for the requests to a bucket whose requester pays.
	UserProject string `mapstructure:"user_project"`

	CredentialsFile           string `mapstructure:"credentials_file"`
	ImpersonateServiceAccount string `mapstructure:"impersonate_service_account"`
	Anonymous                 bool   `mapstructure:"anonymous"`

	Retention Retention `mapstructure:"retention"`
	// RequireLock refuses a bucket that cannot retain.
	RequireLock bool `mapstructure:"require_lock"`
}

// DefaultGCS returns the defaults.
func DefaultGCS() GCS { return GCS{RequireLock: true} }

var (
	gcsClasses  = []string{"STANDARD", "NEARLINE", "COLDLINE", "ARCHIVE"} // all are read at once
	gcsKeyForm  = regexp.MustCompile(`^projects/[^/]+/locations/[^/]+/keyRings/[^/]+/cryptoKeys/[^/]+$`)
	projectForm = regexp.MustCompile(`^([a-z0-9.-]+:)?[a-z0-9][a-z0-9-]*$`)
	metaKeyForm = regexp.MustCompile(`^[A-Za-z0-9_-]+$`) // it becomes part of a header's name
	metaForm    = regexp.MustCompile(`^[\x20-\x7e]*$`)
)

// maxMetadata is the most bytes of custom metadata on one object, less a
// thousand for the store's own ("Object metadata").
const maxMetadata = 8<<10 - 1000

// Validate reports every fault at once.
func (c *GCS) Validate() error {
	var f faults
	f.name("bucket", c.Bucket, gcsBucket)
	f.prefix(c.Prefix)
	if c.Endpoint != "" {
		f.endpoint("endpoint", c.Endpoint, "https://storage.example.com", false)
	}
	c.checkWrites(&f)
	if c.UserProject != "" && !projectForm.MatchString(c.UserProject) {
		f.add("user_project", "%q is no project's id", c.UserProject)
	}
	if a := c.ImpersonateServiceAccount; a != "" && !strings.Contains(a, "@") {
		f.add("impersonate_service_account", "must be an address such as writer@PROJECT.iam.gserviceaccount.com, got %q", a)
	}
	if c.Anonymous && (c.CredentialsFile != "" || c.ImpersonateServiceAccount != "" || c.UserProject != "") {
		f.add("anonymous", "cannot be combined with credentials_file, impersonate_service_account or user_project")
	}
	c.Retention.check(&f, gcsLock, c.RequireLock)
	return f.err()
}

func (c *GCS) checkWrites(f *faults) {
	if c.StorageClass != "" && !slices.Contains(gcsClasses, c.StorageClass) {
		f.add("storage_class", "must be one of %s, got %q", strings.Join(gcsClasses, ", "), c.StorageClass)
	}
	if c.KMSKey != "" && !gcsKeyForm.MatchString(c.KMSKey) {
		f.add("kms_key", "must be projects/P/locations/L/keyRings/R/cryptoKeys/K, without a version, got %q", c.KMSKey)
	}
	size := 0
	for _, k := range sortedKeys(c.Tags) {
		size += len(k) + len(c.Tags[k])
		if !metaKeyForm.MatchString(k) || !metaForm.MatchString(c.Tags[k]) {
			f.add("tags", "%q: a key is of letters, digits, _ and -, a value of printable ASCII, since tags become metadata headers here", k)
		}
	}
	if size > maxMetadata {
		f.add("tags", "must have at most %d bytes in all, got %d", maxMetadata, size)
	}
}

// ID names the bucket and prefix as a URL.
func (c *GCS) ID() string { return bucketID("gs", c.Bucket, c.Prefix, c.Endpoint) }

// Policy says how objects are retained.
func (c *GCS) Policy() Policy { return c.Retention.policy(gcsLock, c.RequireLock) }

// Weaker says what the configuration gives up.
func (c *GCS) Weaker() []string { return c.Policy().weaker() }

// Open opens the bucket.
func (c *GCS) Open(ctx context.Context, readOnly bool) (store.Store, error) {
	return opened(gcsstore.Open(ctx, gcsstore.Options{
		Bucket: c.Bucket, Prefix: c.Prefix, Endpoint: c.Endpoint,
		StorageClass: c.StorageClass, KMSKey: c.KMSKey, Metadata: c.Tags, UserProject: c.UserProject,
		CredentialsFile: c.CredentialsFile, ImpersonateServiceAccount: c.ImpersonateServiceAccount, Anonymous: c.Anonymous,
		ReadOnly: readOnly,
	}))
}
