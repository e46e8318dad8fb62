package main

import (
	"hash/maphash"

	"github.com/otelcol-custody/custody/ledger/record"
)

const (
	// sourceMemory bounds what is held of files whose last word is not "verified", of
	// findings, keys and names, in bytes. A log without digests has little else.
	sourceMemory = 64 << 20
	// recentFiles is how many verified files are known again, at least; twice that at most,
	// with about 40 bytes each. Who repeats an outcome does so soon, and a receiver's own
	// memory is two weeks long.
	recentFiles = 1 << 19
)

// A sourceReader adds up what the records of one log say of the sources. It holds names
// only of files that wait or have something the matter; of verified ones, a hash of each
// of the latest.
type sourceReader struct {
	sources map[sourceID]*source
	recent  recent
	room    int // bytes that may still be held

	lastFile, lastBy []byte // of the last line, as it is written
	full             struct {
		from     uint64 // the first record that found no room
		findings int    // counted and not listed
		others   int    // not counted either
	}
	bad struct {
		first uint64
		count int
	}
}

// A sourceID is a provider's source as one receiver took it up. Receivers judge for
// themselves, also when they read the same.
type sourceID struct{ receiver, provider, product string }

type source struct {
	sourceID
	chains map[chainID]*chainView
	open   map[string]*openFile      // by name: files whose last word is not "verified"
	lost   map[string]*sourceFinding // by name: objects that could not be read
	parts  map[string]*sourceFinding // by name: files that could be read in part
	keys   map[string]*sourceKey     // by fingerprint
	left   excludedView
}

// An openFile waits for its verdict, or has one that is not "verified".
type openFile struct {
	chain    *chainView
	first    uint64 // record that was taken from it
	findings []*sourceFinding
}

func newSourceReader(room, recently int) *sourceReader {
	return &sourceReader{sources: map[sourceID]*source{}, room: room, recent: recent{seed: maphash.MakeSeed(), limit: recently}}
}

// source is that of a record; nil if there is no room for another one.
func (r *sourceReader) source(rec *record.Record) *source {
	id := sourceID{resourceText(rec, attrReceiver), resourceText(rec, "cloud.provider"), resourceText(rec, "audit.product")}
	s := r.sources[id]
	if s == nil && r.hold(len(id.receiver)+len(id.provider)+len(id.product)) {
		s = &source{sourceID: id, chains: map[chainID]*chainView{}, open: map[string]*openFile{}, lost: map[string]*sourceFinding{},
			parts: map[string]*sourceFinding{}, keys: map[string]*sourceKey{}, left: excludedView{by: map[string]uint64{}}}
		r.sources[id] = s
	}
	return s
}

// chain is where a chain's numbers are; nil if there is no room for another one.
func (r *sourceReader) chain(src *source, id chainID) *chainView {
	c := src.chains[id]
	if c == nil && r.hold(len(id.String())) {
		c = &chainView{Chain: id.String(), chainID: id}
		src.chains[id] = c
	}
	return c
}

// entryRoom is about what a map and its entry take beside the texts.
const entryRoom = 300

// hold takes room for something with so many bytes of text, if there is any.
func (r *sourceReader) hold(text int) bool {
	if r.room < text+entryRoom {
		return false
	}
	r.room -= text + entryRoom
	return true
}

func (r *sourceReader) release(text int) { r.room += text + entryRoom }

// leaveOut notes what there is no room for.
func (r *sourceReader) leaveOut(index uint64, counted bool) {
	if r.full.findings+r.full.others == 0 {
		r.full.from = index
	}
	if counted {
		r.full.findings++
	} else {
		r.full.others++
	}
}

// unclear notes a record that calls itself one about a source and is not.
func (r *sourceReader) unclear(index uint64) {
	if r.bad.count == 0 {
		r.bad.first = index
	}
	r.bad.count++
}
