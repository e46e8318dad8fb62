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
	slotResult // "Success" or "Failure", in whatever names it
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
	slotOmitted

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
	slotStateMachine
	slotStream
	slotDeliveryStream
	slotGenericARN
	slotGenericUpperARN
	slotGenericShortARN
	slotGenericName
	slotGenericID

	numSlots

	// Of one element of resources; these have no span of their own.
	slotResourceARN
	slotResourcePrefix
	slotResourceType
	slotResourceAccount
)
