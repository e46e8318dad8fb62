package transfer

import (
	"context"
	"errors"
	"fmt"

	"github.com/otelcol-custody/custody/store"
)

// Retain extends the retention of everything that a store has of logs: all
// versions of segments, tiles and seals, whoever wrote them, since only a key
// tells which are genuine. It never shortens one. With dryRun it changes
// nothing: Objects and Bytes are what it would ask the store to extend.
func Retain(ctx context.Context, s store.Retainer, r store.Retention, dryRun bool, opt Options) (*Result, error) {
	do := func(ctx context.Context, it item) (o outcome, errs error) {
		for _, info := range it.there { // One that fails does not keep the genuine one from it.
			if info.DeleteMarker {
				continue
			}
			extended, err := retainVersion(ctx, s, info, r, dryRun)
			if err != nil {
				errs = errors.Join(errs, fmt.Errorf("version %q: %w", info.Version, err))
				continue
			}
			if !extended {
				o.skipped++
				continue
			}
			o.objects++
			o.bytes += uint64(info.Size)
		}
		return o, errs
	}
	return each(ctx, s, opt, func(log string) (*Report, error) {
		c := newCourse(ctx, log, opt, do)
		c.strangers(s)
		for _, f := range folders {
			c.queue(items(c.ctx, s, log, f, "", c.foreign))
		}
		return c.finish()
	})
}

// retainVersion extends one version and says whether there was anything to extend.
// Not every listing tells the retention: to extend by nothing does.
func retainVersion(ctx context.Context, s store.Retainer, info store.Info, r store.Retention, dryRun bool) (bool, error) {
	now := info.Retention
	if now.IsZero() {
		var err error
		if now, err = s.Extend(ctx, info.Name, info.Version, store.Retention{}); err != nil {
			return false, err
		}
	}
	if now.Covers(r) {
		return false, nil
	}
	if !dryRun {
		if _, err := s.Extend(ctx, info.Name, info.Version, r); err != nil {
			return false, err
		}
	}
	return true, nil
}
