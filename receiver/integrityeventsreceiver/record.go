package integrityeventsreceiver

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"

	"go.opentelemetry.io/collector/component"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/internal/integrity/incident"
)

const (
	// provider is where the events come from: this distribution.
	provider = "custody"
	service  = "integrity"

	// The OCSF class of detection findings.
	ocsfFinding = 2004
	ocsfVersion = "1.6.0"
)

// activities are what can happen to a finding, in OCSF's numbers: create, update,
// close.
var activities = map[incident.What]int64{incident.Opened: 1, incident.Updated: 2, incident.Acknowledged: 2, incident.Resolved: 3}

// record is an event as an audit record. Its body is the event itself, as JSON
// with the evidence.
func record(ext component.ID, e incident.Event) (*audit.Record, error) {
	body, err := json.Marshal(e)
	if err != nil {
		return nil, fmt.Errorf("encode event %d: %w", e.Seq, err)
	}
	sum, i := sha256.Sum256(body), e.Incident
	activity := activities[e.What]
	r := &audit.Record{
		Body: body, EventName: audit.EventFinding, Time: e.At,
		Resource: audit.Resource{Product: provider, Stream: service},
		Attributes: []audit.Attribute{
			audit.StringAttr(audit.AttrRecordID, audit.RecordIDOfHash(provider, ext.String(), fmt.Sprintf("%s/%d", i.ID, e.Seq), sum)),
			audit.StringAttr(audit.AttrOriginalID, i.ID),
			audit.StringAttr(audit.AttrRawHash, audit.RawHash(sum)),
			audit.IntAttr(audit.AttrRawSize, int64(len(body))),
			audit.StringAttr(audit.AttrAction, audit.ActionDetect),
			audit.StringAttr(audit.AttrOperation, string(e.What)),
			audit.StringAttr(audit.AttrService, service),
			audit.StringAttr(audit.AttrCategory, string(i.Kind)),
			audit.StringAttr(audit.AttrFindingSeverity, i.Severity.String()),
			audit.StringAttr(audit.AttrOutcome, audit.OutcomeUnknown),
			audit.StringAttr(audit.AttrOutcomeReason, i.Message),
			audit.IntAttr(audit.AttrOCSFClass, ocsfFinding),
			audit.IntAttr(audit.AttrOCSFActivity, activity),
			audit.IntAttr(audit.AttrOCSFType, ocsfFinding*100+activity),
			audit.StringAttr(audit.AttrOCSFVersion, ocsfVersion),
		},
	}
	r.Attributes = append(r.Attributes, target(i.Place)...)
	r.Attributes = append(r.Attributes, actor(ext, e)...)
	return r, nil
}

// actor is who found it, or the person who acknowledged it.
func actor(ext component.ID, e incident.Event) []audit.Attribute {
	if a := e.Incident.Acknowledged; e.What == incident.Acknowledged && a != nil {
		return []audit.Attribute{audit.StringAttr(audit.AttrActorID, a.Who), audit.StringAttr(audit.AttrActorType, audit.ActorUser)}
	}
	return []audit.Attribute{audit.StringAttr(audit.AttrActorID, ext.String()), audit.StringAttr(audit.AttrActorType, audit.ActorSystem)}
}

// target is what it was found in: the smallest thing that has a name.
func target(p incident.Place) []audit.Attribute {
	id, kind := p.Store, "store"
	switch {
	case p.Object != "":
		id, kind = joined(p.Store, p.Object), "object"
	case p.Log != "":
		id, kind = joined(p.Store, p.Log), "log"
	}
	if id == "" {
		return nil
	}
	attrs := []audit.Attribute{audit.StringAttr(audit.AttrTargetID, id), audit.StringAttr(audit.AttrTargetType, kind)}
	if p.Log != "" {
		attrs = append(attrs, audit.StringAttr(audit.AttrTargetName, p.Log))
	}
	return attrs
}

func joined(store, name string) string {
	if store == "" {
		return name
	}
	return store + "/" + name
}
