package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/ocsf"
	"github.com/otelcol-custody/custody/ledger/archive"
	"github.com/otelcol-custody/custody/ledger/checkpoint"
	"github.com/otelcol-custody/custody/ledger/record"
	"github.com/otelcol-custody/custody/ledger/seal"
	"github.com/otelcol-custody/custody/ledger/segment"
	"github.com/otelcol-custody/custody/ledger/verify"
)

const renderHelp = `usage: custody render STORE --ocsf [flags]

Prints the records of the logs in STORE as events of the Open Cybersecurity Schema
Framework, version 1.6.0: one JSON object a line, in the log's order, every record of
a log exactly once. A record without an OCSF class, such as one of the log's own, is
a base event; what the schema has no place for is in unmapped.

  --ocsf       the form to print; there is no other yet
  --key FILE   print nothing but what these public keys vouch for; repeatable. Without
               it, a log is only held against what it says of itself
  --log NAME   this log only; repeatable
  --from TIME  events from this time on, in RFC 3339, by their own time; one without
  --to TIME    and before this time       counts by when it was taken up

A segment is checked as a whole before any of it is printed. What follows a log's
last seal, and what was cut off, only custody verify --since tells.

  custody render custody-data/store --ocsf --key custody-data/keys/log.pub
  custody render store --ocsf --key log.pub --from 2026-03-01T00:00:00Z > since-march.jsonl

exit: 0 printed, 1 not what was sealed, or not signed by the key, 2 wrong usage,
3 something could not be read
`

type renderOptions struct {
	store      string
	keys, logs list
	ocsf       bool
	from, to   time.Time // zero: no limit
}

func parseRender(args []string) (renderOptions, error) {
	var o renderOptions
	a := newArguments()
	a.Var(&o.keys, "key", "")
	a.Var(&o.logs, "log", "")
	a.BoolVar(&o.ocsf, "ocsf", false, "")
	a.Func("from", "", setTime(&o.from))
	a.Func("to", "", setTime(&o.to))
	positional, err := a.parse(args, "STORE")
	if err != nil {
		return o, err
	}
	o.store = positional[0]
	if !o.ocsf {
		return o, usagef("--ocsf is missing: it is the one form that can be printed")
	}
	if !o.from.IsZero() && !o.to.IsZero() && !o.from.Before(o.to) {
		return o, usagef("--to must be later than --from")
	}
	return o, nil
}

// setTime reads a time of a flag.
func setTime(t *time.Time) func(string) error {
	return func(s string) (err error) {
		if *t, err = time.Parse(time.RFC3339, s); err != nil {
			return errors.New("not a time in RFC 3339, such as 2026-03-01T12:00:00Z")
		}
		return nil
	}
}

func runRender(ctx context.Context, args []string, e env) error {
	o, err := parseRender(args)
	if err != nil {
		return err
	}
	s, err := openStore(o.store)
	if err != nil {
		return err
	}
	defer func() { _ = s.close() }() // Only read from.
	names, err := s.choose(o.logs)
	if err != nil {
		return err
	}
	if len(o.keys) == 0 {
		e.note("no --key given: nothing is verified by a key that you trust, only that each log agrees with itself")
	}
	renderer, err := ocsf.NewRenderer(audit.OCSFVersion)
	if err != nil {
		return err
	}
	out := bufio.NewWriterSize(e.stdout, 1<<16)
	r := &rendering{renderOptions: o, env: e, out: out, renderer: renderer}
	if e.terminal && isFile(e.stdout) {
		r.bar = newProgress(e.stderr, e.now, len(names))
		defer r.bar.clear()
	}
	return r.all(ctx, s, names)
}

// A rendering prints the records of logs, a segment in memory at a time.
type rendering struct {
	renderOptions
	env      env
	out      *bufio.Writer
	renderer *ocsf.Renderer
	line     []byte    // the last event
	next     uint64    // the log's first record that was not dealt with
	expired  int       // segments of the log that are gone after their time
	code     int       // the verdict on what could not be printed
	checked  int       // records of all logs
	printed  int       // of them
	bar      *progress // nil for none
	done     verify.Progress
}

func (r *rendering) all(ctx context.Context, s *store, names []string) error {
	for _, name := range names {
		if err := r.log(ctx, s, name); err != nil {
			if flush := r.out.Flush(); !errors.Is(err, flush) { // else it is what went wrong
				err = errors.Join(err, flush)
			}
			return err
		}
	}
	if err := r.out.Flush(); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	if r.code != exitVerified {
		return verdict(r.code)
	}
	if r.printed == 0 && r.checked > 0 {
		r.note("no record is of that time; there are %s", several(r.checked, "record"))
	}
	return nil
}

