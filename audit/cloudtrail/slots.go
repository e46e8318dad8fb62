package cloudtrail

// A slot names a field of an event that the mapping wants.
type slot uint8

const (
	slotNone slot = iota

	// Of the event.
	slotVersion
	slotIdentity
	slotTime
	slotSource
	slotName
	slotRegion
	slotSourceIP
	slotUserAgent
	slotErrorCode
	slotErrorMessage
	slotRequest
	slotResponse
	slotAdditional
	slotRequestID
	slotEventID
	slotAggregateID // eventId, of aggregated events
	slotEventType
	slotAPIVersion
	slotManagement
	slotReadOnly
	slotResources
	slotRecipient
	slotAccount
	slotDetails
	slotSharedID
	slotCategory
	slotAddendum
	slotInsight
	slotTLS
	slotFromConsole
	slotWindow

	// Of a digest.
	slotDigestAccount
	slotDigestEnd
	slotDigestBucket
	slotDigestObject

	// Of an envelope.
	slotMessage
	slotDetail
	slotDetailType
	slotLookup
	slotData
	slotPacked

	// Of objects in the event.
	slotActorType
	slotActorPrincipal
	slotActorARN
	slotActorAccount
	slotActorKey
	slotActorName
	slotActorInvokedBy
	slotActorIDP
	slotActorCredential
	slotActorUserID
	slotActorStore
	slotSession
	slotBehalf
	slotBehalfUser
	slotBehalfStore
	slotScope
	slotScopeSource
	slotScopeIssuedTo
	slotDelegate
	slotDelegateAccount
	slotIssuer
	slotIssuerType
	slotIssuerARN
	slotIssuerName
	slotSessionAttributes
	slotSessionCreated
	slotSessionMFA
	slotSessionSource
	slotSessionEC2
	slotWebIdentity
	slotWebProvider
	slotMFAUsed
	slotResponseCode
	slotResponseMessage
	slotTLSVersion
	slotTLSCipher
	slotAddendumReason
	slotAddendumOriginal
	slotInsightState
	slotInsightSource
	slotInsightName
	slotWindowStart
	slotDetailSnapshot
	slotAdditionalARN

	// Of what the answer says was made. See implied.go.
	slotMadeVPC
	slotMadeSubnet
	slotMadeRouteTable
	slotMadeInternetGateway
	slotMadeNATGateway
	slotMadeInterface
	slotMadeAllocation
	slotMadeVolume
	slotMadeSnapshot
	slotMadeImage
	slotMadeGroup
	slotMadeMFA

	// Of requestParameters: what names a target. See target.go.
	slotResourceParam
	slotBucket
	slotObjectKey
	slotUser
	slotRole
	slotRoleARN
	slotGroup
	slotGroupID
	slotPolicyARN
	slotPolicy
	slotInstanceProfile
	slotMFASerial
	slotInstance
	slotImage
	slotSnapshot
	slotVolume
	slotVPC
	slotFlowLog
	slotSubnet
	slotRouteTable
	slotInternetGateway
	slotNATGateway
	slotInterface
	slotAllocation
	slotKeyPair
	slotFunction
	slotKMSKey
	slotAlias
	slotSecret
	slotTrail
	slotLogGroup
	slotTable
	slotDBInstance
	slotDBCluster
	slotTopic
	slotQueue
	slotRepository
	slotCluster
	slotECSCluster
	slotStack
	slotHostedZone
	slotDocument
	slotCommand
	slotTargetParam
	slotDetector
	slotDistribution
	slotLoadBalancer
	slotAccountParam
	slotPermissionSet
	slotPrincipal
	slotPrincipalType
	slotTargetAccount
	slotStateMachine
	slotStream
	slotDeliveryStream
	slotGenericARN
	slotGenericUpperARN
	slotGenericShortARN
	slotGenericName
	slotGenericID
	slotMFAName
	slotVPCs
	slotInstances
	slotTrails
	slotNames
	slotResourceIDs
	slotPlainBucket
	slotStorageLens
	slotAssociation
	slotSSMSession
	slotRegionName
	slotFilters
	slotParamFilters

	numSlots

	// Of one element of resources; these have no span of their own.
	slotResourceARN
	slotResourcePrefix
	slotResourceType
	slotResourceAccount

	// Of the event and of objects in it, each with slots of its own, so that a key that
	// occurs twice shows. These have no span either.
	slotOmitted
	slotResult   = slotOmitted + reports // "Success" or "Failure", in whatever names it
	slotsInTotal = slotResult + reports*results
)

// reports is the number of contexts that reportOf knows, results that of the keys that
// resultKey does.
const reports, results = 5, 12
