package storeconfig

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParse(t *testing.T) {
	for name, value := range map[string]string{
		"AZURE_STORAGE_CONNECTION_STRING": "", "AZURE_STORAGE_KEY": "", "AZURE_STORAGE_SAS_TOKEN": "",
	} {
		t.Setenv(name, value)
	}
	abs, err := filepath.Abs("evidence")
	require.NoError(t, err)
	for _, c := range []struct {
		arg  string
		want Store
		id   string
	}{
		{"evidence", &Dir{Path: "evidence", Immutable: "auto"}, "file://" + abs},
		{"/srv/a b", &Dir{Path: "/srv/a b", Immutable: "auto"}, "file:///srv/a%20b"},
		{"file:///srv/a%20b?immutable=off", &Dir{Path: "/srv/a b", Immutable: "off"}, "file:///srv/a%20b"},
		{"s3://acme-audit?region=cn-north-1", &S3{Bucket: "acme-audit", Region: "cn-north-1", ConditionalWrites: "required", RequireLock: true}, "s3://acme-audit?partition=aws-cn"},
		{"s3://acme-audit", &S3{Bucket: "acme-audit", ConditionalWrites: "required", RequireLock: true}, "s3://acme-audit"},
		{
			"s3://acme-audit/custody/prod/?region=eu-central-1&endpoint=http://127.0.0.1:9000&path_style=true&retention.mode=compliance&retention.days=2557&retention.legal_hold=true&require_lock=false&tags.team=audit&tags.a.b=c&bucket_owner=111122223333",
			&S3{
				Bucket: "acme-audit", Prefix: "custody/prod", Region: "eu-central-1", Endpoint: "http://127.0.0.1:9000", PathStyle: true,
				Tags: map[string]string{"team": "audit", "a.b": "c"}, BucketOwner: "111122223333",
				ConditionalWrites: "required", Retention: Retention{Mode: "compliance", Days: 2557, LegalHold: true},
			},
			"s3://acme-audit/custody/prod?endpoint=127.0.0.1:9000",
		},
		{"gs://acme-audit/custody?anonymous=true&retention.mode=locked", &GCS{
			Bucket: "acme-audit", Prefix: "custody", Anonymous: true, Retention: Retention{Mode: "locked"}, RequireLock: true,
		}, "gs://acme-audit/custody"},
		{"azblob://acmeaudit.blob.core.windows.net/audit/custody/x?access_tier=cool&auth.workload_identity=", &AzureBlob{
			AccountURL: "https://acmeaudit.blob.core.windows.net", Container: "audit", Prefix: "custody/x", AccessTier: "cool",
			Auth: AzureAuth{WorkloadIdentity: &AzureWorkloadIdentity{}}, RequireLock: true,
		}, "azblob://acmeaudit.blob.core.windows.net/audit/custody/x"},
		{"azblob://acmeaudit.blob.core.windows.net/audit?auth.managed_identity.client_id=1-2&auth.managed_identity=", &AzureBlob{
			AccountURL: "https://acmeaudit.blob.core.windows.net", Container: "audit",
			Auth: AzureAuth{ManagedIdentity: &AzureManagedIdentity{"1-2"}}, RequireLock: true,
		}, "azblob://acmeaudit.blob.core.windows.net/audit"},
		{"azblob://10.0.0.4:10000/acme/audit/custody", &AzureBlob{
			AccountURL: "https://10.0.0.4:10000/acme", Container: "audit", Prefix: "custody", RequireLock: true,
		}, "azblob://10.0.0.4:10000/acme/audit/custody"},
		{"azblob://azurite:10000/acme/audit?scheme=https", &AzureBlob{
			AccountURL: "https://azurite:10000/acme", Container: "audit", RequireLock: true,
		}, "azblob://azurite:10000/acme/audit"},
	} {
		got, err := Parse(c.arg)
		require.NoError(t, err, c.arg)
		require.Equal(t, c.want, got, c.arg)
		require.Equal(t, c.id, got.ID())
	}
}

