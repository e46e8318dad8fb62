package gcp

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/internal/draft"
	"github.com/otelcol-custody/custody/audit/internal/jsonscan"
)

// The four audit logs, and what they are called in a record.
//
// Source: https://cloud.google.com/logging/docs/audit#types
var categories = map[string]string{
	"activity": "admin_activity", "data_access": "data_access", "system_event": systemEvent, "policy": policyDenied,
}

const (
	systemEvent  = "system_event"
	policyDenied = "policy_denied"
)

const auditLogType = "type.googleapis.com/google.cloud.audit.AuditLog"

// An entry is one that is being mapped.
type entry struct {
	*jsonscan.Fields
	*draft.Draft
	category, service, method string
}

func mapEntry(f *jsonscan.Fields, d *draft.Draft) error {
	if err := check(f); err != nil {
		return err
	}
	parent, log := splitLogName(f.Str(fLogName))
	e := &entry{Fields: f, Draft: d, category: categories[log], service: f.Str(fService), method: f.Str(fMethod)}
	e.resource(parent, log)
	d.Identify("gcp", draft.First(parent, e.Str(fProject)), e.Str(fInsertID))
	e.setTime()
	d.Put(audit.AttrOperation, e.method)
	d.Put(audit.AttrService, e.service)
	d.Put(audit.AttrCategory, e.category)
	e.parts()
	e.actor()
	e.source()
	if e.isKubernetes() {
		e.kubernetes()
		return nil
	}
	d.Put(audit.AttrAPIVersion, version(e.method))
	c := e.classify()
	e.changes()
	e.targets(c)
	e.privileges(c)
	e.outcome(c)
	return nil
}

// check accepts audit logs alone. Some exports leave the payload's type out; then the
// log's name says it, or what only such a payload has.
func check(f *jsonscan.Fields) error {
	_, log := splitLogName(f.Str(fLogName))
	_, known := categories[log]
	switch {
	case f.Str(fType) == auditLogType:
		return nil
	case f.Str(fType) == "" && f.Has(fPayload) && (known || f.Has(fService) && f.Has(fMethod)):
		return nil
	case f.Has(fPayload):
		return fmt.Errorf("%w: its @type is %q", ErrNotAudit, f.Str(fType))
	case f.Has(fTextPayload):
		return fmt.Errorf("%w: it has a textPayload", ErrNotAudit)
	case f.Has(fJSONPayload):
		return fmt.Errorf("%w: it has a jsonPayload", ErrNotAudit)
	}
	return ErrNotEntry
}

// splitLogName takes a log's name apart: projects/p/logs/cloudaudit.googleapis.com%2Factivity.
func splitLogName(name string) (parent, log string) {
	parent, id, _ := strings.Cut(name, "/logs/")
	for _, slash := range [...]string{"%2F", "%2f", "/"} {
		if at := strings.LastIndex(id, slash); at >= 0 {
			id = id[at+len(slash):]
		}
	}
	return parent, id
}

// resource says whose log it is: a project's, or that of an organization, a folder or
// a billing account.
func (e *entry) resource(parent, log string) {
	kind, id, _ := strings.Cut(parent, "/")
	r := audit.Resource{Provider: format.Provider, Product: format.Product, AccountID: e.Str(fProject), OrgID: e.Str(fOrganization), Region: e.region(), Stream: log}
	switch kind {
	case "projects":
		r.AccountID = draft.First(r.AccountID, id)
	case "organizations":
		r.OrgID = draft.First(r.OrgID, id)
	case "folders", "billingAccounts":
		r.AccountID = draft.First(r.AccountID, parent)
	}
	e.Rec.Resource = r
}

func (e *entry) region() string {
	return regionOf(draft.First(e.Str(fCurrentLocations), e.Str(fLocation), e.Str(fRegion), e.Str(fZone)))
}

// regionOf takes the zone off: europe-west1-b.
func regionOf(location string) string {
	n := len(location)
	if n > 2 && location[n-2] == '-' && location[n-1] >= 'a' && location[n-1] <= 'z' && location[n-3] >= '0' && location[n-3] <= '9' {
		return location[:n-2]
	}
	return location
}

// setTime takes the entry's own time as it is. It may be a day ahead of what Google
// received it at, and is not put right, only told.
func (e *entry) setTime() {
	e.Time("timestamp", e.Str(fTimestamp))
	received, ok := draft.ParseTime(e.Str(fReceived))
	if ok && e.Rec.Time.After(received) {
		e.Warn("timestamp is later than receiveTimestamp: the source's clock is ahead")
	}
}

// parts says of what the entry is a part: of an operation that is logged when it begins
// and when it ends, or of an entry that was too large for one.
func (e *entry) parts() {
	operation, split := e.Str(fOperationID), e.Str(fSplitID)
	e.Put(audit.AttrCorrelationID, draft.First(operation, split))
	if e.isFirst() != e.isLast() {
		phase := "last"
		if e.isFirst() {
			phase = "first"
		}
		e.Put(audit.AttrPhase, phase)
	}
	if split != "" {
		index, _ := strconv.Atoi(e.Str(fSplitIndex)) // 0 is left out
		e.Warn(fmt.Sprintf("part %d of %s of the split entry %s", index+1, e.Str(fSplits), split))
	}
}

func (e *entry) isFirst() bool { is, _ := e.Bool(fOperationFirst); return is }
func (e *entry) isLast() bool  { is, _ := e.Bool(fOperationLast); return is }
