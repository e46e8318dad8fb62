// Package awstest has AWS services for tests, each on 127.0.0.1 at a free port and
// stopped when its test ends.
//
// [NewSQS] and [NewCloudTrail] are written here, over net/http, and run wherever Go
// does. They speak the protocol that the Go SDK speaks, follow what AWS documents, take a
// clock of the test, and fail on demand. What they do not know they refuse.
//
// [StartMoto] runs moto, the emulator that delivers what S3 notifies to queues, topics
// and EventBridge. It needs python3 with moto; where that is missing the test fails and
// says how to get it.
//
// None of them checks a signature: they prove what was asked, not that it was allowed.
package awstest
