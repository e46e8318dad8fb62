package sealer

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/otelcol-custody/custody/internal/durable"
	"github.com/otelcol-custody/custody/ledger"
)

// Write builds the state directory, with record as the first line behind what is
// kept, or without one if the log has ended, and puts it in the place of the old
// one, which is set aside in a folder of this name. The caller holds the lock.
// After an error either all of the old state is in its place, or [Open] refuses
// with [ErrRecovering] until [FinishRebuild] has put the new one there.
func (r *Rebuild) Write(setAside string, record []byte) error {
	if err := r.build(record); err != nil {
		_ = removeAll(r.cfg.FS, filepath.Join(r.cfg.Dir, rebuiltDir)) // A full disk needs the room; else the next try does it.
		return fmt.Errorf("build the new state in %s: %w", filepath.Join(r.cfg.Dir, rebuiltDir), err)
	}
	// Commit point of the recovery. Before: the old state is in its place, whole,
	// and Open judges it as ever. After: the new one is in its folder, whole, and
	// only names are to be changed.
	if err := advance(&r.cfg, marker{moving, setAside}); err != nil {
		return fmt.Errorf("state directory: %w", err)
	}
	_, err := FinishRebuild(r.cfg)
	return err
}

func (r *Rebuild) build(record []byte) error {
	c := r.cfg
	c.Dir = filepath.Join(c.Dir, rebuiltDir)
	if err := removeAll(c.FS, c.Dir); err != nil {
		return err
	}
	for _, dir := range []string{journalDir, spoolDir} {
		if err := durable.MkdirAll(c.FS, filepath.Join(c.Dir, dir), 0o700); err != nil {
			return err
		}
	}
	if err := r.buildSpool(&c); err != nil {
		return err
	}
	if err := r.buildJournals(&c, record); err != nil {
		return err
	}
	files := map[string][]byte{noteFile: r.Note}
	if r.Checkpoint != nil {
		files[checkpointFile] = r.Checkpoint
	}
	for name, b := range files {
		if err := durable.WriteFile(c.FS, filepath.Join(c.Dir, name), b, 0o600); err != nil {
			return err
		}
	}
	id := identity{log: r.place.Log, origin: r.place.Origin, vkey: r.place.VKey, nonce: r.place.Nonce}
	if len(r.Pending) > 0 && r.Before == nil {
		id.whole = r.Pending[0].Head.First
	}
	return id.write(&c)
}

func (r *Rebuild) buildSpool(c *Config) error {
	if r.Head == nil {
		return nil
	}
	before := r.Before
	if len(r.Pending) == 0 {
		before = r.Head
	}
	if before != nil {
		if err := durable.WriteFile(c.FS, spoolPath(c.Dir, before.First, deliveredExt), before.Bytes(), 0o600); err != nil {
			return err
		}
	}
	for _, p := range r.Pending {
		if err := r.spoolPending(c, p); err != nil {
			return err
		}
	}
	return nil
}

// spoolPending gives the files of a segment a second name in the new spool, so
// that a full disk does not stand in the way, and lets the old one be.
func (r *Rebuild) spoolPending(c *Config, p Pending) error {
	first := p.Head.First
	var tiles []byte
	for _, t := range p.Tiles {
		if t.Level > 0 {
			tiles = append(tiles, t.Bytes()...)
		}
	}
	if len(tiles) > 0 {
		if err := durable.WriteFile(c.FS, spoolPath(c.Dir, first, tilesExt), tiles, 0o600); err != nil {
			return err
		}
	}
	if err := again(c.FS, spoolPath(r.cfg.Dir, first, segmentExt), spoolPath(c.Dir, first, segmentExt)); err != nil {
		return err
	}
	if p.made != nil {
		return durable.WriteFile(c.FS, spoolPath(c.Dir, first, sealExt), p.made.Bytes(), 0o600)
	}
	return again(c.FS, p.File, spoolPath(c.Dir, first, sealExt))
}

