package attacks

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/otelcol-custody/custody/internal/logstore"
	"github.com/otelcol-custody/custody/internal/transfer"
	"github.com/otelcol-custody/custody/ledger/ledgertest"
	"github.com/otelcol-custody/custody/store"
	"github.com/otelcol-custody/custody/store/dirstore"
)

// storeJudge is what exporters, replicate and recover read a store with: from
// seal to seal, and each segment by the hash that its seal names.
type storeJudge struct{}

func (storeJudge) name() string { return storeReader }
func (storeJudge) takes(tr trial, s *scene) bool {
	return s.vault != nil || s.file == nil && s.store != nil && !s.large
}

// It ends at a fork and at a hole, and does not tell records apart.
func (storeJudge) due(tr trial) (string, bool) {
	if tr.kept {
		return noMemoryOfIts, true
	}
	all := parseFindings(tr.want)
	for i := range all {
		all[i].place, _, _ = strings.Cut(all[i].place, "/")
	}
	return formatFindings(all), false
}

func (storeJudge) judge(t testing.TB, tr trial, s *scene) ([]finding, time.Duration) {
	from := s.open(t)
	var all []finding
	r := logstore.New(from, logName, ledgertest.Keys(t, s.trusts...), func(n logstore.Notice) {
		code := string(n.Kind)
		if n.Kind == logstore.Squatter || n.Kind == logstore.Copy {
			code = "foreign-object"
		}
		if n.Kind == logstore.Marker {
			code = "delete-marker"
		}
		all = append(all, finding{code, firstOf(n.Object)})
	})
	began, empty := time.Now(), true
	for h, err := range r.Seals(context.Background(), nil) {
		if err == nil {
			_, _, err = r.Segment(context.Background(), h.Seal)
			if errors.Is(err, store.ErrNotFound) {
				err = &missing{h.Seal.First}
			}
		}
		if err != nil {
			all = append(all, storeFinding(t, err))
		}
		empty = false
	}
	if empty && len(all) == 0 {
		all = byExit(3) // logstore.ErrNoLog, by those who ask for a head
	}
	return distinct(all), time.Since(began)
}

type missing struct{ first uint64 }

func (m *missing) Error() string { return fmt.Sprintf("segment %d is missing", m.first) }

func storeFinding(t testing.TB, err error) finding {
	t.Helper()
	var gap *logstore.GapError
	var fork *logstore.ForkError
	var altered *logstore.AlteredError
	var flood *logstore.FloodedError
	var gone *missing
	switch {
	case errors.As(err, &gap):
		return finding{"seal-missing", fmt.Sprint(gap.First)}
	case errors.As(err, &fork):
		return finding{"fork", fmt.Sprint(fork.Other.Seal.First)}
	case errors.As(err, &altered):
		return finding{"segment-altered", fmt.Sprint(altered.First)}
	case errors.As(err, &flood):
		return finding{"flood", fmt.Sprint(flood.First)}
	case errors.As(err, &gone):
		return finding{"segment-missing", fmt.Sprint(gone.first)}
	}
	t.Fatalf("the store's reader: %v", err)
	return finding{}
}

func distinct(all []finding) (out []finding) {
	for _, f := range all {
		if !slices.Contains(out, f) {
			out = append(out, f)
		}
	}
	return out
}

// open opens what is attacked as a store.
func (s *scene) open(t testing.TB) store.Store {
	t.Helper()
	if s.vault != nil {
		return s.vault
	}
	dir, _, _ := s.dir(t)
	return openDir(t, dir)
}

func openDir(t testing.TB, dir string) store.Store {
	t.Helper()
	d, err := dirstore.Open(dir, dirstore.Options{Immutable: dirstore.ImmutableOff})
	must(t, err)
	t.Cleanup(func() { _ = d.Close() })
	return d
}

// fetchJudge is otelcol-custody fetch, which has no key: it says what its
// listing of versions shows.
type fetchJudge struct{}

func (fetchJudge) name() string                 { return fetcher }
func (fetchJudge) takes(_ trial, s *scene) bool { return s.vault != nil }
func (fetchJudge) due(tr trial) (string, bool)  { return tr.want, true }

func (fetchJudge) judge(t testing.TB, tr trial, s *scene) ([]finding, time.Duration) {
	began := time.Now()
	result, err := transfer.Fetch(context.Background(), s.vault, openDir(t, t.TempDir()), transfer.Options{})
	must(t, err)
	took := time.Since(began)
	var all []finding
	for _, l := range result.Logs {
		if !l.Complete() {
			t.Errorf("%s: fetch: %v", tr.id, l.Failures)
		}
		for _, f := range l.Findings {
			all = append(all, finding{string(f.Code), firstOf(f.Object)})
		}
		for _, n := range l.Notices {
			if n.Object != "" { // Without one it counts further ones.
				all = append(all, finding{string(n.Code), firstOf(n.Object)})
			}
		}
	}
	return distinct(all), took
}

// fetched is the scene of who has the copy only.
func (s *scene) fetched(t testing.TB) *scene {
	t.Helper()
	dir := t.TempDir()
	_, err := transfer.Fetch(context.Background(), s.vault, openDir(t, dir), transfer.Options{})
	must(t, err)
	c := *s
	c.vault, c.store = nil, objects{}
	must(t, filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil || strings.HasPrefix(name, ".") {
			return err
		}
		c.store[filepath.ToSlash(name)], err = os.ReadFile(path)
		return err
	}))
	return &c
}
