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

// A date needs no quotes, though YAML makes a time of it, and lookup needs no keys.
func TestDatesNeedNoQuotes(t *testing.T) {
	cfg, err := configFrom("storage: file_storage\nregion: eu-central-1\nlookup: {from: 2026-11-01}\nbucket: {name: trail, from: 2026-11-01}")
	if err != nil {
		t.Fatal(err)
	}
	if l, b := cfg.Lookup.Get().From, cfg.Bucket.Get().From; l != "2026-11-01T00:00:00Z" || b != l {
		t.Errorf("lookup from %q, bucket from %q", l, b)
	}
	if cfg, err = configFrom("storage: file_storage\nlookup: {}"); err != nil || !cfg.Lookup.HasValue() {
		t.Errorf("lookup alone: %v", err)
	}
}

func TestBadConfigs(t *testing.T) {
	const path = "storage: file_storage\ndirectory:\n  path: /data\n"
	for _, tt := range []struct {
		name, yaml string
		want       []string
	}{
		{"nothing", "{}", []string{"storage: required", "`storage: file_storage/positions`", "fsync: true", "sqs, bucket, lookup, directory: one is required"}},
		{"no storage", "directory: {path: /data}", []string{"storage: required"}},
		{"no source", "storage: file_storage", []string{"sqs, bucket, lookup, directory: one is required"}},
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
		{"no queue", "storage: file_storage\nsqs: {max_in_flight: 0, visibility_timeout: 1s, wait_time: 1m, sns_topics: [x]}",
			[]string{"sqs: queue_url: required", "max_in_flight: must be 1 to 1000", "visibility_timeout: must be 30s", "wait_time: must be 0s", "sns_topics:"}},
		{"no queue's URL", "storage: file_storage\nsqs: {queue_url: cloudtrail}", []string{"queue_url: required", `got "cloudtrail"`}},
		{"no unit", "storage: file_storage\nsqs: {queue_url: 'https://sqs.eu-central-1.amazonaws.com/111122223333/q', wait_time: 5, buckets: ['s3://trail/']}\nregion: Frankfurt",
			[]string{"wait_time: must be 0s to 20s in whole seconds", "buckets: want the names", "region: want the name"}},
		{"credentials in the queue's URL", "storage: file_storage\nsqs: {queue_url: 'https://id:secret@sqs.eu-central-1.amazonaws.com/111122223333/q'}", []string{"queue_url: must not contain credentials"}},
		{"queue by FTP", "storage: file_storage\nsqs: {queue_url: 'ftp://example.com/q'}", []string{"queue_url: required"}},
		{"two kinds", path + "sqs: {queue_url: 'https://sqs.eu-central-1.amazonaws.com/111122223333/q'}", []string{"directory: excludes sqs"}},
		{"credentials", "storage: file_storage\nsqs: {queue_url: 'https://sqs.eu-central-1.amazonaws.com/111122223333/q'}\naccess_key_id: a\nexternal_id: b\nbucket_owner: c\nendpoint: 'x'\nmax_inflated_mib: 0\nexclude_principals: ['arn:aws:iam::111122223333:role/*']",
			[]string{"access_key_id, secret_access_key: both", "external_id: needs role_arn", "bucket_owner: want", "endpoint: want", "max_inflated_mib: must", "exclude_principals: want"}},
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
