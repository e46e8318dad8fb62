package integrityextension

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otelcol-custody/custody/internal/integrity/incident"
)

// trouble is an incident that is open, with what it says now.
func trouble(id, says string, severity incident.Severity) incident.Incident {
	return incident.Incident{ID: id, Severity: severity, Opened: time.Unix(1, 0), Latest: says,
		Finding: incident.Finding{Kind: incident.Unread, Message: "at first", Place: incident.Place{Store: "s"}}}
}

// The log says after a start what is open from before, the worst first, and
// another reason once.
func TestLogSaysWhatIsOpen(t *testing.T) {
	core, logs := observer.New(zap.InfoLevel)
	h := newHealth(zap.New(core))
	said := func() (all []string) {
		for _, e := range logs.TakeAll() {
			all = append(all, e.Message)
		}
		return all
	}
	h.begin(newHost(), []incident.Incident{trouble("1", "", incident.Trouble), trouble("2", "now", incident.Tampering)})
	require.Equal(t, []string{"incidents are open from before", "open from before: now", "open from before: at first"}, said())
	for range 2 {
		h.happened(incident.Event{What: incident.Updated, Incident: trouble("1", "the certificate has expired", incident.Trouble)})
		h.happened(incident.Event{What: incident.Updated, Incident: trouble("2", "and now", incident.Tampering)})
	}
	require.Equal(t, []string{"the certificate has expired"}, said())

	var many []incident.Incident
	for i := range 500 {
		many = append(many, trouble(fmt.Sprint(i), "", incident.Trouble))
	}
	h = newHealth(zap.New(core))
	h.begin(newHost(), many)
	require.Len(t, said(), 1+maxBefore)
}

// A line names what the incident has of a place, and nothing empty.
func TestLogNamesThePlace(t *testing.T) {
	core, logs := observer.New(zap.InfoLevel)
	newHealth(zap.New(core)).happened(incident.Event{What: incident.Opened, Incident: trouble("1", "", incident.Trouble)})
	require.Equal(t, map[string]any{"incident": "1", "kind": "unread", "severity": "trouble", "store": "s"}, logs.All()[0].ContextMap())
}
