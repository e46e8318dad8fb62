package cloudtrail

// setKey serves the EC2 form of a list: {"items":[{…}]}, or "item" in a few calls.
func setKey(c context, key []byte) (slot, context) {
	if string(key) != "items" && string(key) != "item" {
		return slotNone, ctxNone
	}
	if c == ctxRequestSet {
		return slotNone, ctxRequestItems
	}
	return slotNone, ctxResponseItems
}

func itemKey(key []byte) slot {
	if string(key) == "instanceId" {
		return slotInstance
	}
	return slotNone
}

// reportKey serves the objects in which services report what came of it.
func reportKey(c context, key []byte) (slot, context) {
	if string(key) == "omitted" {
		return slotOmitted + reportOf(c), ctxNone
	}
	if i := resultKey(key); i < results {
		return slotResult + reportOf(c)*results + i, ctxNone
	}
	switch c {
	case ctxResponse:
		return responseKey(key)
	case ctxAdditional:
		switch string(key) {
		case "MFAUsed":
			return slotMFAUsed, ctxNone
		case "ARN":
			return slotAdditionalARN, ctxNone
		}
	case ctxDetails:
		if string(key) == "snapshotId" {
			return slotDetailSnapshot, ctxNone
		}
	}
	return slotNone, ctxNone
}

// reportOf numbers the contexts that tell that something is omitted, or a result.
func reportOf(c context) slot {
	switch c {
	case ctxRequest:
		return 1
	case ctxResponse:
		return 2
	case ctxAdditional:
		return 3
	case ctxDetails:
		return 4
	}
	return 0 // the event
}

// resultKey numbers the keys whose value is "Success" or "Failure"; results for others.
func resultKey(key []byte) slot {
	switch string(key) {
	case "ConsoleLogin":
		return 0
	case "CheckMfa":
		return 1
	case "SwitchRole":
		return 2
	case "ExitRole":
		return 3
	case "RenewRole":
		return 4
	case "GetSigninToken":
		return 5
	case "CredentialVerification":
		return 6
	case "CredentialChallenge":
		return 7
	case "UserAuthentication":
		return 8
	case "PasswordRecoveryRequested":
		return 9
	case "PasswordRecoveryCompleted":
		return 10
	case "PasswordUpdated":
		return 11
	}
	return results
}

func responseKey(key []byte) (slot, context) {
	switch string(key) {
	case "errorCode":
		return slotResponseCode, ctxNone
	case "errorMessage":
		return slotResponseMessage, ctxNone
	case "instancesSet":
		return slotNone, ctxResponseSet
	case "CreateNatGatewayResponse":
		return slotNone, ctxAnswer
	}
	if child := madeIn(key); child != ctxNone {
		return slotNone, child
	}
	return smallKey(ctxMade, key), ctxNone
}

// madeIn knows the objects in an answer that are what was made.
func madeIn(key []byte) context {
	switch string(key) {
	case "vpc", "subnet", "routeTable", "internetGateway", "natGateway", "networkInterface", "virtualMFADevice":
		return ctxMade
	}
	return ctxNone
}
