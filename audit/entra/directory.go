package entra

import (
	"strings"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/internal/draft"
	"github.com/otelcol-custody/custody/audit/internal/jsonscan"
)

// directoryAudit maps a change in the directory.
func directoryAudit(e *event, d *draft.Draft, k kind) {
	activity := draft.First(e.str(fActivity), e.env(fOperation))
	category := e.str(fCategory)
	if category == "" && !Is(e.env(fCategory)) {
		category = e.env(fCategory)
	}
	d.Put(audit.AttrCategory, draft.First(strings.ToLower(category), k.category))
	d.Put(audit.AttrOperation, activity)
	d.Put(audit.AttrService, draft.First(e.str(fService), aadiam))
	d.Put(audit.AttrRequestID, draft.First(e.str(fID), e.env(fCorrelation)))
	classify(activity, e.str(fOperationType), d)
	e.auditOutcome(d)
	e.auditActor(d)
	d.Source(draft.First(e.str(fByIP), e.env(fCallerIP)))
	d.Put(audit.AttrUserAgent, e.detail("User-Agent"))
	e.auditTargets(d)
	changes := e.changes()
	d.PutMaps(audit.AttrChanges, changes)
	if d.Rec.EventName == audit.EventUserAccess {
		d.PutList(audit.AttrPrivileges, e.privileges(activity, changes)...)
	}
}

func (e *event) auditOutcome(d *draft.Draft) {
	result := draft.First(e.str(fResult), e.env(fResult), e.env(fResultType))
	outcome := resultOutcome(result)
	d.Put(audit.AttrOutcome, outcome)
	if outcome != audit.OutcomeSuccess {
		if result == "timeout" {
			d.Put(audit.AttrErrorType, result)
		}
		d.Put(audit.AttrOutcomeReason, draft.First(e.str(fReason), e.env(fResultText)))
	}
}

// resultOutcome reads a result in words. What timed out may have been done or not.
func resultOutcome(result string) string {
	switch strings.ToLower(result) {
	case "success", "succeeded":
		return audit.OutcomeSuccess
	case "failure", "failed":
		return audit.OutcomeFailure
	}
	return audit.OutcomeUnknown
}

// auditActor is the user or the app that began it. A user through an app has both.
func (e *event) auditActor(d *draft.Draft) {
	user := draft.First(id(e.str(fByID)), e.str(fByName), e.str(fByFullName))
	app := draft.First(id(e.str(fByPrincipalID)), id(e.str(fByAppID)), e.str(fByPrincipalName), e.str(fByAppName))
	switch {
	case user != "":
		d.Put(audit.AttrActorID, user)
		d.Put(audit.AttrActorType, audit.ActorUser)
		d.Put(audit.AttrUserID, id(e.str(fByID)))
		d.Put(audit.AttrUserName, e.str(fByName))
		d.Put(audit.AttrUserFullName, e.str(fByFullName))
		d.PutList(audit.AttrUserRoles, e.Strs(e.base+fByRoles)...)
	case app != "":
		d.Put(audit.AttrActorID, app)
		d.Put(audit.AttrActorType, audit.ActorService)
		d.Put(audit.AttrUserID, id(e.str(fByPrincipalID)))
		d.Put(audit.AttrUserName, draft.First(e.str(fByPrincipalName), e.str(fByAppName)))
	default:
		// Nobody is named: the service itself, such as a clean-up on schedule.
		d.Put(audit.AttrActorID, draft.First(e.str(fService), aadiam))
		d.Put(audit.AttrActorType, audit.ActorSystem)
	}
	d.Put(audit.AttrActorAppID, id(e.str(fByAppID)))
	d.Put(audit.AttrActorAppName, e.str(fByAppName))
}

// detail is one of the pairs in additionalDetails.
func (e *event) detail(key string) string {
	for _, sp := range e.All(e.base + fDetailKey) {
		if e.Of(sp) == key {
			return e.StrAt(e.base+fDetailValue, sp.Element)
		}
	}
	return ""
}

// auditTargets are the target resources in their order; the tenant where none is
// named, since then its settings are.
func (e *event) auditTargets(d *draft.Draft) {
	for i := range e.Elements(e.base + fTargets) {
		at := func(field int) string { return e.StrAt(e.base+field, i) }
		name := draft.First(at(fTargetUser), at(fTargetName))
		d.AddTarget(draft.Target{ID: draft.First(id(at(fTargetID)), name), Type: strings.ToLower(at(fTargetType)), Name: name})
	}
	if d.Targets() == 0 && strings.EqualFold(draft.First(e.str(fActivity), e.env(fOperation)), elevation) {
		d.AddTarget(draft.Target{ID: id(e.str(fByID)), Type: "user", Name: e.str(fByName)}) // Whoever asks gets it.
	}
	if d.Targets() == 0 {
		d.AddTarget(draft.Target{ID: e.tenant(), Type: "tenant"})
	}
	d.PutTargets()
}

// changes are the modified properties of all targets. Their values are JSON in a
// string; one that is a string in JSON is taken out of it. A side that is not there
// is left out.
func (e *event) changes() (all [][]audit.Attribute) {
	var next [3]int // of the spans of path, old and new
	for _, change := range e.All(e.base + fChanges) {
		var attrs []audit.Attribute
		for i, side := range [...]struct {
			key   string
			field int
		}{{"path", fChangePath}, {"old", fChangeOld}, {"new", fChangeNew}} {
			spans := e.All(e.base + side.field)
			for next[i] < len(spans) && spans[next[i]].Start < change.Start {
				next[i]++
			}
			if next[i] == len(spans) || spans[next[i]].Start > change.End {
				continue
			}
			value := e.Of(spans[next[i]])
			if side.field != fChangePath {
				value = jsonscan.Unquote(value)
			}
			if value != "" && value != "null" {
				attrs = append(attrs, audit.StringAttr(side.key, value))
			}
		}
		if len(attrs) > 0 {
			all = append(all, attrs)
		}
	}
	return all
}
