package integrity

import (
	"context"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/otelcol-custody/custody/internal/integrity/incident"
	"github.com/otelcol-custody/custody/internal/logstore"
	"github.com/otelcol-custody/custody/ledger"
	"github.com/otelcol-custody/custody/ledger/verify"
	"github.com/otelcol-custody/custody/store"
)

// sweepEvery is how often all names of a log are listed.
const sweepEvery = time.Hour

// sweep looks at every name below the log's folder: what only a stranger can have
// written, and delete markers.
func (l *logWatch) sweep(ctx context.Context) error {
	t := l.newStretch(ctx, l.patient, true)
	l.mu.Lock()
	size := l.st.Seen.End
	l.mu.Unlock()
	if head, _ := l.set.Heads.Highest(l.src, l.name); head != nil {
		size = max(size, head.Size) // What is read anew is no stranger's.
	}
	var markers, expired, besides []store.Info // one of each name
	for info, err := range t.everything(l.name+"/", "") {
		if err != nil {
			return err
		}
		inLog := strings.TrimPrefix(info.Name, l.name+"/")
		switch {
		case strings.HasPrefix(inLog, ".") || strings.Contains(inLog, "/."):
			// Not part of a store (spec §10).
		case foreign(inLog, size, info, l.clock.now()):
			l.find(ctx, incident.Finding{Kind: incident.ForeignObject, Place: incident.Place{Object: info.Name, Version: info.Version},
				Message: "the object is none of the log's, and lies in its folder: nobody believes it; find out who wrote it, keep a copy, and remove it"})
		case info.DeleteMarker && strings.HasPrefix(inLog, ledger.SegmentsDir):
			expired = few(expired, info) // Or not: the pass looks at each.
		case info.DeleteMarker:
			markers = few(markers, info)
		case beside(inLog):
			besides = few(besides, info)
		}
	}
	for _, info := range besides {
		if err := t.copied(info); err != nil {
			return err
		}
	}
	for _, info := range slices.Concat(markers, expired) {
		if err := t.marked(info); err != nil {
			return err
		}
	}
	l.listed = l.clock.now()
	return nil
}

// few adds to what is looked into in one go, one of each name.
func few(all []store.Info, info store.Info) []store.Info {
	const most = 256
	if n := len(all); n == 0 || n < most && all[n-1].Name != info.Name {
		all = append(all, info)
	}
	return all
}

// beside says whether a name is one for a seal whose place a squatter holds.
func beside(inLog string) bool {
	_, n, ok := ledger.ParseSealName(path.Base(inLog))
	return ok && n > 0
}

// copied reports a seal beside the one that is taken, if it says the same: a reader
// passes over it.
func (t *stretch) copied(info store.Info) error {
	first, _, _ := ledger.ParseSealName(path.Base(info.Name))
	f, err := t.logWatch.reader(t.store, nil).At(t.ctx, first)
	if err != nil && !flooded(err) {
		return err
	}
	is := func(name string) bool { return name == info.Name }
	if len(f.Seals) != 1 || is(f.Seals[0].Object.Name) || slices.ContainsFunc(f.Notices, func(n logstore.Notice) bool { return is(n.Object) }) {
		return nil
	}
	at := placeAt(first, f)
	at.Object, at.Version = info.Name, info.Version
	t.find(t.ctx, incident.Finding{Kind: incident.Copy, Place: at, Message: "a copy of the seal lies beside it"})
	return nil
}

// foreign says whether a name within the log's folder is none that the log writes.
func foreign(inLog string, size uint64, info store.Info, now time.Time) bool {
	dir, base := path.Split(inLog)
	switch dir {
	case ledger.SegmentsDir + "/":
		_, _, ok := ledger.ParseSegmentName(base)
		return !ok
	case ledger.SealsDir + "/":
		_, _, ok := ledger.ParseSealName(base)
		return !ok
	}
	text, ok := strings.CutPrefix(path.Clean(dir), ledger.TilesDir+"/")
	level, err := strconv.Atoi(text)
	index, isTile := ledger.ParseTileName(base)
	const highest = 6 // level that a full tile can have
	if !ok || err != nil || level < 1 || level > highest || !isTile || inLog != ledger.TileName(level, index) {
		return true
	}
	// A tile lies there before its seal; for an hour it may be on its way.
	return index >= size>>(8*(level+1)) && now.Sub(info.Modified) > sweepEvery
}

// marked reports a delete marker, unless it lies on a segment that has expired.
func (t *stretch) marked(info store.Info) error {
	base := path.Base(info.Name)
	first, _, isSegment := ledger.ParseSegmentName(base)
	if !isSegment {
		first, _, _ = ledger.ParseSealName(base)
	}
	f, err := t.logWatch.reader(t.store, nil).At(t.ctx, first)
	if err != nil && !flooded(err) {
		return err
	}
	if isSegment && len(f.Seals) > 0 && verify.MissingSegment(f.Seals[0].Seal, t.clock.now()) == nil {
		return nil
	}
	at := placeAt(first, f)
	if _, isTile := ledger.ParseTileName(base); isTile {
		at = incident.Place{}
	}
	at.Object, at.Version = info.Name, info.Version
	t.find(t.ctx, incident.Finding{Kind: incident.DeleteMarker, Place: at, Message: deleted})
	return nil
}

const deleted = "somebody deleted an object of the log; a delete marker lies on its versions"

// placeAt is the place of the segment that begins there.
func placeAt(first uint64, f logstore.Found) incident.Place {
	at := incident.Place{First: first}
	if len(f.Seals) > 0 {
		at.End = f.Seals[0].Seal.End()
	}
	return at
}
