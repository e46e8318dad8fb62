package sealer

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/otelcol-custody/custody/internal/durable"
	"github.com/otelcol-custody/custody/ledger/seal"
	"github.com/otelcol-custody/custody/ledger/tree"
)

// The state directory:
//
//	lock                        held while a process writes the log
//	identity                    the log's genesis: its presence says that a history exists
//	checkpoint                  the newest checkpoint that was signed
//	journal/<first>.journal     records that are not sealed yet, and their watermarks; the last one is open
//	spool/<first>.segment …     sealed objects that not all stores have; the newest seal that all have stays
//	forked                      what a store said of another history; nothing is continued while it is there
//	recovering, rebuilt/        while a recovery is at work
//	before-recover-<time>/      what a recovery set aside
const (
	lockFile       = "lock"
	identityFile   = "identity"
	checkpointFile = "checkpoint"
	journalDir     = "journal"
	spoolDir       = "spool"
	journalExt     = ".journal"
)

// Errors of [Open].
var (
	// ErrNoHead means that there is no history here, and nobody said genesis.
	ErrNoHead = errors.New("the log has no head")
	// ErrOtherLog means that the state directory belongs to another log or key.
	ErrOtherLog = errors.New("the state directory belongs to another log")
)

// state is what a state directory holds at start.
type state struct {
	place   seal.Place // behind the newest seal, or at genesis
	head    *seal.Verified
	newest  string    // the file of head
	pending []spooled // not delivered, in order
	done    []uint64  // delivered, their seals still here
	closed  []uint64  // firsts of closed journals, in order
	at      chain     // behind them: where the open one begins
	open    *journal  // the journal that goes on
	groups  []group   // what it holds
	lock    io.Closer
	ours    bool // the identity is there, and is that of the configured log and key
}

// openState locks the directory and reads it (invariants I4 to I6).
func openState(c *Config) (*state, error) {
	if err := durable.MkdirAll(c.FS, c.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("state directory: %w", err)
	}
	lock, err := c.FS.Lock(filepath.Join(c.Dir, lockFile))
	if err != nil {
		return nil, fmt.Errorf("state directory %s: %w. One log has one writer: put all receivers of the log into one pipeline, and run one process for it", c.Dir, err)
	}
	st := &state{lock: lock}
	made, err := prepare(c)
	if err == nil {
		err = st.load(c)
	}
	if err != nil {
		for _, dir := range made {
			_ = c.FS.Remove(dir) // Who is refused finds things as they were, but for an empty folder at worst.
		}
		return nil, errors.Join(err, lock.Close())
	}
	return st, nil
}

// prepare makes the folders that are missing, unless a recovery is at work in
// them or has to be.
func prepare(c *Config) (made []string, err error) {
	switch _, err := c.FS.Stat(filepath.Join(c.Dir, markerFile)); {
	case err == nil:
		return nil, errInterrupted(c)
	case !errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("state directory: %w", err)
	}
	if err := checkForked(c); err != nil {
		return nil, err
	}
	for _, name := range []string{journalDir, spoolDir} {
		dir := filepath.Join(c.Dir, name)
		if _, err := c.FS.Stat(dir); errors.Is(err, fs.ErrNotExist) {
			made = append(made, dir)
		}
		if err := durable.MkdirAll(c.FS, dir, 0o700); err != nil {
			return made, fmt.Errorf("state directory: %w", err)
		}
	}
	return made, nil
}

func (st *state) load(c *Config) error {
	for _, dir := range []string{c.Dir, filepath.Join(c.Dir, journalDir), filepath.Join(c.Dir, spoolDir)} {
		if _, err := durable.SweepTemp(c.FS, dir); err != nil {
			return fmt.Errorf("state directory: %w", err)
		}
		// A process that was killed between a rename and the sync of its folder
		// left a name that the next power loss would take. Nothing is built on a
		// seal, and no journal is removed for it, before its name is durable.
		if err := c.FS.SyncDir(dir); err != nil {
			return fmt.Errorf("state directory: %w", err)
		}
	}
	// Whose directory this is comes first: another log's seals are not damaged.
	id, err := readIdentity(c)
	known := !errors.Is(err, fs.ErrNotExist)
	if known && err != nil {
		return err
	}
	st.ours = known
	journals, err := firsts(c.FS, filepath.Join(c.Dir, journalDir), journalExt)
	if err != nil {
		return err
	}
	if err := st.loadSpool(c, id); err != nil {
		return err
	}
	if !known {
		return st.begin(c, journals)
	}
	if st.head == nil {
		st.place = seal.Genesis(id.log, id.origin, id.vkey, id.nonce)
	} else if err := id.owns(st.head, st.newest); err != nil {
		return err
	}
	if err := st.loadJournals(c, journals); err != nil || !id.old {
		return err
	}
	if err := id.renew(c, st); err != nil {
		return errors.Join(err, st.open.close())
	}
	return nil
}

