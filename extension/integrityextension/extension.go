package integrityextension

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"syscall"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension"
	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"github.com/otelcol-custody/custody/extension/integrityextension/internal/metadata"
	"github.com/otelcol-custody/custody/internal/durable"
	"github.com/otelcol-custody/custody/internal/integrity"
	"github.com/otelcol-custody/custody/internal/integrity/incident"
	"github.com/otelcol-custody/custody/internal/integrity/memory"
	"github.com/otelcol-custody/custody/internal/integrity/webhook"
)

// A judge is the extension.
type judge struct {
	set       extension.Settings
	cfg       *Config
	files     // as they were when the extension was made
	telemetry *metadata.TelemetryBuilder

	// Start sets what follows.
	health *health
	lock   io.Closer
	book   *incident.Book
	heads  *memory.Memory
	hook   *webhook.Hook // nil without one
	guard  *integrity.Guard
	shelf  *shelf
	index  *index       // nil without an API; set before the guard runs
	server *http.Server // nil without an API
	stop   context.CancelFunc
	work   errgroup.Group
}

const (
	// stopGrace is how long a stop waits. Everything is resumable.
	stopGrace = 10 * time.Second
	// answerGrace is the part of it for requests under way.
	answerGrace = 3 * time.Second
)

// Start opens what the extension remembers, and begins to judge. No store and
// no other machine is asked before it returns.
func (j *judge) Start(ctx context.Context, host component.Host) error {
	j.health = newHealth(j.set.Logger)
	if err := j.open(); err != nil {
		if errors.Is(err, syscall.ENOTDIR) || errors.Is(err, syscall.EISDIR) {
			err = fmt.Errorf("%w; state_dir must be a folder that this extension alone uses: name another one, or move away what is in the way", err)
		}
		return errors.Join(fmt.Errorf("state_dir: %w", err), j.close())
	}
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	j.stop = stop
	if err := j.begin(running, host); err != nil {
		stop()
		j.stop = nil // Shutdown has nothing to do.
		return errors.Join(err, j.work.Wait(), j.close())
	}
	return nil
}

// open takes the folder, for itself alone, and reads what is there.
func (j *judge) open() (err error) {
	if err := durable.MkdirAll(durable.OS, filepath.Join(j.cfg.StateDir, acknowledgeDir), 0o700); err != nil {
		return err
	}
	if j.lock, err = durable.Lock(filepath.Join(j.cfg.StateDir, "lock")); err != nil {
		return err
	}
	if j.book, err = incident.Open(incident.Settings{Dir: j.cfg.StateDir}); err != nil {
		return err
	}
	j.heads, err = memory.Open(durable.OS, j.cfg.StateDir, j.keys)
	return err
}

// begin starts the goroutines; they end with ctx.
func (j *judge) begin(ctx context.Context, host component.Host) error {
	j.warn(time.Now())
	sources := j.sources()
	var err error
	if j.guard, err = j.newGuard(sources); err != nil {
		return err
	}
	j.shelf = newShelf(sources, j.keys, j.guard.Yielding)
	if err := gauges(j.telemetry, j.guard.Status, j.incidents, time.Now); err != nil {
		return fmt.Errorf("metrics: %w", err)
	}
	run := []func(context.Context){j.watch, j.tell, j.attend}
	more, err := j.outward(ctx, host)
	if err != nil {
		return err
	}
	j.health.begin(host, j.incidents())
	for _, run := range append(run, more...) {
		j.work.Go(func() error {
			run(ctx)
			return nil
		})
	}
	return nil
}

// outward makes what speaks to other machines, as it is configured, and returns
// what has to run.
func (j *judge) outward(ctx context.Context, host component.Host) (run []func(context.Context), err error) {
	add := func(f func(context.Context), err error) error {
		run = append(run, f)
		return err
	}
	if j.cfg.Webhook.HasValue() {
		if err := add(j.newHook(ctx, host)); err != nil {
			return nil, err
		}
	}
	if len(j.cfg.Peers) > 0 {
		if err := add(j.newPeers(ctx, host)); err != nil {
			return nil, err
		}
	}
	if j.cfg.HTTP.HasValue() {
		j.index = j.newIndex()
		run = append(run, j.index.run, j.index.takeWhatWaits)
		if err := j.listen(ctx, host, j.index); err != nil { // last: it serves already
			return nil, err
		}
	}
	if len(j.cfg.Peers) > 0 || j.cfg.HTTP.HasValue() {
		run = append(run, j.shelf.run)
	}
	return run, nil
}

