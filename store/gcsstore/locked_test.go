package gcsstore_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/storage"
	"google.golang.org/api/option"
	raw "google.golang.org/api/storage/v1"

	"github.com/otelcol-custody/custody/store"
	"github.com/otelcol-custody/custody/store/gcsstore"
	"github.com/otelcol-custody/custody/store/storetest"
	"github.com/otelcol-custody/custody/store/storetest/wire"
)

// owner does past the store what a bucket's owner can.
func owner(t *testing.T, endpoint string) storetest.Attacker {
	client, err := storage.NewClient(t.Context(), option.WithEndpoint(endpoint+"/storage/v1/"), option.WithoutAuthentication())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	object := func(name, version string) *storage.ObjectHandle {
		o := client.Bucket("acme-audit").Object("prod/" + name)
		if gen, err := strconv.ParseInt(version, 10, 64); err == nil {
			o = o.Generation(gen)
		}
		return o.OverrideUnlockedRetention(true)
	}
	retain := func(ctx context.Context, name, version string, r store.Retention) error {
		set := &storage.ObjectRetention{}
		if r.Mode != store.ModeNone {
			set.Mode, set.RetainUntil = map[store.Mode]string{store.ModeGovernance: "Unlocked", store.ModeCompliance: "Locked"}[r.Mode], r.Until
		}
		_, err := object(name, version).Update(ctx, storage.ObjectAttrsToUpdate{Retention: set})
		return err
	}
	return storetest.Attacker{
		Delete: func(ctx context.Context, name, version string) error { return object(name, version).Delete(ctx) },
		Bypass: func(ctx context.Context, name, version string) error {
			if err := retain(ctx, name, version, store.Retention{}); err != nil {
				return err
			}
			return object(name, version).Delete(ctx)
		},
		Overwrite: func(ctx context.Context, name string, data []byte) error {
			w := object(name, "").NewWriter(ctx)
			if _, err := w.Write(data); err != nil {
				return err
			}
			return w.Close()
		},
		Retain: retain,
	}
}

// TestLocked runs against this project's own double only: no server that can
// be had enforces what Google does. It counts as no proof of enforcement.
func TestLocked(t *testing.T) {
	for name, versions := range map[string]bool{"own-double": true, "own-double-without-versions": false} {
		t.Run(name, func(t *testing.T) {
			storetest.RunLocked(t, func(t *testing.T) (storetest.Locked, storetest.Attacker) {
				d := newDouble(t, func(d *double) { d.versions = versions })
				return open(t, gcsstore.Options{Endpoint: d.URL, Prefix: "prod"}), owner(t, d.URL)
			}, storetest.Caps{Large: 40 << 20})
		})
	}
}

func TestConformanceOfTheDouble(t *testing.T) {
	for name, set := range map[string]func(*double){
		"own-double": nil, "own-double-that-forgets-retention": func(d *double) { d.forgetful = true },
		"own-double-without-retention": func(d *double) { d.perObject = false },
	} {
		t.Run(name, func(t *testing.T) {
			storetest.Run(t, func(t *testing.T) store.Store {
				return open(t, gcsstore.Options{Endpoint: newDouble(t, set).URL})
			}, storetest.Caps{Retention: set == nil, RetentionLost: strings.HasSuffix(name, "forgets-retention")})
		})
	}
}

func checkLock(t *testing.T, mode store.Mode, set func(*double)) (store.Default, error) {
	t.Helper()
	s := open(t, gcsstore.Options{Endpoint: newDouble(t, set).URL})
	defer s.Close()
	return s.CheckLock(t.Context(), mode)
}

func TestCheckLockSeesWhatIsNotEnforced(t *testing.T) {
	_, err := checkLock(t, store.ModeCompliance, func(d *double) { d.lax = true })
	says(t, err, store.ErrRetention, "deleted an object that it had just locked")
	_, err = checkLock(t, store.ModeGovernance, func(d *double) { d.forgetful = true })
	says(t, err, store.ErrRetention, "governance until", "the server answers that it is by none")
	_, err = checkLock(t, store.ModeGovernance, func(d *double) { d.perObject = false })
	says(t, err, store.ErrRetention, "no per-object retention", "--enable-per-object-retention")
}