// begin starts a new log, if that is permitted and nothing speaks against it.
func (st *state) begin(c *Config, journals []uint64) error {
	if st.head != nil || len(journals) > 1 || len(journals) == 1 && journals[0] != 0 {
		return damaged(filepath.Join(c.Dir, identityFile), errors.New("it is missing, yet the directory holds records of a log"))
	}
	if len(journals) == 1 {
		// A start that was cut short left it; nothing was answered without an identity.
		content, err := readJournal(c.FS, journalPath(c.Dir, 0))
		if err != nil {
			return err
		}
		if len(content.groups) > 0 {
			return damaged(filepath.Join(c.Dir, identityFile), errors.New("it is missing, yet the journal holds records"))
		}
	}
	switch _, err := c.FS.Stat(filepath.Join(c.Dir, checkpointFile)); {
	case err == nil:
		return damaged(filepath.Join(c.Dir, identityFile), errors.New("it is missing, yet a checkpoint was signed"))
	case !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("state directory: %w", err)
	}
	if !c.Genesis {
		return fmt.Errorf("%w: %s holds no history of log %s. If this log is new, set on_missing_head: genesis for its first start. If it is not, its state was lost or the path is wrong: if the directory cannot be put back, otelcol-custody recover --config FILE --log %s goes on from what stores hold. docs/operations.md, \"Damaged or lost state\", says more", ErrNoHead, c.Dir, c.Log, c.Log)
	}
	var nonce [32]byte
	_, _ = rand.Read(nonce[:]) // It never fails (crypto/rand).
	id := identity{log: c.Log, origin: c.Signer.Name(), vkey: c.Signer.VerifierKey(), nonce: nonce}
	st.place = seal.Genesis(id.log, id.origin, id.vkey, id.nonce)
	// The journal first: an identity without a journal or a seal is a lost head.
	j, err := createJournal(c.FS, c.Dir, newHeader(id.origin, 0, st.place.Link), nil, false)
	if err != nil {
		return fmt.Errorf("state directory: %w", err)
	}
	// Commit point of genesis.
	if err := id.write(c); err != nil {
		return errors.Join(fmt.Errorf("state directory: %w", err), j.close())
	}
	st.open, st.at = j, chain{st.place.Link, st.place.Edge.Clone()}
	return nil
}

// newHeaderLike keeps place and seed and takes a new file id: frames of the old
// file do not belong to the new one.
func newHeaderLike(h journalHeader) journalHeader {
	n := newHeader(h.origin, h.first, h.previous)
	n.seed = h.seed
	return n
}

// take appends records to the chain and returns nothing: both link and edge move.
func (c *chain) take(seed *tree.Seed, digests []tree.Hash) {
	for i := range digests {
		c.link = tree.Link(c.link, tree.Commitment(seed.Salt(c.edge.Size()), digests[i]))
		c.edge.Append(c.link, nil)
	}
}

// firsts lists the files with this extension by their number.
func firsts(fsys durable.FS, dir, ext string) ([]uint64, error) {
	entries, err := fsys.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("state directory: %w", err)
	}
	var out []uint64
	for _, e := range entries {
		base, ok := strings.CutSuffix(e.Name(), ext)
		if !ok {
			continue
		}
		n, err := strconv.ParseUint(base, 10, 63)
		if err != nil || len(base) != 20 {
			return nil, damaged(filepath.Join(dir, e.Name()), errors.New("this name is not one of ours; move the file away"))
		}
		out = append(out, n)
	}
	slices.Sort(out)
	return out, nil
}
