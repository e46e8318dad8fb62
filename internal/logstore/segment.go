package logstore

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/otelcol-custody/custody/ledger/seal"
	"github.com/otelcol-custody/custody/store"
)

// Segment reads the segment that a seal names, from whichever version has its
// bytes, and says where it was found. It returns store.ErrNotFound if the store
// has nothing there any more, and an [AlteredError] if only other bytes are
// there, also when they are read again. It takes one request if nothing hides it.
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

// segmentBelow looks through all versions of a segment that is hidden.
func (r *Reader) segmentBelow(ctx context.Context, v *seal.Verified, name string, altered *AlteredError) ([]byte, store.Info, error) {
	all, err := r.versioned.Versions(ctx, name)
	if err != nil {
		return nil, store.Info{}, err
	}
	altered.Got = nil // All are read again.
	var above []Notice
	others := 0
	for _, info := range all {
		if info.DeleteMarker {
			above = append(above, Notice{Marker, name, info.Version})
			continue
		}
		if info.Size != v.Size {
			others++
			above = append(above, Notice{Shadow, name, info.Version})
			continue
		}
		b, _, err := r.segment(ctx, v, info, altered)
		if errors.Is(err, store.ErrNotFound) {
			continue // Removed since it was listed.
		}
		if err != nil {
			return nil, info, err
		}
		if b != nil {
			for _, n := range above {
				r.tell(n)
			}
			return b, info, nil
		}
		others++
		above = append(above, Notice{Shadow, name, info.Version})
	}
	if others == 0 {
		return nil, store.Info{}, fmt.Errorf("%w: %s has delete markers only", store.ErrNotFound, name)
	}
	return nil, store.Info{}, altered
}

// steady accuses only if two reads gave the same bytes: a passing fault is no
// tampering.
func (e *AlteredError) steady(before *AlteredError) error {
	if len(e.Got) != len(before.Got) || len(e.Got) > 0 && e.Got[0] != before.Got[0] {
		return fmt.Errorf("%w: two reads of %s gave different bytes; check the disk and its cable", store.ErrUnavailable, e.Object)
	}
	return e
}
