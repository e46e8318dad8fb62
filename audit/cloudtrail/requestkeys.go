package cloudtrail

// requestKey serves requestParameters: the parameters that name a target.
func requestKey(c context, key []byte) (slot, context) {
	if c == ctxRequest {
		if string(key) == "omitted" {
			return slotOmitted + reportOf(c), ctxNone
		}
		// EC2 wraps its lists: instancesSet, vpcSet, groupSet …
		if n := len(key); n > 3 && string(key[n-3:]) == "Set" {
			return slotNone, ctxRequestSet
		}
		// Its younger calls wrap all there is: DeleteNatGatewayRequest …
		if n := len(key); n > 7 && string(key[n-7:]) == "Request" {
			return slotNone, ctxRequestBody
		}
	}
	if s := computeParam(key); s != slotNone || c == ctxRequestItem {
		return s, ctxNone // lists also hold names of filters and tags, which name nothing
	}
	if s := identityParam(key); s != slotNone {
		return s, ctxNone
	}
	return serviceParam(key), ctxNone
}

// bodyKey serves what such a call wraps. Its keys begin with a capital.
func bodyKey(key []byte) slot {
	var space [32]byte
	if len(key) == 0 || len(key) > len(space) || key[0] < 'A' || key[0] > 'Z' {
		return slotNone
	}
	lower := append(append(space[:0], key[0]|0x20), key[1:]...)
	if string(lower) == "vpcIds" {
		return slotVPCs
	}
	if s := computeParam(lower); s != slotNone {
		return s
	}
	return serviceParam(lower)
}

func identityParam(key []byte) slot {
	switch string(key) {
	case "bucketName":
		return slotBucket
	case "key":
		return slotObjectKey
	case "userName":
		return slotUser
	case "roleName":
		return slotRole
	case "roleArn":
		return slotRoleARN
	case "groupName":
		return slotGroup
	case "policyArn":
		return slotPolicyARN
	case "policyName":
		return slotPolicy
	case "instanceProfileName":
		return slotInstanceProfile
	case "serialNumber":
		return slotMFASerial
	case "keyId":
		return slotKMSKey
	case "aliasName":
		return slotAlias
	case "secretId":
		return slotSecret
	case "accountId":
		return slotAccountParam
	case "permissionSetArn":
		return slotPermissionSet
	case "principalId":
		return slotPrincipal
	case "principalType":
		return slotPrincipalType
	case "targetId":
		return slotTargetAccount
	}
	return slotNone
}

func computeParam(key []byte) slot {
	switch string(key) {
	case "instanceId":
		return slotInstance
	case "groupId":
		return slotGroupID
	case "imageId":
		return slotImage
	case "snapshotId":
		return slotSnapshot
	case "volumeId":
		return slotVolume
	case "vpcId":
		return slotVPC
	case "flowLogId":
		return slotFlowLog
	case "subnetId":
		return slotSubnet
	case "routeTableId":
		return slotRouteTable
	case "internetGatewayId":
		return slotInternetGateway
	case "natGatewayId":
		return slotNATGateway
	case "networkInterfaceId":
		return slotInterface
	case "allocationId":
		return slotAllocation
	case "keyName":
		return slotKeyPair
	case "functionName":
		return slotFunction
	case "clusterName":
		return slotCluster
	case "cluster":
		return slotECSCluster
	case "stackName":
		return slotStack
	case "loadBalancerArn":
		return slotLoadBalancer
	}
	return slotNone
}

func serviceParam(key []byte) slot {
	switch string(key) {
	case "trailName":
		return slotTrail
	case "logGroupName":
		return slotLogGroup
	case "tableName":
		return slotTable
	case "dBInstanceIdentifier":
		return slotDBInstance
	case "dBClusterIdentifier":
		return slotDBCluster
	case "topicArn":
		return slotTopic
	case "queueUrl":
		return slotQueue
	case "repositoryName":
		return slotRepository
	case "hostedZoneId":
		return slotHostedZone
	case "documentName":
		return slotDocument
	case "target":
		return slotTargetParam
	case "commandId":
		return slotCommand
	case "detectorId":
		return slotDetector
	case "distributionId":
		return slotDistribution
	case "stateMachineArn":
		return slotStateMachine
	case "streamName":
		return slotStream
	case "deliveryStreamName":
		return slotDeliveryStream
	case "resourceArn":
		return slotGenericARN
	case "resourceARN":
		return slotGenericUpperARN
	case "arn":
		return slotGenericShortARN
	case "resourceId":
		return slotResourceParam
	case "name":
		return slotGenericName
	case "id":
		return slotGenericID
	}
	return rareParam(key)
}

// rareParam knows the parameters of few calls.
func rareParam(key []byte) slot {
	switch string(key) {
	case "virtualMFADeviceName":
		return slotMFAName
	case "instanceIds":
		return slotInstances
	case "trailNameList":
		return slotTrails
	case "names":
		return slotNames
	case "resourceIdList":
		return slotResourceIDs
	case "bucket":
		return slotPlainBucket
	case "configurationARN":
		return slotStorageLens
	case "associationId":
		return slotAssociation
	case "sessionId":
		return slotSSMSession
	case "RegionName":
		return slotRegionName
	case "filters":
		return slotFilters
	case "parameterFilters":
		return slotParamFilters
	}
	return slotNone
}
