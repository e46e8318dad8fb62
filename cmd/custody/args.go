package main

import (
	"errors"
	"flag"
	"io"
	"slices"
	"strings"
)

// errHelp asks for the command's help.
var errHelp = flag.ErrHelp

// arguments parses a command's flags and positional arguments, which may stand
// in any order; "--" ends the flags.
type arguments struct{ *flag.FlagSet }

func newArguments() arguments {
	fs := flag.NewFlagSet("", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.Usage = func() {}
	return arguments{fs}
}

// parse returns the positional arguments, of which there must be as many as
// names.
func (a arguments) parse(args []string, names ...string) ([]string, error) {
	var positional []string
	for len(args) > 0 {
		if err := a.Parse(args); errors.Is(err, flag.ErrHelp) {
			return nil, errHelp
		} else if err != nil {
			return nil, usagef("%s", plainFlagError(err))
		}
		rest := a.Args()
		if len(rest) == 0 {
			break
		}
		if n := len(args) - len(rest); n > 0 && args[n-1] == "--" {
			positional = append(positional, rest...)
			break
		}
		positional = append(positional, rest[0])
		args = rest[1:]
	}
	if len(positional) < len(names) {
		return nil, usagef("%s is missing", names[len(positional)])
	}
	if len(positional) > len(names) {
		return nil, usagef("unexpected argument %q", positional[len(names)])
	}
	if i := slices.Index(positional, ""); i >= 0 {
		return nil, usagef("%s is empty", names[i])
	}
	return positional, nil
}

// given says whether a flag was named.
func (a arguments) given(name string) bool {
	found := false
	a.Visit(func(f *flag.Flag) { found = found || f.Name == name })
	return found
}

// plainFlagError words an error of package flag as the documentation writes
// flags.
func plainFlagError(err error) string {
	msg := err.Error()
	if name, ok := strings.CutPrefix(msg, "flag provided but not defined: -"); ok {
		return "unknown flag --" + name
	}
	if name, ok := strings.CutPrefix(msg, "flag needs an argument: -"); ok {
		return "--" + name + " needs a value"
	}
	return strings.Replace(msg, " for flag -", " for --", 1)
}

// list is a flag that may be given more than once.
type list []string

func (l *list) String() string { return strings.Join(*l, ", ") }

func (l *list) Set(s string) error {
	if s == "" {
		return errors.New("must not be empty")
	}
	*l = append(*l, s)
	return nil
}
