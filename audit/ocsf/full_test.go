package ocsf_test

import (
	"maps"
	"slices"
	"time"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/ocsf"
)

var when = time.Date(2026, 3, 1, 12, 0, 0, 123456789, time.UTC)

// full is a record of a class with nearly every attribute that there is.
func full(class audit.Class, activity int64, action string, res audit.Resource, targets ...[]audit.Attribute) ocsf.Record {
	s := audit.StringAttr
	attributes := []audit.Attribute{
		s(audit.AttrRecordID, "9f2c41d07ab6538e1c94f0d3a7e5628b"), s(audit.AttrOriginalID, "native-1"), s(audit.AttrSchemaVersion, "1.11"),
		s(audit.AttrCorrelationID, "corr-1"), audit.BoolAttr(audit.AttrTruncated, true), s(audit.AttrPhase, "Success"),
		s(audit.AttrAction, action), s(audit.AttrOperation, "DoIt"), s(audit.AttrService, "things.example.com"), s(audit.AttrAPIVersion, "v1"),
		s(audit.AttrRequestID, "req-1"), s(audit.AttrAWSRequestID, "req-1"), s(audit.AttrCategory, "management"),
		s(audit.AttrOutcome, audit.OutcomeFailure), s(audit.AttrOutcomeReason, "not authorized"), s(audit.AttrErrorType, "AccessDenied"),
		audit.IntAttr(audit.AttrHTTPStatus, 403), s(audit.AttrHTTPMethod, "POST"), s(audit.AttrURLPath, "/v1/things"),
		s(audit.AttrActorID, "user-1"), s(audit.AttrActorType, audit.ActorUser), s(audit.AttrActorTypeOriginal, "IAMUser"),
		s(audit.AttrActorAccountID, "111122223333"), s(audit.AttrActorCredentialID, "key-1"), s(audit.AttrSessionIssuer, "issuer-1"),
		s(audit.AttrSessionName, "session-name"), audit.BoolAttr(audit.AttrSessionMFA, true), s(audit.AttrSessionCreated, "2026-03-01T11:00:00Z"),
		s(audit.AttrSessionID, "session-1"), s(audit.AttrActorAppID, "app-1"), s(audit.AttrActorAppName, "Console"), s(audit.AttrActorIDP, "idp.example.com"),
		audit.StringsAttr(audit.AttrActorDelegation, []string{"first", "second"}), s(audit.AttrUserID, "alt-1"), s(audit.AttrUserName, "ada"),
		s(audit.AttrUserEmail, "ada@example.com"), s(audit.AttrUserFullName, "Ada Example"), audit.StringsAttr(audit.AttrUserRoles, []string{"auditors"}),
		s(audit.AttrSourceID, "192.0.2.7:5050"), s(audit.AttrSourceType, audit.SourceIPv4), s(audit.AttrClientAddress, "192.0.2.7"), audit.IntAttr(audit.AttrClientPort, 5050),
		audit.StringsAttr(audit.AttrSourceChain, []string{"198.51.100.4", "2001:db8::1"}), s(audit.AttrUserAgent, "curl/8"), s(audit.AttrTLSVersion, "1.3"),
		s(audit.AttrGeoCountry, "DE"), s(audit.AttrGeoLocality, "Berlin"), s(audit.AttrK8sCluster, "prod"), s(audit.AttrK8sNamespace, "shop"),
		s(audit.AttrFindingSeverity, "High"), s(audit.AttrCloudResourceID, "//things.example.com/1"),
		audit.MapsAttr(audit.AttrChanges, [][]audit.Attribute{{s("path", "roles/owner"), s("new", "user:ada@example.com")}}),
		audit.StringsAttr(audit.AttrPrivileges, []string{"Reader", "arn:aws:iam::aws:policy/ReadOnly"}),
		audit.IntAttr(audit.AttrOCSFClass, class.UID), audit.IntAttr(audit.AttrOCSFActivity, activity),
		audit.IntAttr(audit.AttrOCSFType, class.UID*100+activity), s(audit.AttrOCSFVersion, audit.OCSFVersion),
	}
	if len(targets) > 0 {
		for _, a := range targets[0] {
			attributes = append(attributes, s("audit.target."+a.Key, a.Value.Str))
		}
	}
	if len(targets) > 1 {
		attributes = append(attributes, audit.MapsAttr(audit.AttrTargets, targets))
	}
	return ocsf.Record{
		Record:   audit.Record{Body: []byte(`{"native":"event"}`), EventName: class.Event, Time: when, Attributes: attributes, Resource: res},
		Observed: when.Add(time.Minute), Receiver: "things/1", Log: "gateway-1", Index: 42,
	}
}

func aTarget(id, typ string) []audit.Attribute {
	return []audit.Attribute{audit.StringAttr("id", id), audit.StringAttr("type", typ), audit.StringAttr("name", id+" name"),
		audit.StringAttr("account.id", "444455556666"), audit.StringAttr("region", "eu-west-1")}
}

// fullRecords are one record of each class, and some of what differs.
func fullRecords() []ocsf.Record {
	cloud := audit.Resource{Provider: "aws", AccountID: "111122223333", Region: "eu-central-1", OrgID: "o-1", Product: "AWS CloudTrail", Stream: "CloudTrail"}
	own := audit.Resource{Product: "Things", AccountID: "acme", Region: "here", OrgID: "acme-corp", Stream: "audit"}
	user, group, role, app, box := aTarget("u-1", "AWS::IAM::User"), aTarget("g-1", "group"), aTarget("r-1", "role"), aTarget("a-1", "application"), aTarget("b-1", "bucket")
	return []ocsf.Record{
		full(audit.ClassAPI, audit.APIRead, audit.ActionRead, cloud, box),
		full(audit.ClassAPI, audit.ActivityOther, audit.ActionExecute, own, box, user),
		full(audit.ClassAccountChange, 7, audit.ActionUpdate, cloud, user, role),
		full(audit.ClassAccountChange, 3, audit.ActionUpdate, own),
		full(audit.ClassAuthentication, audit.AuthLogon, audit.ActionLogin, cloud, app),
		full(audit.ClassAuthentication, audit.AuthLogoff, audit.ActionLogout, own, user),
		full(audit.ClassAuthorizeSession, 1, audit.ActionUpdate, cloud, user, role),
		full(audit.ClassAuthorizeSession, 2, audit.ActionUpdate, own, group),
		full(audit.ClassEntity, 3, audit.ActionUpdate, cloud, box),
		full(audit.ClassUserAccess, 1, audit.ActionCreate, cloud, user, role, box),
		full(audit.ClassUserAccess, 2, audit.ActionDelete, own),
		full(audit.ClassGroup, 3, audit.ActionUpdate, cloud, group, user, role, box),
		full(audit.ClassGroup, 7, audit.ActionUpdate, own, group, aTarget("g-2", "group")),
		full(audit.ClassFinding, audit.FindingCreate, audit.ActionDetect, cloud, box),
	}
}

// fullKeys are the names of all attributes.
func fullKeys() []string {
	all := map[string]bool{audit.AttrTargets: true}
	for _, rec := range fullRecords() {
		for _, a := range rec.Attributes {
			all[a.Key] = true
		}
	}
	return slices.Sorted(maps.Keys(all))
}
