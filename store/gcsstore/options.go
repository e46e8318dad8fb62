package gcsstore

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/otelcol-custody/custody/store"
)

// Options says which bucket to use and how. Only Bucket is required.
type Options struct {
	// Bucket is the bucket's name.
	Bucket string
	// Prefix stands before every object's name, such as "audit/prod". The
	// slash between the two is added.
	Prefix string
	// Endpoint is an emulator or a private endpoint, as a URL without a
	// path, such as "http://127.0.0.1:4443". Empty means Google's.
	Endpoint string

	// StorageClass is "NEARLINE", say; empty means the bucket's default.
	StorageClass string
	// KMSKey is the full resource name of a key for new objects
	// (projects/P/locations/L/keyRings/R/cryptoKeys/K).
	KMSKey string
	// Metadata is custom metadata for new objects. Cloud Storage has no
	// object tags; this is what stands in for them.
	Metadata map[string]string
	// UserProject is billed for requests to a bucket whose requester pays.
	UserProject string

	// CredentialsFile is a file with a service account's key or an external
	// account's configuration. Empty means Application Default Credentials.
	CredentialsFile string
	// ImpersonateServiceAccount is the e-mail address of a service account
	// to act as. The credentials need roles/iam.serviceAccountTokenCreator
	// on it.
	ImpersonateServiceAccount string
	// Anonymous sends no credentials, for emulators and public buckets.
	Anonymous bool

	// ReadOnly never writes, probes included.
	ReadOnly bool
	// Transport carries the requests, authenticated by it and not by this
	// package; nil means HTTP with the credentials above. For tests.
	Transport http.RoundTripper
}

// check reports the first option that cannot be.
func (o Options) check() error {
	switch {
	case o.Bucket == "":
		return fmt.Errorf("bucket: required")
	case strings.ContainsAny(o.Bucket, "/?# "):
		return fmt.Errorf("bucket: %q is no bucket's name; give the name alone, and the folder as prefix", o.Bucket)
	case o.Anonymous && (o.CredentialsFile != "" || o.ImpersonateServiceAccount != ""):
		return fmt.Errorf("anonymous: cannot be combined with credentials_file or impersonate_service_account")
	case o.KMSKey != "" && !(strings.HasPrefix(o.KMSKey, "projects/") && strings.Contains(o.KMSKey, "/cryptoKeys/")):
		return fmt.Errorf("kms_key: %q is no full resource name (projects/P/locations/L/keyRings/R/cryptoKeys/K)", o.KMSKey)
	}
	if p := strings.Trim(o.Prefix, "/"); p != "" {
		if err := store.CheckName(p); err != nil {
			return fmt.Errorf("prefix: %w", err)
		}
	}
	if _, ok := o.Metadata[DigestKey]; ok {
		return fmt.Errorf("tags: %s is the store's own", DigestKey)
	}
	return o.checkEndpoint()
}

func (o Options) checkEndpoint() error {
	if o.Endpoint == "" {
		return nil
	}
	u, err := url.Parse(o.Endpoint)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return fmt.Errorf("endpoint: must be a URL such as https://storage.example.com, got something else")
	}
	if u.User != nil || u.RawQuery != "" || strings.Trim(u.Path, "/") != "" {
		return fmt.Errorf("endpoint: must be scheme, host and port alone")
	}
	return nil
}
