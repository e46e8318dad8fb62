package cadf

import (
	"strings"
	"testing"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/audittest"
)

// A service may write its notifications to its own log: what precedes them on their lines
// is no part of them, and other lines are kept as they are.
func TestLogLines(t *testing.T) {
	const (
		head  = "2025-11-23 08:00:00.123 52 INFO oslo.messaging.notification.audit.http.request [None req-1 ada shop - - default default] "
		other = "2025-11-23 08:00:00.200 52 INFO nova.osapi_compute.wsgi.server [None req-1] 192.0.2.7 \"GET /v2.1/servers HTTP/1.1\" status: 200\n"
	)
	notification := `{"message_id": "m", "publisher_id": "nova", "event_type": "audit.http.request", "priority": "INFO", "payload": ` +
		having(`, "action": "read", "outcome": "pending"`) + `, "timestamp": "2025-11-23 08:00:00.100000"}`
	for _, line := range []string{head + notification, "AUDIT:" + notification, "[wsgi] " + head + notification} {
		records := parse.Records(t, []byte(other+line+"\n"+other+line+"\n"+line))
		if len(records) != 5 {
			t.Fatalf("%q: %d records, want 5", line, len(records))
		}
		for i, r := range records {
			isEvent := i != 0 && i != 2
			if want := map[bool]string{true: notification, false: other}[isEvent]; r.Quarantined == isEvent || string(r.Body) != want {
				t.Errorf("record %d is %q, want %q", i, r.Body, want)
			}
		}
		audittest.Check(t, records[1], audit.AttrPhase, "audit.http.request", audit.AttrOutcome, "unknown", audit.AttrOperation, "read")
	}
}

// Without oslo.messaging the middleware writes Python and no JSON: such a line is one
// record, as it is.
func TestPythonLines(t *testing.T) {
	for _, context := range []string{"{}", "None", "{'a': {}}", `{"a": 1}`} {
		line := "2025-11-23 08:00:00.123 52 INFO keystonemiddleware.audit [-] Event type: audit.http.request, Context: " + context + ", Payload: {'action': 'read', 'id': 'x'}\n"
		records := parse.Records(t, []byte(line+line+strings.TrimSpace(line)))
		if len(records) != 3 {
			t.Fatalf("%s: %d records, want 3: %q", context, len(records), records[0].Body)
		}
		for i, r := range records {
			if !r.Quarantined || strings.TrimSpace(string(r.Body)) != strings.TrimSpace(line) {
				t.Errorf("%s: record %d is %q", context, i, r.Body)
			}
		}
	}
}
