package cloudtrail

import (
	"strings"
	"testing"
	"time"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/internal/draft"
)

// event returns an event with the given members, written without outer braces.
func event(members ...string) string {
	return `{"eventVersion":"1.11","eventTime":"2026-11-20T09:00:00Z",` + strings.Join(members, ",") + `}`
}

func TestOutcome(t *testing.T) {
	tests := []struct{ name, event, outcome, code, reason string }{
		{"plain", event(`"eventName":"GetUser"`), "success", "", ""},
		{"error code", event(`"errorCode":"AccessDenied","errorMessage":"no"`), "failure", "AccessDenied", "no"},
		{"null error code", event(`"errorCode":null,"responseElements":null`), "success", "", ""},
		{"console login failed", event(`"eventName":"ConsoleLogin","responseElements":{"ConsoleLogin":"Failure"}`), "failure", "", ""},
		{"console login worked", event(`"eventName":"ConsoleLogin","responseElements":{"ConsoleLogin":"Success"}`), "success", "", ""},
		{"message without code", event(`"eventName":"ConsoleLogin","errorMessage":"Failed authentication","responseElements":{"ConsoleLogin":"Failure"}`), "failure", "", "Failed authentication"},
		{"second factor failed", event(`"eventName":"CheckMfa","responseElements":{"CheckMfa":"Failure"}`), "failure", "", ""},
		{"identity center", event(`"serviceEventDetails":{"CredentialVerification":"Failure"}`), "failure", "", ""},
		{"error in the response", event(`"responseElements":{"errorCode":"Throttled","errorMessage":"slow"}`), "failure", "Throttled", "slow"},
		{"failure deeper down means nothing", event(`"responseElements":{"x":{"ConsoleLogin":"Failure"}}`), "success", "", ""},
		{"failure in the request means nothing", event(`"requestParameters":{"ConsoleLogin":"Failure"}`), "success", "", ""},
		{"endpoint policy", event(`"eventCategory":"NetworkActivity","errorCode":"VpceAccessDenied"`), "failure", "VpceAccessDenied", ""},
		{"insight about errors", event(`"eventCategory":"Insight","insightDetails":{"state":"Start","errorCode":"AccessDenied"}`), "unknown", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			check(t, one(t, tt.event), audit.AttrOutcome, tt.outcome, audit.AttrErrorType, tt.code, audit.AttrOutcomeReason, tt.reason)
		})
	}
}

func TestSource(t *testing.T) {
	tests := []struct{ in, kind, client string }{
		{"198.51.100.7", "ipv4", "198.51.100.7"},
		{"2001:db8::1", "ipv6", "2001:db8::1"},
		{"::ffff:198.51.100.7", "ipv6", "::ffff:198.51.100.7"},
		{"AWS Internal", "service", ""},
		{"secretsmanager.amazonaws.com", "service", ""},
		{"rds.amazonaws.com.cn", "service", ""},
		{"evil-amazonaws.com", "hostname", "evil-amazonaws.com"},
		{"gw.example.org", "hostname", "gw.example.org"},
		{"HIDDEN_DUE_TO_SECURITY_REASONS", "redacted", ""},
		{"300.1.1.1", "", ""},
		{"10.0.0.1, 10.0.0.2", "", ""},
		{"localhost", "", ""},
		{"-x.example.org", "", ""},
		{"a..b", "", ""},
	}
	for _, tt := range tests {
		r := one(t, event(`"sourceIPAddress":"`+tt.in+`"`))
		check(t, r, audit.AttrSourceID, tt.in, audit.AttrSourceType, tt.kind, audit.AttrClientAddress, tt.client)
	}
	r := one(t, event(`"tlsDetails":{"tlsVersion":"TLSv1.3","cipherSuite":"TLS_AES_128_GCM_SHA256"},"userAgent":"aws-cli/2"`))
	check(t, r, audit.AttrSourceID, "", audit.AttrTLSVersion, "1.3", audit.AttrTLSCipher, "TLS_AES_128_GCM_SHA256", audit.AttrUserAgent, "aws-cli/2")
}

