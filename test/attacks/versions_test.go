package attacks

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"testing"
	"time"

	"github.com/otelcol-custody/custody/ledger"
	"github.com/otelcol-custody/custody/store"
	"github.com/otelcol-custody/custody/store/storetest"
)

// A vault is a store with versions and locks, in memory, whose retention an
// attacker can change: what a privileged account can do to a bucket in
// governance mode. The locks themselves are tried on real servers elsewhere
// (docs/conformance.md).
type vault struct {
	*storetest.Memory
	lifted map[string]store.Retention // by name, instead of what was asked for
	// rules are what the bucket gives by itself; unlocked: it cannot lock at all.
	rules    store.Default
	unlocked error
}

// CheckLock implements [store.Retainer].
func (v *vault) CheckLock(ctx context.Context, _ store.Mode) (store.Default, error) {
	return v.rules, errors.Join(ctx.Err(), v.unlocked)
}

func (v *vault) say(info store.Info) store.Info {
	if r, ok := v.lifted[info.Name]; ok {
		info.Retention = r
	}
	return info
}

// Stat implements [store.Store].
func (v *vault) Stat(ctx context.Context, name string) (store.Info, error) {
	info, err := v.Memory.Stat(ctx, name)
	return v.say(info), err
}

// Versions implements [store.Store].
func (v *vault) Versions(ctx context.Context, name string) ([]store.Info, error) {
	all, err := v.Memory.Versions(ctx, name)
	for i := range all {
		all[i] = v.say(all[i])
	}
	return all, err
}

// List implements [store.Store].
func (v *vault) List(ctx context.Context, prefix, after string) iter.Seq2[store.Info, error] {
	return v.each(v.Memory.List(ctx, prefix, after))
}

// ListVersions implements [store.Versioned].
func (v *vault) ListVersions(ctx context.Context, prefix, after string) iter.Seq2[store.Info, error] {
	return v.each(v.Memory.ListVersions(ctx, prefix, after))
}

func (v *vault) each(all iter.Seq2[store.Info, error]) iter.Seq2[store.Info, error] {
	return func(yield func(store.Info, error) bool) {
		for info, err := range all {
			if !yield(v.say(info), err) {
				return
			}
		}
	}
}

// keepUntil is the retention of every object in the vault.
var keepUntil = store.Retention{Mode: store.ModeCompliance, Until: time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC), LegalHold: true}

// inVault is the log in a store with versions, locked.
func inVault(t testing.TB) *scene {
	s := inStore(t)
	s.vault = &vault{Memory: storetest.NewMemory("vault"), lifted: map[string]store.Retention{}}
	for name, b := range s.store {
		_, err := s.vault.PutOnce(context.Background(), name, b, store.PutOptions{Retention: keepUntil})
		must(t, err)
	}
	s.store = nil
	return s
}

// lift changes what an object's retention is.
func (s *scene) lift(name string, change func(*store.Retention)) {
	r := keepUntil
	change(&r)
	s.vault.lifted[name] = r
}

const (
	genuineBelow = "not: fetch copied the genuine version from below; the copy verifies"
	noRetention  = "not: it does not ask for retention"
)

