package awscloudtrailreceiver

import (
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"
)

func TestGoodConfigs(t *testing.T) {
	all, err := confmaptest.LoadConf(filepath.Join("testdata", "good.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]DirectoryConfig{
		"aws_cloudtrail": {
			Path: "/data/cloudtrail", Include: []string{"*.json", "*.json.gz"},
			PollInterval: 2 * time.Second, StableFor: 2 * time.Second, IncompleteAfter: 5 * time.Minute,
			MaxInflatedMiB: 256, Workers: 1,
		},
		"aws_cloudtrail/all": {
			Path: "/data/cloudtrail", Include: []string{"**/CloudTrail/**/*.json.gz", "*.json"},
			PollInterval: 10 * time.Second, StableFor: time.Minute, IncompleteAfter: time.Hour,
			MaxInflatedMiB: 512, Workers: 4,
		},
	} {
		sub, err := all.Sub(key)
		if err != nil {
			t.Fatal(err)
		}
		cfg := createDefaultConfig().(*Config)
		if err := sub.Unmarshal(cfg); err != nil {
			t.Fatalf("%s: %v", key, err)
		}
		if err := confmap.Validate(cfg); err != nil {
			t.Errorf("%s: %v", key, err)
		}
		if got := *cfg.Storage; got != component.MustNewIDWithName("file_storage", "positions") {
			t.Errorf("%s: storage is %v", key, got)
		}
		if got := *cfg.Directory.Get(); !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\ngot  %+v\nwant %+v", key, got, want)
		}
	}
}

func TestBadConfigs(t *testing.T) {
	const path = "storage: file_storage\ndirectory:\n  path: /data\n"
	for _, tt := range []struct {
		name, yaml string
		want       []string
	}{
		{"nothing", "{}", []string{"storage: required", "`storage: file_storage/positions`", "fsync: true", "directory: required"}},
		{"no storage", "directory: {path: /data}", []string{"storage: required"}},
		{"no source", "storage: file_storage", []string{"directory: required: set exactly one source"}},
		{"no path", "storage: file_storage\ndirectory: {workers: 1}", []string{"directory: path: required"}},
		{"no pattern", path + "  include: []", []string{"directory: include: must name at least one pattern"}},
		{"bad pattern", path + "  include: ['[a', /x]", []string{`directory: include: pattern "[a"`, `include: pattern "/x" begins with a slash`}},
		{"poll_interval", path + "  poll_interval: 0s", []string{"directory: poll_interval: must be positive, got 0s"}},
		{"stable_for", path + "  stable_for: -1s", []string{"directory: stable_for: must be positive, got -1s"}},
		{"incomplete_after", path + "  incomplete_after: 1s", []string{"directory: incomplete_after: must not be shorter than stable_for (2s), got 1s"}},
		{"max_inflated_mib", path + "  max_inflated_mib: 0", []string{"directory: max_inflated_mib: must be 1 to 4096, got 0"}},
		{"too much", path + "  max_inflated_mib: 4097\n  workers: 65", []string{"max_inflated_mib: must be 1 to 4096, got 4097", "workers: must be 1 to 64, got 65"}},
		{"everything", "directory: {include: [], poll_interval: 0s, stable_for: 0s, incomplete_after: -1s, max_inflated_mib: -1, workers: 0}",
			[]string{"storage:", "path:", "include:", "poll_interval:", "stable_for:", "incomplete_after:", "max_inflated_mib:", "workers:"}},
		{"unknown key", path + "  pol_interval: 1s", []string{"pol_interval"}},
		{"source to come", "storage: file_storage\nsqs: {queue_url: x}", []string{"sqs"}},
		{"not a duration", path + "  poll_interval: fast", []string{"poll_interval"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := configFrom(tt.yaml)
			if err == nil {
				t.Fatal("accepted")
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error does not say %q:\n%v", want, err)
				}
			}
		})
	}
}

// configFrom reads a configuration as the collector does.
func configFrom(yaml string) (*Config, error) {
	raw, err := confmap.NewRetrievedFromYAML([]byte(yaml))
	if err != nil {
		return nil, err
	}
	conf, err := raw.AsConf()
	if err != nil {
		return nil, err
	}
	cfg := createDefaultConfig().(*Config)
	if err := conf.Unmarshal(cfg); err != nil {
		return nil, err
	}
	return cfg, confmap.Validate(cfg)
}
