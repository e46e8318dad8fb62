package s3store

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/otelcol-custody/custody/store"
)

// probeFolder holds what the store puts to see how the bucket behaves: no
// valid name, so no listing shows it. There is one object a day of each kind,
// since a bucket that locks keeps them, and more only if that one isn't as it
// should be.
const probeFolder = ".custody/"

const probeText = "custody looks at what this store does with an object\n"

func probeName(kind string) string {
	return probeFolder + kind + "-" + time.Now().UTC().Format(time.DateOnly)
}

func newProbe(kind string, keep store.Retention) *write {
	w := &write{name: probeName(kind), data: []byte(probeText), keep: keep}
	w.sum = sha256.Sum256(w.data)
	return w
}

// reach finds out whether the bucket is there and can be read.
func (s *Store) reach(ctx context.Context) error {
	in := s.page("")
	in.MaxKeys = aws.Int32(1)
	_, err := s.client.ListObjectsV2(ctx, in)
	return s.fail(ctx, listing, "", err)
}

// probe puts one object twice. The second time, which may be the first one
// today, must be refused.
func (s *Store) probe(ctx context.Context) error {
	if err := s.reach(ctx); err != nil {
		return err
	}
	w := newProbe("probe", store.Retention{})
	if s.opt.ReadFirst {
		if _, err := s.head(ctx, w.name, "", false); !errors.Is(err, store.ErrNotFound) {
			return err
		}
		_, err := s.put(ctx, w, false)
		return err
	}
	stored := 0
	for try := 1; try <= conflictTries; try++ {
		_, err := s.put(ctx, w, true)
		switch {
		case hasCode(err, codeTaken):
			return s.probeParts(ctx, w)
		case hasStatus(err, 501):
			return s.unconditional(fmt.Sprintf("it refuses conditional writes: %v", err))
		case hasStatus(err, 409):
			if err := sleep(ctx, pause(try)); err != nil {
				return err
			}
		case err != nil:
			return err
		case stored > 0:
			return s.unconditional("it ignores If-None-Match and replaced an object")
		default:
			stored++
		}
	}
	return fmt.Errorf("%w: %s answers a conditional write with a conflict each time", store.ErrUnavailable, s.id)
}

// probeParts sees whether the end of a multipart upload is refused too, where
// it isn't known.
func (s *Store) probeParts(ctx context.Context, w *write) error {
	if !s.compatible() {
		return nil
	}
	_, err := s.upload(ctx, w, true)
	switch {
	case err == nil:
		return s.unconditional("it ignores If-None-Match when a multipart upload ends, and replaced an object")
	case hasStatus(err, 501):
		return s.unconditional(fmt.Sprintf("it refuses conditional multipart uploads: %v", err))
	case hasCode(err, codeTaken) || hasStatus(err, 409):
		return nil
	}
	return err
}

// compatible reports whether the store isn't Amazon's own.
func (s *Store) compatible() bool { return s.client.Options().BaseEndpoint != nil }

func (s *Store) unconditional(why string) error {
	return fmt.Errorf("%w: conditional_writes: %s does not create objects only once: %s; set conditional_writes: read_first to run in the weaker mode, see docs/stores.md",
		store.ErrUnfit, s.id, why)
}

// CheckLock implements [store.Retainer]. Besides asking for the settings it
// locks two small objects for a day, one put at once and one in parts, and
// reads back what became of the locks: there are stores that ignore those of
// one kind without a word.
//
// Where an endpoint is set it then tries to delete the very versions that it
// locked, and to shorten their locks, without bypass, which must be refused: a
// lock that doesn't hold is none. On AWS itself it doesn't: there the lock
// needs no proof, the writer's policy should deny the delete anyway, and denied
// calls ring alarms.
func (s *Store) CheckLock(ctx context.Context, mode store.Mode) (store.Default, error) {
	if err := s.usable(ctx); err != nil {
		return store.Default{}, err
	}
	rule, asked := s.lockRule(ctx)
	hidden := hasCode(asked, codeDenied)
	if hidden && !s.opt.ReadOnly {
		asked = nil // what the bucket does says more than its settings
	}
	if asked != nil || s.opt.ReadOnly || mode == store.ModeNone {
		return rule, asked
	}
	for _, kind := range []string{"single", "parts"} {
		err := s.tryLock(ctx, mode, kind)
		if hidden && errors.Is(err, store.ErrDenied) {
			return rule, fmt.Errorf("neither the settings (%s) nor a try tell whether %s locks: %w", askingRule.permission, s.id, err)
		}
		if err != nil {
			return rule, err
		}
	}
	return rule, nil
}

