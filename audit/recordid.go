package audit

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
)

// RecordID names an event so that every copy of it has the same name,
// however it was delivered, and no other event has it: the first 32 hex
// digits of a SHA-256 over the format version, provider, scope (account and
// region, tenant, project, cluster …), native id and the SHA-256 of raw.
//
// It binds the content, because a native id alone may be chosen by whoever
// made the request, and would let them have an event taken for a duplicate.
func RecordID(provider, scope, nativeID string, raw []byte) string {
	return RecordIDOfHash(provider, scope, nativeID, sha256.Sum256(raw))
}

// RecordIDOfHash is [RecordID] for a caller that has hashed raw already.
func RecordIDOfHash(provider, scope, nativeID string, rawHash [sha256.Size]byte) string {
	var space [256]byte
	b := append(space[:0], "v1"...)
	// A length before each part: parts cannot run into each other.
	for _, part := range [...]string{provider, scope, nativeID} {
		b = binary.BigEndian.AppendUint32(b, uint32(len(part)))
		b = append(b, part...)
	}
	b = append(b, rawHash[:]...)
	sum := sha256.Sum256(b)
	var id [32]byte
	hex.Encode(id[:], sum[:16])
	return string(id[:])
}

// RawHash is the value of [AttrRawHash] for a body's SHA-256.
func RawHash(rawHash [sha256.Size]byte) string {
	var b [7 + 2*sha256.Size]byte
	copy(b[:], "sha256:")
	hex.Encode(b[7:], rawHash[:])
	return string(b[:])
}
