package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/ledger/archive"
	"github.com/otelcol-custody/custody/ledger/checkpoint"
	"github.com/otelcol-custody/custody/ledger/record"
	"github.com/otelcol-custody/custody/ledger/seal"
	"github.com/otelcol-custody/custody/ledger/segment"
	"github.com/otelcol-custody/custody/ledger/verify"
)

// addSources reads every record of the log and enters what receivers say in it of their
// sources. What cannot be read is a problem, and the rest is read all the same. keys are
// nil when none is trusted: the log is then held against what it says of itself.
func (l *logView) addSources(ctx context.Context, s *store, keys *checkpoint.Keys, now time.Time) error {
	l.Sources = []*sourceView{}
	if l.Segments == 0 {
		return nil // That is a problem already.
	}
	r := newSourceReader(sourceMemory, recentFiles)
	err := l.readSources(ctx, s, keys, now, r)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		l.spoiled(err, keys != nil)
	}
	l.Sources = r.views()
	l.SourceRemarks = append(l.SourceRemarks, r.remarks()...)
	return nil
}

func (l *logView) readSources(ctx context.Context, s *store, keys *checkpoint.Keys, now time.Time, r *sourceReader) (err error) {
	trusted := keys != nil
	if !trusted {
		if keys, err = ownKey(s.FS, l.Log); err != nil {
			return fmt.Errorf("sources: %w", err)
		}
	}
	log, err := archive.Open(s.FS, l.Log, keys)
	if err != nil {
		return fmt.Errorf("sources: %w", err)
	}
	next, expired := uint64(0), 0
	err = eachSegment(ctx, log, func(v *seal.Verified, lines []byte, err error) error {
		next = v.End()
		if errors.Is(err, fs.ErrNotExist) {
			f := verify.MissingSegment(v, now)
			if f == nil {
				expired++
				return nil
			}
			err = fmt.Errorf("%w: %s", archive.ErrBroken, f.Message)
		}
		if err == nil {
			err = r.segment(v.First, lines)
		}
		if err != nil {
			l.spoiled(fmt.Errorf("sources: records %d to %d: %w", v.First, v.End()-1, err), trusted)
		}
		return nil
	})
	if expired > 0 {
		l.SourceRemarks = append(l.SourceRemarks, fmt.Sprintf("%s expired; what was in it is not shown", several(expired, "segment")))
	}
	if err != nil {
		return fmt.Errorf("sources: records from %d on were not read: %w", next, err)
	}
	return nil
}

// spoiled notes what could not be read, or is not what was sealed.
func (l *logView) spoiled(err error, trusted bool) {
	l.Problems = append(l.Problems, err.Error())
	l.invalid = l.invalid || trusted && judge(err) == exitTampered
}

// segment takes up the records of a segment.
func (r *sourceReader) segment(first uint64, lines []byte) error {
	for i, line := range segment.Lines(lines) {
		if !r.concerns(line) {
			continue
		}
		index := first + uint64(i)
		rec, err := record.ParseLine(line)
		if err != nil {
			return fmt.Errorf("%w: record %d: the sealed line cannot be read: %w", archive.ErrBroken, index, err)
		}
		r.look(index, rec)
	}
	return nil
}

// What a line has that says something of a source, as every line writes it.
var (
	markStatement = []byte(`"event_name":"audit.source.`)
	markGap       = []byte(`"` + attrGapReason + `":`)
	markTaken     = []byte(`"` + attrIngestSource + `":"`)
	markReceiver  = []byte(`"` + attrReceiver + `":"`)
)

// concerns says whether a line has to be parsed. Of the events of one file, which follow
// each other, that is the first one.
func (r *sourceReader) concerns(line []byte) bool {
	if bytes.Contains(line, markStatement) || bytes.Contains(line, markGap) {
		r.lastFile = r.lastFile[:0]
		return true
	}
	from := textBehind(line, markTaken)
	if from == nil {
		return false
	}
	file, by := from[:max(bytes.LastIndexByte(from, '#'), 0)], textBehind(line, markReceiver)
	if len(file) > 0 && bytes.Equal(file, r.lastFile) && bytes.Equal(by, r.lastBy) {
		return false
	}
	r.lastFile, r.lastBy = append(r.lastFile[:0], file...), append(r.lastBy[:0], by...)
	return true
}

// textBehind is the text that begins behind mark, as it is written and, if it holds a
// quotation mark, cut there; nil without a mark.
func textBehind(line, mark []byte) []byte {
	_, text, ok := bytes.Cut(line, mark)
	if !ok {
		return nil
	}
	text, _, _ = bytes.Cut(text, []byte{'"'})
	return text
}

// Attributes of what receivers state.
const (
	attrReceiver     = "audit.ingest.receiver"
	attrIngestSource = "audit.ingest.source"   // of what was taken from a file: its name, "#", the number in it
	attrVerified     = "audit.ingest.verified" // pendingProof: a proof is to come
	attrGapReason    = "audit.gap.reason"

	pendingProof = "digest_pending"
)

// look takes up one record.
func (r *sourceReader) look(index uint64, rec *record.Record) {
	src := r.source(rec)
	if src == nil {
		r.leaveOut(index, false)
		return
	}
	switch name := rec.EventName; name {
	case audit.EventSourceVerified, audit.EventSourceFailed, audit.EventSourceGap, audit.EventSourceKey, audit.EventSourceExcluded:
		b, err := parseSourceBody(rec)
		if err != nil {
			r.unclear(index)
			return
		}
		r.statement(src, index, rec, b)
	default:
		if reason := rec.Text(attrGapReason); reason != "" {
			r.partial(src, index, rec, reason)
		}
	}
	r.taken(src, index, rec)
}

// statement takes up what the collector itself says.
func (r *sourceReader) statement(src *source, index uint64, rec *record.Record, b *sourceBody) {
	switch {
	case rec.EventName == audit.EventSourceKey && b.Key != nil:
		r.key(src, index, b.Key)
	case rec.EventName == audit.EventSourceExcluded && b.Excluded != nil:
		r.excluded(src, index, rec.Text(idAttribute), b.Excluded)
	case rec.EventName == audit.EventSourceGap && b.Gap != nil:
		c := r.chain(src, scopeOfFile(b.Gap.File))
		r.unread(src, c, &sourceFinding{Record: index, Kind: kindUnread, Reason: rec.Text(attrGapReason), Sentence: b.Gap.Reason, Object: b.Gap.File})
	case rec.EventName == audit.EventSourceVerified && b.Reason != "" && b.Object != "":
		r.verified(src, index, b)
	case (rec.EventName == audit.EventSourceFailed || rec.EventName == audit.EventSourceGap) && b.Reason != "":
		r.found(src, index, rec.EventName == audit.EventSourceFailed, b)
	default:
		r.unclear(index)
	}
}
