package logstore

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"

	"github.com/otelcol-custody/custody/ledger/seal"
	"github.com/otelcol-custody/custody/store"
)

// Segment reads the segment that a seal names, from whichever version has its
// bytes, and says where it was found. It returns store.ErrNotFound if the store
// has nothing there any more, and an [AlteredError] if only other bytes are
// there, also when they are read again. It takes one request if nothing hides it;
// of versions above it, however many, a bounded part is held and read.
func (r *Reader) Segment(ctx context.Context, v *seal.Verified) ([]byte, store.Info, error) {
	name := ObjectName(v.Log, v.SegmentName())
	altered := &AlteredError{Object: name, Log: v.Log, First: v.First, Want: v.Segment}
	b, info, err := r.segment(ctx, v, store.Info{Name: name}, altered)
	if b != nil || err != nil && !errors.Is(err, store.ErrNotFound) {
		return b, info, err
	}
	if r.versioned != nil {
		return r.segmentBelow(ctx, v, name, altered)
	}
	if err != nil {
		return nil, info, err
	}
	again := &AlteredError{Object: name, Log: v.Log, First: v.First, Want: v.Segment}
	b, info, err = r.segment(ctx, v, store.Info{Name: name}, again)
	if b != nil || err != nil {
		return b, info, err
	}
	return nil, info, again.steady(altered)
}

// segment reads one version. It returns nil if its bytes are others, and notes
// them.
func (r *Reader) segment(ctx context.Context, v *seal.Verified, info store.Info, altered *AlteredError) ([]byte, store.Info, error) {
	b, info, err := r.read(ctx, info, v.Size, func([]byte) bool { return true })
	if err != nil || b == nil {
		return nil, info, err
	}
	sum := sha256.Sum256(b)
	if sum == v.Segment {
		return b, info, nil
	}
	altered.Got = append(altered.Got, sum)
	return nil, info, nil
}

// maxSegments is how many versions of a segment are read that have its length: of
// more the oldest and the newest ones. Each may be 80 MiB long.
const maxSegments = 32

// segmentBelow looks for a segment that is hidden: in the newest version of its
// length, which may be the writer's own above a delete marker, then from the
// oldest one on, since it was there before what hides it.
func (r *Reader) segmentBelow(ctx context.Context, v *seal.Verified, name string, altered *AlteredError) ([]byte, store.Info, error) {
	fits := func(info store.Info) bool { return !info.DeleteMarker && info.Size == v.Size }
	c, err := r.versions(ctx, name, fits, maxSegments)
	if err != nil {
		return nil, store.Info{}, err
	}
	all := c.kept(maxSegments)
	altered.Got, altered.Unread = nil, c.fitting // All are read again.
	removed := 0
	for _, e := range inOrder(all) {
		b, _, err := r.segment(ctx, v, e.info, altered)
		switch {
		case errors.Is(err, store.ErrNotFound):
			removed++ // Since it was listed.
		case err != nil:
			return nil, e.info, err
		case b != nil:
			r.tellAbove(all, e, c.fitting > maxSegments)
			return b, e.info, nil
		}
		altered.Unread--
	}
	if c.markers+removed == c.count {
		return nil, store.Info{}, fmt.Errorf("%w: %s has delete markers only", store.ErrNotFound, name)
	}
	return nil, store.Info{}, altered
}

// inOrder are the versions that fit, in the order in which they are read.
func inOrder(all []listed) (fit []listed) {
	for _, e := range all {
		if e.fits {
			fit = append(fit, e)
		}
	}
	if len(fit) > 1 {
		slices.Reverse(fit[1:])
	}
	return fit
}

// tellAbove tells of what lies above the genuine version. What has its length is
// not all read.
func (r *Reader) tellAbove(all []listed, genuine listed, flooded bool) {
	if flooded {
		r.tell(Notice{Flood, genuine.info.Name, ""})
	}
	for _, e := range all {
		if e.at >= genuine.at {
			return
		}
		kind := Shadow
		if e.info.DeleteMarker {
			kind = Marker
		}
		r.tell(Notice{kind, e.info.Name, e.info.Version})
	}
}

// steady accuses only if two reads gave the same bytes: a passing fault is no
// tampering.
func (e *AlteredError) steady(before *AlteredError) error {
	if len(e.Got) != len(before.Got) || len(e.Got) > 0 && e.Got[0] != before.Got[0] {
		return fmt.Errorf("%w: two reads of %s gave different bytes; check the disk and its cable", store.ErrUnavailable, e.Object)
	}
	return e
}
