// Command custody is the auditor's command: it verifies copies of logs, looks
// into them, renders their records and makes and checks proofs. It works on files
// alone, offline, and shares only packages ledger and audit with the collector.
// docs/cli.md describes it.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/term"
)

// version is set by the linker.
var version = "dev"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // A second Ctrl-C kills.
	os.Exit(run(ctx, os.Args[1:], env{
		stdout: os.Stdout, stderr: os.Stderr, now: time.Now,
		terminal: term.IsTerminal(int(os.Stderr.Fd())),
	}))
}
