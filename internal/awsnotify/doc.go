// Package awsnotify reads the messages with which AWS says that objects in S3 have
// changed, and checks the signature of those that came through SNS.
//
// [Parse] is pure and takes all shapes from one queue, in any order:
//
//   - S3 event notifications (keys URL-encoded);
//   - what CloudTrail itself publishes to SNS when it has delivered log files;
//   - EventBridge events of S3 about an object (keys as they are);
//   - each of these inside an SNS message, or alone, as with raw delivery;
//   - control messages, which name no object. A subscription is never confirmed here.
//
// [Verifier] proves that an SNS message was signed by SNS for a topic that the
// operator named. It fetches the certificate that the message names, and nothing else.
//
// What is not in an SNS envelope carries no signature at all: notifications that S3 or
// EventBridge send to a queue, and whatever a subscription with raw message delivery
// passes on. Who may write to the queue is then all that speaks for a message.
//
// Sources:
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html,
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html,
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/configure-sns-notifications-for-cloudtrail.html,
// https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html.
package awsnotify
