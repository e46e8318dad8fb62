package distro

import (
	"crypto/rsa"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/otelcol-custody/custody/audit/cloudtrail/digest/digesttest"
)

func writeFile(t *testing.T, path string, data []byte) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// copyOf writes files of a bucket as they are copied.
func copyOf(t *testing.T, files ...digesttest.File) string {
	t.Helper()
	dir := t.TempDir()
	for _, f := range files {
		path := filepath.Join(dir, filepath.FromSlash(f.Key))
		writeFile(t, path, f.Gzip(t))
		if m := f.Metadata(); m != nil {
			data, err := json.Marshal(m)
			if err != nil {
				t.Fatal(err)
			}
			writeFile(t, path+".metadata.json", data)
		}
	}
	return dir
}

func keyList(t *testing.T, keys ...*rsa.PrivateKey) string {
	t.Helper()
	return writeFile(t, filepath.Join(t.TempDir(), "keys.json"), digesttest.KeyList(t, keys...))
}

// trail is a copy of four hours: a start, two with log files, one without.
func trailFiles(t *testing.T) (*digesttest.Trail, []digesttest.File) {
	t.Helper()
	tr := digesttest.NewTrail(t, "acme-trail", "eu-west-1")
	start := tr.Hour(t)
	a, b := tr.Log(10), tr.Log(50)
	busy := tr.Hour(t, a, b)
	c := tr.Log(30)
	return tr, []digesttest.File{start, a, b, busy, c, tr.Hour(t, c), tr.Hour(t)}
}

func TestVerifyCloudTrail(t *testing.T) {
	s := newShop(t)
	tr, list := trailFiles(t)
	keys := keyList(t, tr.Key)
	dir := copyOf(t, list...)
	s.want(exitDone, []string{"verify-cloudtrail", dir, "--keys", keys}, "verified: 4 digests and 3 log files (",
		"111122223333/eu-west-1 trail acme of eu-central-1\n  digests    4, from 2026-03-04T10:01:31Z to 2026-03-04T14:01:31Z\n  log files  3",
		"bucket: acme-trail, as the digests", "not checked: whether the newest digests were deleted")
	s.want(exitDone, []string{"verify-cloudtrail", dir, "--keys", keys, "--bucket", "acme-trail", "--to", "2026-03-04T14:30:00Z"}, "verified: 4 digests")
	if strings.Contains(s.stdout.String(), "not checked") || strings.Contains(s.stdout.String(), "--bucket") {
		t.Errorf("it says what does not hold: %s", s.stdout.String())
	}
	s.want(exitTampered, []string{"verify-cloudtrail", dir, "--keys", keys, "--to", "2026-03-04T15:30:00Z"}, "GAPS FOUND: 1 finding", "digest-overdue: 111122223333/eu-west-1", "since 2026-03-04T14:01:31Z")
	s.want(exitDone, []string{"verify-cloudtrail", dir, "--keys", keys, "--quiet"})
	if s.stdout.Len()+s.stderr.Len() > 0 {
		t.Errorf("quiet, it says %q %q", s.stdout.String(), s.stderr.String())
	}
}

func TestVerifyCloudTrailFinds(t *testing.T) {
	s := newShop(t)
	tr, list := trailFiles(t)
	keys := keyList(t, tr.Key)
	altered := list[1]
	altered.Inflated = []byte(`{"Records":[]}`)
	dir := copyOf(t, append(list, altered)...)
	if err := os.Remove(filepath.Join(dir, list[4].Key)); err != nil {
		t.Fatal(err)
	}
	s.want(exitTampered, []string{"verify-cloudtrail", dir, "--keys", keys}, "TAMPERING FOUND: 2 findings", "log-hash: 111122223333/eu-west-1 trail acme",
		"  object    "+altered.Object.String()+"\n  named by  "+list[3].Object.String()+"\n  signed    ", "  found     ",
		"log-missing: ", "  object    "+list[4].Object.String(), "checked and found intact: 4 digests and 1 log file")
	s.want(exitTampered, []string{"verify-cloudtrail", dir, "--keys", keyList(t, digesttest.PrivateKey(t, "us-east-1", 2048))},
		"none of the given keys signed any digest", "key-unknown", "names the fingerprint "+digesttest.Fingerprint(&tr.Key.PublicKey))
	s.want(exitTampered, []string{"verify-cloudtrail", dir, "--keys", keys, "--bucket", "other"}, "digest-moved", "found     s3://other/")
	s.want(exitTampered, []string{"verify-cloudtrail", dir, "--keys", keys, "--quiet"}, "TAMPERING FOUND")
	if strings.Contains(s.stdout.String(), "intact") {
		t.Error("quiet, it says more than findings")
	}
}

