package pack

import (
	"errors"
	"fmt"
	"strings"

	"github.com/otelcol-custody/custody/ledger/checkpoint"
	"github.com/otelcol-custody/custody/ledger/proof"
)

// A Proven pack has been checked against trusted keys. Only [Check] makes one.
type Proven struct {
	*Pack
	Checkpoint checkpoint.Signed
	Proven     []*proof.Proven // all records of the pack, in its order
}

// A Failure is a record that a pack does not prove.
type Failure struct {
	Index uint64
	Err   error
}

// Unproven means that a pack's checkpoint is right and some of its records are
// not. It is proof.ErrBroken.
type Unproven struct {
	Proven   []uint64 // the indexes of the others
	Failures []Failure
}

func (u *Unproven) Error() string {
	const most = 5
	var parts []string
	for _, f := range u.Failures[:min(len(u.Failures), most)] {
		parts = append(parts, f.Err.Error())
	}
	if n := len(u.Failures) - most; n > 0 {
		parts = append(parts, fmt.Sprintf("and %d more", n))
	}
	return fmt.Sprintf("%d of %d records are not proven: %s", len(u.Failures), len(u.Failures)+len(u.Proven), strings.Join(parts, "; "))
}

// Unwrap makes it evidence that is broken.
func (u *Unproven) Unwrap() error { return proof.ErrBroken }

// Check reads an evidence pack and proves its records (spec §12.1); the result
// keeps file. Its errors are those of [Parse], proof.ErrBroken, of which [Unproven]
// is one, checkpoint.ErrUntrusted and checkpoint.ErrSignature.
func Check(file []byte, keys *checkpoint.Keys) (*Proven, error) {
	p, err := Parse(file)
	if err != nil {
		return nil, err
	}
	c, err := p.open(keys)
	if err != nil {
		return nil, err
	}
	proven, bad := &Proven{Pack: p, Checkpoint: c}, &Unproven{}
	for _, e := range p.Records {
		one, err := e.Against(c)
		if err != nil {
			bad.Failures = append(bad.Failures, Failure{e.Index, err})
			continue
		}
		proven.Proven = append(proven.Proven, one)
		bad.Proven = append(bad.Proven, e.Index)
	}
	if len(bad.Failures) > 0 {
		return nil, bad
	}
	return proven, nil
}

// open demands that the pack's key is one of the trusted ones, and that this key
// signed the checkpoint.
func (p *Pack) open(keys *checkpoint.Keys) (checkpoint.Signed, error) {
	c, err := checkpoint.Open(p.Note, keys)
	switch {
	case errors.Is(err, checkpoint.ErrMalformed):
		return c, fmt.Errorf("%w: checkpoint: %w", proof.ErrMalformed, err)
	case err != nil:
		return c, fmt.Errorf("checkpoint: %w", err)
	case !keys.Has(p.Key):
		return c, fmt.Errorf("%w: the checkpoint is signed by a trusted key, but the pack names another one: %s", proof.ErrBroken, p.Key)
	}
	if err := signedBy(p.Key, p.Note); err != nil {
		return c, fmt.Errorf("%w: the checkpoint is not signed by the key that the pack names: %w", proof.ErrBroken, err)
	}
	return c, nil
}

// signedBy says why a note does not bear the signature of this key.
func signedBy(vkey string, note []byte) error {
	keys, err := checkpoint.ParseKeys(vkey)
	if err == nil {
		_, err = checkpoint.Open(note, keys)
	}
	return err
}
