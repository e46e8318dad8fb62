package integrity

import (
	"cmp"
	"fmt"
	"iter"
	"path"
	"slices"
	"strings"

	"github.com/otelcol-custody/custody/internal/integrity/incident"
	"github.com/otelcol-custody/custody/internal/logstore"
	"github.com/otelcol-custody/custody/ledger"
	"github.com/otelcol-custody/custody/ledger/verify"
	"github.com/otelcol-custody/custody/store"
)

func segmentName(e *entry) string { return ledger.SegmentName(e.First, e.segment) }

// everything lists what a store has, what delete markers hide included.
func (t *stretch) everything(prefix, after string) iter.Seq2[store.Info, error] {
	if v, ok := t.store.(store.Versioned); ok {
		return v.ListVersions(t.ctx, prefix, after)
	}
	return t.store.List(t.ctx, prefix, after)
}

// versionsOf lists the versions of one name, the newest first, however many there
// are.
func (t *stretch) versionsOf(name string) iter.Seq2[store.Info, error] {
	return func(yield func(store.Info, error) bool) {
		for info, err := range t.everything(name, "") {
			if err == nil && info.Name != name || !yield(info, err) {
				return // Longer names come behind it.
			}
		}
	}
}

// names looks at the names of segments within the stretch: those that no seal
// names, and further versions of those that one names.
func (t *stretch) names() error {
	if len(t.entries) == 0 || t.ctx.Err() != nil {
		return nil
	}
	dir := logstore.ObjectName(t.name, ledger.SegmentsDir) + "/"
	var of []store.Info // the versions of one name, the newest first
	for info, err := range t.everything(dir, fmt.Sprintf("%s%020d", dir, t.entries[0].First)) {
		if err != nil {
			return err
		}
		first, _, ok := ledger.ParseSegmentName(path.Base(info.Name))
		if !ok || strings.Contains(info.Name[len(dir):], "/") {
			continue // The sweep names it.
		}
		if first >= t.entries[len(t.entries)-1].End {
			break
		}
		if len(of) > 0 && of[0].Name != info.Name {
			t.nameOf(of)
			of = nil
		}
		if len(of) < maxNotices {
			of = append(of, info)
		}
	}
	if len(of) > 0 {
		t.nameOf(of)
	}
	return nil
}

// holds is the segment that has a record.
func holds(entries []entry, record uint64) (i int, within bool) {
	return slices.BinarySearchFunc(entries, record, func(e entry, record uint64) int {
		switch {
		case e.End <= record:
			return -1
		case e.First > record:
			return 1
		}
		return 0
	})
}

// stray says whether a seal that begins there would begin within a sealed segment.
func (t *stretch) stray(first uint64) bool {
	i, within := holds(t.walked, first)
	return within && t.walked[i].First < first
}

// strays looks at the names of seals within the stretch, for those within a
// segment (spec §11, step 2). The walk passes over some of them.
func (t *stretch) strays() error {
	if len(t.walked) == 0 || t.ctx.Err() != nil {
		return nil
	}
	dir := logstore.ObjectName(t.name, ledger.SealsDir) + "/"
	for info, err := range t.everything(dir, logstore.SealName(t.name, t.walked[0].First, 0)) {
		if err != nil {
			return err
		}
		first, _, ok := ledger.ParseSealName(path.Base(info.Name))
		if !ok || info.DeleteMarker || strings.Contains(info.Name[len(dir):], "/") {
			continue // The sweep names it.
		}
		if first >= t.walked[len(t.walked)-1].End {
			return nil
		}
		if !t.stray(first) {
			continue
		}
		f := incident.Finding{Kind: incident.ForeignObject, Place: incident.Place{Object: info.Name, Version: info.Version, First: first},
			Message: fmt.Sprintf("no seal can begin at record %d, which lies within a sealed segment", first)}
		if v := t.signed[first]; v != nil {
			f.Message += "; yet a seal that the log's key signed lies there: it is of another history"
			f.Evidence = heads(v)
		}
		t.find(t.ctx, f)
	}
	return nil
}

// nameOf judges the versions of one segment's name.
func (t *stretch) nameOf(of []store.Info) {
	first, _, _ := ledger.ParseSegmentName(path.Base(of[0].Name))
	i, within := holds(t.entries, first)
	if !within {
		return // In a gap: nothing is claimed there.
	}
	e := &t.entries[i]
	inLog := strings.TrimPrefix(of[0].Name, t.name+"/")
	if inLog == segmentName(e) {
		t.versions(e, of)
		return
	}
	if !t.named[inLog] {
		t.find(t.ctx, incident.Finding{Kind: incident.OrphanSegment, Message: "no seal names this segment",
			Place: incident.Place{Object: of[0].Name, Version: of[0].Version, First: first, End: e.End}})
	}
}

