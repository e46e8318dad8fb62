package sealer

import (
	"bytes"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/otelcol-custody/custody/internal/durable"
	"github.com/otelcol-custody/custody/ledger/seal"
	"github.com/otelcol-custody/custody/ledger/segment"
	"github.com/otelcol-custody/custody/ledger/tree"
)

// A SalvagedJournal is what can be read of a journal file.
type SalvagedJournal struct {
	File string

	fs      durable.FS
	headed  bool // the header was read
	header  journalHeader
	groups  []group // the good frames from the beginning on; without lines if intact
	bytes   int     // of their lines
	closed  bool    // the last of them is the closing one
	closing *segment.Closed
	intact  bool
	strays  []stray // good frames behind damage
	newest  uint64  // the sequence of the last frame that is known to have been written
}

// stray is a good frame whose predecessor is not.
type stray struct {
	sequence uint64
	closing  bool
	group    group
	first    uint64 // its first record's position
	known    bool
}

// A Former is a record that was journalled or sealed once, with its place then.
type Former struct {
	Source     string
	Line       []byte // without its line feed
	Position   uint64
	Known      bool      // Position is known
	Previous   tree.Hash // the link before it; zero: not known
	Commitment tree.Hash // zero: not known. No two records in the world share one
}

// ownWord says whether a line is the log's own: such speak of their place, and
// are not sealed at another one (spec §7.1).
func ownWord(line []byte) bool { return segment.IsClosed(line) || segment.IsRecovery(line) }

// First is the position at which the journal begins, by its header, or else by
// its name.
func (j *SalvagedJournal) First() (uint64, bool) {
	if j.headed {
		return j.header.first, true
	}
	first, err := strconv.ParseUint(strings.TrimSuffix(filepath.Base(j.File), journalExt), 10, 63)
	return first, err == nil
}

// Name is the file's in the state directory.
func (j *SalvagedJournal) Name() string { return path.Join(journalDir, filepath.Base(j.File)) }

// Span is where the journal begins by its header, and where its good beginning
// ends. Open says that nothing closes that.
func (j *SalvagedJournal) Span() (first, end uint64) {
	end = j.header.first
	for i := range j.groups {
		end += uint64(j.groups[i].count())
	}
	return j.header.first, end
}
func (j *SalvagedJournal) Open() bool { return !j.closed }

// Headed says whether the header is known, Intact whether Open would take the
// file.
func (j *SalvagedJournal) Headed() bool { return j.headed }
func (j *SalvagedJournal) Intact() bool { return j.intact }

// Rehead gives a journal without a header the one that it had, from the segment
// that was made of it and its seal.
func (j *SalvagedJournal) Rehead(v *seal.Verified, object []byte) {
	if h, _, err := segment.ParseHeader(object); err == nil && !j.headed {
		j.headed, j.header = true, journalHeader{first: v.First, previous: v.Previous, seed: h.Seed, origin: h.Origin}
	}
}

// Lost is how many frames were on the disk for good, and nobody can read them
// any more: the watermark or a later frame tells. Each held records that were
// acknowledged, or closed the segment.
func (j *SalvagedJournal) Lost() uint64 {
	if j.intact {
		return 0
	}
	there := map[uint64]bool{}
	for i := range j.strays {
		there[j.strays[i].sequence] = true
	}
	n := uint64(len(j.groups) + len(there))
	return max(j.newest, n) - n
}

// SealedAs says whether a seal is that of the segment which this journal became:
// then nothing of it is lost.
func (j *SalvagedJournal) SealedAs(v *seal.Verified) bool {
	if !j.headed || v.First != j.header.first {
		return false
	}
	if len(j.groups) > 0 {
		return tree.Commitment(j.header.seed.Salt(v.First), j.groups[0].digests[0]) == v.Commitment(0)
	}
	return slices.ContainsFunc(j.strays, func(s stray) bool {
		i := int(s.first - v.First)
		return s.known && s.first >= v.First && i < v.Count && tree.Commitment(j.header.seed.Salt(s.first), s.group.digests[0]) == v.Commitment(i)
	})
}

// slim lets go of the lines, which can be read again, and notes what is needed of
// them.
func (j *SalvagedJournal) slim() {
	j.measure()
	for i := range j.groups {
		j.groups[i].lines = nil
	}
}

func (j *SalvagedJournal) measure() {
	for i := range j.groups {
		j.bytes += len(j.groups[i].lines)
	}
	if j.closed {
		line := j.groups[len(j.groups)-1].lines
		j.closing, _ = segment.ParseClosed(line[:len(line)-1]) // nil: the press will say what is the matter.
	}
}

