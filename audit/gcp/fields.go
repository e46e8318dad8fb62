package gcp

import "github.com/otelcol-custody/custody/audit/internal/jsonscan"

// The fields of a LogEntry that the mapping wants.
const (
	fType = iota
	fLogName
	fInsertID
	fTimestamp
	fResourceType
	fProject
	fLocation
	fZone
	fCluster
	fNamespace
	fSplitID
	fSplitIndex
	fSplits
	fOperationID
	fOperationFirst
	fOperationLast
	fService
	fMethod
	fResourceName
	fCurrentLocations
	fStatusCode
	fStatusMessage
	fStatus
	fPrincipal
	fSubject
	fAuthority
	fKeyName
	fThirdParty
	fDelegates
	fDelegateSubjects
	fPermission
	fGranted
	fPermissionType
	fPermissionResource
	fCallerIP
	fUserAgent
	fMetadataType
	fViolationReason
	fDecision
	fReason
	fTextPayload
	numFields
)

var table = jsonscan.NewTable([]string{
	fType: `protoPayload.@type`, fLogName: `logName`, fInsertID: `insertId`, fTimestamp: `timestamp`,
	fResourceType: `resource.type`, fProject: `resource.labels.project_id`, fLocation: `resource.labels.location`, fZone: `resource.labels.zone`,
	fCluster: `resource.labels.cluster_name`, fNamespace: `resource.labels.namespace_name`,
	fSplitID: `split.uid`, fSplitIndex: `split.index`, fSplits: `split.totalSplits`,
	fOperationID: `operation.id`, fOperationFirst: `operation.first`, fOperationLast: `operation.last`,
	fService: `protoPayload.serviceName`, fMethod: `protoPayload.methodName`, fResourceName: `protoPayload.resourceName`,
	fCurrentLocations: `protoPayload.resourceLocation.currentLocations[]`,
	fStatus:           `protoPayload.status`, fStatusCode: `protoPayload.status.code`, fStatusMessage: `protoPayload.status.message`,
	fPrincipal: `protoPayload.authenticationInfo.principalEmail`, fSubject: `protoPayload.authenticationInfo.principalSubject`,
	fAuthority: `protoPayload.authenticationInfo.authoritySelector`, fKeyName: `protoPayload.authenticationInfo.serviceAccountKeyName`,
	fThirdParty:       `protoPayload.authenticationInfo.thirdPartyPrincipal`,
	fDelegates:        `protoPayload.authenticationInfo.serviceAccountDelegationInfo[].firstPartyPrincipal.principalEmail`,
	fDelegateSubjects: `protoPayload.authenticationInfo.serviceAccountDelegationInfo[].principalSubject`,
	fPermission:       `protoPayload.authorizationInfo[].permission`, fGranted: `protoPayload.authorizationInfo[].granted`,
	fPermissionType: `protoPayload.authorizationInfo[].permissionType`, fPermissionResource: `protoPayload.authorizationInfo[].resource`,
	fCallerIP: `protoPayload.requestMetadata.callerIp`, fUserAgent: `protoPayload.requestMetadata.callerSuppliedUserAgent`,
	fMetadataType: `protoPayload.metadata.@type`, fViolationReason: `protoPayload.metadata.violationReason`,
	fDecision: `labels."authorization.k8s.io/decision"`, fReason: `labels."authorization.k8s.io/reason"`,
	fTextPayload: `textPayload`,
})
