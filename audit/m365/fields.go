package m365

import (
	"strings"

	"github.com/otelcol-custody/custody/audit/internal/jsonscan"
)

// The fields of a record that the mapping wants.
const (
	// Of all records.
	fID = iota
	fTime
	fRecordType
	fOperation
	fOrganization
	fUserType
	fUserKey
	fUserID
	fWorkload
	fResult
	fObject
	fClientIP
	fVersion
	fSession
	fClientApp
	fCorrelation
	fToken
	fIssued
	// Of the directory.
	fActorIP
	fLogonError
	fErrorNumber
	fApplication
	fRequestID
	fInterSystem
	fTargetID
	fTargetKind
	fExtendedName
	fExtendedValue
	fDeviceName
	fDeviceValue
	// Of all workloads that change something.
	fModified
	fModifiedName
	fModifiedOld
	fModifiedNew
	fParameterName
	fParameterValue
	// Of Exchange.
	fMailboxIP
	fMailbox
	fMailboxOwner
	fItem
	fItems
	fClientInfo
	fMailboxSession
	fAppID
	// Of SharePoint and OneDrive.
	fItemType
	fUserAgent
	fFileCorrelation
	fSharedWith
	fSharedWithType
	fEventData
	// Of Teams.
	fTeam
	fTeamName
	fChannel
	fChannelName
	fMember
	fMemberName
	// Of alerts.
	fAlert
	fAlertName
	fSeverity
	fAppName
)

var table = jsonscan.NewTable([]string{
	fID: "Id", fTime: "CreationTime", fRecordType: "RecordType", fOperation: "Operation", fOrganization: "OrganizationId",
	fUserType: "UserType", fUserKey: "UserKey", fUserID: "UserId", fWorkload: "Workload", fResult: "ResultStatus",
	fObject: "ObjectId", fClientIP: "ClientIP", fVersion: "Version",
	fSession: "AppAccessContext.AADSessionId", fClientApp: "AppAccessContext.ClientAppId", fCorrelation: "AppAccessContext.CorrelationId",
	fToken: "AppAccessContext.UniqueTokenId", fIssued: "AppAccessContext.IssuedAtTime",
	fActorIP: "ActorIpAddress", fLogonError: "LogonError", fErrorNumber: "ErrorNumber", fApplication: "ApplicationId",
	fRequestID: "IntraSystemId", fInterSystem: "InterSystemsId", fTargetID: "Target[].ID", fTargetKind: "Target[].Type",
	fExtendedName: "ExtendedProperties[].Name", fExtendedValue: "ExtendedProperties[].Value",
	fDeviceName: "DeviceProperties[].Name", fDeviceValue: "DeviceProperties[].Value",
	fModified: "ModifiedProperties[]", fModifiedName: "ModifiedProperties[].Name", fModifiedOld: "ModifiedProperties[].OldValue", fModifiedNew: "ModifiedProperties[].NewValue",
	fParameterName: "Parameters[].Name", fParameterValue: "Parameters[].Value",
	fMailboxIP: "ClientIPAddress", fMailbox: "MailboxGuid", fMailboxOwner: "MailboxOwnerUPN", fItem: "Item.Id", fItems: "AffectedItems[].Id",
	fClientInfo: "ClientInfoString", fMailboxSession: "SessionId", fAppID: "AppId",
	fItemType: "ItemType", fUserAgent: "UserAgent", fFileCorrelation: "CorrelationId",
	fSharedWith: "TargetUserOrGroupName", fSharedWithType: "TargetUserOrGroupType", fEventData: "EventData",
	fTeam: "TeamGuid", fTeamName: "TeamName", fChannel: "ChannelGuid", fChannelName: "ChannelName",
	fMember: "Members[].UPN", fMemberName: "Members[].DisplayName",
	fAlert: "AlertId", fAlertName: "Name", fSeverity: "Severity", fAppName: "ApplicationDisplayName",
})

// A record is an event with its fields.
type record struct{ *jsonscan.Fields }

// nothing are the values that say that there is none.
var nothing = [...]string{"not available", "not applicable", "<null>", "null", "unknown"}

// known is a value, unless it is one of those that say that there is none, or a zero.
func known(value string) string {
	for _, word := range nothing {
		if len(value) == len(word) && strings.EqualFold(value, word) {
			return ""
		}
	}
	if strings.TrimLeft(value, "0-") == "" {
		return ""
	}
	return value
}

func (r *record) str(field int) string { return known(r.Str(field)) }

// pair is the value of one of a list of names with values.
func (r *record) pair(names, values int, name string) string {
	for _, sp := range r.All(names) {
		if r.Of(sp) == name {
			return known(r.StrAt(values, sp.Element))
		}
	}
	return ""
}

// detail is one of what Microsoft calls extended properties.
func (r *record) detail(name string) string { return r.pair(fExtendedName, fExtendedValue, name) }
