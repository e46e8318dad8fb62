package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/otelcol-custody/custody/ledger"
	"github.com/otelcol-custody/custody/ledger/checkpoint"
	"github.com/otelcol-custody/custody/ledger/pack"
	"github.com/otelcol-custody/custody/ledger/proof"
	"github.com/otelcol-custody/custody/ledger/record"
	"github.com/otelcol-custody/custody/ledger/tree"
)

const checkProofHelp = `usage: custody check-proof FILE --key FILE [flags]

Checks a file that custody prove or custody pack wrote: that its records are in the
log, unchanged and at their positions. It needs the log's public key and nothing
else; a key that the file itself holds is only compared. Proven records are shown.

  --key FILE   file with the trusted public keys, one a line; repeatable
  --json       print one JSON document (docs/cli.md)

  custody check-proof 42.proof --key log.pub

exit: 0 proven, 1 not what the log sealed (altered, or signed by a key that you do
not trust), 2 wrong usage, 3 the file is not evidence or could not be read
`

// proofJSON is the document of `custody check-proof --json` (docs/cli.md).
type proofJSON struct {
	Version    int       `json:"version"`
	Verdict    string    `json:"verdict"`
	Origin     string    `json:"origin,omitempty"`
	Checkpoint *headJSON `json:"checkpoint,omitempty"`
	provenJSON
	Pack     *packJSON      `json:"pack,omitempty"`
	Records  []provenJSON   `json:"records,omitempty"`
	Proven   []uint64       `json:"proven,omitempty"`
	Unproven []unprovenJSON `json:"unproven,omitempty"`
	Error    string         `json:"error,omitempty"`
}

// provenJSON is one proven record.
type provenJSON struct {
	Index    *uint64         `json:"index,omitempty"`
	Previous string          `json:"previous,omitempty"`
	Link     string          `json:"link,omitempty"`
	Digest   string          `json:"digest,omitempty"`
	Record   json.RawMessage `json:"record,omitempty"`
}

// evidence is what a file proves: one record, or a pack of them.
type evidence interface {
	text() string
	json() proofJSON
}

func runCheckProof(_ context.Context, args []string, e env) error {
	var files list
	a := newArguments()
	a.Var(&files, "key", "")
	asJSON := a.Bool("json", false, "")
	positional, err := a.parse(args, "FILE")
	if err != nil {
		return err
	}
	if len(files) == 0 {
		return usagef("--key is missing: name the file with the log's public key, which you got from somewhere else than the proof")
	}
	p, err := checkProof(positional[0], files)
	if errors.As(err, new(*usageError)) {
		return err
	}
	if *asJSON {
		return printProofJSON(p, err, e)
	}
	if err != nil && judge(err) == exitTampered {
		if err := e.print(err.Error() + "\n" + unprovenText(err)); err != nil {
			return err
		}
		return verdict(exitTampered)
	}
	if err != nil {
		return err
	}
	return e.print(p.text())
}

func checkProof(path string, keyFiles []string) (evidence, error) {
	keys, err := readKeys(keyFiles)
	if err != nil {
		return nil, err
	}
	b, err := readEvidence(path)
	if err != nil {
		return nil, err
	}
	p, err := checkEvidence(b, keys)
	if err != nil && judge(err) == exitTampered {
		return nil, fmt.Errorf("NOT PROVEN: %s: %w; trusted: %s", path, err, strings.Join(keyIDs(keys), ", "))
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return p, nil
}

func checkEvidence(b []byte, keys *checkpoint.Keys) (evidence, error) {
	if !pack.Is(b) {
		p, err := proof.Check(b, keys)
		return provenRecord{p}, err
	}
	p, err := pack.Check(b, keys)
	return provenPack{p}, err
}

// evidenceStart is the first line of every tlog-proof (spec §12). A file without
// it is no evidence; a file with it that says something else than custody prove
// writes has been altered.
const evidenceStart = "c2sp.org/tlog-proof@v1\n"

func readEvidence(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	b, err := io.ReadAll(io.LimitReader(f, ledger.MaxPack+1))
	if err != nil {
		return nil, err
	}
	if !bytes.HasPrefix(b, []byte(evidenceStart)) && !pack.Is(b) {
		return nil, fmt.Errorf("%s is not an evidence file: it begins neither with %q nor with %q", path, strings.TrimSpace(evidenceStart), strings.TrimSpace(pack.Start))
	}
	return b, nil
}

func printProofJSON(p evidence, err error, e env) error {
	if err != nil {
		code := judge(err)
		d := proofJSON{Version: jsonVersion, Verdict: map[int]string{exitTampered: "not proven", exitUnfinished: "incomplete"}[code], Error: err.Error()}
		d.setUnproven(err)
		if err := writeJSON(e.stdout, d); err != nil {
			return err
		}
		return verdict(code)
	}
	d := p.json()
	d.Version, d.Verdict = jsonVersion, "proven"
	return writeJSON(e.stdout, d)
}

// provenRecord is what an evidence file proves.
type provenRecord struct{ *proof.Proven }

func (p provenRecord) json() proofJSON {
	return proofJSON{Origin: p.Checkpoint.Origin, Checkpoint: newHeadJSON(p.Checkpoint), provenJSON: newProvenJSON(p.Proven)}
}

func newProvenJSON(p *proof.Proven) provenJSON {
	link, digest := p.Leaf(), tree.Digest(p.Line)
	return provenJSON{
		Index: &p.Index, Previous: fmt.Sprintf("%x", p.Previous[:]), Link: fmt.Sprintf("%x", link[:]),
		Digest: fmt.Sprintf("%x", digest[:]), Record: p.Line,
	}
}

func (p provenRecord) text() string {
	return fmt.Sprintf("proven: record %d of %s\n\n%s%s", p.Index, p.Checkpoint.Origin, checkpointText(p.Checkpoint), recordText(p.Proven))
}

func checkpointText(c checkpoint.Signed) string {
	return fmt.Sprintf("  checkpoint  size %d, root %v\n", c.Size, c.Root)
}

func recordText(p *proof.Proven) string {
	var b strings.Builder
	link, digest := p.Leaf(), tree.Digest(p.Line)
	fmt.Fprintf(&b, "  link        %x\n  previous    %x\n  SHA-256     %x of the record line\n", link[:], p.Previous[:], digest[:])
	if p.Record.Time != 0 {
		fmt.Fprintf(&b, "  time        %s, by its source\n", unixNano(p.Record.Time))
	}
	if p.Record.ObservedTime != 0 {
		fmt.Fprintf(&b, "  observed    %s\n", unixNano(p.Record.ObservedTime))
	}
	fmt.Fprintf(&b, "\nrecord\n%s\n", pretty(p.Line))
	if body := p.Record.Body; body.Kind == record.String {
		fmt.Fprintf(&b, "\nbody%s\n%s\n", layout(body.Str), pretty([]byte(body.Str)))
	}
	return b.String()
}

func unixNano(t uint64) string {
	return time.Unix(int64(t/1e9), int64(t%1e9)).UTC().Format(time.RFC3339Nano)
}

// pretty lays JSON out for reading, without changing any of its tokens; other
// text stays as it is.
func pretty(text []byte) string {
	var b bytes.Buffer
	if json.Indent(&b, text, "", "  ") != nil {
		return string(text)
	}
	return b.String()
}

func layout(body string) string {
	if json.Valid([]byte(body)) {
		return " (JSON, laid out for reading; control characters escaped)"
	}
	return " (control characters escaped)"
}
