package cloudtrail

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/audittest"
)

var ofCloudTrail = audittest.Parse(Parse)

func parse(t testing.TB, data []byte) []audit.Record {
	t.Helper()
	return ofCloudTrail.Records(t, data)
}

func one(t testing.TB, data string) audit.Record { t.Helper(); return ofCloudTrail.One(t, data) }

var (
	check = audittest.Check
	text  = audittest.Text
)

// container wraps events as CloudTrail does.
func container(events ...string) string {
	return `{"Records":[` + strings.Join(events, ",") + `]}`
}

// generated returns a file of n events of about 1.2 KB, all different.
func generated(n int) []byte {
	var b bytes.Buffer
	b.WriteString(`{"Records":[`)
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, typicalEvent, i%60, i, i)
	}
	b.WriteString(`]}`)
	return b.Bytes()
}

const typicalEvent = `{"eventVersion":"1.11","userIdentity":{"type":"AssumedRole","principalId":"AROAEXAMPLEEXAMPLE001:deploy",` +
	`"arn":"arn:aws:sts::111122223333:assumed-role/Deployer/deploy","accountId":"111122223333","accessKeyId":"ASIAIOSFODNN7EXAMPLE",` +
	`"sessionContext":{"sessionIssuer":{"type":"Role","principalId":"AROAEXAMPLEEXAMPLE001","arn":"arn:aws:iam::111122223333:role/Deployer",` +
	`"accountId":"111122223333","userName":"Deployer"},"attributes":{"creationDate":"2026-11-20T08:00:00Z","mfaAuthenticated":"false"}}},` +
	`"eventTime":"2026-11-20T09:00:%02dZ","eventSource":"kms.amazonaws.com","eventName":"Decrypt","awsRegion":"eu-central-1",` +
	`"sourceIPAddress":"198.51.100.7","userAgent":"aws-sdk-go-v2/1.40.0 os/linux lang/go#1.26.8",` +
	`"requestParameters":{"encryptionAlgorithm":"SYMMETRIC_DEFAULT","keyId":"1234abcd-12ab-34cd-56ef-1234567890ab"},"responseElements":null,` +
	`"requestID":"aaaaaaaa-0000-4000-8000-%012d","eventID":"bbbbbbbb-0000-4000-8000-%012d","readOnly":true,` +
	`"resources":[{"accountId":"111122223333","type":"AWS::KMS::Key","ARN":"arn:aws:kms:eu-central-1:111122223333:key/1234abcd"}],` +
	`"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"111122223333","eventCategory":"Management",` +
	`"tlsDetails":{"tlsVersion":"TLSv1.3","cipherSuite":"TLS_AES_128_GCM_SHA256","clientProvidedHostHeader":"kms.eu-central-1.amazonaws.com"}}`
