package awstest

import "errors"

// A Fault is an error that a server answers.
type Fault struct {
	Status  int    // of HTTP
	Code    string // such as ThrottlingException
	Message string
}

func (f *Fault) Error() string { return f.Code + ": " + f.Message }

// Faults of the way to and from a server, for [SQS.SetFault] and [CloudTrail.SetFault].
var (
	// ErrHang leaves the call without an answer until the client gives up.
	ErrHang = errors.New("hang")
	// ErrAnswerLost does what was asked for, and then breaks the connection.
	ErrAnswerLost = errors.New("answer lost")
)

// Throttled is the answer to too many calls.
func Throttled() error {
	return &Fault{Status: 400, Code: "ThrottlingException", Message: "Rate exceeded"}
}

// Unavailable is the answer of a service that is down.
func Unavailable() error {
	return &Fault{Status: 503, Code: "ServiceUnavailable", Message: "Service is unavailable, try again"}
}

// ExpiredToken is the answer to credentials that are no longer valid.
func ExpiredToken() error {
	return &Fault{Status: 403, Code: "ExpiredToken", Message: "The security token included in the request is expired"}
}

// AccessDenied is the answer to whom IAM does not allow a call.
func AccessDenied() error {
	return &Fault{Status: 403, Code: "AccessDenied", Message: "Access to the resource is denied"}
}

// queryCodes are the codes of SQS's older protocol, which it still sends beside the new
// ones and the SDK prefers.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-json-faqs.html
var queryCodes = map[string]string{
	"QueueDoesNotExist":            "AWS.SimpleQueueService.NonExistentQueue",
	"QueueNameExists":              "QueueAlreadyExists",
	"MessageNotInflight":           "AWS.SimpleQueueService.MessageNotInflight",
	"EmptyBatchRequest":            "AWS.SimpleQueueService.EmptyBatchRequest",
	"TooManyEntriesInBatchRequest": "AWS.SimpleQueueService.TooManyEntriesInBatchRequest",
	"BatchEntryIdsNotDistinct":     "AWS.SimpleQueueService.BatchEntryIdsNotDistinct",
	"UnsupportedOperation":         "AWS.SimpleQueueService.UnsupportedOperation",
}

func invalidParameter(text string) error {
	return &Fault{Status: 400, Code: "InvalidParameterValue", Message: text}
}
