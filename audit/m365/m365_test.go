package m365

import (
	"strings"
	"testing"
	"time"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/audittest"
)

var parse = audittest.Parse(Parse)

func TestGolden(t *testing.T) { parse.Golden(t) }

func FuzzParse(f *testing.F) { parse.Fuzz(f) }

func BenchmarkParse(b *testing.B) { parse.Bench(b) }

// having is a record of an operation with more members.
func having(operation, members string) string {
	return `{"CreationTime":"2025-11-23T08:00:00","Id":"id-1","OrganizationId":"t-1","Operation":"` + operation + `"` + members + `}`
}

func TestHostile(t *testing.T) {
	parse.Hostile(t, having("FileDeleted", `,"ResultStatus":"Succeeded","UserId":"ada@example.com","Workload":"SharePoint"`), "Operation")
}

// The time is UTC, and has no zone, which is no reason for a remark.
func TestTimes(t *testing.T) {
	want := time.Date(2025, 11, 23, 8, 0, 0, 0, time.UTC)
	for _, text := range []string{"2025-11-23T08:00:00", "2025-11-23T08:00:00Z", "2025-11-23T08:00:00.000", "2025-11-23T09:00:00+01:00"} {
		r := parse.One(t, `{"Operation":"x","CreationTime":"`+text+`"}`)
		audittest.Check(t, r, audit.AttrParseError, "", audit.AttrParseWarning, "")
		if !r.Time.Equal(want) {
			t.Errorf("%s is %v", text, r.Time)
		}
	}
	for _, members := range []string{`"CreationTime":"today",`, `"CreationTime":null,`, `"CreationTime":7,`, `"CreationTime":"0001-01-01T00:00:00",`, ""} {
		r := parse.One(t, `{`+members+`"Operation":"x"}`)
		if !r.Time.IsZero() || r.Quarantined || audittest.Text(&r, audit.AttrParseError) == "" {
			t.Errorf("%s: %v", members, r.Time)
		}
	}
}

// Of a sign-in, Succeeded means only that the request was answered.
func TestSignInOutcomes(t *testing.T) {
	for _, c := range []struct{ operation, members, outcome, kind, reason string }{
		{"UserLoggedIn", `"ResultStatus":"Success","ErrorNumber":"0"`, "success", "", ""},
		{"UserLoggedIn", `"ResultStatus":"Succeeded","LogonError":null`, "success", "", ""},
		{"UserLoginFailed", `"ResultStatus":"Succeeded","ErrorNumber":"50126","LogonError":"InvalidUserNameOrPassword"`, "failure", "50126", "InvalidUserNameOrPassword"},
		{"UserLoginFailed", `"ResultStatus":"Success","ErrorNumber":50053`, "failure", "50053", ""},
		{"UserLoginFailed", `"ResultStatus":"Succeeded","ErrorNumber":"50199","LogonError":"CmsiInterrupt"`, "unknown", "50199", "CmsiInterrupt"},
		{"UserLoginFailed", `"ErrorNumber":"0"`, "failure", "", ""},
		{"UserLoggedIn", `"ResultStatus":"Failed"`, "failure", "", ""},
		{"UserLoginFailed", `"ResultStatus":"Succeeded"`, "failure", "", ""},
		{"UserLoggedIn", `"ResultStatus":"Succeeded","LogonError":"BlockedByConditionalAccess"`, "failure", "BlockedByConditionalAccess", "BlockedByConditionalAccess"},
		{"UserLoggedIn", `"ResultStatus":"Succeeded","ErrorNumber":"53003"`, "failure", "53003", ""},
		{"UserLoginFailed", `"ResultStatus":"Succeeded","ErrorNumber":"50140","LogonError":"KmsiInterrupt"`, "unknown", "50140", "KmsiInterrupt"},
	} {
		r := parse.One(t, having(c.operation, `,"RecordType":15,"Workload":"AzureActiveDirectory",`+c.members))
		audittest.Check(t, r, audit.AttrOutcome, c.outcome, audit.AttrErrorType, c.kind, audit.AttrOutcomeReason, c.reason, audit.AttrOCSFType, "300201")
	}
}

func TestResultStatus(t *testing.T) {
	for result, want := range map[string]string{
		`"True"`: "success", `"False"`: "failure", `true`: "success", `false`: "failure",
		`"Succeeded"`: "success", `"success"`: "success", `"Success"`: "success", `"Failed"`: "failure", `"Failure"`: "failure",
		`"PartiallySucceeded"`: "unknown", `"Perhaps"`: "unknown", `null`: "success", `""`: "success",
	} {
		audittest.Check(t, parse.One(t, having("Set-Mailbox", `,"ResultStatus":`+result)), audit.AttrOutcome, want)
	}
	audittest.Check(t, parse.One(t, having("x", `,"ResultStatus":"PartiallySucceeded"`)), audit.AttrOutcomeReason, "PartiallySucceeded")
	audittest.Check(t, parse.One(t, having("FileAccessed", "")), audit.AttrOutcome, "success")
	// An access request that somebody denied is a decision that was made.
	audittest.Check(t, parse.One(t, having("AccessRequestDenied", "")), audit.AttrOutcome, "success")
}

