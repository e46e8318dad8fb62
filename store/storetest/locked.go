package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/otelcol-custody/custody/store"
)

// An Attacker does to a bucket, past the store, what somebody with its owner's
// credentials could do. Version "" means the newest.
type Attacker struct {
	// Delete removes a version; with version "", it is the plain delete that
	// makes a delete marker where there are versions.
	Delete func(ctx context.Context, name, version string) error
	// Bypass is a delete that claims the right to bypass governance.
	Bypass func(ctx context.Context, name, version string) error
	// Overwrite is a plain write.
	Overwrite func(ctx context.Context, name string, data []byte) error
	// Retain sets a version's retention, shorter or weaker than it was.
	Retain func(ctx context.Context, name, version string, r store.Retention) error
}

// Locked is a store on a bucket that locks.
type Locked interface {
	store.Retainer
	store.Versioned
}

// RunLocked checks that what a store retains is retained, against a server that
// enforces it. open returns an empty store, and its attacker.
func RunLocked(t *testing.T, open func(t *testing.T) (Locked, Attacker), caps Caps) {
	if caps.Large == 0 {
		caps.Large = 80 << 20
	}
	for _, part := range lockedParts {
		t.Run(part.name, func(t *testing.T) {
			s, a := open(t)
			defer func() {
				if err := s.Close(); err != nil {
					t.Errorf("Close: %v", err)
				}
			}()
			part.run(t, s, a, caps)
		})
	}
}

// lockedParts lists what RunLocked checks. They take a testing.TB, so that a
// test can see them fail.
var lockedParts = []struct {
	name string
	run  func(testing.TB, Locked, Attacker, Caps)
}{
	{"LockChecked", lockChecked},
	{"LockSet", lockSet},
	{"LockSetOnLarge", lockSetOnLarge},
	{"LockRefusesDelete", lockRefusesDelete},
	{"LockRefusesBypass", lockRefusesBypass},
	{"LockRefusesShorter", lockRefusesShorter},
	{"LockSurvivesOverwrite", lockSurvivesOverwrite},
	{"LockSurvivesDeleteMarker", lockSurvivesDeleteMarker},
	{"LockExtends", lockExtends},
	{"LegalHold", legalHold},
}

// keep asks for so many hours from now.
func keep(mode store.Mode, hours int) store.Retention {
	return store.Retention{Mode: mode, Until: time.Now().Add(time.Duration(hours) * time.Hour).UTC()}
}

func putKept(t testing.TB, s store.Store, name string, data []byte, r store.Retention) store.Info {
	t.Helper()
	info, err := s.PutOnce(t.Context(), name, data, store.PutOptions{Retention: r})
	if err != nil {
		t.Fatalf("PutOnce(%q) with %+v: %v", name, r, err)
	}
	covered(t, s, name, r)
	return info
}

// covered checks that the newest version is retained at least so.
func covered(t testing.TB, s store.Store, name string, r store.Retention) {
	t.Helper()
	info, err := s.Stat(t.Context(), name)
	if err != nil {
		t.Fatalf("Stat(%q): %v", name, err)
	}
	if !info.Retention.Covers(r) {
		t.Errorf("%q is retained by %+v, want at least %+v", name, info.Retention, r)
	}
	if info.Retention.Mode != r.Mode || info.Retention.LegalHold != r.LegalHold || info.Retention.Until.Sub(r.Until) > time.Minute {
		t.Errorf("%q is retained by %+v, more than was asked for, %+v", name, info.Retention, r)
	}
}

// genuine checks that a version still has these bytes.
func genuine(t testing.TB, s Locked, name, version string, data []byte) {
	t.Helper()
	r, _, err := s.GetVersion(t.Context(), name, version)
	if err != nil {
		t.Errorf("GetVersion(%q, %q): %v", name, version, err)
		return
	}
	defer r.Close()
	if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, data) {
		t.Errorf("version %q of %q: %d bytes, %v; want the %d that were stored", version, name, len(got), err, len(data))
	}
}

