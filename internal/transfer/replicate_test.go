package transfer

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/collector/component/componenttest"

	"github.com/otelcol-custody/custody/internal/wormexport"
	"github.com/otelcol-custody/custody/ledger"
	"github.com/otelcol-custody/custody/ledger/checkpoint"
	"github.com/otelcol-custody/custody/ledger/ledgertest"
	"github.com/otelcol-custody/custody/ledger/verify"
	"github.com/otelcol-custody/custody/store"
	"github.com/otelcol-custody/custody/store/storetest"
)

const forDays = 100 * 366 * 24 * time.Hour

// replicaOptions are those for one run, as of one process.
func replicaOptions(t *testing.T, to store.Store, signers ...*checkpoint.Signer) ReplicateOptions {
	t.Helper()
	if signers == nil {
		signers = append(signers, ledgertest.Signer(t, origin))
	}
	opt := ReplicateOptions{
		Keys: ledgertest.Keys(t, signers...),
		Now:  func() time.Time { return ledgertest.Began.Add(time.Hour) },
	}
	set := wormexport.Settings{
		Telemetry: componenttest.NewNopTelemetrySettings(), ID: to.ID(), Keys: opt.Keys,
		Open: func(context.Context) (store.Store, error) { return to, nil },
	}
	if _, ok := to.(store.Retainer); ok {
		set.Retention = wormexport.RetentionPolicy{Mode: store.ModeGovernance, For: forDays, RequireLock: true}
	}
	sink, err := wormexport.New(set)
	if err != nil {
		t.Fatal(err)
	}
	opt.Sink = sink
	return opt
}

func replicate(t *testing.T, from, to store.Store) *Result {
	t.Helper()
	r, err := Replicate(t.Context(), from, to, replicaOptions(t, to))
	if err != nil {
		t.Fatal(err)
	}
	if !r.Complete() {
		t.Fatalf("not complete: %+v", r.Logs[0].Failures)
	}
	return r
}

func TestReplicate(t *testing.T) {
	from, to := storetest.NewMemory("a"), storetest.NewMemory("b")
	fill(t, from, newLog(t, "one").Segments...)
	fill(t, from, newLog(t, "two").Segments...)
	order := storetest.NewFaulty(t, to)
	for i, r := range replicate(t, from, order).Logs {
		if r.Log != []string{"one", "two"}[i] || r.Objects != 9 || r.Skipped != 0 || len(r.Notices) != 0 || r.Tampered() {
			t.Errorf("%+v", r)
		}
	}
	wantSame(t, to, from)
	wantOrder(t, order.Calls(), newLog(t, "one"))
	for _, r := range replicate(t, from, order).Logs {
		if r.Objects != 0 || r.Skipped != 9 {
			t.Errorf("done again: %+v", r)
		}
	}
}

// wantOrder checks that no seal was put before what it names and the seal before.
func wantOrder(t *testing.T, calls []storetest.Call, l *ledgertest.Log) {
	t.Helper()
	at := func(name string) int {
		return slices.IndexFunc(calls, func(c storetest.Call) bool { return c.Method == storetest.Put && c.Name == name })
	}
	for i, s := range l.Segments {
		sealed := at("one/" + s.Seal.Name())
		for name := range objects(s) {
			if at(name) < 0 || at(name) > sealed {
				t.Errorf("%s was put by call %d, its seal by %d", name, at(name), sealed)
			}
		}
		if i > 0 && sealed < at("one/"+l.Segments[i-1].Seal.Name()) {
			t.Errorf("seal %d was put before the one before it", i)
		}
	}
}

func TestReplicateRetains(t *testing.T) {
	from, to := storetest.NewMemory("a"), storetest.NewMemory("b")
	fill(t, from, newLog(t, "one").Segments...)
	replicate(t, from, to)
	for info := range to.List(t.Context(), "", "") {
		if r := info.Retention; r.Mode != store.ModeGovernance || r.Until.Before(ledgertest.Began.Add(forDays)) {
			t.Errorf("%s is retained by %+v", info.Name, r)
		}
	}
}

