// Package pack is chosen records of one log as evidence in one file of text, which
// a person can read (spec §12.1): in words what it proves, a checkpoint, and the
// records with their proofs against it.
package pack

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/otelcol-custody/custody/ledger"
	"github.com/otelcol-custody/custody/ledger/checkpoint"
	"github.com/otelcol-custody/custody/ledger/proof"
)

// A Pack is what an evidence pack holds. Only [New] and [Parse] make one, and
// neither proves anything.
type Pack struct {
	Log     string                // the log's name in its store: the maker's word
	Key     string                // the verifier key that signed Note, to be compared with a trusted one
	Made    time.Time             // UTC, whole seconds: the maker's word
	Remarks []string              // a line each: the maker's words, which nothing vouches for
	Note    []byte                // the signed checkpoint
	Records []*proof.Evidence     // by index, none twice; against Note
	claimed checkpoint.Checkpoint // what Note says, whoever signed it
}

// New makes the pack of records of the log called log, in any order; all of them
// were proven against the same checkpoint, which one of the keys signed. Its
// errors say what cannot be packed.
func New(log string, keys *checkpoint.Keys, made time.Time, remarks []string, records []*proof.Evidence) (*Pack, error) {
	if len(records) == 0 {
		return nil, errors.New("no record was chosen")
	}
	p := &Pack{Log: log, Made: made.UTC().Truncate(time.Second), Remarks: remarks, Note: records[0].Checkpoint}
	p.Records = slices.Clone(records)
	slices.SortFunc(p.Records, func(a, b *proof.Evidence) int { return cmp.Compare(a.Index, b.Index) })
	for _, e := range records {
		if !bytes.Equal(e.Checkpoint, p.Note) {
			return nil, fmt.Errorf("records %d and %d were proven against different checkpoints", records[0].Index, e.Index)
		}
	}
	c, err := checkpoint.Open(p.Note, keys)
	if err != nil {
		return nil, err
	}
	p.claimed = c.Checkpoint
	for _, vkey := range keys.VerifierKeys() {
		if p.Key == "" && signedBy(vkey, p.Note) == nil {
			p.Key = vkey
		}
	}
	if err := p.check(); err != nil {
		return nil, err
	}
	var size counter
	if _ = p.write(&size); size > ledger.MaxPack { // A counter takes everything.
		return nil, fmt.Errorf("a pack has at most %d bytes, this one would have %d: choose fewer records", ledger.MaxPack, size)
	}
	return p, nil
}

// A counter counts what is written to it.
type counter int

// Write implements [io.Writer].
func (c *counter) Write(b []byte) (int, error) {
	*c += counter(len(b))
	return len(b), nil
}

// check is everything about a pack that is not a matter of its form.
func (p *Pack) check() error {
	if err := ledger.CheckLogName(p.Log); err != nil {
		return err
	}
	if err := checkKey(p.Key, p.claimed.Origin); err != nil {
		return err
	}
	if p.Made.Unix() < 0 || p.Made.Year() > 9999 {
		return fmt.Errorf("it cannot have been made in the year %d", p.Made.Year())
	}
	if err := checkRemarks(p.Remarks); err != nil {
		return err
	}
	if n := len(p.Records); n == 0 || n > ledger.MaxPackRecords {
		return fmt.Errorf("a pack holds 1 to %d records, not %d", ledger.MaxPackRecords, n)
	}
	for i, e := range p.Records {
		if i > 0 && e.Index <= p.Records[i-1].Index {
			return fmt.Errorf("record %d stands behind record %d", e.Index, p.Records[i-1].Index)
		}
	}
	return nil
}

// checkKey demands the one form of a verifier key (spec §5), and its name.
func checkKey(vkey, origin string) error {
	if err := checkpoint.CheckVerifierKey(vkey, origin); err != nil {
		return err
	}
	if !keyForm.MatchString(strings.TrimPrefix(vkey, origin)) {
		return fmt.Errorf("verifier key %q is not in its one form", vkey)
	}
	return nil
}

// keyForm is what follows a key's name: 33 bytes are 44 characters of base64,
// without any to spare.
var keyForm = regexp.MustCompile(`^\+[0-9a-f]{8}\+[A-Za-z0-9+/]{44}$`)

// steers are the characters that a remark must not have: they act on a terminal or
// change the order in which text is read. The list is fixed, so that no reader
// depends on its edition of Unicode.
const steers = "\x00-\x1f\x7f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069"

var remarkForm = regexp.MustCompile("^[^" + steers + "]+$")

func checkRemarks(remarks []string) error {
	if len(remarks) > ledger.MaxRemarkLines {
		return fmt.Errorf("a remark has at most %d lines, not %d", ledger.MaxRemarkLines, len(remarks))
	}
	for _, r := range remarks {
		if len(r) > ledger.MaxRemarkLine {
			return fmt.Errorf("a line of a remark has at most %d bytes, not %d", ledger.MaxRemarkLine, len(r))
		}
		if !utf8.ValidString(r) || !remarkForm.MatchString(r) {
			return fmt.Errorf("the remark line %q is empty, not UTF-8, or has control characters", r)
		}
	}
	return nil
}
