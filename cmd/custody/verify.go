package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/otelcol-custody/custody/ledger/checkpoint"
	"github.com/otelcol-custody/custody/ledger/verify"
)

const verifyHelp = `usage: custody verify STORE --key FILE [flags]

Checks every seal and every record of the logs in STORE against the log's public
key. STORE is a copy of a store: a folder, a .zip or an uncompressed .tar file.

  --key FILE              file with the trusted public keys, one a line; repeatable
  --since FILE            checkpoints kept from earlier: each log must extend its own; repeatable
  --save-checkpoint FILE  when everything is verified, keep the heads in FILE, for --since
  --log NAME              verify this log only; repeatable
  --json                  print one JSON document (docs/cli.md)
  --quiet                 print nothing but findings
  --workers N             segments checked at once (default: the number of CPUs)

Cutting off the end of a log, its seals included, cannot be seen in what is left.
So keep a checkpoint somewhere else, and verify against it the next time:

  custody verify store --key log.pub --save-checkpoint kept.checkpoint
  custody verify store --key log.pub --since kept.checkpoint --save-checkpoint kept.checkpoint

exit: 0 verified, 1 tampering found, 2 wrong usage, 3 could not finish checking.
A store in which there is nothing to verify is 3.
`

type verifyOptions struct {
	keys, since, logs list
	save              string
	json, quiet       bool
	workers           int
	store             string
}

func parseVerify(args []string) (verifyOptions, error) {
	var o verifyOptions
	a := newArguments()
	a.Var(&o.keys, "key", "")
	a.Var(&o.since, "since", "")
	a.Var(&o.logs, "log", "")
	a.StringVar(&o.save, "save-checkpoint", "", "")
	a.BoolVar(&o.json, "json", false, "")
	a.BoolVar(&o.quiet, "quiet", false, "")
	a.IntVar(&o.workers, "workers", runtime.GOMAXPROCS(0), "")
	positional, err := a.parse(args, "STORE")
	if err != nil {
		return o, err
	}
	o.store = positional[0]
	if len(o.keys) == 0 {
		return o, usagef("--key is missing: name the file with the log's public key, which you got from somewhere else than the store")
	}
	if o.workers < 1 {
		return o, usagef("--workers must be at least 1")
	}
	if o.save != "" {
		return o, checkSavePath(o.save, o.store, o.since)
	}
	return o, nil
}

// result is what a verification of a store came to.
type result struct {
	store   string
	now     time.Time
	keys    []string // name+hash
	logs    []*verify.Report
	gone    []verify.Finding // logs that only a kept checkpoint knows
	notices []string
	errors  []string // why it could not finish, beside what the logs' reports say
	kept    []checkpoint.Signed
	saved   string // where the heads were kept
}

func runVerify(ctx context.Context, args []string, e env) error {
	o, err := parseVerify(args)
	if err != nil {
		return err
	}
	r := &result{store: o.store, now: e.now().UTC()}
	if err := r.verify(ctx, o, e); errors.As(err, new(*usageError)) {
		return err
	} else if err != nil {
		r.errors = append(r.errors, plainError(err))
	}
	if code := r.code(); o.save != "" && code == exitVerified {
		if err := saveCheckpoints(o.save, r.logs, r.kept); err != nil {
			r.errors = append(r.errors, fmt.Sprintf("everything was verified, but the checkpoint could not be kept: %v", err))
		} else {
			r.saved = o.save
		}
	}
	if err := r.print(o, e); err != nil {
		return fmt.Errorf("print the verdict: %w", err)
	}
	if code := r.code(); code != exitVerified {
		return verdict(code)
	}
	return nil
}

