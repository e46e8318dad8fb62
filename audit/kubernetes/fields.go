package kubernetes

import "github.com/otelcol-custody/custody/audit/internal/jsonscan"

// The fields of an event that the mapping wants.
const (
	fAuditID = iota
	fStage
	fVerb
	fRequestURI
	fUser
	fUserUID
	fGroups
	fCredential
	fAccessKey
	fImpersonated
	fImpersonatedGroups
	fSourceIPs
	fSourceList
	fUserAgent
	fGroup
	fVersion
	fResource
	fSubresource
	fNamespace
	fName
	fRequestName
	fResponseName
	fCode
	fStatus
	fStatusReason
	fStatusMessage
	fReceived
	fStaged
	fDecision
	fReason
	fTruncated
	fRole
	fRoleKind
	fSubjectKind
	fSubjectName
	fSubjectNamespace
	fAuthenticated
	fReview
	fReviewed
)

var table = jsonscan.NewTable([]string{
	fAuditID: "auditID", fStage: "stage", fVerb: "verb", fRequestURI: "requestURI",
	fUser: "user.username", fUserUID: "user.uid", fGroups: "user.groups[]",
	fCredential:   `user.extra."authentication.kubernetes.io/credential-id"[]`,
	fAccessKey:    "user.extra.accessKeyId[]", // EKS
	fImpersonated: "impersonatedUser.username", fImpersonatedGroups: "impersonatedUser.groups[]",
	fSourceIPs: "sourceIPs[]", fSourceList: "sourceIPs", fUserAgent: "userAgent",
	fGroup: "objectRef.apiGroup", fVersion: "objectRef.apiVersion", fResource: "objectRef.resource", fSubresource: "objectRef.subresource",
	fNamespace: "objectRef.namespace", fName: "objectRef.name",
	fRequestName: "requestObject.metadata.name", fResponseName: "responseObject.metadata.name",
	fCode: "responseStatus.code", fStatus: "responseStatus.status", fStatusReason: "responseStatus.reason", fStatusMessage: "responseStatus.message",
	fReceived: "requestReceivedTimestamp", fStaged: "stageTimestamp",
	fDecision:  `annotations."authorization.k8s.io/decision"`,
	fReason:    `annotations."authorization.k8s.io/reason"`,
	fTruncated: `annotations."audit.k8s.io/truncated"`,
	fRole:      "requestObject.roleRef.name", fRoleKind: "requestObject.roleRef.kind",
	fSubjectKind: "requestObject.subjects[].kind", fSubjectName: "requestObject.subjects[].name", fSubjectNamespace: "requestObject.subjects[].namespace",
	fReview: "responseObject.status", fAuthenticated: "responseObject.status.authenticated", fReviewed: "responseObject.status.user.username",
})
