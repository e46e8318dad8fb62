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

// An index finds records by their ids, in every log. It is made from the stores,
// and made again where it is damaged.
type index struct {
	dir    string
	limit  int64         // bytes for each log
	every  time.Duration // how often new records are looked for
	shelf  *shelf
	status func() []integrity.LogStatus
	log    *zap.Logger

	mu   sync.Mutex // guards open
	open map[string]*recordindex.Index
}

func (j *judge) newIndex() *index {
	return &index{
		dir: filepath.Join(j.cfg.StateDir, "index"), limit: int64(j.cfg.IndexMaxMiB) << 20, every: j.cfg.PollInterval,
		shelf: j.shelf, status: j.guard.Status, log: j.set.Logger, open: map[string]*recordindex.Index{},
	}
}

// Log implements api.Logs.
func (x *index) Log(store, log string) *logproof.Log { return x.shelf.prover(store, log) }

// Index implements api.Logs.
func (x *index) Index(log string) *recordindex.Index {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.open[log]
}

// close closes all. Nobody asks or fills any more.
func (x *index) close() error {
	var errs []error
	for _, one := range x.open {
		errs = append(errs, one.Close())
	}
	return errors.Join(errs...)
}

// source is the log in the store that holds the most of it and can be read, nil if
// there is none, and its size.
func (x *index) source(log string) (best *logproof.Log, size uint64) {
	for _, s := range x.status() {
		if s.Log != log || s.Head == nil || s.Error != "" || best != nil && s.Head.Size <= size {
			continue
		}
		if l := x.shelf.prover(s.Store, log); l != nil {
			best, size = l, s.Head.Size
		}
	}
	return best, size
}

// run enters what is new.
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

func (x *index) fill(ctx context.Context, log string) error {
	l, size := x.source(log)
	if one := x.Index(log); l == nil || one != nil && one.Through() >= size {
		return nil // The guard says why, or there is nothing new.
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

func (x *index) opened(head *seal.Verified) (*recordindex.Index, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if one := x.open[head.Log]; one != nil {
		return one, nil
	}
	one, err := recordindex.Open(filepath.Join(x.dir, head.Log), fmt.Sprintf("%s %s %x", head.Log, head.Origin, head.Nonce),
		recordindex.Options{Limit: x.limit, Leaves: true, Tell: func(err error) { x.log.Warn("the index of records begins anew", zap.Error(err)) }})
	if err == nil {
		x.open[head.Log] = one
	}
	return one, err
}
