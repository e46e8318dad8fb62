package cloudtrail

import (
	"testing"

	"github.com/otelcol-custody/custody/audit"
)

func from(service, name string, members ...string) string {
	return event(append([]string{`"eventSource":"` + service + `.amazonaws.com"`, `"eventName":"` + name + `"`, `"recipientAccountId":"111122223333"`}, members...)...)
}

const caller = `"userIdentity":{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/al","accountId":"111122223333","userName":"al"}`

// TestTargetsByTable: names and ids that few calls have, in a list, in their own way, or
// not in requestParameters at all.
func TestTargetsByTable(t *testing.T) {
	for _, tt := range []struct{ event, id, typ string }{
		{from("s3", "ListAccessPoints", `"requestParameters":{"bucket":"b","maxResults":"1"}`), "b", "AWS::S3::Bucket"},
		{from("s3", "GetStorageLensDashboardDataInternal", `"requestParameters":{"configurationARN":"arn:aws:s3:::x"}`), "arn:aws:s3:::x", "AWS::S3::StorageLens"},
		{from("ec2", "DescribeVpcClassicLink", `"requestParameters":{"vpcSet":{"item":[{"vpcId":"vpc-1"}]},"filterSet":{}}`), "vpc-1", "AWS::EC2::VPC"},
		{from("ec2", "DescribeVpcClassicLinkDnsSupport", `"requestParameters":{"DescribeVpcClassicLinkDnsSupportRequest":{"VpcIds":{"tag":1,"content":"vpc-1"}}}`), "vpc-1", "AWS::EC2::VPC"},
		{from("ec2", "DisassociateRouteTable", `"requestParameters":{"associationId":"rtbassoc-1"}`), "rtbassoc-1", ""},
		{from("ec2", "SharedSnapshotVolumeCreated", `"serviceEventDetails":{"snapshotId":"snap-1"}`), "snap-1", "AWS::EC2::Snapshot"},
		{from("cloudtrail", "DescribeTrails", `"requestParameters":{"trailNameList":["one"]}`), "one", "AWS::CloudTrail::Trail"},
		{from("cloudtrail", "DescribeTrails", `"requestParameters":{"trailNameList":[]}`), "", ""},
		{from("cloudtrail", "ListTags", `"requestParameters":{"resourceIdList":["arn:aws:cloudtrail:x:1:trail/t"]}`), "arn:aws:cloudtrail:x:1:trail/t", "AWS::CloudTrail::Trail"},
		{from("ssm", "TerminateSession", `"requestParameters":{"sessionId":"al-1"}`), "al-1", "AWS::SSM::Session"},
		{from("ssm", "GetParameters", `"requestParameters":{"names":[7,"\u0061",{"x":"n"},"b"]}`), "a", "AWS::SSM::Parameter"},
		{from("account", "GetRegionOptStatus", `"requestParameters":{"RegionName":"eu-north-1"}`), "eu-north-1", "AWS::Account::Region"},
		{from("secretsmanager", "EndSecretVersionDelete", `"additionalEventData":{"ARN":"arn:aws:secretsmanager:x:1:secret:s"}`), "arn:aws:secretsmanager:x:1:secret:s", "AWS::SecretsManager::Secret"},
		{from("ssm", "DescribeInstanceInformation", `"requestParameters":{"filters":[{"key":"PingStatus","values":["Online"]},{"key":"InstanceIds","values":["i-1"]}]}`), "i-1", "AWS::EC2::Instance"},
		{from("ssm", "DescribeParameters", `"requestParameters":{"parameterFilters":[{"key":"Name","option":"Equals","values":["/a"]}]}`), "/a", "AWS::SSM::Parameter"},
		{from("ssm", "DescribeParameters", `"requestParameters":{"parameterFilters":[7,{"key":"Name","option":"BeginsWith","values":["/a"]}]}`), "", ""},
		{from("ssm", "ListDocuments", `"requestParameters":{"filters":[{"key":"Name","values":["d"]}]}`), "", ""},
		{from("x", "DescribeParameters", `"requestParameters":{"parameterFilters":[{"key":"Name","values":["/a"]}]}`), "", ""},
		{`{"eventVersion":"1.11","eventSource":"signin.amazonaws.com","eventName":"ConsoleLogin"}`, "", ""},
		{from("x", "Y", `"additionalEventData":{"ARN":"no arn"}`), "", ""},
		{from("organizations", "LeaveOrganization", `"errorCode":"AccessDenied"`), "111122223333", "AWS::Account"},
		{from("ec2", "DescribeAccountAttributes", `"requestParameters":{"filterSet":{}}`), "111122223333", "AWS::Account"},
		{from("s3", "GetAccountPublicAccessBlock"), "111122223333", "AWS::Account"},
		{from("iam", "GetAccountSummary"), "111122223333", "AWS::Account"},
		{from("iam", "ListUsers"), "", ""},
	} {
		check(t, one(t, tt.event), audit.AttrTargetID, tt.id, audit.AttrTargetType, tt.typ)
	}
	two := one(t, from("ssm", "SendCommand", `"requestParameters":{"instanceIds":["i-1","i-2"]}`))
	check(t, two, audit.AttrTargets, "id=i-1 type=AWS::EC2::Instance | id=i-2 type=AWS::EC2::Instance")
}