// sources are the stores to watch.
func (j *judge) sources() (all []integrity.Source) {
	for _, name := range j.cfg.Stores.names() {
		all = append(all, source(j.cfg.Stores.byName[name]))
	}
	return all
}

func (j *judge) incidents() []incident.Incident {
	return j.book.Incidents(incident.Filter{State: incident.StateOpen})
}

// Incidents is the book of what was found, for the integrity_events receiver.
// It may be used from Start to Shutdown.
func (j *judge) Incidents() *incident.Book { return j.book }

// What of the extension may not work.
const (
	partBook     = "keeping incidents"
	partProgress = "keeping what was read"
	partAPI      = "answering"
)

// newGuard makes the guard of the stores.
func (j *judge) newGuard(sources []integrity.Source) (*integrity.Guard, error) {
	return integrity.New(integrity.Config{
		Sources: sources, Logs: j.cfg.Logs, Keys: j.keys, Dir: filepath.Join(j.cfg.StateDir, "progress"),
		Poll: j.cfg.PollInterval, FullPassEvery: j.cfg.FullPassEvery, Behind: j.cfg.BehindAfter,
		BytesPerSecond: int64(j.cfg.BandwidthLimitMiB) << 20, Workers: j.cfg.Workers,
		Book: j.book, Heads: j.heads, Observer: j,
	})
}

// watch runs the guard. What it could not keep on disk is in the status already.
func (j *judge) watch(ctx context.Context) { _ = j.guard.Run(ctx) }

// follower is under which name the book remembers what was logged.
const follower = "log"

// tell logs what happens to incidents, and reports the status.
func (j *judge) tell(ctx context.Context) {
	wake, stop := j.book.Follow()
	defer stop()
	for after := j.book.Cursor(follower); ; {
		events := j.book.Events(after, 64)
		for _, e := range events {
			j.health.happened(e)
			after = e.Seq
		}
		if len(events) > 0 {
			if err := j.book.Advance(follower, after); err != nil {
				j.set.Logger.Warn("what was logged of incidents may be logged again after a restart", zap.Error(err))
			}
			continue
		}
		select {
		case <-wake:
		case <-ctx.Done():
			return
		}
	}
}

// lookEvery is how often acknowledgements are looked for, and followers of the
// book are told what is due.
const lookEvery = 2 * time.Second

// attend looks after the book.
func (j *judge) attend(ctx context.Context) {
	dir := filepath.Join(j.cfg.StateDir, acknowledgeDir)
	for rest(ctx, lookEvery) {
		acknowledge(dir, time.Now(), operator{j.book, j.heads}, j.set.Logger)
		j.health.works(partBook, j.book.Tick())
		j.health.works(partProgress, j.guard.Err())
	}
}

// rest waits, and reports whether ctx is still alive then.
func rest(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

// Shutdown ends everything. What a store keeps waiting for longer than 10 s is
// left behind, with the folder's lock, and is said.
func (j *judge) Shutdown(ctx context.Context) error {
	defer j.telemetry.Shutdown()
	if j.stop == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, stopGrace)
	defer cancel()
	if j.server != nil {
		answering, cancel := context.WithTimeout(ctx, answerGrace)
		if j.server.Shutdown(answering) != nil {
			_ = j.server.Close() // Their clients ask again.
		}
		cancel()
	}
	j.stop()
	done := make(chan error, 1)
	go func() { done <- j.work.Wait() }()
	select {
	case err := <-done:
		return errors.Join(err, j.close())
	case <-ctx.Done():
		return fmt.Errorf("a store did not answer within %v of the stop: what was being read is read again after the next start", stopGrace)
	}
}

// close closes what open has opened.
func (j *judge) close() error {
	var errs []error
	if j.index != nil {
		errs = append(errs, j.index.close())
	}
	if j.shelf != nil {
		errs = append(errs, j.shelf.close())
	}
	if j.hook != nil {
		errs = append(errs, j.hook.Close())
	}
	if j.book != nil {
		errs = append(errs, j.book.Close())
	}
	if j.heads != nil {
		errs = append(errs, j.heads.Close())
	}
	if j.lock != nil {
		errs = append(errs, j.lock.Close())
	}
	return errors.Join(errs...)
}
