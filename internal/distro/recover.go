package distro

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/otelcol-custody/custody/internal/keyfile"
	"github.com/otelcol-custody/custody/internal/recovery"
	"github.com/otelcol-custody/custody/internal/storeconfig"
	"github.com/otelcol-custody/custody/store"
)

const recoverHelp = `Goes on with a log whose state directory is lost, damaged, or older than its
stores: restored from a backup, or copied. It reads the log from every store and
from what is left of the state directory, takes the longest history that holds,
and builds a state directory that goes on from there. What it saw and did becomes
a sealed record of the log. What was in the state directory is set aside in a
folder of it, and nothing in a store is changed.

A store that somebody truncated looks like a shorter log. So it refuses if the
stores disagree, if one cannot be read, if a checkpoint remembers more than the
stores have, or if there is no checkpoint at all. Give the newest that you kept:
what custody verify --save-checkpoint wrote, or what a SIEM has of the event
custody.checkpoint. --accept-loss goes on all the same, and the sealed record says
what you accepted.

Not for: a collector that starts. A new log; that is on_missing_head: genesis. A
store that is behind or was lost; that is otelcol-custody replicate. A fork, while
you do not know who the other writer is: stop it first.

Stop the collector, run this as its user, and look at what --dry-run says. It is safe to run it again,
also after a crash.

A store named by --store is ` + formsHelp + `

Exit status: 0 recovered, or would be, or there is nothing to do; 1 refused,
evidence speaks against it; 2 wrong usage; 3 could not finish.`

// recoverFlags say what to recover from.
type recoverFlags struct {
	targetFlags
	stores, checkpoints []string
	acceptLoss, dryRun  bool
	json, quiet         bool
}

func (l *logCommands) recover() *cobra.Command {
	var f recoverFlags
	cmd := &cobra.Command{
		Use: "recover --config FILE [--log NAME] [--checkpoint FILE]", Short: "Go on with a log whose state is lost, damaged or too old", Long: recoverHelp,
		Example: `  systemctl stop otelcol-custody
  sudo -u custody otelcol-custody recover --config /etc/custody/gateway.yaml --checkpoint kept.checkpoint --dry-run
  sudo -u custody otelcol-custody recover --config /etc/custody/gateway.yaml --checkpoint kept.checkpoint`,
		Args: arguments(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			t, err := f.find(cmd.Context(), l.factories)
			if err != nil {
				return err
			}
			configs, err := l.recoverStores(&f, t)
			if err == nil {
				err = t.checkOwner()
			}
			if err != nil {
				return err
			}
			o, err := f.options(t)
			if err != nil {
				return err
			}
			o.Software, o.Now = l.software, l.now
			return l.rebuild(cmd, &f, configs, o)
		},
	}
	f.add(cmd, l.collector)
	cmd.Flags().StringArrayVar(&f.checkpoints, "checkpoint", nil, "A checkpoint of the log that was kept elsewhere, in a `FILE`; repeatable")
	cmd.Flags().StringArrayVar(&f.stores, "store", nil, "A `STORE` of the log that the configuration does not have, as that of a gateway; repeatable")
	cmd.Flags().BoolVar(&f.acceptLoss, "accept-loss", false, "Go on although evidence speaks against it; the log will say so")
	cmd.Flags().BoolVar(&f.dryRun, "dry-run", false, "Change nothing; say what would be done")
	cmd.Flags().BoolVar(&f.json, "json", false, "Print one JSON document (docs/cli.md)")
	cmd.Flags().BoolVar(&f.quiet, "quiet", false, "Print nothing but the outcome")
	return cmd
}

// recoverStores are the configured stores and those of --store, each once.
func (l *logCommands) recoverStores(f *recoverFlags, t *target) ([]storeconfig.Store, error) {
	all := slices.Clone(t.stores)
	for _, arg := range f.stores {
		c, err := l.read("--store", arg)
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(all, func(s storeconfig.Store) bool { return s.ID() == c.ID() }) {
			all = append(all, c)
		}
	}
	if len(all) == 0 {
		return nil, t.noStores()
	}
	return all, nil
}

// options are what the flags and the configuration say, without the stores.
func (f *recoverFlags) options(t *target) (o recovery.Options, err error) {
	o = recovery.Options{Log: t.chain.Log, StateDir: t.chain.StateDir, AcceptLoss: f.acceptLoss, DryRun: f.dryRun}
	if o.Signer, err = keyfile.ReadSigner(t.chain.Key.File); err != nil {
		return o, usagef("key::file: %w", err)
	}
	if t.chain.Origin != "" && t.chain.Origin != o.Signer.Name() {
		return o, usagef("origin: is %q, yet the key in %s is named %q", t.chain.Origin, t.chain.Key.File, o.Signer.Name())
	}
	for _, file := range f.checkpoints {
		note, err := os.ReadFile(file)
		if err != nil {
			return o, usagef("--checkpoint: %w", err)
		}
		o.Checkpoints = append(o.Checkpoints, recovery.Checkpoint{Source: filepath.Base(file), Note: note})
	}
	return o, nil
}

// rebuild opens the stores, recovers, and prints what came of it.
func (l *logCommands) rebuild(cmd *cobra.Command, f *recoverFlags, configs []storeconfig.Store, o recovery.Options) error {
	ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // A second Ctrl-C kills.
	for _, c := range configs {
		s := recovery.Store{ID: c.ID()}
		if s.Store, s.Err = c.Open(ctx, true); s.Err == nil {
			defer func(s store.Store) { _ = s.Close() }(s.Store) // It was only read.
		}
		o.Stores = append(o.Stores, s)
	}
	t := &text{out: cmd.OutOrStdout(), notes: cmd.ErrOrStderr(), quiet: f.quiet}
	if !f.quiet {
		o.Progress = walked(t)
	}
	report, err := recovery.Recover(ctx, o)
	doc := newRecoverDocument(l.software, report, err)
	if doc.code == exitUsage {
		return usagef("%w", err)
	}
	if err := doc.print(t, f.json); err != nil {
		return &exitError{exitUnfinished, fmt.Errorf("print the result: %w", err)}
	}
	if doc.code != exitDone {
		cmd.SilenceErrors = true // All is said.
		return &exitError{doc.code, errors.New(doc.Verdict)}
	}
	return nil
}

// walked says from time to time how far stores were read.
func walked(t *text) func(store string, seals uint64) {
	var mu sync.Mutex
	shown := time.Now()
	return func(store string, seals uint64) {
		mu.Lock()
		defer mu.Unlock()
		if time.Since(shown) >= lineEvery {
			shown = time.Now()
			t.warn("%s: %s read", store, several(seals, "seal"))
		}
	}
}
