// Program tlogcheck reads a tlog-tiles tree with other people's code: torchwood's
// client and Tessera's fsck. None of it is shared with this project, so a tree that
// passes is a standard tree and not merely one that we agree with. The tree is an
// exported one in a folder, or one that is served.
//
//	tlogcheck --key log.pub DIR
//	tlogcheck --key log.pub http://127.0.0.1:8480/LOG
//
// It exits 0 when both accept every entry, 1 when one refuses, 2 on wrong usage.
// Tessera's own command is not used: at v1.0.4 it exits 0 after a failed check.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/url"
	"os"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

func main() {
	key := flag.String("key", "", "file with the log's public key, a note verifier key on one line")
	flag.Parse()
	if *key == "" || flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "usage: tlogcheck --key FILE DIR|URL")
		os.Exit(2)
	}
	verifier, err := readVerifier(*key)
	if err != nil {
		fmt.Fprintln(os.Stderr, "tlogcheck:", err)
		os.Exit(2)
	}
	size, err := check(context.Background(), flag.Arg(0), verifier)
	if err != nil {
		fmt.Fprintln(os.Stderr, "tlogcheck:", err)
		os.Exit(1)
	}
	fmt.Printf("torchwood and tessera accept all %d entries of %s\n", size, verifier.Name())
}

func readVerifier(file string) (note.Verifier, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	v, err := note.NewVerifier(strings.TrimSpace(string(text)))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return v, nil
}

// check returns the size that both verifiers arrived at; where is a folder or a
// URL.
func check(ctx context.Context, where string, v note.Verifier) (int64, error) {
	size, err := checkWithTorchwood(ctx, where, v)
	if err != nil {
		err = fmt.Errorf("torchwood: %w", err)
	}
	other := checkWithTessera(ctx, where, v)
	if other != nil {
		other = fmt.Errorf("tessera: %w", other)
	}
	return size, errors.Join(err, other)
}

// served is the URL of a tree that is served, nil for a folder.
func served(where string) *url.URL {
	if !strings.HasPrefix(where, "http://") && !strings.HasPrefix(where, "https://") {
		return nil
	}
	u, err := url.Parse(where)
	if err != nil {
		return nil
	}
	return u
}
