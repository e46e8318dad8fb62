package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"time"

	"github.com/otelcol-custody/custody/ledger"
	"github.com/otelcol-custody/custody/ledger/checkpoint"
	"github.com/otelcol-custody/custody/ledger/seal"
	"github.com/otelcol-custody/custody/ledger/segment"
	"github.com/otelcol-custody/custody/ledger/verify"
)

// A logView is what a log's seals and the headers of its segments say.
type logView struct {
	Log         string                    `json:"log"`
	Origin      string                    `json:"origin,omitempty"`
	SealedBy    []string                  `json:"sealed_by"` // name+hash
	Records     uint64                    `json:"records"`
	Segments    int                       `json:"segments"`
	Present     int                       `json:"segments_present"`
	Stored      int64                     `json:"stored_bytes"`
	Raw         int64                     `json:"raw_bytes"`
	Seals       int64                     `json:"seal_bytes"`
	First       time.Time                 `json:"first_closed,omitzero"`
	Last        time.Time                 `json:"last_closed,omitzero"`
	NextBy      *time.Time                `json:"next_by"`
	Ended       bool                      `json:"ended"`
	Reasons     map[segment.Reason]int    `json:"reasons"`
	Receivers   map[string]segment.Counts `json:"receivers"`
	AtLeast     map[string]segment.Counts `json:"receivers_at_least"`
	Unfenced    int                       `json:"segments_unfenced"`
	Unretained  int                       `json:"segments_without_retention"`
	RetainFrom  *time.Time                `json:"retained_until_first,omitempty"`
	RetainUntil *time.Time                `json:"retained_until_last,omitempty"`
	Head        *viewedHead               `json:"head"`
	Software    string                    `json:"software,omitempty"`
	Gaps        []gap                     `json:"gaps"`
	Recoveries  []recoveryJSON            `json:"recoveries"` // the newest
	Older       int                       `json:"recoveries_older"`
	Problems    []string                  `json:"problems"`
	List        []segmentView             `json:"segment_list,omitempty"`
	// Of --sources alone.
	Sources       []*sourceView `json:"sources,omitzero"`
	SourceRemarks []string      `json:"sources_remarks,omitempty"`

	tallies map[string]*tally
	invalid bool // a seal is not valid for the keys given
}

type viewedHead struct {
	Size uint64 `json:"size"`
	Root string `json:"root"`
}

type segmentView struct {
	First   uint64         `json:"first"`
	Count   int            `json:"count"`
	Closed  time.Time      `json:"closed"`
	Reason  segment.Reason `json:"reason"`
	Stored  int64          `json:"stored_bytes"`
	Raw     int            `json:"raw_bytes"`
	Present bool           `json:"present"`
}

// viewLog reads the seals of a log in order. Without keys nothing is checked.
func viewLog(ctx context.Context, fsys fs.FS, name string, keys *checkpoint.Keys, segments bool) (*logView, error) {
	firsts, err := listSeals(fsys)
	if err != nil {
		return nil, err
	}
	l := &logView{
		Log: name, SealedBy: []string{}, Reasons: map[segment.Reason]int{}, Receivers: map[string]segment.Counts{}, AtLeast: map[string]segment.Counts{},
		Gaps: []gap{}, Recoveries: []recoveryJSON{}, Problems: []string{}, tallies: map[string]*tally{},
	}
	if len(firsts) == 0 {
		l.Problems = append(l.Problems, "it has no seal yet")
	}
	var prev *seal.Unverified
	end, known := uint64(0), true // where the next seal must begin
	for _, first := range firsts {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if known && first > end {
			l.Problems = append(l.Problems, fmt.Sprintf("no seal for records %d to %d", end, first-1))
		}
		s, err := l.readSeal(fsys, first, keys)
		known = err == nil
		if err != nil {
			l.Problems = append(l.Problems, fmt.Sprintf("seal of record %d: %v", first, err))
			l.invalid = l.invalid || keys != nil && judge(err) == exitTampered
			continue
		}
		l.add(s)
		var recoveries []verify.Recovery
		if l.addSegment(fsys, s, segments) {
			recoveries = l.addRecoveries(fsys, s)
		}
		l.addGap(s, prev, recoveries)
		prev, end = s, s.End()
	}
	l.sumUp()
	return l, nil
}

