package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/otelcol-custody/custody/ledger/archive"
	"github.com/otelcol-custody/custody/ledger/checkpoint"
	"github.com/otelcol-custody/custody/ledger/proof"
	"github.com/otelcol-custody/custody/ledger/seal"
)

// The exit codes: the verdict, in every mode.
const (
	exitVerified   = 0
	exitTampered   = 1
	exitUsage      = 2
	exitUnfinished = 3 // something could not be read or was not there to be checked
)

// env is what a command has of the world, apart from files.
type env struct {
	stdout, stderr io.Writer
	now            func() time.Time
	terminal       bool // stderr is one
}

// note says something beside the verdict.
func (e env) note(format string, args ...any) {
	fmt.Fprintf(e.stderr, "custody: %s\n", printable(fmt.Sprintf(format, args...)))
}

// print writes text to stdout, without anything that could steer a terminal:
// names and records come from whoever wrote the store.
func (e env) print(text string) error {
	_, err := io.WriteString(e.stdout, printable(text))
	return err
}

// A command is one word after custody.
type command struct {
	name, summary string
	help          string // what `custody help NAME` prints
	run           func(ctx context.Context, args []string, e env) error
}

func commands() []command {
	return []command{
		{"verify", "check every record and seal of a store", verifyHelp, runVerify},
		{"inspect", "show what is in a store", inspectHelp, runInspect},
		{"render", "print a store's records as OCSF events", renderHelp, runRender},
		{"prove", "write one record with its proof to a file", proveHelp, runProve},
		{"pack", "write chosen records with their proofs to a file of text", packHelp, runPack},
		{"check-proof", "check such a file, offline, and show what it proves", checkProofHelp, runCheckProof},
		{"export-tlog", "write a log as a standard tlog-tiles tree", exportHelp, runExport},
		{"keygen", "make a log's key pair", keygenHelp, runKeygen},
		{"version", "print the version", versionHelp, runVersion},
	}
}

// run is the whole program; it returns the exit code.
func run(ctx context.Context, args []string, e env) int {
	if len(args) == 0 {
		fmt.Fprint(e.stderr, overview())
		return exitUsage
	}
	name, rest := args[0], args[1:]
	switch name {
	case "help", "--help", "-help", "-h":
		return e.exit("", help(rest, e))
	case "--version", "-version":
		name = "version"
	}
	for _, c := range commands() {
		if c.name == name {
			err := c.run(ctx, rest, e)
			if errors.Is(err, errHelp) {
				err = e.print(c.help)
			}
			return e.exit(name, err)
		}
	}
	return e.exit("", usagef("unknown command %q", name))
}

func help(args []string, e env) error {
	if len(args) == 0 {
		return e.print(overview())
	}
	for _, c := range commands() {
		if c.name == args[0] {
			return e.print(c.help)
		}
	}
	return usagef("unknown command %q", args[0])
}

func overview() string {
	var b strings.Builder
	b.WriteString("custody verifies audit logs that were sealed by Custody. It needs a copy of the\nstore and the log's public key, and trusts nothing else.\n\nusage: custody COMMAND [ARGUMENTS]\n\n")
	for _, c := range commands() {
		fmt.Fprintf(&b, "  %-12s %s\n", c.name, c.summary)
	}
	b.WriteString("\ncustody help COMMAND explains a command and gives examples.\n\nexit: 0 verified, 1 tampering found, 2 wrong usage, 3 could not finish checking\n")
	return b.String()
}

// usageError is a wrong way to call the command.
type usageError struct{ msg string }

func (e *usageError) Error() string { return e.msg }

func usagef(format string, args ...any) error { return &usageError{fmt.Sprintf(format, args...)} }

// A verdict that is out already ends the program with a code and no words.
type verdict int

func (v verdict) Error() string { return fmt.Sprintf("exit %d", int(v)) }

// exit says what went wrong, if anything, and returns the exit code.
func (e env) exit(command string, err error) int {
	if err == nil {
		return exitVerified
	}
	var v verdict
	if errors.As(err, &v) {
		return int(v)
	}
	if errors.Is(err, context.Canceled) {
		e.note("interrupted; nothing is proven")
		return exitUnfinished
	}
	e.note("%v", err)
	if errors.As(err, new(*usageError)) {
		e.note("%s", strings.TrimSpace("see custody help "+command))
		return exitUsage
	}
	return judge(err)
}

// judge tells tampering, which contradicts a signature, from everything else.
func judge(err error) int {
	if errors.Is(err, seal.ErrVersion) {
		return exitUnfinished
	}
	for _, broken := range []error{
		archive.ErrBroken, proof.ErrBroken, proof.ErrMalformed, seal.ErrInvalid, seal.ErrChain, seal.ErrMalformed,
		checkpoint.ErrUntrusted, checkpoint.ErrSignature, errTampered,
	} {
		if errors.Is(err, broken) {
			return exitTampered
		}
	}
	return exitUnfinished
}

// errTampered means that what this command itself compared does not agree.
var errTampered = errors.New("tampering found")
