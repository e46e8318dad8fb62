package cloudtrail

import (
	"strings"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/internal/draft"
	"github.com/otelcol-custody/custody/audit/internal/jsonscan"
)

// makers are the calls that make what only their answer names: the request names that in
// which it is made, or nothing.
var makers = map[string]param{
	"AllocateAddress":        {slotMadeAllocation, "AWS::EC2::EIP"},
	"CreateVpc":              {slotMadeVPC, "AWS::EC2::VPC"},
	"CreateDefaultVpc":       {slotMadeVPC, "AWS::EC2::VPC"},
	"CreateSubnet":           {slotMadeSubnet, "AWS::EC2::Subnet"},
	"CreateDefaultSubnet":    {slotMadeSubnet, "AWS::EC2::Subnet"},
	"CreateRouteTable":       {slotMadeRouteTable, "AWS::EC2::RouteTable"},
	"CreateInternetGateway":  {slotMadeInternetGateway, "AWS::EC2::InternetGateway"},
	"CreateNatGateway":       {slotMadeNATGateway, "AWS::EC2::NatGateway"},
	"CreateNetworkInterface": {slotMadeInterface, "AWS::EC2::NetworkInterface"},
	"CreateVolume":           {slotMadeVolume, "AWS::EC2::Volume"},
	"CreateSnapshot":         {slotMadeSnapshot, "AWS::EC2::Snapshot"},
	"CopySnapshot":           {slotMadeSnapshot, "AWS::EC2::Snapshot"},
	"CreateImage":            {slotMadeImage, "AWS::EC2::Image"},
	"CopyImage":              {slotMadeImage, "AWS::EC2::Image"},
	"RegisterImage":          {slotMadeImage, "AWS::EC2::Image"},
	"CreateSecurityGroup":    {slotMadeGroup, "AWS::EC2::SecurityGroup"},
	"CreateVirtualMFADevice": {slotMadeMFA, "AWS::IAM::VirtualMFADevice"},
}

// madeTarget uses what was made, and after it what the request names.
func (m *mapper) madeTarget() bool {
	switch m.str(slotSource) {
	case "ec2.amazonaws.com", "iam.amazonaws.com":
	default:
		return false // other services have calls by the same names
	}
	made, ok := makers[m.str(slotName)]
	if !ok {
		return false
	}
	id := m.str(made.slot)
	if id == "" {
		return false // it was refused
	}
	m.addTarget(id, made.typ, "")
	m.addParam(commonTargets)
	return m.putTargets()
}

// impliedTarget serves events whose parameters name nothing: services' own events tell
// it elsewhere, a sign-in is to the account, and some calls are about the account or,
// without a name, about the caller.
func (m *mapper) impliedTarget() {
	service, name := m.str(slotSource), m.str(slotName)
	switch {
	case m.str(slotDetailSnapshot) != "":
		m.addTarget(m.str(slotDetailSnapshot), "AWS::EC2::Snapshot", "")
	case strings.HasPrefix(m.str(slotAdditionalARN), "arn:"):
		m.addTarget(m.str(slotAdditionalARN), "", "")
	case m.Rec.EventName == audit.EventAuthentication || isAboutAccount(service, name):
		if account := m.Rec.Resource.AccountID; account != "" {
			m.Put(audit.AttrTargetID, account)
			m.Put(audit.AttrTargetType, "AWS::Account")
		}
		return
	case service == "ssm.amazonaws.com":
		m.addFiltered(slotFilters)
		m.addFiltered(slotParamFilters)
	case isAboutCaller(service, name) && m.namesNobody():
		m.addCaller()
	}
	m.putTargets()
}

// namesNobody reports whether the request came to be without a name. One that was
// refused may have lost its parameters.
func (m *mapper) namesNobody() bool {
	return m.s.has(slotRequest) && m.s.spans[slotRequest].kind == jsonscan.Object || m.str(slotErrorCode) == ""
}

func (m *mapper) addCaller() {
	typ := ""
	if m.str(slotActorType) == "IAMUser" {
		typ = "AWS::IAM::User"
	}
	m.addTarget(draft.First(m.str(slotActorARN), m.str(slotActorName)), typ, m.str(slotActorAccount))
}

var filterTable = jsonscan.NewTable([]string{"key", "option", "values[]", "valueSet[]"})

