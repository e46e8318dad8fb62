// Package checkpoint signs and reads statements of a log's size and root (spec
// §5): C2SP tlog-checkpoints, which are signed notes without extension lines.
//
//	custody.example/web-1
//	17
//	CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=
//
//	— custody.example/web-1 Az3grlrtQ0dEaXN0cmlidXRlZA…
package checkpoint

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"github.com/otelcol-custody/custody/ledger"
	"github.com/otelcol-custody/custody/ledger/tree"
)

// Errors of [Open] and [OpenNote].
var (
	// ErrMalformed means that the bytes are not a note, or its text is not that
	// of a checkpoint.
	ErrMalformed = errors.New("malformed signed note")
	// ErrUntrusted means that no trusted key signed the note.
	ErrUntrusted = errors.New("not signed by a trusted key")
	// ErrSignature means that a trusted key's signature on the note is wrong.
	ErrSignature = errors.New("signature is wrong")
)

// A Checkpoint is a statement of a log's size and root.
type Checkpoint struct {
	Origin string
	Size   uint64
	Root   tree.Hash
}

// Text is the text that is signed.
func (c Checkpoint) Text() string {
	return c.Origin + "\n" + strconv.FormatUint(c.Size, 10) + "\n" + c.Root.String() + "\n"
}

// ParseText accepts exactly what [Checkpoint.Text] makes.
func ParseText(text string) (Checkpoint, error) {
	lines := strings.Split(text, "\n")
	if len(lines) != 4 || lines[3] != "" {
		return Checkpoint{}, fmt.Errorf("%w: a checkpoint has exactly three lines", ErrMalformed)
	}
	size, err := strconv.ParseUint(lines[1], 10, 63)
	if err != nil {
		return Checkpoint{}, fmt.Errorf("%w: size: %w", ErrMalformed, err)
	}
	root, err := base64.StdEncoding.Strict().DecodeString(lines[2])
	if err != nil || len(root) != tree.HashSize {
		return Checkpoint{}, fmt.Errorf("%w: root is not base64 of %d bytes", ErrMalformed, tree.HashSize)
	}
	c := Checkpoint{lines[0], size, tree.Hash(root)}
	if err := CheckOrigin(c.Origin); err != nil {
		return Checkpoint{}, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if c.Text() != text {
		return Checkpoint{}, fmt.Errorf("%w: not in canonical form", ErrMalformed)
	}
	return c, nil
}

// Sign makes the signed checkpoint. The signer's name must be the origin.
func Sign(c Checkpoint, s *Signer) ([]byte, error) {
	if s.Name() != c.Origin {
		return nil, fmt.Errorf("key is for origin %q, the log's is %q", s.Name(), c.Origin)
	}
	return note.Sign(&note.Note{Text: c.Text()}, s)
}

// A Signed checkpoint bears the signature of a trusted key. Only [Open] makes
// one.
type Signed struct {
	Checkpoint
	note []byte
}

// Note is the checkpoint as it was signed; the caller does not change it.
func (s Signed) Note() []byte { return s.note }

// Open reads a signed checkpoint. Only keys of its origin count. Its errors are
// [ErrMalformed], [ErrUntrusted] and [ErrSignature].
func Open(msg []byte, keys *Keys) (Signed, error) {
	origin, _, _ := bytes.Cut(msg, []byte("\n"))
	text, err := OpenNote(msg, keys.Of(string(origin)))
	if errors.Is(err, ErrUntrusted) {
		err = fmt.Errorf("%w; only a key of that name can sign for origin %q", err, origin)
	}
	if err != nil {
		return Signed{}, err
	}
	c, err := ParseText(text)
	if err != nil {
		return Signed{}, err
	}
	return Signed{c, bytes.Clone(msg)}, nil
}

// OpenNote returns the text of any signed note that at least one of the keys
// signed, and none wrongly. Whose note it is the text says: give it only the keys
// of that origin ([Keys.Of]).
func OpenNote(msg []byte, keys *Keys) (text string, err error) {
	if len(msg) > ledger.MaxCheckpoint {
		return "", fmt.Errorf("%w: %d bytes, the limit is %d", ErrMalformed, len(msg), ledger.MaxCheckpoint)
	}
	n, err := note.Open(msg, keys.list)
	if invalid := (*note.InvalidSignatureError)(nil); errors.As(err, &invalid) {
		return "", fmt.Errorf("%w: by key %s+%08x", ErrSignature, invalid.Name, invalid.Hash)
	}
	if unknown := (*note.UnverifiedNoteError)(nil); errors.As(err, &unknown) {
		if err := checkLines(msg, nil); err != nil {
			return "", err
		}
		return "", fmt.Errorf("%w: signed by %s", ErrUntrusted, signers(unknown.Note.UnverifiedSigs))
	}
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return n.Text, checkLines(msg, n.Sigs)
}

func signers(sigs []note.Signature) string {
	var names []string
	for _, s := range sigs {
		names = append(names, fmt.Sprintf("%s+%08x", s.Name, s.Hash))
	}
	return strings.Join(names, ", ")
}

// checkLines is what the library leaves open about the signature lines of a note
// that it opened: base64 in its one form, names that could be a log's, and one line
// for each trusted key; of several it reads the first alone.
func checkLines(msg []byte, trusted []note.Signature) error {
	type key struct {
		name string
		hash uint32
	}
	lines := map[key]int{}
	block := string(msg[bytes.LastIndex(msg, []byte("\n\n"))+2:])
	for line := range strings.Lines(block) {
		name, b64, _ := strings.Cut(strings.TrimSuffix(strings.TrimPrefix(line, "— "), "\n"), " ")
		b, err := base64.StdEncoding.Strict().DecodeString(b64)
		if err != nil || len(b) < 4 {
			return fmt.Errorf("%w: signature line of %q: not canonical base64", ErrMalformed, name)
		}
		if err := CheckOrigin(name); err != nil {
			return fmt.Errorf("%w: signature line: %w", ErrMalformed, err)
		}
		lines[key{name, binary.BigEndian.Uint32(b)}]++
	}
	for _, sig := range trusted {
		if n := lines[key{sig.Name, sig.Hash}]; n != 1 {
			return fmt.Errorf("%w: %d lines by key %s+%08x, want one", ErrSignature, n, sig.Name, sig.Hash)
		}
	}
	return nil
}
