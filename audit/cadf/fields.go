package cadf

import "github.com/otelcol-custody/custody/audit/internal/jsonscan"

// The fields of an event that the mapping wants.
const (
	fID = iota
	fKind
	fTime
	fAction
	fOutcome
	fReasonCode
	fReasonType
	fRequestPath
	fTags
	fReported
	fInitiator
	fInitiatorUser
	fInitiatorType
	fInitiatorName
	fInitiatorUserName
	fInitiatorRef
	fAddress
	fAgent
	fProject
	fDomain
	fRequestID
	fGlobalRequestID
	fIDP
	fTarget
	fTargetType
	fTargetName
	fTargetProject
	fTargetRef
	fObserver
	fObserverType
	fObserverName
	fObserverRef
	// What Keystone adds to its events.
	fResource
	fRole
	fRoleUser
	fRoleGroup
	fRoleProject
	fRoleDomain
	numFields
)

var paths = [numFields]string{
	fID: "id", fKind: "eventType", fTime: "eventTime", fAction: "action", fOutcome: "outcome",
	fReasonCode: "reason.reasonCode", fReasonType: "reason.reasonType", fRequestPath: "requestPath", fTags: "tags[]",
	fReported:  "reporterchain[].reporterTime",
	fInitiator: "initiator.id", fInitiatorUser: "initiator.user_id", fInitiatorType: "initiator.typeURI",
	fInitiatorName: "initiator.name", fInitiatorUserName: "initiator.username", fInitiatorRef: "initiatorId",
	fAddress: "initiator.host.address", fAgent: "initiator.host.agent", fProject: "initiator.project_id", fDomain: "initiator.domain_id",
	fRequestID: "initiator.request_id", fGlobalRequestID: "initiator.global_request_id", fIDP: "initiator.credential.identity_provider",
	fTarget: "target.id", fTargetType: "target.typeURI", fTargetName: "target.name", fTargetProject: "target.project_id", fTargetRef: "targetId",
	fObserver: "observer.id", fObserverType: "observer.typeURI", fObserverName: "observer.name", fObserverRef: "observerId",
	fResource: "resource_info", fRole: "role", fRoleUser: "user", fRoleGroup: "group", fRoleProject: "project", fRoleDomain: "domain",
}

// An event lies at the top, or in a notification's payload. The notification's own
// fields come last.
const (
	inPayload = numFields
	fPayload  = 2*numFields + iota - 1
	fEventType
	fMessageID
	fSent
	fMessage
	allFields
)

var table = newTable()

func newTable() *jsonscan.Table {
	all := make([]string, allFields)
	for i, path := range paths {
		all[i], all[inPayload+i] = path, "payload."+path
	}
	all[fPayload], all[fEventType], all[fMessageID], all[fSent] = "payload", "event_type", "message_id", "timestamp"
	all[fMessage] = `"oslo.message"`
	return jsonscan.NewTable(all)
}

// An event is read where it lies.
type event struct {
	*jsonscan.Fields
	base int
}

// str returns a field of the event. What OpenStack calls unknown it does not know.
func (e *event) str(field int) string {
	if v := e.Str(e.base + field); v != "unknown" {
		return v
	}
	return ""
}