// A new segment is all that is read.
func TestReplicateOnlyWhatIsNew(t *testing.T) {
	l := newLog(t, "one")
	from, to := &counting{Memory: storetest.NewMemory("a")}, storetest.NewMemory("b")
	fill(t, from, l.Segments...)
	replicate(t, from, to)
	fill(t, from, l.Add(t, 2))
	from.reads.Store(0)
	if r := replicate(t, from, to).Logs[0]; r.Objects != 2 || r.Skipped != 9 || from.reads.Load() > 3 {
		t.Errorf("%d reads, %+v", from.reads.Load(), r)
	}
	wantSame(t, to, from)
}

// A store that lacks something is filled up, whatever it lacks.
func TestReplicateRepairs(t *testing.T) {
	l := newLog(t, "one")
	from := storetest.NewMemory("a")
	fill(t, from, l.Segments...)
	for name := range content(t, from) {
		to := storetest.NewMemory("b")
		fill(t, to, l.Segments...)
		to.Erase(name)
		if r := replicate(t, from, to).Logs[0]; r.Objects != 1 || r.Skipped != 8 || r.Tampered() {
			t.Errorf("without %s: %+v", name, r)
		}
		wantSame(t, to, from)
	}
	for n := range l.Segments {
		to := storetest.NewMemory("b")
		fill(t, to, l.Segments[:n]...)
		replicate(t, from, to)
		wantSame(t, to, from)
	}
}

func TestReplicateOntoMore(t *testing.T) {
	l := newLog(t, "one")
	from, to := storetest.NewMemory("a"), storetest.NewMemory("b")
	fill(t, from, l.Segments[:2]...)
	fill(t, to, l.Segments...)
	if r := replicate(t, from, to).Logs[0]; r.Objects != 0 || r.Tampered() {
		t.Errorf("%+v", r)
	}
}

// What lies in the way in the store written to.
func TestReplicateOntoStrangeThings(t *testing.T) {
	l := newLog(t, "one")
	s := l.Segments[3]
	from := storetest.NewMemory("a")
	fill(t, from, l.Segments...)
	for name, c := range map[string]struct {
		do    func(*storetest.Memory)
		want  []Code
		extra string // the seal's name, when it lies beside
	}{
		"seal squatted": {func(m *storetest.Memory) { put(t, m, "one/"+s.Seal.Name(), []byte("x")) }, nil, "one/" + ledger.BesideSealName(s.Seal.First, 1)},
		"seal hidden": {func(m *storetest.Memory) {
			put(t, m, "one/"+s.Seal.Name(), s.Seal.Bytes())
			m.Hide("one/" + s.Seal.Name())
		}, nil, ""},
		"seal shadowed": {func(m *storetest.Memory) {
			put(t, m, "one/"+s.Seal.Name(), s.Seal.Bytes())
			m.Shadow("one/"+s.Seal.Name(), nil)
		}, nil, ""},
		"segment shadowed": {func(m *storetest.Memory) {
			put(t, m, "one/"+s.Seal.SegmentName(), s.Object)
			m.Shadow("one/"+s.Seal.SegmentName(), nil)
		}, nil, ""},
		"tile differs": {func(m *storetest.Memory) { put(t, m, "one/"+ledger.TileName(1, 0), nil) }, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			to := storetest.NewMemory("b")
			fill(t, to, l.Segments[:3]...)
			c.do(to)
			r := replicate(t, from, to).Logs[0]
			if r.Tampered() {
				t.Errorf("%+v", r)
			}
			if c.extra != "" && content(t, to)[c.extra] != string(s.Seal.Bytes()) {
				t.Errorf("the seal does not lie at %s: %+v", c.extra, r)
			}
			dir := newCopy(t)
			dir.must(to)
			if v := dir.verify("one"); v.Checked != s.Seal.End() {
				t.Errorf("verified: %d records, findings %v", v.Checked, v.Findings)
			}
			if r := replicate(t, from, to).Logs[0]; r.Objects != 0 {
				t.Errorf("done again: %+v", r)
			}
		})
	}
}

func wantFinding(t *testing.T, r *Report, code verify.Code, object string, first uint64) {
	t.Helper()
	if len(r.Findings) != 1 || r.Findings[0].Code != Code(code) || r.Findings[0].Object != object || *r.Findings[0].First != first {
		t.Errorf("findings %+v, want %s of %s, record %d", r.Findings, code, object, first)
	}
}