// whole are the good frames from the beginning on, with their lines.
func (j *SalvagedJournal) whole() ([]group, error) {
	if !j.intact {
		return j.groups, nil
	}
	content, err := readJournal(j.fs, j.File)
	if err != nil {
		return nil, err
	}
	return content.groups, nil
}

// scan takes what is good of a damaged file, and returns how many bytes are not.
// A frame's digest and the file's id say what is good: nobody who sends records
// can put a frame into one. Without the header, the watermark tells the id.
func (j *SalvagedJournal) scan(b []byte, answered mark) (unreadable int64) {
	at, id := 0, answered.file
	if f, n, err := parseFrame(b); err == nil && f.kind == kindHeader {
		j.headed, j.header, at, id = true, f.header, n, f.file
	}
	if id == answered.file {
		j.newest = answered.sequence
	}
	unreadable = int64(len(b) - at)
	for behind := at; ; {
		next := bytes.Index(b[at:], []byte(frameMagic))
		if next < 0 {
			break
		}
		at += next
		f, n, err := parseFrame(b[at:])
		if err != nil || f.kind == kindHeader || id != (fileID{}) && f.file != id {
			at++
			continue
		}
		id = f.file
		unreadable -= int64(n)
		j.take(&f, at == behind)
		at += n
		behind = at
	}
	j.measure()
	j.place()
	return unreadable
}

// take adds a good frame, which may stand right behind a good one.
func (j *SalvagedJournal) take(f *frame, behind bool) {
	j.newest = max(j.newest, f.sequence)
	if behind && j.headed && len(j.strays) == 0 && !j.closed && f.sequence == uint64(len(j.groups))+1 {
		j.groups = append(j.groups, f.group)
		j.closed = f.kind == kindClosing
		return
	}
	j.strays = append(j.strays, stray{sequence: f.sequence, closing: f.kind == kindClosing, group: f.group})
}

// place finds the positions of frames right before the closing one, which says
// where the segment ends.
func (j *SalvagedJournal) place() {
	n := len(j.strays)
	if n == 0 || !j.strays[n-1].closing {
		return
	}
	last := &j.strays[n-1]
	c, err := segment.ParseClosed(last.group.lines[:len(last.group.lines)-1])
	if err != nil || c.First != j.header.first && j.headed {
		return
	}
	end := c.First + uint64(c.Count)
	for i := n - 1; i >= 0; i-- {
		s := &j.strays[i]
		if i < n-1 && s.sequence+1 != j.strays[i+1].sequence {
			return
		}
		s.first, s.known = end-uint64(s.group.count()), true
		end = s.first
	}
}

// Locate finds the positions of stray records that a seal of this journal's
// segment has.
func (j *SalvagedJournal) Locate(v *seal.Verified) {
	if !j.headed {
		return
	}
	for i := range j.strays {
		s := &j.strays[i]
		for k := 0; k < v.Count && !s.known; k++ {
			at := v.First + uint64(k)
			if tree.Commitment(j.header.seed.Salt(at), s.group.digests[0]) == v.Commitment(k) {
				s.first, s.known = at, true
			}
		}
	}
}

// Good are the records from the beginning up to the first damage, the log's own
// words left out.
func (j *SalvagedJournal) Good() ([]Former, error) {
	groups, err := j.whole()
	if err != nil || !j.headed {
		return nil, err
	}
	var out []Former
	at, link := j.header.first, j.header.previous
	for i := range groups {
		for k, line := range segment.Lines(groups[i].lines) {
			f := Former{Source: j.Name(), Line: line, Position: at, Known: true, Previous: link}
			f.Commitment = tree.Commitment(j.header.seed.Salt(at), groups[i].digests[k])
			link = tree.Link(link, f.Commitment)
			at++
			if !ownWord(line) {
				out = append(out, f)
			}
		}
	}
	return out, nil
}

// commitments calls do with that of each record that Good has.
func (j *SalvagedJournal) commitments(do func(tree.Hash)) {
	at := j.header.first
	for i := range j.groups {
		for k := range j.groups[i].digests {
			do(tree.Commitment(j.header.seed.Salt(at), j.groups[i].digests[k]))
			at++
		}
	}
}

// Strays are the records behind damage, the log's own words left out.
func (j *SalvagedJournal) Strays() []Former {
	var out []Former
	for i := range j.strays {
		s := &j.strays[i]
		for k, line := range segment.Lines(s.group.lines) {
			f := Former{Source: j.Name(), Line: line}
			if s.known {
				f.Position, f.Known = s.first+uint64(k), true
			}
			if s.known && j.headed {
				f.Commitment = tree.Commitment(j.header.seed.Salt(f.Position), s.group.digests[k])
			}
			if !ownWord(line) {
				out = append(out, f)
			}
		}
	}
	return out
}
