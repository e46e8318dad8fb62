package integrityextension

import (
	"context"
	"errors"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/otelcol-custody/custody/internal/integrity"
	"github.com/otelcol-custody/custody/internal/logproof"
	"github.com/otelcol-custody/custody/ledger/checkpoint"
	"github.com/otelcol-custody/custody/store"
)

const (
	// openTimeout is how long opening a store may take.
	openTimeout = time.Minute
	// reopen is how long nothing is tried after that failed.
	reopen = 10 * time.Second
)

// proofCache is how many bytes of verified tiles, seals and segments are kept for
// proofs, of all logs together.
const proofCache = 64 << 20

// A shelf holds the stores open that proofs are read from. The guard has its
// own, and says what is wrong with a store that cannot be opened.
type shelf struct {
	sources  []integrity.Source
	keys     *checkpoint.Keys
	cache    *logproof.Cache
	yielding func(store.Store) store.Store // reads after everybody else, within the limit

	mu   sync.Mutex // guards what follows
	open map[string]*opened
}

// opened is a store, with the logs of it that were asked for.
type opened struct {
	store, yielding store.Store
	logs, bulk      map[string]*logproof.Log
}

func newShelf(sources []integrity.Source, keys *checkpoint.Keys, yielding func(store.Store) store.Store) *shelf {
	return &shelf{sources: sources, keys: keys, cache: logproof.NewCache(proofCache), yielding: yielding, open: map[string]*opened{}}
}

// prover is a store's view of a log, nil while the store is not open. The caller
// knows that there is such a log.
func (s *shelf) prover(id, log string) *logproof.Log {
	return s.view(id, log, func(o *opened) (store.Store, map[string]*logproof.Log) { return o.store, o.logs })
}

// reader is the same for who reads much and can wait.
func (s *shelf) reader(id, log string) *logproof.Log {
	return s.view(id, log, func(o *opened) (store.Store, map[string]*logproof.Log) { return o.yielding, o.bulk })
}

func (s *shelf) view(id, log string, of func(*opened) (store.Store, map[string]*logproof.Log)) *logproof.Log {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.open[id]
	if o == nil {
		return nil
	}
	st, logs := of(o)
	if logs[log] == nil {
		logs[log] = logproof.New(st, log, s.keys, s.cache, nil)
	}
	return logs[log]
}

// close closes the stores. Nobody reads any more.
func (s *shelf) close() error {
	var errs []error
	for _, o := range s.open {
		errs = append(errs, o.store.Close())
	}
	return errors.Join(errs...)
}

// run opens the stores, each as soon as it can be.
func (s *shelf) run(ctx context.Context) {
	var g errgroup.Group
	for _, src := range s.sources {
		g.Go(func() error {
			s.keep(ctx, src)
			return nil
		})
	}
	_ = g.Wait()
}

func (s *shelf) keep(ctx context.Context, src integrity.Source) {
	for ctx.Err() == nil {
		opening, cancel := context.WithTimeout(ctx, openTimeout)
		st, err := src.Open(opening)
		cancel()
		if err == nil {
			s.put(src.ID, st)
			return
		}
		rest(ctx, reopen)
	}
}

func (s *shelf) put(id string, st store.Store) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open[id] = &opened{st, s.yielding(st), map[string]*logproof.Log{}, map[string]*logproof.Log{}}
}
