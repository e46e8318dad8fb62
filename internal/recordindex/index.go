// Package recordindex finds records of one log by what people know of them: the
// id, the source's own id, the leaf hash.
//
// It is a cache on disk, made from the log and never believed: each answer is
// confirmed by reading the record, and an index that is damaged begins anew. So
// it can fail to answer and never answers wrongly.
//
// For each id it keeps 12 bytes: 48 bits of a keyed hash and 48 of the position.
// These lie sorted in files ("runs"), each for a stretch of the log, which are
// merged as they get many; every 4 KiB have a checksum, and of each of these blocks
// the first hash is in memory, so that a search costs one read for each run. Runs
// are never changed, and a manifest names them. It is not a library's B+ tree
// because random keys cost that several times the space and a page's write each,
// and because the one at hand has no checksums: there damage is a wrong answer.
package recordindex

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"sync"

	"github.com/otelcol-custody/custody/internal/durable"
)

// ErrRebuilding means that the index was damaged and begins anew: add the log's
// records again, from [Index.Through] on.
var ErrRebuilding = errors.New("the index of records was damaged and begins anew; ask again when it is complete")

var errClosed = errors.New("index of records: it is closed")

const (
	// DefaultLimit is enough for 350 million records with two ids.
	DefaultLimit = 8 << 30
	// maxRecent is how many ids are in memory before they become a run.
	maxRecent = 1 << 18
	// maxPending is how many records are read again after a crash at most.
	maxPending = 4 * maxRecent
	// fanIn is how many runs of about one size are merged.
	fanIn = 8
	// maxMerged bounds a run's ids, and with that the time of a merge.
	maxMerged = maxRecent * fanIn * fanIn
)

// Options of [Open]. The zero value is right for most.
type Options struct {
	FS durable.FS // nil: the real one
	// Limit bounds the index in bytes on disk, 0 meaning [DefaultLimit]. Beyond it
	// the oldest records are forgotten. A merge needs up to 200 MB more.
	Limit int64
	// Leaves says to keep leaf hashes, too: 12 bytes more for each record.
	Leaves bool
	// Tell takes why the index begins anew; nil drops it.
	Tell func(error)

	recent int // of tests: ids in memory; 0: maxRecent
}

// An Index is open for one process. Its methods may be called by many goroutines;
// of those that add, one runs at a time.
type Index struct {
	opt  Options
	dir  string
	lock io.Closer

	writing sync.Mutex   // who holds it may change what follows
	mu      sync.RWMutex // guards it
	manifest
	open    []*run // those of the manifest
	recent  []entry
	through uint64 // the manifest's, and what recent holds
	closed  bool

	ahead ahead
}

// Open opens the index in dir, made if it is missing, of the log with this
// identity, such as its name, origin and nonce. What is damaged, or of another
// log, is removed, and the index begins anew. An error is one of the file
// system, or a durable.LockedError.
func Open(dir, log string, opt Options) (*Index, error) {
	if opt.FS == nil {
		opt.FS = durable.OS
	}
	if opt.Limit == 0 {
		opt.Limit = DefaultLimit
	}
	if opt.Tell == nil {
		opt.Tell = func(error) {}
	}
	if opt.recent == 0 {
		opt.recent = maxRecent
	}
	if err := durable.MkdirAll(opt.FS, dir, 0o700); err != nil {
		return nil, fmt.Errorf("index of records: %w", err)
	}
	lock, err := opt.FS.Lock(filepath.Join(dir, "lock"))
	if err != nil {
		return nil, fmt.Errorf("index of records: %w", err)
	}
	x := &Index{opt: opt, dir: dir, lock: lock}
	if err := x.load(log); err != nil {
		x.closeRuns()
		_ = lock.Close() // the load's error is the one to report
		return nil, fmt.Errorf("index of records: %w", err)
	}
	return x, nil
}

// Range is the stretch of the log that is indexed: the records from one on,
// which is 0 unless the limit was reached, and before another. After a crash the
// end can be smaller than it was.
func (x *Index) Range() (from, through uint64) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.from, x.through
}

// Through is the record from which on none is indexed.
func (x *Index) Through() uint64 {
	_, through := x.Range()
	return through
}

// Size is the number of bytes on disk.
func (x *Index) Size() int64 {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.bytes()
}

func (m *manifest) bytes() (n int64) {
	for _, r := range m.runs {
		n += r.bytes()
	}
	return n
}

// Add enters the ids of the records from first on, before end. What is indexed
// already is left out; what would leave a gap is an error. It takes up to seconds
// when runs are merged. After an error nothing of it is entered.
func (x *Index) Add(first, end uint64, ids []ID) error {
	x.writing.Lock()
	defer x.writing.Unlock()
	return x.enter(first, end, len(ids), func() []entry {
		// The key does not change while writing is held.
		added := make([]entry, 0, len(ids))
		for _, id := range ids {
			added = append(added, newEntry(x.hash(id.Kind, id.Text), id.Position))
		}
		return added
	})
}

// enter is Add for who holds writing; n is how many entries there are.
func (x *Index) enter(first, end uint64, n int, entries func() []entry) error {
	switch {
	case x.closed:
		return errClosed
	case end <= x.through:
		return nil
	case first != x.through:
		return fmt.Errorf("index of records: it ends at record %d; those from %d to %d do not continue it", x.through, first, end-1)
	case end > maxPosition:
		return fmt.Errorf("index of records: it has no room for positions from %d on", uint64(maxPosition))
	}
	if pending := end - x.manifest.through; len(x.recent) > 0 && len(x.recent)+n > x.opt.recent || pending > maxPending && first > x.manifest.through {
		if err := x.flush(); err != nil {
			return err
		}
	}
	added := entries()
	x.mu.Lock()
	defer x.mu.Unlock()
	x.recent, x.through = append(x.recent, added...), end
	return nil
}

// flush makes a run of what is in memory, and merges. The caller holds writing.
func (x *Index) flush() error {
	err := x.flushed()
	if errors.Is(err, errDamaged) {
		return x.anew(x.key, err)
	}
	if err != nil {
		return fmt.Errorf("index of records: %w", err)
	}
	return nil
}

func (x *Index) flushed() error {
	if x.through > x.manifest.through {
		sorted := slices.Clone(x.recent)
		slices.SortFunc(sorted, entry.compare)
		if err := x.replace(len(x.open), x.manifest.through, x.through, len(sorted), values(sorted), nil); err != nil {
			return err
		}
	}
	for {
		from := x.due()
		if from < 0 {
			return x.forget()
		}
		if err := x.merge(from); err != nil {
			return err
		}
	}
}

// Close writes what is in memory and releases the files.
func (x *Index) Close() error {
	x.writing.Lock()
	defer x.writing.Unlock()
	if x.closed {
		return nil
	}
	err := x.flush()
	x.mu.Lock()
	defer x.mu.Unlock()
	x.closed = true
	x.closeRuns()
	return errors.Join(err, x.lock.Close())
}

func (x *Index) closeRuns() {
	for _, r := range x.open {
		_ = r.file.Close() // Only read from.
	}
	x.open = nil
}
