package main

import (
	"context"
	"fmt"
	"os"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// provenEach is how many entries are also proven one by one, spread over the
// log: a proof costs a dozen file reads, reading in order costs next to none.
const provenEach = 1000

// checkWithTorchwood verifies the checkpoint, then reads every entry through the
// client, which authenticates each against the tree of the checkpoint.
func checkWithTorchwood(ctx context.Context, where string, v note.Verifier) (int64, error) {
	tiles, err := openTiles(where)
	if err != nil {
		return 0, err
	}
	signed, err := tiles.ReadEndpoint(ctx, "checkpoint")
	if err != nil {
		return 0, err
	}
	policy := torchwood.ThresholdPolicy(2, torchwood.OriginPolicy(v.Name()), torchwood.SingleVerifierPolicy(v))
	checkpoint, _, err := torchwood.VerifyCheckpoint(signed, policy)
	if err != nil {
		return 0, err
	}
	client, err := torchwood.NewClient(tiles)
	if err != nil {
		return 0, err
	}
	if err := readAll(ctx, client, checkpoint.Tree); err != nil {
		return 0, err
	}
	return checkpoint.N, proveSome(ctx, client, checkpoint.Tree)
}

func openTiles(where string) (torchwood.TileReader, error) {
	if served(where) != nil {
		return torchwood.NewTileFetcher(where)
	}
	return torchwood.NewTileFS(os.DirFS(where))
}

func readAll(ctx context.Context, client *torchwood.Client, tree tlog.Tree) error {
	var next int64
	for i := range client.AllEntries(ctx, tree, 0) {
		if i != next {
			return fmt.Errorf("entry %d came where %d was due", i, next)
		}
		next++
	}
	if err := client.Err(); err != nil {
		return err
	}
	if next != tree.N {
		return fmt.Errorf("read %d entries of a tree of %d", next, tree.N)
	}
	return nil
}

// proveSome asks for entries by index, with inclusion proofs, the last included.
func proveSome(ctx context.Context, client *torchwood.Client, tree tlog.Tree) error {
	for i := tree.N - 1; i >= 0; i -= 1 + tree.N/provenEach {
		if _, _, err := client.Entry(ctx, tree, i); err != nil {
			return err
		}
	}
	return nil
}