// again gives a durable file a second name, or copies it where there are no such
// names, and returns once that is durable.
func again(fsys durable.FS, from, to string) error {
	if fsys.Link(from, to) == nil {
		return fsys.SyncDir(filepath.Dir(to))
	}
	b, err := readFile(fsys, from)
	if err != nil {
		return err
	}
	return durable.WriteFile(fsys, to, b, 0o600)
}

// buildJournals writes the kept journals as they are, but the open one, which
// goes on: with the recovery record and the records that are sealed again.
func (r *Rebuild) buildJournals(c *Config, record []byte) error {
	w := &journalWriter{Rebuild: r, c: c, header: newHeader(r.place.Origin, r.at.edge.Size(), r.at.link), end: chain{r.at.link, r.at.edge.Clone()}}
	for i, j := range r.kept {
		if !j.closed {
			groups, err := j.whole()
			if err != nil {
				return err
			}
			w.header, w.groups = newHeaderLike(j.header), groups
			continue
		}
		if err := r.buildClosed(c, j, i == len(r.kept)-1 || len(r.kept[i+1].groups) == 0); err != nil {
			return err
		}
	}
	l := r.layout()
	l.full = w.close
	if record != nil {
		l.next(ledger.MaxRecovery)
		w.add(record)
	}
	for i := range r.again {
		l.next(len(r.again[i].Line) + 1)
		w.add(r.again[i].Line)
	}
	if w.err != nil {
		return w.err
	}
	j, err := createJournal(c.FS, c.Dir, w.header, w.groups, false)
	if err != nil {
		return err
	}
	return j.close()
}

// buildClosed keeps a closed journal byte for byte. Of the last one a killed
// process may have left the end in the kernel alone, so it is written anew.
func (r *Rebuild) buildClosed(c *Config, j *SalvagedJournal, last bool) error {
	if j.intact && !last {
		return again(c.FS, j.File, journalPath(c.Dir, j.header.first))
	}
	groups, err := j.whole()
	if err != nil {
		return err
	}
	written, err := createJournal(c.FS, c.Dir, j.header, groups, true)
	if err != nil {
		return err
	}
	return written.close()
}

// journalWriter collects a journal's groups, and writes it when it is full.
type journalWriter struct {
	*Rebuild
	c      *Config
	header journalHeader
	groups []group
	fresh  bool  // the last group may grow
	end    chain // behind groups
	err    error
}

func (w *journalWriter) add(line []byte) {
	n := len(w.groups)
	if !w.fresh || len(w.groups[n-1].lines) >= maxGroupBytes || w.groups[n-1].count() >= maxGroupRecords {
		w.groups, w.fresh = append(w.groups, group{}), true
		n++
	}
	g := &w.groups[n-1]
	g.addLine(line)
	w.end.take(&w.header.seed, g.digests[g.count()-1:])
}

// close writes the journal with its closed record, and turns to the next one.
func (w *journalWriter) close() {
	if w.err != nil {
		return
	}
	closing, err := w.fullClosed(w.header.first, w.groups)
	if err != nil {
		w.err = err
		return
	}
	j, err := createJournal(w.c.FS, w.c.Dir, w.header, append(w.groups, closing), true)
	if err != nil {
		w.err = err
		return
	}
	w.err = j.close()
	w.end.take(&w.header.seed, closing.digests)
	w.header = newHeader(w.header.origin, w.end.edge.Size(), w.end.link)
	w.groups, w.fresh = nil, false
}

// removeAll removes what an interrupted recovery has built.
func removeAll(fsys durable.FS, path string) error {
	info, err := fsys.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.IsDir() {
		entries, err := fsys.ReadDir(path)
		if err != nil {
			return err
		}
		for _, e := range entries {
			if err := removeAll(fsys, filepath.Join(path, e.Name())); err != nil {
				return err
			}
		}
	}
	return fsys.Remove(path)
}
