package distro

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"go.opentelemetry.io/collector/otelcol"
	"go.uber.org/zap/zapcore"

	"github.com/otelcol-custody/custody/internal/delivery"
	"github.com/otelcol-custody/custody/internal/durable"
	"github.com/otelcol-custody/custody/internal/sealer"
)

const drainHelp = `Ends a log for good, for scaling in: what its collector still holds is sealed and
delivered, with a last record that says that the log has ended. After that, state
directory and key are needed no more, and nothing is ever added to the log: a
collector that is started with it refuses.

Stop the collector first, and run it as the collector's user. To pause it, stopping is enough: what it holds is
delivered after the next start. If the state directory is lost or damaged, use
otelcol-custody recover.

Segments go where the collector would send them, through the exporters of the same
configuration; its receivers are not started. While a store is away it waits.
Ctrl-C stops it safely; run it again. What the exporter of a SIEM has taken into a
queue of its own is not waited for.

Exit status: 0 drained and ended, 1 the stores hold another history, 2 wrong usage,
3 not drained yet.`

// logCommands are the commands about the log of a collector.
type logCommands struct {
	*stores
	collector *cobra.Command
	factories func() (otelcol.Factories, error)
	version   string
}

// commands are recover, drain and backfill.
func (l *logCommands) commands() []*cobra.Command {
	return prepared(l.recover(), l.drain(), l.backfill())
}

func (l *logCommands) drain() *cobra.Command {
	var f targetFlags
	d := &draining{}
	cmd := &cobra.Command{
		Use: "drain --config FILE [--log NAME]", Short: "End a log for good: deliver what waits, with a last record", Long: drainHelp,
		Example: `  systemctl stop otelcol-custody
  sudo -u custody otelcol-custody drain --config /etc/custody/gateway.yaml --log gateway-1`,
		Args: arguments(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if d.timeout < 0 {
				return usagef("--timeout must not be negative")
			}
			t, err := f.find(cmd.Context(), l.factories)
			if err == nil {
				err = cmp.Or(t.checkState(), t.checkOwner())
			}
			if err != nil {
				return err
			}
			d.target, d.out = t, cmd.OutOrStdout()
			d.notes = zapcore.Lock(zapcore.AddSync(cmd.ErrOrStderr())) // Its log and its progress share it.
			ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			context.AfterFunc(ctx, stop)
			return d.conclude(cmd, d.run(ctx, l))
		},
	}
	f.add(cmd, l.collector)
	cmd.Flags().DurationVar(&d.timeout, "timeout", 0, "Give up after this `TIME` (as in 10m); 0 waits for ever")
	cmd.Flags().BoolVar(&d.quiet, "quiet", false, "Print nothing but the outcome")
	return cmd
}

// checkState refuses a state directory that is not there: it would be made.
func (t *target) checkState() error {
	if _, err := os.Stat(t.chain.StateDir); err != nil {
		return usagef("state_dir: %w; there is nothing to drain, or the path is wrong here; if the state of log %s is lost, recover it first", err, t.chain.Log)
	}
	return nil
}

// conclude prints what came of it and chooses the exit status.
func (d *draining) conclude(cmd *cobra.Command, err error) error {
	t := &text{out: d.out, notes: d.notes, quiet: d.quiet}
	log := d.target.chain.Log
	if err == nil {
		lines := strings.SplitN(d.ending.Checkpoint, "\n", 4) // origin, size, root
		t.say("log %s is drained and has ended with %s records, root %s", log, lines[1], lines[2])
		t.note("its last checkpoint is below: keep it with the public key; nothing else of the log is needed here any more\n\n%s", d.ending.Checkpoint)
		if t.err != nil {
			return &exitError{exitUnfinished, fmt.Errorf("print the result: %w", t.err)}
		}
		return nil
	}
	code := exitUnfinished
	if fork := (*delivery.ForkError)(nil); errors.As(err, &fork) {
		code = exitTampered
	}
	t.warn("log %s: %s", log, d.explain(err))
	t.warn("NOT DRAINED")
	cmd.SilenceErrors = true // All is said.
	return &exitError{code, err}
}

// explain says what is in the way, and what to do.
func (d *draining) explain(err error) string {
	const again = "; nothing is lost, run the command again"
	w := d.waiting.Load()
	var fork *delivery.ForkError
	switch {
	case errors.As(err, &fork):
		return fork.Error()
	case errors.Is(err, durable.ErrLocked):
		return "its collector still runs, or another drain does: stop it first"
	case errors.Is(err, sealer.ErrNoHead):
		return fmt.Sprintf("%s holds no history of it: there is nothing to drain, or the path is wrong here; if the state is lost, recover it first", d.target.chain.StateDir)
	case w == nil:
		return err.Error()
	case errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled):
		text := "interrupted: "
		if errors.Is(err, context.DeadlineExceeded) {
			text = fmt.Sprintf("not drained in %v: ", d.timeout)
		}
		return text + sentence(*w) + again
	}
	return err.Error() + again
}

// sentence is what waits, and why, on one line.
func sentence(w delivery.Waiting) string {
	s := w.String()
	if w.Why != nil {
		s += ": " + strings.ReplaceAll(w.Why.Error(), "\n", "; ")
	}
	return s
}

// progressEvery is how often a line says what still waits.
const progressEvery = 5 * time.Second