func TestClientIP(t *testing.T) {
	for members, want := range map[string][4]string{
		`"ClientIP":"203.0.113.7"`:                       {"203.0.113.7", "ipv4", "203.0.113.7", ""},
		`"ClientIP":"203.0.113.7:51234"`:                 {"203.0.113.7:51234", "ipv4", "203.0.113.7", "51234"},
		`"ClientIP":"[2001:db8::7]:51234"`:               {"[2001:db8::7]:51234", "ipv6", "2001:db8::7", "51234"},
		`"ClientIP":"[2001:db8::7]"`:                     {"[2001:db8::7]", "ipv6", "2001:db8::7", ""},
		`"ClientIP":"2001:db8::7"`:                       {"2001:db8::7", "ipv6", "2001:db8::7", ""},
		`"ClientIP":null`:                                {"", "", "", ""},
		`"ClientIP":""`:                                  {"", "", "", ""},
		`"ClientIP":"<null>","ActorIpAddress":"<null>"`:  {"", "", "", ""},
		`"ClientIP":null,"ActorIpAddress":"203.0.113.8"`: {"203.0.113.8", "ipv4", "203.0.113.8", ""},
		`"ClientIPAddress":"198.51.100.9"`:               {"198.51.100.9", "ipv4", "198.51.100.9", ""},
		`"ClientIP":"::ffff:203.0.113.7"`:                {"::ffff:203.0.113.7", "ipv4", "203.0.113.7", ""},
		`"ClientIP":"[::ffff:203.0.113.7]:443"`:          {"[::ffff:203.0.113.7]:443", "ipv4", "203.0.113.7", "443"},
		`"ClientIP":"[somewhere]"`:                       {"[somewhere]", "", "", ""},
	} {
		r := parse.One(t, having("x", ","+members))
		audittest.Check(t, r, audit.AttrSourceID, want[0], audit.AttrSourceType, want[1], audit.AttrClientAddress, want[2], audit.AttrClientPort, want[3])
	}
}

func TestActors(t *testing.T) {
	for members, want := range map[string][3]string{
		`"UserKey":"k","UserId":"ada@example.com","UserType":0`:                           {"k", "user", "Regular"},
		`"UserKey":"Not Available","UserId":"ada@example.com","UserType":0`:               {"ada@example.com", "user", "Regular"},
		`"UserKey":"00000000-0000-0000-0000-000000000000","UserId":"eve","UserType":"10"`: {"eve", "user", "Guest"},
		`"UserKey":"k","UserId":"ada","UserType":"Admin"`:                                 {"k", "user", "Admin"},
		`"UserId":"NT AUTHORITY\\SYSTEM (Service)","UserType":4`:                          {`NT AUTHORITY\SYSTEM (Service)`, "system", "System"},
		`"UserId":"ServicePrincipal_1","UserType":4`:                                      {"ServicePrincipal_1", "service", "System"},
		`"UserId":"app@sharepoint","UserType":5`:                                          {"app@sharepoint", "service", "Application"},
		`"UserId":"x","UserType":6`:                                                       {"x", "service", "ServicePrincipal"},
		`"UserId":"x","UserType":99`:                                                      {"x", "user", "99"},
		`"UserId":"Not Available","UserKey":"Not Available"`:                              {"", "", ""},
	} {
		r := parse.One(t, having("x", ","+members))
		audittest.Check(t, r, audit.AttrActorID, want[0], audit.AttrActorType, want[1], audit.AttrActorTypeOriginal, want[2])
	}
}

func TestCategories(t *testing.T) {
	for number, want := range map[string]string{"15": "AzureActiveDirectoryStsLogon", "8": "AzureActiveDirectory", "9999": "9999", "null": ""} {
		audittest.Check(t, parse.One(t, having("x", `,"RecordType":`+number)), audit.AttrCategory, want)
	}
}

