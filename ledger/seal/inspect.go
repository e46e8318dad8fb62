package seal

import (
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/note"

	"github.com/otelcol-custody/custody/ledger"
	"github.com/otelcol-custody/custody/ledger/checkpoint"
	"github.com/otelcol-custody/custody/ledger/segment"
)

// Unverified is what a seal says of itself. Nothing of it has been checked: no
// signature, no hash. It serves to look at a log whose key is not at hand, and
// to learn which key to ask for.
type Unverified struct {
	Head
	Closed *segment.Closed
	After  checkpoint.Checkpoint
	Keys   []string // name+hash of the keys that claim to have signed the head
}

// InspectUnverified parses a seal without judging it. Its errors are
// [ErrMalformed] and [ErrVersion].
func InspectUnverified(b []byte) (*Unverified, error) {
	head, parts, err := splitNote(b)
	if err != nil {
		return nil, err
	}
	text, keys, err := unverifiedText(head)
	if err != nil {
		return nil, fmt.Errorf("head: %w", err)
	}
	h, err := parseHead(text)
	if err != nil {
		return nil, err
	}
	if len(b) > ledger.MaxSeal || len(parts) != h.Parts.total() {
		return nil, fmt.Errorf("%w: %d bytes of parts, want %d", ErrMalformed, len(parts), h.Parts.total())
	}
	parts = parts[h.Parts.Before:]
	after, parts := parts[:h.Parts.After], parts[h.Parts.After:]
	u := &Unverified{Head: *h, Keys: keys}
	if text, _, err = unverifiedText(after); err != nil {
		return nil, fmt.Errorf("checkpoint after: %w", err)
	}
	if u.After, err = checkpoint.ParseText(text); err != nil {
		return nil, fmt.Errorf("%w: checkpoint after: %w", ErrMalformed, err)
	}
	if u.Closed, err = segment.ParseClosed(parts[:h.Parts.Closed]); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return u, nil
}

// unverifiedText is a note's text and who claims to have signed it.
func unverifiedText(msg []byte) (text string, keys []string, err error) {
	_, err = note.Open(msg, note.VerifierList())
	var unverified *note.UnverifiedNoteError
	if !errors.As(err, &unverified) {
		return "", nil, fmt.Errorf("%w: not a signed note: %w", ErrMalformed, err)
	}
	for _, s := range unverified.Note.UnverifiedSigs {
		keys = append(keys, fmt.Sprintf("%s+%08x", s.Name, s.Hash))
	}
	return unverified.Note.Text, keys, nil
}