func TestParseRefuses(t *testing.T) {
	for arg, want := range map[string]string{
		"":                              "path: required",
		"s3:acme":                       "write s3://…, or ./s3:acme if you mean a directory",
		"ftp://acme":                    `"ftp" is no kind of store; write a directory, s3://`,
		"s3:///custody":                 "bucket: required",
		"s3://acme/x?retention.dys=1":   "retention.dys: no such setting; there are access_key_id, bucket_owner, conditional_writes, endpoint",
		"s3://acme/x?bucket=y":          "bucket: stands in front of the question mark already",
		"s3://acme/x?region=a&region=b": "region: stands there 2 times",
		"s3://acme/x?path_style=yes":    "path_style: must be true or false",
		"s3://acme/x?retention.mode=compliance&retention.days=1y": "retention.days: must be a whole number",
		"s3://acme/x?retention.mode=locked":                       "retention::mode: must be governance or compliance",
		"s3://acme/x#y":                                           "write # as %23",
		"gs://acme/x?tags=y":                                      "tags: no such setting; there are anonymous, credentials_file, endpoint, impersonate_service_account, kms_key, require_lock, retention.days, retention.legal_hold, retention.mode, storage_class, tags.NAME, user_project",
		"file://srv/evidence":                                     "three slashes",
		"file:///srv/evidence?retention.days=1":                   "retention: a directory cannot retain",
		"azblob://acme/audit":                                     "write azblob://acme.blob.core.windows.net/CONTAINER/PREFIX",
		"azblob://acme.blob.core.windows.net":                     "container: required",
		"azblob://acme.blob.core.windows.net/a-b?auth.default=x":  "auth.default: takes no value",
		"azblob://acme.blob.core.windows.net/audit?auth.default=&auth.workload_identity=": "auth: default and workload_identity are given",
	} {
		_, err := Parse(arg)
		require.ErrorContains(t, err, want, arg)
	}
}

// Nobody's shell history, process list or log gets a secret from here.
func TestParseKeepsSecrets(t *testing.T) {
	const secret = "geheim"
	for arg, want := range map[string]string{
		"s3://acme/x?access_key_id=a&secret_access_key=geheim":                              "secret_access_key: a secret may not stand in an argument",
		"s3://acme/x?session_token=geheim":                                                  "AWS_SECRET_ACCESS_KEY",
		"s3://me:geheim@acme/x":                                                             "credentials may not stand in an argument",
		"s3://me:geh/geheim@acme/x":                                                         "not a URL",
		"s3://acme/x?a=%geheim":                                                             "cannot be read",
		"s3://acme/x?a=geheim;b":                                                            "cannot be read",
		"s3://acme/x?endpoint=http://a:geheim@b":                                            "endpoint: must not carry a user",
		"s3://acme/x?path_style=geheim":                                                     "must be true or false",
		"s3://acme/x?retention.days=geheim":                                                 "must be a whole number",
		"azblob://acme.blob.core.windows.net/audit?sv=2024&sig=geheim":                      "sig: no such setting",
		"azblob://acme.blob.core.windows.net/audit?auth.sas.token=geheim":                   "AZURE_STORAGE_SAS_TOKEN",
		"azblob://acme.blob.core.windows.net/audit?auth.sas=geheim":                         "takes no value",
		"azblob://acme.blob.core.windows.net/audit?auth.shared_key.key=geheim":              "AZURE_STORAGE_KEY",
		"azblob://acme.blob.core.windows.net/audit?auth.client_secret.client_secret=geheim": "AZURE_CLIENT_SECRET",
		"azblob://acme.blob.core.windows.net/audit?auth.connection_string=geheim":           "a secret may not",
		"azblob://acme.blob.core.windows.net/audit?account_url=https://a?sig=geheim":        "account_url: stands in front",
		"azblob://acme.blob.core.windows.net/audit?scheme=geheim":                           "scheme: must be http or https",
		"https://acme.blob.core.windows.net/audit?sig=geheim":                               "no kind of store",
	} {
		_, err := Parse(arg)
		require.ErrorContains(t, err, want, arg)
		require.NotContains(t, err.Error(), secret)
		for e := err; e != nil; e = errors.Unwrap(e) {
			require.NotContains(t, fmt.Sprintf("%+v", e), secret)
		}
	}
}