// What is not proven is never 0.
func TestVerifyCloudTrailUnfinished(t *testing.T) {
	s := newShop(t)
	tr, list := trailFiles(t)
	keys := keyList(t, tr.Key)
	s.want(exitUnfinished, []string{"verify-cloudtrail", t.TempDir(), "--keys", keys}, "no digest of CloudTrail was found", "NOT PROVEN")
	unsigned := copyOf(t, list...)
	if err := os.Remove(filepath.Join(unsigned, list[6].Key+".metadata.json")); err != nil {
		t.Fatal(err)
	}
	s.want(exitUnfinished, []string{"verify-cloudtrail", unsigned, "--keys", keys}, "NOT PROVEN in all; verified so far: 3 digests and 3 log files",
		"digest-unsigned: 1 file: the signature of this digest is lost", "  "+list[6].Object.String())
	s.want(exitUnfinished, []string{"verify-cloudtrail", copyOf(t, list[1], list[2]), "--keys", keys, "--bucket", "acme-trail"}, "log-uncovered: 2 files", "--from")
	late := tr.Log(-80)
	s.want(exitUnfinished, []string{"verify-cloudtrail", copyOf(t, append(list, late)...), "--keys", keys}, "log-not-listed: 1 file", late.Key)
	s.want(exitTampered, []string{"verify-cloudtrail", copyOf(t, append(list, late)...), "--keys", keys, "--grace", "1h"}, "log-unlisted", late.Key)
	s.want(exitDone, []string{"verify-cloudtrail", copyOf(t, append(list, tr.Log(5))...), "--keys", keys}, "log-not-due: 1 file")
}

func TestVerifyCloudTrailUsage(t *testing.T) {
	s := newShop(t)
	tr, list := trailFiles(t)
	keys, dir := keyList(t, tr.Key), copyOf(t, list...)
	for says, args := range map[string][]string{
		"DIR is missing":              {"verify-cloudtrail"},
		"--keys is missing":           {"verify-cloudtrail", dir},
		"does not exist":              {"verify-cloudtrail", filepath.Join(dir, "x"), "--keys", keys},
		"is not a directory":          {"verify-cloudtrail", keys, "--keys", keys},
		"no such file":                {"verify-cloudtrail", dir, "--keys", keys + "x"},
		"not a list of public keys":   {"verify-cloudtrail", dir, "--keys", writeFile(t, filepath.Join(t.TempDir(), "x"), []byte("{}"))},
		"--workers must be":           {"verify-cloudtrail", dir, "--keys", keys, "--workers", "0"},
		"--grace must be":             {"verify-cloudtrail", dir, "--keys", keys, "--grace", "-1h"},
		"--from: \"yesterday\"":       {"verify-cloudtrail", dir, "--keys", keys, "--from", "yesterday"},
		"--to must be later":          {"verify-cloudtrail", dir, "--keys", keys, "--from", "2026-03-04", "--to", "2026-03-04"},
		"see otelcol-custody verify-": {"verify-cloudtrail", dir, "--keys", keys, "--nonsense"},
	} {
		s.want(exitUsage, args, strings.Replace(says, "does not exist", "no such file", 1))
		if s.stdout.Len() > 0 {
			t.Errorf("%q writes to stdout: %s", args, s.stdout.String())
		}
	}
}

func TestVerifyCloudTrailJSON(t *testing.T) {
	s := newShop(t)
	tr, list := trailFiles(t)
	tr.Restart(2 * time.Hour)
	list[1].Inflated = nil
	dir := copyOf(t, append(list, tr.Hour(t))...)
	if code := s.run("verify-cloudtrail", dir, "--keys", keyList(t, tr.Key), "--json", "--from", "2026-03-04"); code != exitTampered {
		t.Fatalf("exit %d: %s", code, s.stderr.String())
	}
	var d struct {
		Version          int
		Command, Verdict string
		Keys, Buckets    []string
		From             time.Time
		To               *time.Time
		Chains           []map[string]any
		Counts           map[string]int
		Findings         []struct {
			Kind, Reason, Want, Got, Message string
			Chain                            map[string]any
			Object                           struct{ Bucket, Key string }
			From, To                         time.Time
		}
		Unproven, Notices, Unread, Errors []any
	}
	if err := json.Unmarshal(s.stdout.Bytes(), &d); err != nil {
		t.Fatal(err)
	}
	if d.Version != 1 || d.Command != "verify-cloudtrail" || d.Verdict != "tampered" || len(d.Keys) != 1 || len(d.Buckets) != 1 || d.To != nil ||
		d.Unproven == nil || d.Notices == nil || d.Unread == nil || d.Errors == nil || len(d.Findings) != 2 || d.Counts["digest-verified"] != 5 {
		t.Fatalf("%s", s.stdout.String())
	}
	if c := d.Chains[0]; c["account"] != "111122223333" || c["trail"] != "acme" || c["home_region"] != "eu-central-1" || c["digests"] != 5.0 || c["log_files"] != 2.0 {
		t.Errorf("chain %v", c)
	}
	f, g := d.Findings[0], d.Findings[1]
	if f.Kind != "failed" || f.Reason != "log-hash" || f.Object.Key != list[1].Key || f.Want == "" || f.Got == "" || f.Message == "" || f.Chain["region"] != "eu-west-1" {
		t.Errorf("%+v", f)
	}
	if g.Kind != "gap" || g.Reason != "chain-restarted" || g.From.IsZero() || !g.To.Equal(g.From.Add(2*time.Hour)) {
		t.Errorf("%+v", g)
	}
}
