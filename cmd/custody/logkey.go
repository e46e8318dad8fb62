package main

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/otelcol-custody/custody/internal/keyfile"
	"github.com/otelcol-custody/custody/ledger"
	"github.com/otelcol-custody/custody/ledger/archive"
	"github.com/otelcol-custody/custody/ledger/checkpoint"
	"github.com/otelcol-custody/custody/ledger/seal"
)

// readKeys reads the trusted keys. They are the reader's own, not the store's: a
// file that will not do is wrong usage.
func readKeys(files []string) (*checkpoint.Keys, error) {
	keys, err := keyfile.ReadKeys(files...)
	if err != nil {
		return nil, usagef("%v", err)
	}
	return keys, nil
}

// openLog opens one log of a store with the keys of the files, or, without any,
// with the key that the log itself states. With the latter a log can only be
// shown to agree with itself, so e says who judges, as in "everyone decides".
func openLog(s *store, name string, keyFiles []string, judge string, e env) (*archive.Log, error) {
	keys, err := logKeys(s, name, keyFiles, judge, e)
	if err != nil {
		return nil, err
	}
	return openWith(s, name, keys, e)
}

// logKeys are the keys with which [openLog] opens a log.
func logKeys(s *store, name string, keyFiles []string, judge string, e env) (*checkpoint.Keys, error) {
	if _, err := s.choose([]string{name}); err != nil {
		return nil, err
	}
	if len(keyFiles) > 0 {
		return readKeys(keyFiles)
	}
	keys, err := ownKey(s.FS, name)
	if err == nil {
		e.note("no --key given: used the key that the log names itself; %s with their own", judge)
	}
	return keys, err
}

func openWith(s *store, name string, keys *checkpoint.Keys, e env) (*archive.Log, error) {
	l, err := archive.Open(s.FS, name, keys)
	if err != nil {
		return nil, err
	}
	for _, err := range l.Passed() {
		e.note("passed over, run custody verify: %v", err)
	}
	return l, nil
}

// ownKey is the key that a log's first readable seal states. It is not to be
// trusted.
func ownKey(fsys fs.FS, name string) (*checkpoint.Keys, error) {
	sub, err := fs.Sub(fsys, name)
	if err != nil {
		return nil, err
	}
	firsts, err := listSeals(sub)
	if err != nil {
		return nil, fmt.Errorf("log %s: %w", name, err)
	}
	err = errors.New("it has no seal yet")
	for _, first := range firsts {
		var b []byte
		if b, err = readCapped(sub, ledger.SealName(first), ledger.MaxSeal); err != nil {
			continue
		}
		var u *seal.Unverified
		if u, err = seal.InspectUnverified(b); err == nil {
			return checkpoint.ParseKeys(u.VKey)
		}
	}
	return nil, fmt.Errorf("log %s: %w", name, err)
}

// one returns the log to work on: the named one, or the only one.
func (s *store) one(name string) (string, error) {
	switch {
	case name != "":
		return name, nil
	case len(s.logs) == 1:
		return s.logs[0], nil
	case len(s.logs) == 0:
		return "", s.empty()
	}
	return "", usagef("--log is missing; the store holds %d logs: %s", len(s.logs), joinSome(s.logs))
}
