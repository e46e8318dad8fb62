package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// A packVector is what a reader must say of an evidence pack (spec §12.1).
type packVector struct {
	Rule string `json:"rule"`
	What string `json:"what"`
	Exit int    `json:"exit"`
	// Unproven are the records that fail where the pack as a whole does not.
	Unproven []uint64 `json:"unproven"`
}

// A packCase is a vector with its files.
type packCase struct {
	packVector
	name string
	file string
	keys []string
}

type packSet struct {
	cases     []packCase
	statement string // the specification's, with its gaps
}

// A packed record is one on its way into a pack.
type packed struct {
	index          uint64
	line           string
	salt, previous []byte
	proof          []hash
}

// A drafted pack is one whose parts can be changed before it is written.
type drafted struct {
	version, log, origin, key, made string
	size                            uint64
	remarks                         []string
	note                            string
	records                         []packed
	claims                          []uint64            // count, first and last, where they are not those of the records
	head                            func(string) string // changes the first lines
	statement                       func(string) string
}

// draft packs records of a log against its newest checkpoint.
func draft(l *log, indexes ...uint64) *drafted {
	d := &drafted{version: "custody-pack/v1", log: l.name, origin: l.origin, key: l.key.vkey, made: "2026-03-02T08:00:00Z", size: uint64(len(l.links)), note: l.note}
	for _, i := range indexes {
		previous := l.first
		if i > 0 {
			previous = l.links[i-1]
		}
		d.records = append(d.records, packed{i, l.content[i].line, l.content[i].salt, previous[:], pathTo(l.links, i)})
	}
	return d
}

// pathTo is the inclusion proof of a leaf, RFC 6962 §2.1.1 as it stands there.
func pathTo(leaves []hash, m uint64) []hash {
	if len(leaves) == 1 {
		return nil
	}
	k := uint64(1)
	for k*2 < uint64(len(leaves)) {
		k *= 2
	}
	if m < k {
		return append(pathTo(leaves[:k], m), rootOf(leaves[k:]))
	}
	return append(pathTo(leaves[k:], m-k), rootOf(leaves[:k]))
}

// write is the pack's text.
func (s *packSet) write(d *drafted) string {
	var b strings.Builder
	claims := []uint64{0, 0, 0}
	if n := len(d.records); n > 0 {
		claims = []uint64{uint64(n), d.records[0].index, d.records[n-1].index}
	}
	if d.claims != nil {
		claims = d.claims
	}
	count, first, last := claims[0], claims[1], claims[2]
	b.WriteString(apply(d.head, fmt.Sprintf("%s\nlog %s\norigin %s\nkey %s\nmade %s\nsize %d\ncount %d\nfirst %d\nlast %d\n",
		d.version, d.log, d.origin, d.key, d.made, d.size, count, first, last)))
	filled := strings.NewReplacer("<the origin>", d.origin, "<the key>", strings.Join(strings.SplitN(d.key, "+", 3)[:2], "+"), "<the time>", d.made,
		"<the size>", fmt.Sprint(d.size), "<the count>", fmt.Sprint(count), "<the first>", fmt.Sprint(first), "<the last>", fmt.Sprint(last)).Replace(s.statement)
	b.WriteString("\n" + apply(d.statement, filled) + "\n")
	for _, r := range d.remarks {
		b.WriteString("remark " + r + "\n")
	}
	if len(d.remarks) > 0 {
		b.WriteString("\n")
	}
	b.WriteString(d.note)
	for _, r := range d.records {
		fmt.Fprintf(&b, "\nrecord %d\n%s\nsalt %x\nprevious %x\n", r.index, r.line, r.salt, r.previous)
		for _, h := range r.proof {
			b.WriteString(base64.StdEncoding.EncodeToString(h[:]) + "\n")
		}
	}
	return b.String()
}

// put adds a case; nil keys mean the key that the pack names.
func (s *packSet) put(name, rule, what string, d *drafted, exit int, unproven ...uint64) *packCase {
	s.cases = append(s.cases, packCase{packVector{rule, what, exit, append([]uint64{}, unproven...)}, name, s.write(d), []string{d.key}})
	return &s.cases[len(s.cases)-1]
}

// writePacks writes the vectors of evidence packs, a folder each, and removes
// others from dir. The statement is that of the specification.
func writePacks(dir, statement string) error {
	words, err := os.ReadFile(statement)
	if err != nil {
		return err
	}
	s := &packSet{statement: string(words)}
	addPacks(s)
	addPackForms(s)
	addPackLies(s)
	addPackKeys(s)
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	seen := map[string]bool{}
	for _, c := range s.cases {
		if seen[c.name] {
			return fmt.Errorf("two packs are called %s", c.name)
		}
		seen[c.name] = true
		if err := c.write(filepath.Join(dir, c.name)); err != nil {
			return err
		}
	}
	return nil
}

func (c *packCase) write(dir string) error {
	var doc bytes.Buffer
	enc := json.NewEncoder(&doc)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(c.packVector); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for name, b := range map[string]string{"vector.json": doc.String(), "key.pub": strings.Join(c.keys, "\n") + "\n", "evidence.pack": c.file} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(b), 0o644); err != nil {
			return err
		}
	}
	return nil
}