// lockRule asks for the bucket's default retention.
func (s *Store) lockRule(ctx context.Context) (store.Default, error) {
	out, err := s.client.GetObjectLockConfiguration(ctx, &s3.GetObjectLockConfigurationInput{
		Bucket: s.bucket(), ExpectedBucketOwner: s.owner(),
	})
	if err != nil {
		return store.Default{}, s.fail(ctx, askingRule, "", err)
	}
	c := out.ObjectLockConfiguration
	if c == nil || c.ObjectLockEnabled != types.ObjectLockEnabledEnabled {
		return store.Default{}, fmt.Errorf("%w: %s%s", store.ErrRetention, s.id, lockHint)
	}
	s.locks.Store(true)
	if c.Rule == nil || c.Rule.DefaultRetention == nil {
		return store.Default{}, nil
	}
	r := c.Rule.DefaultRetention
	// As many days as so many years can have: some stores count by the
	// calendar, and what is told must not be shorter than what they do.
	days := aws.ToInt32(r.Days) + (1461*aws.ToInt32(r.Years)+3)/4
	return store.Default{Mode: parseMode(string(r.Mode)), For: time.Duration(days) * 24 * time.Hour}, nil
}

// tryLock locks a small object and sees what becomes of that.
func (s *Store) tryLock(ctx context.Context, mode store.Mode, kind string) error {
	keep, err := whole(store.Retention{Mode: mode, Until: time.Now().Add(24 * time.Hour)})
	if err != nil {
		return err
	}
	w := newProbe("lock-"+mode.String()+"-"+kind, keep)
	was, err := s.head(ctx, w.name, "", false)
	if err == nil && was.Retention.Mode >= mode && was.Retention.Until.After(time.Now().Add(2*time.Hour)) {
		// It was put today. Whether its lock holds is tried again: else a
		// store that failed would pass at the next start.
		return s.tryBreak(ctx, w.name, was.Version, was.Retention)
	}
	if !errors.Is(err, store.ErrNotFound) {
		// An earlier try before the bucket was mended, or somebody planted
		// it: what lies there must not keep anybody from starting.
		w.name = afresh(w.name)
		if _, err := s.head(ctx, w.name, "", false); err == nil {
			return fmt.Errorf("%w: %s answers for objects that cannot be there", store.ErrUnavailable, s.id)
		} else if !errors.Is(err, store.ErrNotFound) {
			return err // It isn't about one object.
		}
	}
	version, err := s.putProbe(ctx, w, kind)
	if hasCode(err, codeTaken) { // by another process, or by a delete marker
		w.name = afresh(w.name)
		version, err = s.putProbe(ctx, w, kind)
	}
	if err != nil {
		return err
	}
	if _, err := s.confirm(ctx, w, version); err != nil {
		return fmt.Errorf("%s: %w", lockTried[kind], err)
	}
	return s.tryBreak(ctx, w.name, version, keep)
}

// afresh makes a name that nobody can have taken.
func afresh(name string) string { return name + "-" + rand.Text() }

func (s *Store) putProbe(ctx context.Context, w *write, kind string) (string, error) {
	if kind == "parts" {
		return s.upload(ctx, w, !s.opt.ReadFirst)
	}
	return s.put(ctx, w, !s.opt.ReadFirst)
}

var lockTried = map[string]string{
	"single": "the lock of an object put at once",
	"parts":  "the lock of an object put in parts (multipart upload)",
}

// tryBreak wants to be refused.
func (s *Store) tryBreak(ctx context.Context, name, version string, lock store.Retention) error {
	if !s.compatible() {
		return nil
	}
	_, err := s.client.DeleteObject(ctx, &s3.DeleteObjectInput{
		Bucket: s.bucket(), Key: s.key(name), VersionId: optional(version), ExpectedBucketOwner: s.owner(), RequestPayer: s.payer(),
	})
	if err := s.refused(ctx, name, err, "deleted an object that it had locked"); err != nil {
		return err
	}
	lock.Until = lock.Until.Add(-time.Hour)
	err = s.setRetention(ctx, name, version, lock)
	return s.refused(ctx, name, err, "let a lock be shortened")
}

// refused makes an error of a success.
func (s *Store) refused(ctx context.Context, name string, err error, did string) error {
	err = s.fail(ctx, breaking, name, err)
	switch {
	case err == nil:
		return fmt.Errorf("%w: %s %s (%s); its locks hold nothing", store.ErrRetention, s.id, did, name)
	case errors.Is(err, store.ErrUnavailable) && !unknownRefusal(err), ctx.Err() != nil:
		return err // neither yes nor no
	}
	return nil
}