// listSeals are the records at which seals begin, sorted.
func listSeals(fsys fs.FS) ([]uint64, error) {
	entries, err := fs.ReadDir(fsys, ledger.SealsDir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var firsts []uint64
	for _, e := range entries {
		if first, _, ok := ledger.ParseSealName(e.Name()); ok {
			firsts = append(firsts, first)
		}
	}
	slices.Sort(firsts)
	return slices.Compact(firsts), nil
}

// readSeal reads the seal at first, the first one of its names that will do.
func (l *logView) readSeal(fsys fs.FS, first uint64, keys *checkpoint.Keys) (*seal.Unverified, error) {
	var faults []error
	for n, name := 0, ledger.SealName(first); ; n, name = n+1, ledger.BesideSealName(first, n+1) {
		b, err := readCapped(fsys, name, ledger.MaxSeal)
		if err != nil && n > 0 {
			if !errors.Is(err, fs.ErrNotExist) {
				faults = append(faults, err)
			}
			return nil, errors.Join(faults...)
		}
		if err == nil && keys != nil {
			_, err = seal.Open(b, keys)
		}
		var u *seal.Unverified
		if err == nil {
			if u, err = seal.InspectUnverified(b); err == nil && u.First == first {
				l.Seals += int64(len(b))
				return u, nil
			}
			err = cmp.Or(err, fmt.Errorf("%w: it holds the seal of another record", seal.ErrMalformed))
		}
		faults = append(faults, err)
	}
}

// add enters what a seal says.
func (l *logView) add(s *seal.Unverified) {
	c := s.Closed
	l.Origin, l.Software, l.Records, l.Segments = s.Origin, c.Software, s.End(), l.Segments+1
	l.Head = &viewedHead{s.After.Size, s.After.Root.String()}
	for _, key := range s.Keys {
		if !slices.Contains(l.SealedBy, key) {
			l.SealedBy = append(l.SealedBy, key)
		}
	}
	if l.Segments == 1 {
		l.First = c.At
	}
	l.Last, l.NextBy, l.Ended = c.At, nil, c.Ends()
	if !c.NextBy.IsZero() {
		l.NextBy = &c.NextBy
	}
	l.Reasons[c.Reason]++
	l.count(c.Counts)
	if c.Unfenced {
		l.Unfenced++
	}
	l.addRetention(c.RetainUntil)
}

func (l *logView) addRetention(until time.Time) {
	if until.IsZero() {
		l.Unretained++
		return
	}
	if l.RetainFrom == nil || until.Before(*l.RetainFrom) {
		l.RetainFrom = &until
	}
	if l.RetainUntil == nil || until.After(*l.RetainUntil) {
		l.RetainUntil = &until
	}
}

// addSegment enters what the segment object's header says, if it is there.
func (l *logView) addSegment(fsys fs.FS, s *seal.Unverified, list bool) bool {
	view := segmentView{First: s.First, Count: s.Count, Closed: s.Closed.At, Reason: s.Closed.Reason, Stored: s.Size}
	h, err := readHeader(fsys, s.SegmentName())
	switch {
	case err == nil:
		view.Raw, view.Present = h.Bytes, true
		l.Present++
		l.Stored += s.Size
		l.Raw += int64(h.Bytes)
	case !errors.Is(err, fs.ErrNotExist):
		l.Problems = append(l.Problems, fmt.Sprintf("segment of record %d: %v", s.First, err))
	}
	if list {
		l.List = append(l.List, view)
	}
	return view.Present
}

// headerRoom holds the longest header of a segment object.
const headerRoom = 2048

func readHeader(fsys fs.FS, name string) (segment.Header, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return segment.Header{}, err
	}
	defer func() { _ = f.Close() }()
	b, err := io.ReadAll(io.LimitReader(f, headerRoom))
	if err != nil {
		return segment.Header{}, err
	}
	h, _, err := segment.ParseHeader(b)
	return h, err
}
