package azblobstore

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"

	"github.com/otelcol-custody/custody/store"
)

// expressible refuses what no policy can say.
func expressible(r store.Retention) error {
	if r.Mode > store.ModeCompliance || (r.Mode == store.ModeNone) != r.Until.IsZero() {
		return fmt.Errorf("%w: mode %v until %v: a policy needs both a mode and a date", store.ErrRetention, r.Mode, r.Until)
	}
	return nil
}

// setting is the service's name of a mode.
func setting(m store.Mode) blob.ImmutabilityPolicySetting {
	if m == store.ModeCompliance {
		return blob.ImmutabilityPolicySettingLocked
	}
	return blob.ImmutabilityPolicySettingUnlocked
}

// wholeSeconds rounds up: the service's dates have no parts of seconds, and
// what was asked for must be covered.
func wholeSeconds(t time.Time) time.Time {
	return t.UTC().Add(time.Second - 1).Truncate(time.Second)
}

// retention reads what the service reports. A mode without a date, or one
// that it calls mutable, binds nothing.
func retention(mode string, until *time.Time, hold bool) store.Retention {
	r := store.Retention{LegalHold: hold}
	if until == nil {
		return r
	}
	switch strings.ToLower(mode) {
	case "locked":
		r.Mode, r.Until = store.ModeCompliance, until.UTC()
	case "unlocked":
		r.Mode, r.Until = store.ModeGovernance, until.UTC()
	}
	return r
}

// took reads back what became of the retention sent with a new blob.
func (s *Store) took(ctx context.Context, name, version string, want store.Retention) (store.Retention, error) {
	info, err := s.stat(ctx, name, version)
	if err != nil {
		return store.Retention{}, err
	}
	got := info.Retention
	if got.Mode == store.ModeNone && want.Mode != store.ModeNone || want.LegalHold && !got.LegalHold {
		return got, fmt.Errorf("%w: the store took %s and dropped its immutability policy or legal hold; %s", store.ErrRetention, name, wormHint)
	}
	return s.extend(ctx, name, info, want)
}

// Extend implements [store.Retainer]. Two callers that prolong one unlocked
// policy at the same moment may leave the shorter date, since the service has
// no condition for it; a locked policy it never shortens.
func (s *Store) Extend(ctx context.Context, name, version string, r store.Retention) (store.Retention, error) {
	if err := s.writable(ctx, name); err != nil {
		return store.Retention{}, err
	}
	info, err := s.stat(ctx, name, version)
	if err != nil {
		return store.Retention{}, err
	}
	return s.extend(ctx, name, info, r)
}

// extend writes only what is missing, and looks what became of it.
func (s *Store) extend(ctx context.Context, name string, info store.Info, r store.Retention) (store.Retention, error) {
	now := info.Retention
	if now.Covers(r) {
		return now, nil
	}
	want := now.Join(r)
	if err := expressible(want); err != nil {
		return now, err
	}
	// The service refuses some calls that name the current version. Should
	// another become current meanwhile, reading back the right one shows it.
	at := info.Version
	if info.Latest {
		at = ""
	}
	client, err := s.blob(name, at)
	if err != nil {
		return now, err
	}
	if want.Mode != now.Mode || want.Until.After(now.Until) {
		_, err := client.SetImmutabilityPolicy(ctx, wholeSeconds(want.Until), &blob.SetImmutabilityPolicyOptions{Mode: to.Ptr(setting(want.Mode))})
		if err != nil {
			return now, s.lockError(ctx, name, err)
		}
	}
	if want.LegalHold && !now.LegalHold {
		if _, err := client.SetLegalHold(ctx, true, nil); err != nil {
			return now, s.lockError(ctx, name, err)
		}
	}
	if info, err = s.stat(ctx, name, info.Version); err != nil {
		return now, err
	}
	if !info.Retention.Covers(r) {
		return info.Retention, fmt.Errorf("%w: the store answered that %s is retained and keeps less; %s", store.ErrRetention, name, wormHint)
	}
	return info.Retention, nil
}

func (s *Store) lockError(ctx context.Context, name string, err error) error {
	if ctx.Err() == nil && refusesRetention(err) {
		return fmt.Errorf("retain %s: %w: the service refuses the immutability policy or legal hold; %s (%s)", name, store.ErrRetention, wormHint, said(err))
	}
	return s.fail(ctx, "retain "+name, err)
}

// CheckLock implements [store.Retainer]. What account and container give by
// default cannot be asked for with a store's credentials (it belongs to Azure's
// resource manager), so the Default is always zero.
func (s *Store) CheckLock(ctx context.Context, mode store.Mode) (store.Default, error) {
	if err := s.usable(ctx); err != nil {
		return store.Default{}, err
	}
	p, err := s.client.GetProperties(ctx, nil)
	if err != nil {
		// A SAS for the container's blobs cannot read its properties.
		if err = s.fail(ctx, "check container "+s.container, err); s.readOnly || !errors.Is(err, store.ErrDenied) {
			return store.Default{}, err
		}
	}
	if mode == store.ModeNone {
		return store.Default{}, nil
	}
	if s.readOnly {
		if !value(p.IsImmutableStorageWithVersioningEnabled) {
			return store.Default{}, fmt.Errorf("%w: container %s has no version-level immutability; %s", store.ErrRetention, s.container, wormHint)
		}
		return store.Default{}, nil
	}
	return store.Default{}, s.probeLock(ctx, mode, value(p.HasImmutabilityPolicy))
}
