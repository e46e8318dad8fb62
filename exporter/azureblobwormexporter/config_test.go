package azureblobwormexporter

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
		Container: container{
			AccountURL: "https://acmeaudit.blob.core.windows.net", Container: "audit", Prefix: "custody",
			Retention: storeconfig.Retention{Mode: "locked", Days: 2557}, RequireLock: true,
		},
		Delivery: wormconfig.Delivery{LogKeys: []string{"/etc/custody/keys/web-1.pub"}, Timeout: 500 * time.Millisecond, Workers: 4},
	}, wormtest.Load(t, NewFactory(), ""))
	require.Equal(t, &Config{
		Container: container{
			AccountURL: "https://acmeaudit.blob.core.windows.net", Container: "audit", Prefix: "custody/prod",
			AccessTier: "cool", EncryptionScope: "audit", Tags: map[string]string{"team": "audit"},
			Auth:      storeconfig.AzureAuth{WorkloadIdentity: &storeconfig.AzureWorkloadIdentity{}},
			Retention: storeconfig.Retention{Mode: "unlocked", Days: 30, LegalHold: true},
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
			"account_url: required, such as https://ACCOUNT.blob.core.windows.net",
			`prefix: must neither begin nor end with a slash, got "/custody"; the slash before names is added`,
			"auth: workload_identity and shared_key are given; keep one of them",
			"auth::shared_key::key: required",
			`retention::mode: must be unlocked or locked, got "compliance", which is another cloud's word for locked`,
			"log_keys[0]: must name a file",
			"timeout: must be between 10ms and 1m0s, got -1s",
			"workers: must be 1 to 64, got 0",
		},
		"empty": {
			"account_url: required, such as https://ACCOUNT.blob.core.windows.net",
			"container: required",
			"log_keys: required: files with the public keys (.pub) of the logs to store",
		},
	})
}
