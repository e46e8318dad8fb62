package hashchainprocessor

import (
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"

	"github.com/otelcol-custody/custody/processor/hashchainprocessor/internal/metadata"
)

func load(t *testing.T, name string) *Config {
	t.Helper()
	all, err := confmaptest.LoadConf(filepath.Join("testdata", "config.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	sub, err := all.Sub(component.NewIDWithName(metadata.Type, name).String())
	if err != nil {
		t.Fatal(err)
	}
	cfg := NewFactory().CreateDefaultConfig().(*Config)
	if err := sub.Unmarshal(cfg); err != nil {
		t.Fatal(err)
	}
	return cfg
}

func TestConfigStruct(t *testing.T) {
	if err := componenttest.CheckConfigStruct(NewFactory().CreateDefaultConfig()); err != nil {
		t.Error(err)
	}
}

func TestConfigFull(t *testing.T) {
	got := load(t, "full")
	want := &Config{
		Log: "web", Origin: "custody.example/web", StateDir: "/var/lib/custody/state", Key: KeyConfig{File: "/etc/custody/web.key"},
		OnMissingHead: "genesis", Ack: "stored", AckTimeout: 5 * time.Second,
		Segment: SegmentConfig{MaxSizeMiB: 8, MaxAge: 30 * time.Second}, Spool: SpoolConfig{MaxSizeMiB: 2048},
		HeartbeatInterval: 2 * time.Minute, CheckpointInterval: 500 * time.Millisecond, RetainFor: 61320 * time.Hour,
		MinStores: 2, Emit: []string{"segments", "records"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	for _, name := range []string{"full", "minimal"} {
		if err := load(t, name).Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Every fault is reported at once, led by its key.
func TestConfigFaults(t *testing.T) {
	for name, keys := range map[string][]string{
		"empty":          {"log:", "state_dir:", "key::file:"},
		"stored_in_vain": {"ack_timeout: must be at least 2s with ack: stored"},
		"everything_wrong": {"log:", "origin:", "state_dir:", "key::file:", "on_missing_head:", "ack:", "ack_timeout:",
			"segment::max_age:", "segment::max_size_mib:", "spool::max_size_mib:", "heartbeat_interval:", "checkpoint_interval:",
			"retain_for:", "min_stores:", "emit:"},
	} {
		err := load(t, name).Validate()
		if err == nil {
			t.Fatalf("%s: no error", name)
		}
		lines := strings.Split(err.Error(), "\n")
		for _, key := range keys {
			found := false
			for _, line := range lines {
				found = found || strings.HasPrefix(line, key)
			}
			if !found {
				t.Errorf("%s: no fault begins with %q in:\n%v", name, key, err)
			}
		}
		if len(lines) != len(keys) {
			t.Errorf("%s: %d faults, want %d:\n%v", name, len(lines), len(keys), err)
		}
	}
}

func TestUnknownKeyIsRefused(t *testing.T) {
	conf := confmap.NewFromStringMap(map[string]any{"log": "web", "stat_dir": "x"})
	err := conf.Unmarshal(NewFactory().CreateDefaultConfig())
	if err == nil || !strings.Contains(err.Error(), "stat_dir") {
		t.Errorf("a misspelt key gives %v, want an error that names it", err)
	}
}
