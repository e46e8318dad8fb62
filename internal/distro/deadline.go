package distro

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

const (
	// stopLimit is how long a stop may take. Supervisors commonly kill after 30 s
	// and say nothing; we say why.
	stopLimit = 28 * time.Second
	// remindEvery is how often the collector is told again: it is deaf to signals
	// while it starts.
	remindEvery = time.Second
)

// A deadline ends the process when the collector, asked to stop, does not:
// because a disk, a store or a client hangs and whoever waits for it ignores its
// context. To end so costs no more than kill -9 does: nothing that was answered.
type deadline struct {
	limit time.Duration
	out   io.Writer
	exit  func(code int)

	mu       sync.Mutex // guards what follows
	asked    bool       // to stop
	stopping map[stopper]bool
}

// A stopper is a processor that prepares for the stop of the process. Processors
// are shut down only after receivers, which wait for those whom the processors
// have not answered yet.
type stopper interface{ Stopping() }

func newDeadline() *deadline {
	return &deadline{limit: stopLimit, out: os.Stderr, exit: os.Exit, stopping: map[stopper]bool{}}
}

// listen watches over a run until the function that it returns is called. The
// time begins to run with the first SIGTERM or SIGINT, or when ctx ends, and not
// with a reload. More signals change nothing: who forwards one to a group of
// processes often sends it twice.
func (d *deadline) listen(ctx context.Context) (end func()) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	over := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		if !d.watch(ctx, signals, over) {
			signal.Stop(signals)
		} // Else one on its way must not kill a process that is ending.
	})
	return func() { close(over); wg.Wait() }
}

// watch returns when the run is over, and says whether a signal came.
func (d *deadline) watch(ctx context.Context, signals <-chan os.Signal, over <-chan struct{}) bool {
	var first os.Signal
	select {
	case first = <-signals:
	case <-ctx.Done():
	case <-over:
		return false
	}
	d.ask()
	d.await(first, over)
	return first != nil
}

// await reminds the collector of the signal that it was sent, and ends the
// process once the limit is over.
func (d *deadline) await(s os.Signal, over <-chan struct{}) {
	limit := time.NewTimer(d.limit)
	defer limit.Stop()
	remind := time.NewTicker(remindEvery)
	defer remind.Stop()
	for {
		select {
		case <-over:
			return
		case <-remind.C:
			if self, err := os.FindProcess(os.Getpid()); err == nil && s != nil {
				_ = self.Signal(s) // Where that cannot be done the limit remains.
			}
		case <-limit.C:
			fmt.Fprintf(d.out, "Error: asked to stop %v ago and something still hangs: a disk, a store or a client that does not answer; ending now. Nothing that was answered is lost: it is in state_dir, and the next start finishes the work\n", d.limit)
			d.exit(1)
			return
		}
	}
}

// ask tells all stoppers.
func (d *deadline) ask() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asked = true
	for s := range d.stopping {
		s.Stopping()
	}
}

// add has a stopper told, at once if the stop has begun.
func (d *deadline) add(s stopper) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.stopping[s] = true
	if d.asked {
		s.Stopping()
	}
}

func (d *deadline) remove(s stopper) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.stopping, s)
}