func TestClasses(t *testing.T) {
	const directory = "AzureActiveDirectory"
	for _, c := range [][4]string{
		{directory, "UserLoggedIn", "300201", "LOGIN"}, {directory, "UserLoginFailed", "300201", "LOGIN"},
		{directory, "Add user.", "300101", "CREATE"}, {directory, "Delete user.", "300106", "DELETE"}, {directory, "Reset user password.", "300104", "UPDATE"},
		{directory, "Disable account.", "300105", "UPDATE"}, {directory, "Add member to group.", "300603", "UPDATE"}, {directory, "Remove member from group.", "300604", "UPDATE"},
		{directory, "Add member to role.", "300501", "CREATE"}, {directory, "Remove member from role.", "300502", "DELETE"}, {directory, "Consent to application.", "300501", "CREATE"},
		{directory, "Add eligible member to role in PIM completed (timebound).", "300501", "CREATE"}, {directory, "Add member to role requested (PIM activation).", "300599", "OTHER"},
		{directory, "Update policy.", "300403", "UPDATE"},
		{"Exchange", "Add-MailboxPermission", "300501", "CREATE"}, {"Exchange", "New-Mailbox", "300101", "CREATE"}, {"Exchange", "Set-Mailbox", "300199", "UPDATE"},
		{"Exchange", "New-InboxRule", "600301", "CREATE"}, {"Exchange", "Get-Mailbox", "600302", "READ"}, {"Exchange", "Set-AdminAuditLogConfig", "600303", "UPDATE"},
		{"Exchange", "HardDelete", "600304", "DELETE"}, {"Exchange", "MailItemsAccessed", "600302", "READ"}, {"Exchange", "SendAs", "600399", "EXECUTE"},
		{"Exchange", "MoveToDeletedItems", "600304", "DELETE"}, {"Exchange", "UpdateInboxRules", "600303", "UPDATE"}, {"Exchange", "MailboxLogin", "300201", "LOGIN"},
		{"SharePoint", "FileDownloaded", "600302", "READ"}, {"SharePoint", "FileUploaded", "600301", "CREATE"}, {"SharePoint", "FileRecycled", "600304", "DELETE"},
		{"SharePoint", "AnonymousLinkCreated", "300501", "CREATE"}, {"SharePoint", "AddedToGroup", "300603", "UPDATE"},
		{"MicrosoftTeams", "MemberAdded", "300603", "UPDATE"}, {"MicrosoftTeams", "TeamCreated", "300606", "CREATE"}, {"MicrosoftTeams", "TeamsSessionStarted", "300201", "LOGIN"},
		{"SecurityComplianceCenter", "AlertTriggered", "200401", "DETECT"}, {"", "Nonsense", "600399", "OTHER"}, {"", "Frob-Things", "600399", "OTHER"},
	} {
		r := parse.One(t, having(c[1], `,"Workload":"`+c[0]+`"`))
		audittest.Check(t, r, audit.AttrOperation, c[1], audit.AttrOCSFType, c[2], audit.AttrAction, c[3])
	}
}

func TestChanges(t *testing.T) {
	for members, want := range map[string]string{
		`"ModifiedProperties":[{"Name":"A","NewValue":"\"x\"","OldValue":"[]"},{"Name":"B","NewValue":"","OldValue":"y"},{"NewValue":"no name"}]`: "path=A old=[] new=x | path=B old=y",
		`"ModifiedProperties":["Subject","Body"]`:                                               "path=Subject | path=Body",
		`"ModifiedProperties":[{"Name":"A","NewValue":{"n":9007199254740993},"OldValue":null}]`: `path=A new={"n":9007199254740993}`,
		`"ModifiedProperties":[]`:                                                               "",
		`"ModifiedProperties":null`:                                                             "",
		`"Parameters":[{"Name":"ForwardingSmtpAddress","Value":"smtp:x@example.net"}]`:          "path=ForwardingSmtpAddress new=smtp:x@example.net",
		`"Parameters":[{"Name":"NewPassword","Value":"hunter2"}]`:                               "path=NewPassword",
		`"ExtendedProperties":[{"Name":"UserAgent","Value":"x"}]`:                               "",
	} {
		audittest.Check(t, parse.One(t, having("Set-Mailbox", ","+members)), audit.AttrChanges, want)
	}
	// The parameters of a cmdlet that only reads change nothing.
	audittest.Check(t, parse.One(t, having("Get-Mailbox", `,"Parameters":[{"Name":"Identity","Value":"x"}]`)), audit.AttrChanges, "")
}

