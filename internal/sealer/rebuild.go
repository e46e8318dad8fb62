package sealer

import (
	"errors"
	"fmt"
	"time"

	"github.com/otelcol-custody/custody/ledger"
	"github.com/otelcol-custody/custody/ledger/seal"
	"github.com/otelcol-custody/custody/ledger/segment"
	"github.com/otelcol-custody/custody/ledger/tree"
)

// A Rebuild is a state directory to be: a sealed history, the journals that
// continue it, and behind them a recovery record with the records that lost
// their places.
type Rebuild struct {
	cfg   Config
	place seal.Place         // behind the newest seal
	at    chain              // behind what is kept
	kept  []*SalvagedJournal // closed ones; the last may be open
	again []Former

	Head       *seal.Verified // the newest seal, nil at genesis
	Pending    []Pending      // the last segments up to Head that stores lack; empty: Head is delivered
	Before     *seal.Verified // the seal before Pending, nil at genesis or if nobody knows it
	Checkpoint []byte         // the newest note that agrees, nil without one
	Note       []byte         // laid into the folder with what is set aside
}

// Pending is a segment of the old spool that goes into the new one.
type Pending struct {
	*SalvagedSeal
	Tiles []tree.Tile // that it completes, of all levels
}

// NewRebuild begins behind place. Of c only Log, Signer, Dir, Software, FS and
// Now count.
func NewRebuild(c Config, place seal.Place) *Rebuild {
	return &Rebuild{cfg: c, place: place, at: chain{place.Link, place.Edge.Clone()}}
}

// Keep takes over the good beginning of a journal if it continues the log, with
// the positions that its records have. What else the journal holds is the
// caller's, as is all of it if Keep returns false.
func (r *Rebuild) Keep(j *SalvagedJournal) bool {
	if !j.headed || r.open() != nil || j.header.first != r.at.edge.Size() || j.header.previous != r.at.link || j.header.origin != r.place.Origin {
		return false
	}
	for i := range j.groups {
		r.at.take(&j.header.seed, j.groups[i].digests)
	}
	r.kept = append(r.kept, j)
	return true
}

// open is the kept journal that goes on.
func (r *Rebuild) open() *SalvagedJournal {
	if n := len(r.kept); n > 0 && !r.kept[n-1].closed {
		return r.kept[n-1]
	}
	return nil
}

// Size is that of the log with what is kept.
func (r *Rebuild) Size() uint64 { return r.at.edge.Size() }

// Kept is the number of journalled records that keep their places.
func (r *Rebuild) Kept() int64 { return int64(r.Size() - r.place.Edge.Size()) }

// RootAt is the root at a size from the newest seal's to [Rebuild.Size].
func (r *Rebuild) RootAt(size uint64) (tree.Hash, bool) {
	at := chain{r.place.Link, r.place.Edge.Clone()}
	for _, j := range r.kept {
		for i := range j.groups {
			if at.edge.Size() >= size {
				break
			}
			digests := j.groups[i].digests
			at.take(&j.header.seed, digests[:min(uint64(len(digests)), size-at.edge.Size())])
		}
	}
	return at.edge.Root(), at.edge.Size() == size
}

// LastClosed is the newest closed record that is kept, nil without one.
func (r *Rebuild) LastClosed() *segment.Closed {
	for i := len(r.kept) - 1; i >= 0; i-- {
		if c := r.kept[i].closing; c != nil {
			return c
		}
	}
	if r.Head != nil {
		return r.Head.Closed()
	}
	return nil
}

// KeptCommitments calls do with the commitment of each record of a kept journal.
func (r *Rebuild) KeptCommitments(do func(tree.Hash)) {
	for _, j := range r.kept {
		j.commitments(do)
	}
}

// KeptLines calls do with each line of a kept journal and its position, in order.
func (r *Rebuild) KeptLines(do func(at uint64, line []byte)) error {
	for _, j := range r.kept {
		groups, err := j.whole()
		if err != nil {
			return err
		}
		at := j.header.first
		for i := range groups {
			for _, line := range segment.Lines(groups[i].lines) {
				do(at, line)
				at++
			}
		}
	}
	return nil
}

