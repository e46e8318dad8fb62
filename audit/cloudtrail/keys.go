package cloudtrail

// lookup tells what a key means in a context: the slot for its value, and the
// context of what is in it.
func lookup(c context, key []byte) (slot, context) {
	switch c {
	case ctxEvent:
		return eventKey(key)
	case ctxRequest, ctxRequestItem:
		return requestKey(c, key)
	case ctxRequestBody:
		return bodyKey(key), ctxNone
	case ctxRequestSet, ctxResponseSet:
		return setKey(c, key)
	case ctxResponse, ctxAdditional, ctxDetails:
		return reportKey(c, key)
	case ctxAnswer:
		return slotNone, madeIn(key)
	case ctxResponseItem:
		return itemKey(key), ctxNone
	case ctxIdentity, ctxSession, ctxSessionAttributes:
		return identityKey(c, key)
	case ctxNone:
		return slotNone, ctxNone
	}
	return smallKey(c, key), ctxNone
}

func eventKey(key []byte) (slot, context) {
	switch string(key) {
	case "userIdentity":
		return slotIdentity, ctxIdentity
	case "requestParameters":
		return slotRequest, ctxRequest
	case "responseElements":
		return slotResponse, ctxResponse
	case "additionalEventData":
		return slotAdditional, ctxAdditional
	case "serviceEventDetails":
		return slotDetails, ctxDetails
	case "resources":
		return slotResources, ctxResources
	case "addendum":
		return slotAddendum, ctxAddendum
	case "insightDetails":
		return slotInsight, ctxInsight
	case "tlsDetails":
		return slotTLS, ctxTLS
	case "timeWindow":
		return slotWindow, ctxWindow
	case "awslogs", "kinesis":
		return slotNone, ctxPacked
	}
	return plainEventKey(key), ctxNone
}

func plainEventKey(key []byte) slot {
	switch string(key) {
	case "eventVersion":
		return slotVersion
	case "eventTime":
		return slotTime
	case "eventSource":
		return slotSource
	case "eventName":
		return slotName
	case "awsRegion":
		return slotRegion
	case "sourceIPAddress":
		return slotSourceIP
	case "userAgent":
		return slotUserAgent
	case "errorCode":
		return slotErrorCode
	case "errorMessage":
		return slotErrorMessage
	case "requestID":
		return slotRequestID
	case "eventID":
		return slotEventID
	case "eventId":
		return slotAggregateID
	case "eventType":
		return slotEventType
	case "apiVersion":
		return slotAPIVersion
	case "managementEvent":
		return slotManagement
	case "readOnly":
		return slotReadOnly
	case "recipientAccountId":
		return slotRecipient
	case "accountId":
		return slotAccount
	case "sharedEventID":
		return slotSharedID
	case "eventCategory":
		return slotCategory
	case "sessionCredentialFromConsole":
		return slotFromConsole
	case "omitted":
		return slotOmitted
	}
	return outerKey(key)
}

// outerKey serves what is around events, and digests.
func outerKey(key []byte) slot {
	switch string(key) {
	case "message":
		return slotMessage
	case "detail":
		return slotDetail
	case "detail-type":
		return slotDetailType
	case "CloudTrailEvent":
		return slotLookup
	case "data":
		return slotData
	case "awsAccountId":
		return slotDigestAccount
	case "digestEndTime":
		return slotDigestEnd
	case "digestS3Bucket":
		return slotDigestBucket
	case "digestS3Object":
		return slotDigestObject
	}
	return slotNone
}

func identityKey(c context, key []byte) (slot, context) {
	switch c {
	case ctxSession:
		return sessionKey(key)
	case ctxSessionAttributes:
		switch string(key) {
		case "creationDate":
			return slotSessionCreated, ctxNone
		case "mfaAuthenticated":
			return slotSessionMFA, ctxNone
		}
		return slotNone, ctxNone
	}
	switch string(key) {
	case "sessionContext":
		return slotSession, ctxSession
	case "onBehalfOf":
		return slotBehalf, ctxOnBehalfOf
	case "inScopeOf":
		return slotScope, ctxScope
	case "invokedByDelegate":
		return slotDelegate, ctxDelegate
	}
	return actorKey(key), ctxNone
}

func actorKey(key []byte) slot {
	switch string(key) {
	case "type":
		return slotActorType
	case "principalId":
		return slotActorPrincipal
	case "arn":
		return slotActorARN
	case "accountId":
		return slotActorAccount
	case "accessKeyId":
		return slotActorKey
	case "userName":
		return slotActorName
	case "invokedBy":
		return slotActorInvokedBy
	case "identityProvider":
		return slotActorIDP
	case "credentialId":
		return slotActorCredential
	case "userId":
		return slotActorUserID
	case "identityStoreArn":
		return slotActorStore
	}
	return slotNone
}

func sessionKey(key []byte) (slot, context) {
	switch string(key) {
	case "attributes":
		return slotSessionAttributes, ctxSessionAttributes
	case "sessionIssuer":
		return slotIssuer, ctxIssuer
	case "webIdFederationData":
		return slotWebIdentity, ctxWebIdentity
	case "sourceIdentity":
		return slotSessionSource, ctxNone
	case "ec2RoleDelivery":
		return slotSessionEC2, ctxNone
	}
	return slotNone, ctxNone
}

// smallKey serves the objects of which only a few members are wanted.
func smallKey(c context, key []byte) slot {
	for _, e := range smallKeys[c] {
		if e.key == string(key) {
			return e.slot
		}
	}
	return slotNone
}

type keySlot struct {
	key  string
	slot slot
}

var smallKeys = [ctxPacked + 1][]keySlot{
	ctxOnBehalfOf:  {{"userId", slotBehalfUser}, {"identityStoreArn", slotBehalfStore}},
	ctxDelegate:    {{"accountId", slotDelegateAccount}},
	ctxScope:       {{"sourceArn", slotScopeSource}, {"credentialsIssuedTo", slotScopeIssuedTo}},
	ctxIssuer:      {{"type", slotIssuerType}, {"arn", slotIssuerARN}, {"userName", slotIssuerName}},
	ctxWebIdentity: {{"federatedProvider", slotWebProvider}},
	ctxTLS:         {{"tlsVersion", slotTLSVersion}, {"cipherSuite", slotTLSCipher}},
	ctxAddendum:    {{"reason", slotAddendumReason}, {"originalEventID", slotAddendumOriginal}},
	ctxInsight: {
		{"state", slotInsightState}, {"eventSource", slotInsightSource}, {"eventName", slotInsightName},
	},
	ctxWindow: {{"windowStart", slotWindowStart}},
	ctxPacked: {{"data", slotPacked}},
	ctxMade: {
		{"vpcId", slotMadeVPC}, {"subnetId", slotMadeSubnet}, {"routeTableId", slotMadeRouteTable},
		{"internetGatewayId", slotMadeInternetGateway}, {"natGatewayId", slotMadeNATGateway},
		{"networkInterfaceId", slotMadeInterface}, {"allocationId", slotMadeAllocation}, {"volumeId", slotMadeVolume},
		{"snapshotId", slotMadeSnapshot}, {"imageId", slotMadeImage}, {"groupId", slotMadeGroup},
		{"serialNumber", slotMadeMFA},
	},
	ctxResource: {
		{"ARN", slotResourceARN}, {"ARNPrefix", slotResourcePrefix},
		{"type", slotResourceType}, {"accountId", slotResourceAccount},
	},
}
