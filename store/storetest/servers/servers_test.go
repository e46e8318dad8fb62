package servers

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"go.uber.org/goleak"
)

// dies checks that a server stops answering, and answers again on its port.
func dies(t *testing.T, p *Process, end func()) {
	t.Helper()
	end()
	if resp, err := p.client.Get(p.URL()); err == nil {
		resp.Body.Close()
		t.Fatalf("%s answers %s after its end", p.name(), resp.Status)
	}
	before := p.port
	p.Restart()
	if p.port != before {
		t.Errorf("port %s after a restart, was %s", p.port, before)
	}
}

func testS3(t *testing.T, s *S3) {
	s.Bucket(t, "locked", true)
	s.Bucket(t, "plain", false)
	s.Versioned(t, "plain")
	client, key := s.Client(), aws.String("a/b")
	put, err := client.PutObject(t.Context(), &s3.PutObjectInput{
		Bucket: aws.String("locked"), Key: key, Body: strings.NewReader("genuine"),
		ChecksumAlgorithm: types.ChecksumAlgorithmSha256, IfNoneMatch: aws.String("*"),
		ObjectLockMode: types.ObjectLockModeCompliance, ObjectLockRetainUntilDate: aws.Time(time.Now().Add(time.Hour)),
	})
	if err != nil {
		t.Fatal(err)
	}
	dies(t, s.Process, s.Kill)
	_, err = client.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: aws.String("locked"), Key: key, VersionId: put.VersionId})
	if err == nil {
		t.Error("a locked version was deleted")
	}
	got, err := client.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("locked"), Key: key})
	if err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close()
	if b, err := io.ReadAll(got.Body); err != nil || string(b) != "genuine" {
		t.Errorf("after a restart: %q, %v", b, err)
	}
}

func TestVersity(t *testing.T) {
	s := Versity(t)
	testS3(t, s)
	if b, err := os.ReadFile(filepath.Join(s.Dir, "locked", "a", "b")); err != nil || string(b) != "genuine" {
		t.Errorf("the object's file: %q, %v", b, err)
	}
}

func TestVersityWithoutVersions(t *testing.T) {
	s := Versity(t, WithoutVersions())
	s.Bucket(t, "locked", true)
}

func TestMinIO(t *testing.T) { testS3(t, MinIO(t)) }

// Tests of stores check that no goroutine is left.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestFakeGCS(t *testing.T) {
	g := FakeGCS(t)
	dies(t, g.Process, g.Kill)
	g.Bucket(t, "acme-audit")
	url := g.Endpoint + "/upload/storage/v1/b/acme-audit/o?uploadType=media&name=a&ifGenerationMatch=0"
	for _, want := range []int{http.StatusOK, http.StatusPreconditionFailed} {
		resp, err := g.client.Post(url, "application/octet-stream", strings.NewReader("x"))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("create-only put: %s, want %d", resp.Status, want)
		}
	}
}

func TestAzurite(t *testing.T) {
	a := Azurite(t)
	a.Container(t, "acme-audit")
	client := a.Client(t)
	if _, err := client.UploadBuffer(t.Context(), "acme-audit", "a/b", []byte("genuine"), nil); err != nil {
		t.Fatal(err)
	}
	dies(t, a.Process, a.Stop)
	got, err := client.DownloadStream(t.Context(), "acme-audit", "a/b", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close()
	if b, err := io.ReadAll(got.Body); err != nil || !bytes.Equal(b, []byte("genuine")) {
		t.Errorf("after a restart: %q, %v", b, err)
	}
}

// stopper is a test that only notes that it was failed.
type stopper struct {
	testing.TB
	said string
}

func (s *stopper) Fatalf(format string, _ ...any) {
	s.said = format
	panic(s)
}

func TestMissingServerFails(t *testing.T) {
	t.Setenv(variable, t.TempDir())
	s := &stopper{TB: t}
	defer func() {
		if recover() != s || !strings.Contains(s.said, "make servers") {
			t.Errorf("a missing server: %q, want a failure that names make servers", s.said)
		}
	}()
	Versity(s)
}