// Ended says whether the last word of what is kept is that the log has ended.
func (r *Rebuild) Ended() bool {
	c := r.LastClosed()
	return c != nil && c.Reason == segment.Ended
}

// Drainable says whether the log has ended, segments of it wait, and nothing
// would follow them.
func (r *Rebuild) Drainable() bool {
	waits := len(r.Pending)
	for _, j := range r.kept {
		switch {
		case j.closed:
			waits++
		case len(j.groups) > 0:
			return false
		}
	}
	return r.Ended() && waits > 0 && len(r.again) == 0
}

// Again says that these records, in this order, are to be sealed again behind
// the recovery record.
func (r *Rebuild) Again(records []Former) { r.again = append(r.again, records...) }

// A Placed run of records stood one behind the other and is sealed again so.
type Placed struct {
	First uint64 // its first record's new position
	Count uint64
	Former
}

// Places says where the records to be sealed again will stand.
func (r *Rebuild) Places() []Placed {
	var out []Placed
	l := r.layout()
	l.next(ledger.MaxRecovery)
	for i := range r.again {
		f := &r.again[i]
		at := l.next(len(f.Line) + 1)
		if n := len(out); n > 0 && out[n-1].follows(at, f) {
			out[n-1].Count++
			continue
		}
		out = append(out, Placed{at, 1, *f})
	}
	return out
}

// follows says whether f, at its new position, belongs to the run.
func (p *Placed) follows(at uint64, f *Former) bool {
	return at == p.First+p.Count && f.Source == p.Source && f.Known == p.Known && (!f.Known || f.Position == p.Position+p.Count)
}

// layout divides what comes behind the kept records among segments. A segment
// that is full gets its closed record before the next record comes.
type layout struct {
	at      uint64
	records int
	bytes   int
	full    func() // called before a segment's closed record takes its place
}

func (r *Rebuild) layout() *layout {
	l := &layout{at: r.Size(), full: func() {}}
	if j := r.open(); j != nil {
		l.bytes = j.bytes
		for i := range j.groups {
			l.records += j.groups[i].count()
		}
	}
	return l
}

// next is the position of the next record, whose line has so many bytes.
func (l *layout) next(size int) uint64 {
	if l.bytes >= MaxSegmentBytes || l.records >= ledger.MaxRecords/2 {
		l.full()
		l.at++
		l.records, l.bytes = 0, 0
	}
	l.records++
	l.bytes += size
	l.at++
	return l.at - 1
}

// fullClosed is the closed record of a segment that a recovery filled. The next
// one is due when the collector has started, which an operator does.
func (r *Rebuild) fullClosed(first uint64, groups []group) (group, error) {
	records, counts := 0, map[string]segment.Counts{}
	for i := range groups {
		records += groups[i].count()
		tallyLines(counts, &groups[i])
	}
	now := segment.Nearest(r.cfg.Now())
	c := segment.Closed{
		At: now, First: first, Count: records + 1, Counts: counts, Key: r.cfg.Signer.ID(), NextBy: segment.Nearest(now.Add(startGrace)),
		Reason: segment.Recovered, Software: r.cfg.Software, Unfenced: true,
	}
	var g group
	line, err := c.Line()
	if err != nil {
		return g, fmt.Errorf("close segment %d: %w", first, err)
	}
	g.addLine(line)
	return g, nil
}

// startGrace is what an operator may take to start the collector after a
// recovery before a reader may call the log overdue.
const startGrace = time.Hour

// ErrRecovering means that a recovery was interrupted.
var ErrRecovering = errors.New("a recovery was interrupted")

func errInterrupted(c *Config) error {
	return fmt.Errorf("%w: run otelcol-custody recover --config FILE --log %s again; it finishes what was begun in %s", ErrRecovering, c.Log, c.Dir)
}