func TestActor(t *testing.T) {
	const role = `"type":"AssumedRole","principalId":"AROAX:alice","arn":"arn:aws:sts::111122223333:assumed-role/R/alice"`
	tests := []struct{ name, identity, more, id, kind string }{
		{"root", `{"type":"Root","arn":"arn:aws:iam::111122223333:root"}`, "", "arn:aws:iam::111122223333:root", "user"},
		{"user", `{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/al","userName":"al"}`, "", "arn:aws:iam::111122223333:user/al", "user"},
		{"user whose name is hidden", `{"type":"IAMUser","accountId":"111122223333","userName":"HIDDEN_DUE_TO_SECURITY_REASONS"}`, "", "HIDDEN_DUE_TO_SECURITY_REASONS", "user"},
		{"role", `{` + role + `}`, "", "arn:aws:sts::111122223333:assumed-role/R/alice", "user"},
		{"role passed on by a service", `{` + role + `,"invokedBy":"cloudformation.amazonaws.com"}`, "", "arn:aws:sts::111122223333:assumed-role/R/alice", "user"},
		{"role of a machine", `{` + role + `,"sessionContext":{"ec2RoleDelivery":"2.0"}}`, "", "arn:aws:sts::111122223333:assumed-role/R/alice", "service"},
		{"role of a machine by session name", `{"type":"AssumedRole","principalId":"AROAX:i-0abc"}`, "", "AROAX:i-0abc", "service"},
		{"role of a service", `{` + role + `,"sessionContext":{"sessionIssuer":{"arn":"arn:aws:iam::1:role/aws-service-role/x/y"}}}`, "", "arn:aws:sts::111122223333:assumed-role/R/alice", "service"},
		{"role from the console", `{` + role + `,"sessionContext":{"ec2RoleDelivery":"2.0"}}`, `,"sessionCredentialFromConsole":"true"`, "arn:aws:sts::111122223333:assumed-role/R/alice", "user"},
		{"service", `{"type":"AWSService","invokedBy":"ec2.amazonaws.com"}`, "", "ec2.amazonaws.com", "service"},
		{"other account", `{"type":"AWSAccount","principalId":"AIDAX:bob","accountId":"444455556666"}`, "", "AIDAX:bob", "service"},
		{"saml", `{"type":"SAMLUser","principalId":"x:alice@example.org","userName":"alice@example.org"}`, "", "x:alice@example.org", "user"},
		{"web identity", `{"type":"WebIdentityUser","principalId":"accounts.example.org:1"}`, "", "accounts.example.org:1", "user"},
		{"directory", `{"type":"Directory","userName":"al"}`, "", "al", "user"},
		{"identity center", `{"type":"IdentityCenterUser","accountId":"1","onBehalfOf":{"userId":"u-1","identityStoreArn":"arn:aws:identitystore::1:identitystore/d-1"}}`, "",
			"arn:aws:identitystore::1:identitystore/d-1/u-1", "user"},
		{"service event without a type", `{"accountId":"111122223333","invokedBy":"health.amazonaws.com"}`, `,"eventType":"AwsServiceEvent"`, "health.amazonaws.com", "service"},
		{"service event without anybody", `{"accountId":"111122223333"}`, `,"eventType":"AwsServiceEvent","eventSource":"kms.amazonaws.com"`, "kms.amazonaws.com", "service"},
		{"a call by nobody", `null`, `,"eventSource":"kms.amazonaws.com"`, "", ""},
		{"a kind of the future", `{"type":"Robot","arn":"arn:x"}`, "", "arn:x", "user"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			check(t, one(t, event(`"userIdentity":`+tt.identity+tt.more)), audit.AttrActorID, tt.id, audit.AttrActorType, tt.kind)
		})
	}
}

func TestSession(t *testing.T) {
	r := one(t, event(`"userIdentity":{"type":"AssumedRole","principalId":"AROAX:alice","accessKeyId":"ASIAIOSFODNN7EXAMPLE",`+
		`"sessionContext":{"sourceIdentity":"alice@example.org","webIdFederationData":{"federatedProvider":"oidc.example.org"},`+
		`"sessionIssuer":{"type":"Role","arn":"arn:aws:iam::1:role/R"},"attributes":{"creationDate":"2026-11-20T08:00:00Z","mfaAuthenticated":"true"}},`+
		`"onBehalfOf":{"userId":"u-1","identityStoreArn":"arn:store"},"invokedByDelegate":{"accountId":"444455556666"},`+
		`"inScopeOf":{"sourceArn":"arn:src","credentialsIssuedTo":"arn:fn"}}`))
	check(t, r,
		audit.AttrSessionIssuer, "arn:aws:iam::1:role/R", audit.AttrSessionName, "alice", audit.AttrUserID, "AROAX:alice",
		audit.AttrSessionCreated, "2026-11-20T08:00:00Z", audit.AttrSessionMFA, "true", audit.AttrUserRoles, "arn:aws:iam::1:role/R",
		audit.AttrActorCredentialID, "ASIAIOSFODNN7EXAMPLE", audit.AttrActorIDP, "oidc.example.org", audit.AttrActorAppID, "arn:fn",
		audit.AttrActorDelegation, "alice@example.org | arn:store/u-1 | 444455556666")

	for in, want := range map[string]string{`"Yes"`: "true", `"No"`: "false", `true`: "true", `false`: "false", `"maybe"`: "", `null`: ""} {
		check(t, one(t, event(`"additionalEventData":{"MFAUsed":`+in+`}`)), audit.AttrSessionMFA, want)
	}
}

