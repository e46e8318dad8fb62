package vault

import "github.com/otelcol-custody/custody/audit/internal/jsonscan"

// The fields of an entry that the mapping wants.
const (
	fTime = iota
	fType
	fError
	fForwardedFrom
	fID
	fOperation
	fPath
	fMountPoint
	fMountType
	fVersion
	fNamespaceID
	fNamespace
	fAddress
	fPort
	fURI
	fUserAgent
	fCorrelation
	fDataID
	fResponseData
	fResponseError
	fLease
	fAuth // the first of the fields of auth
)

// Who it is: in a line's auth whoever asked, in the answer's auth whoever logged in.
const (
	aEntity = iota
	aName
	aAccessor
	aPolicies
	aIssued
	aUserName
	aRole
	aServiceAccount
	numAuth
)

const fGranted = fAuth + numAuth // the first of the fields of the answer's auth

var paths = []string{
	fTime: "time", fType: "type", fError: "error", fForwardedFrom: "forwarded_from",
	fID: "request.id", fOperation: "request.operation", fPath: "request.path",
	fMountPoint: "request.mount_point", fMountType: "request.mount_type", fVersion: "request.mount_running_version",
	fNamespaceID: "request.namespace.id", fNamespace: "request.namespace.path",
	fAddress: "request.remote_address", fPort: "request.remote_port", fURI: "request.request_uri",
	fUserAgent: `request.headers.user-agent[]`, fCorrelation: `request.headers.x-correlation-id[]`, fDataID: "request.data.id",
	fResponseData: "response.data", fResponseError: "response.data.error", fLease: "response.secret.lease_id",
}

var authPaths = [numAuth]string{
	aEntity: "entity_id", aName: "display_name", aAccessor: "accessor", aPolicies: "policies[]", aIssued: "token_issue_time",
	aUserName: "metadata.username", aRole: "metadata.role_name", aServiceAccount: "metadata.service_account_name",
}

var table = newTable()

func newTable() *jsonscan.Table {
	all := paths
	for _, place := range [...]string{"auth.", "response.auth."} {
		for _, path := range authPaths {
			all = append(all, place+path)
		}
	}
	return jsonscan.NewTable(all)
}
