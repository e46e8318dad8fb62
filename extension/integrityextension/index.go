package integrityextension

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/otelcol-custody/custody/internal/integrity"
	"github.com/otelcol-custody/custody/internal/logproof"
	"github.com/otelcol-custody/custody/internal/recordindex"
	"github.com/otelcol-custody/custody/ledger/seal"
)

// An index finds records by their ids, in every log. The guard hands it what it
// has verified; what it did not get that way it reads from the stores, and all
// where it is damaged.
type index struct {
	dir    string
	limit  int64         // bytes for each log
	every  time.Duration // how often is looked for what was not handed over
	shelf  *shelf
	status func() []integrity.LogStatus
	log    *zap.Logger
	wake   chan struct{} // something waits to be taken

	mu   sync.Mutex // guards open
	open map[string]indexed
}

// indexed is the index of one log, which has an identity beside its name.
type indexed struct {
	*recordindex.Index
	of string
}

func identity(v *seal.Verified) string { return fmt.Sprintf("%s %s %x", v.Log, v.Origin, v.Nonce) }

func (j *judge) newIndex() *index {
	return &index{
		dir: filepath.Join(j.cfg.StateDir, "index"), limit: int64(j.cfg.IndexMaxMiB) << 20, every: j.cfg.PollInterval,
		shelf: j.shelf, status: j.guard.Status, log: j.set.Logger, wake: make(chan struct{}, 1), open: map[string]indexed{},
	}
}

// Log implements api.Logs.
func (x *index) Log(store, log string) *logproof.Log { return x.shelf.prover(store, log) }

// Index implements api.Logs.
func (x *index) Index(log string) *recordindex.Index {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.open[log].Index
}

// close closes all. Nobody asks or fills any more.
func (x *index) close() error {
	var errs []error
	for _, one := range x.open {
		errs = append(errs, one.Close())
	}
	return errors.Join(errs...)
}

// offer takes a segment that was just verified. Before its log's index is open,
// and beyond the room there is, it is passed over.
func (x *index) offer(v *seal.Verified, lines []byte) {
	x.mu.Lock()
	one := x.open[v.Log]
	x.mu.Unlock()
	if one.of != identity(v) {
		return
	}
	one.Offer(v, lines)
	select {
	case x.wake <- struct{}{}:
	default:
	}
}

// takeWhatWaits enters what was handed over as it comes, also while another
// goroutine reads a log from its beginning.
func (x *index) takeWhatWaits(ctx context.Context) {
	for {
		select {
		case <-x.wake:
		case <-ctx.Done():
			return
		}
		for _, log := range x.logs() {
			if one := x.Index(log); one != nil && ctx.Err() == nil {
				_ = one.Take() // What was not entered is read, and that says why.
			}
		}
	}
}

// source is the log in the store that holds the most of it and can be read, nil if
// there is none, and its size.
func (x *index) source(log string) (best *logproof.Log, size uint64) {
	for _, s := range x.status() {
		if s.Log != log || s.Head == nil || s.Error != "" || best != nil && s.Head.Size <= size {
			continue
		}
		if l := x.shelf.reader(s.Store, log); l != nil {
			best, size = l, s.Head.Size
		}
	}
	return best, size
}

// run enters what was not handed over.
func (x *index) run(ctx context.Context) {
	said := map[string]string{}
	for rest(ctx, x.every) {
		for _, log := range x.logs() {
			text := ""
			if err := x.fill(ctx, log); err != nil && ctx.Err() == nil {
				text = err.Error()
			}
			if text != "" && said[log] == "" {
				x.log.Warn("records cannot be indexed now; it is tried again", zap.String("log", log), zap.String("error", text))
			}
			said[log] = text
		}
	}
}

func (x *index) logs() (names []string) {
	seen := map[string]bool{}
	for _, s := range x.status() {
		if s.Head != nil && !seen[s.Log] {
			seen[s.Log] = true
			names = append(names, s.Log)
		}
	}
	return names
}

// fill reads what is missing. What the guard has verified it has handed over
// before it says so: what does not wait then will not come.
func (x *index) fill(ctx context.Context, log string) error {
	l, size := x.source(log)
	if l == nil {
		return nil // The guard says why.
	}
	if one := x.Index(log); one != nil {
		if err := one.Take(); err != nil || one.Through() >= size {
			return err
		}
	}
	if err := l.Refresh(ctx); err != nil {
		return err
	}
	one, err := x.opened(l.Head())
	if err != nil {
		return err
	}
	return one.Fill(ctx, l)
}

// opened is the index of a log. One of another log of its name, which the store
// held before, makes room.
func (x *index) opened(head *seal.Verified) (*recordindex.Index, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	one, of := x.open[head.Log], identity(head)
	if one.of == of {
		return one.Index, nil
	}
	if one.Index != nil {
		delete(x.open, head.Log)
		if err := one.Close(); err != nil {
			return nil, err
		}
	}
	opened, err := recordindex.Open(filepath.Join(x.dir, head.Log), of,
		recordindex.Options{Limit: x.limit, Leaves: true, Tell: func(err error) { x.log.Warn("the index of records begins anew", zap.Error(err)) }})
	if err == nil {
		x.open[head.Log] = indexed{opened, of}
	}
	return opened, err
}
