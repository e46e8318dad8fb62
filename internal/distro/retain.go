package distro

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/otelcol-custody/custody/internal/storeconfig"
	"github.com/otelcol-custody/custody/internal/transfer"
	"github.com/otelcol-custody/custody/store"
)

const retainHelp = `Extends the retention of all objects of logs: segments, tiles and seals, in all
versions. It never shortens or weakens one, and changes nothing that is retained
so long and so strictly already. With mode compliance (locked) nobody can take it
back: look at what --dry-run says first.

` + storeHelp + `

` + exitHelp

// retainFlags say what is asked for.
type retainFlags struct {
	common
	until     string
	days      int
	legalHold bool
	mode      string
	dryRun    bool
}

func (s *stores) retain() *cobra.Command {
	var f retainFlags
	cmd := &cobra.Command{
		Use: "retain STORE (--until DATE | --days N | --legal-hold)", Short: "Extend the retention of logs in a store", Long: retainHelp,
		Example: `  otelcol-custody retain 's3://acme-audit/logs' --days 365 --dry-run
  otelcol-custody retain 's3://acme-audit/logs' --log gateway-1 --legal-hold`,
		Args: arguments("STORE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := s.read("STORE", args[0])
			if err == nil {
				err = f.check()
			}
			if err != nil {
				return err
			}
			r, err := f.retention(s.now())
			if err != nil {
				return err
			}
			doc := &document{Command: "retain", Software: s.software, Store: c.ID(), Retention: newRetentionJSON(r), DryRun: f.dryRun}
			return f.run(cmd, doc, func(ctx context.Context, opt transfer.Options) (*transfer.Result, error) {
				return retain(ctx, c, r, f.dryRun, opt)
			})
		},
	}
	cmd.Flags().StringVar(&f.until, "until", "", "Retain until this `DATE` (2031-01-01, from midnight UTC) or time (RFC 3339)")
	cmd.Flags().IntVar(&f.days, "days", 0, "Retain for `N` days from now")
	cmd.Flags().BoolVar(&f.legalHold, "legal-hold", false, "Retain until somebody lifts the hold")
	cmd.Flags().StringVar(&f.mode, "mode", "governance", "How strictly, by a `MODE`: governance (unlocked), which the specially privileged can shorten, or compliance (locked), which nobody can")
	cmd.Flags().BoolVar(&f.dryRun, "dry-run", false, "Change nothing; say what would be asked for")
	f.add(cmd)
	return cmd
}

var modes = map[string]store.Mode{
	"governance": store.ModeGovernance, "unlocked": store.ModeGovernance,
	"compliance": store.ModeCompliance, "locked": store.ModeCompliance,
}

func (f *retainFlags) retention(now time.Time) (r store.Retention, err error) {
	r.LegalHold = f.legalHold
	switch {
	case f.until != "" && f.days != 0:
		return r, usagef("--until and --days exclude each other")
	case f.until == "" && f.days == 0 && !f.legalHold:
		return r, usagef("say what to retain for: --until DATE, --days N or --legal-hold")
	case f.days < 0:
		return r, usagef("--days must be positive")
	case f.days > 0:
		r.Until = now.UTC().Truncate(time.Second).AddDate(0, 0, f.days)
	case f.until != "":
		if r.Until, err = parseDay(f.until); err != nil {
			return r, usagef("--until: %q is neither a day (2031-01-01) nor a time (2031-01-01T00:00:00Z)", f.until)
		}
	}
	if !r.Until.IsZero() {
		if r.Mode = modes[f.mode]; r.Mode == store.ModeNone {
			return r, usagef("--mode must be governance (unlocked) or compliance (locked), got %q", f.mode)
		}
		if !r.Until.After(now) {
			return r, usagef("--until: %s has passed", r.Until.Format(time.RFC3339))
		}
	}
	return r, nil
}

func parseDay(s string) (time.Time, error) {
	if day, err := time.Parse(time.DateOnly, s); err == nil {
		return day, nil
	}
	t, err := time.Parse(time.RFC3339, s)
	return t.UTC(), err
}

func retain(ctx context.Context, c storeconfig.Store, r store.Retention, dryRun bool, opt transfer.Options) (_ *transfer.Result, err error) {
	s, err := open(ctx, c, dryRun)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	retainer, ok := s.(store.Retainer)
	if !ok {
		return nil, usagef("store %s cannot keep objects until a date or under a hold; only object stores can", c.ID())
	}
	return transfer.Retain(ctx, retainer, r, dryRun, opt)
}