func TestPrintedWithoutSecrets(t *testing.T) {
	const secret = "geheim"
	configs := []Store{
		&S3{Bucket: "acme", SecretAccessKey: secret, AccessKeyID: "AKIDEXAMPLE", SessionToken: secret},
		&AzureBlob{Auth: AzureAuth{ConnectionString: "AccountName=acme;AccountKey=" + secret}},
		&AzureBlob{AccountURL: "https://acme", Auth: AzureAuth{
			ClientSecret: &AzureClientSecret{ClientSecret: secret}, SharedKey: &AzureSharedKey{Key: secret}, SAS: &AzureSAS{Token: secret},
		}},
	}
	for _, c := range configs {
		inJSON, err := json.Marshal(c)
		require.NoError(t, err)
		texts := []string{string(inJSON), c.ID(), fmt.Sprint(c.Validate())}
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
			texts = append(texts, fmt.Sprintf(verb, c))
		}
		if a, ok := c.(*AzureBlob); ok {
			texts = append(texts, fmt.Sprintf("%+v %+v %+v", a.Auth.ClientSecret, a.Auth.SharedKey, a.Auth.SAS), fmt.Sprintf("%d %x", c, c))
		}
		for _, text := range texts {
			require.NotContains(t, text, secret)
		}
	}
}

func TestAzureEnvironment(t *testing.T) {
	const arg = "azblob://acme.blob.core.windows.net/audit"
	parsed := func(arg string) AzureAuth {
		c, err := Parse(arg)
		require.NoError(t, err)
		return c.(*AzureBlob).Auth
	}
	t.Setenv("AZURE_STORAGE_SAS_TOKEN", "sig=geheim")
	require.EqualValues(t, "sig=geheim", parsed(arg).SAS.Token)
	t.Setenv("AZURE_STORAGE_KEY", "geheim")
	require.EqualValues(t, "geheim", parsed(arg).SharedKey.Key)
	t.Setenv("AZURE_STORAGE_CONNECTION_STRING", "AccountName=other;AccountKey=geheim")
	require.NotNil(t, parsed(arg).SharedKey, "the connection string is another account's")
	t.Setenv("AZURE_STORAGE_CONNECTION_STRING", "AccountName=acme;AccountKey=geheim")
	require.NotEmpty(t, parsed(arg).ConnectionString)
	require.Error(t, func() error {
		_, err := Parse("azblob://127.0.0.1:10000/acme/audit?scheme=http&auth.default=")
		return err
	}())
	t.Setenv("AZURE_STORAGE_CONNECTION_STRING", "DefaultEndpointsProtocol=http;AccountName=acme;AccountKey=geheim;BlobEndpoint=http://127.0.0.1:10000/acme/;")
	emulator, err := Parse("azblob://127.0.0.1:10000/acme/audit/custody?scheme=http")
	require.NoError(t, err)
	require.NotEmpty(t, emulator.(*AzureBlob).Auth.ConnectionString)
	require.Equal(t, "azblob://127.0.0.1:10000/acme/audit/custody", emulator.ID())
	require.Equal(t, []string{"default"}, func() []string { a := parsed(arg + "?auth.default="); return a.methods() }())
}

// Whatever stands in an argument: no panic, and no value of its query in a
// message.
func FuzzParse(f *testing.F) {
	for _, arg := range []string{
		"evidence", "file:///srv/a%20b?immutable=off", "s3://acme/x?retention.mode=compliance&retention.days=7&tags.a=b", "gs://acme?anonymous=true",
		"azblob://127.0.0.1:10000/acme/audit?scheme=http&auth.shared_key.account=x", "azblob://a.blob.core.windows.net/b-c/d?auth.default=", "s3://a:b@c",
	} {
		f.Add(arg)
	}
	f.Fuzz(func(t *testing.T, arg string) {
		const secret = "sEcReT4711"
		c, err := Parse(arg)
		if err == nil && c.ID() == "" {
			t.Errorf("%q has no ID", arg)
		}
		for _, join := range []string{"?secret_access_key=", "&secret_access_key=", "?auth.sas.token=", "&auth.sas.token=", "?path_style=", "&sig="} {
			if _, err := Parse("s3://acme/x?" + arg + join + secret); err != nil && strings.Contains(err.Error(), secret) {
				t.Errorf("told: %v", err)
			}
		}
	})
}
