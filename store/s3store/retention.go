package s3store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/otelcol-custody/custody/store"
)

// whole rounds a retention up to what S3 can express: whole seconds, and mode
// and date only together.
func whole(r store.Retention) (store.Retention, error) {
	switch {
	case r.Mode > store.ModeCompliance:
		return r, fmt.Errorf("%w: unknown mode %d", store.ErrRetention, r.Mode)
	case (r.Mode == store.ModeNone) != r.Until.IsZero():
		return r, fmt.Errorf("%w: S3 wants a mode and a date together, got mode %v until %v", store.ErrRetention, r.Mode, r.Until)
	}
	if !r.Until.IsZero() {
		r.Until = r.Until.Add(time.Second - 1).Truncate(time.Second).UTC()
	}
	return r, nil
}

// lockable refuses a retention that the store would refuse: versitygw stores
// the object before it says so. The bucket's setting is asked for once.
func (s *Store) lockable(ctx context.Context, keep store.Retention) error {
	if keep.Mode != store.ModeNone && !keep.Until.After(time.Now()) {
		return fmt.Errorf("%w: %s: the retention would end in the past, on %s", store.ErrRetention, s.id, keep.Until.Format(time.RFC3339))
	}
	if keep.IsZero() || s.locks.Load() {
		return nil
	}
	_, err := s.lockRule(ctx)
	if errors.Is(err, store.ErrRetention) || errors.Is(err, store.ErrUnavailable) && !unknownRefusal(err) || ctx.Err() != nil {
		return err
	}
	s.locks.Store(true) // or the setting cannot be read, and the lock is
	return nil
}

// lockFields are a retention as requests carry it.
func lockFields(r store.Retention) (types.ObjectLockMode, *time.Time, types.ObjectLockLegalHoldStatus) {
	var mode types.ObjectLockMode
	var until *time.Time
	var hold types.ObjectLockLegalHoldStatus
	if r.Mode != store.ModeNone {
		mode, until = types.ObjectLockMode(lockMode(r.Mode)), aws.Time(r.Until)
	}
	if r.LegalHold {
		hold = types.ObjectLockLegalHoldStatusOn
	}
	return mode, until, hold
}

func lockMode(m store.Mode) types.ObjectLockRetentionMode {
	if m == store.ModeCompliance {
		return types.ObjectLockRetentionModeCompliance
	}
	return types.ObjectLockRetentionModeGovernance
}

// parseMode knows no mode but those two: another one binds no one here.
func parseMode(mode string) store.Mode {
	switch mode {
	case string(types.ObjectLockModeCompliance):
		return store.ModeCompliance
	case string(types.ObjectLockModeGovernance):
		return store.ModeGovernance
	}
	return store.ModeNone
}

func parseLock(mode types.ObjectLockMode, until *time.Time, hold types.ObjectLockLegalHoldStatus) store.Retention {
	r := store.Retention{Mode: parseMode(string(mode)), LegalHold: hold == types.ObjectLockLegalHoldStatusOn}
	if r.Mode != store.ModeNone && until != nil {
		r.Until = until.UTC()
	}
	return r
}

// Extend implements [store.Retainer]. No request claims the right to bypass
// governance, so where a store takes that for making governance compliance,
// the answer is [store.ErrRetention].
func (s *Store) Extend(ctx context.Context, name, version string, r store.Retention) (store.Retention, error) {
	if err := s.ready(ctx, name); err != nil {
		return store.Retention{}, err
	}
	more, err := whole(r)
	if err != nil {
		return store.Retention{}, fmt.Errorf("retain %s in %s: %w", name, s.id, err)
	}
	info, err := s.head(ctx, name, version, false)
	if err != nil {
		return store.Retention{}, err
	}
	now := info.Retention
	if now.Covers(more) {
		return now, nil
	}
	if s.opt.ReadOnly {
		return now, fmt.Errorf("%w: retain %s in %s", store.ErrReadOnly, name, s.id)
	}
	// From here on it is this version, whatever is written above it.
	version = info.Version
	if err := s.retain(ctx, name, version, now, now.Join(more)); err != nil {
		return now, err
	}
	if info, err = s.head(ctx, name, version, false); err != nil {
		return now, err
	}
	if !info.Retention.Covers(more) {
		return info.Retention, s.uncovered(ctx, name, version, info.Retention, more)
	}
	return info.Retention, nil
}

