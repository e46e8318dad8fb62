package integrityextension

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"

	"github.com/otelcol-custody/custody/internal/storeconfig"
)

func load(t *testing.T, name string) (*Config, error) {
	t.Helper()
	all, err := confmaptest.LoadConf(filepath.Join("testdata", "config.yaml"))
	require.NoError(t, err)
	sub, err := all.Sub(component.NewIDWithName(typ, name).String())
	require.NoError(t, err)
	cfg := createDefaultConfig()
	return cfg, sub.Unmarshal(cfg)
}

func loaded(t *testing.T, name string) *Config {
	t.Helper()
	cfg, err := load(t, name)
	require.NoError(t, err)
	return cfg
}

func TestDefaults(t *testing.T) {
	c := loaded(t, "")
	require.NoError(t, confmap.Validate(c))
	require.Equal(t, 5*time.Second, c.PollInterval)
	require.Equal(t, 720*time.Hour, c.FullPassEvery)
	require.Equal(t, 15*time.Minute, c.BehindAfter)
	require.Zero(t, c.BandwidthLimitMiB)
	require.False(t, c.HTTP.HasValue() || c.Webhook.HasValue() || c.ServeRecords)
	require.Equal(t, []string{"file"}, c.Stores.names())
	require.Equal(t, "file:///srv/evidence", c.Stores.byName["file"].ID())
}

func TestEverySetting(t *testing.T) {
	c := loaded(t, "all")
	require.NoError(t, confmap.Validate(c))
	require.Equal(t, []string{"gateway-0", "gateway-1"}, c.Logs)
	require.Equal(t, []string{"azureblob", "gcs", "s3", "s3/us"}, c.Stores.names())
	s3 := c.Stores.byName["s3"].(*storeconfig.S3)
	require.Equal(t, "arn:aws:iam::111122223333:role/custody-read", s3.RoleARN)
	require.Equal(t, storeconfig.Retention{Mode: "compliance", Days: 2557}, s3.Retention)
	require.NotNil(t, c.Stores.byName["azureblob"].(*storeconfig.AzureBlob).Auth.WorkloadIdentity, "null chooses it")
	require.Equal(t, 50, c.BandwidthLimitMiB)
	require.Equal(t, 8, c.Workers)
	require.Equal(t, "127.0.0.1:8480", c.HTTP.Get().NetAddr.Endpoint)
	require.Equal(t, 10*time.Second, c.HTTP.Get().ReadHeaderTimeout)
	require.True(t, c.ServeRecords)
	require.Equal(t, "/etc/custody/webhook.secret", c.Webhook.Get().Secret.File)
	require.Equal(t, 5*time.Second, c.Peers[0].Client.Timeout)
	require.True(t, c.Peers[0].Client.Auth.HasValue())
}

func TestFaults(t *testing.T) {
	for name, faults := range map[string][]string{
		"empty": {
			"state_dir: required: a folder on a local disk, for this extension alone",
			"log_keys: required: files with the public keys (.pub) of the logs to judge",
			"stores: required: which stores to watch, such as file: {path: /srv/evidence}",
		},
		"faulty": {
			"log_keys[0]: must name a file",
			`logs[0]: `,
			"stores::file/again: is the same as file: file:///srv/a",
			`stores::s3: bucket: "A" cannot be: `,
			`stores::s3: retention::mode: must be governance or compliance, got "locked"`,
			"poll_interval: must be between 100ms and 1h0m0s, got 1ms; write a unit, as in 5s",
			"full_pass_every: must be at least poll_interval, got -1s; write a unit, as in 720h",
			"behind_after: must be at least 1ms, got 7ns; write a unit, as in 15m",
			"bandwidth_limit_mib: must not be negative, got -1; 0 means no limit",
			"workers: must be 1 to 64, got 0",
			"serve_records: needs http, where records would be served",
			"webhook::endpoint: must be a URL such as https://alerts.example.com/custody",
			"webhook::timeout: must be at least 1ms, got 30ns; write a unit, as in 30s",
			"webhook::secret::file: required",
			"peers[0]::endpoint: must not carry a user; credentials go into auth or headers",
			"peers[2]::endpoint: stands there twice",
			"peers[3]::endpoint: must be the URL of an API, without a query; credentials go into auth or headers",
		},
		"listener": {"http::endpoint: required, such as 127.0.0.1:8480"},
		"address": {
			"full_pass_every: must be at least poll_interval, got 7ns; write a unit, as in 720h",
			`http::endpoint: must be an address with a port, such as 127.0.0.1:8480, got "nonsense"`,
		},
	} {
		err := confmap.Validate(loaded(t, name))
		require.Error(t, err, name)
		lines := strings.Split(err.Error(), "\n")
		require.Len(t, lines, len(faults), "%s: %v", name, err)
		for i, want := range faults {
			require.True(t, strings.HasPrefix(lines[i], want), "%s: got %q, want %q", name, lines[i], want)
		}
		require.NotContains(t, err.Error(), "secret@")
	}
}

func TestUnknownSettings(t *testing.T) {
	for text, settings := range map[string]map[string]any{
		"statedir": {"statedir": "x"},
		"ftp: no such kind of store; write azureblob, file, gcs, s3": {"stores": map[string]any{"ftp": map[string]any{}}},
		"s3/: no such kind":                     {"stores": map[string]any{"s3/": map[string]any{}}},
		"file: ":                                {"stores": map[string]any{"file": map[string]any{"pth": "x"}}},
		"has invalid keys: ur":                  {"webhook": map[string]any{"ur": "x"}},
		"http: has invalid keys: endpiont, tsl": {"http": map[string]any{"endpiont": "x", "tsl": nil, "cors": nil, "transport": "tcp"}},
		`full_pass_every: "30d" is no duration; write hours, minutes or seconds, as in 720h, 15m or 5s`: {"full_pass_every": "30d", "workers": 1},
		"cert_fil": {"http": map[string]any{"endpoint": "x", "tls": map[string]any{"cert_fil": "x"}}},
	} {
		conf := confmap.NewFromStringMap(settings)
		for range 2 { // Reading it changes nothing.
			require.ErrorContains(t, conf.Unmarshal(createDefaultConfig()), text, "%v", settings)
		}
	}
}

// What print-config shows can be read again, and shows no secret.
func TestMarshal(t *testing.T) {
	c := loaded(t, "all")
	c.Stores.byName["s3"].(*storeconfig.S3).SecretAccessKey = "hunter2"
	conf := confmap.New()
	require.NoError(t, conf.Marshal(c))
	require.NotContains(t, conf.ToStringMap(), "hunter2")
	again := createDefaultConfig()
	require.NoError(t, conf.Unmarshal(again))
	require.Equal(t, c.Stores.names(), again.Stores.names())
	require.Equal(t, "acme-audit-us", again.Stores.byName["s3/us"].(*storeconfig.S3).Bucket)
}
