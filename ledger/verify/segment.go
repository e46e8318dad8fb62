package verify

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"time"

	"github.com/otelcol-custody/custody/ledger"
	"github.com/otelcol-custody/custody/ledger/record"
	"github.com/otelcol-custody/custody/ledger/seal"
	"github.com/otelcol-custody/custody/ledger/segment"
)

// checkSegments checks the segments of the seals that the walk hands over, until
// the walk ends.
func (w *walk) checkSegments() {
	dec := segment.NewDecoder()
	defer dec.Close()
	for v := range w.jobs {
		if w.ctx.Err() == nil {
			w.checkSegment(v, dec)
		}
	}
}

// checkSegment is spec §11, steps 3 and 4.
func (w *walk) checkSegment(v *seal.Verified, dec *segment.Decoder) {
	obj, err := w.readSegment(v)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		w.missing(v)
		return
	case planted(err):
		w.find(Finding{Code: SegmentAltered, Object: v.SegmentName(), First: v.First, End: v.End(), Message: err.Error()})
		return
	case err != nil:
		w.unread("segment %s: %v", path.Join(w.report.Log, v.SegmentName()), err)
		return
	}
	lines, f, err := CheckSegment(v, obj, dec)
	switch {
	case err != nil:
		w.unread("segment %s: %v", path.Join(w.report.Log, v.SegmentName()), err)
	case f != nil:
		w.find(*f)
	default:
		w.checked(v, len(lines))
		w.noteRecoveries(v, lines)
	}
}

// CheckSegment is spec §11, step 3: it holds the bytes of a segment object against
// the seal that names it. It returns the lines, which dec keeps, or what is wrong
// with them. The finding has no Log; its Object is the name in the log's folder.
// The error is that the sealed bytes have a version that this code does not know.
func CheckSegment(v *seal.Verified, obj []byte, dec *segment.Decoder) ([]byte, *Finding, error) {
	f := &Finding{Object: v.SegmentName(), First: v.First, End: v.End()}
	if got := sha256.Sum256(obj); got != v.Segment || int64(len(obj)) != v.Size {
		f.Code, f.Message = SegmentAltered, fmt.Sprintf("%d bytes were sealed, and %d are stored", v.Size, len(obj))
		if int64(len(obj)) == v.Size {
			f.Message = fmt.Sprintf("the %d stored bytes are not those that were sealed", v.Size)
		}
		f.Want, f.Got = fmt.Sprintf("sha256:%x", v.Segment), fmt.Sprintf("sha256:%x", got)
	}
	lines, err := checkContent(v, obj, dec, f)
	if err != nil {
		return nil, nil, err
	}
	if f.Code != "" {
		return nil, f, nil
	}
	return lines, nil, nil
}

// readSegment reads the object that the seal names; when it is not what was
// sealed it reads once more, so that a passing fault is not an accusation.
func (w *walk) readSegment(v *seal.Verified) ([]byte, error) {
	obj, err := readObject(w.fsys, v.SegmentName(), ledger.MaxSegment)
	if err != nil || sha256.Sum256(obj) == v.Segment {
		return obj, err
	}
	again, err := readObject(w.fsys, v.SegmentName(), ledger.MaxSegment)
	if err != nil || !bytes.Equal(obj, again) {
		return nil, errors.Join(errUnsteady, goneSince(err))
	}
	return again, nil
}

// checkContent holds the object's lines against the seal. It fills in f: a code,
// unless there is one already, and which records are touched. It returns the
// lines, which dec keeps; its error is that sealed bytes have a version that this
// code does not know.
func checkContent(v *seal.Verified, obj []byte, dec *segment.Decoder, f *Finding) ([]byte, error) {
	s, err := segment.Parse(obj)
	if f.Code == "" && errors.Is(err, segment.ErrVersion) {
		return nil, err
	}
	if err == nil && (s.Origin != v.Origin || s.First != v.First || s.Count != v.Count) {
		err = fmt.Errorf("its header speaks of %d records of %q from %d on", s.Count, s.Origin, s.First)
	}
	if err != nil {
		f.set(SegmentMalformed, err)
		return nil, nil
	}
	lines, err := dec.Inflate(s)
	if err != nil {
		f.set(SegmentMalformed, err)
	}
	v.Check(&s.Seed, lines, func(index uint64, bad error) {
		code := RecordAltered
		if errors.Is(bad, seal.ErrClosedEarly) {
			code = SegmentMalformed
		}
		f.set(code, bad)
		n := uint64(1)
		if cut := (*seal.CutError)(nil); errors.As(bad, &cut) {
			n = uint64(cut.Missing)
		}
		f.touch(index, n)
	})
	if f.Code == "" {
		checkLines(v, lines, f)
	} else if f.Record == nil && err == nil {
		f.Message += "; its records are untouched, only their wrapping is not what was sealed"
	}
	return lines, nil
}

// checkLines demands the canonical form (spec §3.8). That the last line is the
// sealed closed line follows from its commitment.
func checkLines(v *seal.Verified, lines []byte, f *Finding) {
	for i, line := range segment.Lines(lines) {
		if err := record.CheckLine(line); err != nil {
			f.set(RecordMalformed, fmt.Errorf("the sealed line is not canonical: %w", err))
			f.touch(v.First+uint64(i), 1)
		}
	}
}

// set enters what broke; the first code stays, and messages add up to a few.
func (f *Finding) set(code Code, err error) {
	if f.Code == "" {
		f.Code = code
	}
	const few = 400
	if f.Message == "" {
		f.Message = err.Error()
	} else if len(f.Message) < few && f.Records == 0 {
		f.Message += "; " + err.Error()
	}
}

// touch counts n touched records, the first one at index.
func (f *Finding) touch(index, n uint64) {
	if f.Record == nil {
		f.Record = &index
	}
	f.Records += n
}

// missing enters a segment that is not there.
func (w *walk) missing(v *seal.Verified) {
	if f := MissingSegment(v, w.opt.Now); f != nil {
		w.find(*f)
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.report.Expired++
}

// MissingSegment is spec §11, step 4: what it means that the segment of a seal is
// not there. It returns nil if it has expired. The finding is as that of
// [CheckSegment].
func MissingSegment(v *seal.Verified, now time.Time) *Finding {
	until := v.Closed().RetainUntil
	if !until.IsZero() && until.Before(now) {
		return nil
	}
	kept := "no retention of it has ended"
	if !until.IsZero() {
		kept = "it was to be kept until " + stamp(until)
	}
	return &Finding{Code: SegmentMissing, Object: v.SegmentName(), First: v.First, End: v.End(), Records: uint64(v.Count),
		Message: fmt.Sprintf("the segment with records %d to %d is gone, and %s", v.First, v.End()-1, kept)}
}

// checked counts a segment that is what was sealed.
func (w *walk) checked(v *seal.Verified, lines int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	r := w.report
	r.Checked += uint64(v.Count)
	r.Intact++
	r.Bytes += uint64(lines)
	r.Stored += uint64(v.Size)
	w.done = Progress{Log: r.Log, Records: r.Checked, Segments: w.done.Segments + 1, Stored: r.Stored, Total: uint64(len(w.names.segments))}
	if w.opt.Progress != nil {
		w.opt.Progress(w.done)
	}
}