func lockChecked(t testing.TB, s Locked, _ Attacker, _ Caps) {
	for _, mode := range []store.Mode{store.ModeGovernance, store.ModeCompliance} {
		if _, err := s.CheckLock(t.Context(), mode); err != nil {
			t.Errorf("CheckLock(%v): %v", mode, err)
		}
	}
	if got, err := names(s.List(t.Context(), "", "")); err != nil || len(got) != 0 {
		t.Errorf("after CheckLock the store lists %q (%v), want nothing", got, err)
	}
}

func lockSet(t testing.TB, s Locked, _ Attacker, _ Caps) {
	for _, mode := range []store.Mode{store.ModeGovernance, store.ModeCompliance} {
		name := "log/segments/" + mode.String()
		putKept(t, s, name, []byte(name), keep(mode, 48))
		infos, err := s.Versions(t.Context(), name)
		if err != nil || len(infos) != 1 {
			t.Errorf("Versions: %+v, %v", infos, err)
		}
	}
}

func lockSetOnLarge(t testing.TB, s Locked, a Attacker, caps Caps) {
	data := noise(caps.Large, "locked")
	info := putKept(t, s, "large", data, keep(store.ModeCompliance, 48))
	if err := a.Delete(t.Context(), "large", info.Version); err == nil {
		t.Error("a large locked object was deleted")
	}
	genuine(t, s, "large", info.Version, data)
}

func lockRefusesDelete(t testing.TB, s Locked, a Attacker, _ Caps) {
	for _, mode := range []store.Mode{store.ModeGovernance, store.ModeCompliance} {
		name := mode.String()
		info := putKept(t, s, name, []byte(name), keep(mode, 48))
		if err := a.Delete(t.Context(), name, info.Version); err == nil {
			t.Errorf("a version retained by %v was deleted", mode)
		}
		genuine(t, s, name, info.Version, []byte(name))
	}
}

func lockRefusesBypass(t testing.TB, s Locked, a Attacker, _ Caps) {
	info := putKept(t, s, "a", []byte("a"), keep(store.ModeCompliance, 48))
	if err := a.Bypass(t.Context(), "a", info.Version); err == nil {
		t.Error("a version retained by compliance was deleted by bypassing governance")
	}
	genuine(t, s, "a", info.Version, []byte("a"))
}

func lockRefusesShorter(t testing.TB, s Locked, a Attacker, _ Caps) {
	want := keep(store.ModeCompliance, 48)
	info := putKept(t, s, "a", []byte("a"), want)
	for _, less := range []store.Retention{keep(store.ModeCompliance, 1), keep(store.ModeGovernance, 48), keep(store.ModeGovernance, 1), {}} {
		if err := a.Retain(t.Context(), "a", info.Version, less); err == nil {
			t.Errorf("the retention could be set to %+v", less)
		}
		covered(t, s, "a", want)
	}
}

func lockSurvivesOverwrite(t testing.TB, s Locked, a Attacker, _ Caps) {
	data := []byte("genuine")
	info := putKept(t, s, "log/seals/x", data, keep(store.ModeCompliance, 48))
	if err := a.Overwrite(t.Context(), "log/seals/x", []byte("forged")); err != nil {
		t.Logf("the server refuses to shadow a locked object: %v", err)
		holds(t, s, "log/seals/x", data)
		return
	}
	genuine(t, s, "log/seals/x", info.Version, data)
	versionsListed(t, s, map[string]int{"log/seals/x": 2})
	_, err := s.PutOnce(t.Context(), "log/seals/x", data, store.PutOptions{})
	refused(t, "PutOnce of what is shadowed", err, store.ErrExists)
}

