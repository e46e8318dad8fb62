package ocsf_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
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
	"github.com/otelcol-custody/custody/audit/ocsf"
	"github.com/otelcol-custody/custody/audit/okta"
	"github.com/otelcol-custody/custody/audit/vault"
)

// providers are all parsers, by their folders, with where their samples lie.
var providers = map[string]struct {
	parse   audittest.Parse
	samples string
}{
	"azure":      {azure.Parse, "azure_activity"},
	"cadf":       {cadf.Parse, "openstack_cadf"},
	"cloudtrail": {cloudtrail.Parse, "aws_cloudtrail"},
	"entra":      {entra.Parse, "azure_entra_signin"},
	"gcp":        {gcp.Parse, "gcp_audit"},
	"github":     {github.Parse, ""},
	"kubernetes": {kubernetes.Parse, "kubernetes_audit"},
	"m365":       {m365.Parse, ""},
	"okta":       {okta.Parse, ""},
	"vault":      {vault.Parse, ""},
}

// Every record of every provider's fixtures is a valid event with nothing lost.
func TestFixtures(t *testing.T) {
	r := newRenderer(t)
	parsers, err := filepath.Glob("../*/parse.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, parser := range parsers {
		folder := filepath.Dir(parser)
		name := filepath.Base(folder)
		t.Run(name, func(t *testing.T) {
			p, ok := providers[name]
			if !ok {
				t.Fatalf("audit/%s has a parser: add it to providers", name)
			}
			for _, file := range fixtures(t, filepath.Join(folder, "testdata")) {
				data, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				for _, rec := range p.parse.Records(t, data) {
					one := ocsf.Record{Record: rec}
					checkFixture(t, file, render(t, r, &one), &one)
				}
			}
		})
	}
}

func fixtures(t *testing.T, folder string) (files []string) {
	t.Helper()
	for _, pattern := range []string{"*.json", "*.jsonl"} {
		found, err := filepath.Glob(filepath.Join(folder, pattern))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	if len(files) == 0 {
		t.Fatalf("no fixtures in %s", folder)
	}
	return files
}

// checkFixture demands that nothing is lost, and that the class is the record's.
func checkFixture(t *testing.T, file string, line []byte, rec *ocsf.Record) {
	t.Helper()
	checkLossless(t, line, rec)
	want := audittest.Text(&rec.Record, audit.AttrOCSFClass)
	if want == "" {
		want = "0"
	}
	check(t, line, "class_uid", want)
	if t.Failed() {
		t.Fatalf("in %s", file)
	}
}

// TestSamples renders real events, which are no part of the project, and logs how many
// answers the events give.
func TestSamples(t *testing.T) {
	r := newRenderer(t)
	for name, p := range providers {
		if p.samples == "" {
			continue
		}
		count := map[string]int{}
		for _, data := range audittest.Samples(t, p.samples) {
			_, err := p.parse(unwrapped(data), func(rec *audit.Record) error {
				one := ocsf.Record{Record: *rec}
				line := render(t, r, &one)
				count["events"]++
				count["class "+member(t, line, "class_uid")]++
				for _, path := range []string{"actor/user/name", "user/name", "src_endpoint/name", "privileges/0", "group/name", "entity/name", "api/operation"} {
					if member(t, line, path) == "Unknown" {
						count[path+" unknown"]++
					}
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		t.Logf("%s: %v", name, count)
	}
}

// unwrapped takes the events out of lines that hold one each as the member "event".
func unwrapped(data []byte) (events []byte) {
	for line := range bytes.Lines(data) {
		var wrapped struct{ Event json.RawMessage }
		if json.Unmarshal(line, &wrapped) != nil || wrapped.Event == nil {
			return data
		}
		events = append(append(events, wrapped.Event...), '\n')
	}
	return events
}
