package follow

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/otelcol-custody/custody/internal/contents"
)

// A Follower follows one directory tree.
type Follower struct {
	cfg      Config
	book     *contents.Book
	handler  Handler
	observer Observer
	state    *state

	// Tests replace these two.
	openFile func(root *os.Root, path string) (handle, error)
	maxDue   int

	stop    context.CancelFunc // set by Start
	stopped chan struct{}      // closed when run has returned
}

// New returns a follower that does nothing before Start. Positions are the caller's
// and must stay usable until Shutdown has returned.
func New(cfg Config, positions contents.Positions, handler Handler, observer Observer) *Follower {
	state := newState(observer)
	return &Follower{
		cfg:      cfg,
		book:     contents.NewBook(positions, cfg.Retry, state.setStorage),
		handler:  handler,
		observer: observer,
		state:    state,
		maxDue:   maxCandidates,
		openFile: func(root *os.Root, path string) (handle, error) {
			return root.OpenFile(path, openFlags, 0)
		},
	}
}

// Start begins to follow, in the background, and returns at once. It may be called once.
func (f *Follower) Start() {
	ctx, stop := context.WithCancel(context.Background())
	f.stop, f.stopped = stop, make(chan struct{})
	go func() {
		defer close(f.stopped)
		f.run(ctx)
	}()
}

// Shutdown stops following and waits for what is under way: waits end at once, a call
// that was already made may take [contents.Grace]. If ctx ends first, its error is returned and
// the rest ends in the background. Without a Start it does nothing.
func (f *Follower) Shutdown(ctx context.Context) error {
	if f.stop == nil {
		return nil
	}
	f.stop()
	select {
	case <-f.stopped:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("follower did not stop in time: %w", ctx.Err())
	}
}

func (f *Follower) run(ctx context.Context) {
	defer f.handler.Idle(ctx)
	for {
		pause, err := f.pass(ctx)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			f.trouble(".", err)
		}
		f.handler.Idle(ctx)
		if !contents.Rest(ctx, pause) {
			return
		}
	}
}

// pass looks through the tree once and works off what is due. It returns how long to
// rest before the next.
func (f *Follower) pass(ctx context.Context) (pause time.Duration, err error) {
	root, err := os.OpenRoot(f.cfg.Root)
	if err != nil {
		return f.cfg.PollInterval, fmt.Errorf("directory cannot be opened: %w", err)
	}
	defer root.Close()

	begun := time.Now()
	s, err := f.look(ctx, root)
	if err != nil {
		return f.cfg.PollInterval, err
	}
	pause = max(f.cfg.PollInterval, restPerScan*time.Since(begun))
	if done := f.workOff(ctx, root, s.due); s.more && done > 0 {
		pause = 0
	}
	return pause, nil
}

// workOff processes the due files with the configured number of workers, handing them
// out in order, and returns how many are done.
func (f *Follower) workOff(ctx context.Context, root *os.Root, due []candidate) (done int) {
	var (
		wg   sync.WaitGroup
		mu   sync.Mutex
		next int
	)
	take := func() (c candidate, ok bool) {
		mu.Lock()
		defer mu.Unlock()
		if next == len(due) || ctx.Err() != nil {
			return c, false
		}
		next++
		return due[next-1], true
	}
	for range min(f.cfg.Workers, len(due)) {
		wg.Go(func() {
			for c, ok := take(); ok; c, ok = take() {
				if f.process(ctx, root, c) {
					mu.Lock()
					done++
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	return done
}

// process brings one file to its end, or notes why not. It reports whether it is done.
func (f *Follower) process(ctx context.Context, root *os.Root, c candidate) bool {
	err := f.readAndDeliver(ctx, root, c)
	switch {
	case err == nil:
		f.state.finished()
		return true
	case ctx.Err() != nil, errors.Is(err, errChanged), errors.Is(err, contents.ErrBusy):
		return false // the next pass looks at it again
	}
	f.state.failed(c, err, f.cfg.Retry, time.Now())
	return false
}
