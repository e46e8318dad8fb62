package audit

// Attribute keys: the record itself.
const (
	AttrRecordID      = "audit.record.id"
	AttrOriginalID    = "audit.record.original_id"
	AttrSchemaVersion = "audit.schema.version"
	AttrRawHash       = "audit.raw.hash" // "sha256:" and lower-case hex, over Body
	AttrRawSize       = "audit.raw.size" // bytes of Body
	AttrTruncated     = "audit.truncated"
	AttrQuarantined   = "audit.quarantined"
	AttrParseError    = "audit.parse.error"
	AttrParseWarning  = "audit.parse.warning"
	AttrTimeSkew      = "audit.time.skew" // milliseconds that Time is ahead of when the record was taken up; set there, never by a parser
	AttrCorrelationID = "audit.correlation.id"
	AttrAmendment     = "audit.amendment.reason" // why a record was sent late or again
	AttrPhase         = "audit.phase"            // which of several events about one request this is, in the provider's words
	AttrPhaseTime     = "audit.phase.time"       // when that was reached, as the provider writes it
)

// Attribute keys: what was done, and what came of it.
const (
	AttrAction         = "audit.action"
	AttrOperation      = "audit.api.operation"
	AttrService        = "audit.api.service"
	AttrAPIVersion     = "audit.api.version"
	AttrRequestID      = "audit.api.request_id"
	AttrAWSRequestID   = "aws.request_id"
	AttrAzureRequestID = "azure.service.request.id"
	AttrCategory       = "audit.category"
	AttrOutcome        = "audit.outcome"
	AttrOutcomeReason  = "audit.outcome.reason"
	AttrErrorType      = "error.type"
	AttrHTTPStatus     = "http.response.status_code"
	AttrHTTPMethod     = "http.request.method"
	AttrURLPath        = "url.path"
	AttrChanges        = "audit.changes" // maps with the keys path, old, new
)

// Attribute keys: who.
const (
	AttrActorID           = "audit.actor.id"
	AttrActorType         = "audit.actor.type"
	AttrActorTypeOriginal = "audit.actor.type.original"
	AttrActorAccountID    = "audit.actor.account.id"
	AttrActorCredentialID = "audit.actor.credential.id"
	AttrSessionIssuer     = "audit.actor.session.issuer"
	AttrSessionName       = "audit.actor.session.name"
	AttrSessionMFA        = "audit.actor.session.mfa"
	AttrSessionCreated    = "audit.actor.session.created"
	AttrActorAppID        = "audit.actor.app.id"
	AttrActorAppName      = "audit.actor.app.name"
	AttrActorIDP          = "audit.actor.idp"
	AttrActorDelegation   = "audit.actor.delegation" // oldest first
	AttrUserID            = "user.id"
	AttrUserName          = "user.name"
	AttrUserEmail         = "user.email"
	AttrUserFullName      = "user.full_name"
	AttrUserRoles         = "user.roles"
)

// Attribute keys: to what.
const (
	AttrTargetID        = "audit.target.id"
	AttrTargetType      = "audit.target.type"
	AttrTargetName      = "audit.target.name"
	AttrTargetAccountID = "audit.target.account.id"
	AttrTargetRegion    = "audit.target.region"
	AttrTargets         = "audit.targets"           // maps with the keys id, type, name, account.id, region
	AttrPrivileges      = "audit.target.privileges" // roles, policies or permissions that are given or taken, in the provider's words
	AttrCloudResourceID = "cloud.resource_id"
)

// Attribute keys: from where.
const (
	AttrSourceID      = "audit.source.id"
	AttrSourceType    = "audit.source.type"
	AttrClientAddress = "client.address" // only an IP address or a DNS name
	AttrClientPort    = "client.port"
	AttrSourceChain   = "audit.source.chain" // addresses on the way, the first one first
	AttrUserAgent     = "user_agent.original"
	AttrTLSVersion    = "tls.protocol.version"
	AttrTLSCipher     = "tls.cipher"
)

// Attribute keys: where the source is, if the provider says it.
const (
	AttrGeoCountry  = "geo.country.iso_code"
	AttrGeoLocality = "geo.locality.name"
	AttrSessionID   = "session.id"
)

// Attribute keys: Kubernetes.
const (
	AttrK8sCluster   = "k8s.cluster.name"
	AttrK8sNamespace = "k8s.namespace.name"
)

// Attribute keys: a finding.
const (
	AttrFindingSeverity = "audit.finding.severity" // in the finder's own words
)

// Attribute keys: the OCSF class.
const (
	AttrOCSFClass    = "ocsf.class_uid"
	AttrOCSFActivity = "ocsf.activity_id"
	AttrOCSFType     = "ocsf.type_uid"
	AttrOCSFVersion  = "ocsf.version"
)