// What was tampered with in the source is named and ends its log; others go on.
func TestReplicateFindings(t *testing.T) {
	l := newLog(t, "one")
	s := l.Segments[2]
	segment, seal, first := "one/"+s.Seal.SegmentName(), "one/"+s.Seal.Name(), s.Seal.First
	other := ledgertest.NewLog("one", ledgertest.Signer(t, origin)).Branch("x")
	other.Add(t, 3, 1, 300)
	fork := other.Segments[2].Seal
	replace := func(m *storetest.Memory, name string, data []byte) { m.Erase(name); put(t, m, name, data) }
	for name, c := range map[string]struct {
		do     func(*storetest.Memory)
		code   verify.Code
		object string
		copied uint64
	}{
		"segment missing":         {func(m *storetest.Memory) { m.Erase(segment) }, verify.SegmentMissing, segment, 4},
		"segment altered":         {func(m *storetest.Memory) { replace(m, segment, flipped(s.Object)) }, verify.SegmentAltered, segment, 4},
		"seal missing":            {func(m *storetest.Memory) { m.Erase(seal) }, verify.SealMissing, seal, 4},
		"seal altered":            {func(m *storetest.Memory) { replace(m, seal, flipped(s.Seal.Bytes())) }, verify.SealMissing, seal, 4},
		"seal of another history": {func(m *storetest.Memory) { replace(m, seal, fork.Bytes()) }, verify.Fork, seal, 4},
		"two seals":               {func(m *storetest.Memory) { put(t, m, "one/"+ledger.BesideSealName(first, 1), fork.Bytes()) }, verify.Fork, "one/" + ledger.BesideSealName(first, 1), 4},
	} {
		t.Run(name, func(t *testing.T) {
			from, to := storetest.NewMemory("a"), storetest.NewMemory("b")
			fill(t, from, l.Segments...)
			fill(t, from, newLog(t, "two").Segments...)
			c.do(from)
			r := replicate(t, from, to)
			wantFinding(t, r.Logs[0], c.code, c.object, first)
			if _, err := to.Stat(t.Context(), seal); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("the seal was copied: %v", err)
			}
			if r.Logs[1].Objects != 9 || r.Logs[1].Tampered() {
				t.Errorf("the other log: %+v", r.Logs[1])
			}
		})
	}
}

func TestReplicateWrongKey(t *testing.T) {
	from, to := storetest.NewMemory("a"), storetest.NewMemory("b")
	l := newLog(t, "one")
	fill(t, from, l.Segments...)
	r, err := Replicate(t.Context(), from, to, replicaOptions(t, to, ledgertest.ImpostorOf(t, origin, "x")))
	if err != nil || len(r.Logs[0].Findings) != 4 || r.Logs[0].Findings[0].Code != Code(verify.SealSignature) || len(content(t, to)) != 0 {
		t.Errorf("%v, %+v", err, r.Logs[0])
	}
}

// The newest seal was altered: nothing later proves that it was there.
func TestReplicateUnsignedEnd(t *testing.T) {
	from, to := storetest.NewMemory("a"), storetest.NewMemory("b")
	l := newLog(t, "one")
	fill(t, from, l.Segments...)
	name := "one/" + l.Segments[3].Seal.Name()
	from.Erase(name)
	put(t, from, name, flipped(l.Segments[3].Seal.Bytes()))
	wantFinding(t, replicate(t, from, to).Logs[0], verify.SealSignature, name, l.Segments[3].Seal.First)
}

// The first seal in which two histories differ is named, wherever they end.
func TestReplicateOntoFork(t *testing.T) {
	counts := []int{3, 1, 300}
	for common := range counts {
		t.Run("shorter", func(t *testing.T) { ontoFork(t, counts[:common], []int{5}, false) })
		t.Run("longer", func(t *testing.T) { ontoFork(t, counts[:common], []int{5, 70000}, false) })
		// With the seals alone in the store read from, names do not tell.
		t.Run("of equal names", func(t *testing.T) { ontoFork(t, counts[:common], counts[common:common+1], true) })
	}
}

