package transfer

import (
	"context"
	"iter"
	"testing"
	"time"

	"github.com/otelcol-custody/custody/ledger"
	"github.com/otelcol-custody/custody/store"
	"github.com/otelcol-custody/custody/store/storetest"
)

func retain(t *testing.T, s store.Retainer, r store.Retention, dryRun bool, logs ...string) *Report {
	t.Helper()
	result, err := Retain(t.Context(), s, r, dryRun, Options{Logs: logs})
	if err != nil || !result.Complete() || result.Tampered() {
		t.Fatalf("%v, %+v", err, result)
	}
	return result.Logs[0]
}

func TestRetain(t *testing.T) {
	m := storetest.NewMemory("a")
	l := newLog(t, "one")
	fill(t, m, l.Segments...)
	fill(t, m, newLog(t, "two").Segments...)
	segment := "one/" + l.Segments[0].Seal.SegmentName()
	m.Shadow(segment, []byte("x"))
	m.Hide(segment)
	until := time.Now().UTC().AddDate(1, 0, 0).Truncate(time.Second)
	longer := store.Retention{Mode: store.ModeCompliance, Until: until.AddDate(1, 0, 0)}
	seal := "one/" + ledger.SealName(0)
	if _, err := m.Extend(t.Context(), seal, "", longer); err != nil {
		t.Fatal(err)
	}
	want := store.Retention{Mode: store.ModeGovernance, Until: until}

	if r := retain(t, m, want, true, "one"); r.Objects != 9 || r.Skipped != 1 {
		t.Errorf("dry run: %+v", r)
	}
	if info, err := m.Stat(t.Context(), "one/"+ledger.TileName(1, 0)); err != nil || !info.Retention.IsZero() {
		t.Errorf("a dry run retained: %+v, %v", info.Retention, err)
	}
	if r := retain(t, m, want, false, "one"); r.Objects != 9 || r.Skipped != 1 {
		t.Errorf("%+v", r)
	}
	for info := range m.ListVersions(t.Context(), "", "") {
		expect := want
		switch {
		case info.Name == seal:
			expect = longer
		case info.Name[:4] == "two/" || info.DeleteMarker:
			expect = store.Retention{}
		}
		if info.Retention != expect {
			t.Errorf("%s version %s is retained by %+v, want %+v", info.Name, info.Version, info.Retention, expect)
		}
	}
	if r := retain(t, m, want, false, "one"); r.Objects != 0 || r.Skipped != 10 {
		t.Errorf("done again: %+v", r)
	}
	if r := retain(t, m, store.Retention{LegalHold: true}, false, "one"); r.Objects != 10 {
		t.Errorf("legal hold: %+v", r)
	}
}

// A version that cannot be retained does not keep the others from it.
func TestRetainOtherVersions(t *testing.T) {
	m := storetest.NewMemory("a")
	name := "one/" + ledger.SealName(0)
	put(t, m, name, []byte("genuine"))
	m.Shadow(name, []byte("x"))
	r := store.Retention{Mode: store.ModeGovernance, Until: time.Now().UTC().AddDate(1, 0, 0)}
	result, err := Retain(t.Context(), stubborn{m, "2"}, r, false, Options{})
	if err != nil || result.Complete() || result.Logs[0].Failed != 1 {
		t.Errorf("%v, %+v", err, result)
	}
	infos, err := m.Versions(t.Context(), name)
	if err != nil || infos[0].Retention != (store.Retention{}) || infos[1].Retention != r {
		t.Errorf("%+v, %v", infos, err)
	}
}

// stubborn does not retain one version.
type stubborn struct {
	*storetest.Memory
	version string
}

func (s stubborn) Extend(ctx context.Context, name, version string, r store.Retention) (store.Retention, error) {
	if version == s.version {
		return store.Retention{}, store.ErrRetention
	}
	return s.Memory.Extend(ctx, name, version, r)
}

// forgetful lists without retention, as S3 does.
type forgetful struct{ *storetest.Memory }

func (f forgetful) ListVersions(ctx context.Context, prefix, after string) iter.Seq2[store.Info, error] {
	return func(yield func(store.Info, error) bool) {
		for info, err := range f.Memory.ListVersions(ctx, prefix, after) {
			info.Retention = store.Retention{}
			if !yield(info, err) {
				return
			}
		}
	}
}

// What is retained so already is counted as that, and a dry run says beforehand
// what will be done, also where listings do not tell.
func TestRetainWhereListingsDoNotTell(t *testing.T) {
	l := newLog(t, "one")
	mem := storetest.NewMemory("a")
	fill(t, mem, l.Segments...)
	want := store.Retention{Mode: store.ModeGovernance, Until: time.Now().Add(48 * time.Hour).UTC()}
	for i, dryRun := range []bool{true, false, true, false} {
		r, err := Retain(t.Context(), forgetful{mem}, want, dryRun, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if log := r.Logs[0]; (log.Objects > 0) != (i < 2) || (log.Skipped > 0) != (i >= 2) {
			t.Errorf("run %d: %d extended, %d skipped", i, log.Objects, log.Skipped)
		}
	}
}