// TestAboutTheCaller: without a user's name these calls are about who calls. A refused one
// may have had a name.
func TestAboutTheCaller(t *testing.T) {
	const al = "arn:aws:iam::111122223333:user/al"
	for event, want := range map[string]string{
		from("iam", "GetUser", caller):                                                                               al,
		from("sts", "GetCallerIdentity", caller):                                                                     al,
		from("iam", "CreateAccessKey", caller, `"requestParameters":null`):                                           al,
		from("iam", "DeleteAccessKey", caller, `"requestParameters":{"accessKeyId":"AKIAIOSFODNN7EXAMPLE"}`):         al,
		from("iam", "DeleteAccessKey", caller, `"requestParameters":{"userName":"bo"}`):                              "bo",
		from("iam", "CreateAccessKey", caller, `"requestParameters":null,"errorCode":"AccessDenied"`):                "",
		from("iam", "DeleteAccessKey", caller, `"requestParameters":{"accessKeyId":"A"},"errorCode":"AccessDenied"`): al,
		from("iam", "ListUsers", caller):                                                                             "",
	} {
		check(t, one(t, event), audit.AttrTargetID, want)
	}
}

// TestMadeTargets: what a call makes is its target, and that in which it is made the next
// one. If nothing was made, the request's names count.
func TestMadeTargets(t *testing.T) {
	const vpc = `"requestParameters":{"vpcId":"vpc-1"},`
	for _, tt := range []struct{ event, id, typ, all string }{
		{from("ec2", "AllocateAddress", `"responseElements":{"allocationId":"eipalloc-1"}`), "eipalloc-1", "AWS::EC2::EIP", ""},
		{from("ec2", "CreateVpc", `"responseElements":{"vpc":{"vpcId":"vpc-1"}}`), "vpc-1", "AWS::EC2::VPC", ""},
		{from("ec2", "CreateInternetGateway", `"responseElements":{"internetGateway":{"internetGatewayId":"igw-1"}}`), "igw-1", "AWS::EC2::InternetGateway", ""},
		{from("ec2", "CreateSubnet", vpc+`"responseElements":{"subnet":{"vpcId":"vpc-1","subnetId":"subnet-1"}}`), "subnet-1", "AWS::EC2::Subnet", "id=subnet-1 type=AWS::EC2::Subnet | id=vpc-1 type=AWS::EC2::VPC"},
		{from("ec2", "CreateSubnet", vpc+`"errorCode":"Client.Unauthorized","responseElements":null`), "vpc-1", "AWS::EC2::VPC", ""},
		{from("ec2", "CreateNatGateway", `"responseElements":{"CreateNatGatewayResponse":{"natGateway":{"natGatewayId":"nat-1","vpcId":"vpc-1"}}}`), "nat-1", "AWS::EC2::NatGateway", ""},
		{from("ec2", "CreateSnapshot", `"requestParameters":{"volumeId":"vol-1"},"responseElements":{"snapshotId":"snap-1","volumeId":"vol-1"}`), "snap-1", "AWS::EC2::Snapshot", "id=snap-1 type=AWS::EC2::Snapshot | id=vol-1 type=AWS::EC2::Volume"},
		{from("ec2", "AttachVolume", `"requestParameters":{"volumeId":"vol-1"},"responseElements":{"snapshotId":"snap-1"}`), "vol-1", "AWS::EC2::Volume", ""},
		{from("ds", "CreateSnapshot", `"requestParameters":{"name":"n"},"responseElements":{"snapshotId":"s-1"}`), "n", "", ""},
		{from("ec2", "X", vpc+`"responseElements":{"vpc":{"vpcId":"vpc-2"},"subnet":{"vpcId":"vpc-3"}}`), "vpc-1", "AWS::EC2::VPC", ""},
	} {
		check(t, one(t, tt.event), audit.AttrTargetID, tt.id, audit.AttrTargetType, tt.typ, audit.AttrTargets, tt.all, audit.AttrParseWarning, "")
	}
}

