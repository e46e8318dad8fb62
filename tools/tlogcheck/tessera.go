package main

import (
	"context"
	"fmt"

	"github.com/transparency-dev/merkle/rfc6962"
	"github.com/transparency-dev/tessera/api"
	"github.com/transparency-dev/tessera/client"
	"github.com/transparency-dev/tessera/fsck"
	"golang.org/x/mod/sumdb/note"
)

// checkWithTessera recomputes every tile and the root from the entry bundles. At
// v1.0.4 it panics where a bundle holds fewer entries than its name says.
func checkWithTessera(ctx context.Context, where string, v note.Verifier) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("fsck panics: %v", p)
		}
	}()
	var tree fsck.Fetcher = &client.FileFetcher{Root: where}
	if u := served(where); u != nil {
		f, err := client.NewHTTPFetcher(u, nil)
		if err != nil {
			return err
		}
		tree = f
	}
	return fsck.New(v.Name(), v, tree, leafHashes, fsck.Opts{N: 2}).Check(ctx)
}

func leafHashes(bundle []byte) ([][]byte, error) {
	var b api.EntryBundle
	if err := b.UnmarshalText(bundle); err != nil {
		return nil, fmt.Errorf("entry bundle: %w", err)
	}
	var hashes [][]byte
	for _, e := range b.Entries {
		hashes = append(hashes, rfc6962.DefaultHasher.HashLeaf(e))
	}
	return hashes, nil
}
