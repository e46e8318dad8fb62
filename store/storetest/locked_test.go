package storetest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/otelcol-custody/custody/store"
)

const (
	smallLarge = 64 << 10 // Caps.Large here
	multipart  = 32 << 10 // from this size on, a lying bucket uploads in parts
)

var errLocked = errors.New("locked")

// bucket is a store in memory whose owner is refused what a lock forbids,
// unless it lies.
type bucket struct {
	*Memory
	lie string
}

func (b *bucket) PutOnce(ctx context.Context, name string, data []byte, opt store.PutOptions) (store.Info, error) {
	if b.lie == "forgets retention" || b.lie == "forgets it on large objects" && len(data) >= multipart {
		opt = store.PutOptions{}
	}
	return b.Memory.PutOnce(ctx, name, data, opt)
}

func (b *bucket) CheckLock(ctx context.Context, mode store.Mode) (store.Default, error) {
	if b.lie == "leaves its probe in sight" {
		_, _ = b.Memory.PutOnce(ctx, "probe", nil, store.PutOptions{}) // The part sees it in the listing.
	}
	return b.Memory.CheckLock(ctx, mode)
}

func (b *bucket) Extend(ctx context.Context, name, version string, r store.Retention) (store.Retention, error) {
	if b.lie == "says that it extends" {
		if _, err := b.Stat(ctx, name); err != nil {
			return store.Retention{}, err
		}
		return r, nil
	}
	return b.Memory.Extend(ctx, name, version, r)
}

func (b *bucket) Versions(ctx context.Context, name string) ([]store.Info, error) {
	infos, err := b.Memory.Versions(ctx, name)
	if b.lie == "lists no delete markers" {
		infos = slices.DeleteFunc(infos, func(i store.Info) bool { return i.DeleteMarker })
	}
	return infos, err
}

func (b *bucket) ListVersions(ctx context.Context, prefix, after string) iter.Seq2[store.Info, error] {
	return func(yield func(store.Info, error) bool) {
		for info, err := range b.Memory.ListVersions(ctx, prefix, after) {
			if b.lie == "lists no delete markers" && info.DeleteMarker {
				continue
			}
			if !yield(info, err) {
				return
			}
		}
	}
}

// at returns the retention of a version.
func (b *bucket) at(name, version string) *store.Retention {
	n, _ := strconv.Atoi(version)
	return &b.objects[name][n-1].info.Retention
}

func (b *bucket) remove(name, version string, bypass bool) error {
	if version == "" {
		b.Hide(name)
		return nil
	}
	if len(b.objects[name]) == 0 {
		return nil // Removed before, which is no error on S3.
	}
	r := *b.at(name, version)
	held := r.LegalHold && b.lie != "ignores holds"
	kept := r.Until.After(time.Now()) && b.lie != "deletes what is locked"
	if bypass && (r.Mode < store.ModeCompliance || b.lie == "lets compliance be bypassed") {
		kept = false
	}
	if held || kept {
		return errLocked
	}
	b.Erase(name)
	return nil
}

func (b *bucket) overwrite(name string, data []byte) {
	if b.lie == "overwrites what is locked" {
		b.objects[name][0].data = data
		return
	}
	b.Shadow(name, data)
}

func (b *bucket) retain(name, version string, r store.Retention) error {
	now := b.at(name, version)
	if !r.Covers(*now) && b.lie != "shortens" {
		return errLocked
	}
	*now = r
	return nil
}

// openBucket returns a bucket, and what its owner can do.
func openBucket(lie string) (Locked, Attacker) {
	b := &bucket{NewMemory("test"), lie}
	return b, Attacker{
		Delete:    func(_ context.Context, name, version string) error { return b.remove(name, version, false) },
		Bypass:    func(_ context.Context, name, version string) error { return b.remove(name, version, true) },
		Overwrite: func(_ context.Context, name string, data []byte) error { b.overwrite(name, data); return nil },
		Retain: func(_ context.Context, name, version string, r store.Retention) error {
			return b.retain(name, version, r)
		},
	}
}

func TestLockedInMemory(t *testing.T) {
	RunLocked(t, func(*testing.T) (Locked, Attacker) { return openBucket("") }, Caps{Large: smallLarge})
}

func (r *recorder) Fatalf(format string, args ...any) {
	r.Errorf(format, args...)
	runtime.Goexit()
}

func (r *recorder) Error(args ...any) { r.Errorf("%s", fmt.Sprint(args...)) }

func (r *recorder) Fatal(args ...any) { r.Fatalf("%s", fmt.Sprint(args...)) }

// failedParts returns what each part of RunLocked says against a bucket that lies.
func failedParts(t *testing.T, lie string) map[string][]string {
	failed := map[string][]string{}
	for _, part := range lockedParts {
		r, done := &recorder{TB: t}, make(chan struct{})
		go func() { // Of its own: Fatalf ends it.
			defer close(done)
			s, a := openBucket(lie)
			part.run(r, s, a, Caps{Large: smallLarge})
		}()
		<-done
		if len(r.said) > 0 {
			failed[part.name] = r.said
		}
	}
	return failed
}

// Each part must be able to fail, for the lie that it is there to find.
func TestLockedSeesLies(t *testing.T) {
	found := map[string]bool{}
	for _, c := range []struct{ lie, part, says string }{
		{"leaves its probe in sight", "LockChecked", "after CheckLock the store lists"},
		{"forgets retention", "LockSet", "want at least"},
		{"forgets it on large objects", "LockSetOnLarge", "a large locked object was deleted"},
		{"deletes what is locked", "LockRefusesDelete", "retained by compliance was deleted"},
		{"lets compliance be bypassed", "LockRefusesBypass", "by bypassing governance"},
		{"shortens", "LockRefusesShorter", "the retention could be set to"},
		{"overwrites what is locked", "LockSurvivesOverwrite", "want the 7 that were stored"},
		{"lists no delete markers", "LockSurvivesDeleteMarker", "want a delete marker above the object"},
		{"says that it extends", "LockExtends", "want at least"},
		{"ignores holds", "LegalHold", "under legal hold was deleted"},
	} {
		failed := failedParts(t, c.lie)
		if said := strings.Join(failed[c.part], "\n"); !strings.Contains(said, c.says) {
			t.Errorf("%s: a bucket that %s gets %q, want %q", c.part, c.lie, said, c.says)
		}
		found[c.part] = true
	}
	for _, part := range lockedParts {
		if !found[part.name] {
			t.Errorf("no lie shows that %s can fail", part.name)
		}
	}
	if failed := failedParts(t, ""); len(failed) > 0 {
		t.Errorf("an honest bucket fails: %v", failed)
	}
}
