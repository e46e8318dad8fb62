package audit

// The event names: a closed set, one per structure. The native operation is
// never part of a name; it is the attribute [AttrOperation].
const (
	EventAPIActivity      = "audit.api_activity"
	EventAuthentication   = "audit.authentication"
	EventAuthorizeSession = "audit.authorize_session"
	EventAccountChange    = "audit.account_change"
	EventUserAccess       = "audit.user_access"
	EventGroupManagement  = "audit.group_management"
	EventEntityManagement = "audit.entity_management"
	EventFinding          = "audit.finding"
	EventSystem           = "audit.system_event"
	EventHost             = "audit.host_event"
)

// The names of records that the collector itself makes about a source: what it proved
// about it, and what it did not take.
const (
	EventSourceVerified = "audit.source.verified" // a provider's own proof holds
	EventSourceFailed   = "audit.source.failed"   // a provider's own proof does not hold
	EventSourceGap      = "audit.source.gap"      // something of the source is missing
	EventSourceExcluded = "audit.source.excluded" // events were left out on request
	EventSourceKey      = "audit.source.key"      // a public key with which a provider signs
)

// IsEventName reports whether name is one of the closed set.
func IsEventName(name string) bool {
	switch name {
	case EventAPIActivity, EventAuthentication, EventAuthorizeSession,
		EventAccountChange, EventUserAccess, EventGroupManagement,
		EventEntityManagement, EventFinding, EventSystem, EventHost:
		return true
	}
	return false
}

// The values of [AttrOutcome].
const (
	OutcomeSuccess = "success"
	OutcomeFailure = "failure"
	OutcomeUnknown = "unknown"
)

// The values of [AttrActorType].
const (
	ActorUser    = "user"
	ActorService = "service"
	ActorSystem  = "system"
)

// The values of [AttrAction].
const (
	ActionCreate  = "CREATE"
	ActionRead    = "READ"
	ActionUpdate  = "UPDATE"
	ActionDelete  = "DELETE"
	ActionLogin   = "LOGIN"
	ActionLogout  = "LOGOUT"
	ActionExecute = "EXECUTE"
	ActionDetect  = "DETECT" // a provider's finding about activity
	ActionReport  = "REPORT" // a provider's statement about its own log
	ActionOther   = "OTHER"
)

// The values of [AttrSourceType].
const (
	SourceIPv4     = "ipv4"
	SourceIPv6     = "ipv6"
	SourceHostname = "hostname"
	SourceService  = "service"
	SourceRedacted = "redacted"
	SourceUnix     = "unix"
)
