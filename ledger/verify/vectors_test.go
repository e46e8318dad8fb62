package verify_test

import (
	"context"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/otelcol-custody/custody/ledger/archive"
	"github.com/otelcol-custody/custody/ledger/checkpoint"
	"github.com/otelcol-custody/custody/ledger/verify"
)

const vectors = "../../docs/spec/vectors/stores"

type expected struct {
	Rule, What string
	Exit       int
	Now        time.Time
	Findings   []struct {
		Code   verify.Code
		First  uint64
		Record *uint64
	}
}

// TestVectors holds every store of the specification against its verdict.
func TestVectors(t *testing.T) {
	cases, err := os.ReadDir(vectors)
	if err != nil || len(cases) < 45 {
		t.Fatalf("%d vectors, %v", len(cases), err)
	}
	for _, c := range cases {
		t.Run(c.Name(), func(t *testing.T) {
			var e expected
			dir := filepath.Join(vectors, c.Name())
			decode(t, filepath.Join(dir, "vector.json"), &e)
			all := verifyStore(t, dir, e.Now)
			want(t, e.Rule+" "+e.What, all, listed(e))
			if got := exit(all); got != e.Exit {
				t.Errorf("exit %d, want %d", got, e.Exit)
			}
		})
	}
}

func listed(e expected) string {
	r := &verify.Report{}
	for _, f := range e.Findings {
		r.Findings = append(r.Findings, verify.Finding{Code: f.Code, First: f.First, Record: f.Record})
	}
	out := found(r)
	if e.Exit == 3 || len(e.Findings) > 0 && e.Rule == "§11" {
		out = found(&verify.Report{Findings: r.Findings, Unread: []string{"x"}})
	}
	return out
}

func exit(r *verify.Report) int {
	switch {
	case r.Tampered():
		return 1
	case !r.Complete():
		return 3
	}
	return 0
}

// verifyStore verifies all logs of a store into one report.
func verifyStore(t *testing.T, dir string, now time.Time) *verify.Report {
	t.Helper()
	keys, err := checkpoint.ParseKeys(string(read(t, filepath.Join(dir, "key.pub"))))
	if err != nil {
		t.Fatal(err)
	}
	opt := verify.Options{Keys: keys, Now: now}
	if b, err := os.ReadFile(filepath.Join(dir, "since.checkpoint")); err == nil {
		s, err := checkpoint.Open(b, keys)
		if err != nil {
			t.Fatal(err)
		}
		opt.Since = append(opt.Since, s)
	}
	store := os.DirFS(filepath.Join(dir, "store"))
	logs, err := archive.Logs(store)
	if err != nil {
		t.Fatal(err)
	}
	all := &verify.Report{}
	var origins []string
	for _, name := range logs {
		sub, err := fs.Sub(store, name)
		if err != nil {
			t.Fatal(err)
		}
		r, err := verify.Log(context.Background(), sub, name, opt)
		if err != nil {
			t.Fatal(err)
		}
		all.Findings, all.Unread, all.Notices = append(all.Findings, r.Findings...), append(all.Unread, r.Unread...), append(all.Notices, r.Notices...)
		origins = append(origins, r.Origin)
	}
	for _, s := range opt.Since {
		if !slices.Contains(origins, s.Origin) {
			all.Findings = append(all.Findings, verify.Finding{Code: verify.Rollback})
		}
	}
	return all
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func decode(t *testing.T, path string, v any) {
	t.Helper()
	if err := json.Unmarshal(read(t, path), v); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}
