package gcp

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/audittest"
)

// TestSamples reads real entries where there are some.
func TestSamples(t *testing.T) {
	for _, folder := range []string{"gcp_audit", "gcp_envelopes"} {
		var whole, pieces []audit.Record
		for path, data := range audittest.Samples(t, folder) {
			if strings.HasSuffix(path, ".ndjson") {
				pieces = append(pieces, ofRules(t, data)...)
			} else {
				whole = append(whole, parse.Records(t, data)...)
			}
		}
		t.Logf("%s: entries", folder)
		audittest.LogShares(t, whole)
		t.Logf("%s: pieces of entries", folder)
		audittest.LogShares(t, pieces)
	}
}

// ofRules reads what tests of detection rules are fed with: an entry each in a member
// event, often only a piece of one. Its keys were changed, and are put right here.
func ofRules(t *testing.T, data []byte) (all []audit.Record) {
	keys := strings.NewReplacer(`"at_sign_type"`, `"@type"`, `"at_type"`, `"@type"`, `"callerIP"`, `"callerIp"`, `"protopayload"`, `"protoPayload"`,
		`"logname"`, `"logName"`, `"insertid"`, `"insertId"`, `"receivetimestamp"`, `"receiveTimestamp"`)
	for line := range strings.Lines(string(data)) {
		var test struct{ Event json.RawMessage }
		if err := json.Unmarshal([]byte(line), &test); err != nil {
			t.Fatal(err)
		}
		all = append(all, parse.Records(t, []byte(keys.Replace(string(test.Event))))...)
	}
	return all
}
