package sealer

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/otelcol-custody/custody/internal/durable"
	"github.com/otelcol-custody/custody/ledger/checkpoint"
	"github.com/otelcol-custody/custody/ledger/seal"
	"github.com/otelcol-custody/custody/ledger/tree"
)

// identity is the log's genesis as the state directory remembers it.
type identity struct {
	log, origin, vkey string
	nonce             [32]byte
	// whole is the record at which the oldest waiting seal may begin with no seal
	// before it: 0, but for a spool of which nobody knew what stood before.
	whole uint64
	old   bool // of version 1, which did not keep that seal
}

const (
	identityVersion  = "custody-state/v2"
	identityVersion1 = "custody-state/v1"
)

// text ends with a sum, so that damage is not taken for another log's identity.
func (id *identity) text() string {
	version, whole := identityVersion, fmt.Sprintf("whole %d\n", id.whole)
	if id.old {
		version, whole = identityVersion1, ""
	}
	text := fmt.Sprintf("%s\nlog %s\norigin %s\nvkey %s\nnonce %x\n%s", version, id.log, id.origin, id.vkey, id.nonce, whole)
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
	lines := strings.Split(text, "\n")
	id := &identity{old: lines[0] == identityVersion1}
	var nonce, whole, sum string
	names := []string{"log ", "origin ", "vkey ", "nonce ", "whole ", "sum "}
	dsts := []*string{&id.log, &id.origin, &id.vkey, &nonce, &whole, &sum}
	if id.old {
		names, dsts = slices.Delete(names, 4, 5), slices.Delete(dsts, 4, 5)
	}
	if len(lines) != len(names)+2 || !id.old && lines[0] != identityVersion {
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
	id.whole, _ = strconv.ParseUint(whole, 10, 64) // What does not read back is no sum's.
	if id.text() != text {
		return nil, errors.New("its sum is wrong")
	}
	return id, nil
}

// renew writes an identity of version 1 anew. Its spool lacks the seal before the
// oldest one; from now on it keeps it.
func (id *identity) renew(c *Config, st *state) error {
	id.old = false
	if len(st.done) == 0 && len(st.pending) > 0 {
		id.whole = st.pending[0].head.First
	}
	if err := id.write(c); err != nil {
		return fmt.Errorf("state directory: %w", err)
	}
	return nil
}

func (id *identity) write(c *Config) error {
	return durable.WriteFile(c.FS, filepath.Join(c.Dir, identityFile), []byte(id.text()), 0o600)
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
