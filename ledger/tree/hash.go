// Package tree is the hash chain inside the leaves of one RFC 6962 Merkle tree
// (spec §4): salts, commitments, links, the tree's right edge, and the hashes
// that proofs are made of.
package tree

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"

	"golang.org/x/mod/sumdb/tlog"
)

// A Hash is a SHA-256 sum. It prints as base64, as checkpoints do.
type Hash = tlog.Hash

// HashSize is the length of a [Hash] in bytes.
const HashSize = tlog.HashSize

// A Salt keeps a commitment from revealing its record once the seed is gone.
type Salt [16]byte

// A Seed yields the salts of one segment.
type Seed [32]byte

// EntrySize is the length in bytes of every entry of the tree.
const EntrySize = 1 + HashSize + HashSize

// The first byte of everything that is hashed; a plain line has none.
const (
	leafPrefix       = 0x00
	nodePrefix       = 0x01
	commitmentPrefix = 0x02
	saltPrefix       = 0x03
	entryPrefix      = 0xC1
)

// Digest is the plain hash of a record line, without its line feed.
func Digest(line []byte) Hash { return sha256.Sum256(line) }

// Salt is the salt of the record at index.
func (s *Seed) Salt(index uint64) Salt {
	var b [1 + len(s) + 8]byte
	b[0] = saltPrefix
	copy(b[1:], s[:])
	binary.BigEndian.PutUint64(b[1+len(s):], index)
	h := sha256.Sum256(b[:])
	return Salt(h[:len(Salt{})])
}

// Commitment hides a digest behind its salt.
func Commitment(salt Salt, digest Hash) Hash {
	var b [1 + len(salt) + HashSize]byte
	b[0] = commitmentPrefix
	copy(b[1:], salt[:])
	copy(b[1+len(salt):], digest[:])
	return sha256.Sum256(b[:])
}

// Entry is the tree's entry for the record behind the link prev.
func Entry(prev, commitment Hash) [EntrySize]byte {
	var b [EntrySize]byte
	b[0] = entryPrefix
	copy(b[1:], prev[:])
	copy(b[1+HashSize:], commitment[:])
	return b
}

// Link is the chain's next link and, at once, the tree's leaf hash.
func Link(prev, commitment Hash) Hash {
	var b [1 + EntrySize]byte
	b[0] = leafPrefix
	b[1] = entryPrefix
	copy(b[2:], prev[:])
	copy(b[2+HashSize:], commitment[:])
	return sha256.Sum256(b[:])
}

// node is the hash of an inner node.
func node(left, right Hash) Hash {
	var b [1 + 2*HashSize]byte
	b[0] = nodePrefix
	copy(b[1:], left[:])
	copy(b[1+HashSize:], right[:])
	return sha256.Sum256(b[:])
}

// Genesis is the link before the first record of a log.
func Genesis(origin, vkey string, nonce [32]byte) Hash {
	return sha256.Sum256([]byte("custody/genesis/v1\n" + origin + "\n" + vkey + "\n" + hex.EncodeToString(nonce[:]) + "\n"))
}
