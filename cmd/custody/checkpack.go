package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/otelcol-custody/custody/ledger/pack"
)

// packJSON is what a pack says of itself and nothing vouches for.
type packJSON struct {
	Log     string   `json:"log"`
	Made    string   `json:"made"`
	Remarks []string `json:"remarks"`
	Key     string   `json:"key"`
}

// unprovenJSON is a record that a pack does not prove.
type unprovenJSON struct {
	Index uint64 `json:"index"`
	Error string `json:"error"`
}

// provenPack is what an evidence pack proves.
type provenPack struct{ *pack.Proven }

func (p provenPack) json() proofJSON {
	d := proofJSON{
		Origin: p.Checkpoint.Origin, Checkpoint: newHeadJSON(p.Checkpoint),
		Pack: &packJSON{Log: p.Log, Made: stamp(p.Made), Remarks: append([]string{}, p.Remarks...), Key: p.Key},
	}
	for _, one := range p.Proven.Proven {
		d.Records = append(d.Records, newProvenJSON(one))
	}
	return d
}

func (p provenPack) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "proven: %s of %s\n\n%s", several(len(p.Records), "record"), p.Checkpoint.Origin, checkpointText(p.Checkpoint))
	fmt.Fprintf(&b, "\nwords of whoever made the pack, which nothing vouches for\n\n  log         %s\n  made        %s\n", p.Log, stamp(p.Made))
	for _, r := range p.Remarks {
		fmt.Fprintf(&b, "  remark      %s\n", r)
	}
	for _, one := range p.Proven.Proven {
		// Set in, so that no record's text can pass for another record.
		fmt.Fprintf(&b, "\nproven: record %d\n\n  %s\n", one.Index, indent(recordText(one), "  "))
	}
	return b.String()
}

// unprovenText says per record what a pack did not prove, and what it did.
func unprovenText(err error) string {
	var u *pack.Unproven
	if !errors.As(err, &u) {
		return ""
	}
	var not []uint64
	for _, f := range u.Failures {
		not = append(not, f.Index)
	}
	text := fmt.Sprintf("\n  not proven  %s\n", joinSome(not))
	if len(u.Proven) > 0 {
		text += fmt.Sprintf("  proven      %s; yet somebody changed this file\n", joinSome(u.Proven))
	}
	return text
}

func (d *proofJSON) setUnproven(err error) {
	var u *pack.Unproven
	if !errors.As(err, &u) {
		return
	}
	d.Proven = u.Proven
	for _, f := range u.Failures {
		d.Unproven = append(d.Unproven, unprovenJSON{f.Index, f.Err.Error()})
	}
}
