package filewormexporter

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"
)

func load(t *testing.T, name string) *Config {
	t.Helper()
	all, err := confmaptest.LoadConf(filepath.Join("testdata", "config.yaml"))
	require.NoError(t, err)
	sub, err := all.Sub(component.MustNewIDWithName("file_worm", name).String())
	require.NoError(t, err)
	cfg := createDefaultConfig()
	require.NoError(t, sub.Unmarshal(cfg))
	return cfg
}

func TestConfig(t *testing.T) {
	cfg := load(t, "")
	require.NoError(t, cfg.Validate())
	require.Equal(t, &Config{
		Path: "./custody-data/store", LogKeys: []string{"./custody-data/keys/log.pub"}, Immutable: "auto", Timeout: 2 * time.Second,
	}, cfg)
	cfg = load(t, "all")
	require.NoError(t, cfg.Validate())
	require.Equal(t, &Config{
		Path: "/var/lib/custody/store", LogKeys: []string{"/etc/custody/keys/web-1.pub", "/etc/custody/keys/web-2.pub"},
		Immutable: "require", Timeout: 500 * time.Millisecond,
	}, cfg)
}

func TestFaultsOfConfig(t *testing.T) {
	for name, want := range map[string][]string{
		"faulty": {
			"path: required: the directory that the store lies in",
			"log_keys[0]: must name a file",
			`immutable: must be auto, require or off, got "yes"`,
			"timeout: must be between 10ms and 1m0s, got -1s",
		},
		"empty": {
			"path: required: the directory that the store lies in",
			"log_keys: required: files with the public keys (.pub) of the logs to store",
		},
	} {
		err := load(t, name).Validate()
		require.EqualError(t, err, strings.Join(want, "\n"), name)
	}
}

func TestUnknownSetting(t *testing.T) {
	err := confmap.NewFromStringMap(map[string]any{"pth": "x"}).Unmarshal(createDefaultConfig())
	require.ErrorContains(t, err, "pth")
}