// TestVirtualMFADevice: it is nobody's when it is made and deleted, so that no account
// changes; enabling it for a user does.
func TestVirtualMFADevice(t *testing.T) {
	const arn = "arn:aws:iam::111122223333:mfa/phone"
	made := one(t, from("iam", "CreateVirtualMFADevice", caller, `"requestParameters":{"virtualMFADeviceName":"phone"},"responseElements":{"virtualMFADevice":{"serialNumber":"`+arn+`"}}`))
	check(t, made, audit.AttrOCSFType, "600301", audit.AttrTargetID, arn, audit.AttrTargetType, "AWS::IAM::VirtualMFADevice")
	refused := one(t, from("iam", "CreateVirtualMFADevice", caller, `"requestParameters":{"virtualMFADeviceName":"phone"},"errorCode":"EntityAlreadyExists"`))
	check(t, refused, audit.AttrTargetID, "phone", audit.AttrTargetType, "AWS::IAM::VirtualMFADevice")
	deleted := one(t, from("iam", "DeleteVirtualMFADevice", caller, `"requestParameters":{"serialNumber":"`+arn+`"}`))
	check(t, deleted, audit.AttrOCSFType, "600304", audit.AttrTargetID, arn)
	enabled := one(t, from("iam", "EnableMFADevice", caller, `"requestParameters":{"userName":"bo","serialNumber":"`+arn+`"}`))
	check(t, enabled, audit.AttrOCSFType, "300110", audit.AttrTargetID, "bo", audit.AttrTargetType, "AWS::IAM::User")
}

// TestTypeOfARN: a resource that comes without a type has the one that its ARN tells.
func TestTypeOfARN(t *testing.T) {
	for arn, want := range map[string]string{
		"arn:aws:ssm:eu-central-1:1:parameter/p": "AWS::SSM::Parameter", "arn:aws:iam::1:user/al": "AWS::IAM::User",
		"arn:aws:secretsmanager:x:1:secret:s": "AWS::SecretsManager::Secret", "arn:aws:lambda:x:1:function:f": "AWS::Lambda::Function",
		"arn:aws:novel:x:1:thing/t": "", "arn:": "", "arn:aws:s3:::b": "", "arn:aws:ssm": "", "i-1": "",
	} {
		check(t, one(t, event(`"resources":[{"ARN":"`+arn+`"}]`)), audit.AttrTargetID, arn, audit.AttrTargetType, want)
	}
	check(t, one(t, event(`"resources":[{"ARN":"arn:aws:iam::1:user/al","type":"Said"}]`)), audit.AttrTargetType, "Said")
}

