package schema

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/audittest"
	"github.com/otelcol-custody/custody/audit/azure"
	"github.com/otelcol-custody/custody/audit/cadf"
	"github.com/otelcol-custody/custody/audit/cloudtrail"
	"github.com/otelcol-custody/custody/audit/entra"
	"github.com/otelcol-custody/custody/audit/gcp"
	"github.com/otelcol-custody/custody/audit/github"
	"github.com/otelcol-custody/custody/audit/kubernetes"
	"github.com/otelcol-custody/custody/audit/m365"
	"github.com/otelcol-custody/custody/audit/okta"
	"github.com/otelcol-custody/custody/audit/vault"
)

// parsers are those of all providers, by the names of their folders.
var parsers = map[string]audittest.Parse{
	"azure": azure.Parse, "cadf": cadf.Parse, "cloudtrail": cloudtrail.Parse, "entra": entra.Parse, "gcp": gcp.Parse,
	"github": github.Parse, "kubernetes": inCluster, "m365": m365.Parse, "okta": okta.Parse, "vault": vault.Parse,
}

// inCluster reads the log of a cluster, whose name whoever receives it knows.
func inCluster(data []byte, emit func(*audit.Record) error) (audit.Counts, error) {
	return kubernetes.ParseCluster("prod", data, emit)
}

// without are the folders of audit/ that hold no mapping of their own.
var without = []string{"audittest", "generic", "internal", "ocsf"}

func TestEveryParserIsHere(t *testing.T) {
	folders, err := os.ReadDir(filepath.Join(root, "audit"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range folders {
		if f.IsDir() && parsers[f.Name()] == nil && !slices.Contains(without, f.Name()) {
			t.Errorf("parsers lacks audit/%s", f.Name())
		}
	}
}

// providers are the folders of the parsers, in order.
func providers() []string { return slices.Sorted(maps.Keys(parsers)) }

// records are those of a provider's fixtures.
func records(t *testing.T, provider string) (all []audit.Record) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, "audit", provider, "testdata", "*.json*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%d fixtures of %s: %v", len(files), provider, err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, parsers[provider].Records(t, data)...)
	}
	return all
}
