package main

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/otelcol-custody/custody/ledger/record"
)

// readAfterAll forgets that an object could not be read.
func (r *sourceReader) readAfterAll(src *source, name string) {
	if f := src.lost[name]; f != nil {
		delete(src.lost, name)
		r.release(f.text())
	}
}

// unread takes up an object that could not be read; the last word about it counts.
func (r *sourceReader) unread(src *source, c *chainView, f *sourceFinding) {
	if c == nil {
		r.leaveOut(f.Record, false)
		return
	}
	f.Chain, f.chain = c.Chain, c
	r.readAfterAll(src, f.Object)
	if !r.hold(f.text()) {
		r.uncounted(c, f)
		return
	}
	src.lost[f.Object] = f
}

// partial takes up a file of which events may be missing.
func (r *sourceReader) partial(src *source, index uint64, rec *record.Record, reason string) {
	from := rec.Text(attrIngestSource)
	name := from[:max(strings.LastIndexByte(from, '#'), 0)]
	c := r.chain(src, scopeOfFile(name))
	if c == nil {
		r.leaveOut(index, false)
		return
	}
	f := &sourceFinding{Record: index, Kind: kindUnread, Reason: reason, Object: name, Chain: c.Chain, chain: c,
		Sentence: "events of this file may be missing: " + reason}
	switch {
	case src.parts[name] != nil:
	case r.hold(f.text()):
		src.parts[name] = f
	default:
		r.uncounted(c, f)
	}
}

// key takes up a public key that was archived.
func (r *sourceReader) key(src *source, index uint64, b *keyBody) {
	if src.keys[b.Fingerprint] != nil {
		return
	}
	if !r.hold(len(b.Fingerprint) + len(b.Region)) {
		r.leaveOut(index, false)
		return
	}
	src.keys[b.Fingerprint] = &sourceKey{Fingerprint: b.Fingerprint, Region: b.Region, From: known(b.From), To: known(b.To), Record: index}
}

// excluded adds up what was left out. id is that of the record, which follows from its
// body: who repeats it says the same.
func (r *sourceReader) excluded(src *source, index uint64, id string, b *excludedBody) {
	if !r.recent.add(src, "excluded "+cmp.Or(id, fmt.Sprint(index)), verifiedFile{}) {
		return
	}
	src.left.Files++
	src.left.Events += b.Events
	for _, p := range b.Principals {
		if _, ok := src.left.by[p.ARN]; !ok && !r.hold(len(p.ARN)) {
			r.leaveOut(index, false)
			continue
		}
		src.left.by[p.ARN] += p.Events
	}
}
