// Package wormexport is what the WORM exporters share: it takes from hash_chain
// what internal/delivery describes, verifies it, and keeps it in a store.
//
// Whatever arrives is believed only as far as it verifies with the exporter's
// own keys; objects get their names from the verified seal. Segment and tiles are
// stored beside each other, then the seal, and seals in the order of the log: one
// only behind the one that it follows. A receipt is given when the seal is durable
// and all of the segment's objects are retained as configured.
//
// # Requests
//
// A segment takes one write for each object, and on a store with versions one
// listing of its seal's. The first segment after a start, and one that comes out
// of its turn, takes one or two listings more. One whose seal is there already takes
// a look at each of its objects, and where the store knows no digests a read. A
// probe takes a listing, and a read for each seal from the writer's newest one on.
//
// # Answers
//
// nil: stored, or none of this exporter's business. *[delivery.ForkError]: the
// store has another history. *[delivery.AlteredError]: not what hash_chain
// sealed. [delivery.ErrPending]: ask again; with it comes what is known of the
// cause. Anything else refuses the delivery. No error is ever permanent in the
// sense of consumererror: that makes senders drop what they sent, and what is
// refused here is not safe elsewhere.
package wormexport

//go:generate go tool -modfile=../../tools/go.mod mdatagen metadata.yaml
