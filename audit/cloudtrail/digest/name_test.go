package digest

import (
	"errors"
	"testing"
	"time"
)

func TestNames(t *testing.T) {
	const day = "/2026/03/04/"
	for key, want := range map[string]Name{
		"AWSLogs/111122223333/CloudTrail-Digest/eu-west-1" + day + "111122223333_CloudTrail-Digest_eu-west-1_acme_eu-central-1_20260304T110131Z.json.gz": {
			Chain: Chain{Scope: Scope{Account: "111122223333", Region: "eu-west-1"}, Trail: "acme", Home: "eu-central-1"}},
		"a/AWSLogs/b/AWSLogs/o-example1/111122223333/CloudTrail-Digest/eu-west-1" + day + "111122223333_CloudTrail-Digest_eu-west-1_acme_two_x.y_eu-central-1_20260304T110131Z_backfill.json.gz": {
			Chain: Chain{Scope: Scope{Org: "o-example1", Account: "111122223333", Region: "eu-west-1"}, Trail: "acme_two_x.y", Home: "eu-central-1", Backfill: true}, Prefix: "a/AWSLogs/b/"},
	} {
		want.Day, want.End = time.Date(2026, 3, 4, 0, 0, 0, 0, time.UTC), time.Date(2026, 3, 4, 11, 1, 31, 0, time.UTC)
		got, err := ParseName(key)
		if err != nil || got != want || got.String() != key {
			t.Errorf("%s:\n%+v, %v", key, got, err)
		}
		if _, err := ParseLogName(key); !errors.Is(err, ErrName) {
			t.Errorf("%s is taken for a log file: %v", key, err)
		}
	}
	for _, key := range []string{
		"", "x", "AWSLogs/111122223333/CloudTrail-Digest/eu-west-1/2026/03/04/",
		"AWSLogs/111122223333/CloudTrail-Digest/eu-west-1" + day + "111122223333_CloudTrail-Digest_eu-west-1_20260304T110131Z.json.gz",
		"AWSLogs/111122223333/CloudTrail-Digest/eu-west-1" + day + "111122223333_CloudTrail-Digest_eu-west-1_acme_eu-central-1_20260304T1101Z.json.gz",
		"AWSLogs/111122223333/CloudTrail-Digest/eu-west-1" + day + "999922223333_CloudTrail-Digest_eu-west-1_acme_eu-central-1_20260304T110131Z.json.gz",
		"AWSLogs/111122223333/CloudTrail-Digest/eu-west-1" + day + "111122223333_CloudTrail-Digest_us-east-1_acme_eu-central-1_20260304T110131Z.json.gz",
		"AWSLogs/111122223333/CloudTrail-Digest/eu-west-1/2026/3/4/111122223333_CloudTrail-Digest_eu-west-1_acme_eu-central-1_20260304T110131Z.json.gz",
		"AWSLog/111122223333/CloudTrail-Digest/eu-west-1" + day + "111122223333_CloudTrail-Digest_eu-west-1_acme_eu-central-1_20260304T110131Z.json.gz",
		"AWSLogs/1111/CloudTrail-Digest/eu-west-1" + day + "1111_CloudTrail-Digest_eu-west-1_acme_eu-central-1_20260304T110131Z.json.gz",
	} {
		if n, err := ParseName(key); !errors.Is(err, ErrName) {
			t.Errorf("%q is taken: %+v, %v", key, n, err)
		}
	}
}

func TestLogNames(t *testing.T) {
	const key = "logs/AWSLogs/o-example1/111122223333/CloudTrail-Insight/eu-west-1/2026/03/04/111122223333_CloudTrail-Insight_eu-west-1_20260304T1055Z_Example000000001.json.gz"
	n, err := ParseLogName(key)
	want := LogName{
		Scope: Scope{"o-example1", "111122223333", "eu-west-1"}, Prefix: "logs/", Folder: "CloudTrail-Insight", Unique: "Example000000001",
		Day: time.Date(2026, 3, 4, 0, 0, 0, 0, time.UTC), Minute: time.Date(2026, 3, 4, 10, 55, 0, 0, time.UTC),
	}
	if err != nil || n != want || n.String() != key {
		t.Errorf("%+v, %v", n, err)
	}
	for _, key := range []string{
		"", key + "x", "x" + key[1:len(key)-30], "AWSLogs/111122223333/CloudTrail/eu-west-1/2026/03/04/111122223333_CloudTrail_eu-west-1_20260304T1055Z.json.gz",
		"AWSLogs/111122223333/CloudTrail/eu-west-1/2026/03/04/111122223333_CloudTrail_eu-west-1_20260304T105500Z_Example000000001.json.gz",
	} {
		if n, err := ParseLogName(key); !errors.Is(err, ErrName) {
			t.Errorf("%q is taken: %+v, %v", key, n, err)
		}
	}
}
