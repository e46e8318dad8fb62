package cloudtrail

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/otelcol-custody/custody/audit"
)

// parse returns copies of all records of data, and checks what holds for
// every record whatever the input.
func parse(t testing.TB, data []byte) []audit.Record {
	t.Helper()
	var out []audit.Record
	at := 0
	counts, err := Parse(data, func(r *audit.Record) error {
		at = checkRecord(t, data, at, r)
		out = append(out, clone(r))
		return nil
	})
	if err != nil {
		t.Fatalf("Parse: %v", err)
	}
	checkCounts(t, counts, out)
	return out
}

// checkRecord checks one record and returns where its body ends: it must lie
// in data, not before position at.
func checkRecord(t testing.TB, data []byte, at int, r *audit.Record) int {
	t.Helper()
	if !audit.IsEventName(r.EventName) {
		t.Errorf("event name %q is not in the closed set", r.EventName)
	}
	seen := map[string]bool{}
	for _, a := range r.Attributes {
		if seen[a.Key] {
			t.Errorf("attribute %s occurs twice", a.Key)
		}
		seen[a.Key] = true
	}
	if want := audit.OutcomeUnknown; r.Quarantined && text(r, audit.AttrOutcome) != want {
		t.Errorf("quarantined with outcome %q", text(r, audit.AttrOutcome))
	}
	// A sub-slice shares its end with data's: the capacities differ by the offset.
	for ; at <= len(data)-len(r.Body); at++ {
		if len(r.Body) == 0 || &data[at] == &r.Body[0] {
			return at + len(r.Body)
		}
	}
	t.Fatalf("body is not in the input, or out of order: %q", r.Body)
	return 0
}

func checkCounts(t testing.TB, counts audit.Counts, records []audit.Record) {
	t.Helper()
	var want audit.Counts
	for i := range records {
		want.Events++
		if records[i].Quarantined {
			want.Quarantined++
		}
		if v, ok := records[i].Get(audit.AttrTruncated); ok && v.Bool {
			want.Truncated++
		}
	}
	if counts != want {
		t.Errorf("counts %+v, emitted %+v", counts, want)
	}
}

// clone copies what the parser reuses.
func clone(r *audit.Record) audit.Record {
	c := *r
	c.Attributes = slices.Clone(r.Attributes)
	for i := range c.Attributes {
		v := &c.Attributes[i].Value
		v.Strs = slices.Clone(v.Strs)
		v.Maps = slices.Clone(v.Maps)
		for j := range v.Maps {
			v.Maps[j] = slices.Clone(v.Maps[j])
		}
	}
	return c
}

// text returns an attribute in a form that tests can compare, "" if absent.
func text(r *audit.Record, key string) string {
	v, ok := r.Get(key)
	if !ok {
		return ""
	}
	switch v.Kind {
	case audit.String:
		return v.Str
	case audit.Int:
		return fmt.Sprint(v.Int)
	case audit.Bool:
		return fmt.Sprint(v.Bool)
	case audit.Strings:
		return strings.Join(v.Strs, " | ")
	}
	var maps []string
	for _, m := range v.Maps {
		var fields []string
		for _, a := range m {
			fields = append(fields, a.Key+"="+a.Value.Str)
		}
		maps = append(maps, strings.Join(fields, " "))
	}
	return strings.Join(maps, " | ")
}

// one parses a file with one event and returns it.
func one(t testing.TB, data string) audit.Record {
	t.Helper()
	records := parse(t, []byte(data))
	if len(records) != 1 {
		t.Fatalf("%d records, want 1", len(records))
	}
	return records[0]
}

// want is a list of key and value pairs; "" wants the attribute absent.
func check(t testing.TB, r audit.Record, want ...string) {
	t.Helper()
	for i := 0; i < len(want); i += 2 {
		if got := text(&r, want[i]); got != want[i+1] {
			t.Errorf("%s = %q, want %q", want[i], got, want[i+1])
		}
	}
}

// container wraps events as CloudTrail does.
func container(events ...string) string {
	return `{"Records":[` + strings.Join(events, ",") + `]}`
}

// generated returns a file of n events of about 1.2 KB, all different.
func generated(n int) []byte {
	var b bytes.Buffer
	b.WriteString(`{"Records":[`)
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, typicalEvent, i%60, i, i)
	}
	b.WriteString(`]}`)
	return b.Bytes()
}

const typicalEvent = `{"eventVersion":"1.11","userIdentity":{"type":"AssumedRole","principalId":"AROAEXAMPLEEXAMPLE001:deploy",` +
	`"arn":"arn:aws:sts::111122223333:assumed-role/Deployer/deploy","accountId":"111122223333","accessKeyId":"ASIAIOSFODNN7EXAMPLE",` +
	`"sessionContext":{"sessionIssuer":{"type":"Role","principalId":"AROAEXAMPLEEXAMPLE001","arn":"arn:aws:iam::111122223333:role/Deployer",` +
	`"accountId":"111122223333","userName":"Deployer"},"attributes":{"creationDate":"2026-11-20T08:00:00Z","mfaAuthenticated":"false"}}},` +
	`"eventTime":"2026-11-20T09:00:%02dZ","eventSource":"kms.amazonaws.com","eventName":"Decrypt","awsRegion":"eu-central-1",` +
	`"sourceIPAddress":"198.51.100.7","userAgent":"aws-sdk-go-v2/1.40.0 os/linux lang/go#1.26.8",` +
	`"requestParameters":{"encryptionAlgorithm":"SYMMETRIC_DEFAULT","keyId":"1234abcd-12ab-34cd-56ef-1234567890ab"},"responseElements":null,` +
	`"requestID":"aaaaaaaa-0000-4000-8000-%012d","eventID":"bbbbbbbb-0000-4000-8000-%012d","readOnly":true,` +
	`"resources":[{"accountId":"111122223333","type":"AWS::KMS::Key","ARN":"arn:aws:kms:eu-central-1:111122223333:key/1234abcd"}],` +
	`"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"111122223333","eventCategory":"Management",` +
	`"tlsDetails":{"tlsVersion":"TLSv1.3","cipherSuite":"TLS_AES_128_GCM_SHA256","clientProvidedHostHeader":"kms.eu-central-1.amazonaws.com"}}`
