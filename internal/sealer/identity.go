package sealer

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/otelcol-custody/custody/ledger/checkpoint"
	"github.com/otelcol-custody/custody/ledger/seal"
	"github.com/otelcol-custody/custody/ledger/tree"
)

// identity is the log's genesis as the state directory remembers it.
type identity struct {
	log, origin, vkey string
	nonce             [32]byte
}

const identityVersion = "custody-state/v1"

// text ends with a sum, so that damage is not taken for another log's identity.
func (id *identity) text() string {
	text := fmt.Sprintf("%s\nlog %s\norigin %s\nvkey %s\nnonce %x\n", identityVersion, id.log, id.origin, id.vkey, id.nonce)
	return fmt.Sprintf("%ssum %x\n", text, sha256.Sum256([]byte(text)))
}

// readIdentity reads the identity and holds it against the configuration.
func readIdentity(c *Config) (*identity, error) {
	path := filepath.Join(c.Dir, identityFile)
	b, err := readFile(c.FS, path)
	if err != nil {
		return nil, err
	}
	id, err := parseIdentity(string(b))
	if err != nil {
		return nil, damaged(path, err)
	}
	if id.log != c.Log || id.origin != c.Signer.Name() || id.vkey != c.Signer.VerifierKey() {
		return nil, fmt.Errorf("%w: %s is that of log %s with key %s, configured are log %s and key %s: give each log a state_dir of its own, and this one its own key",
			ErrOtherLog, path, id.log, id.vkey, c.Log, c.Signer.VerifierKey())
	}
	return id, nil
}

func parseIdentity(text string) (*identity, error) {
	id := &identity{}
	var nonce, sum string
	lines := strings.Split(text, "\n")
	names := []string{"log ", "origin ", "vkey ", "nonce ", "sum "}
	dsts := []*string{&id.log, &id.origin, &id.vkey, &nonce, &sum}
	if len(lines) != len(names)+2 || lines[0] != identityVersion {
		return nil, errors.New("it is not an identity of this version")
	}
	for i, name := range names {
		*dsts[i] = strings.TrimPrefix(lines[i+1], name)
	}
	if len(nonce) != hex.EncodedLen(len(id.nonce)) {
		return nil, errors.New("its nonce has the wrong length")
	}
	if _, err := hex.Decode(id.nonce[:], []byte(nonce)); err != nil {
		return nil, fmt.Errorf("its nonce: %w", err)
	}
	if id.text() != text {
		return nil, errors.New("its sum is wrong")
	}
	return id, nil
}

// owns says whether the head belongs to this genesis.
func (id *identity) owns(head *seal.Verified, path string) error {
	if head.Log != id.log || head.Origin != id.origin || head.VKey != id.vkey || head.Nonce != id.nonce {
		return damaged(path, fmt.Errorf("it belongs to another genesis than %s says", identityFile))
	}
	return nil
}

// checkMemory holds the recovered log against the newest checkpoint that was
// ever signed here: a state that is older would sign a second history (I4).
func checkMemory(c *Config, st *state, at chain) error {
	path := filepath.Join(c.Dir, checkpointFile)
	b, err := readFile(c.FS, path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // None was signed yet, or none beyond the head.
	}
	if err != nil {
		return err
	}
	keys, err := checkpoint.ParseKeys(c.Signer.VerifierKey())
	if err != nil {
		return err
	}
	signed, err := checkpoint.Open(b, keys)
	if err != nil {
		return damaged(path, err)
	}
	if signed.Size > at.edge.Size() {
		return damaged(path, fmt.Errorf("a checkpoint of %d records was signed, journal and spool hold %d: records were lost", signed.Size, at.edge.Size()))
	}
	root, known, err := rootAt(c, st, signed.Size)
	if err != nil || !known {
		return err
	}
	if root != signed.Root {
		return damaged(path, fmt.Errorf("a checkpoint of %d records was signed with another root than journal and spool have: this is another history", signed.Size))
	}
	return nil
}

// rootAt computes the root at a size within what seals and journals hold; known
// is false for older sizes.
func rootAt(c *Config, st *state, size uint64) (root tree.Hash, known bool, err error) {
	at := chain{st.place.Link, st.place.Edge.Clone()}
	if size < at.edge.Size() {
		for _, s := range st.pending {
			if s.head.End() == size {
				return s.root, true, nil
			}
		}
		return root, false, nil
	}
	for _, first := range append(slices.Clone(st.closed), st.at.edge.Size()) {
		content, err := readJournal(c.FS, journalPath(c.Dir, first))
		if err != nil {
			return root, false, err
		}
		for _, g := range content.groups {
			n := min(uint64(len(g.digests)), size-at.edge.Size())
			at.take(&content.header.seed, g.digests[:n])
		}
	}
	return at.edge.Root(), at.edge.Size() == size, nil
}