// TestDuplicatesAtEachLevel: of equal keys the first one counts, wherever they are, and
// the record says so. Keys of different objects are not equal.
func TestDuplicatesAtEachLevel(t *testing.T) {
	const twice = "a key occurs twice: the first one counts"
	for _, tt := range []struct{ members, key, want, warning string }{
		{`"responseElements":{"ConsoleLogin":"Success","ConsoleLogin":"Failure"}`, audit.AttrOutcome, "success", twice},
		{`"responseElements":{"ConsoleLogin":"Failure"},"serviceEventDetails":{"ConsoleLogin":"Success"}`, audit.AttrOutcome, "failure", ""},
		{`"requestParameters":{"omitted":false,"omitted":true}`, audit.AttrTruncated, "", twice},
		{`"requestParameters":{"omitted":false},"responseElements":{"omitted":true},"omitted":false`, audit.AttrTruncated, "true", ""},
		{`"requestParameters":{"instancesSet":{"items":[{"instanceId":"i-1","instanceId":"i-2"}]}}`, audit.AttrTargets, "", twice},
		{`"requestParameters":{"instancesSet":{"items":[{"instanceId":"i-1"}],"items":[{"instanceId":"i-2"}]}}`, audit.AttrTargets, "", twice},
		{`"requestParameters":{"instancesSet":{"items":[{"instanceId":"i-1"}]},"instancesSet":{"items":[{"instanceId":"i-2"}]}}`, audit.AttrTargets, "", twice},
		{`"requestParameters":{"instancesSet":{},"instancesSet":{"items":[{"instanceId":"i-2"}]}}`, audit.AttrTargetID, "", twice},
		{`"requestParameters":{"instancesSet":{"items":[{"instanceId":"i-1"},{"instanceId":"i-2"}]},"vpcSet":{"items":[{"vpcId":"vpc-1"}]}}`, audit.AttrTargets,
			"id=i-1 type=AWS::EC2::Instance | id=i-2 type=AWS::EC2::Instance | id=vpc-1 type=AWS::EC2::VPC", ""},
		{`"responseElements":{"instancesSet":{"items":[{"instanceId":"i-1","instanceId":"i-2"}]}}`, audit.AttrTargets, "", twice},
		{`"requestParameters":{"XRequest":{"VpcId":{},"VpcId":"vpc-2"}}`, audit.AttrTargetID, "", twice},
		{`"requestParameters":{"XRequest":{"VpcId":"vpc-1"},"XRequest":{"VpcId":"vpc-2"}}`, audit.AttrTargetID, "vpc-1", twice},
		{`"eventSource":"ec2.amazonaws.com","eventName":"CreateVpc","responseElements":{"vpc":{},"vpc":{"vpcId":"vpc-2"}}`, audit.AttrTargetID, "", twice},
		{`"userIdentity":{"sessionContext":{"attributes":{"mfaAuthenticated":"false","mfaAuthenticated":"true"}}}`, audit.AttrSessionMFA, "false", twice},
		{`"tlsDetails":{"tlsVersion":"TLSv1.2","tlsVersion":"TLSv1.3"}`, audit.AttrTLSVersion, "1.2", twice},
	} {
		r := one(t, event(tt.members))
		check(t, r, tt.key, tt.want, audit.AttrParseWarning, tt.warning)
	}
	// What one event left must not come into the next one.
	records := parse(t, []byte(container(event(`"requestParameters":{"XRequest":{"VpcId":"vpc-1"}}`), event(`"requestParameters":{"XRequest":{"VpcId":{"x":1}}}`))))
	check(t, records[1], audit.AttrTargetID, "", audit.AttrParseWarning, "")
}
