package distro

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/otelcol-custody/custody/internal/storeconfig"
	"github.com/otelcol-custody/custody/internal/transfer"
	"github.com/otelcol-custody/custody/ledger"
	"github.com/otelcol-custody/custody/store"
)

// Exit codes of the commands that work on stores (docs/cli.md).
const (
	exitDone       = 0
	exitTampered   = 1
	exitUsage      = 2
	exitUnfinished = 3
)

// An exitError ends the program with a code.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

// ExitCode is the code with which the program ends after the error that the
// command returned. The collector itself knows 0 and 1 only.
func ExitCode(err error) int {
	var e *exitError
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &e):
		return e.code
	}
	return 1
}

func usagef(format string, args ...any) error {
	return &exitError{exitUsage, fmt.Errorf(format, args...)}
}

// stores are what the commands that work on stores have of the world.
type stores struct {
	parse    func(string) (storeconfig.Store, error)
	now      func() time.Time
	software string
}

// commands are fetch, replicate, retain and verify-cloudtrail.
func (s *stores) commands() []*cobra.Command {
	return prepared(s.fetch(), s.replicate(), s.retain(), s.verifyCloudTrail())
}

// prepared makes the commands' errors of usage alike.
func prepared(all ...*cobra.Command) []*cobra.Command {
	for _, c := range all {
		c.SilenceUsage = true
		c.SetFlagErrorFunc(func(c *cobra.Command, err error) error { return usagef("%w; see %s --help", err, c.CommandPath()) })
	}
	return all
}

// arguments demands positional arguments.
func arguments(names ...string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		for i, name := range names {
			if i >= len(args) || args[i] == "" {
				return usagef("%s is missing; see %s --help", name, c.CommandPath())
			}
		}
		if len(args) > len(names) {
			return usagef("unexpected argument %q; see %s --help", args[len(names)], c.CommandPath())
		}
		return nil
	}
}

// common are the flags of all these commands.
type common struct {
	logs        []string
	workers     int
	json, quiet bool
}

func (f *common) add(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&f.logs, "log", nil, "This log only, by the `NAME` of its folder; repeatable")
	cmd.Flags().IntVar(&f.workers, "workers", transfer.DefaultWorkers, "`N` objects in hand at once")
	cmd.Flags().BoolVar(&f.json, "json", false, "Print one JSON document (docs/cli.md)")
	cmd.Flags().BoolVar(&f.quiet, "quiet", false, "Print nothing but what was found")
}

func (f *common) check() error {
	if f.workers < 1 {
		return usagef("--workers must be at least 1")
	}
	for _, log := range f.logs {
		if err := ledger.CheckLogName(log); err != nil {
			return usagef("--log: %w", err)
		}
	}
	return nil
}

// run does the work of a command and prints what came of it.
func (f *common) run(cmd *cobra.Command, doc *document, work func(context.Context, transfer.Options) (*transfer.Result, error)) error {
	ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // A second Ctrl-C kills.
	opt := transfer.Options{Logs: f.logs, Workers: f.workers}
	b := newBar(cmd.ErrOrStderr(), time.Now)
	if !f.quiet {
		opt.Progress = b.show
	}
	result, err := work(ctx, opt)
	b.clear()
	var wrong *exitError
	switch {
	case errors.As(err, &wrong):
		return err
	case errors.Is(err, transfer.ErrNoLog) && len(f.logs) > 0:
		return usagef("%w", err)
	}
	doc.fill(result, err)
	if err := doc.print(cmd.OutOrStdout(), cmd.ErrOrStderr(), f); err != nil {
		return &exitError{exitUnfinished, fmt.Errorf("print the result: %w", err)}
	}
	if code := doc.code(); code != exitDone {
		cmd.SilenceErrors = true // All is said.
		return &exitError{code, errors.New(doc.Verdict)}
	}
	return nil
}

// open opens a store. That it is written wrongly was found before.
func open(ctx context.Context, c storeconfig.Store, readOnly bool) (store.Store, error) {
	s, err := c.Open(ctx, readOnly)
	if err != nil {
		return nil, fmt.Errorf("store %s: %w", c.ID(), err)
	}
	return s, nil
}

func (s *stores) read(name, arg string) (storeconfig.Store, error) {
	c, err := s.parse(arg)
	if err != nil {
		return nil, usagef("%s: %w", name, err)
	}
	return c, nil
}