func (r *rendering) log(ctx context.Context, s *store, name string) error {
	keys, err := r.trusted(s, name)
	if err != nil {
		return err
	}
	l, err := openWith(s, name, keys, r.env)
	if err != nil {
		return err
	}
	if len(l.Passed()) > 0 {
		r.worse(exitTampered)
	}
	r.expired, r.next = 0, 0
	stored, err := storedSegments(s, name)
	if err != nil {
		return err
	}
	r.done = verify.Progress{Log: name, Total: uint64(len(stored))}
	var prev *seal.Verified
	err = eachSegment(ctx, l, func(v *seal.Verified, lines []byte, err error) error {
		if err := follows(v, prev); err != nil {
			return fmt.Errorf("log %s: records from %d on: %w", name, v.First, err)
		}
		prev = v
		if errors.Is(err, fs.ErrNotExist) {
			r.missing(name, v)
			r.next = v.End()
			return nil
		}
		if err != nil {
			return err
		}
		return r.segment(name, v, lines)
	})
	r.remark(name, stored, err)
	return err
}

// remark says what of a log is not printed, and why, when err is what stopped it.
func (r *rendering) remark(name string, stored []uint64, err error) {
	if err != nil && judge(err) == exitTampered {
		r.note("log %s: stopped before record %d; custody verify names all that is wrong", name, r.next)
	}
	if after := slices.DeleteFunc(stored, func(first uint64) bool { return first < r.next }); err == nil && len(after) > 0 {
		r.note("log %s: %s from record %d on without a valid seal; not printed", name, several(len(after), "segment"), after[0])
	}
	if r.expired > 0 {
		r.note("log %s: %s expired; what was in it is not printed", name, several(r.expired, "segment"))
	}
}

// follows checks that nothing is missing between two seals, or before the first one.
func follows(v, prev *seal.Verified) error {
	if prev == nil && v.First > 0 {
		return fmt.Errorf("%w: no seal for records 0 to %d", archive.ErrBroken, v.First-1)
	}
	if prev == nil {
		return nil
	}
	_, err := v.Follows(prev)
	return err
}

// segment prints the records of a segment, once all of them have been checked.
func (r *rendering) segment(name string, v *seal.Verified, lines []byte) error {
	for i, line := range segment.Lines(lines) {
		index := v.First + uint64(i)
		rec, err := record.ParseLine(line)
		if err != nil {
			return fmt.Errorf("%w: log %s: record %d: the sealed line cannot be read: %w", archive.ErrBroken, name, index, err)
		}
		if err := r.record(name, index, rec); err != nil {
			return fmt.Errorf("log %s: record %d: %w", name, index, err)
		}
		r.next = index + 1
	}
	r.show(v)
	return nil
}

// missing says that the segment of a seal is not there, unless its time was over.
func (r *rendering) missing(name string, v *seal.Verified) {
	f := verify.MissingSegment(v, r.env.now())
	if f == nil {
		r.expired++
		return
	}
	r.note("log %s: %s; run custody verify", name, f.Message)
	if len(r.keys) > 0 {
		r.worse(exitTampered)
	} else {
		r.worse(exitUnfinished)
	}
}

// worse notes a verdict; tampering stays.
func (r *rendering) worse(code int) {
	if r.code != exitTampered {
		r.code = code
	}
}

// record prints a record as an event, if it is of the wanted time.
func (r *rendering) record(log string, index uint64, rec *record.Record) error {
	one, err := asEvent(rec)
	if err != nil {
		return err
	}
	at := one.Time
	if at.IsZero() {
		at = one.Observed
	}
	if at.Before(r.from) || !r.to.IsZero() && !at.Before(r.to) {
		return nil
	}
	one.Log, one.Index = log, index
	r.line = append(r.renderer.Append(r.line[:0], one), '\n')
	if _, err := r.out.Write(r.line); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	r.printed++
	return nil
}

// trusted are the keys for a log: those given, or the one that the log states itself.
func (r *rendering) trusted(s *store, name string) (*checkpoint.Keys, error) {
	if len(r.keys) > 0 {
		return readKeys(r.keys)
	}
	return ownKey(s.FS, name)
}