func TestTargets(t *testing.T) {
	const eve = `"Workload":"AzureActiveDirectory","ObjectId":"eve@example.com","Target":[{"ID":"User_e1","Type":2},{"ID":"e1","Type":2},{"ID":"User","Type":2},{"ID":"eve@example.com","Type":5}]`
	for _, c := range [][3]string{
		{"Update user.", eve, "id=e1 type=user name=eve@example.com"},
		{"Remove member from group.", eve + `,"ModifiedProperties":[{"Name":"Group.ObjectID","NewValue":"","OldValue":"\"g1\""}]`, "id=g1 type=group | id=e1 type=user name=eve@example.com"},
		{"Add member to role.", eve + `,"ModifiedProperties":[{"Name":"Role.ObjectID","NewValue":"r1"},{"Name":"Role.DisplayName","NewValue":"Admin"}]`, "id=e1 type=user name=eve@example.com | id=r1 type=role name=Admin"},
		{"UserLoggedIn", `"ObjectId":"app-1","Target":[{"ID":"app-1","Type":0}]`, "id=app-1 type=application"},
		{"Update user.", `"Target":[{"ID":"User","Type":2},{"ID":"eve@example.com","Type":5}]`, "id=eve@example.com"},
		{"FileAccessed", `"ObjectId":"https://a.example/x","ItemType":"File"`, "id=https://a.example/x type=file"},
		{"SoftDelete", `"MailboxGuid":"m1","MailboxOwnerUPN":"eve@example.com","AffectedItems":[{"Id":"i1"},{"Id":"i2"}]`, "id=m1 type=mailbox name=eve@example.com | id=i1 type=item | id=i2 type=item"},
		{"AddedToGroup", `"ObjectId":"https://a.example","TargetUserOrGroupName":"eve","TargetUserOrGroupType":"Member","EventData":"<Group>Site Owners</Group>"`,
			"id=Site Owners type=group name=Site Owners | id=https://a.example | id=eve type=member"},
		{"Add-MailboxPermission", `"ObjectId":"mbx","Parameters":[{"Name":"Identity","Value":"mbx"},{"Name":"User","Value":"eve"}]`, "id=eve type=user | id=mbx"},
		{"Add-DistributionGroupMember", `"ObjectId":"grp","Parameters":[{"Name":"Member","Value":"eve"}]`, "id=grp | id=eve type=user"},
		{"SharingSet", `"ObjectId":"https://a.example/x","ItemType":"File","TargetUserOrGroupName":"eve","TargetUserOrGroupType":"Guest"`, "id=eve type=guest | id=https://a.example/x type=file"},
		{"ChannelAdded", `"TeamGuid":"t","ChannelGuid":"c"`, "id=t type=team | id=c type=channel"},
		{"x", `"ObjectId":"Not Available"`, "id=t-1 type=tenant"},
	} {
		r := parse.One(t, having(c[0], ","+c[1]))
		got := audittest.Text(&r, audit.AttrTargets)
		if got == "" {
			got = "id=" + audittest.Text(&r, audit.AttrTargetID)
			if v := audittest.Text(&r, audit.AttrTargetType); v != "" {
				got += " type=" + v
			}
			if v := audittest.Text(&r, audit.AttrTargetName); v != "" {
				got += " name=" + v
			}
		}
		if got != c[2] {
			t.Errorf("%s: targets %q, want %q", c[0], got, c[2])
		}
	}
}

// Records of one blob belong to the tenants and workloads that they name.
func TestMixedResources(t *testing.T) {
	records := parse.Records(t, []byte(`[{"Operation":"x","OrganizationId":"T1","Workload":"Exchange"},{"Operation":"x","OrganizationId":"t2","Workload":"SharePoint"}]`))
	for i, want := range []audit.Resource{
		{Product: "Microsoft 365", OrgID: "t1", Stream: "Exchange"}, {Product: "Microsoft 365", OrgID: "t2", Stream: "SharePoint"},
	} {
		if records[i].Resource != want {
			t.Errorf("record %d belongs to %+v", i, records[i].Resource)
		}
	}
}

// What a webhook gets to try it out, and what tells of new content, are no records; they
// are kept.
func TestWebhookMessages(t *testing.T) {
	for _, data := range []string{`{"validationCode":"v-1"}`, `[{"tenantId":"t","contentType":"Audit.Exchange","contentId":"c","contentUri":"https://example.com/c"}]`} {
		if r := parse.One(t, data); !r.Quarantined || !strings.Contains(data, string(r.Body)) {
			t.Errorf("%s is taken for a record", data)
		}
	}
}

// Records come in no order, and an id that comes again with other content is another
// record.
func TestOrderAndIDs(t *testing.T) {
	late, early := having("x", `,"UserId":"a"`), `{"CreationTime":"2025-11-22T08:00:00","Id":"id-1","OrganizationId":"t-1","Operation":"x"}`
	records := parse.Records(t, []byte("["+late+","+early+","+late+"]"))
	id := func(i int) string { return audittest.Text(&records[i], audit.AttrRecordID) }
	if len(records) != 3 || id(0) == id(1) || id(0) != id(2) || !records[1].Time.Before(records[0].Time) {
		t.Errorf("%+v", records)
	}
	audittest.Check(t, records[1], audit.AttrOriginalID, "id-1")
}
