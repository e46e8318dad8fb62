package azblobstore

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
)

// Retries are few: callers of a store come again by themselves, and want to
// know soon that it is away.
var retries = policy.RetryOptions{
	MaxRetries:    2,
	RetryDelay:    300 * time.Millisecond,
	MaxRetryDelay: 3 * time.Second,
}

func newClient(opt Options, t *transport) (*container.Client, error) {
	opts := &container.ClientOptions{}
	opts.ClientOptions = azcore.ClientOptions{
		Transport: onlyAzure{t}, Retry: retries, Telemetry: policy.TelemetryOptions{ApplicationID: "custody"},
	}
	if opt.ConnectionString != "" {
		client, err := container.NewClientFromConnectionString(opt.ConnectionString, opt.Container, opts)
		if err != nil {
			return nil, errors.New("connection_string: not of the form AccountName=…;AccountKey=… or BlobEndpoint=…;SharedAccessSignature=…")
		}
		return client, nil
	}
	at := strings.TrimRight(opt.AccountURL, "/") + "/" + url.PathEscape(opt.Container)
	switch {
	case opt.AccountKey != "":
		return sharedKeyClient(opt, at, opts)
	case opt.SASToken != "":
		client, err := container.NewClientWithNoCredential(at+"?"+strings.TrimPrefix(opt.SASToken, "?"), opts)
		if err != nil {
			return nil, errors.New("sas_token: not a query string such as sv=…&sig=…")
		}
		return client, nil
	}
	tokens := opts.ClientOptions
	tokens.Transport = t // Identity services answer otherwise.
	cred, err := tokenCredential(opt, tokens)
	if err != nil {
		return nil, fmt.Errorf("credentials: %s", plain(err))
	}
	return container.NewClient(at, cred, opts)
}

func sharedKeyClient(opt Options, at string, opts *container.ClientOptions) (*container.Client, error) {
	cred, err := container.NewSharedKeyCredential(opt.account(), opt.AccountKey)
	if err != nil {
		return nil, errors.New("account_key: not base64; copy it again from the account's access keys")
	}
	return container.NewClientWithSharedKeyCredential(at, cred, opts)
}

// account is the account's name: an emulator's stands in the URL's path.
func (o Options) account() string {
	if o.AccountName != "" {
		return o.AccountName
	}
	u, err := url.Parse(o.AccountURL)
	if err != nil {
		return ""
	}
	if p := strings.Trim(u.Path, "/"); p != "" {
		return p
	}
	name, _, _ := strings.Cut(u.Hostname(), ".")
	return name
}

func tokenCredential(opt Options, co azcore.ClientOptions) (azcore.TokenCredential, error) {
	switch {
	case opt.ClientSecret != "":
		return azidentity.NewClientSecretCredential(opt.TenantID, opt.ClientID, opt.ClientSecret,
			&azidentity.ClientSecretCredentialOptions{ClientOptions: co})
	case opt.WorkloadIdentity:
		return azidentity.NewWorkloadIdentityCredential(&azidentity.WorkloadIdentityCredentialOptions{
			ClientOptions: co, TenantID: opt.TenantID, ClientID: opt.ClientID})
	case opt.ManagedIdentityClientID != "":
		return azidentity.NewManagedIdentityCredential(&azidentity.ManagedIdentityCredentialOptions{
			ClientOptions: co, ID: azidentity.ClientID(opt.ManagedIdentityClientID)})
	}
	return azidentity.NewDefaultAzureCredential(&azidentity.DefaultAzureCredentialOptions{ClientOptions: co, TenantID: opt.TenantID})
}
