package awstest

import (
	"maps"
	"strconv"
	"time"
)

// defaults are the attributes of a queue that was made without any.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
var defaults = map[string]string{
	"VisibilityTimeout": "30", "MessageRetentionPeriod": "345600", "ReceiveMessageWaitTimeSeconds": "0",
	"DelaySeconds": "0", "MaximumMessageSize": strconv.Itoa(maxMessage),
}

// ranges are those of attributes that are numbers.
var ranges = map[string][2]int{
	"VisibilityTimeout": {0, 43200}, "MessageRetentionPeriod": {60, 1209600}, "ReceiveMessageWaitTimeSeconds": {0, 20},
	"DelaySeconds": {0, 900}, "MaximumMessageSize": {1024, maxMessage},
}

func checkAttribute(name, value string) error {
	if name == "RedrivePolicy" || name == "Policy" {
		return nil
	}
	limits, ok := ranges[name]
	if !ok {
		return &Fault{Status: 400, Code: "InvalidAttributeName", Message: "Unknown Attribute " + name + "."}
	}
	if n, err := strconv.Atoi(value); err != nil || n < limits[0] || n > limits[1] {
		return &Fault{Status: 400, Code: "InvalidAttributeValue", Message: "Invalid value for the parameter " + name + "."}
	}
	return nil
}

// described are all attributes of a queue.
func (q *queue) described(now time.Time) map[string]string {
	all := maps.Clone(q.attributes)
	all["QueueArn"] = QueueARN(q.name)
	all["CreatedTimestamp"] = strconv.FormatInt(q.created.Unix(), 10)
	all["LastModifiedTimestamp"] = all["CreatedTimestamp"]
	all["ApproximateNumberOfMessages"] = strconv.Itoa(q.count(now, Visible))
	all["ApproximateNumberOfMessagesNotVisible"] = strconv.Itoa(q.count(now, InFlight))
	all["ApproximateNumberOfMessagesDelayed"] = strconv.Itoa(q.count(now, Delayed))
	return all
}

// described are the attributes of a message.
func (m received) described() map[string]string {
	return map[string]string{
		"SenderId": "AIDACUSTODYTEST", "SentTimestamp": strconv.FormatInt(m.sent.UnixMilli(), 10),
		"ApproximateReceiveCount":          strconv.Itoa(m.receives),
		"ApproximateFirstReceiveTimestamp": strconv.FormatInt(m.first.UnixMilli(), 10),
	}
}

// chosen are the attributes that a request names; "All" is all of them. One that is not
// there is left out.
func chosen(all map[string]string, names []string) map[string]string {
	out := map[string]string{}
	for _, name := range names {
		if name == "All" {
			return all
		}
		if value, ok := all[name]; ok {
			out[name] = value
		}
	}
	return out
}