func TestTarget(t *testing.T) {
	tests := []struct{ name, event, id, typ, resource string }{
		{"resource", event(`"resources":[{"ARN":"arn:aws:kms:eu-central-1:1:key/k","type":"AWS::KMS::Key","accountId":"1"}]`), "arn:aws:kms:eu-central-1:1:key/k", "AWS::KMS::Key", "arn:aws:kms:eu-central-1:1:key/k"},
		{"resource before parameters", event(`"resources":[{"ARN":"arn:a"}],"requestParameters":{"keyId":"k"}`), "arn:a", "", "arn:a"},
		{"prefix", event(`"resources":[{"type":"AWS::S3::Object","ARNPrefix":"arn:aws:s3:::b/"}]`), "arn:aws:s3:::b/", "AWS::S3::Object", "arn:aws:s3:::b/"},
		{"several", event(`"resources":[{"ARN":"arn:a","type":"A"},{"ARN":"arn:b"}]`), "arn:a", "A", ""},
		{"resources without a name", event(`"resources":[{"type":"A"},{}],"requestParameters":{"keyId":"k"}`), "k", "AWS::KMS::Key", ""},
		{"resources is an object", event(`"resources":{"ARN":"arn:a"}`), "", "", ""},
		{"bucket", event(`"eventSource":"s3.amazonaws.com","requestParameters":{"bucketName":"b"}`), "b", "AWS::S3::Bucket", ""},
		{"object", event(`"eventSource":"s3.amazonaws.com","requestParameters":{"bucketName":"b","key":"k/1"}`), "b/k/1", "AWS::S3::Object", ""},
		{"user", event(`"eventSource":"iam.amazonaws.com","requestParameters":{"policyArn":"arn:p","userName":"al"}`), "al", "AWS::IAM::User", ""},
		{"group before user", event(`"eventSource":"iam.amazonaws.com","requestParameters":{"userName":"al","groupName":"g"}`), "g", "AWS::IAM::Group", ""},
		{"role by arn", event(`"eventSource":"sts.amazonaws.com","requestParameters":{"roleArn":"arn:aws:iam::1:role/R"}`), "arn:aws:iam::1:role/R", "AWS::IAM::Role", "arn:aws:iam::1:role/R"},
		{"list in the request", event(`"requestParameters":{"instancesSet":{"items":[{"instanceId":"i-1"},{"instanceId":"i-2"}]}}`), "i-1", "AWS::EC2::Instance", ""},
		{"wrapped", event(`"requestParameters":{"DeleteNatGatewayRequest":{"NatGatewayId":"nat-1"}}`), "nat-1", "AWS::EC2::NatGateway", ""},
		{"wrapped twice", event(`"requestParameters":{"DeleteFlowLogsRequest":{"FlowLogId":{"tag":1,"content":"fl-\u0031"}}}`), "fl-1", "AWS::EC2::FlowLog", ""},
		{"wrapped without content", event(`"requestParameters":{"DeleteFlowLogsRequest":{"FlowLogId":{"tag":1,"content":{"content":"x"}},"flowLogId":"x"}}`), "", "", ""},
		{"wrapped in nothing", event(`"requestParameters":{"DeleteFlowLogsRequest":{"FlowLogId":{},"":"x"}}`), "", "", ""},
		{"filters are no targets", event(`"requestParameters":{"filterSet":{"items":[{"name":"vpc-id"}]}}`), "", "", ""},
		{"list in the response", event(`"requestParameters":{"instancesSet":{"items":[{"imageId":"ami-1"}]}},"responseElements":{"instancesSet":{"items":[{"instanceId":"i-1"}]}}`), "i-1", "AWS::EC2::Instance", ""},
		{"parameter is a number", event(`"requestParameters":{"id":9007199254740993}`), "9007199254740993", "", ""},
		{"sign-in", event(`"eventSource":"signin.amazonaws.com","eventName":"ConsoleLogin","recipientAccountId":"111122223333"`), "111122223333", "AWS::Account", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			check(t, one(t, tt.event), audit.AttrTargetID, tt.id, audit.AttrTargetType, tt.typ, audit.AttrCloudResourceID, tt.resource)
		})
	}
	r := one(t, tests[3].event)
	check(t, r, audit.AttrTargets, "id=arn:a type=A | id=arn:b")
	many := event(`"resources":[` + strings.Repeat(`{"ARN":"arn:x"},`, draft.MaxTargets+9) + `{"ARN":"arn:y"}]`)
	r = one(t, many)
	if v, _ := r.Get(audit.AttrTargets); len(v.Maps) != draft.MaxTargets || text(&r, audit.AttrParseWarning) != "" {
		t.Errorf("%d targets, want %d; warning %q", len(v.Maps), draft.MaxTargets, text(&r, audit.AttrParseWarning))
	}
}

