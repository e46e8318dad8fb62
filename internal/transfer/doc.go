// Package transfer copies logs between stores and extends their retention. It
// takes stores and returns reports; it prints nothing.
//
// A store is not believed. Where it has versions, all of them are listed: on S3
// a plain write or a delete marker hides a locked object, and the genuine bytes
// lie below. A segment is known by the hash in its name, whatever lies on top.
//
// Everything can be interrupted and done again: what is there is not sent again.
// Faults of single objects are tried again, then counted and passed over, so
// that one object does not hold up a million.
package transfer
