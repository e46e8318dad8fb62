package s3wormexporter

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/otelcol-custody/custody/internal/storeconfig"
	"github.com/otelcol-custody/custody/internal/storeconfig/wormconfig"
	"github.com/otelcol-custody/custody/internal/storeconfig/wormconfig/wormtest"
)

func TestConfig(t *testing.T) {
	require.Equal(t, &Config{
		Bucket: bucket{
			Region: "eu-central-1", Bucket: "acme-audit", Prefix: "custody", ConditionalWrites: "required",
			Retention: storeconfig.Retention{Mode: "compliance", Days: 2557}, RequireLock: true,
		},
		Delivery: wormconfig.Delivery{LogKeys: []string{"/etc/custody/keys/web-1.pub"}, Timeout: 500 * time.Millisecond, Workers: 4},
	}, wormtest.Load(t, NewFactory(), ""))
	require.Equal(t, &Config{
		Bucket: bucket{
			Region: "us-east-1", Bucket: "audit", Prefix: "custody/prod", Endpoint: "https://minio.example.com:9000", PathStyle: true,
			StorageClass: "STANDARD_IA", KMSKey: "audit-key", Tags: map[string]string{"team": "audit", "cost-center": "4711"},
			RequesterPays: true, BucketOwner: "111122223333", RoleARN: "arn:aws:iam::111122223333:role/custody-write", ExternalID: "acme",
			AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "not-a-secret", SessionToken: "not-a-token", ConditionalWrites: "read_first",
			Retention: storeconfig.Retention{Mode: "governance", Days: 30, LegalHold: true},
		},
		Delivery: wormconfig.Delivery{
			LogKeys: []string{"/etc/custody/keys/web-1.pub", "/etc/custody/keys/web-2.pub"}, Timeout: 500 * time.Millisecond, Workers: 8,
		},
	}, wormtest.Load(t, NewFactory(), "all"))
	wormtest.Valid(t, NewFactory(), "", "all")
}

func TestFaultsOfConfig(t *testing.T) {
	wormtest.Faults(t, NewFactory(), map[string][]string{
		"faulty": {
			"bucket: required",
			`prefix: must neither begin nor end with a slash, got "/custody"; the slash before names is added`,
			`retention::mode: must be governance or compliance, got "locked", which is another cloud's word for compliance`,
			"retention::days: must not be negative, got -1; leave it out to get the bucket's default",
			"log_keys[0]: must name a file",
			"timeout: must be between 10ms and 1m0s, got -1s",
			"workers: must be 1 to 64, got 0",
		},
		"empty": {
			"bucket: required",
			"log_keys: required: files with the public keys (.pub) of the logs to store",
		},
	})
}