// versions judges what lies beside the genuine version of a segment. What lies
// above it the reader has told.
func (t *stretch) versions(e *entry, of []store.Info) {
	genuine := func(info store.Info) bool {
		return !info.DeleteMarker && info.Size == e.object && (info.SHA256 == [32]byte{} || info.SHA256 == e.segment)
	}
	newest := slices.IndexFunc(of, genuine)
	for i, info := range of {
		f := incident.Finding{Place: incident.Place{Object: info.Name, Version: info.Version, First: e.First, End: e.End}}
		switch {
		case info.DeleteMarker && e.expired:
			continue // A lifecycle may mark it first.
		case info.DeleteMarker:
			f.Kind, f.Message = incident.DeleteMarker, deleted
		case i == newest || newest < 0:
			continue
		case genuine(info):
			f.Kind, f.Message = incident.Copy, "the object lies there more than once"
		case i < newest:
			f.Kind, f.Message = incident.Shadow, "a later version hides the genuine object"
		default:
			f.Kind, f.Message = incident.Squatter, "other bytes lie below the genuine object"
		}
		t.find(t.ctx, f)
	}
}

// settle reports what the reader was told of, once it is met again.
func (t *stretch) settle() error {
	t.mu.Lock()
	notices := t.notices
	t.notices = nil
	t.mu.Unlock()
	seen := map[uint64]logstore.Found{}
	for _, n := range notices {
		first, _, ok := ledger.ParseSealName(path.Base(n.Object))
		if !ok {
			if e := t.within(n.Object); n.Kind != logstore.Marker || !e.expired {
				t.notice(n, incident.Place{First: e.First, End: e.End})
			}
			continue
		}
		if t.gaps[first] || t.stray(first) {
			continue // Said already, with what lies there.
		}
		again, ok := seen[first]
		if !ok {
			f, err := t.logWatch.reader(t.store, nil).At(t.ctx, first)
			if err != nil && !flooded(err) {
				return err
			}
			again, seen[first] = f, f
		}
		if n.Kind == logstore.Copy || slices.ContainsFunc(again.Notices, func(o logstore.Notice) bool { return same(n, o) }) {
			t.notice(n, placeAt(first, again))
		}
	}
	return nil
}

// same says whether two notices are about one thing. Of a store without versions a
// listing may name one all the same.
func same(a, b logstore.Notice) bool {
	return a.Kind == b.Kind && a.Object == b.Object && (a.Version == b.Version || a.Version == "" || b.Version == "")
}

// within is the segment of a name.
func (t *stretch) within(name string) entry {
	first, _, _ := ledger.ParseSegmentName(path.Base(name))
	for _, e := range t.entries {
		if e.First == first {
			return e
		}
	}
	return entry{position: position{First: first}}
}

func (t *stretch) notice(n logstore.Notice, at incident.Place) {
	at.Object, at.Version = n.Object, n.Version
	kind := map[logstore.Kind]incident.Kind{
		logstore.Squatter: incident.Squatter, logstore.Copy: incident.Copy, logstore.Shadow: incident.Shadow,
		logstore.Marker: incident.DeleteMarker, logstore.Flood: incident.Squatter,
	}[n.Kind]
	f := incident.Finding{Kind: cmp.Or(kind, incident.Kind(n.Kind)), Place: at, Message: n.String()}
	if n.Kind == logstore.Squatter && at.End == 0 {
		t.forgery(&f)
	}
	t.find(t.ctx, f)
}

// forgery tells what has the form of a seal from junk that anybody may leave, where
// no valid seal is.
func (t *stretch) forgery(f *incident.Finding) {
	b, err := t.whole(store.Info{Name: f.Place.Object, Version: f.Place.Version}, ledger.MaxSeal)
	if err != nil {
		return
	}
	_, bad, err := verify.JudgeSeal(b, t.set.Keys, t.name, strings.TrimPrefix(f.Place.Object, t.name+"/"), f.Place.First)
	if err == nil && bad != nil && bad.Code != verify.SealMalformed {
		f.Kind, f.Message = incident.Kind(bad.Code), bad.Message
	}
}
