package awstest

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// S3 returns a client.
func (m *Moto) S3() *s3.Client {
	return s3.NewFromConfig(m.Config(), func(o *s3.Options) { o.UsePathStyle = true })
}

// SQS returns a client.
func (m *Moto) SQS() *sqs.Client { return sqs.NewFromConfig(m.Config()) }

// Bucket makes a bucket with versions.
func (m *Moto) Bucket(name string) {
	m.t.Helper()
	_, err := m.S3().CreateBucket(m.t.Context(), &s3.CreateBucketInput{
		Bucket:                    aws.String(name),
		CreateBucketConfiguration: &types.CreateBucketConfiguration{LocationConstraint: Region},
	})
	if err == nil {
		_, err = m.S3().PutBucketVersioning(m.t.Context(), &s3.PutBucketVersioningInput{
			Bucket:                  aws.String(name),
			VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusEnabled},
		})
	}
	if err != nil {
		m.t.Fatalf("make bucket %s: %v", name, err)
	}
}

// Put stores an object and returns its version.
func (m *Moto) Put(bucket, key string, body []byte) string {
	m.t.Helper()
	out, err := m.S3().PutObject(m.t.Context(), &s3.PutObjectInput{
		Bucket: aws.String(bucket), Key: aws.String(key), Body: bytes.NewReader(body),
	})
	if err != nil {
		m.t.Fatalf("put %s/%s: %v", bucket, key, err)
	}
	return aws.ToString(out.VersionId)
}

// Queue makes a queue and returns its URL and ARN.
func (m *Moto) Queue(name string, attributes map[string]string) (address, arn string) {
	m.t.Helper()
	out, err := m.SQS().CreateQueue(m.t.Context(), &sqs.CreateQueueInput{QueueName: aws.String(name), Attributes: attributes})
	if err != nil {
		m.t.Fatalf("make queue %s: %v", name, err)
	}
	return aws.ToString(out.QueueUrl), "arn:aws:sqs:" + Region + ":" + MotoAccount + ":" + name
}

// Topic makes a topic and returns its ARN.
func (m *Moto) Topic(name string) string {
	m.t.Helper()
	m.sns(url.Values{"Action": {"CreateTopic"}, "Name": {name}})
	return "arn:aws:sns:" + Region + ":" + MotoAccount + ":" + name
}

// Subscribe has a topic send what is published to a queue, raw or in an envelope.
func (m *Moto) Subscribe(topicARN, queueARN string, raw bool) {
	m.t.Helper()
	answer := m.sns(url.Values{"Action": {"Subscribe"}, "TopicArn": {topicARN}, "Protocol": {"sqs"}, "Endpoint": {queueARN}})
	if raw {
		m.sns(url.Values{
			"Action": {"SetSubscriptionAttributes"}, "SubscriptionArn": {answer},
			"AttributeName": {"RawMessageDelivery"}, "AttributeValue": {"true"},
		})
	}
}

// Publish sends a message to a topic, as CloudTrail does.
func (m *Moto) Publish(topicARN, message string) {
	m.t.Helper()
	m.sns(url.Values{"Action": {"Publish"}, "TopicArn": {topicARN}, "Message": {message}})
}

// Notify has a bucket tell queues, topics and EventBridge of objects that are made or
// deleted. Each call replaces what was set before; both ARNs may be empty.
func (m *Moto) Notify(bucket, queueARN, topicARN string, eventBridge bool) {
	m.t.Helper()
	events := []types.Event{"s3:ObjectCreated:*", "s3:ObjectRemoved:*"}
	conf := &types.NotificationConfiguration{}
	if queueARN != "" {
		conf.QueueConfigurations = []types.QueueConfiguration{{QueueArn: aws.String(queueARN), Events: events}}
	}
	if topicARN != "" {
		conf.TopicConfigurations = []types.TopicConfiguration{{TopicArn: aws.String(topicARN), Events: events}}
	}
	if eventBridge {
		conf.EventBridgeConfiguration = &types.EventBridgeConfiguration{}
	}
	_, err := m.S3().PutBucketNotificationConfiguration(m.t.Context(), &s3.PutBucketNotificationConfigurationInput{
		Bucket: aws.String(bucket), NotificationConfiguration: conf,
	})
	if err != nil {
		m.t.Fatalf("set up notifications of bucket %s: %v", bucket, err)
	}
}

// Rule has EventBridge send all events of S3 to a queue.
func (m *Moto) Rule(name, queueARN string) {
	m.t.Helper()
	m.events("PutRule", map[string]any{"Name": name, "EventPattern": `{"source":["aws.s3"]}`, "State": "ENABLED"})
	m.events("PutTargets", map[string]any{"Rule": name, "Targets": []map[string]string{{"Id": "1", "Arn": queueARN}}})
}

// sns speaks SNS's query protocol, whose client this module does without, and returns the
// ARN in the answer, if there is one.
func (m *Moto) sns(form url.Values) string {
	m.t.Helper()
	form.Set("Version", "2010-03-31")
	answer := m.post("sns", "application/x-www-form-urlencoded", "", form.Encode())
	var out struct {
		SubscriptionArn string `xml:"SubscribeResult>SubscriptionArn"`
	}
	if err := xml.Unmarshal(answer, &out); err != nil {
		m.t.Fatalf("what moto answered: %v: %s", err, answer)
	}
	return out.SubscriptionArn
}

// events speaks EventBridge's JSON protocol.
func (m *Moto) events(action string, in any) {
	m.t.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		m.t.Fatal(err)
	}
	m.post("events", "application/x-amz-json-1.1", "AWSEvents."+action, string(body))
}

// post sends a request that names a service as a signed one does; moto looks no further.
func (m *Moto) post(service, contentType, target, body string) []byte {
	m.t.Helper()
	req, err := http.NewRequestWithContext(m.t.Context(), http.MethodPost, m.Endpoint+"/", strings.NewReader(body))
	if err != nil {
		m.t.Fatal(err)
	}
	req.Header.Set("Content-Type", contentType)
	req.Header.Set("X-Amz-Target", target)
	req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+AccessKey+"/20260301/"+Region+"/"+service+"/aws4_request, SignedHeaders=host, Signature=0")
	resp, err := m.client.Do(req)
	if err != nil {
		m.t.Fatalf("%s: %v", service, err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		m.t.Fatalf("%s: %s, %v: %s", service, resp.Status, err, answer)
	}
	return answer
}
