package storeconfig

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"

	"go.opentelemetry.io/collector/config/configopaque"
)

// Forms says how a store is written as the argument of a command.
const Forms = `a directory, s3://BUCKET/PREFIX, gs://BUCKET/PREFIX or azblob://ACCOUNT.blob.core.windows.net/CONTAINER/PREFIX, with settings behind it as in ?region=eu-central-1&retention.mode=compliance&retention.days=2557`

// Parse reads the argument of a command: [Forms]. The settings behind "?" are
// the YAML keys of the exporters, nested ones with a dot. Azure's emulators are
// azblob://HOST:PORT/ACCOUNT/CONTAINER/PREFIX?scheme=http.
//
// Arguments are visible to everybody on the machine, so no secret may stand in
// them: credentials come from where the SDKs look for them, and for Azure also
// from the variables of its own command, AZURE_STORAGE_CONNECTION_STRING,
// AZURE_STORAGE_KEY and AZURE_STORAGE_SAS_TOKEN.
//
// What Parse returns has passed Validate.
func Parse(arg string) (Store, error) {
	s, err := parse(arg)
	if err == nil {
		err = s.Validate()
	}
	if err != nil {
		return nil, fmt.Errorf("store %s: %w", shown(arg), err)
	}
	return s, nil
}

func parse(arg string) (Store, error) {
	scheme, _, isURL := strings.Cut(arg, "://")
	if !isURL {
		return parsePath(arg)
	}
	u, err := url.Parse(arg)
	if err != nil { // Its text repeats the argument.
		return nil, errors.New("it is not a URL that can be read: in the query write % and # as %25 and %23")
	}
	if u.User != nil {
		return nil, errors.New("credentials may not stand in an argument, which everybody on this machine can see; " + credentialsFrom)
	}
	if u.Fragment != "" {
		return nil, errors.New("write # as %23")
	}
	switch scheme {
	case "file":
		return parseFile(u)
	case "s3":
		c := DefaultS3()
		c.Bucket, c.Prefix = place(u)
		return &c, fill(&c, u, "bucket", "prefix")
	case "gs":
		c := DefaultGCS()
		c.Bucket, c.Prefix = place(u)
		return &c, fill(&c, u, "bucket", "prefix")
	case "azblob":
		return parseAzure(u)
	}
	return nil, fmt.Errorf("%q is no kind of store; write %s", scheme, Forms)
}

// place splits s3://BUCKET/PREFIX.
func place(u *url.URL) (bucket, prefix string) {
	return u.Host, strings.Trim(u.Path, "/")
}

func parsePath(arg string) (Store, error) {
	for _, scheme := range []string{"file", "s3", "gs", "azblob"} {
		if strings.HasPrefix(arg, scheme+":") {
			return nil, fmt.Errorf("write %s://…, or ./%s if you mean a directory", scheme, arg)
		}
	}
	c := DefaultDir()
	c.Path = arg
	return &c, nil
}

func parseFile(u *url.URL) (Store, error) {
	if u.Host != "" && u.Host != "localhost" {
		return nil, errors.New("a directory is written with three slashes, as in file:///srv/evidence")
	}
	c := DefaultDir()
	c.Path = u.Path
	return &c, fill(&c, u, "path")
}

// parseAzure splits azblob://HOST/CONTAINER/PREFIX. Emulators have no host for
// each account: there the account comes first in the path, and scheme=http is
// for them.
func parseAzure(u *url.URL) (Store, error) {
	query := u.Query()
	scheme := "https"
	if query.Has("scheme") {
		scheme = query.Get("scheme")
		query.Del("scheme")
		u.RawQuery = query.Encode()
	}
	if scheme != "http" && scheme != "https" {
		return nil, errors.New("scheme: must be http or https")
	}
	c := DefaultAzureBlob()
	c.AccountURL = scheme + "://" + u.Host
	path := strings.Trim(u.Path, "/")
	if isEmulator(u) {
		var account string
		account, path, _ = strings.Cut(path, "/")
		c.AccountURL += "/" + account
	} else if !strings.Contains(u.Host, ".") {
		return nil, fmt.Errorf("%s is not the host of an account: write azblob://%[1]s.blob.core.windows.net/CONTAINER/PREFIX", u.Host)
	}
	c.Container, c.Prefix, _ = strings.Cut(path, "/")
	if err := fill(&c, u, "account_url", "container", "prefix"); err != nil {
		return nil, err
	}
	if len(c.Auth.methods()) == 0 {
		c.fromEnvironment(os.Getenv)
	}
	return &c, nil
}

// fromEnvironment takes the credentials that Azure's own command takes, unless
// they are for another account.
func (c *AzureBlob) fromEnvironment(getenv func(string) string) {
	get := func(name string) configopaque.String { return configopaque.String(getenv(name)) }
	if cs := get("AZURE_STORAGE_CONNECTION_STRING"); cs != "" && strings.TrimRight(connectionURL(string(cs)), "/") == strings.TrimRight(c.AccountURL, "/") {
		c.AccountURL, c.Auth.ConnectionString = "", cs
	} else if key := get("AZURE_STORAGE_KEY"); key != "" {
		c.Auth.SharedKey = &AzureSharedKey{Account: getenv("AZURE_STORAGE_ACCOUNT"), Key: key}
	} else if sas := get("AZURE_STORAGE_SAS_TOKEN"); sas != "" {
		c.Auth.SAS = &AzureSAS{Token: sas}
	}
}

// shown is an argument without its query, where a secret may stand in spite of
// everything, and without a user.
func shown(arg string) string {
	arg, _, _ = strings.Cut(arg, "?")
	if scheme, rest, ok := strings.Cut(arg, "://"); ok {
		if at := strings.LastIndex(rest, "@"); at >= 0 {
			arg = scheme + "://…" + rest[at:]
		}
	}
	return fmt.Sprintf("%q", arg)
}
