package main

import (
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/otelcol-custody/custody/ledger/segment"
	"github.com/otelcol-custody/custody/ledger/tree"
	"github.com/otelcol-custody/custody/ledger/verify"
)

// A recoveryJSON is what the log says of a recovery (spec §7.1, docs/cli.md).
type recoveryJSON struct {
	Record       uint64               `json:"record"`
	At           time.Time            `json:"at"`
	Software     string               `json:"software"`
	Found        string               `json:"found"`
	Size         uint64               `json:"size"`
	Root         string               `json:"root"`
	Kept         int64                `json:"kept_records"`
	Resealed     uint64               `json:"resealed_records"`
	Unreadable   int64                `json:"unreadable_bytes"`
	AcceptedLoss bool                 `json:"accepted_loss"`
	Reasons      []string             `json:"reasons"`
	Stores       []recoveryStore      `json:"stores"`
	Checkpoints  []recoveryCheckpoint `json:"checkpoints"`
	Ranges       []recoveryRange      `json:"resealed"`
	LastClosed   time.Time            `json:"last_closed,omitzero"`
	NextBy       time.Time            `json:"next_by,omitzero"`
}

type recoveryStore struct {
	Store string `json:"store"`
	Size  uint64 `json:"size"`
	Root  string `json:"root,omitempty"`
	Error string `json:"error,omitempty"`
}

type recoveryCheckpoint struct {
	Source  string `json:"source"`
	Size    uint64 `json:"size"`
	Root    string `json:"root,omitempty"`
	Verdict string `json:"verdict"`
	Note    string `json:"note,omitempty"`
}

type recoveryRange struct {
	First    uint64  `json:"first"`
	Count    uint64  `json:"count"`
	Former   *uint64 `json:"former,omitempty"`
	Previous string  `json:"previous,omitempty"` // hex
	Source   string  `json:"source"`
}

func newRecoveryJSON(r verify.Recovery) recoveryJSON {
	d := recoveryJSON{
		Record: r.Record, At: r.At, Software: r.Software, Found: r.Found, Size: r.Size, Root: r.Root.String(),
		Kept: r.Kept, Unreadable: r.Unreadable, AcceptedLoss: r.AcceptedLoss, Reasons: some(r.Reasons),
		Stores: []recoveryStore{}, Checkpoints: []recoveryCheckpoint{}, Ranges: []recoveryRange{},
		LastClosed: r.LastClosed, NextBy: r.NextBy,
	}
	for _, s := range r.Stores {
		d.Stores = append(d.Stores, recoveryStore{s.Store, s.Size, rootText(s.Root), s.Error})
	}
	for _, c := range r.Checkpoints {
		d.Checkpoints = append(d.Checkpoints, recoveryCheckpoint{c.Source, c.Size, rootText(c.Root), c.Verdict, c.Note})
	}
	for _, one := range r.Resealed {
		d.Resealed += one.Count
		v := recoveryRange{First: one.First, Count: one.Count, Source: one.Source}
		if one.FormerKnown {
			v.Former = &one.Former
		}
		if one.Previous != (tree.Hash{}) {
			v.Previous = hex.EncodeToString(one.Previous[:])
		}
		d.Ranges = append(d.Ranges, v)
	}
	return d
}

// rootText is empty when the root is not known.
func rootText(root tree.Hash) string {
	if root == (tree.Hash{}) {
		return ""
	}
	return root.String()
}

// text is the recovery for people, its lines joined by sep.
func (r recoveryJSON) text(sep string) string {
	lines := []string{
		fmt.Sprintf("%s, record %d: after a recovery the log went on from size %d", stamp(r.At), r.Record, r.Size),
		"found: " + quoted(r.Found),
		fmt.Sprintf("%s kept, %s sealed again, %s unreadable", several(r.Kept, "record"), several(r.Resealed, "record"), several(r.Unreadable, "byte")),
	}
	if !r.LastClosed.IsZero() {
		lines = append(lines, fmt.Sprintf("the closed record before is of %s, %s earlier", stamp(r.LastClosed), span(r.At.Sub(r.LastClosed))))
	}
	lines = append(lines, r.vouchers()...)
	lines = append(lines, r.unread()...)
	if r.AcceptedLoss {
		lines = append(lines, "LOSS ACCEPTED by an operator, although:")
		var reasons []string
		for _, reason := range r.Reasons {
			reasons = append(reasons, "  "+quoted(reason))
		}
		lines = append(lines, few(reasons)...)
	}
	return strings.Join(lines, sep)
}

func (r recoveryJSON) unread() (lines []string) {
	for _, s := range r.Stores {
		if s.Error != "" {
			lines = append(lines, fmt.Sprintf("store %s could not be read: %s", quoted(s.Store), quoted(s.Error)))
		}
	}
	return few(lines)
}

// few of many lines; --json has them all.
func few(lines []string) []string {
	const most = 5
	if len(lines) <= most {
		return lines
	}
	return append(lines[:most:most], fmt.Sprintf("and %d more, see --json", len(lines)-most))
}

// vouchers says which checkpoints spoke for the recovery, and which did not.
func (r recoveryJSON) vouchers() []string {
	var agree, others []string
	for _, c := range r.Checkpoints {
		if c.Verdict == segment.CheckpointAgrees {
			agree = append(agree, fmt.Sprintf("%s (size %d)", quoted(c.Source), c.Size))
		} else {
			others = append(others, fmt.Sprintf("checkpoint %s (size %d): %s", quoted(c.Source), c.Size, oneLine(c.Verdict)))
		}
	}
	if len(agree) == 0 {
		return append(few(others), "no checkpoint vouched for it")
	}
	return append([]string{"vouched for by the kept checkpoint " + joinSome(agree)}, few(others)...)
}
