package follow

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/otelcol-custody/custody/internal/contents"
)

// A candidate is a file that is due to be read.
type candidate struct {
	path string
	open openFile // as of the scan
}

// A scan is one look through the tree.
type scan struct {
	due     []candidate
	more    bool // there are further due files than fit into due
	backlog int
}

var errGrowing = errors.New("file keeps changing; it is read once it stands still")

// look walks through the tree and lists what is due, in the order of the walk.
func (f *Follower) look(ctx context.Context, root *os.Root) (scan, error) {
	var s scan
	f.state.beginScan()
	err := fs.WalkDir(root.FS(), ".", func(path string, d fs.DirEntry, err error) error {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			return f.cannotVisit(path, err)
		}
		if d.IsDir() {
			return nil
		}
		return f.consider(ctx, root, path, d, &s)
	})
	if err != nil {
		return s, err
	}
	f.state.endScan(s.backlog)
	return s, nil
}

// cannotVisit reports a folder or file that cannot be looked at. What vanished since
// its folder was listed is no trouble.
func (f *Follower) cannotVisit(path string, err error) error {
	if path == "." || !errors.Is(err, fs.ErrNotExist) {
		f.trouble(path, fmt.Errorf("cannot be listed (check that the collector's user may read it): %w", err))
	}
	return nil
}

// consider decides whether the file at path is due. Once the list is full, the rest of
// the tree is only counted.
func (f *Follower) consider(ctx context.Context, root *os.Root, path string, d fs.DirEntry, s *scan) error {
	if len(s.due) == f.maxDue {
		s.more = true
		if !f.state.glance(path, keyOf(path)) && matchAny(f.cfg.Include, path) {
			s.backlog++
		}
		return nil
	}
	info, err := f.inspect(root, path, d)
	if info == nil || err != nil {
		return err
	}
	print, key := fingerprintOf(info), keyOf(path)
	if f.state.isDone(key, print) {
		return nil
	}
	if known, err := f.wasDone(ctx, path, key, print); known || err != nil {
		return err
	}
	s.backlog++
	if open, due := f.isDue(path, print, time.Now()); due {
		s.due = append(s.due, candidate{path: path, open: open})
	}
	return nil
}

// inspect returns what there is to know about a file that the patterns include, or
// nil for one that is not to be read. A symbolic link is followed to a file inside the
// tree; folders inside are visited by their own names. One that leads out, or nowhere,
// is reported and not followed: whoever can write to the tree must not choose what
// else is read.
func (f *Follower) inspect(root *os.Root, path string, d fs.DirEntry) (fs.FileInfo, error) {
	included := matchAny(f.cfg.Include, path)
	link := d.Type()&fs.ModeSymlink != 0
	if !included && !link {
		return nil, nil
	}
	info, err := root.Stat(path)
	if err != nil {
		return nil, f.cannotStat(path, link, err)
	}
	if !included || !info.Mode().IsRegular() {
		return nil, nil
	}
	return info, nil
}

func (f *Follower) cannotStat(path string, link bool, err error) error {
	if link {
		f.trouble(path, fmt.Errorf("symbolic link leads out of the directory or nowhere and is not followed: %w", err))
		return nil
	}
	return f.cannotVisit(path, err)
}

// wasDone looks up a path that was not seen since the start.
func (f *Follower) wasDone(ctx context.Context, path string, key pathKey, print fingerprint) (bool, error) {
	if f.state.isOpen(path) {
		return false, nil
	}
	var was fingerprint
	found, err := f.book.Recall(ctx, key.String(), &was)
	if err != nil && !errors.Is(err, contents.ErrDamaged) {
		return false, err
	}
	if !found || was != print {
		return false, nil
	}
	f.state.markDone(path, key, print)
	return true, nil
}

// isDue reports whether an attempt at the file makes sense now, and what is known of it.
// A file that is old already needs no remembering, so a first start on a large tree
// does not fill the memory.
func (f *Follower) isDue(path string, print fingerprint, now time.Time) (openFile, bool) {
	if print.age(now) >= f.cfg.StableFor && !f.state.isOpen(path) {
		return openFile{print: print, first: now, changed: now}, true
	}
	open := f.state.see(path, print, now)
	if open.quiet(now) < f.cfg.StableFor {
		if now.Sub(open.first) >= f.cfg.IncompleteAfter {
			f.trouble(path, errGrowing)
		}
		return open, false
	}
	return open, !open.parked && !now.Before(open.notBefore)
}

func (f *Follower) trouble(path string, err error) {
	f.state.setTrouble(path, err, time.Now())
}
