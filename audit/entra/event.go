package entra

import (
	"strings"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/internal/draft"
	"github.com/otelcol-custody/custody/audit/internal/jsonscan"
)

// A kind is what an event is.
type kind struct {
	stream   string // the category of the diagnostic setting
	category string // audit.category
	shape    shape
	actor    string // audit.actor.type.original of a sign-in that is no user's
}

// A shape is what the payloads of a kind look like.
type shape int

const (
	ofSignIn shape = iota
	ofAudit
	ofProvisioning
	ofRisk
)

// principal is the kind of an actor that signs in as itself.
const principal = "ServicePrincipal"

var (
	interactive      = kind{"SignInLogs", "signin", ofSignIn, ""}
	nonInteractive   = kind{"NonInteractiveUserSignInLogs", "signin_non_interactive", ofSignIn, ""}
	servicePrincipal = kind{"ServicePrincipalSignInLogs", "signin_service_principal", ofSignIn, principal}
	managedIdentity  = kind{"ManagedIdentitySignInLogs", "signin_managed_identity", ofSignIn, "ManagedIdentity"}
	directory        = kind{"AuditLogs", "audit", ofAudit, ""}
)

// kinds are the categories of a diagnostic setting.
// https://learn.microsoft.com/entra/identity/monitoring-health/concept-diagnostic-settings-logs-options
var kinds = map[string]kind{
	"SignInLogs":                          interactive,
	"NonInteractiveUserSignInLogs":        nonInteractive,
	"ServicePrincipalSignInLogs":          servicePrincipal,
	"ManagedIdentitySignInLogs":           managedIdentity,
	"AuditLogs":                           directory,
	"ADFSSignInLogs":                      {"ADFSSignInLogs", "signin_adfs", ofSignIn, ""},
	"MicrosoftServicePrincipalSignInLogs": {"MicrosoftServicePrincipalSignInLogs", "signin_microsoft_service_principal", ofSignIn, principal},
	"ProvisioningLogs":                    {"ProvisioningLogs", "provisioning", ofProvisioning, ""},
	"RiskyUsers":                          {"RiskyUsers", "risk", ofRisk, ""},
	"UserRiskEvents":                      {"UserRiskEvents", "risk", ofRisk, ""},
	"RiskyServicePrincipals":              {"RiskyServicePrincipals", "risk", ofRisk, ""},
	"ServicePrincipalRiskEvents":          {"ServicePrincipalRiskEvents", "risk", ofRisk, ""},
}

// Is reports whether the events of a diagnostic setting's category are Entra ID's.
func Is(category string) bool {
	_, ok := kinds[category]
	return ok
}

// kind tells what an event is: by its category, or by what only one kind has.
func (e *event) kind() (kind, bool) {
	if k, ok := kinds[e.env(fCategory)]; ok {
		return k, true
	}
	switch {
	case e.str(fActivity) != "", e.str(fService) != "":
		return directory, true
	case e.outer != nil || e.str(fCreated) == "" || !e.Has(fErrorCode) && e.str(fAppID) == "":
		return kind{}, false
	}
	return graphSignIn(e), true
}

// graphSignIn tells the kinds of sign-ins apart. Version 1.0 of Graph lists those of
// users only.
func graphSignIn(e *event) kind {
	switch types := strings.Join(e.Strs(e.base+fEventTypes), " "); {
	case strings.Contains(types, "managedIdentity"):
		return managedIdentity
	case strings.Contains(types, "servicePrincipal"):
		return servicePrincipal
	case strings.Contains(types, "nonInteractiveUser"), e.str(fInteractive) == "false":
		return nonInteractive
	}
	return interactive
}

func mapEvent(f *jsonscan.Fields, d *draft.Draft) error {
	e, readable := open(f)
	k, ok := e.kind()
	if !ok {
		return ErrNotEvent
	}
	if !readable {
		d.Fault("properties: a string that is not JSON")
	}
	tenant := e.tenant()
	d.Rec.Resource = audit.Resource{Provider: provider, Product: Product, OrgID: tenant, Stream: k.stream}
	d.Identify(provider, tenant, e.str(fID))
	d.TimeUTC("time", draft.First(e.str(fActivityTime), e.str(fCreated), e.env(fTime)))
	d.Put(audit.AttrCorrelationID, draft.First(e.str(fCorrelation), e.env(fCorrelation)))
	d.Put(audit.AttrAPIVersion, e.env(fVersion))
	switch k.shape {
	case ofSignIn:
		signIn(&e, d, k)
	case ofAudit:
		directoryAudit(&e, d, k)
	case ofProvisioning:
		provisioning(&e, d, k)
	case ofRisk:
		finding(&e, d, k)
	}
	return nil
}

// provisioning is what Entra ID did to accounts of other systems.
func provisioning(e *event, d *draft.Draft, k kind) {
	operation := e.env(fOperation)
	d.Put(audit.AttrCategory, k.category)
	d.Put(audit.AttrOperation, operation)
	d.ClassOf(audit.EventSystem, audit.ClassEntity, audit.ActionUpdate, audit.APIUpdate)
	d.Put(audit.AttrOutcome, resultOutcome(e.env(fResultType)))
	ownStatement(d)
	d.PutTarget(draft.Target{ID: e.tenant(), Type: "tenant"})
}

// finding is what Identity Protection says about a user or a sign-in.
func finding(e *event, d *draft.Draft, k kind) {
	d.Put(audit.AttrCategory, k.category)
	d.Put(audit.AttrOperation, draft.First(e.str(fActivity), e.env(fOperation)))
	d.Class(audit.ClassFinding, audit.ActionDetect, audit.FindingCreate)
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

// aadiam is the resource provider that all logs of Entra ID come from.
const aadiam = "Microsoft.aadiam"

// id drops the id of nobody, which stands for what Entra ID does not know.
func id(text string) string {
	if strings.Trim(text, "0-") == "" {
		return ""
	}
	return text
}
