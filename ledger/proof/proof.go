// Package proof is one record as evidence for someone who has neither the store
// nor the log (spec §12): a C2SP tlog-proof whose extra data hold the record
// itself.
package proof

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/otelcol-custody/custody/ledger"
	"github.com/otelcol-custody/custody/ledger/checkpoint"
	"github.com/otelcol-custody/custody/ledger/record"
	"github.com/otelcol-custody/custody/ledger/tree"
)

// Errors of [Check].
var (
	// ErrMalformed means that the bytes are not an evidence file.
	ErrMalformed = errors.New("malformed evidence file")
	// ErrBroken means that the file does not prove what it claims.
	ErrBroken = errors.New("evidence broken")
)

const (
	proofVersion = "c2sp.org/tlog-proof@v1"
	extraVersion = "custody-evidence/v1"
	maxHashes    = 64 // the depth of the largest tree
)

// Evidence is a record with everything that proves its place.
type Evidence struct {
	Index      uint64
	Salt       tree.Salt
	Previous   tree.Hash // the link before the record
	Line       []byte
	Proof      []tree.Hash
	Checkpoint []byte // the signed note
}

// Leaf is the record's link, which is its leaf hash.
func (e *Evidence) Leaf() tree.Hash {
	return tree.Link(e.Previous, tree.Commitment(e.Salt, tree.Digest(e.Line)))
}

// Format is the evidence file.
func (e *Evidence) Format() []byte {
	extra := fmt.Sprintf("%s\nsalt %x\nprevious %x\n%s\n", extraVersion, e.Salt, e.Previous[:], e.Line)
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s\nextra %s\nindex %d\n", proofVersion, base64.StdEncoding.EncodeToString([]byte(extra)), e.Index)
	for _, h := range e.Proof {
		fmt.Fprintf(&b, "%s\n", h)
	}
	b.WriteByte('\n')
	b.Write(e.Checkpoint)
	return b.Bytes()
}

// Parse accepts exactly what [Evidence.Format] makes. It proves nothing yet.
func Parse(file []byte) (*Evidence, error) {
	e, err := parse(file)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if !bytes.Equal(e.Format(), file) {
		return nil, fmt.Errorf("%w: not in canonical form", ErrMalformed)
	}
	return e, nil
}

func parse(file []byte) (*Evidence, error) {
	if len(file) > 2*ledger.MaxLine+ledger.MaxCheckpoint {
		return nil, fmt.Errorf("%d bytes are too many", len(file))
	}
	head, note, ok := strings.Cut(string(file), "\n\n")
	lines := strings.SplitN(head, "\n", 3+maxHashes+1)
	if !ok || len(lines) < 3 || lines[0] != proofVersion {
		return nil, fmt.Errorf("it does not begin with %s, extra and index", proofVersion)
	}
	e := &Evidence{Checkpoint: []byte(note)}
	extra, err1 := base64.StdEncoding.Strict().DecodeString(strings.TrimPrefix(lines[1], "extra "))
	index, err2 := strconv.ParseUint(strings.TrimPrefix(lines[2], "index "), 10, 63)
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	e.Index = index
	if len(lines)-3 > maxHashes {
		return nil, fmt.Errorf("%d hashes are too many", len(lines)-3)
	}
	for _, line := range lines[3:] {
		h, err := base64.StdEncoding.Strict().DecodeString(line)
		if err != nil || len(h) != tree.HashSize {
			return nil, fmt.Errorf("%q is not a hash", line)
		}
		e.Proof = append(e.Proof, tree.Hash(h))
	}
	return e, e.parseExtra(extra)
}

func (e *Evidence) parseExtra(extra []byte) error {
	parts := bytes.SplitN(extra, []byte("\n"), 4)
	if len(parts) != 4 || string(parts[0]) != extraVersion {
		return fmt.Errorf("its extra data do not begin with %s", extraVersion)
	}
	salt, ok1 := bytes.CutPrefix(parts[1], []byte("salt "))
	previous, ok2 := bytes.CutPrefix(parts[2], []byte("previous "))
	line, ok3 := bytes.CutSuffix(parts[3], []byte("\n"))
	if !ok1 || !ok2 || !ok3 || len(salt) != hex.EncodedLen(len(e.Salt)) || len(previous) != hex.EncodedLen(tree.HashSize) {
		return errors.New("its extra data are not salt, previous and line")
	}
	_, err1 := hex.Decode(e.Salt[:], salt)
	_, err2 := hex.Decode(e.Previous[:], previous)
	e.Line = line
	return errors.Join(err1, err2)
}

// Proven evidence has been checked against a trusted key. Only [Check] makes
// one.
type Proven struct {
	Evidence
	Checkpoint checkpoint.Signed
	Record     *record.Record
}

// Check reads an evidence file and proves it (spec §12). Its errors are
// [ErrMalformed], [ErrBroken], checkpoint.ErrUntrusted and
// checkpoint.ErrSignature.
func Check(file []byte, keys *checkpoint.Keys) (*Proven, error) {
	e, err := Parse(file)
	if err != nil {
		return nil, err
	}
	c, err := checkpoint.Open(e.Checkpoint, keys)
	if errors.Is(err, checkpoint.ErrMalformed) {
		return nil, fmt.Errorf("%w: checkpoint: %w", ErrMalformed, err)
	}
	if err != nil {
		return nil, fmt.Errorf("checkpoint: %w", err)
	}
	return e.Against(c)
}

// Against proves the record in the tree of a checkpoint, which takes the place of
// the evidence's own. Its errors are [ErrBroken].
func (e *Evidence) Against(c checkpoint.Signed) (*Proven, error) {
	if e.Index >= c.Size {
		return nil, fmt.Errorf("%w: record %d is not in a log of size %d", ErrBroken, e.Index, c.Size)
	}
	if err := tree.CheckInclusion(e.Proof, c.Size, c.Root, e.Index, e.Leaf()); err != nil {
		return nil, fmt.Errorf("%w: record %d with its salt and predecessor is not in the tree of size %d: %w", ErrBroken, e.Index, c.Size, err)
	}
	r, err := record.ParseLine(e.Line)
	if err != nil {
		return nil, fmt.Errorf("%w: record %d: the line is not canonical: %w", ErrBroken, e.Index, err)
	}
	return &Proven{*e, c, r}, nil
}
