package main

import (
	"slices"
	"strings"
	"time"

	"github.com/otelcol-custody/custody/ledger/record"
)

// taken notes that a record was taken from a file: it can be read after all, and may wait
// for its proof.
func (r *sourceReader) taken(src *source, index uint64, rec *record.Record) {
	from := rec.Text(attrIngestSource)
	at := strings.LastIndexByte(from, '#')
	if at < 0 {
		return
	}
	full := from[:at]
	name := plainName(full)
	r.readAfterAll(src, full)
	r.readAfterAll(src, name)
	if rec.Text(attrVerified) != pendingProof || src.open[name] != nil || r.recent.has(src, name) {
		return
	}
	c := r.chain(src, scopeOfFile(name))
	if c == nil || !r.hold(len(name)) {
		r.leaveOut(index, false)
		return
	}
	src.open[name] = &openFile{chain: c, first: index}
}

// verified takes up that a file is proven. What was found before and rested on a proof
// that lacked is settled by that; a failure that says that other content was there stays.
func (r *sourceReader) verified(src *source, index uint64, b *sourceBody) {
	c := r.chain(src, b.Chain)
	if c == nil {
		r.leaveOut(index, false)
		return
	}
	digest := isDigestFile(b.Object)
	if digest {
		c.proves(b.From, b.To)
		r.goesOn(src, c, b.To)
	}
	r.readAfterAll(src, b.Object)
	if f := src.open[b.Object]; f != nil {
		r.keepLasting(f)
		if len(f.findings) > 0 {
			return
		}
		delete(src.open, b.Object)
		r.release(len(b.Object))
	}
	if r.recent.add(src, b.Object, verifiedFile{c, digest}) {
		c.add(digest, 1)
	}
}

// goesOn settles that digests of a chain, or of its account and region, were missed, if
// the time of a verified one goes further.
func (r *sourceReader) goesOn(src *source, c *chainView, to time.Time) {
	for _, about := range []*chainView{c, src.chains[c.scope()]} {
		if about == nil {
			continue
		}
		kept := about.times[:0]
		for _, f := range about.times {
			if f.Object == "" && f.From != nil && to.After(*f.From) {
				r.release(f.text())
			} else {
				kept = append(kept, f)
			}
		}
		about.times = kept
	}
}

// found takes up a failure or a gap.
func (r *sourceReader) found(src *source, index uint64, failed bool, b *sourceBody) {
	f := newFinding(index, failed, b)
	c := r.chain(src, b.Chain)
	if c == nil {
		r.leaveOut(index, false)
		return
	}
	f.Chain = c.Chain
	if f.ofTime() {
		r.list(c, &c.times, f)
		return
	}
	if was, ok := r.recent.take(src, f.Object); ok {
		was.chain.add(was.digest, -1)
	}
	file := src.open[f.Object]
	if file == nil {
		if !r.hold(len(f.Object)) {
			r.uncounted(c, f)
			return
		}
		file = &openFile{first: index}
		src.open[f.Object] = file
	}
	file.chain = c
	r.keepLasting(file)
	r.list(c, &file.findings, f)
	if len(file.findings) == 0 { // There was no room: it is counted, and must not count as waiting too.
		delete(src.open, f.Object)
		r.release(len(f.Object))
	}
}

// maxFindings of one file, or of the times of one chain, are listed.
const maxFindings = 1000

// list adds a finding to others, unless it says the same as one of them.
func (r *sourceReader) list(c *chainView, to *[]*sourceFinding, f *sourceFinding) {
	switch {
	case slices.ContainsFunc(*to, f.repeats):
	case len(*to) < maxFindings && r.hold(f.text()):
		*to = append(*to, f)
	default:
		r.uncounted(c, f)
	}
}

// uncounted counts a finding that is not listed.
func (r *sourceReader) uncounted(c *chainView, f *sourceFinding) {
	r.leaveOut(f.Record, true)
	switch f.Kind {
	case kindFailed:
		c.Failed++
	case kindGap:
		c.Gaps++
	case kindUnread:
		c.Unread++
	}
}

// keepLasting drops the findings that a later outcome settles.
func (r *sourceReader) keepLasting(file *openFile) {
	var kept []*sourceFinding
	for _, f := range file.findings {
		if f.lasting() {
			kept = append(kept, f)
		} else {
			r.release(f.text())
		}
	}
	file.findings = kept
}
