package cloudtrail

// A param is a request parameter that names a target, with the type that the
// target then has.
type param struct {
	slot slot
	typ  string
}

// commonTargets holds, in order of preference, the parameters that mean the
// same in whatever service they are, and at the end those that mean little.
var commonTargets = []param{
	{slotInstance, "AWS::EC2::Instance"},
	{slotVolume, "AWS::EC2::Volume"},
	{slotSnapshot, "AWS::EC2::Snapshot"},
	{slotRouteTable, "AWS::EC2::RouteTable"},
	{slotInternetGateway, "AWS::EC2::InternetGateway"},
	{slotNATGateway, "AWS::EC2::NatGateway"},
	{slotFlowLog, "AWS::EC2::FlowLog"},
	{slotInterface, "AWS::EC2::NetworkInterface"},
	{slotAllocation, "AWS::EC2::EIP"},
	{slotSubnet, "AWS::EC2::Subnet"},
	{slotVPC, "AWS::EC2::VPC"},
	{slotImage, "AWS::EC2::Image"},
	{slotKeyPair, "AWS::EC2::KeyPair"},
	{slotGroupID, "AWS::EC2::SecurityGroup"},
	{slotBucket, "AWS::S3::Bucket"},
	{slotFunction, "AWS::Lambda::Function"},
	{slotKMSKey, "AWS::KMS::Key"},
	{slotAlias, "AWS::KMS::Alias"},
	{slotSecret, "AWS::SecretsManager::Secret"},
	{slotTrail, "AWS::CloudTrail::Trail"},
	{slotLogGroup, "AWS::Logs::LogGroup"},
	{slotTable, "AWS::DynamoDB::Table"},
	{slotDBInstance, "AWS::RDS::DBInstance"},
	{slotDBCluster, "AWS::RDS::DBCluster"},
	{slotTopic, "AWS::SNS::Topic"},
	{slotQueue, "AWS::SQS::Queue"},
	{slotRepository, "AWS::ECR::Repository"},
	{slotCluster, "AWS::EKS::Cluster"},
	{slotECSCluster, "AWS::ECS::Cluster"},
	{slotStack, "AWS::CloudFormation::Stack"},
	{slotHostedZone, "AWS::Route53::HostedZone"},
	{slotDetector, "AWS::GuardDuty::Detector"},
	{slotDistribution, "AWS::CloudFront::Distribution"},
	{slotLoadBalancer, "AWS::ElasticLoadBalancingV2::LoadBalancer"},
	{slotStateMachine, "AWS::StepFunctions::StateMachine"},
	{slotStream, "AWS::Kinesis::Stream"},
	{slotDeliveryStream, "AWS::KinesisFirehose::DeliveryStream"},
	{slotCommand, "AWS::SSM::Command"},
	{slotDocument, "AWS::SSM::Document"},
	{slotGenericARN, ""},
	{slotGenericUpperARN, ""},
	{slotGenericShortARN, ""},
	{slotUser, "AWS::IAM::User"},
	{slotRole, "AWS::IAM::Role"},
	{slotResourceParam, ""},
	{slotGenericName, ""},
	{slotGenericID, ""},
	{slotAssociation, ""},
	{slotRoleARN, "AWS::IAM::Role"},
}

// serviceTargets holds what a service means by a parameter, where that is not
// what is common or the preference differs.
var serviceTargets = map[string][]param{
	"iam.amazonaws.com": {
		{slotGroup, "AWS::IAM::Group"},
		{slotUser, "AWS::IAM::User"},
		{slotInstanceProfile, "AWS::IAM::InstanceProfile"},
		{slotRole, "AWS::IAM::Role"},
		{slotPolicyARN, "AWS::IAM::ManagedPolicy"},
		{slotPolicy, "AWS::IAM::ManagedPolicy"},
		{slotMFASerial, "AWS::IAM::MFADevice"},
		{slotMFAName, "AWS::IAM::VirtualMFADevice"},
	},
	"account.amazonaws.com": {
		{slotRegionName, "AWS::Account::Region"},
	},
	"ec2.amazonaws.com": {
		{slotVPCs, "AWS::EC2::VPC"},
	},
	"s3.amazonaws.com": {
		{slotBucket, "AWS::S3::Bucket"},
		{slotPlainBucket, "AWS::S3::Bucket"},
		{slotStorageLens, "AWS::S3::StorageLens"},
	},
	"sts.amazonaws.com": {
		{slotRoleARN, "AWS::IAM::Role"},
		{slotGenericName, "AWS::STS::FederatedUser"},
	},
	"ssm.amazonaws.com": {
		{slotInstance, "AWS::EC2::Instance"},
		{slotTargetParam, "AWS::EC2::Instance"}, // of a session
		{slotInstances, "AWS::EC2::Instance"},
		{slotGenericName, "AWS::SSM::Parameter"},
		{slotNames, "AWS::SSM::Parameter"},
		{slotSSMSession, "AWS::SSM::Session"},
	},
	"cloudtrail.amazonaws.com": {
		{slotGenericName, "AWS::CloudTrail::Trail"},
		{slotTrails, "AWS::CloudTrail::Trail"},
		{slotResourceIDs, ""},
	},
	"secretsmanager.amazonaws.com": {
		{slotSecret, "AWS::SecretsManager::Secret"},
		{slotGenericName, "AWS::SecretsManager::Secret"},
	},
	"eks.amazonaws.com": {
		{slotGenericName, "AWS::EKS::Cluster"},
	},
	"organizations.amazonaws.com": {
		{slotAccountParam, "AWS::Organizations::Account"},
	},
	"sso.amazonaws.com": {
		{slotPermissionSet, "AWS::SSO::PermissionSet"},
	},
	"identitystore.amazonaws.com": {
		{slotGroupID, "AWS::IdentityStore::Group"},
		{slotUser, "AWS::IdentityStore::User"},
	},
	"sns.amazonaws.com": {
		{slotTopic, "AWS::SNS::Topic"},
		{slotGenericName, "AWS::SNS::Topic"},
	},
}

// typeOf is the type of what a list names by a common parameter.
func typeOf(s slot) string {
	for _, c := range commonTargets {
		if c.slot == s {
			return c.typ
		}
	}
	return ""
}