func lockSurvivesDeleteMarker(t testing.TB, s Locked, a Attacker, _ Caps) {
	data := []byte("genuine")
	info := putKept(t, s, "log/seals/x", data, keep(store.ModeCompliance, 48))
	if err := a.Delete(t.Context(), "log/seals/x", ""); err != nil {
		t.Logf("the server refuses to hide a locked object: %v", err)
		holds(t, s, "log/seals/x", data)
		return
	}
	_, err := s.Stat(t.Context(), "log/seals/x")
	refused(t, "Stat of a hidden object", err, store.ErrNotFound)
	genuine(t, s, "log/seals/x", info.Version, data)
	versionsListed(t, s, map[string]int{"log/seals/x": 2})
	infos, err := s.Versions(t.Context(), "log/seals/x")
	if err != nil || len(infos) != 2 || !infos[0].DeleteMarker || infos[1].DeleteMarker {
		t.Errorf("Versions: %+v, %v; want a delete marker above the object", infos, err)
	}
	// Writing it again brings it to light.
	putKept(t, s, "log/seals/x", data, keep(store.ModeCompliance, 48))
	holds(t, s, "log/seals/x", data)
}

func lockExtends(t testing.TB, s Locked, _ Attacker, _ Caps) {
	for _, mode := range []store.Mode{store.ModeGovernance, store.ModeCompliance} {
		name := mode.String()
		long := keep(mode, 72)
		info := putKept(t, s, name, []byte(name), keep(mode, 48))
		now, err := s.Extend(t.Context(), name, info.Version, long)
		if err != nil || !now.Covers(long) {
			t.Errorf("Extend(%v) to 72 hours: %+v, %v", mode, now, err)
		}
		covered(t, s, name, long)
		if now, err := s.Extend(t.Context(), name, "", keep(mode, 1)); err != nil || !now.Covers(long) {
			t.Errorf("Extend(%v) to less: %+v, %v; want what binds already", mode, now, err)
		}
		covered(t, s, name, long)
		longer := keep(mode, 96)
		putKept(t, s, name, []byte(name), longer) // Again, for longer.
		if now, err := s.Extend(t.Context(), name, "", store.Retention{}); err != nil || !now.Covers(longer) {
			t.Errorf("Extend(%v) by nothing: %+v, %v", mode, now, err)
		}
	}
	_, err := s.Extend(t.Context(), "missing", "", keep(store.ModeGovernance, 1))
	refused(t, "Extend of nothing", err, store.ErrNotFound)
	put(t, s, "bare", []byte("x"))
	if now, err := s.Extend(t.Context(), "bare", "", keep(store.ModeCompliance, 48)); err != nil {
		t.Errorf("Extend of an object without retention: %+v, %v", now, err)
	}

	stricter(t, s)
}

// stricter: a store may refuse to make governance compliance, but not silently.
func stricter(t testing.TB, s Locked) {
	t.Helper()
	putKept(t, s, "stricter", []byte("x"), keep(store.ModeGovernance, 48))
	want := keep(store.ModeCompliance, 48)
	now, err := s.Extend(t.Context(), "stricter", "", want)
	switch {
	case errors.Is(err, store.ErrRetention):
		t.Logf("the server refuses to make governance compliance: %v", err)
	case err != nil || !now.Covers(want):
		t.Errorf("Extend from governance to compliance: %+v, %v", now, err)
	default:
		covered(t, s, "stricter", want)
	}
}

func legalHold(t testing.TB, s Locked, a Attacker, _ Caps) {
	for i, r := range []store.Retention{{LegalHold: true}, {Mode: store.ModeGovernance, Until: keep(0, 48).Until, LegalHold: true}} {
		name := fmt.Sprint("held", i)
		info := putKept(t, s, name, []byte(name), r)
		for _, remove := range []func(context.Context, string, string) error{a.Delete, a.Bypass} {
			if err := remove(t.Context(), name, info.Version); err == nil {
				t.Errorf("a version under legal hold was deleted")
			}
		}
		genuine(t, s, name, info.Version, []byte(name))
	}
	info := put(t, s, "later", []byte("x"))
	if now, err := s.Extend(t.Context(), "later", info.Version, store.Retention{LegalHold: true}); err != nil || !now.LegalHold {
		t.Errorf("Extend by a legal hold: %+v, %v", now, err)
	}
	if err := a.Delete(t.Context(), "later", info.Version); err == nil {
		t.Error("a version put under legal hold later was deleted")
	}
	genuine(t, s, "later", info.Version, []byte("x"))
}