func TestCheckLockTellsTheBucketsPolicy(t *testing.T) {
	week := int64(7 * 24 * 3600)
	for mode, policy := range map[store.Mode]*raw.BucketRetentionPolicy{
		store.ModeCompliance: {RetentionPeriod: week, IsLocked: true}, store.ModeGovernance: {RetentionPeriod: week}, store.ModeNone: nil,
	} {
		for _, ask := range []store.Mode{store.ModeNone, store.ModeGovernance} {
			def, err := checkLock(t, ask, func(d *double) { d.policy = policy; d.perObject = ask != store.ModeNone })
			want := store.Default{Mode: mode}
			if policy != nil {
				want.For = 7 * 24 * time.Hour
			}
			if err != nil || def != want {
				t.Errorf("CheckLock(%v): %+v, %v; want %+v", ask, def, err, want)
			}
		}
	}
}

func TestPolicyOfTheBucketIsReported(t *testing.T) {
	d := newDouble(t, func(d *double) { d.policy = &raw.BucketRetentionPolicy{RetentionPeriod: 7200, IsLocked: true} })
	s := open(t, gcsstore.Options{Endpoint: d.URL})
	defer s.Close()
	soon := store.Retention{Mode: store.ModeGovernance, Until: time.Now().Add(time.Hour)}
	late := store.Retention{Mode: store.ModeGovernance, Until: time.Now().Add(5 * time.Hour)}
	for name, c := range map[string]struct {
		asked store.Retention
		mode  store.Mode
		hours int
	}{"bare": {store.Retention{}, store.ModeCompliance, 2}, "soon": {soon, store.ModeCompliance, 2}, "late": {late, store.ModeGovernance, 5}} {
		if _, err := s.PutOnce(t.Context(), name, []byte(name), store.PutOptions{Retention: c.asked}); err != nil {
			t.Fatal(err)
		}
		info, err := s.Stat(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		left := time.Until(info.Retention.Until)
		if want := time.Duration(c.hours) * time.Hour; info.Retention.Mode != c.mode || (left-want).Abs() > time.Minute {
			t.Errorf("%s: %+v, %v from now, want %v for %v", name, info.Retention, left, c.mode, want)
		}
	}
}

// TestSettingsMayBeHidden: a writer without storage.buckets.get works.
func TestSettingsMayBeHidden(t *testing.T) {
	for lax, want := range map[bool]error{false: nil, true: store.ErrRetention} {
		p := wire.NewProxy(t, newDouble(t, func(d *double) { d.lax = lax }).URL)
		settings := func(r *http.Request) bool { return r.URL.Path == "/storage/v1/b/acme-audit" }
		p.Inject(wire.Fault{Match: settings, Action: wire.Answer(403, nil, said("forbidden", fmt.Sprintf(noRight, "buckets.get")))})
		s := open(t, gcsstore.Options{Endpoint: p.URL})
		if _, err := s.CheckLock(t.Context(), store.ModeCompliance); !errors.Is(err, want) {
			t.Errorf("CheckLock: %v, want %v", err, want)
		}
		_ = s.Close()
		r := open(t, gcsstore.Options{Endpoint: p.URL, ReadOnly: true})
		_, err := r.CheckLock(t.Context(), store.ModeCompliance)
		says(t, err, store.ErrDenied, "buckets.get")
		_ = r.Close()
	}
}

func TestReadOnlyChecksCredentials(t *testing.T) {
	p := wire.NewProxy(t, newDouble(t, nil).URL)
	p.Inject(wire.Fault{Action: wire.Answer(401, nil, said("authError", "Invalid Credentials"))})
	_, err := gcsstore.Open(t.Context(), gcsstore.Options{Bucket: "acme-audit", Endpoint: p.URL, ReadOnly: true, Anonymous: true})
	says(t, err, store.ErrDenied, "Invalid Credentials")
}
