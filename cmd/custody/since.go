package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/otelcol-custody/custody/ledger"
	"github.com/otelcol-custody/custody/ledger/checkpoint"
	"github.com/otelcol-custody/custody/ledger/verify"
)

// maxKept is the largest file of kept checkpoints.
const maxKept = 64 * ledger.MaxCheckpoint

// readKept reads files of checkpoints that were kept earlier, each of which may
// hold several, one behind the other.
func readKept(paths []string, keys *checkpoint.Keys) ([]checkpoint.Signed, error) {
	var kept []checkpoint.Signed
	for _, path := range paths {
		notes, err := readNotes(path)
		if err != nil {
			return nil, usagef("kept checkpoint %s: %v", path, err)
		}
		for _, n := range notes {
			c, err := checkpoint.Open([]byte(n), keys)
			if err != nil {
				return nil, keptError(path, err)
			}
			kept = append(kept, c)
		}
	}
	return kept, nil
}

// keptError means that a kept checkpoint cannot be used. It is never tampering:
// the file is the reader's own and not part of the store (spec §11, step 7).
func keptError(path string, err error) error {
	hint := ""
	if errors.Is(err, checkpoint.ErrUntrusted) {
		hint = "; give the key of its log with --key"
	}
	return usagef("kept checkpoint %s cannot be used: %v%s", path, err, hint)
}

func readNotes(path string) ([]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	b, err := io.ReadAll(io.LimitReader(f, maxKept+1))
	if err != nil {
		return nil, err
	}
	if len(b) > maxKept {
		return nil, fmt.Errorf("more than %d bytes", maxKept)
	}
	notes := splitNotes(string(b))
	if len(notes) == 0 {
		return nil, errors.New("the file is empty")
	}
	return notes, nil
}

// splitNotes takes checkpoints that follow each other apart: a line behind
// signatures that is not one begins the next note, since an origin has no space
// and so never begins like a signature.
func splitNotes(text string) []string {
	var notes []string
	var note strings.Builder
	signed := false
	for line := range strings.Lines(text) {
		signature := strings.HasPrefix(line, "— ")
		if signed && !signature {
			notes = append(notes, note.String())
			note.Reset()
		}
		signed = signature
		note.WriteString(line)
	}
	if note.Len() > 0 {
		notes = append(notes, note.String())
	}
	return notes
}

// holdAgainst judges the kept checkpoints that no verified log claimed by its
// origin. Without --log all logs of the store were looked at, so their log is
// gone, unless it may be one whose seals could not be read. With --log they may
// belong to logs that nobody asked for, unless a log that was asked for has no
// kept checkpoint: it may be another log under a familiar name.
func (r *result) holdAgainst(kept []checkpoint.Signed, chosen bool) {
	var unclaimed []checkpoint.Signed
	claimed := map[string]bool{}
	for _, c := range kept {
		if slices.ContainsFunc(r.logs, func(l *verify.Report) bool { return l.Origin == c.Origin }) {
			claimed[c.Origin] = true
		} else if c.Size > 0 {
			unclaimed = append(unclaimed, c)
		}
	}
	everyClaims := !slices.ContainsFunc(r.logs, func(l *verify.Report) bool { return !claimed[l.Origin] })
	unknown := slices.IndexFunc(r.logs, func(l *verify.Report) bool { return l.Head == nil && !l.Complete() })
	for _, c := range unclaimed {
		switch {
		case unknown >= 0:
			r.errors = append(r.errors, fmt.Sprintf("kept checkpoint of %s: not compared, since log %s, which may be its log, could not be read", c.Origin, r.logs[unknown].Log))
		case !chosen:
			r.gone = append(r.gone, verify.Finding{Code: verify.Rollback, End: c.Size, Records: c.Size, Want: c.Text(), Got: "no valid seal of this origin",
				Message: fmt.Sprintf("the log of %s, which had %d records when the kept checkpoint was signed, is gone", c.Origin, c.Size)})
		case everyClaims:
			r.notices = append(r.notices, fmt.Sprintf("the kept checkpoint of %s was not used: no verified log has this origin", c.Origin))
		default:
			r.errors = append(r.errors, fmt.Sprintf("kept checkpoint of %s: none of the logs named with --log has this origin", c.Origin))
		}
	}
}

// isCheckpoint says whether a note has the form of a checkpoint, whoever signed
// it.
func isCheckpoint(note string) bool {
	text, _, signed := strings.Cut(note, "\n\n— ")
	_, err := checkpoint.ParseText(text + "\n")
	return signed && err == nil
}

func holdsCheckpoints(path string, info fs.FileInfo) bool {
	if !info.Mode().IsRegular() {
		return false // Reading it could wait for ever.
	}
	notes, err := readNotes(path)
	return err == nil && !slices.ContainsFunc(notes, func(n string) bool { return !isCheckpoint(n) })
}

// checkSavePath refuses to replace what is no checkpoint, and a kept checkpoint
// that the logs are not held against: that would forget what it remembers.
func checkSavePath(path, store string, since []string) error {
	if err := checkOutFile("save-checkpoint", path, store); err != nil {
		return err
	}
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return usagef("--save-checkpoint: %v", err)
	}
	if !holdsCheckpoints(path, info) {
		return usagef("--save-checkpoint: %s exists and is not a checkpoint; it is not replaced", path)
	}
	for _, s := range since {
		if other, err := os.Stat(s); err == nil && os.SameFile(info, other) {
			return nil
		}
	}
	return usagef("%s exists; add --since %s, so that the logs are held against it before it is replaced", path, path)
}

// saveCheckpoints writes the heads of the verified logs, and the kept
// checkpoints of logs that were not verified now, to path. It is durable on
// return and replaces the old file in one step.
func saveCheckpoints(path string, logs []*verify.Report, kept []checkpoint.Signed) error {
	var b strings.Builder
	for _, l := range logs {
		if l.Head != nil {
			b.Write(l.Head.Note())
		}
	}
	for _, c := range kept {
		if !slices.ContainsFunc(logs, func(l *verify.Report) bool { return l.Origin == c.Origin }) {
			b.Write(c.Note())
		}
	}
	return replaceFile(path, []byte(b.String()))
}

// replaceFile writes a file beside path, makes it durable and renames it.
func replaceFile(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Chmod(0o644), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
