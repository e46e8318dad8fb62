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
	"go.uber.org/zap/zapcore"

	"github.com/otelcol-custody/custody/internal/delivery"
	"github.com/otelcol-custody/custody/internal/durable"
)

const backfillHelp = `Reads the CloudTrail files that lie in an S3 bucket into the log: all of them, or
those of some accounts, regions or days. The oldest day comes first in each account
and region.

It takes the collector's own configuration: the credentials and the storage of its
aws_cloudtrail receiver, and the hash_chain and the exporters behind it. No other
source is read. Stop the collector first: state directory and storage belong to one
process. Where it must not stop, have it do the same beside its queue:

  bucket: {name: acme-trail, from: 2026-01-01, poll_interval: 0s}

What was delivered before, from a queue or by an earlier run, is recognised and not
sealed again. Ctrl-C stops it safely, and the same command goes on from there. It
ends when everything is sealed and the stores have it; should they be away for
longer than --timeout, the collector delivers the rest after its next start.

Exit status: 0 done, 1 the stores hold another history, 2 wrong usage, 3 not done.`

// backfill is the command with one command below it for each cloud.
func (l *logCommands) backfill() *cobra.Command {
	cmd := &cobra.Command{
		Use: "backfill", Short: "Read into the log what a cloud has kept",
		RunE: func(*cobra.Command, []string) error {
			return usagef("name what to read: otelcol-custody backfill aws; see otelcol-custody backfill aws --help")
		},
	}
	cmd.AddCommand(prepared(l.backfillAWS())...)
	return cmd
}

// backfillFlags say what to read. Those that are not given leave what the
// configuration says.
type backfillFlags struct {
	receiver, bucket, prefix string
	from, to                 string
	accounts, regions        []string
	workers                  int
}

func (f *backfillFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.receiver, "receiver", "", "The aws_cloudtrail receiver, by its `ID`; needed if there are several")
	flags.StringVar(&f.bucket, "bucket", "", "The bucket, by its `NAME`; needed unless the receiver lists one")
	flags.StringVar(&f.prefix, "prefix", "", "What stands before AWSLogs/ in the bucket's keys, as `TEXT`")
	flags.StringSliceVar(&f.accounts, "accounts", nil, "These accounts only, 12 `DIGITS` each; repeatable, or with commas between")
	flags.StringSliceVar(&f.regions, "regions", nil, "These regions only, by `NAME`; repeatable, or with commas between")
	flags.StringVar(&f.from, "from", "", "Files delivered from this `TIME` on: 2026-11-01, which is its beginning in UTC, or 2026-11-01T12:00:00Z")
	flags.StringVar(&f.to, "to", "", "Files delivered before this `TIME`")
	flags.IntVar(&f.workers, "workers", 0, "`N` objects in hand at once")
}

func (l *logCommands) backfillAWS() *cobra.Command {
	var f targetFlags
	var what backfillFlags
	b := &backfilling{}
	cmd := &cobra.Command{
		Use: "aws --config FILE --bucket NAME", Short: "Read the CloudTrail files of a bucket into the log", Long: backfillHelp,
		Example: `  systemctl stop otelcol-custody
  sudo -u custody otelcol-custody backfill aws --config /etc/custody/gateway.yaml --bucket acme-trail --from 2026-01-01
  systemctl start otelcol-custody`,
		Args: arguments(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if b.timeout < 0 {
				return usagef("--timeout must not be negative")
			}
			t, err := f.find(cmd.Context(), l.factories)
			if err == nil {
				err = cmp.Or(b.choose(t, &what, cmd.Flags().Changed), t.checkOwner())
			}
			if err != nil {
				return err
			}
			b.out, b.bar = cmd.OutOrStdout(), newBackfillBar(cmd.ErrOrStderr(), time.Now, b.quiet)
			b.notes = zapcore.Lock(zapcore.AddSync(b.bar)) // Its log and its progress share it.
			ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			context.AfterFunc(ctx, stop)
			return b.conclude(cmd, b.run(ctx, l))
		},
	}
	f.add(cmd, l.collector)
	what.add(cmd)
	cmd.Flags().DurationVar(&b.timeout, "timeout", 10*time.Minute, "Wait so much `TIME` for the stores in the end; 0 waits for ever")
	cmd.Flags().BoolVar(&b.quiet, "quiet", false, "Print nothing but the outcome")
	return cmd
}

// conclude prints what came of it and chooses the exit status.
func (b *backfilling) conclude(cmd *cobra.Command, err error) error {
	t := &text{out: b.out, notes: b.notes, quiet: b.quiet}
	p := b.last()
	known := ""
	if p.Known > 0 {
		known = fmt.Sprintf(" (%s before)", number(p.Known))
	}
	did := fmt.Sprintf("%s%s, %s, %s", several(p.Done, "object"), known, several(p.Events, "event"), size(p.Bytes))
	if p.Lost > 0 {
		t.warn("%s gone before it could be read: gap records in the log say so", several(p.Lost, "object"))
	}
	if err == nil {
		t.say("log %s has what was asked for of %s; this run: %s", b.target.chain.Log, b.place(), did)
		if t.err != nil {
			return &exitError{exitUnfinished, fmt.Errorf("print the result: %w", t.err)}
		}
		return nil
	}
	code := exitUnfinished
	if fork := (*delivery.ForkError)(nil); errors.As(err, &fork) {
		code = exitTampered
	}
	t.warn("log %s: %s", b.target.chain.Log, strings.ReplaceAll(b.explain(err), "\n", "; "))
	t.warn("NOT DONE; so far %s", did)
	cmd.SilenceErrors = true // All is said.
	return &exitError{code, err}
}

// explain says what is in the way, and what to do.
func (b *backfilling) explain(err error) string {
	const again = "; run the same command again, it goes on from there"
	var fork *delivery.ForkError
	switch {
	case errors.As(err, &fork):
		return fork.Error()
	case errors.Is(err, durable.ErrLocked):
		return "its collector still runs, or another command that writes this log does: stop it first; or leave this to the collector, see otelcol-custody backfill aws --help"
	case strings.Contains(err.Error(), "storage: open"):
		return err.Error() + ": another process, perhaps a collector, has it open: stop it first"
	case errors.Is(err, errUndelivered):
		return err.Error()
	case errors.Is(err, context.Canceled):
		return "interrupted" + again
	}
	return err.Error() + again
}
