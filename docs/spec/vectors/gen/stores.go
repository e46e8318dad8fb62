package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
)

// A storeVector is what a verifier must say of a store.
type storeVector struct {
	Rule     string    `json:"rule"`
	What     string    `json:"what"`
	Exit     int       `json:"exit"`
	Findings []finding `json:"findings"`
	Now      string    `json:"now"` // any later time will do
}

// A finding names the segment concerned by its first record, and the record
// where one can be told.
type finding struct {
	Code   string  `json:"code"`
	First  uint64  `json:"first"`
	Record *uint64 `json:"record,omitempty"`
}

func found(code string, first uint64) finding { return finding{Code: code, First: first} }

func foundRecord(code string, first, record uint64) finding { return finding{code, first, &record} }

// A storeCase is a vector with its files.
type storeCase struct {
	storeVector
	name  string
	files map[string][]byte
	keys  []string
	since string
}

// trust adds a key to those that the verifier trusts.
func (c *storeCase) trust(k key) *storeCase { c.keys = append(c.keys, k.vkey); return c }

// kept gives the verifier a checkpoint from earlier.
func (c *storeCase) kept(note string) *storeCase { c.since = note; return c }

type storeSet struct{ cases []*storeCase }

const now = "2026-06-01T00:00:00Z"

func (s *storeSet) put(name, rule, what string, l *log, exit int, findings ...finding) *storeCase {
	c := &storeCase{storeVector{rule, what, exit, append([]finding{}, findings...), now}, name, maps.Clone(l.files), []string{l.genesis.vkey}, ""}
	s.cases = append(s.cases, c)
	return c
}

func (s *storeSet) verified(name, rule, what string, l *log) *storeCase {
	return s.put(name, rule, what, l, 0)
}

func (s *storeSet) tampered(name, rule, what string, l *log, findings ...finding) *storeCase {
	return s.put(name, rule, what, l, 1, findings...)
}

func (s *storeSet) unfinished(name, rule, what string, l *log) *storeCase {
	return s.put(name, rule, what, l, 3)
}

// writeStores writes the vectors of whole stores, a folder each, and removes
// others from dir.
func writeStores(dir string) error {
	s := &storeSet{}
	addVerified(s)
	addOwn(s)
	addSealsGone(s)
	addSealsMalformed(s)
	addSealsUnsigned(s)
	addSealsInvalid(s)
	addSealsApart(s)
	addSegments(s)
	addSegmentLies(s)
	addBeside(s)
	addSince(s)
	addVersions(s)
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	seen := map[string]bool{}
	for _, c := range s.cases {
		if seen[c.name] {
			return fmt.Errorf("two cases are called %s", c.name)
		}
		seen[c.name] = true
		if err := c.write(filepath.Join(dir, c.name)); err != nil {
			return err
		}
	}
	return nil
}

func (c *storeCase) write(dir string) error {
	var doc bytes.Buffer
	enc := json.NewEncoder(&doc)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(c.storeVector); err != nil {
		return err
	}
	files := map[string][]byte{"vector.json": doc.Bytes(), "key.pub": nil}
	for _, k := range c.keys {
		files["key.pub"] = append(files["key.pub"], k+"\n"...)
	}
	if c.since != "" {
		files["since.checkpoint"] = []byte(c.since)
	}
	for name, b := range c.files {
		files["store/"+name] = b
	}
	for name, b := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, b, 0o644); err != nil {
			return err
		}
	}
	return nil
}
