package e2e

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/otelcol-custody/custody/store/storetest/servers"
)

// bucket is what the owner of the bucket, or a thief of the owner's credentials,
// can do past the collector.
type bucket struct {
	t *testing.T
	*s3.Client
}

// versions are all versions below a folder of the log, the oldest name first.
func (b bucket) versions(folder string) []types.ObjectVersion {
	b.t.Helper()
	out, err := b.ListObjectVersions(b.t.Context(), &s3.ListObjectVersionsInput{
		Bucket: aws.String(container), Prefix: aws.String("custody/" + logName + "/" + folder + "/"),
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return out.Versions
}

func (b bucket) shadow(key *string) {
	b.t.Helper()
	if _, err := b.PutObject(b.t.Context(), &s3.PutObjectInput{Bucket: aws.String(container), Key: key, Body: strings.NewReader("nothing happened")}); err != nil {
		b.t.Fatal(err)
	}
}

func (b bucket) hide(key *string) {
	b.t.Helper()
	if _, err := b.DeleteObject(b.t.Context(), &s3.DeleteObjectInput{Bucket: aws.String(container), Key: key}); err != nil {
		b.t.Fatal(err)
	}
}

// destroy tries to remove a version for good, claiming the right to.
func (b bucket) destroy(v types.ObjectVersion) error {
	_, err := b.DeleteObject(b.t.Context(), &s3.DeleteObjectInput{
		Bucket: aws.String(container), Key: v.Key, VersionId: v.VersionId, BypassGovernanceRetention: aws.Bool(true),
	})
	return err
}

// A bucket that locks cannot keep its owner from laying a version or a delete
// marker above what is locked. All evidence is still there, is found and
// verifies; what was laid above it is named; and the log goes on.
func TestHiddenEvidence(t *testing.T) {
	h := newHome(t, "")
	c := &clouds{s3: servers.Versity(t)}
	c.s3.Bucket(t, container, true)
	overlay := c.s3Exporter(h) + "service: {pipelines: {logs: {exporters: [s3_worm]}}}\n"
	b := newBook()
	seal := func(prefix string) {
		col := start(t, h, overlay)
		l := startLoad(t, b, h, prefix)
		eventually(t, "segments in the store", func() bool {
			for _, n := range col.segments(t) {
				return n > 4
			}
			return false
		})
		l.stop()
		col.stop(t)
	}
	seal("before")

	thief := bucket{t, c.s3.Client()}
	segments, seals := thief.versions("segments"), thief.versions("seals")
	for _, v := range slices.Concat(segments, seals) {
		if thief.destroy(v) == nil {
			t.Errorf("%s was destroyed although it is locked", *v.Key)
		}
	}
	newest := seals[len(seals)-1].Key
	thief.shadow(segments[0].Key)
	thief.hide(segments[1].Key)
	thief.shadow(seals[1].Key)
	thief.hide(seals[2].Key)
	thief.hide(newest) // From which the log is to go on.
	seal("after")

	dir := h.path("fetched")
	r := c.fetch(t, "s3", dir)
	r.want(t, 0)
	wantSaid(t, r.stderr, "another version", "a later version lies on it", "a delete marker hides it",
		inLog(segments[0].Key), inLog(segments[1].Key), inLog(seals[1].Key), inLog(seals[2].Key), inLog(newest))
	// Seals of both kinds are brought along, and which is genuine only a key tells.
	v := verify(t, 1, dir, h.pub())
	if found := v.findings(); len(found) != 1 || found[0].Code != "foreign-object" {
		t.Errorf("findings %+v, want just the forged seal", found)
	}
	if log := v.Logs[0]; log.Records != log.RecordsChecked {
		t.Errorf("%d of %d records were checked", log.RecordsChecked, log.Records)
	}
	b.check(t, readStore(t, dir))

	again := c.fetch(t, "s3", dir, "--json")
	again.want(t, 0)
	var doc struct {
		Logs []struct{ Objects, Skipped int }
	}
	if err := json.NewDecoder(bytes.NewBufferString(again.stdout)).Decode(&doc); err != nil {
		t.Fatal(err)
	}
	if len(doc.Logs) != 1 || doc.Logs[0].Objects != 0 || doc.Logs[0].Skipped == 0 {
		t.Errorf("a second fetch copied something: %+v", doc.Logs)
	}
}

func inLog(key *string) string { return strings.TrimPrefix(*key, "custody/") }
