package wormexport

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otelcol-custody/custody/ledger/ledgertest"
	"github.com/otelcol-custody/custody/ledger/segment"
	"github.com/otelcol-custody/custody/store"
	"github.com/otelcol-custody/custody/store/dirstore"
	"github.com/otelcol-custody/custody/store/storetest"
)

const year = 365 * 24 * time.Hour

func policyOf(years int) RetentionPolicy {
	// The clock of synctest begins in 2000, that of the chains in 2026.
	return RetentionPolicy{Mode: store.ModeCompliance, For: time.Duration(years) * year, RequireLock: true}
}

func keepYears(years int) func(*Settings) {
	return func(s *Settings) { s.Retention = policyOf(years) }
}

// retained checks that all objects of segments are retained as a policy says, and
// no longer.
func (b *bench) retained(p RetentionPolicy, segments ...ledgertest.Segment) {
	b.t.Helper()
	for _, s := range segments {
		want := store.Retention{Mode: p.Mode, Until: s.Seal.Closed().At.Add(p.For), LegalHold: p.LegalHold}
		for _, name := range objectsOf(s) {
			if info, err := b.mem.Stat(b.t.Context(), name); err != nil || info.Retention != want {
				b.t.Errorf("%s: %+v, want %+v, %v", name, info.Retention, want, err)
			}
		}
	}
}

func TestRetentionOfAllObjects(t *testing.T) {
	chain := ledgertest.Chain(t, ledgertest.Signer(t, origin), 65536, 3)
	for _, p := range []RetentionPolicy{
		policyOf(7),
		{Mode: store.ModeGovernance, For: 9 * year, LegalHold: true},
	} {
		b := newVersioned(t, nil, func(s *Settings) { s.Retention = p })
		b.must(chain...)
		b.retained(p, chain...)
		if got := b.sums("worm_retained", "mode")[p.Mode.String()]; got != 5 {
			t.Errorf("%d objects retained by %v", got, p.Mode)
		}
		if got, want := b.gauge("worm_retained_until"), float64(chain[1].Seal.Closed().At.Add(p.For).Unix()); got != want {
			t.Errorf("retained until %v, want %v", got, want)
		}
		if b.gauge("worm_locked") != 1 {
			t.Error("the lock is not told of")
		}
	}
	b := newVersioned(t, nil, func(s *Settings) { s.Retention = RetentionPolicy{LegalHold: true} })
	b.must(chain...)
	for _, name := range b.names() {
		if info, err := b.mem.Stat(t.Context(), name); err != nil || info.Retention != (store.Retention{LegalHold: true}) {
			t.Errorf("%s: %+v", name, info.Retention)
		}
	}
	if got := b.sums("worm_retained", "mode")["hold"]; got != 5 || b.gauge("worm_retained_until") != 0 {
		t.Errorf("%d objects under hold", got)
	}
}

