package awsnotify

import "time"

// A Kind says who made a notification.
type Kind string

// The kinds of messages.
const (
	S3          Kind = "s3"
	CloudTrail  Kind = "cloudtrail"
	EventBridge Kind = "eventbridge"
	// Control messages name no object; [Message.Control] says what they are.
	Control Kind = "control"
)

// The control messages.
const (
	ControlTest        = "s3:TestEvent"                  // S3, when notifications are set up
	ControlValidation  = "CloudTrail validation message" // CloudTrail, when a trail is set up
	ControlSubscribe   = "SubscriptionConfirmation"      // SNS
	ControlUnsubscribe = "UnsubscribeConfirmation"       // SNS
)

// A Message is what one message on the queue says. Nothing in it is proven; see
// [Verifier.Verify].
type Message struct {
	Kind    Kind
	Control string   // one of the control messages; empty for other kinds
	Objects []Object // at least one, at most [MaxObjects]; none for control messages
	SNS     *Envelope
}

// A Change says what happened to an object.
type Change uint8

// The changes. The zero value is none of them.
const (
	// Created objects can be read.
	Created Change = iota + 1
	// Deleted objects are gone or hidden: deleted, expired, or below a delete marker.
	// For a log object that is news.
	Deleted
	// Other changes leave the object's bytes as they were: tags, restore, storage class.
	Other
)

// String returns the word for a change.
func (c Change) String() string {
	switch c {
	case Created:
		return "created"
	case Deleted:
		return "deleted"
	case Other:
		return "other"
	}
	return "none"
}

// An Object is one object that a message names. What a kind of message does not tell is
// empty; CloudTrail tells only bucket and key.
type Object struct {
	Bucket    string
	Key       string // decoded, valid UTF-8, not empty
	VersionID string
	ETag      string
	Size      int64 // bytes; -1 if not told
	Sequencer string
	Region    string
	Change    Change
	Event     string // the provider's own words, such as "ObjectRemoved:DeleteMarkerCreated"
	Time      time.Time
}

// Newer says whether a happened after b, both of one object. S3 compares the sequencers
// of one key as hexadecimal text, the shorter filled with zeros on the right. ok is false
// if they cannot be compared.
func Newer(a, b Object) (newer, ok bool) {
	if a.Bucket != b.Bucket || a.Key != b.Key || a.Sequencer == "" || b.Sequencer == "" {
		return false, false
	}
	return pad(a.Sequencer, len(b.Sequencer)) > pad(b.Sequencer, len(a.Sequencer)), true
}

// An Envelope is what SNS says of a message that it passed on.
type Envelope struct {
	Type      string // Notification, SubscriptionConfirmation or UnsubscribeConfirmation
	TopicARN  string
	MessageID string
	Timestamp time.Time

	signed signedFields // as they stand in the message
}
