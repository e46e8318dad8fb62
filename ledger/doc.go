// Package ledger is the pure core of Custody: the format of docs/spec, as
// bytes in and values out. It does no I/O, reads no clock and logs nothing.
//
// This package holds what all of its parts share: limits and object names. The
// parts, in the order in which a record meets them:
//
//	record      one record, one canonical line (§3)
//	tree        salts, commitments, links, edges, proofs (§4)
//	checkpoint  signed statements of a log's size and root (§5)
//	segment     the object that holds record lines (§6)
//	seal        the object that proves a segment's place (§7, §8)
//	proof       one record as evidence for a stranger (§12)
//	verify      a whole log against its keys (§11)
package ledger
