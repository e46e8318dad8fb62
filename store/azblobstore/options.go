package azblobstore

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"

	"github.com/otelcol-custody/custody/store"
)

// Options says which container to open, and how. AccountURL (or
// ConnectionString) and Container are required.
type Options struct {
	// AccountURL is the account's blob endpoint, such as
	// https://acct.blob.core.windows.net, or an emulator's
	// http://127.0.0.1:10000/devstoreaccount1. It carries no query: a SAS
	// belongs into SASToken.
	AccountURL string
	// Container must exist: the store never makes one, since immutability
	// has to be switched on when it is made.
	Container string
	// Prefix is put before every name, with a slash between. It satisfies
	// [store.CheckName], apart from slashes around it.
	Prefix string

	// AccessTier is hot, cool or cold; empty means the account's default.
	// The archive tier is refused: what lies there cannot be read at once.
	AccessTier string
	// EncryptionScope names a scope of the account, for instance one with a
	// customer-managed key; empty means the container's default.
	EncryptionScope string
	// Tags are blob index tags for every object.
	Tags map[string]string

	// One way to authenticate at most. Without any,
	// azidentity.DefaultAzureCredential finds one in the environment.
	AccountName, AccountKey          string // shared key; AccountName may be left to the URL
	SASToken                         string // with or without a leading "?"
	ConnectionString                 string // shared key or SAS; replaces AccountURL
	ManagedIdentityClientID          string // a user-assigned managed identity
	WorkloadIdentity                 bool   // federated token file of Kubernetes, with TenantID and ClientID or their variables
	TenantID, ClientID, ClientSecret string // a service principal

	// ReadOnly writes nothing, not even the probe.
	ReadOnly bool
	// Transport replaces the HTTP client; nil means one of the store's own.
	Transport http.RoundTripper
}

// check reports every fault, each led by the field that mends it.
func (o Options) check() error {
	var errs []error
	if o.ConnectionString == "" {
		errs = append(errs, checkAccountURL(o.AccountURL))
	}
	if o.Container == "" {
		errs = append(errs, errors.New("container: required"))
	}
	if p := strings.Trim(o.Prefix, "/"); p != "" {
		if err := store.CheckName(p); err != nil {
			errs = append(errs, fmt.Errorf("prefix: %w", err))
		}
	}
	if !tiers[strings.ToLower(o.AccessTier)] {
		errs = append(errs, fmt.Errorf("access_tier: %q is none of hot, cool and cold", o.AccessTier))
	}
	if ways := o.credentials(); len(ways) > 1 {
		errs = append(errs, fmt.Errorf("credentials: %s are set; keep one of them", strings.Join(ways, " and ")))
	}
	if o.ClientSecret != "" && (o.TenantID == "" || o.ClientID == "") {
		errs = append(errs, errors.New("client_secret: needs tenant_id and client_id beside it"))
	}
	if len(o.credentials()) == 0 || o.tokens() {
		if strings.HasPrefix(strings.ToLower(o.AccountURL), "http:") {
			errs = append(errs, errors.New("account_url: tokens travel over https only; use https, or account_key for an emulator"))
		}
	}
	if len(o.Tags) > 10 {
		errs = append(errs, fmt.Errorf("tags: %d are set; a blob takes 10 at most", len(o.Tags)))
	}
	return errors.Join(errs...)
}

// tiers are those that can be read at once; empty means the account's default.
var tiers = map[string]bool{"": true, "hot": true, "cool": true, "cold": true}

// tier returns the tier in the service's spelling.
func (o Options) tier() *blob.AccessTier {
	for _, t := range []blob.AccessTier{blob.AccessTierHot, blob.AccessTierCool, blob.AccessTierCold} {
		if strings.EqualFold(string(t), o.AccessTier) {
			return &t
		}
	}
	return nil
}

// tokens reports whether the way to authenticate sends a bearer token.
func (o Options) tokens() bool {
	return o.ManagedIdentityClientID != "" || o.WorkloadIdentity || o.ClientSecret != ""
}

func checkAccountURL(raw string) error {
	u, err := url.Parse(raw)
	switch {
	case raw == "":
		return errors.New("account_url: required, such as https://ACCOUNT.blob.core.windows.net")
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return errors.New("account_url: not a URL such as https://ACCOUNT.blob.core.windows.net") // unquoted: it may hold a SAS
	case u.RawQuery != "" || u.User != nil:
		return errors.New("account_url: must not carry a query or user; a SAS belongs into sas_token")
	}
	return nil
}

// credentials names the ways to authenticate that are set.
func (o Options) credentials() []string {
	var ways []string
	for _, w := range []struct {
		name string
		set  bool
	}{
		{"account_key", o.AccountKey != ""},
		{"sas_token", o.SASToken != ""},
		{"connection_string", o.ConnectionString != ""},
		{"managed_identity_client_id", o.ManagedIdentityClientID != ""},
		{"workload_identity", o.WorkloadIdentity},
		{"client_secret", o.ClientSecret != ""},
	} {
		if w.set {
			ways = append(ways, w.name)
		}
	}
	return ways
}
