// Package ledgertest makes real logs for tests: signed, sealed segments with
// canonical record lines, the same bytes on every run.
package ledgertest

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/otelcol-custody/custody/ledger/checkpoint"
	"github.com/otelcol-custody/custody/ledger/record"
	"github.com/otelcol-custody/custody/ledger/seal"
	"github.com/otelcol-custody/custody/ledger/segment"
	"github.com/otelcol-custody/custody/ledger/tree"
)

// Began is the clock of a log's first record; each segment is a minute later.
var Began = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// Signer returns the signer for an origin. The key follows from the origin.
func Signer(t testing.TB, origin string) *checkpoint.Signer { return ImpostorOf(t, origin, "") }

// ImpostorOf returns a signer with the same name as that for the origin and
// another key.
func ImpostorOf(t testing.TB, origin, who string) *checkpoint.Signer {
	t.Helper()
	s, err := checkpoint.NewSigner(secretKey(origin, who))
	if err != nil {
		t.Fatalf("ledgertest: %v", err)
	}
	return s
}

// SecretKey is the text of [Signer]'s key, for a key file.
func SecretKey(origin string) string { return secretKey(origin, "") }

func secretKey(origin, who string) string {
	seed := sha256.Sum256([]byte("ledgertest key\n" + origin + "\n" + who))
	pub := ed25519.NewKeyFromSeed(seed[:]).Public().(ed25519.PublicKey)
	const ed25519Type = 1 // C2SP signed-note
	id := sha256.Sum256(append([]byte(origin+"\n"), append([]byte{ed25519Type}, pub...)...))
	return fmt.Sprintf("PRIVATE+KEY+%s+%08x+%s", origin, binary.BigEndian.Uint32(id[:]),
		base64.StdEncoding.EncodeToString(append([]byte{ed25519Type}, seed[:]...)))
}

// Keys are the public keys of the signers.
func Keys(t testing.TB, signers ...*checkpoint.Signer) *checkpoint.Keys {
	t.Helper()
	var text strings.Builder
	for _, s := range signers {
		text.WriteString(s.VerifierKey() + "\n")
	}
	keys, err := checkpoint.ParseKeys(text.String())
	if err != nil {
		t.Fatalf("ledgertest: %v", err)
	}
	return keys
}

// A Segment is one sealed segment.
type Segment struct {
	Lines  [][]byte // the record lines, the closed one last
	Seed   tree.Seed
	Object []byte
	Tiles  []tree.Tile
	Seal   *seal.Verified
}

// A Log grows by segments.
type Log struct {
	Segments []Segment

	signer *checkpoint.Signer
	at     seal.Place
	branch string
}

// NewLog returns an empty log of this name, whose origin is the signer's name.
func NewLog(name string, s *checkpoint.Signer) *Log {
	return &Log{signer: s, at: seal.Genesis(name, s.Name(), s.VerifierKey(), sha256.Sum256([]byte(name)))}
}

// Chain returns the segments of a log named "test" with these numbers of
// records, the closed ones included.
func Chain(t testing.TB, s *checkpoint.Signer, counts ...int) []Segment {
	t.Helper()
	l := NewLog("test", s)
	l.Add(t, counts...)
	return l.Segments
}

// Branch returns a log with the same history so far, whose future records
// differ from those of every other branch.
func (l *Log) Branch(name string) *Log {
	b := *l
	b.branch += "/" + name
	b.Segments = l.Segments[:len(l.Segments):len(l.Segments)]
	return &b
}

// Add seals one segment for each count, which includes the closed record, and
// returns the last one.
func (l *Log) Add(t testing.TB, counts ...int) Segment {
	t.Helper()
	for _, n := range counts {
		l.Extend(t, l.records(t, n-1), nil)
	}
	return l.Segments[len(l.Segments)-1]
}

// records are the lines of the next n records.
func (l *Log) records(t testing.TB, n int) [][]byte {
	t.Helper()
	var lines [][]byte
	for i := range n {
		line, err := record.AppendLine(nil, Record(l.branch, l.Size()+uint64(i)))
		if err != nil {
			t.Fatalf("ledgertest: %v", err)
		}
		lines = append(lines, line)
	}
	return lines
}

// Size is the number of records so far.
func (l *Log) Size() uint64 { return l.at.Edge.Size() }

// Extend seals one segment of these lines and a closed record, which edit, if it
// is not nil, changes before.
func (l *Log) Extend(t testing.TB, lines [][]byte, edit func(*segment.Closed)) Segment {
	t.Helper()
	first, n := l.Size(), int64(len(lines))
	at := Began.Add(time.Duration(len(l.Segments)+1) * time.Minute)
	closed := segment.Closed{
		At: at, First: first, Count: len(lines) + 1, Key: l.signer.ID(), NextBy: at.Add(2 * time.Minute), Reason: segment.BySize,
		Software: "ledgertest", Counts: map[string]segment.Counts{"test": {"received": n, "sealed": n}},
	}
	if edit != nil {
		edit(&closed)
	}
	line, err := closed.Line()
	s := Segment{Lines: append(slices.Clip(lines), line), Seed: sha256.Sum256(fmt.Appendf(nil, "ledgertest seed %s %d", l.branch, first))}
	if err == nil {
		err = l.build(&s, first)
	}
	if err != nil {
		t.Fatalf("ledgertest: %v", err)
	}
	l.Segments = append(l.Segments, s)
	l.at = s.Seal.Place()
	return s
}

func (l *Log) build(s *Segment, first uint64) (err error) {
	var lines []byte
	var digests []tree.Hash
	for _, line := range s.Lines {
		lines = append(append(lines, line...), '\n')
		digests = append(digests, tree.Digest(line))
	}
	h := segment.Header{Origin: l.at.Origin, First: first, Count: len(s.Lines), Bytes: len(lines), Seed: s.Seed}
	if s.Object, err = segment.NewEncoder().Append(nil, h, lines); err != nil {
		return err
	}
	s.Seal, s.Tiles, err = seal.Build(l.at, seal.Content{
		Object: s.Object, Seed: s.Seed, Digests: digests, ClosedLine: s.Lines[len(s.Lines)-1], Checkpoints: l.signer,
	})
	return err
}

// Record is the record at an index of a branch.
func Record(branch string, index uint64) *record.Record {
	return &record.Record{
		Time: uint64(Began.UnixNano()) + index, EventName: "test",
		Body: record.MapValue(
			record.KeyValue{Key: "branch", Value: record.StringValue(branch)},
			record.KeyValue{Key: "index", Value: record.IntValue(int64(index))},
		),
	}
}
