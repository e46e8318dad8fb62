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
	provisioningLog  = kind{"ProvisioningLogs", "provisioning", ofProvisioning, ""}
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
	"ProvisioningLogs":                    provisioningLog,
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
	case e.str(fProvisioned) != "":
		return provisioningLog, true
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

func mapEvent(given string, f *jsonscan.Fields, d *draft.Draft) error {
	e, readable := open(f)
	e.given = given
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

// aadiam is the resource provider that all logs of Entra ID come from.
const aadiam = "Microsoft.aadiam"

// id drops the id of nobody, which stands for what Entra ID does not know.
func id(text string) string {
	if strings.Trim(text, "0-") == "" {
		return ""
	}
	return text
}