// versionAttacks hide or unlock what cannot be deleted.
func versionAttacks() family {
	hidden := func(code string, place int) map[string]string {
		return map[string]string{verifier: genuineBelow, fetcher: fmt.Sprintf("%s %d", code, place)}
	}
	unlocked := map[string]string{verifier: noRetention, fetcher: noRetention, storeReader: noRetention}
	junk := bytes.Repeat([]byte("squatter\n"), 100)
	return family{
		name: "versions", title: "Versions and locks", set: inVault,
		about: "On S3 and Azure a lock keeps a version and not its name: later versions and delete markers hide it. custody verify judges the copy that otelcol-custody fetch made.",
		all: []attack{
			{name: "lay an altered version over a segment", who: locked, want: "shadow 7", says: hidden("shadowed", 7),
				do: func(s *scene) { s.vault.Shadow(s.segment(2), flip(0.7)(bytes.Clone(s.log.Segments[2].Object))) }},
			{name: "lay an empty version over a segment", who: locked, want: "shadow 7", says: hidden("shadowed", 7),
				do: func(s *scene) { s.vault.Shadow(s.segment(2), nil) }},
			{name: "lay rubbish over a seal", who: locked, want: "shadow 7", says: map[string]string{fetcher: "shadowed 7", verifier: "foreign-object 7"},
				do: func(s *scene) { s.vault.Shadow(s.seal(2), junk) }},
			{name: "lay another log's seal over a seal", who: locked, want: "shadow 7", says: map[string]string{fetcher: "shadowed 7", verifier: "foreign-object 7"},
				do: func(s *scene) { s.vault.Shadow(s.seal(2), database(s).Segments[2].Seal.Bytes()) }},
			{name: "lay a seal of another history over a seal", who: keeper, want: "fork 7", says: map[string]string{fetcher: "shadowed 7"},
				do: func(s *scene) { s.vault.Shadow(s.seal(2), parted(s, 2, counts[2:]...).Segments[2].Seal.Bytes()) }},
			{name: "lay a delete marker on a segment", who: locked, want: "delete-marker 7", says: hidden("hidden", 7),
				do: func(s *scene) { s.vault.Hide(s.segment(2)) }},
			{name: "lay a delete marker on a seal", who: locked, want: "delete-marker 7", says: hidden("hidden", 7),
				do: func(s *scene) { s.vault.Hide(s.seal(2)) }},
			{name: "cut off the end with delete markers", who: locked, want: "delete-marker 15", says: hidden("hidden", 15),
				do: func(s *scene) { s.vault.Hide(s.seal(4)); s.vault.Hide(s.segment(4)) }},
			{name: "delete marker, then a forged version above it", who: locked, want: "delete-marker 7, shadow 7",
				says: map[string]string{verifier: genuineBelow, fetcher: "hidden 7, shadowed 7"},
				do:   func(s *scene) { s.vault.Hide(s.segment(2)); s.vault.Shadow(s.segment(2), junk) }},
			{name: "flood a seal's name with versions", who: locked, want: "flood 17", says: map[string]string{guardian: "squatter 17", verifier: "seal-malformed 17", fetcher: "shadowed 17", storeReader: "flood 17, foreign-object 17"},
				do: func(s *scene) {
					for i := range 1100 {
						s.vault.Shadow(logName+"/"+ledger.SealName(17), fmt.Append(bytes.Clone(junk), i))
					}
				}},
			{name: "replace a segment where nothing locks", who: writer, want: "segment-altered 7", says: map[string]string{verifier: "segment-altered 7/11", guardian: "segment-altered 7/11"},
				do: func(s *scene) {
					s.vault.Erase(s.segment(2))
					s.vault.Shadow(s.segment(2), flip(0.7)(bytes.Clone(s.log.Segments[2].Object)))
				}},
			{name: "delete all versions of a segment where nothing locks", who: writer, want: "segment-missing 7",
				says: map[string]string{fetcher: "not: it copies what is there"},
				do:   func(s *scene) { s.vault.Erase(s.segment(2)) }},
			{name: "plant an object below the log's prefix", who: locked, want: "foreign-object", says: map[string]string{storeReader: noStrays, verifier: "not: fetch leaves it out and names it"},
				do: func(s *scene) { s.vault.Shadow(logName+"/segments/README.txt", junk) }},
			{name: "shorten a segment's retention", who: admin, want: "retention-short 7", says: unlocked,
				do: func(s *scene) {
					s.lift(s.segment(2), func(r *store.Retention) { r.Until = r.Until.AddDate(-60, 0, 0) })
				}},
			{name: "take a segment's retention away", who: admin, want: "retention-missing 7", says: unlocked,
				do: func(s *scene) {
					s.lift(s.segment(2), func(r *store.Retention) { *r = store.Retention{} })
				}},
			{name: "weaken a seal's lock from compliance to governance", who: admin, want: "retention-mode 7", says: unlocked,
				do: func(s *scene) { s.lift(s.seal(2), func(r *store.Retention) { r.Mode = store.ModeGovernance }) }},
			{name: "lift a legal hold", who: admin, want: "legal-hold-missing 7", says: unlocked,
				do: func(s *scene) { s.lift(s.segment(2), func(r *store.Retention) { r.LegalHold = false }) }},
		},
	}
}
