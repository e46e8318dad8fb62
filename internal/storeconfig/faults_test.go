package storeconfig

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"

	"github.com/otelcol-custody/custody/store"
)

// wantFaults checks that Validate says exactly this, a line for each fault.
func wantFaults(t *testing.T, c Store, want ...string) {
	t.Helper()
	err := c.Validate()
	if len(want) == 0 {
		require.NoError(t, err)
		return
	}
	require.Error(t, err, "want %q", want)
	got := strings.Split(err.Error(), "\n")
	require.Len(t, got, len(want), "%v", err)
	for i := range want {
		require.Contains(t, got[i], want[i])
		require.Regexp(t, `^[a-z0-9_:]+: `, got[i], "no key leads the fault")
	}
}

func TestFaultsOfS3(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*S3)
		want   []string
	}{
		{"good", func(*S3) {}, nil},
		{"all", func(c *S3) {
			c.Region, c.Prefix, c.StorageClass, c.KMSKey = "eu-central-1", "custody/prod", "GLACIER_IR", "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
			c.Tags = map[string]string{"team": "audit & risk"[:5], "cost-center": "4711"}
			c.RequesterPays, c.BucketOwner, c.Profile = true, "111122223333", "audit"
			c.RoleARN, c.ExternalID = "arn:aws:iam::111122223333:role/custody-write", "acme"
			c.Retention = Retention{Mode: "compliance", Days: 2557, LegalHold: true}
		}, nil},
		{"default retention at least in a mode", func(c *S3) { c.Retention.Mode = "governance" }, nil},
		{"no bucket", func(c *S3) { c.Bucket = "" }, []string{"bucket: required"}},
		{"bucket with folder", func(c *S3) { c.Bucket = "acme/custody" }, []string{"bucket: must be the name alone"}},
		{"upper case", func(c *S3) { c.Bucket = "Acme" }, []string{`bucket: "Acme" cannot be: 3 to 63`}},
		{"address", func(c *S3) { c.Bucket = "192.168.5.4" }, []string{`bucket: "192.168.5.4" cannot be`}},
		{"two dots", func(c *S3) { c.Bucket = "a..b" }, []string{`may not contain ".."`}},
		{"alias", func(c *S3) { c.Bucket = "acme-s3alias" }, []string{`may not end with "-s3alias"`}},
		{"punycode", func(c *S3) { c.Bucket = "xn--acme" }, []string{`may not begin with "xn--"`}},
		{"directory bucket", func(c *S3) { c.Bucket = "acme--euc1-az1--x-s3" }, []string{"bucket: \"acme--euc1-az1--x-s3\" is a directory bucket"}},
		{"access point", func(c *S3) { c.Bucket = "arn:aws:s3:eu-central-1:111122223333:accesspoint/x" }, []string{"bucket: must be the bucket's name"}},
		{"other store's bucket", func(c *S3) { c.Endpoint, c.Bucket = "http://127.0.0.1:9000", "Acme_Audit" }, nil},
		{"region", func(c *S3) { c.Region = "Frankfurt" }, []string{`region: "Frankfurt" is no region`}},
		{"slashes", func(c *S3) { c.Prefix = "/custody/" }, []string{"prefix: must neither begin nor end with a slash"}},
		{"hidden", func(c *S3) { c.Prefix = "a/.b" }, []string{"prefix: invalid object name"}},
		{"longest prefix", func(c *S3) { c.Prefix = strings.Repeat("a/", 255) + "b" }, nil},
		{"long prefix", func(c *S3) { c.Prefix = strings.Repeat("ab/", 170) + "ab" }, []string{"prefix: 512 bytes, at most 511"}},
		{"endpoint", func(c *S3) { c.Endpoint = "minio:9000" }, []string{"endpoint: must be a URL such as"}},
		{"endpoint with bucket", func(c *S3) { c.Endpoint = "https://minio:9000/acme" }, []string{"endpoint: must be scheme, host and port alone"}},
		{"endpoint with user", func(c *S3) { c.Endpoint = "https://me:geheim@minio:9000" }, []string{"endpoint: must not carry a user"}},
		{"owner", func(c *S3) { c.BucketOwner = "acme" }, []string{"bucket_owner: must be the 12 digits"}},
		{"cold", func(c *S3) { c.StorageClass = "DEEP_ARCHIVE" }, []string{"storage_class: DEEP_ARCHIVE cannot be: objects in it cannot be read back"}},
		{"class", func(c *S3) { c.StorageClass = "standard" }, []string{"storage_class: must be one of STANDARD, "}},
		{"key", func(c *S3) { c.KMSKey = "my key" }, []string{"kms_key: must be a key's ARN"}},
		{"tag", func(c *S3) { c.Tags = map[string]string{"a": "x;y", "aws:b": ""} }, []string{`tags: "a": only letters`, `tags: "aws:b": keys that begin`}},
		{"tags", func(c *S3) { c.Tags = manyTags(11) }, []string{"tags: must be at most 10, got 11"}},
		{"writes", func(c *S3) { c.ConditionalWrites = "no" }, []string{`conditional_writes: must be required or read_first, got "no"`}},
		{"weaker on Amazon", func(c *S3) { c.ConditionalWrites = "read_first" }, []string{"conditional_writes: read_first is for stores that ignore"}},
		{"weaker elsewhere", func(c *S3) { c.ConditionalWrites, c.Endpoint = "read_first", "http://ceph:7480" }, nil},
		{"half a key", func(c *S3) { c.AccessKeyID = "AKIDEXAMPLE" }, []string{"access_key_id: goes with secret_access_key"}},
		{"other half", func(c *S3) { c.SecretAccessKey = "geheim" }, []string{"access_key_id: goes with secret_access_key"}},
		{"session", func(c *S3) { c.SessionToken = "geheim" }, []string{"session_token: needs access_key_id"}},
		{"profile and key", func(c *S3) { c.Profile, c.AccessKeyID, c.SecretAccessKey = "p", "a", "geheim" }, []string{"profile: cannot be combined"}},
		{"role by key", func(c *S3) {
			c.AccessKeyID, c.SecretAccessKey, c.RoleARN = "a", "geheim", "arn:aws-us-gov:iam::111122223333:role/x/y"
		}, nil},
		{"role", func(c *S3) { c.RoleARN = "custody-write" }, []string{"role_arn: must look like"}},
		{"external id", func(c *S3) { c.ExternalID = "x" }, []string{"external_id: needs role_arn"}},
		{"mode", func(c *S3) { c.Retention = Retention{Mode: "locked", Days: 1} }, []string{`retention::mode: must be governance or compliance, got "locked", which is another cloud's word for compliance`}},
		{"days alone", func(c *S3) { c.Retention.Days = 1 }, []string{"retention::mode: required with retention::days"}},
		{"hold alone", func(c *S3) { c.Retention.LegalHold = true }, []string{"retention::legal_hold: a hold alone is no lock"}},
		{"hold alone, knowingly", func(c *S3) { c.Retention.LegalHold, c.RequireLock = true, false }, nil},
		{"negative", func(c *S3) { c.Retention = Retention{Mode: "compliance", Days: -1} }, []string{"retention::days: must not be negative"}},
		{"longest", func(c *S3) { c.Retention = Retention{Mode: "compliance", Days: 36500} }, nil},
		{"too long", func(c *S3) { c.Retention = Retention{Mode: "compliance", Days: 36501} }, []string{"retention::days: must be at most 36500"}},
		{"many", func(c *S3) { *c = S3{Prefix: "/", Retention: Retention{Mode: "x", Days: -1}} }, []string{
			"bucket: required", "prefix: must neither", "conditional_writes: must be", "retention::mode: must be", "retention::days: must not"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := DefaultS3()
			cfg.Bucket = "acme-audit"
			c.change(&cfg)
			wantFaults(t, &cfg, c.want...)
		})
	}
}

