package main

import (
	"context"
	"runtime"
)

const versionHelp = `usage: custody version

Prints the version of this command and of the log format that it reads.
`

func software() string { return "custody " + version }

func runVersion(_ context.Context, args []string, e env) error {
	if _, err := newArguments().parse(args); err != nil {
		return err
	}
	return e.print(software() + " (log format version 1, " + runtime.Version() + ")\n")
}
