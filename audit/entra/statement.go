package entra

import (
	"strings"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/internal/draft"
)

// provisioned are the words for what was done to an account of another system.
var provisioned = map[string]string{
	"create": audit.ActionCreate, "update": audit.ActionUpdate, "delete": audit.ActionDelete,
	"disable": audit.ActionUpdate, "stageddelete": audit.ActionDelete, "read": audit.ActionRead,
}

// provisioning is what Entra ID did to accounts of other systems. What it skipped was
// not done; what came with a warning may have been.
// https://learn.microsoft.com/graph/api/resources/provisioningobjectsummary
func provisioning(e *event, d *draft.Draft, k kind) {
	d.Put(audit.AttrCategory, k.category)
	d.Put(audit.AttrOperation, draft.First(e.env(fOperation), "Provisioning activity"))
	action := draft.First(provisioned[strings.ToLower(draft.First(e.str(fProvisioned), e.str(fProvisionedOld)))], audit.ActionOther)
	d.ClassOf(audit.EventSystem, audit.ClassEntity, action, audit.APIActivity(action))
	result := draft.First(e.str(fProvisioning), e.env(fResultType))
	outcome := resultOutcome(result)
	d.Put(audit.AttrOutcome, outcome)
	if outcome != audit.OutcomeSuccess {
		d.Put(audit.AttrErrorType, e.str(fProvisioningCode))
		d.Put(audit.AttrOutcomeReason, draft.First(e.str(fProvisioningReason), e.env(fResultText), result))
	}
	ownStatement(d)
	name := e.str(fIdentityName)
	d.AddTarget(draft.Target{ID: draft.First(id(e.str(fIdentityID)), name), Type: strings.ToLower(e.str(fIdentityType)), Name: name})
	if d.Targets() == 0 {
		d.AddTarget(draft.Target{ID: e.tenant(), Type: "tenant"})
	}
	d.PutTargets()
}

// closed are the states of a risk that has been dealt with.
var closed = map[string]bool{"remediated": true, "dismissed": true, "confirmedsafe": true}

// finding is what Identity Protection says about a user or a sign-in.
func finding(e *event, d *draft.Draft, k kind) {
	d.Put(audit.AttrCategory, k.category)
	d.Put(audit.AttrOperation, draft.First(e.str(fActivity), e.env(fOperation)))
	activity := int64(audit.FindingCreate)
	if closed[strings.ToLower(e.str(fRiskState))] {
		activity = audit.FindingClose
	}
	d.Class(audit.ClassFinding, audit.ActionDetect, activity)
	d.Put(audit.AttrOutcome, audit.OutcomeSuccess)
	ownStatement(d)
	d.Put(audit.AttrFindingSeverity, e.str(fRiskLevel))
	d.Source(e.str(fIP)) // of the activity that was found
	if principal := id(e.str(fPrincipalID)); principal != "" {
		d.PutTarget(draft.Target{ID: principal, Type: "service_principal", Name: e.str(fPrincipalName)})
		return
	}
	// The id of a risky user is the user's.
	d.PutTarget(draft.Target{ID: draft.First(id(e.str(fUserID)), id(e.str(fID))), Type: "user", Name: e.str(fUserName)})
}

// ownStatement is who says so when Entra ID itself does.
func ownStatement(d *draft.Draft) {
	d.Put(audit.AttrService, aadiam)
	d.Put(audit.AttrActorID, aadiam)
	d.Put(audit.AttrActorType, audit.ActorSystem)
}
