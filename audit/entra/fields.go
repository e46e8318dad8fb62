package entra

import (
	"strings"

	"github.com/otelcol-custody/custody/audit/internal/draft"
	"github.com/otelcol-custody/custody/audit/internal/jsonscan"
)

// The fields that the mapping wants. Each is looked for twice: at the top, where
// Microsoft Graph has it, and below "properties", where the envelope does.
const (
	// Of the envelope, some of the payload, too.
	fTime = iota
	fCategory
	fOperation
	fVersion
	fResourceID
	fTenant
	fResultType
	fResultText
	fCallerIP
	fIdentity
	fProperties
	// Of both kinds of events.
	fID
	fCorrelation
	// Of sign-ins.
	fCreated
	fErrorCode
	fFailureReason
	fDetails
	fUserID
	fUserName
	fUserFullName
	fUserType
	fPrincipalID
	fPrincipalName
	fPrincipalKey
	fAppID
	fAppName
	fResourceName
	fResourcePrincipal
	fResourceTenant
	fHomeTenant
	fIP
	fCountry
	fCity
	fUserAgent
	fSession
	fTokenID
	fRequirement
	fIssuerType
	fIssuerName
	fEventTypes
	fInteractive
	fRiskLevel
	// Of audits.
	fActivityTime
	fActivity
	fOperationType
	fService
	fResult
	fReason
	fByID
	fByName
	fByFullName
	fByIP
	fByRoles
	fByAppID
	fByAppName
	fByPrincipalID
	fByPrincipalName
	fTargets
	fTargetID
	fTargetType
	fTargetName
	fTargetUser
	fChanges
	fChangePath
	fChangeOld
	fChangeNew
	fDetailKey
	fDetailValue
	// Of Entra ID's own statements.
	fRiskState
	fProvisioned
	fProvisionedOld
	fProvisioning
	fProvisioningCode
	fProvisioningReason
	fIdentityID
	fIdentityName
	fIdentityType
	numFields
)

var paths = [numFields]string{
	fTime: "time", fCategory: "category", fOperation: "operationName", fVersion: "operationVersion", fResourceID: "resourceId",
	fTenant: "tenantId", fResultType: "resultType", fResultText: "resultDescription", fCallerIP: "callerIpAddress",
	fIdentity: "identity", fProperties: "properties",
	fID: "id", fCorrelation: "correlationId",
	fCreated: "createdDateTime", fErrorCode: "status.errorCode", fFailureReason: "status.failureReason", fDetails: "status.additionalDetails",
	fUserID: "userId", fUserName: "userPrincipalName", fUserFullName: "userDisplayName", fUserType: "userType",
	fPrincipalID: "servicePrincipalId", fPrincipalName: "servicePrincipalName", fPrincipalKey: "servicePrincipalCredentialKeyId",
	fAppID: "appId", fAppName: "appDisplayName", fResourceName: "resourceDisplayName", fResourcePrincipal: "resourceServicePrincipalId",
	fResourceTenant: "resourceTenantId", fHomeTenant: "homeTenantId", fIP: "ipAddress",
	fCountry: "location.countryOrRegion", fCity: "location.city", fUserAgent: "userAgent", fSession: "sessionId",
	fTokenID: "uniqueTokenIdentifier", fRequirement: "authenticationRequirement", fIssuerType: "tokenIssuerType", fIssuerName: "tokenIssuerName",
	fEventTypes: "signInEventTypes[]", fInteractive: "isInteractive", fRiskLevel: "riskLevel",
	fActivityTime: "activityDateTime", fActivity: "activityDisplayName", fOperationType: "operationType", fService: "loggedByService",
	fResult: "result", fReason: "resultReason",
	fByID: "initiatedBy.user.id", fByName: "initiatedBy.user.userPrincipalName", fByFullName: "initiatedBy.user.displayName",
	fByIP: "initiatedBy.user.ipAddress", fByRoles: "initiatedBy.user.roles[]",
	fByAppID: "initiatedBy.app.appId", fByAppName: "initiatedBy.app.displayName",
	fByPrincipalID: "initiatedBy.app.servicePrincipalId", fByPrincipalName: "initiatedBy.app.servicePrincipalName",
	fTargets: "targetResources[]", fTargetID: "targetResources[].id", fTargetType: "targetResources[].type",
	fTargetName: "targetResources[].displayName", fTargetUser: "targetResources[].userPrincipalName",
	fChanges: "targetResources[].modifiedProperties[]", fChangePath: "targetResources[].modifiedProperties[].displayName",
	fChangeOld: "targetResources[].modifiedProperties[].oldValue", fChangeNew: "targetResources[].modifiedProperties[].newValue",
	fDetailKey: "additionalDetails[].key", fDetailValue: "additionalDetails[].value",
	fRiskState: "riskState", fProvisioned: "provisioningAction", fProvisionedOld: "action", fProvisioning: "provisioningStatusInfo.status",
	fProvisioningCode: "provisioningStatusInfo.errorInformation.errorCode", fProvisioningReason: "provisioningStatusInfo.errorInformation.reason",
	fIdentityID: "targetIdentity.id", fIdentityName: "targetIdentity.displayName", fIdentityType: "targetIdentity.identityType",
}

var table = func() *jsonscan.Table {
	all := paths[:]
	for _, path := range paths {
		all = append(all, "properties."+path)
	}
	return jsonscan.NewTable(all)
}()

// An event is what was delivered, and the payload in it.
type event struct {
	outer *jsonscan.Fields // nil for Microsoft Graph, which has no envelope
	*jsonscan.Fields
	base  int    // where the fields of the payload begin
	given string // the tenant that the caller names
}

// open finds the payload: below properties, in them as a string, or at the top.
func open(f *jsonscan.Fields) (e event, readable bool) {
	switch f.Kind(fProperties) {
	case jsonscan.Object:
		return event{outer: f, Fields: f, base: numFields}, true
	case jsonscan.Text, jsonscan.Escaped:
		text := f.Str(fProperties)
		if inner, err := jsonscan.Of(text, table); err == nil {
			return event{outer: f, Fields: inner, base: 0}, true
		}
		return event{outer: f, Fields: f, base: numFields}, false
	}
	if f.Has(fCategory) && f.Has(fTime) {
		return event{outer: f, Fields: f, base: numFields}, true
	}
	return event{Fields: f}, true
}

// str is a field of the payload.
func (e *event) str(field int) string { return e.Str(e.base + field) }

// env is a field of the envelope.
func (e *event) env(field int) string {
	if e.outer == nil {
		return ""
	}
	return e.outer.Str(field)
}

// tenant is that whose log it is: resourceId is /tenants/ID/providers/Microsoft.aadiam.
func (e *event) tenant() string {
	ofResource := ""
	parts := strings.Split(e.env(fResourceID), "/")
	if len(parts) > 2 && strings.EqualFold(parts[1], "tenants") {
		ofResource = parts[2]
	}
	return strings.ToLower(draft.First(e.env(fTenant), ofResource, e.str(fTenant), e.given, e.signInTenant()))
}

// signInTenant is the tenant of both the user and the resource. The sign-in of a guest
// is in the logs of two tenants, and does not say in whose this one is.
func (e *event) signInTenant() string {
	resource, home := e.str(fResourceTenant), e.str(fHomeTenant)
	if home != "" && !strings.EqualFold(home, resource) {
		return ""
	}
	return resource
}
