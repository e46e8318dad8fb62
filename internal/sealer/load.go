package sealer

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/otelcol-custody/custody/ledger/checkpoint"
	"github.com/otelcol-custody/custody/ledger/seal"
)

// loadSpool opens the spooled seals. The newest is the head. Of id, nil if there
// is none, it takes from where on the spool is whole.
func (st *state) loadSpool(c *Config, id *identity) error {
	dir := filepath.Join(c.Dir, spoolDir)
	done, err := firsts(c.FS, dir, deliveredExt)
	if err != nil {
		return err
	}
	pending, err := firsts(c.FS, dir, sealExt)
	if err != nil {
		return err
	}
	if len(done) > 0 && len(pending) > 0 && done[len(done)-1] >= pending[0] {
		return damaged(spoolPath(c.Dir, pending[0], sealExt), errors.New("it is not delivered, yet one behind it is"))
	}
	if len(done) == 0 && len(pending) > 0 && id != nil && !id.old && pending[0] > id.whole {
		return damaged(spoolPath(c.Dir, pending[0], sealExt), errors.New("the seal before it is missing, and nobody here knows whether segments between them are, too"))
	}
	for _, first := range done {
		if _, err := st.loadSeal(c, spoolPath(c.Dir, first, deliveredExt)); err != nil {
			return err
		}
		if err := removeContent(c.FS, c.Dir, first); err != nil {
			return err
		}
	}
	for _, first := range pending {
		v, err := st.loadSeal(c, spoolPath(c.Dir, first, sealExt))
		if err != nil {
			return err
		}
		if err := checkSpooled(c.FS, c.Dir, v); err != nil {
			return err
		}
		st.pending = append(st.pending, newSpooled(v))
	}
	st.done = done
	return st.checkContent(c)
}

// checkContent looks for segments whose seal was taken away. One behind the head
// is the leftover of a press that was cut short; its journal will be sealed.
func (st *state) checkContent(c *Config) error {
	segments, err := firsts(c.FS, filepath.Join(c.Dir, spoolDir), segmentExt)
	if err != nil {
		return err
	}
	for _, first := range segments {
		known := slices.ContainsFunc(st.pending, func(s spooled) bool { return s.head.First == first })
		if !known && st.head != nil && first < st.head.End() {
			return damaged(spoolPath(c.Dir, first, sealExt), errors.New("it is missing, yet its segment is here"))
		}
	}
	return nil
}

// loadSeal opens the next seal and makes it the head.
func (st *state) loadSeal(c *Config, path string) (*seal.Verified, error) {
	keys, err := checkpoint.ParseKeys(c.Signer.VerifierKey())
	if err != nil {
		return nil, err
	}
	b, err := readFile(c.FS, path)
	if err != nil {
		return nil, err
	}
	v, err := seal.Open(b, keys)
	if errors.Is(err, checkpoint.ErrUntrusted) && !st.ours {
		return nil, fmt.Errorf("%w: %s is signed with another key than the configured %s, or is damaged: %w. Give each log a state_dir and a key of its own; docs/operations.md, \"Damaged or lost state\", says more", ErrOtherLog, path, c.Signer.ID(), err)
	}
	if err != nil {
		return nil, damaged(path, err)
	}
	if st.head != nil {
		if end := st.head.End(); v.First > end && v.SameLog(st.head) {
			return nil, damaged(spoolPath(c.Dir, end, sealExt), fmt.Errorf("it is missing: %s ends at record %d, and the next seal, %s, begins at record %d", filepath.Base(st.newest), end, filepath.Base(path), v.First))
		}
		if _, err := v.Follows(st.head); err != nil {
			return nil, damaged(path, fmt.Errorf("behind %s: %w", filepath.Base(st.newest), err))
		}
	}
	st.head, st.newest, st.place = v, path, v.Place()
	return v, nil
}

// loadJournals checks that journals continue the head without a gap. A journal
// that is sealed already is removed: the power failed in between.
func (st *state) loadJournals(c *Config, journals []uint64) error {
	st.at = chain{st.place.Link, st.place.Edge.Clone()}
	tail := st.at              // behind open
	var open, before *contents // the last journal so far, and the one before it
	for _, first := range journals {
		path := journalPath(c.Dir, first)
		if first < st.place.Edge.Size() {
			if err := removeJournal(c.FS, path); err != nil {
				return err
			}
			continue
		}
		content, err := readJournal(c.FS, path)
		if err != nil {
			return err
		}
		if leftover(content, open, &tail) {
			if err := removeJournal(c.FS, path); err != nil {
				return err
			}
			continue
		}
		if open != nil && !open.closed {
			return damaged(journalPath(c.Dir, open.header.first), errors.New("it is not closed, yet another one follows"))
		}
		if err := content.continues(c, &tail); err != nil {
			return damaged(path, err)
		}
		st.at = chain{tail.link, tail.edge.Clone()}
		for i := range content.groups {
			tail.take(&content.header.seed, content.groups[i].digests)
		}
		open, before = content, open
		if content.closed {
			st.closed = append(st.closed, first)
		}
	}
	if open == nil || open.closed {
		return damaged(journalPath(c.Dir, tail.edge.Size()), errors.New("it is missing: there is an open journal at every moment"))
	}
	st.groups = open.groups
	if err := checkMemory(c, st, tail); err != nil {
		return err
	}
	return st.renew(c, before, open)
}

// leftover says whether a journal was only prepared: its segment's turn never
// came, because the one before it was not closed, or was closed later than that.
func leftover(c, open *contents, tail *chain) bool {
	return len(c.groups) == 0 && open != nil && (!open.closed || c.header.first < tail.edge.Size())
}

func (c *contents) continues(cfg *Config, tail *chain) error {
	h := &c.header
	if h.first > tail.edge.Size() {
		return fmt.Errorf("it begins at record %d, and all that lies before it ends at record %d: a seal in %s or a journal is missing", h.first, tail.edge.Size(), filepath.Join(cfg.Dir, spoolDir))
	}
	if h.first != tail.edge.Size() || h.previous != tail.link || h.origin != cfg.Signer.Name() {
		return fmt.Errorf("it continues record %d and link %v of %s, by seals and identity the log stands at %d and %v", h.first, h.previous, h.origin, tail.edge.Size(), tail.link)
	}
	return nil
}

// renew writes the open journal anew, so that what only the kernel had is
// durable and a bad last frame is gone. The one before it may have been closed
// without being synced, unless records follow.
func (st *state) renew(c *Config, before, open *contents) error {
	if before != nil && len(open.groups) == 0 {
		j, err := createJournal(c.FS, c.Dir, newHeaderLike(before.header), before.groups, true)
		if err != nil {
			return err
		}
		if err := j.close(); err != nil {
			return err
		}
	}
	var err error
	st.open, err = createJournal(c.FS, c.Dir, newHeaderLike(open.header), open.groups, false)
	return err
}
