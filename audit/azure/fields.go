package azure

import "github.com/otelcol-custody/custody/audit/internal/jsonscan"

// The fields that the mapping wants, of the envelope and of the REST API. Those of
// claims and properties are below, since they lie in several places.
const (
	fTime = iota
	fTimestamp
	fEventID
	fOperation
	fOperationValue
	fVersion
	fCategory
	fCategoryValue
	fResourceID
	fResourceType
	fTenant
	fLocation
	fResultType
	fStatusValue
	fSignature
	fSubStatus
	fDescription
	fStatusCode
	fCorrelation
	fOperationID
	fCallerIP
	fClientIP
	fClientRequest
	fMethod
	fURI
	fCaller
	fIdentity
	fRole
	fRoleREST
	fScope
	fScopeREST
	fPrincipalID
	fPrincipalType
	fProperties
	// What tells Entra ID's events.
	fDirectoryActivity
	fDirectoryService
	fGraphActivity
	fGraphCreated
	fGraphProvisioned
	fClaims // the first of the claims
)

var paths = [fClaims]string{
	fTime: "time", fTimestamp: "eventTimestamp", fEventID: "eventDataId",
	fOperation: "operationName", fOperationValue: "operationName.value", fVersion: "operationVersion",
	fCategory: "category", fCategoryValue: "category.value",
	fResourceID: "resourceId", fResourceType: "resourceType.value", fTenant: "tenantId", fLocation: "location",
	fResultType: "resultType", fStatusValue: "status.value", fSignature: "resultSignature", fSubStatus: "subStatus.value",
	fDescription: "resultDescription", fStatusCode: "statusCode", fCorrelation: "correlationId", fOperationID: "operationId",
	fCallerIP: "callerIpAddress", fClientIP: "httpRequest.clientIpAddress", fClientRequest: "httpRequest.clientRequestId",
	fMethod: "httpRequest.method", fURI: "httpRequest.uri", fCaller: "caller", fIdentity: "identity",
	fRole: "identity.authorization.evidence.role", fRoleREST: "authorization.role",
	fScope: "identity.authorization.scope", fScopeREST: "authorization.scope",
	fPrincipalID: "identity.authorization.evidence.principalId", fPrincipalType: "identity.authorization.evidence.principalType",
	fProperties:        "properties",
	fDirectoryActivity: "properties.activityDisplayName", fDirectoryService: "properties.loggedByService",
	fGraphActivity: "activityDisplayName", fGraphCreated: "createdDateTime", fGraphProvisioned: "provisioningAction",
}

// The claims of the caller's token.
const (
	cObjectID = iota
	cObjectIDShort
	cUPN
	cUPNShort
	cName
	cEmail
	cFullName
	cTenant
	cTenantShort
	cAppID
	cAppName
	cType
	cMethods
	cIssuer
	cIssuedAt
	cSession
	cToken
	cIDP
	numClaims
)

var claims = [numClaims]string{
	cObjectID: `"http://schemas.microsoft.com/identity/claims/objectidentifier"`, cObjectIDShort: "oid",
	cUPN: `"http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn"`, cUPNShort: "upn",
	cName:  `"http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name"`,
	cEmail: `"http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress"`, cFullName: "name",
	cTenant: `"http://schemas.microsoft.com/identity/claims/tenantid"`, cTenantShort: "tid",
	cAppID: "appid", cAppName: "app_displayname", cType: "idtyp",
	cMethods: `"http://schemas.microsoft.com/claims/authnmethodsreferences"`,
	cIssuer:  "iss", cIssuedAt: "iat", cSession: "sid", cToken: "uti",
	cIDP: `"http://schemas.microsoft.com/identity/claims/identityprovider"`,
}

// claimPlaces are those of the envelope, of the REST API, and of resource logs.
var claimPlaces = []string{"identity.claims.", "claims.", "identity.claim."}

// The properties.
const (
	pStatusCode = iota
	pHTTPStatus
	pStatusMessage
	pRequestID
	pRequestBody
	pEntity
	pLocation
	pSeverity
	pSeverityUpper
	pCallerInfo
	pSubjectID
	pSubjectName
	pRole
	pRoleID
	pTenantID
	pUserAgent
	numProperties
)

var properties = [numProperties]string{
	pStatusCode: "statusCode", pHTTPStatus: "httpStatusCode", pStatusMessage: "statusMessage", pRequestID: "serviceRequestId", pRequestBody: "requestbody",
	pEntity: "entity", pLocation: "resourceLocation", pSeverity: "severity", pSeverityUpper: "Severity",
	pCallerInfo: "CallerInfo", pSubjectID: "SubjectID", pSubjectName: "SubjectName",
	pRole: "RoleDefinition", pRoleID: "RoleDefinitionOriginId", pTenantID: "TenantID", pUserAgent: "clientInfo",
}

// propertyPlaces are where the properties of the REST API lie in the envelope, too.
var propertyPlaces = []string{"properties.", "properties.eventProperties."}

// fInner is the first of the properties.
var fInner = fClaims + numClaims*len(claimPlaces)

var table = func() *jsonscan.Table {
	all := paths[:]
	for _, place := range claimPlaces {
		all = appendBelow(all, place, claims[:])
	}
	for _, place := range propertyPlaces {
		all = appendBelow(all, place, properties[:])
	}
	return jsonscan.NewTable(all)
}()

// innerTable is for properties that came as a string.
var innerTable = jsonscan.NewTable(properties[:])

func appendBelow(all []string, place string, names []string) []string {
	for _, name := range names {
		all = append(all, place+name)
	}
	return all
}

// An event is one of Azure's, in any shape.
type event struct {
	*jsonscan.Fields
	inner     *jsonscan.Fields // properties that came as a string; else nil
	operation string           // in lower case
}

// either is the first of two fields that is not empty: the envelope's and the REST API's.
func (e *event) either(a, b int) string {
	if v := e.Str(a); v != "" {
		return v
	}
	return e.Str(b)
}

// claim is the first of the given claims that is there.
func (e *event) claim(names ...int) string {
	for _, name := range names {
		for place := range claimPlaces {
			if v := e.Str(fClaims + place*numClaims + name); v != "" {
				return v
			}
		}
	}
	return ""
}

// property is the first of the given properties that is there.
func (e *event) property(names ...int) string {
	for _, name := range names {
		if e.inner != nil {
			if v := e.inner.Str(name); v != "" {
				return v
			}
			continue
		}
		for place := range propertyPlaces {
			if v := e.Str(fInner + place*numProperties + name); v != "" {
				return v
			}
		}
	}
	return ""
}
