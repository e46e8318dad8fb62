package e2e

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/otelcol-custody/custody/store/storetest/servers"
)

const container = "acme-audit"

// clouds are three stores of three kinds, each a real server or emulator.
type clouds struct {
	s3    *servers.S3
	gcs   *servers.GCS
	azure *servers.Azure
}

func newClouds(t *testing.T) *clouds {
	t.Helper()
	c := &clouds{servers.Versity(t), servers.FakeGCS(t), servers.Azurite(t)}
	c.s3.Bucket(t, container, true)
	c.gcs.Bucket(t, container)
	c.azure.Container(t, container)
	return c
}

// overlay lets the quickstart store in all three instead of a directory. Only
// versitygw locks; the emulators of the two others do not, and are told apart.
func (c *clouds) overlay(h *home) string {
	return c.s3Exporter(h) + fmt.Sprintf(`
  gcs_worm:
    endpoint: %q
    anonymous: true
    bucket: %[2]s
    prefix: custody
    require_lock: false
    log_keys: [%[3]q]
  azureblob_worm:
    account_url: %[4]q
    auth: {shared_key: {account: %[5]q, key: %[6]q}}
    container: %[2]s
    prefix: custody
    require_lock: false
    log_keys: [%[3]q]
processors:
  hash_chain: {min_stores: 3}
service: {pipelines: {logs: {exporters: [s3_worm, gcs_worm, azureblob_worm]}}}
`, c.gcs.Endpoint, container, h.pub(), c.azure.AccountURL, c.azure.Account, c.azure.Key)
}

func (c *clouds) s3Exporter(h *home) string {
	return fmt.Sprintf(`
exporters:
  s3_worm:
    endpoint: %q
    path_style: true
    region: us-east-1
    bucket: %s
    prefix: custody
    access_key_id: %q
    secret_access_key: %q
    retention: {mode: compliance, days: 1}
    log_keys: [%q]
`, c.s3.Endpoint, container, c.s3.AccessKey, c.s3.SecretKey, h.pub())
}

// arg names a store as the commands want it.
func (c *clouds) arg(name string) string {
	switch name {
	case "s3":
		return fmt.Sprintf("s3://%s/custody?endpoint=%s&path_style=true&region=us-east-1", container, c.s3.Endpoint)
	case "gcs":
		return fmt.Sprintf("gs://%s/custody?endpoint=%s&anonymous=true", container, c.gcs.Endpoint)
	default:
		return fmt.Sprintf("azblob://%s/%s/%s/custody?scheme=http", hostOf(c.azure.AccountURL), c.azure.Account, container)
	}
}

// credentials lie where the commands look for them.
func (c *clouds) credentials(t *testing.T) {
	t.Helper()
	t.Setenv("AWS_ACCESS_KEY_ID", c.s3.AccessKey)
	t.Setenv("AWS_SECRET_ACCESS_KEY", c.s3.SecretKey)
	if c.azure == nil {
		return
	}
	t.Setenv("AZURE_STORAGE_CONNECTION_STRING", fmt.Sprintf("DefaultEndpointsProtocol=http;AccountName=%s;AccountKey=%s;BlobEndpoint=%s;", c.azure.Account, c.azure.Key, c.azure.AccountURL))
}

// fetch copies a store to a directory, as an auditor would.
func (c *clouds) fetch(t *testing.T, name, dir string, flags ...string) result {
	t.Helper()
	c.credentials(t)
	return command(t, collectorBin, append([]string{"fetch", c.arg(name), dir}, flags...)...)
}

// fetched copies every store to a directory of its own.
func (c *clouds) fetched(t *testing.T, h *home) map[string]string {
	t.Helper()
	dirs := map[string]string{}
	for _, name := range []string{"s3", "gcs", "azure"} {
		dirs[name] = h.path("fetched-" + name)
		c.fetch(t, name, dirs[name]).want(t, 0)
	}
	return dirs
}

func hostOf(u string) string {
	h := u[len("http://"):]
	if i := slices.Index([]byte(h), '/'); i >= 0 {
		h = h[:i]
	}
	if _, _, err := net.SplitHostPort(h); err != nil {
		panic(err)
	}
	return h
}

// objectSums hashes every file of a directory.
func objectSums(t *testing.T, dir string) map[string][sha256.Size]byte {
	t.Helper()
	sums := map[string][sha256.Size]byte{}
	err := filepath.WalkDir(filepath.Join(dir, logName), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		sums[rel] = sha256.Sum256(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return sums
}

// outage is how long a store is away: some seconds, or as long as CUSTODY_OUTAGE
// says.
func outage(t *testing.T) time.Duration {
	t.Helper()
	text := os.Getenv("CUSTODY_OUTAGE")
	if text == "" {
		return 10 * time.Second
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		t.Fatalf("CUSTODY_OUTAGE=%s is not a duration, such as 10m", text)
	}
	return d
}

// Three stores under load, one of them killed and started again: nothing that was
// answered is lost, the other two stay current throughout, and in the end all
// three hold the same bytes.
func TestThreeStoresOneAway(t *testing.T) {
	h := newHome(t, "")
	c := newClouds(t)
	col := start(t, h, c.overlay(h))
	b := newBook()
	l := startPacedLoad(t, b, h, "s", 10*time.Millisecond) // A long outage must fit the machine.
	eventually(t, "segments in every store", func() bool {
		n := slices.Collect(maps.Values(col.segments(t)))
		return len(n) == 3 && slices.Min(n) > 3
	})

	before := col.lag(t)
	c.s3.Kill()
	time.Sleep(outage(t))
	during := col.lag(t)
	c.s3.Restart()
	for name, l := range during {
		l = l.since(before[name])
		t.Logf("%s while s3 was away: %d segments, %d of them stored more than a second after they were closed", name, l.all, l.all-l.inTime)
		if name[:2] == "s3" {
			continue
		}
		if l.all == 0 || l.inTime < l.all {
			t.Errorf("%s was held up by another store that was away", name)
		}
	}
	eventually(t, "the backlog to drain", func() bool {
		n := slices.Collect(maps.Values(col.segments(t)))
		return slices.Max(n)-slices.Min(n) < 3
	})
	l.stop()
	col.stop(t)

	dirs := c.fetched(t, h)
	want := objectSums(t, dirs["s3"])
	for name, dir := range dirs {
		verify(t, 0, dir, h.pub())
		if got := objectSums(t, dir); !maps.Equal(got, want) {
			t.Errorf("%s holds %d objects and s3 %d, and they are not the same", name, len(got), len(want))
		}
	}
	b.check(t, readStore(t, dirs["s3"]))
	t.Logf("%d objects in each store", len(want))
}
