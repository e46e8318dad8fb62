package gcsstore_test

import (
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/otelcol-custody/custody/store"
	"github.com/otelcol-custody/custody/store/gcsstore"
	"github.com/otelcol-custody/custody/store/storetest"
	"github.com/otelcol-custody/custody/store/storetest/servers"
)

func TestMain(m *testing.M) {
	// Else Google's library looks for its machines in the background, and nobody
	// can wait for that.
	if err := os.Setenv("GCE_METADATA_HOST", "127.0.0.1:1"); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m)
}

func open(t testing.TB, opt gcsstore.Options) *gcsstore.Store {
	t.Helper()
	opt.Anonymous = opt.CredentialsFile == ""
	if opt.Bucket == "" {
		opt.Bucket = "acme-audit"
	}
	s, err := gcsstore.Open(t.Context(), opt)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	return s
}

// TestConformance runs against fake-gcs-server, which keeps and reports an
// object's retention, but enforces none: what is retained there proves only
// that it was asked for.
func TestConformance(t *testing.T) {
	t.Run("fake-gcs-server", func(t *testing.T) {
		g := servers.FakeGCS(t)
		n := 0
		storetest.Run(t, func(t *testing.T) store.Store {
			n++
			bucket := "acme-audit-" + string(rune('a'+n))
			g.Bucket(t, bucket)
			return open(t, gcsstore.Options{Bucket: bucket, Endpoint: g.Endpoint, Prefix: "prod"})
		}, storetest.Caps{Retention: true})
	})
}