func ontoFork(t *testing.T, common, theirs []int, bare bool) {
	l, other := newLog(t, "one"), ledgertest.NewLog("one", ledgertest.Signer(t, origin))
	for _, n := range common {
		other.Add(t, n)
	}
	other = other.Branch("x")
	other.Add(t, theirs...)
	from, to := storetest.NewMemory("a"), storetest.NewMemory("b")
	fill(t, from, l.Segments...)
	for _, s := range l.Segments {
		if bare {
			from.Erase("one/" + s.Seal.SegmentName())
		}
	}
	fill(t, to, other.Segments...)
	before := content(t, to)
	r := replicate(t, from, to).Logs[0]
	s := l.Segments[len(common)].Seal
	wantFinding(t, r, verify.Fork, "one/"+s.Name(), s.First)
	for name, data := range before {
		if content(t, to)[name] != data {
			t.Errorf("%s changed", name)
		}
	}
}

func TestReplicateExpired(t *testing.T) {
	from, to := storetest.NewMemory("a"), storetest.NewMemory("b")
	l := expiring(t, 3)
	fill(t, from, l...)
	from.Erase("one/" + l[0].Seal.SegmentName())
	from.Hide("one/" + l[1].Seal.SegmentName()) // Its bytes are there.
	if r := replicate(t, from, to).Logs[0]; r.Expired != 1 || r.Objects != 5 || r.Tampered() {
		t.Errorf("%+v", r)
	}
	if r := replicate(t, from, to).Logs[0]; r.Expired != 0 || r.Objects != 0 || r.Skipped != 5 || r.Tampered() {
		t.Errorf("done again: %+v", r)
	}
	to = storetest.NewMemory("c")
	opt := replicaOptions(t, to)
	opt.Now = func() time.Time { return ledgertest.Began }
	r, err := Replicate(t.Context(), from, to, opt)
	if err != nil {
		t.Fatal(err)
	}
	wantFinding(t, r.Logs[0], verify.SegmentMissing, "one/"+l[0].Seal.SegmentName(), 0)
}

func TestReplicateResumes(t *testing.T) {
	l := newLog(t, "one")
	from := storetest.NewMemory("a")
	fill(t, from, l.Segments...)
	for stop := range 4 {
		to := storetest.NewMemory("b")
		ctx, cancel := context.WithCancel(t.Context())
		opt := replicaOptions(t, to)
		opt.Progress = func(p Progress) {
			if p.Listed && p.Done == uint64(stop) {
				cancel()
			}
		}
		_, err := Replicate(ctx, from, to, opt)
		cancel()
		if !errors.Is(err, context.Canceled) {
			t.Errorf("stopped after %d: %v", stop, err)
		}
		if r := replicate(t, from, to).Logs[0]; r.Skipped < uint64(stop*2) {
			t.Errorf("stopped after %d: %+v", stop, r)
		}
		wantSame(t, to, from)
	}
}

func TestReplicateFaults(t *testing.T) {
	l := newLog(t, "one")
	mem := storetest.NewMemory("a")
	fill(t, mem, l.Segments...)
	synctest.Test(t, func(t *testing.T) {
		for _, f := range []storetest.Fault{{Method: storetest.Put, N: 2}, {Method: storetest.Put, N: 3, Applied: true}, {Method: storetest.Put, Name: "seals", Applied: true}} {
			to := storetest.NewMemory("b")
			faulty := storetest.NewFaulty(t, to)
			faulty.Inject(f)
			replicate(t, mem, faulty)
			wantSame(t, to, mem)
		}
		to := storetest.NewFaulty(t, storetest.NewMemory("b"))
		to.Inject(storetest.Fault{Method: storetest.Put, Name: "/seals/", N: 2, UntilHeal: true})
		r, err := Replicate(t.Context(), mem, to, replicaOptions(t, to))
		if err != nil || r.Complete() || r.Tampered() || !strings.Contains(r.Logs[0].Failures[0].Message, "memory://b") {
			t.Errorf("%v, %+v", err, r.Logs[0])
		}
		to.Heal()
		replicate(t, mem, to)
		wantSame(t, to, mem)
		denied := storetest.NewFaulty(t, storetest.NewMemory("c"))
		denied.Inject(storetest.Fault{Method: storetest.Put, UntilHeal: true, Err: store.ErrRetention})
		if _, err := Replicate(t.Context(), mem, denied, replicaOptions(t, denied)); !errors.Is(err, store.ErrRetention) {
			t.Errorf("a store that cannot retain: %v", err)
		}
	})
}