func TestClass(t *testing.T) {
	tests := []struct{ service, name, more, event, action, typeUID string }{
		{"signin", "ConsoleLogin", "", audit.EventAuthentication, "LOGIN", "300201"},
		{"signin", "CheckMfa", "", audit.EventAuthentication, "EXECUTE", "300299"},
		{"signin", "ExitRole", "", audit.EventAuthentication, "LOGOUT", "300202"},
		{"sts", "AssumeRole", "", audit.EventAuthentication, "LOGIN", "300201"},
		{"sts", "AssumeRoleWithSAML", "", audit.EventAuthentication, "LOGIN", "300201"},
		{"sts", "AssumeRoot", "", audit.EventAuthentication, "LOGIN", "300201"},
		{"sts", "GetCallerIdentity", "", audit.EventAPIActivity, "READ", "600302"},
		{"iam", "CreateUser", "", audit.EventAccountChange, "CREATE", "300101"},
		{"iam", "AttachRolePolicy", "", audit.EventAccountChange, "UPDATE", "300107"},
		{"iam", "DeactivateMFADevice", "", audit.EventAccountChange, "UPDATE", "300111"},
		{"iam", "AddUserToGroup", "", audit.EventGroupManagement, "UPDATE", "300603"},
		{"iam", "ListUsers", "", audit.EventAPIActivity, "READ", "600302"},
		{"sso", "CreateAccountAssignment", "", audit.EventUserAccess, "CREATE", "300501"},
		{"s3", "PutObject", "", audit.EventAPIActivity, "CREATE", "600301"},
		{"ec2", "RunInstances", "", audit.EventAPIActivity, "CREATE", "600301"},
		{"ec2", "ModifyInstanceAttribute", "", audit.EventAPIActivity, "UPDATE", "600303"},
		{"ec2", "TerminateInstances", "", audit.EventAPIActivity, "DELETE", "600304"},
		{"dynamodb", "BatchGetItem", "", audit.EventAPIActivity, "READ", "600302"},
		{"cognito-idp", "AdminDeleteUser", "", audit.EventAPIActivity, "DELETE", "600304"},
		{"kms", "Decrypt", "", audit.EventAPIActivity, "EXECUTE", "600399"},
		{"x", "Frobnicate", `,"readOnly":true`, audit.EventAPIActivity, "READ", "600302"},
		{"x", "Frobnicate", `,"readOnly":false`, audit.EventAPIActivity, "EXECUTE", "600399"},
		{"x", "Frobnicate", "", audit.EventAPIActivity, "OTHER", "600399"},
		{"x", "", "", audit.EventAPIActivity, "OTHER", "600300"},
		{"kms", "RotateKey", `,"eventType":"AwsServiceEvent"`, audit.EventSystem, "UPDATE", "600303"},
		{"ec2", "RunInstances", `,"eventCategory":"Insight","insightDetails":{"state":"Start"}`, audit.EventFinding, "DETECT", "200401"},
		{"ec2", "RunInstances", `,"eventCategory":"Insight","insightDetails":{"state":"End"}`, audit.EventFinding, "DETECT", "200403"},
	}
	for _, tt := range tests {
		t.Run(tt.service+" "+tt.name, func(t *testing.T) {
			r := one(t, event(`"eventSource":"`+tt.service+`.amazonaws.com","eventName":"`+tt.name+`"`+tt.more))
			if r.EventName != tt.event {
				t.Errorf("event name %s, want %s", r.EventName, tt.event)
			}
			check(t, r, audit.AttrAction, tt.action, audit.AttrOCSFType, tt.typeUID, audit.AttrOCSFVersion, "1.6.0")
		})
	}
}