// verify fills in r; its error is why it could not finish.
func (r *result) verify(ctx context.Context, o verifyOptions, e env) error {
	keys, err := readKeys(o.keys)
	if err != nil {
		return err
	}
	r.keys = keyIDs(keys)
	if r.kept, err = readKept(o.since, keys); err != nil {
		return err
	}
	s, err := openStore(o.store)
	if err != nil {
		return err
	}
	defer func() { _ = s.close() }() // Only read from.
	names, err := s.choose(o.logs)
	if err != nil {
		r.holdAgainst(r.kept, len(o.logs) > 0)
		return nothing(err)
	}
	opt := verify.Options{Keys: keys, Since: r.kept, Workers: o.workers, Now: r.now}
	if e.terminal && !o.quiet {
		bar := newProgress(e.stderr, e.now, len(names))
		opt.Progress = bar.show
		defer bar.clear()
	}
	for _, name := range names {
		sub, err := fs.Sub(s.FS, name)
		if err != nil {
			return err
		}
		report, err := verify.Log(ctx, sub, name, opt)
		if err != nil {
			return err
		}
		r.add(report)
	}
	r.holdAgainst(r.kept, len(o.logs) > 0)
	r.markUnsealed()
	if len(o.logs) == 0 {
		r.noteAbsent(keys)
		return r.noteStrangers(s)
	}
	return nil
}

// nothing says that a store without logs is never a success.
func nothing(err error) error {
	if errors.As(err, new(*usageError)) {
		return err
	}
	return fmt.Errorf("nothing was verified: %w", err)
}

// noteAbsent reports trusted keys without a log: perhaps the log was removed as
// a whole.
func (r *result) noteAbsent(keys *checkpoint.Keys) {
	for _, id := range keyIDs(keys) {
		origin, _, _ := strings.Cut(id, "+")
		if !slices.ContainsFunc(r.logs, func(l *verify.Report) bool { return l.Origin == origin || l.Head == nil }) {
			r.notices = append(r.notices, fmt.Sprintf("the store holds no log of %s, whose key you trust", origin))
		}
	}
}

// noteStrangers reports what lies beside the logs and was not checked.
func (r *result) noteStrangers(s *store) error {
	entries, err := fs.ReadDir(s.FS, ".")
	if err != nil {
		return fmt.Errorf("store %s: %w", s.name, err)
	}
	for _, e := range entries {
		if slices.Contains(s.logs, e.Name()) || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		what := "not a log"
		if e.Type()&fs.ModeSymlink != 0 {
			what = "a symbolic link, which is not followed"
		}
		r.notices = append(r.notices, fmt.Sprintf("%s is %s; not checked", e.Name(), what))
	}
	return nil
}

// trustedNote leads the trusted keys behind the finding that none of them signed.
const trustedNote = "; trusted: "

// markUnsealed says of each log without a valid seal that nothing of it was
// verified, even when nothing speaks against it.
func (r *result) markUnsealed() {
	for _, l := range r.logs {
		if l.Head == nil && !l.Tampered() && l.Complete() {
			l.Unread = append(l.Unread, "it has no valid seal: nothing was verified")
		}
	}
}

// add enters a log's report.
func (r *result) add(l *verify.Report) {
	for i := range l.Findings {
		if f := &l.Findings[i]; f.Code == verify.SealSignature {
			f.Message += trustedNote + strings.Join(r.keys, ", ")
		}
	}
	r.logs = append(r.logs, l)
}

// otherKey is the one key that signed every seal of a log when it is none of the
// trusted ones: then a wrong key file is more likely than a log that somebody
// replaced as a whole. It is what the seals claim, and excuses nothing.
func (r *result) otherKey(l *verify.Report) string {
	if l.Head != nil || !l.Complete() {
		return ""
	}
	other := ""
	for _, f := range l.Findings {
		if !strings.HasPrefix(string(f.Code), "seal-") {
			continue
		}
		_, signers, ok := strings.Cut(f.Message, checkpoint.ErrUntrusted.Error()+": signed by ")
		signers, _, _ = strings.Cut(signers, trustedNote)
		if !ok || strings.Contains(signers, ", ") || other != "" && signers != other {
			return ""
		}
		other = signers
	}
	return other
}

func (r *result) code() int {
	switch {
	case len(r.gone) > 0 || slices.ContainsFunc(r.logs, (*verify.Report).Tampered):
		return exitTampered
	case len(r.errors) > 0 || len(r.logs) == 0 || slices.ContainsFunc(r.logs, func(l *verify.Report) bool { return !l.Complete() }):
		return exitUnfinished
	}
	return exitVerified
}

// plainError words an error that ended the verification early.
func plainError(err error) string {
	if errors.Is(err, context.Canceled) {
		return "interrupted"
	}
	return err.Error()
}
