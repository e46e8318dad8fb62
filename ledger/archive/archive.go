// Package archive reads single objects of a log from a file system that holds a
// copy of its store (spec §10). Everything that it returns has been checked
// against the log's keys; that seals follow each other is package verify's
// question.
package archive

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"sort"
	"sync/atomic"

	"github.com/otelcol-custody/custody/ledger"
	"github.com/otelcol-custody/custody/ledger/checkpoint"
	"github.com/otelcol-custody/custody/ledger/proof"
	"github.com/otelcol-custody/custody/ledger/seal"
	"github.com/otelcol-custody/custody/ledger/segment"
	"github.com/otelcol-custody/custody/ledger/tiles"
	"github.com/otelcol-custody/custody/ledger/tree"
)

// ErrBroken means that stored bytes contradict a seal or a checkpoint. A failed
// read is never ErrBroken.
var ErrBroken = tiles.ErrBroken

// Logs are the names of the logs in a store, sorted. A folder of which it cannot
// be told whether it is a log counts as one: a failed read must not hide a log.
func Logs(store fs.FS) ([]string, error) {
	entries, err := fs.ReadDir(store, ".")
	if err != nil {
		return nil, fmt.Errorf("list logs: %w", err)
	}
	var names []string
	for _, e := range entries {
		if !e.IsDir() || ledger.CheckLogName(e.Name()) != nil {
			continue
		}
		for _, dir := range []string{ledger.SealsDir, ledger.SegmentsDir} {
			info, err := fs.Stat(store, e.Name()+"/"+dir)
			if err == nil && info.IsDir() || err != nil && !errors.Is(err, fs.ErrNotExist) {
				names = append(names, e.Name())
				break
			}
		}
	}
	return names, nil
}

// A Log is one log of a store.
type Log struct {
	fsys   fs.FS
	name   string
	keys   *checkpoint.Keys
	firsts []uint64 // of the seals, sorted
	head   *seal.Verified
	passed []error
	recent atomic.Pointer[seal.Verified] // of the last [Log.Covering]: neighbours are asked for next
}

// Open finds a log's seals. The head is the newest valid one: what lies above it
// may have been planted, and is not believed for its name ([Log.Passed]).
func Open(store fs.FS, name string, keys *checkpoint.Keys) (*Log, error) {
	sub, err := fs.Sub(store, name)
	if err != nil {
		return nil, err
	}
	l := &Log{fsys: sub, name: name, keys: keys}
	entries, err := fs.ReadDir(sub, ledger.SealsDir)
	if err != nil {
		return nil, fmt.Errorf("log %s: %w", name, err)
	}
	for _, e := range entries {
		if first, _, ok := ledger.ParseSealName(e.Name()); ok {
			l.firsts = append(l.firsts, first)
		}
	}
	slices.Sort(l.firsts)
	l.firsts = slices.Compact(l.firsts)
	if len(l.firsts) == 0 {
		return nil, fmt.Errorf("log %s has no seal yet", name)
	}
	return l, l.findHead()
}

// findHead passes over seals that are not valid, from the largest name down. When
// the first one is not valid either, the key is more likely to be wrong than
// every seal.
func (l *Log) findHead() (err error) {
	for n := len(l.firsts); n > 0; n-- {
		l.head, err = l.Seal(l.firsts[n-1])
		if err == nil {
			l.firsts = l.firsts[:n]
			return nil
		}
		if !errors.Is(err, ErrBroken) {
			return err
		}
		if len(l.passed) == 0 {
			if _, genesis := l.Seal(l.firsts[0]); genesis != nil {
				return err
			}
		}
		l.passed = append(l.passed, err)
	}
	return err
}

// Passed says which seals above the head were not valid.
func (l *Log) Passed() []error { return l.passed }

// Head is the newest valid seal.
func (l *Log) Head() *seal.Verified { return l.head }

// Size is the number of sealed records.
func (l *Log) Size() uint64 { return l.head.End() }