func TestCategoryAndStream(t *testing.T) {
	tests := []struct{ version, members, category, stream string }{
		{"1.11", `"eventCategory":"Management"`, "management", "CloudTrail"},
		{"1.11", `"eventCategory":"Data"`, "data", "CloudTrail"},
		{"1.11", `"eventCategory":"Insight"`, "insight", "CloudTrail-Insight"},
		{"1.11", `"eventCategory":"NetworkActivity"`, "network", "CloudTrail-NetworkActivity"},
		{"1.0", `"eventCategory":"Aggregated"`, "aggregated", "CloudTrail-Aggregated"},
		{"1.12", `"eventCategory":"Novel"`, "novel", "CloudTrail"},
		{"1.06", `"managementEvent":true`, "management", "CloudTrail"},
		{"1.06", `"managementEvent":false`, "data", "CloudTrail"},
		{"1.10", `"managementEvent":false`, "data", "CloudTrail"}, // as a float it would be 1.1, older than 1.06
		{"1.05", `"managementEvent":true`, "", "CloudTrail"},
		{"1.07", `"eventType":"AwsVpceEvent"`, "network", "CloudTrail-NetworkActivity"},
	}
	for _, tt := range tests {
		r := one(t, `{"eventVersion":"`+tt.version+`",`+tt.members+`}`)
		check(t, r, audit.AttrCategory, tt.category, audit.AttrSchemaVersion, tt.version)
		if r.Resource.Stream != tt.stream {
			t.Errorf("%s: stream %q, want %q", tt.members, r.Resource.Stream, tt.stream)
		}
	}
	check(t, one(t, `{"eventVersion":"new","eventName":"X"}`), audit.AttrParseWarning, "eventVersion: not a version", audit.AttrQuarantined, "")
}

func TestTime(t *testing.T) {
	tests := []struct{ in, want, problem string }{
		{`"2026-11-20T09:08:07Z"`, "2026-11-20T09:08:07Z", ""},
		{`"2026-10-31T23:59:59Z"`, "2026-10-31T23:59:59Z", ""},
		{`"2026-11-20T09:08:07.123456789Z"`, "2026-11-20T09:08:07.123456789Z", ""},
		{`"2026-11-20T09:08:07+01:00"`, "2026-11-20T08:08:07Z", ""},
		{`"2026-02-30T00:00:00Z"`, "", "eventTime: not an RFC 3339 time"},
		{`"2026-13-01T00:00:00Z"`, "", "eventTime: not an RFC 3339 time"},
		{`"yesterday"`, "", "eventTime: not an RFC 3339 time"},
		{`1763629200`, "", "eventTime: not an RFC 3339 time"},
		{`null`, "", "eventTime: missing"},
	}
	for _, tt := range tests {
		r := one(t, `{"eventVersion":"1.11","eventTime":`+tt.in+`}`)
		check(t, r, audit.AttrParseError, tt.problem, audit.AttrQuarantined, "")
		got := ""
		if !r.Time.IsZero() {
			got = r.Time.Format(time.RFC3339Nano)
		}
		if got != tt.want {
			t.Errorf("%s: time %q, want %q", tt.in, got, tt.want)
		}
	}
}

// TestMixedFile: account and region are each event's own, not the first one's.
func TestMixedFile(t *testing.T) {
	records := parse(t, []byte(container(
		event(`"awsRegion":"eu-central-1","recipientAccountId":"111122223333","eventID":"a"`),
		event(`"awsRegion":"us-east-1","recipientAccountId":"444455556666","eventID":"a"`),
		event(`"eventID":"a"`))))
	want := []audit.Resource{
		{Provider: "aws", AccountID: "111122223333", Region: "eu-central-1", Product: Product, Stream: "CloudTrail"},
		{Provider: "aws", AccountID: "444455556666", Region: "us-east-1", Product: Product, Stream: "CloudTrail"},
		{Provider: "aws", Product: Product, Stream: "CloudTrail"},
	}
	for i := range want {
		if records[i].Resource != want[i] {
			t.Errorf("event %d: %+v, want %+v", i, records[i].Resource, want[i])
		}
	}
}

