package filewormexporter

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/otelcol-custody/custody/internal/storeconfig/wormconfig"
	"github.com/otelcol-custody/custody/internal/storeconfig/wormconfig/wormtest"
)

func TestConfig(t *testing.T) {
	require.Equal(t, &Config{
		Dir:      dir{Path: "./custody-data/store", Immutable: "auto"},
		Delivery: wormconfig.Delivery{LogKeys: []string{"./custody-data/keys/log.pub"}, Timeout: 500 * time.Millisecond, Workers: 4},
	}, wormtest.Load(t, NewFactory(), ""))
	require.Equal(t, &Config{
		Dir: dir{Path: "/var/lib/custody/store", Immutable: "require"},
		Delivery: wormconfig.Delivery{
			LogKeys: []string{"/etc/custody/keys/web-1.pub", "/etc/custody/keys/web-2.pub"}, Timeout: 500 * time.Millisecond, Workers: 2,
		},
	}, wormtest.Load(t, NewFactory(), "all"))
	wormtest.Valid(t, NewFactory(), "", "all")
}

func TestFaultsOfConfig(t *testing.T) {
	wormtest.Faults(t, NewFactory(), map[string][]string{
		"faulty": {
			"path: required: the directory that the store lies in",
			`immutable: must be auto, require or off, got "yes"`,
			"retention: a directory cannot retain files for a time: write immutable: require, which keeps all until root takes the attribute off, or use a cloud's store",
			"log_keys[0]: must name a file",
			"timeout: must be between 10ms and 1m0s, got -1s",
		},
		"empty": {
			"path: required: the directory that the store lies in",
			"log_keys: required: files with the public keys (.pub) of the logs to store",
		},
	})
}