// Seals calls f for every seal in order, until it returns an error.
func (l *Log) Seals(f func(*seal.Verified) error) error {
	for _, first := range l.firsts {
		v, err := l.Seal(first)
		if err == nil {
			err = f(v)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Seal is the valid seal that begins at first.
func (l *Log) Seal(first uint64) (*seal.Verified, error) {
	var faults []error
	for n, name := 0, ledger.SealName(first); ; n, name = n+1, ledger.BesideSealName(first, n+1) {
		b, err := l.read(name, ledger.MaxSeal)
		if n > 0 && errors.Is(err, fs.ErrNotExist) {
			return nil, errors.Join(faults...)
		}
		if n > 0 && err != nil && !errors.Is(err, ErrBroken) {
			return nil, errors.Join(append(faults, err)...) // A folder that cannot be read fails every name.
		}
		if err == nil {
			var v *seal.Verified
			if v, err = seal.Open(b, l.keys); err == nil && v.First == first && v.Log == l.name {
				return v, nil
			}
			if err == nil {
				err = fmt.Errorf("it holds the seal of record %d of log %q", v.First, v.Log)
			}
			err = fmt.Errorf("%w: %s/%s: %w", ErrBroken, l.name, name, err)
		}
		faults = append(faults, err)
	}
}

// Covering is the seal of the segment that holds the record at index.
func (l *Log) Covering(index uint64) (*seal.Verified, error) {
	if index >= l.Size() {
		return nil, fmt.Errorf("log %s has %d records, the last one is %d", l.name, l.Size(), l.Size()-1)
	}
	if v := l.recent.Load(); v != nil && index >= v.First && index < v.End() {
		return v, nil
	}
	i := sort.Search(len(l.firsts), func(i int) bool { return l.firsts[i] > index }) - 1
	if i < 0 {
		return nil, fmt.Errorf("%w: log %s: no seal covers record %d", ErrBroken, l.name, index)
	}
	v, err := l.Seal(l.firsts[i])
	if err == nil && index >= v.End() {
		err = fmt.Errorf("%w: log %s: no seal covers record %d", ErrBroken, l.name, index)
	}
	if err == nil {
		l.recent.Store(v)
	}
	return v, err
}

// Lines inflates the segment of a seal and checks it; dec keeps the lines.
func (l *Log) Lines(v *seal.Verified, dec *segment.Decoder) (tree.Seed, []byte, error) {
	obj, err := l.read(v.SegmentName(), ledger.MaxSegment)
	if err != nil {
		return tree.Seed{}, nil, err
	}
	if sha256.Sum256(obj) != v.Segment {
		return tree.Seed{}, nil, fmt.Errorf("%w: %s/%s is not what was sealed; run custody verify", ErrBroken, l.name, v.SegmentName())
	}
	s, err := segment.Parse(obj)
	if err != nil {
		return tree.Seed{}, nil, fmt.Errorf("%w: %s/%s: %w", ErrBroken, l.name, v.SegmentName(), err)
	}
	lines, err := dec.Inflate(s)
	if err != nil {
		return s.Seed, nil, fmt.Errorf("%w: %s/%s: %w", ErrBroken, l.name, v.SegmentName(), err)
	}
	v.Check(&s.Seed, lines, func(_ uint64, bad error) {
		if err == nil {
			err = fmt.Errorf("%w: %s/%s: %w", ErrBroken, l.name, v.SegmentName(), bad)
		}
	})
	return s.Seed, lines, err
}

// Prove makes the evidence that the record at index is in the log, against the
// newest checkpoint.
func (l *Log) Prove(index uint64) (*proof.Evidence, error) {
	v, err := l.Covering(index)
	if err != nil {
		return nil, err
	}
	dec := segment.NewDecoder()
	defer dec.Close()
	seed, lines, err := l.Lines(v, dec)
	if err != nil {
		return nil, err
	}
	i := int(index - v.First)
	for j, line := range segment.Lines(lines) {
		if j == i {
			return tiles.Evidence(l, v, index, seed.Salt(index), bytes.Clone(line))
		}
	}
	return nil, fmt.Errorf("%w: log %s: record %d is not in its segment", ErrBroken, l.name, index) // Lines has checked that it is.
}

// read reads a whole object, and refuses one that is longer than limit.
func (l *Log) read(name string, limit int64) ([]byte, error) {
	f, err := l.fsys.Open(name)
	if err != nil {
		return nil, fmt.Errorf("log %s: %w", l.name, err)
	}
	defer func() { _ = f.Close() }()
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, fmt.Errorf("log %s: read %s: %w", l.name, name, err)
	}
	if int64(len(b)) > limit {
		return nil, fmt.Errorf("%w: %s/%s has more than %d bytes", ErrBroken, l.name, name, limit)
	}
	return b, nil
}