func manyTags(n int) map[string]string {
	tags := map[string]string{}
	for i := range n {
		tags[string(rune('a'+i))] = ""
	}
	return tags
}

func TestFaultsOfGCS(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*GCS)
		want   []string
	}{
		{"good", func(*GCS) {}, nil},
		{"all", func(c *GCS) {
			c.Bucket, c.Prefix, c.StorageClass = "audit.acme.example", "custody", "ARCHIVE"
			c.KMSKey = "projects/acme/locations/eu/keyRings/r/cryptoKeys/k"
			c.Tags, c.UserProject = map[string]string{"team": "audit: log"}, "acme-audit"
			c.CredentialsFile, c.ImpersonateServiceAccount = "/etc/key.json", "w@acme-audit.iam.gserviceaccount.com"
			c.Retention = Retention{Mode: "locked", Days: 36500, LegalHold: true}
		}, nil},
		{"no bucket", func(c *GCS) { c.Bucket = "" }, []string{"bucket: required"}},
		{"goog", func(c *GCS) { c.Bucket = "goog-x" }, []string{`may not begin with "goog"`}},
		{"google", func(c *GCS) { c.Bucket = "my-google-x" }, []string{`may not contain "google"`}},
		{"long part", func(c *GCS) { c.Bucket = strings.Repeat("a", 64) }, []string{"cannot be: 3 to 63"}},
		{"url", func(c *GCS) { c.Bucket = "gs://acme" }, []string{"bucket: must be the name alone"}},
		{"prefix", func(c *GCS) { c.Prefix = "x//y" }, []string{"prefix: "}},
		{"endpoint", func(c *GCS) { c.Endpoint = "127.0.0.1:4443" }, []string{"endpoint: must be a URL"}},
		{"class", func(c *GCS) { c.StorageClass = "Nearline" }, []string{"storage_class: must be one of"}},
		{"key with version", func(c *GCS) {
			c.KMSKey = "projects/acme/locations/eu/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1"
		}, []string{"kms_key: "}},
		{"tag", func(c *GCS) { c.Tags = map[string]string{"a b": "", "c": "ü"} }, []string{`tags: "a b"`, `tags: "c"`}},
		{"tags", func(c *GCS) { c.Tags = map[string]string{"a": strings.Repeat("x", 8000)} }, []string{"tags: must have at most"}},
		{"project", func(c *GCS) { c.UserProject = "projects/acme" }, []string{"user_project: "}},
		{"account", func(c *GCS) { c.ImpersonateServiceAccount = "writer" }, []string{"impersonate_service_account: "}},
		{"anonymous", func(c *GCS) { c.Anonymous, c.UserProject = true, "acme" }, []string{"anonymous: cannot be combined"}},
		{"mode", func(c *GCS) { c.Retention = Retention{Mode: "governance", Days: 1} }, []string{`must be unlocked or locked, got "governance", which is another cloud's word for unlocked`}},
		{"days", func(c *GCS) { c.Retention = Retention{Mode: "locked", Days: 36501} }, []string{"retention::days: must be at most 36500"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := DefaultGCS()
			cfg.Bucket = "acme-audit"
			c.change(&cfg)
			wantFaults(t, &cfg, c.want...)
		})
	}
}

