package recordindex

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/ledger/record"
	"github.com/otelcol-custody/custody/ledger/seal"
	"github.com/otelcol-custody/custody/ledger/segment"
)

// Kind says what an id is.
type Kind byte

// Kinds of ids.
const (
	RecordID   Kind = 'i' // the attribute audit.record.id
	OriginalID Kind = 'o' // audit.record.original_id: the one of the event's source
	leaf       Kind = 'l' // the leaf hash, as bytes
)

// An ID is an id of the record at a position.
type ID struct {
	Position uint64
	Kind     Kind
	Text     string
}

// IDs are the ids of the record with this line.
func IDs(position uint64, line []byte) []ID {
	if !bytes.Contains(line, []byte(`"audit.record.`)) {
		return nil // Parsing takes a hundred times as long.
	}
	r, err := record.ParseLine(line)
	if err != nil {
		return nil // Not canonical; verifiers say so.
	}
	var ids []ID
	for _, kind := range []Kind{RecordID, OriginalID} {
		if text := r.Text(kind.String()); text != "" {
			ids = append(ids, ID{position, kind, text})
		}
	}
	return ids
}

// AddSegment enters a verified segment, whose lines are canonical. Without lines, because the store has them
// no more, its records can be found by their leaf hashes alone.
func (x *Index) AddSegment(v *seal.Verified, lines []byte) error {
	return x.Add(v.First, v.End(), x.idsOf(v, lines))
}

func (x *Index) idsOf(v *seal.Verified, lines []byte) []ID {
	var ids []ID
	for i, line := range segment.Lines(lines) {
		ids = append(ids, idsOfCanonical(v.First+uint64(i), line)...)
	}
	if x.opt.Leaves {
		for i := range v.Count {
			link := v.Link(i)
			ids = append(ids, ID{v.First + uint64(i), leaf, string(link[:])})
		}
	}
	return ids
}

const (
	hashBytes     = 6
	positionBytes = 6
	entryBytes    = hashBytes + positionBytes
	maxPosition   = 1 << (8 * positionBytes)
)

// An entry is a hash and a position, in the order of which entries are sorted.
type entry [entryBytes]byte

func newEntry(hash [hashBytes]byte, position uint64) (e entry) {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], position)
	copy(e[:], hash[:])
	copy(e[hashBytes:], b[8-positionBytes:])
	return e
}

func (e entry) compare(o entry) int { return bytes.Compare(e[:], o[:]) }

func (e entry) hash() [hashBytes]byte { return [hashBytes]byte(e[:]) }

func (e entry) position() uint64 {
	var b [8]byte
	copy(b[8-positionBytes:], e[hashBytes:])
	return binary.BigEndian.Uint64(b[:])
}

// hash is keyed, so that nobody can send records whose ids collide.
func (m *manifest) hash(kind Kind, text string) [hashBytes]byte {
	b := append(append(make([]byte, 0, 128), m.key[:]...), byte(kind))
	sum := sha256.Sum256(append(b, text...))
	return [hashBytes]byte(sum[:])
}

// says confirms that a record has an id.
func says(line []byte, kind Kind, text string) bool {
	for _, id := range IDs(0, line) {
		if id.Kind == kind && id.Text == text {
			return true
		}
	}
	return false
}

// String names a kind as people know it.
func (k Kind) String() string {
	switch k {
	case RecordID:
		return audit.AttrRecordID
	case OriginalID:
		return audit.AttrOriginalID
	case leaf:
		return "leaf hash"
	}
	return fmt.Sprintf("kind %d", byte(k))
}
