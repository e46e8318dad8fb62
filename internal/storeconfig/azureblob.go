package storeconfig

import (
	"context"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/otelcol-custody/custody/store"
	"github.com/otelcol-custody/custody/store/azblobstore"
)

// AzureBlob is a container of an Azure storage account.
type AzureBlob struct {
	// AccountURL is the account's blob endpoint, or an emulator's.
	AccountURL string `mapstructure:"account_url"`
	Container  string `mapstructure:"container"`
	// Prefix is the folder for everything, without slashes around it.
	Prefix string `mapstructure:"prefix"`

	AccessTier      string            `mapstructure:"access_tier"`
	EncryptionScope string            `mapstructure:"encryption_scope"`
	Tags            map[string]string `mapstructure:"tags"`
	Auth            AzureAuth         `mapstructure:"auth"`

	Retention Retention `mapstructure:"retention"`
	// RequireLock refuses a container that cannot retain.
	RequireLock bool `mapstructure:"require_lock"`
}

// DefaultAzureBlob returns the defaults.
func DefaultAzureBlob() AzureBlob { return AzureBlob{RequireLock: true} }

var (
	azureTiers = []string{"hot", "cool", "cold"}
	scopeForm  = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9-]{2,62}$`)
	// azureTag are the characters of a tag ("Set Blob Tags").
	azureTag = regexp.MustCompile(`^[A-Za-z0-9 +\-./:=_]*$`)
)

const accountExample = "https://ACCOUNT.blob.core.windows.net"

// Validate reports every fault at once.
func (c *AzureBlob) Validate() error {
	var f faults
	c.checkPlace(&f)
	switch tier := strings.ToLower(c.AccessTier); {
	case tier == "archive":
		f.add("access_tier", "archive cannot be: blobs in it cannot be read back without rehydrating them first; cold is the coldest that can")
	case tier != "" && !slices.Contains(azureTiers, tier):
		f.add("access_tier", "must be one of %s, got %q", strings.Join(azureTiers, ", "), c.AccessTier)
	}
	if c.EncryptionScope != "" && !scopeForm.MatchString(c.EncryptionScope) {
		f.add("encryption_scope", "%q is no scope's name (3 to 63 letters, digits and hyphens)", c.EncryptionScope)
	}
	f.tags(c.Tags, azureTag)
	c.Auth.check(&f)
	c.Retention.check(&f, azureLock, c.RequireLock)
	return f.err()
}

func (c *AzureBlob) checkPlace(f *faults) {
	switch u := c.account(); {
	case c.AccountURL == "" && c.Auth.ConnectionString == "":
		f.add("account_url", "required, such as %s", accountExample)
	case c.Auth.ConnectionString == "":
		c.checkAccount(f)
	case c.AccountURL != "":
		f.add("account_url", "the connection string says it: leave one of them out")
	case u == nil:
		f.add("auth::connection_string", "must name the account: AccountName=…;AccountKey=… or BlobEndpoint=…;SharedAccessSignature=…")
	}
	switch c.Container {
	case "$root", "$web", "$logs":
		f.add("container", "%q is the account's own: make one for the logs", c.Container)
	default:
		f.name("container", c.Container, azureContainer)
	}
	f.prefix(c.Prefix)
}

func (c *AzureBlob) checkAccount(f *faults) {
	u := f.endpoint("account_url", c.AccountURL, accountExample, true)
	if u == nil {
		return
	}
	if path := strings.Trim(u.Path, "/"); path != "" && (!isEmulator(u) || strings.Contains(path, "/")) {
		f.add("account_url", "must end with the host, such as %s; the container has a setting of its own", accountExample)
	}
	if u.Scheme == "http" && c.Auth.SharedKey == nil && c.Auth.SAS == nil {
		f.add("account_url", "must be https: over http only auth::shared_key, auth::sas and auth::connection_string are possible")
	}
}

// isEmulator says whether a host cannot be that of one account, so that the
// account stands in the path.
func isEmulator(u *url.URL) bool {
	_, err := netip.ParseAddr(u.Hostname())
	return err == nil || u.Hostname() == "localhost" || u.Port() != "" && !strings.Contains(u.Hostname(), ".")
}

// account is the account's URL, or nil if nothing gives one.
func (c *AzureBlob) account() *url.URL {
	raw := c.AccountURL
	if cs := string(c.Auth.ConnectionString); cs != "" {
		raw = connectionURL(cs)
	}
	if u, err := url.Parse(raw); err == nil && u.Host != "" {
		return u
	}
	return nil
}

// connectionURL returns the blob endpoint that a connection string names.
func connectionURL(cs string) string {
	parts := map[string]string{"DefaultEndpointsProtocol": "https", "EndpointSuffix": "core.windows.net"}
	for part := range strings.SplitSeq(cs, ";") {
		if key, value, ok := strings.Cut(strings.TrimSpace(part), "="); ok {
			parts[key] = value
		}
	}
	if e := parts["BlobEndpoint"]; e != "" || parts["AccountName"] == "" {
		return e
	}
	return parts["DefaultEndpointsProtocol"] + "://" + parts["AccountName"] + ".blob." + parts["EndpointSuffix"]
}

// ID names the container and prefix as a URL.
func (c *AzureBlob) ID() string {
	id := url.URL{Scheme: "azblob"}
	if u := c.account(); u != nil { // Validate reports that there is none.
		id.Host, id.Path = strings.ToLower(u.Host), strings.TrimRight(u.Path, "/")
	}
	id.Path += "/" + c.Container
	if c.Prefix != "" {
		id.Path += "/" + c.Prefix
	}
	return id.String()
}

// Policy says how objects are retained.
func (c *AzureBlob) Policy() Policy { return c.Retention.policy(azureLock, c.RequireLock) }

// Weaker says what the configuration gives up.
func (c *AzureBlob) Weaker() []string { return c.Policy().weaker() }

// Open opens the container.
func (c *AzureBlob) Open(ctx context.Context, readOnly bool) (store.Store, error) {
	opt := azblobstore.Options{
		AccountURL: c.AccountURL, Container: c.Container, Prefix: c.Prefix,
		AccessTier: c.AccessTier, EncryptionScope: c.EncryptionScope, Tags: c.Tags, ReadOnly: readOnly,
	}
	c.Auth.apply(&opt)
	return opened(azblobstore.Open(ctx, opt))
}