func TestFaultsOfAzureBlob(t *testing.T) {
	secret := &AzureSharedKey{Key: "geheim"}
	for _, c := range []struct {
		name   string
		change func(*AzureBlob)
		want   []string
	}{
		{"good", func(*AzureBlob) {}, nil},
		{"all", func(c *AzureBlob) {
			c.Prefix, c.AccessTier, c.EncryptionScope = "custody", "Cool", "audit-scope"
			c.Tags = map[string]string{"team": "audit"}
			c.Auth.ClientSecret = &AzureClientSecret{"t", "c", "geheim"}
			c.Retention = Retention{Mode: "locked", Days: 106751, LegalHold: true}
		}, nil},
		{"no url", func(c *AzureBlob) { c.AccountURL = "" }, []string{"account_url: required"}},
		{"no host", func(c *AzureBlob) { c.AccountURL = "acme" }, []string{"account_url: must be a URL"}},
		{"with container", func(c *AzureBlob) { c.AccountURL = "https://acme.blob.core.windows.net/audit" }, []string{"account_url: must end with the host"}},
		{"with sas", func(c *AzureBlob) { c.AccountURL = "https://acme.blob.core.windows.net?sig=geheim" }, []string{"account_url: must not carry"}},
		{"emulator", func(c *AzureBlob) { c.AccountURL, c.Auth.SharedKey = "http://127.0.0.1:10000/acme", secret }, nil},
		{"plain", func(c *AzureBlob) { c.AccountURL = "http://acme.blob.core.windows.net" }, []string{"account_url: must be https"}},
		{"connection string", func(c *AzureBlob) { c.AccountURL, c.Auth.ConnectionString = "", "AccountName=acme;AccountKey=geheim" }, nil},
		{"both", func(c *AzureBlob) { c.Auth.ConnectionString = "AccountName=acme;AccountKey=geheim" }, []string{"account_url: the connection string says it"}},
		{"bad connection string", func(c *AzureBlob) { c.AccountURL, c.Auth.ConnectionString = "", "geheim" }, []string{"auth::connection_string: must name the account"}},
		{"no container", func(c *AzureBlob) { c.Container = "" }, []string{"container: required"}},
		{"hyphens", func(c *AzureBlob) { c.Container = "a--b" }, []string{`may not contain "--"`}},
		{"root", func(c *AzureBlob) { c.Container = "$root" }, []string{"container: \"$root\" is the account's own"}},
		{"prefix", func(c *AzureBlob) { c.Prefix = "x/" }, []string{"prefix: "}},
		{"archive", func(c *AzureBlob) { c.AccessTier = "Archive" }, []string{"access_tier: archive cannot be"}},
		{"tier", func(c *AzureBlob) { c.AccessTier = "ice" }, []string{"access_tier: must be one of hot, cool, cold"}},
		{"scope", func(c *AzureBlob) { c.EncryptionScope = "x y" }, []string{"encryption_scope: "}},
		{"tags", func(c *AzureBlob) { c.Tags = map[string]string{"a@b": ""} }, []string{`tags: "a@b"`}},
		{"two ways", func(c *AzureBlob) { c.Auth.SharedKey, c.Auth.WorkloadIdentity = secret, &AzureWorkloadIdentity{} }, []string{"auth: workload_identity and shared_key are given"}},
		{"system identity", func(c *AzureBlob) { c.Auth.ManagedIdentity = &AzureManagedIdentity{} }, []string{"auth::managed_identity::client_id: required"}},
		{"principal", func(c *AzureBlob) { c.Auth.ClientSecret = &AzureClientSecret{} }, []string{
			"auth::client_secret::tenant_id: required", "auth::client_secret::client_id: required", "auth::client_secret::client_secret: required"}},
		{"key", func(c *AzureBlob) { c.Auth.SharedKey = &AzureSharedKey{} }, []string{"auth::shared_key::key: required"}},
		{"sas", func(c *AzureBlob) { c.Auth.SAS = &AzureSAS{} }, []string{"auth::sas::token: required"}},
		{"mode", func(c *AzureBlob) { c.Retention = Retention{Mode: "compliance", Days: 1} }, []string{"another cloud's word for locked"}},
		{"days", func(c *AzureBlob) { c.Retention = Retention{Mode: "locked", Days: 146001} }, []string{"retention::days: must be at most 106751"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := DefaultAzureBlob()
			cfg.AccountURL, cfg.Container = "https://acmeaudit.blob.core.windows.net", "audit"
			c.change(&cfg)
			wantFaults(t, &cfg, c.want...)
		})
	}
}

