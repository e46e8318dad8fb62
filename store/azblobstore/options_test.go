package azblobstore

import (
	"strings"
	"testing"
)

func TestOptionsSayEveryFault(t *testing.T) {
	good := Options{AccountURL: "https://acmeaudit.blob.core.windows.net", Container: "evidence"}
	for name, c := range map[string]struct {
		change func(*Options)
		say    string
	}{
		"no address":        {func(o *Options) { o.AccountURL = "" }, "account_url: required"},
		"no URL":            {func(o *Options) { o.AccountURL = "acmeaudit" }, "account_url: not a URL"},
		"a SAS in it":       {func(o *Options) { o.AccountURL += "?sig=c2VjcmV0" }, "sas_token"},
		"tokens over http":  {func(o *Options) { o.AccountURL = "http://127.0.0.1:1/acme" }, "https only"},
		"no container":      {func(o *Options) { o.Container = "" }, "container: required"},
		"a hostile prefix":  {func(o *Options) { o.Prefix = "a/../b" }, "prefix:"},
		"archive":           {func(o *Options) { o.AccessTier = "archive" }, "access_tier:"},
		"two credentials":   {func(o *Options) { o.AccountKey, o.SASToken = "c2VjcmV0", "sig=c2VjcmV0" }, "account_key and sas_token"},
		"half a principal":  {func(o *Options) { o.ClientSecret = "c2VjcmV0" }, "client_secret: needs"},
		"a key, not base64": {func(o *Options) { o.AccountKey = "c2VjcmV0!" }, "account_key: not base64"},
		"a bad connection":  {func(o *Options) { o.ConnectionString = "c2VjcmV0" }, "connection_string:"},
	} {
		opt := good
		c.change(&opt)
		_, err := Open(t.Context(), opt)
		if err == nil || !strings.Contains(err.Error(), c.say) || strings.Contains(err.Error(), "c2VjcmV0") {
			t.Errorf("%s: %v, want it to say %q and no secret", name, err, c.say)
		}
	}
}

// Opening read-only makes no request, so the real cloud's names can be tried.
func TestIdentity(t *testing.T) {
	for _, opt := range []Options{
		{AccountURL: "https://AcmeAudit.blob.core.windows.net/", Container: "evidence", Prefix: "/prod/eu/", SASToken: "?sig=c2VjcmV0"},
		{AccountURL: "https://acmeaudit.blob.core.windows.net", Container: "evidence", Prefix: "prod/eu", AccountKey: "c2VjcmV0"},
		{ConnectionString: "BlobEndpoint=https://acmeaudit.blob.core.windows.net;SharedAccessSignature=sig=c2VjcmV0", Container: "evidence", Prefix: "prod/eu"},
		{AccountURL: "https://acmeaudit.blob.core.windows.net", Container: "evidence", Prefix: "prod/eu", TenantID: "acme", ClientID: "a", ClientSecret: "c2VjcmV0"},
		{AccountURL: "https://acmeaudit.blob.core.windows.net", Container: "evidence", Prefix: "prod/eu", ManagedIdentityClientID: "a"},
	} {
		opt.ReadOnly = true
		if id := open(t, opt).ID(); id != "azblob://acmeaudit.blob.core.windows.net/evidence/prod/eu" {
			t.Errorf("ID %s", id)
		}
	}
	if got := (Options{AccountURL: "https://acmeaudit.blob.core.windows.net"}).account(); got != "acmeaudit" {
		t.Errorf("account %q", got)
	}
}
