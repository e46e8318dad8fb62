package gcswormexporter

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
			Bucket: "acme-audit", Prefix: "custody",
			Retention: storeconfig.Retention{Mode: "locked", Days: 2557}, RequireLock: true,
		},
		Delivery: wormconfig.Delivery{LogKeys: []string{"/etc/custody/keys/web-1.pub"}, Timeout: 500 * time.Millisecond, Workers: 4},
	}, wormtest.Load(t, NewFactory(), ""))
	require.Equal(t, &Config{
		Bucket: bucket{
			Bucket: "acme-audit", Prefix: "custody/prod", Endpoint: "https://storage.example.com", StorageClass: "NEARLINE",
			KMSKey: "projects/acme-audit/locations/eu/keyRings/audit/cryptoKeys/worm", Tags: map[string]string{"team": "audit"},
			UserProject: "acme-billing", CredentialsFile: "/etc/custody/gcs.json",
			ImpersonateServiceAccount: "custody-write@acme-audit.iam.gserviceaccount.com",
			Retention:                 storeconfig.Retention{Mode: "unlocked", Days: 30, LegalHold: true},
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
			"anonymous: cannot be combined with credentials_file, impersonate_service_account or user_project",
			`retention::mode: must be unlocked or locked, got "compliance", which is another cloud's word for locked`,
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
