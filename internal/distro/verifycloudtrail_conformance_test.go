package distro

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/otelcol-custody/custody/audit/cloudtrail/digest"
	"github.com/otelcol-custody/custody/audit/cloudtrail/digest/digestdir"
)

// A scenario is a bucket, and what the AWS CLI says of it.
type scenario struct {
	Scenario string          `json:"scenario"`
	Base     *string         `json:"base"`
	Bucket   string          `json:"bucket"`
	Objects  map[string]made `json:"replaces_or_adds"`
	Removes  any             `json:"removes"` // a list of keys, or a text that means all of the base
	CLI      struct {
		Exit           int
		Digests        uint64 `json:"valid_digests"`
		InvalidDigests uint64 `json:"invalid_digests"`
		Backfill       uint64 `json:"valid_backfill_digests"`
		Logs           uint64 `json:"valid_logs"`
		InvalidLogs    uint64 `json:"invalid_logs"`
	} `json:"aws_cli_verdict"`
}

type made struct {
	File   string `json:"file"`
	SameAs string `json:"same_as"` // scenario/key
}

// stricter are the scenarios in which the AWS CLI passes what should not pass.
var stricter = []string{"tail_truncated", "gap_restart", "prev_hash_field_lies", "log_multimember_gzip"}

// TestVerifyCloudTrailSamples compares verdicts with those of the AWS CLI where there are
// samples of it.
func TestVerifyCloudTrailSamples(t *testing.T) {
	root := os.Getenv("CUSTODY_SAMPLES")
	if root == "" {
		t.Log("set CUSTODY_SAMPLES to a folder with cloudtrail_digest_vectors/ in it to compare with the AWS CLI")
		return
	}
	root = filepath.Join(root, "cloudtrail_digest_vectors")
	var all []scenario
	if err := json.Unmarshal(readSample(t, root, "scenarios.json"), &all); err != nil || len(all) == 0 {
		t.Fatal("no scenarios", err)
	}
	keys, err := digest.ParseKeys(readSample(t, root, "keys/list-public-keys.json"))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%-22s %-22s %-22s %s", "scenario", "AWS CLI", "verify-cloudtrail", "findings and what is not proven")
	for i, s := range all {
		opt := digestdir.Options{Keys: keys, Bucket: s.Bucket}
		if s.Scenario == "tail_truncated" {
			opt.To = newestDigest(all[0])
		}
		r, err := digestdir.Verify(t.Context(), os.DirFS(s.lay(t, root, all)), opt)
		if err != nil {
			t.Fatal(s.Scenario, err)
		}
		all[i].compare(t, &cloudTrailVerdict{Report: r})
	}
}

func readSample(t *testing.T, root, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// lay makes the copy of a scenario's bucket.
func (s scenario) lay(t *testing.T, root string, all []scenario) string {
	t.Helper()
	objects := map[string]made{}
	base := map[string]made{}
	if s.Base != nil {
		base = all[slices.IndexFunc(all, func(o scenario) bool { return o.Scenario == *s.Base })].Objects
	}
	if _, everything := s.Removes.(string); !everything {
		for key, o := range base {
			objects[key] = o
		}
		gone, _ := s.Removes.([]any)
		for _, key := range gone {
			delete(objects, key.(string))
		}
	}
	for key, o := range s.Objects {
		objects[key] = o
	}
	dir := t.TempDir()
	for key, o := range objects {
		file := o.File
		if o.SameAs != "" {
			of, at, _ := strings.Cut(o.SameAs, "/")
			file = all[slices.IndexFunc(all, func(o scenario) bool { return o.Scenario == of })].Objects[at].File
		}
		path := filepath.Join(dir, filepath.FromSlash(key))
		writeFile(t, path, readSample(t, root, file))
		if meta, err := fs.ReadFile(os.DirFS(root), file+".metadata.json"); err == nil {
			writeFile(t, path+".metadata.json", meta)
		}
	}
	return dir
}

func newestDigest(s scenario) (n time.Time) {
	for key := range s.Objects {
		if name, err := digest.ParseName(key); err == nil && name.End.After(n) {
			n = name.End
		}
	}
	return n
}

// compare holds a verdict against the AWS CLI's.
func (s scenario) compare(t *testing.T, v *cloudTrailVerdict) {
	t.Helper()
	counts := v.Counts
	digests, logs := counts[digest.DigestVerified], counts[digest.LogVerified]
	t.Logf("%-22s exit %d, %2d/%-2d %2d/%-2d    exit %d, %2d    %2d         %s", s.Scenario, s.CLI.Exit, s.CLI.Digests+s.CLI.Backfill, s.CLI.InvalidDigests, s.CLI.Logs, s.CLI.InvalidLogs,
		v.code(), digests, logs, strings.Join(countReasons(v), ", "))
	if slices.Contains(stricter, s.Scenario) {
		if v.code() != exitTampered {
			t.Errorf("%s: exit %d, want 1, where the AWS CLI passes it", s.Scenario, v.code())
		}
		return
	}
	if (v.code() == exitDone) != (s.CLI.Exit == 0) {
		t.Errorf("%s: exit %d, the AWS CLI's is %d", s.Scenario, v.code(), s.CLI.Exit)
	}
	if digests != s.CLI.Digests+s.CLI.Backfill || logs != s.CLI.Logs {
		t.Errorf("%s: %d digests and %d log files verified, the AWS CLI says %d and %d", s.Scenario, digests, logs, s.CLI.Digests+s.CLI.Backfill, s.CLI.Logs)
	}
}

func countReasons(v *cloudTrailVerdict) (list []string) {
	for r, n := range v.Counts {
		if r.Kind() != digest.Verified {
			list = append(list, number(n)+" "+string(r))
		}
	}
	slices.Sort(list)
	return list
}
