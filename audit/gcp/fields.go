package gcp

import "github.com/otelcol-custody/custody/audit/internal/jsonscan"

// The fields of a LogEntry that the mapping wants, and those of a Pub/Sub message
// around one.
const (
	fType = iota
	fLogName
	fInsertID
	fTimestamp
	fReceived
	fTextPayload
	fJSONPayload
	fPayload

	fResourceType
	fProject
	fOrganization
	fLocation
	fZone
	fRegion
	fCluster
	fNamespace
	fAccountEmail

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
	fStatus
	fStatusCode
	fStatusMessage

	fPrincipal
	fSubject
	fKeyName
	fClient
	fThirdParty
	fDelegate
	fDelegateSubject
	fDelegateThirdParty

	fAuthorization
	fPermissionType
	fPermissionResource
	fPermissionResourceType

	fCallerIP
	fUserAgent
	fHTTPMethod
	fHTTPPath

	fMetadataType
	fDryRun
	fProtected
	fViolationReason

	fDeltas
	fDeltaAction
	fDeltaRole
	fDeltaMember
	fAddedPermissions
	fRemovedPermissions
	fPolicyRole
	fResponseName
	fResponseEmail
	fParameters

	fDecision
	fReason
	fTruncated
	fKubeName
	fKubeResponseName
	fKubeCode
	fRole
	fRoleKind
	fSubjectKind
	fSubjectName
	fSubjectNamespace

	fMessage
	fMessageData
	fMessageID
	fData
	fDataID
)

var table = jsonscan.NewTable([]string{
	fType: "protoPayload.@type", fLogName: "logName", fInsertID: "insertId", fTimestamp: "timestamp", fReceived: "receiveTimestamp",
	fTextPayload: "textPayload", fJSONPayload: "jsonPayload", fPayload: "protoPayload",

	fResourceType: "resource.type", fProject: "resource.labels.project_id", fOrganization: "resource.labels.organization_id",
	fLocation: "resource.labels.location", fZone: "resource.labels.zone", fRegion: "resource.labels.region",
	fCluster: "resource.labels.cluster_name", fNamespace: "resource.labels.namespace_name", fAccountEmail: "resource.labels.email_id",

	fSplitID: "split.uid", fSplitIndex: "split.index", fSplits: "split.totalSplits",
	fOperationID: "operation.id", fOperationFirst: "operation.first", fOperationLast: "operation.last",

	fService: "protoPayload.serviceName", fMethod: "protoPayload.methodName", fResourceName: "protoPayload.resourceName",
	fCurrentLocations: "protoPayload.resourceLocation.currentLocations[]",
	fStatus:           "protoPayload.status", fStatusCode: "protoPayload.status.code", fStatusMessage: "protoPayload.status.message",

	fPrincipal: "protoPayload.authenticationInfo.principalEmail", fSubject: "protoPayload.authenticationInfo.principalSubject",
	fKeyName:    "protoPayload.authenticationInfo.serviceAccountKeyName",
	fClient:     "protoPayload.authenticationInfo.oauthInfo.oauthClientId",
	fThirdParty: "protoPayload.authenticationInfo.thirdPartyPrincipal.thirdPartyClaims.sub",

	fDelegate:           "protoPayload.authenticationInfo.serviceAccountDelegationInfo[].firstPartyPrincipal.principalEmail",
	fDelegateSubject:    "protoPayload.authenticationInfo.serviceAccountDelegationInfo[].principalSubject",
	fDelegateThirdParty: "protoPayload.authenticationInfo.serviceAccountDelegationInfo[].thirdPartyPrincipal.thirdPartyClaims.sub",

	fAuthorization:  "protoPayload.authorizationInfo",
	fPermissionType: "protoPayload.authorizationInfo[].permissionType", fPermissionResource: "protoPayload.authorizationInfo[].resource",
	fPermissionResourceType: "protoPayload.authorizationInfo[].resourceAttributes.type",

	fCallerIP: "protoPayload.requestMetadata.callerIp", fUserAgent: "protoPayload.requestMetadata.callerSuppliedUserAgent",
	fHTTPMethod: "protoPayload.requestMetadata.requestAttributes.method", fHTTPPath: "protoPayload.requestMetadata.requestAttributes.path",

	fMetadataType: "protoPayload.metadata.@type", fDryRun: "protoPayload.metadata.dryRun",
	fProtected: "protoPayload.metadata.resourceNames[]", fViolationReason: "protoPayload.metadata.violationReason",

	fDeltas:             "protoPayload.serviceData.policyDelta.bindingDeltas",
	fDeltaAction:        "protoPayload.serviceData.policyDelta.bindingDeltas[].action",
	fDeltaRole:          "protoPayload.serviceData.policyDelta.bindingDeltas[].role",
	fDeltaMember:        "protoPayload.serviceData.policyDelta.bindingDeltas[].member",
	fAddedPermissions:   "protoPayload.serviceData.permissionDelta.addedPermissions[]",
	fRemovedPermissions: "protoPayload.serviceData.permissionDelta.removedPermissions[]",
	fPolicyRole:         "protoPayload.request.policy.bindings[].role",

	fResponseName: "protoPayload.response.name", fResponseEmail: "protoPayload.response.email",
	fParameters: "protoPayload.metadata.event[].parameter[]",

	fDecision:  `labels."authorization.k8s.io/decision"`,
	fReason:    `labels."authorization.k8s.io/reason"`,
	fTruncated: `labels."audit.k8s.io/truncated"`,
	fKubeName:  "protoPayload.request.metadata.name", fKubeResponseName: "protoPayload.response.metadata.name", fKubeCode: "protoPayload.response.code",
	fRole: "protoPayload.request.roleRef.name", fRoleKind: "protoPayload.request.roleRef.kind",
	fSubjectKind: "protoPayload.request.subjects[].kind", fSubjectName: "protoPayload.request.subjects[].name",
	fSubjectNamespace: "protoPayload.request.subjects[].namespace",

	fMessage: "message", fMessageData: "message.data", fMessageID: "message.messageId",
	fData: "data", fDataID: "messageId",
})
