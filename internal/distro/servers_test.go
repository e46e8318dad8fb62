package distro

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/otelcol-custody/custody/ledger/ledgertest"
	"github.com/otelcol-custody/custody/store/dirstore"
	"github.com/otelcol-custody/custody/store/storetest/servers"
)

// The three commands against servers that lock: what an attacker hides there is
// found below, and verifies.
func TestStoresOnServers(t *testing.T) {
	for name, c := range map[string]struct {
		start    func(*testing.T) *servers.S3
		retained int // the exit code of retain
		says     string
	}{
		"MinIO": {func(t *testing.T) *servers.S3 { return servers.MinIO(t) }, exitDone, "7 objects extended"},
		// Versity keeps no retention that is set on a version below the newest.
		"Versity": {func(t *testing.T) *servers.S3 { return servers.Versity(t) }, exitUnfinished, "2 FAILED"},
	} {
		t.Run(name, func(t *testing.T) {
			server := c.start(t)
			server.Bucket(t, "acme-audit", true)
			t.Setenv("AWS_ACCESS_KEY_ID", server.AccessKey)
			t.Setenv("AWS_SECRET_ACCESS_KEY", server.SecretKey)
			bucket := "s3://acme-audit/logs?endpoint=" + server.Endpoint + "&path_style=true&region=" + server.Region
			s, key, chain := newShop(t), keyFile(t, ""), segments(t)

			from := directory(t, chain)
			s.want(exitUsage, []string{"replicate", from, bucket, "--key", key}, "retention.mode=")
			s.want(exitDone, []string{"replicate", from, bucket + "&retention.mode=governance&retention.days=36000", "--key", key}, "6 objects copied")

			object := func(inLog string) (*string, *string) {
				return aws.String("acme-audit"), aws.String("logs/test/" + inLog)
			}
			put, del := &s3.PutObjectInput{Body: bytes.NewReader([]byte("x"))}, &s3.DeleteObjectInput{}
			put.Bucket, put.Key = object(chain[0].Seal.SegmentName())
			if _, err := server.Client().PutObject(t.Context(), put); err != nil {
				t.Fatal(err)
			}
			del.Bucket, del.Key = object(chain[1].Seal.Name())
			if _, err := server.Client().DeleteObject(t.Context(), del); err != nil {
				t.Fatal(err)
			}
			dir := filepath.Join(t.TempDir(), "evidence")
			s.want(exitDone, []string{"fetch", bucket, dir}, "6 objects copied", "another version of 1 bytes", "a delete marker hides it")
			wantVerified(t, dir)
			s.want(exitDone, []string{"fetch", bucket, dir}, "0 objects copied", "6 already there", "a delete marker hides it")
			again := filepath.Join(t.TempDir(), "again")
			s.want(exitDone, []string{"replicate", bucket, plain(again), "--key", key}, "6 objects copied")
			wantVerified(t, again)
			s.want(c.retained, []string{"retain", bucket, "--until", "2140-01-01"}, c.says)
		})
	}
}

// directory is a store in a directory.
func directory(t *testing.T, chain []ledgertest.Segment) string {
	t.Helper()
	dir := t.TempDir()
	s, err := dirstore.Open(dir, dirstore.Options{Immutable: dirstore.ImmutableOff})
	if err != nil {
		t.Fatal(err)
	}
	fill(t, s, chain...)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

// There and back, with servers that lock nothing.
func TestStoresOnServersWithoutLock(t *testing.T) {
	gcs, azure := servers.FakeGCS(t), servers.Azurite(t)
	gcs.Bucket(t, "acme-audit")
	azure.Container(t, "acme-audit")
	t.Setenv("AZURE_STORAGE_ACCOUNT", azure.Account)
	t.Setenv("AZURE_STORAGE_KEY", azure.Key)
	for name, store := range map[string]string{
		"Cloud Storage": "gs://acme-audit/logs?anonymous=true&endpoint=" + gcs.Endpoint,
		"Azure Blob":    "azblob://" + strings.TrimPrefix(azure.AccountURL, "http://") + "/acme-audit/logs?scheme=http",
	} {
		t.Run(name, func(t *testing.T) {
			s, key := newShop(t), keyFile(t, "")
			from, dir := directory(t, segments(t)), filepath.Join(t.TempDir(), "evidence")
			s.want(exitUsage, []string{"replicate", from, store, "--key", key}, "require_lock=false")
			s.want(exitDone, []string{"replicate", from, store + "&require_lock=false", "--key", key}, "6 objects copied", "nothing is asked to be retained")
			s.want(exitDone, []string{"replicate", from, store + "&require_lock=false", "--key", key}, "0 objects copied", "6 already there")
			s.want(exitDone, []string{"fetch", store, dir}, "6 objects copied")
			s.want(exitDone, []string{"fetch", store, dir}, "0 objects copied")
			wantVerified(t, dir)
		})
	}
}