// retain sets what want has more than now.
func (s *Store) retain(ctx context.Context, name, version string, now, want store.Retention) error {
	if want.Mode != now.Mode || !want.Until.Equal(now.Until) {
		err := s.setRetention(ctx, name, version, want)
		if err := s.fail(ctx, retaining, name, err); err != nil {
			return stricter(err, now, want)
		}
	}
	if want.LegalHold && !now.LegalHold {
		_, err := s.client.PutObjectLegalHold(ctx, &s3.PutObjectLegalHoldInput{
			Bucket: s.bucket(), Key: s.key(name), VersionId: optional(version), ExpectedBucketOwner: s.owner(), RequestPayer: s.payer(),
			ChecksumAlgorithm: types.ChecksumAlgorithmSha256,
			LegalHold:         &types.ObjectLockLegalHold{Status: types.ObjectLockLegalHoldStatusOn},
		})
		return s.fail(ctx, holding, name, err)
	}
	return nil
}

// setRetention sets mode and date as they are given.
func (s *Store) setRetention(ctx context.Context, name, version string, r store.Retention) error {
	_, err := s.client.PutObjectRetention(ctx, &s3.PutObjectRetentionInput{
		Bucket: s.bucket(), Key: s.key(name), VersionId: optional(version), ExpectedBucketOwner: s.owner(), RequestPayer: s.payer(),
		ChecksumAlgorithm: types.ChecksumAlgorithmSha256,
		Retention:         &types.ObjectLockRetention{Mode: lockMode(r.Mode), RetainUntilDate: aws.Time(r.Until)},
	})
	return err
}

// stricter explains a refused change from governance to compliance, which
// looks like any other refusal.
func stricter(err error, now, want store.Retention) error {
	refused := errors.Is(err, store.ErrDenied) || errors.Is(err, store.ErrRetention) || hasStatus(err, 400)
	if !refused || now.Mode != store.ModeGovernance || want.Mode != store.ModeCompliance {
		return err
	}
	return fmt.Errorf("%w: the store doesn't make governance compliance without the right to bypass governance, which custody never claims; objects need mode: compliance from the start: %v",
		store.ErrRetention, err)
}

// uncovered says what became of a lock that was asked for: the caller may be
// forbidden to see it, or the store dropped or weakened it.
func (s *Store) uncovered(ctx context.Context, name, version string, got, want store.Retention) error {
	if err := s.unseen(ctx, name, version, got, want); err != nil {
		return fmt.Errorf("whether %s is locked cannot be seen (s3:GetObjectRetention and s3:GetObjectLegalHold are needed): %w", name, err)
	}
	return fmt.Errorf("%w: %s in %s was to be retained by %s, and the store made it %s; this store does not keep locks",
		store.ErrRetention, name, s.id, words(want), words(got))
}

// unseen asks for what wasn't seen, and returns why the caller may not see it
// or the store cannot say now: S3 leaves out of an answer what the caller has
// no right to.
func (s *Store) unseen(ctx context.Context, name, version string, got, want store.Retention) error {
	hidden := func(err error) bool {
		return errors.Is(err, store.ErrDenied) || errors.Is(err, store.ErrUnavailable) && !unknownRefusal(err) || ctx.Err() != nil
	}
	if got.Mode == store.ModeNone && want.Mode != store.ModeNone {
		_, err := s.client.GetObjectRetention(ctx, &s3.GetObjectRetentionInput{
			Bucket: s.bucket(), Key: s.key(name), VersionId: optional(version), ExpectedBucketOwner: s.owner(), RequestPayer: s.payer(),
		})
		if err := s.fail(ctx, askingLock, name, err); hidden(err) {
			return err
		}
	}
	if want.LegalHold && !got.LegalHold {
		_, err := s.client.GetObjectLegalHold(ctx, &s3.GetObjectLegalHoldInput{
			Bucket: s.bucket(), Key: s.key(name), VersionId: optional(version), ExpectedBucketOwner: s.owner(), RequestPayer: s.payer(),
		})
		if err := s.fail(ctx, askingHold, name, err); hidden(err) {
			return err
		}
	}
	return nil
}

// words describes a retention in messages.
func words(r store.Retention) string {
	text := "nothing"
	if r.Mode != store.ModeNone {
		text = fmt.Sprintf("%v until %s", r.Mode, r.Until.Format(time.RFC3339))
	}
	if r.LegalHold {
		text += " with a legal hold"
	}
	return text
}