// addFiltered adds what a list of filters names: some calls of Systems Manager describe
// single things, and say which ones in no other way.
func (m *mapper) addFiltered(s slot) {
	if !m.s.has(s) || m.s.spans[s].kind != jsonscan.Array {
		return
	}
	in := jsonscan.Scanner{Data: m.s.Data, Pos: m.s.spans[s].start}
	var f jsonscan.Fields
	for more := in.Open(']'); more; {
		if _, err := f.Read(&in, filterTable); err != nil {
			return // cannot be: it has been read once
		}
		typ := ""
		switch {
		case f.Str(0) == "InstanceIds":
			typ = "AWS::EC2::Instance"
		case f.Str(0) == "Name" && s == slotParamFilters:
			typ = "AWS::SSM::Parameter"
		}
		if option := f.Str(1); typ != "" && (option == "" || option == "Equals") {
			for _, id := range append(f.Strs(2), f.Strs(3)...) {
				m.addTarget(id, typ, "")
			}
		}
		var err error
		if more, err = in.Next(']'); err != nil {
			return
		}
	}
}

// isAboutCaller knows the calls that are about who calls, unless they name a user
// (https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetUser.html and others).
func isAboutCaller(service, name string) bool {
	switch service {
	case "sts.amazonaws.com":
		return name == "GetCallerIdentity"
	case "iam.amazonaws.com":
		switch name {
		case "GetUser", "ChangePassword", "GetLoginProfile", "ListAccessKeys", "CreateAccessKey", "UpdateAccessKey",
			"DeleteAccessKey", "ListMFADevices", "ListSigningCertificates", "UploadSigningCertificate",
			"UpdateSigningCertificate", "DeleteSigningCertificate", "ListServiceSpecificCredentials", "ListSSHPublicKeys":
			return true
		}
	}
	return false
}

// isAboutAccount knows the calls that are about the account as such.
func isAboutAccount(service, name string) bool {
	switch service {
	case "organizations.amazonaws.com":
		return name == "LeaveOrganization"
	case "ec2.amazonaws.com":
		return name == "DescribeAccountAttributes"
	case "s3.amazonaws.com":
		return strings.HasSuffix(name, "AccountPublicAccessBlock")
	case "iam.amazonaws.com":
		switch name {
		case "GetAccountSummary", "GetAccountAuthorizationDetails", "GetAccountPasswordPolicy", "UpdateAccountPasswordPolicy",
			"DeleteAccountPasswordPolicy", "CreateAccountAlias", "DeleteAccountAlias", "ListAccountAliases":
			return true
		}
	}
	return false
}

// arnTypes are the types of resources by what their ARNs say: service and kind.
var arnTypes = map[string]string{
	"cloudtrail:trail":      "AWS::CloudTrail::Trail",
	"ec2:instance":          "AWS::EC2::Instance",
	"ec2:snapshot":          "AWS::EC2::Snapshot",
	"ec2:volume":            "AWS::EC2::Volume",
	"ec2:vpc":               "AWS::EC2::VPC",
	"iam:group":             "AWS::IAM::Group",
	"iam:policy":            "AWS::IAM::ManagedPolicy",
	"iam:role":              "AWS::IAM::Role",
	"iam:user":              "AWS::IAM::User",
	"kms:key":               "AWS::KMS::Key",
	"lambda:function":       "AWS::Lambda::Function",
	"logs:log-group":        "AWS::Logs::LogGroup",
	"secretsmanager:secret": "AWS::SecretsManager::Secret",
	"ssm:association":       "AWS::SSM::Association",
	"ssm:document":          "AWS::SSM::Document",
	"ssm:parameter":         "AWS::SSM::Parameter",
}

// typeOfARN returns "" for a kind that is not in the table.
func typeOfARN(arn string) string {
	_, rest, _ := strings.Cut(arn, ":") // partition
	_, rest, _ = strings.Cut(rest, ":")
	service, rest, _ := strings.Cut(rest, ":")
	_, rest, _ = strings.Cut(rest, ":") // region
	_, kind, _ := strings.Cut(rest, ":")
	if end := strings.IndexAny(kind, ":/"); end >= 0 {
		kind = kind[:end]
	}
	return arnTypes[service+":"+kind]
}
