package sealer

import (
	"bytes"
	"path"
	"path/filepath"

	"github.com/otelcol-custody/custody/ledger/seal"
	"github.com/otelcol-custody/custody/ledger/segment"
	"github.com/otelcol-custody/custody/ledger/tree"
)

// Reseal makes an orphan's seal again at the place where it stood: the same bytes
// as the first time, if it is the segment that stood there.
func (o *Orphan) Reseal(at seal.Place) (*SalvagedSeal, error) {
	object, text, err := o.read()
	if err != nil {
		return nil, err
	}
	var digests []tree.Hash
	var last []byte
	for _, line := range segment.Lines(text) {
		digests, last = append(digests, tree.Digest(line)), line
	}
	v, _, err := seal.Build(at, seal.Content{Object: object, Seed: o.Header.Seed, Digests: digests, ClosedLine: last, Checkpoints: o.c.Signer})
	if err != nil {
		return nil, err
	}
	return &SalvagedSeal{File: o.File, Head: v.Head, After: v.After(), Whole: true, c: o.c, made: v}, nil
}

func (o *Orphan) read() (object, text []byte, err error) {
	if object, err = readFile(o.c.FS, o.File); err != nil {
		return nil, nil, err
	}
	parsed, err := segment.Parse(object)
	if err != nil {
		return nil, nil, err
	}
	dec := segment.NewDecoder()
	defer dec.Close()
	text, err = dec.Inflate(parsed)
	return object, bytes.Clone(text), err
}

// Records are the orphan's records, without the log's own words; none if it
// cannot be inflated.
func (o *Orphan) Records() (out []Former) {
	_, text, err := o.read()
	if err != nil {
		return nil
	}
	for i, line := range segment.Lines(text) {
		at := o.Header.First + uint64(i)
		if !ownWord(line) {
			out = append(out, Former{Source: path.Join(spoolDir, filepath.Base(o.File)), Line: line, Position: at, Known: true, Commitment: tree.Commitment(o.Header.Seed.Salt(at), tree.Digest(line))})
		}
	}
	return out
}
