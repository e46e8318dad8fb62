package servers

import (
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
)

// GCS is a server that speaks Google Cloud Storage's JSON interface and wants
// no credentials.
type GCS struct {
	*Process
	Endpoint string // http://127.0.0.1:PORT, without a path
}

// FakeGCS starts fake-gcs-server. It keeps its objects in memory: Restart
// begins empty. It enforces preconditions, but no retention and no hold.
func FakeGCS(t testing.TB) *GCS {
	t.Helper()
	program := find(t, "bin/fake-gcs-server")
	p := start(t, "/storage/v1/b", nil, func(port string) []string {
		return []string{
			program, "-scheme", "http", "-host", "127.0.0.1", "-port", port, "-backend", "memory",
			"-public-host", "127.0.0.1:" + port, "-external-url", "http://127.0.0.1:" + port, "-log-level", "warn",
		}
	})
	return &GCS{Process: p, Endpoint: p.URL()}
}

// Bucket makes a bucket.
func (g *GCS) Bucket(t testing.TB, name string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, g.Endpoint+"/storage/v1/b?project=acme-audit",
		strings.NewReader(`{"name":`+strconv.Quote(name)+`}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := g.client.Do(req)
	if err != nil {
		t.Fatalf("make bucket %s: %v", name, err)
	}
	defer resp.Body.Close()
	if said, _ := io.ReadAll(resp.Body); resp.StatusCode != http.StatusOK {
		t.Fatalf("make bucket %s: %s: %s", name, resp.Status, said)
	}
}
