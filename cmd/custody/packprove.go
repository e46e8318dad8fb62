package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/otelcol-custody/custody/ledger"
	"github.com/otelcol-custody/custody/ledger/archive"
	"github.com/otelcol-custody/custody/ledger/proof"
	"github.com/otelcol-custody/custody/ledger/seal"
	"github.com/otelcol-custody/custody/ledger/segment"
	"github.com/otelcol-custody/custody/ledger/tiles"
	"github.com/otelcol-custody/custody/ledger/tree"
)

// A prover proves records in order. It reads each segment once, and remembers
// tiles.
type prover struct {
	*archive.Log
	seen map[place][]tree.Hash
	dec  *segment.Decoder
	left int // bytes of lines that still fit
}

// A place is that of a tile in a tree.
type place struct {
	level int
	index uint64
}

// maxSeen is when tiles are forgotten: 8 MiB of them.
const maxSeen = 1024

func newProver(l *archive.Log) *prover {
	return &prover{Log: l, seen: map[place][]tree.Hash{}, dec: segment.NewDecoder(), left: ledger.MaxPack}
}

// Tile implements tiles.Source.
func (p *prover) Tile(level int, index uint64) ([]tree.Hash, error) {
	at := place{level, index}
	if hs, ok := p.seen[at]; ok {
		return hs, nil
	}
	hs, err := tiles.Read(p, level, index)
	if err != nil {
		return nil, err
	}
	if len(p.seen) >= maxSeen {
		clear(p.seen)
	}
	p.seen[at] = hs
	return hs, nil
}

// proveAll makes the evidence for records of ascending indexes.
func proveAll(ctx context.Context, l *archive.Log, indexes []uint64, bar *bar) ([]*proof.Evidence, error) {
	p := newProver(l)
	defer p.dec.Close()
	var out []*proof.Evidence
	for len(out) < len(indexes) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		bar.show("%s of %s proven", number(len(out)), several(len(indexes), "record"))
		v, err := l.Covering(indexes[len(out)])
		if err != nil {
			return nil, err
		}
		if out, err = p.segment(v, indexes, out); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// segment adds the evidence for the next records, which lie in the segment of a
// seal.
func (p *prover) segment(v *seal.Verified, indexes []uint64, out []*proof.Evidence) ([]*proof.Evidence, error) {
	seed, lines, err := p.Lines(v, p.dec)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("record %d: its segment is not in this store", indexes[len(out)])
	}
	if err != nil {
		return nil, fmt.Errorf("record %d: %w", indexes[len(out)], err)
	}
	for i, line := range segment.Lines(lines) {
		index := v.First + uint64(i)
		if len(out) == len(indexes) || indexes[len(out)] != index {
			continue
		}
		if p.left -= len(line); p.left < 0 {
			return nil, usagef("these records are longer than a pack may be (%s): choose fewer, or make several packs", size(ledger.MaxPack))
		}
		e, err := tiles.Evidence(p, v, index, seed.Salt(index), bytes.Clone(line))
		if err != nil {
			return nil, err
		}
		out = append(out, e)
	}
	return out, nil
}

// A bar keeps one line on a terminal up to date. It is not for use by several
// goroutines.
type bar struct {
	e     env
	shown time.Time
}

func (b *bar) show(format string, args ...any) {
	if !b.e.terminal {
		return
	}
	if now := b.e.now(); now.Sub(b.shown) >= progressEvery {
		b.shown = now
		fmt.Fprintf(b.e.stderr, "\r\x1b[K"+format, args...)
	}
}

func (b *bar) clear() {
	if !b.shown.IsZero() {
		fmt.Fprint(b.e.stderr, "\r\x1b[K")
	}
}
