package scale

import (
	"crypto/sha256"
	"fmt"
	"testing"
	"time"

	"github.com/otelcol-custody/custody/internal/delivery"
	"github.com/otelcol-custody/custody/ledger/checkpoint"
	"github.com/otelcol-custody/custody/ledger/ledgertest"
	"github.com/otelcol-custody/custody/ledger/seal"
	"github.com/otelcol-custody/custody/ledger/segment"
	"github.com/otelcol-custody/custody/ledger/tree"
)

const origin = "custody.example/scale"

// chain is a log that grows by segments of one record, their closed one.
type chain struct {
	at      seal.Place
	signer  *checkpoint.Signer
	encoder *segment.Encoder
}

// grown returns a log that stands at size: the tree over so many records is
// real, their segments were never made.
func grown(t testing.TB, name string, size uint64) *chain {
	t.Helper()
	signer := ledgertest.Signer(t, origin)
	at := seal.Genesis(name, origin, signer.VerifierKey(), sha256.Sum256([]byte(name)))
	for i := range size {
		at.Link = tree.Link(at.Link, sha256.Sum256(fmt.Append(nil, i)))
		at.Edge.Append(at.Link, func(tree.Tile) {})
	}
	note, err := checkpoint.Sign(checkpoint.Checkpoint{Origin: origin, Size: size, Root: at.Edge.Root()}, signer)
	if err != nil {
		t.Fatal(err)
	}
	at.Note = note
	return &chain{at, signer, segment.NewEncoder()}
}

// next seals one more segment.
func (c *chain) next(t testing.TB) (*seal.Verified, *delivery.Objects) {
	t.Helper()
	first := c.at.Edge.Size()
	seed := tree.Seed(sha256.Sum256(fmt.Append(nil, "seed ", first)))
	closed := segment.Closed{
		At: time.Now(), First: first, Count: 1, Key: c.signer.ID(), NextBy: time.Now().Add(time.Minute),
		Reason: segment.Heartbeat, Software: "scale",
	}
	line, err := closed.Line()
	if err != nil {
		t.Fatal(err)
	}
	h := segment.Header{Origin: origin, First: first, Count: 1, Bytes: len(line) + 1, Seed: seed}
	object, err := c.encoder.Append(nil, h, append(line[:len(line):len(line)], '\n'))
	if err != nil {
		t.Fatal(err)
	}
	v, tiles, err := seal.Build(c.at, seal.Content{
		Object: object, Seed: seed, Digests: []tree.Hash{tree.Digest(line)}, ClosedLine: line, Checkpoints: c.signer,
	})
	if err != nil {
		t.Fatal(err)
	}
	c.at = v.Place()
	o := &delivery.Objects{Segment: object, Seal: v.Bytes()}
	for _, tile := range tiles {
		o.Tiles = append(o.Tiles, tile.Bytes())
	}
	return v, o
}