func TestPolicyOfASegment(t *testing.T) {
	closed := ledgertest.Began
	with := func(at, until time.Time) *segment.Closed { return &segment.Closed{At: at, RetainUntil: until} }
	p := RetentionPolicy{Mode: store.ModeGovernance, For: 24 * time.Hour}
	day := closed.Add(24 * time.Hour)
	for name, c := range map[string]struct {
		c    *segment.Closed
		now  time.Time
		want time.Time // zero: none
	}{
		"from its closing":       {with(closed, time.Time{}), closed.Add(time.Hour), day},
		"promised for less":      {with(closed, closed.Add(time.Hour)), closed, day},
		"promised for longer":    {with(closed, day.Add(time.Hour)), closed, day.Add(time.Hour)},
		"upward to the second":   {with(closed.Add(time.Nanosecond), time.Time{}), closed, day.Add(time.Second)},
		"delivered much later":   {with(closed, time.Time{}), closed.Add(23 * time.Hour), day},
		"nearly over":            {with(closed, time.Time{}), day.Add(-time.Second), day.Add(-time.Second).Add(soonest)},
		"over":                   {with(closed, time.Time{}), day, time.Time{}},
		"over but for the log's": {with(closed, day.Add(year)), day, day.Add(year)},
	} {
		want := store.Retention{Mode: p.Mode, Until: c.want}
		if c.want.IsZero() {
			want = store.Retention{}
		}
		if got := p.of(c.c, c.c.At, c.now); got != want {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
	p.LegalHold = true
	if got := p.of(with(closed, time.Time{}), closed, closed.Add(year)); got != (store.Retention{LegalHold: true}) {
		t.Errorf("a hold that outlives the time: %+v", got)
	}
}

// A redelivery extends what lies there with less, and shortens nothing.
func TestRedeliveryExtendsRetention(t *testing.T) {
	chain := ledgertest.Chain(t, ledgertest.Signer(t, origin), 3, 2)
	for name, hide := range map[string]func(*storetest.Memory, string){
		"in sight": func(*storetest.Memory, string) {},
		"shadowed": func(m *storetest.Memory, name string) { m.Shadow(name, []byte("x")) },
		"hidden":   func(m *storetest.Memory, name string) { m.Hide(name) },
	} {
		t.Run(name, func(t *testing.T) {
			b := newVersioned(t, nil, keepYears(1))
			b.must(chain...)
			for _, s := range []string{chain[1].Seal.Name(), chain[1].Seal.SegmentName()} {
				hide(b.mem, "test/"+s)
			}
			b = newVersioned(t, b.mem, keepYears(7))
			if err := b.probe(chain[1]); err != nil {
				t.Fatal(err)
			}
			b.must(chain...)
			b.genuineRetained(7, chain...)
			since := len(b.store.Calls())
			b.must(chain...)
			if n := len(b.store.Calls()) - since; n != 0 {
				t.Errorf("%d requests for what is known", n)
			}
			b = newVersioned(t, b.mem, keepYears(3))
			b.must(chain...)
			b.genuineRetained(7, chain...)
		})
	}
}

// genuineRetained checks some version with the genuine bytes of each object.
func (b *bench) genuineRetained(years int, segments ...ledgertest.Segment) {
	b.t.Helper()
	for _, s := range segments {
		want := store.Retention{Mode: store.ModeCompliance, Until: s.Seal.Closed().At.Add(time.Duration(years) * year)}
		for _, name := range objectsOf(s) {
			infos, err := b.mem.Versions(b.t.Context(), name)
			if err != nil || !slices.ContainsFunc(infos, func(i store.Info) bool {
				return (i.Size == int64(len(s.Object)) || i.Size == int64(len(s.Seal.Bytes()))) && i.Retention == want
			}) {
				b.t.Errorf("%s: no version is retained by %+v: %+v, %v", name, want, infos, err)
			}
		}
	}
}

// locker answers CheckLock as it is told.
type locker struct {
	*storetest.Memory
	check func(store.Mode) (store.Default, error)
}

func (l locker) CheckLock(_ context.Context, m store.Mode) (store.Default, error) { return l.check(m) }

func TestLockAtStart(t *testing.T) {
	no := func(store.Mode) (store.Default, error) {
		return store.Default{}, fmt.Errorf("%w: the bucket has no object lock", store.ErrRetention)
	}
	def := func(m store.Mode) func(store.Mode) (store.Default, error) {
		return func(store.Mode) (store.Default, error) { return store.Default{Mode: m, For: 2 * year}, nil }
	}
	bucketOnly := func(m store.Mode) (store.Default, error) {
		if m == store.ModeNone {
			return def(store.ModeCompliance)(m)
		}
		return no(m)
	}
	none := func(store.Mode) (store.Default, error) { return store.Default{}, nil }
	compliance := RetentionPolicy{Mode: store.ModeCompliance, For: year}
	require := func(p RetentionPolicy) RetentionPolicy { p.RequireLock = true; return p }
	for name, c := range map[string]struct {
		check func(store.Mode) (store.Default, error)
		p     RetentionPolicy
		want  []string // in the error; none: it starts
		sets  RetentionPolicy
	}{
		"nothing asked":             {no, RetentionPolicy{}, nil, RetentionPolicy{}},
		"no lock":                   {no, require(compliance), []string{"retention::mode", "no object lock", "require_lock: false"}, RetentionPolicy{}},
		"no lock, told to go on":    {no, compliance, nil, RetentionPolicy{}},
		"no lock for a hold":        {no, RetentionPolicy{LegalHold: true, RequireLock: true}, []string{"require_lock: false"}, RetentionPolicy{}},
		"the default's time":        {def(store.ModeGovernance), RetentionPolicy{Mode: store.ModeCompliance}, nil, RetentionPolicy{Mode: store.ModeCompliance, For: 2 * year}},
		"no time":                   {none, RetentionPolicy{Mode: store.ModeCompliance}, []string{"retention::days"}, RetentionPolicy{}},
		"the stricter default":      {def(store.ModeCompliance), RetentionPolicy{Mode: store.ModeGovernance}, nil, RetentionPolicy{Mode: store.ModeCompliance, For: 2 * year}},
		"exceeded in time":          {def(store.ModeGovernance), compliance, nil, compliance},
		"exceeded in mode":          {def(store.ModeCompliance), RetentionPolicy{Mode: store.ModeGovernance, For: 5 * year}, nil, RetentionPolicy{Mode: store.ModeGovernance, For: 5 * year}},
		"the default":               {def(store.ModeGovernance), RetentionPolicy{RequireLock: true}, nil, RetentionPolicy{Mode: store.ModeGovernance, For: 2 * year}},
		"no default":                {none, RetentionPolicy{RequireLock: true}, []string{"retention::mode", "require_lock: false"}, RetentionPolicy{}},
		"only the bucket's default": {bucketOnly, RetentionPolicy{RequireLock: true}, nil, RetentionPolicy{}},
		"hold":                      {none, RetentionPolicy{LegalHold: true, RequireLock: true}, nil, RetentionPolicy{LegalHold: true}},
	} {
		t.Run(name, func(t *testing.T) {
			core, logs := observer.New(zap.WarnLevel)
			mem := storetest.NewMemory("test")
			tel := componenttest.NewNopTelemetrySettings()
			tel.Logger = zap.New(core)
			e, err := New(Settings{
				Telemetry: tel, ID: mem.ID(), Keys: ledgertest.Keys(t, ledgertest.Signer(t, origin)), Retention: c.p,
				Open: func(context.Context) (store.Store, error) { return locker{mem, c.check}, nil },
			})
			if err != nil {
				t.Fatal(err)
			}
			err = e.Start(t.Context(), &statusHost{})
			defer func() { _ = e.Shutdown(context.Background()) }()
			if len(c.want) > 0 {
				for _, want := range c.want {
					if !errors.Is(err, store.ErrRetention) || !strings.Contains(err.Error(), want) {
						t.Errorf("got %v, want it to say %q", err, want)
					}
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			wantWarning := strings.Contains(name, "told to go on")
			if got := logs.FilterMessageSnippet("NOTHING IS RETAINED").Len(); (got == 1) != wantWarning {
				t.Errorf("%d warnings", got)
			}
			if got := logs.FilterMessageSnippet("less than the store's default").Len(); (got == 1) != strings.HasPrefix(name, "exceeded") {
				t.Errorf("%d warnings of the default", got)
			}
			s := ledgertest.Chain(t, ledgertest.Signer(t, origin), 3)[0]
			if err := e.Store(t.Context(), objects(s)); err != nil {
				t.Fatal(err)
			}
			info, err := mem.Stat(t.Context(), "test/"+s.Seal.Name())
			want, now := c.sets.of(s.Seal.Closed(), s.Seal.Closed().At, time.Now()), time.Now()
			if strings.Contains(name, "default") && c.sets.asks() { // Counted as the store does.
				want = c.sets.of(s.Seal.Closed(), now, now)
			}
			if off := want.Until.Sub(info.Retention.Until).Abs(); err != nil || info.Retention.Mode != want.Mode || info.Retention.LegalHold != want.LegalHold || off > 2*time.Second {
				t.Errorf("stored with %+v, want %+v", info.Retention, want)
			}
		})
	}
	e, err := New(Settings{
		Telemetry: componenttest.NewNopTelemetrySettings(), Keys: ledgertest.Keys(t, ledgertest.Signer(t, origin)), Retention: require(compliance),
		Open: func(context.Context) (store.Store, error) {
			return dirstore.Open(t.TempDir(), dirstore.Options{Immutable: dirstore.ImmutableOff})
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Start(t.Context(), &statusHost{}); !errors.Is(err, store.ErrRetention) {
		t.Errorf("a directory that is to lock: %v", err)
	}
	_ = e.Shutdown(t.Context())
}

// What may pass is no reason to refuse the start.
func TestStartIsPatient(t *testing.T) {
	slow := func(ctx context.Context) error {
		<-ctx.Done()
		return ctx.Err()
	}
	fails := func(err error) func(context.Context) error {
		return func(context.Context) error { return fmt.Errorf("%w: mend it", err) }
	}
	for name, passing := range map[string]func(context.Context) error{
		"away": fails(store.ErrUnavailable), "full": fails(store.ErrFull), "denied": fails(store.ErrDenied), "slow": slow, "odd": fails(errors.New("x509: certificate has expired")),
	} {
		for _, atLock := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				opened, mem := 0, storetest.NewMemory("test")
				b := newVersioned(t, mem, keepYears(7), func(s *Settings) {
					s.Open = func(ctx context.Context) (store.Store, error) {
						if opened++; opened == 1 && !atLock {
							return nil, passing(ctx)
						}
						return locker{mem, func(store.Mode) (store.Default, error) {
							if opened == 1 {
								return store.Default{}, passing(ctx)
							}
							return store.Default{}, nil
						}}, nil
					}
				})
				if got := b.host.statuses(); !slices.Equal(got, []componentstatus.Status{componentstatus.StatusRecoverableError}) || b.gauge("worm_locked") != 0 {
					t.Errorf("%s: reported %v", name, got)
				}
				b.rest()
				s := ledgertest.Chain(t, b.signer, 3)[0]
				b.must(s)
				b.retained(policyOf(7), s)
				if b.gauge("worm_locked") != 1 {
					t.Errorf("%s: the lock is not told of", name)
				}
			})
		}
	}
	for _, definite := range []error{store.ErrUnfit, store.ErrRetention} {
		e, err := New(Settings{
			Telemetry: componenttest.NewNopTelemetrySettings(), Keys: ledgertest.Keys(t, ledgertest.Signer(t, origin)),
			Open: func(context.Context) (store.Store, error) { return nil, definite },
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := e.Start(t.Context(), &statusHost{}); !errors.Is(err, definite) {
			t.Errorf("got %v, want %v", err, definite)
		}
		_ = e.Shutdown(t.Context())
	}
}

// A log that promises more than anybody keeps is told of, once.
func TestPromiseThatNobodyKeeps(t *testing.T) {
	v := *ledgertest.Chain(t, ledgertest.Signer(t, origin), 3)[0].Seal
	v.Closed().RetainUntil = ledgertest.Began.Add(year)
	said := func(s store.Store, p RetentionPolicy) int {
		core, logs := observer.New(zap.WarnLevel)
		tel := componenttest.NewNopTelemetrySettings()
		tel.Logger = zap.New(core)
		e, err := New(Settings{Telemetry: tel, ID: "test"})
		if err != nil {
			t.Fatal(err)
		}
		e.active.Store(&activePolicy{RetentionPolicy: p})
		e.promised(s, &v)
		e.promised(s, &v)
		_ = e.Shutdown(t.Context())
		return logs.FilterMessageSnippet("sets no retention").Len()
	}
	mem := storetest.NewMemory("test")
	if n := said(mem, RetentionPolicy{}); n != 1 {
		t.Errorf("told %d times", n)
	}
	if n := said(mem, policyOf(1)) + said(storetest.NewFaulty(t, mem), RetentionPolicy{}); n != 0 {
		t.Errorf("told %d times where it is kept, or cannot be", n)
	}
}

// A store that refuses the retention of an object does not end the collector.
func TestRetentionRefusedAtRunTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newVersioned(t, nil, keepYears(7))
		s := ledgertest.Chain(t, b.signer, 3)[0]
		b.store.Inject(storetest.Fault{Method: storetest.Put, Err: fmt.Errorf("%w: too long", store.ErrRetention), UntilHeal: true})
		err := b.deliver(s)
		wantPending(t, err)
		if !errors.Is(err, store.ErrRetention) || b.sums("worm_failures", "reason")["retention"] != 1 {
			t.Errorf("got %v", err)
		}
		if got := b.host.statuses(); !slices.Equal(got, []componentstatus.Status{componentstatus.StatusRecoverableError}) {
			t.Errorf("reported %v", got)
		}
		b.store.Heal()
		b.rest()
		b.must(s)
		b.retained(policyOf(7), s)
	})
}

// gauge reads a metric with one point.
func (b *bench) gauge(name string) float64 {
	b.t.Helper()
	m, err := b.tel.GetMetric("otelcol_" + name)
	if err != nil {
		b.t.Fatal(err)
	}
	switch d := m.Data.(type) {
	case metricdata.Gauge[int64]:
		return float64(d.DataPoints[0].Value)
	case metricdata.Gauge[float64]:
		return d.DataPoints[0].Value
	}
	b.t.Fatalf("%s is %T", name, m.Data)
	return 0
}

// Another writer of the same bytes was first, for a shorter time, and somebody
// hid what it wrote: the genuine version below is what is retained.
func TestSealBelowAShadowIsRetained(t *testing.T) {
	chain := ledgertest.Chain(t, ledgertest.Signer(t, origin), 3, 2)
	b := newVersioned(t, nil, keepYears(7))
	b.must(chain[0])
	newVersioned(t, b.mem, keepYears(1)).must(chain[1])
	for _, name := range objectsOf(chain[1]) {
		b.mem.Shadow(name, []byte("x"))
	}
	b.must(chain[1])
	b.genuineRetained(7, chain[1])
}
