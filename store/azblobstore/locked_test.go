package azblobstore

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/bloberror"

	"github.com/otelcol-custody/custody/store"
	"github.com/otelcol-custody/custody/store/storetest"
)

// TestLocked runs against this project's own double: it shows that the store
// asks for the right things and understands the answers. No server here
// proves what Azure enforces.
func TestLocked(t *testing.T) {
	t.Run("own-double", func(t *testing.T) {
		storetest.RunLocked(t, func(t *testing.T) (storetest.Locked, storetest.Attacker) {
			opt := newDouble(t).options()
			opt.Prefix = "odd + %2F ü"
			s := open(t, opt)
			return s, attacker(s)
		}, storetest.Caps{})
	})
}

func TestVersionedConformance(t *testing.T) {
	t.Run("own-double", func(t *testing.T) {
		storetest.Run(t, func(t *testing.T) store.Store { return open(t, newDouble(t).options()) },
			storetest.Caps{Retention: true, Large: 33 << 20})
	})
}

// attacker has the account's key. Deleting a current version takes two steps.
func attacker(s *Store) storetest.Attacker {
	remove := func(ctx context.Context, name, version string) error {
		client, err := s.blob(name, version)
		if err != nil {
			return err
		}
		_, err = client.Delete(ctx, nil)
		if bloberror.HasCode(err, bloberror.OperationNotAllowedOnRootBlob) {
			if _, err := s.client.NewBlobClient(s.prefix+name).Delete(ctx, nil); err != nil {
				return err
			}
			_, err = client.Delete(ctx, nil)
			return err
		}
		return err
	}
	return storetest.Attacker{
		Delete: remove,
		Bypass: func(ctx context.Context, name, version string) error {
			client, err := s.blob(name, version)
			if err != nil {
				return err
			}
			if _, err := client.DeleteImmutabilityPolicy(ctx, nil); err != nil {
				return err
			}
			return remove(ctx, name, version)
		},
		Overwrite: func(ctx context.Context, name string, data []byte) error {
			w := s.write(name, digest(data), store.Retention{})
			w.new = nil
			_, err := w.whole(ctx)
			return err
		},
		Retain: func(ctx context.Context, name, version string, r store.Retention) error {
			client, err := s.blob(name, version)
			if err != nil {
				return err
			}
			if r.IsZero() {
				_, err = client.DeleteImmutabilityPolicy(ctx, nil)
				return err
			}
			_, err = client.SetImmutabilityPolicy(ctx, r.Until, &blob.SetImmutabilityPolicyOptions{Mode: to.Ptr(setting(r.Mode))})
			return err
		},
	}
}

func TestLockThatIsNotEnforcedIsFound(t *testing.T) {
	d := newDouble(t)
	d.naive = true
	s := open(t, d.options())
	_, err := s.CheckLock(t.Context(), store.ModeCompliance)
	is(t, "CheckLock", err, store.ErrRetention)
	if err != nil && !strings.Contains(err.Error(), "deleted a blob") {
		t.Errorf("it does not say what happened: %v", err)
	}
	opt := d.options()
	opt.ReadOnly = true
	_, err = open(t, opt).CheckLock(t.Context(), store.ModeCompliance)
	is(t, "CheckLock read-only", err, store.ErrRetention)
}

// A name that only previous versions have looks as below a delete marker.
func TestVersionsBelowADelete(t *testing.T) {
	s := open(t, newDouble(t).options())
	info := put(t, s, "a/x %2F", []byte("genuine"))
	put(t, s, "a/x %2F.y", []byte("neighbour"))
	if err := attacker(s).Delete(t.Context(), "a/x %2F", ""); err != nil {
		t.Fatal(err)
	}
	vs, err := s.Versions(t.Context(), "a/x %2F")
	if err != nil || len(vs) != 2 || !vs[0].DeleteMarker || !vs[0].Latest || vs[0].Version != "" || vs[1].Version != info.Version || vs[1].Latest {
		t.Fatalf("Versions: %+v, %v; want a delete marker above %s", vs, err, info.Version)
	}
	r, got, err := s.GetVersion(t.Context(), "a/x %2F", info.Version)
	if err != nil || got.Latest {
		t.Fatalf("GetVersion: %+v, %v", got, err)
	}
	defer r.Close()
	if b, err := io.ReadAll(r); err != nil || string(b) != "genuine" {
		t.Errorf("GetVersion: %q, %v", b, err)
	}
	for _, version := range []string{"", "2020-01-01T00:00:00.0000000Z", "x&comp=legalhold", "?"} {
		_, _, err := s.GetVersion(t.Context(), "a/x %2F", version)
		is(t, "GetVersion "+version, err, store.ErrNotFound)
	}
}

func TestRetentionIsExpressible(t *testing.T) {
	s := open(t, newDouble(t).options())
	for _, r := range []store.Retention{{Mode: store.ModeGovernance}, {Until: time.Now().Add(time.Hour)}, {Mode: 9, Until: time.Now().Add(time.Hour)}} {
		_, err := s.PutOnce(t.Context(), "odd", nil, store.PutOptions{Retention: r})
		is(t, "PutOnce", err, store.ErrRetention)
	}
	if _, err := s.Stat(t.Context(), "odd"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("something was written: %v", err)
	}
}