func TestFaultsOfDir(t *testing.T) {
	cfg := DefaultDir()
	wantFaults(t, &cfg, "path: required")
	cfg.Path = "x"
	wantFaults(t, &cfg)
	cfg.Retention.Days, cfg.Immutable = 1, "yes"
	wantFaults(t, &cfg, "immutable: must be", "retention: a directory cannot retain files for a time: write immutable: require")
}

func TestPolicy(t *testing.T) {
	const years = 2557 * 24 * time.Hour
	s3 := DefaultS3()
	require.Equal(t, Policy{RequireLock: true}, s3.Policy())
	s3.Retention, s3.RequireLock = Retention{Mode: "compliance", Days: 2557, LegalHold: true}, false
	require.Equal(t, Policy{Mode: store.ModeCompliance, For: years, LegalHold: true}, s3.Policy())
	gcs := DefaultGCS()
	gcs.Retention = Retention{Mode: "unlocked", Days: 2557}
	require.Equal(t, Policy{Mode: store.ModeGovernance, For: years, RequireLock: true}, gcs.Policy())
	azure := DefaultAzureBlob()
	azure.Retention = Retention{Mode: "locked", Days: azureLock.maxDays}
	require.Equal(t, Policy{Mode: store.ModeCompliance, For: 106751 * 24 * time.Hour, RequireLock: true}, azure.Policy())
	require.Positive(t, azure.Policy().For)
	require.Zero(t, new(Dir).Policy())
}

// A method without settings is chosen, not forgotten.
func TestAuthWithoutSettings(t *testing.T) {
	for _, value := range []any{nil, map[string]any{}} {
		cfg := DefaultAzureBlob()
		require.NoError(t, confmap.NewFromStringMap(map[string]any{"auth": map[string]any{"workload_identity": value}}).Unmarshal(&cfg))
		require.Equal(t, []string{"workload_identity"}, cfg.Auth.methods())
	}
	cfg := DefaultAzureBlob()
	err := confmap.NewFromStringMap(map[string]any{"auth": map[string]any{"workload_identiti": nil}}).Unmarshal(&cfg)
	require.ErrorContains(t, err, "workload_identiti")
}
