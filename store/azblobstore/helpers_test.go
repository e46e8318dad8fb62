package azblobstore

import (
	"errors"
	"os"
	"testing"
	"time"

	"github.com/otelcol-custody/custody/store"
	"github.com/otelcol-custody/custody/store/storetest/servers"
)

// TestMain keeps tests of failures short: as many tries, less waiting.
func TestMain(m *testing.M) {
	retries.RetryDelay = 10 * time.Millisecond
	os.Exit(m.Run())
}

// options are for a new container of Azurite.
func options(t testing.TB, a *servers.Azure, container string) Options {
	t.Helper()
	a.Container(t, container)
	return Options{AccountURL: a.AccountURL, AccountKey: a.Key, Container: container}
}

func open(t testing.TB, opt Options) *Store {
	t.Helper()
	s, err := Open(t.Context(), opt)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func put(t testing.TB, s store.Store, name string, data []byte) store.Info {
	t.Helper()
	info, err := s.PutOnce(t.Context(), name, data, store.PutOptions{})
	if err != nil {
		t.Fatalf("PutOnce(%s): %v", name, err)
	}
	return info
}

func is(t testing.TB, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: %v, want %v", what, err, want)
	}
}