func TestExactKeys(t *testing.T) {
	check(t, one(t, event(`"EventName":"Wrong","eventname":"Wrong","eventName":"Right","eventID":"d","eventId":"x"`)),
		audit.AttrOperation, "Right", audit.AttrOriginalID, "d", audit.AttrParseWarning, "")
	check(t, one(t, event(`"event\u004eame":"Escaped"`)), audit.AttrOperation, "Escaped")
}

func TestDuplicateKeys(t *testing.T) {
	const warning = "a key occurs twice: the first one counts"
	check(t, one(t, event(`"eventName":"First","eventName":"Second"`)), audit.AttrOperation, "First", audit.AttrParseWarning, warning)
	// The second identity must not fill what the first left empty.
	check(t, one(t, event(`"userIdentity":{"type":"IAMUser","userName":"al"},"userIdentity":{"arn":"arn:evil"}`)),
		audit.AttrActorID, "al", audit.AttrParseWarning, warning)
	check(t, one(t, event(`"errorCode":null,"errorCode":"AccessDenied"`)), audit.AttrOutcome, "success", audit.AttrParseWarning, warning)
	check(t, one(t, event(`"resources":[{"ARN":"arn:a","ARN":"arn:b"}]`)), audit.AttrTargetID, "arn:a", audit.AttrParseWarning, warning)
	check(t, one(t, event(`"resources":[{"ARN":"arn:a"},{"ARN":"arn:b"}]`)), audit.AttrParseWarning, "")
}

func TestStrings(t *testing.T) {
	for in, want := range map[string]string{
		`a\"b\\c\/d\b\f\n\r\t`: "a\"b\\c/d\b\f\n\r\t",
		`\u00e9\u20AC`:         "é€",
		`\ud83d\ude00`:         "😀",
		`x\ud800y`:             "x\xed\xa0\x80y",
		`\udc00\ud800`:         "\xed\xb0\x80\xed\xa0\x80",
		`\ud800\u0041`:         "\xed\xa0\x80A",
		`\ud800\ud800\udc00`:   "\xed\xa0\x80\U00010000",
		"raw \xff\xfe bytes":   "raw \xff\xfe bytes",
		"\x7f":                 "\x7f",
	} {
		check(t, one(t, event(`"userAgent":"`+in+`"`)), audit.AttrUserAgent, want)
	}
}

func TestTruncatedAndAmended(t *testing.T) {
	for _, members := range []string{
		`"requestParameters":{"omitted":true,"originalSize":234567,"reason":"too large"}`,
		`"responseElements":{"omitted":true}`, `"additionalEventData":{"omitted":true}`,
		`"serviceEventDetails":{"omitted":true}`, `"omitted":true`,
	} {
		check(t, one(t, event(members)), audit.AttrTruncated, "true")
	}
	for _, members := range []string{`"requestParameters":{"omitted":false}`, `"requestParameters":{"x":{"omitted":true}}`, `"requestParameters":{"omitted":"true"}`} {
		check(t, one(t, event(members)), audit.AttrTruncated, "")
	}
	check(t, one(t, event(`"sharedEventID":"s","addendum":{"reason":"UPDATED_DATA","updatedFields":"responseElements","originalRequestID":"r","originalEventID":"o"}`)),
		audit.AttrCorrelationID, "o", audit.AttrAmendment, "UPDATED_DATA")
	check(t, one(t, event(`"sharedEventID":"s","addendum":{"reason":"DELIVERY_DELAY"}`)),
		audit.AttrCorrelationID, "s", audit.AttrAmendment, "DELIVERY_DELAY")
}

func TestRecordID(t *testing.T) {
	e := event(`"eventID":"a","awsRegion":"eu-central-1","recipientAccountId":"111122223333"`)
	alone, inFile, spaced := one(t, e+"\n"), one(t, container(e)), one(t, "["+" "+e+" ]")
	want := audit.RecordID("aws", "111122223333/eu-central-1", "a", []byte(e))
	for _, r := range []audit.Record{alone, inFile, spaced} {
		check(t, r, audit.AttrRecordID, want)
	}
	other := one(t, strings.Replace(e, "09:00:00", "09:00:01", 1))
	if text(&other, audit.AttrRecordID) == want {
		t.Error("same native id with other content has the same record id")
	}
}
