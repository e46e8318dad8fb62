package wormexport

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/otelcol-custody/custody/internal/delivery"
	"github.com/otelcol-custody/custody/internal/logstore"
	"github.com/otelcol-custody/custody/ledger/ledgertest"
	"github.com/otelcol-custody/custody/store/storetest"
)

// sums reads the metric's points by the value of an attribute, "" for none.
func (b *bench) sums(name, key string) map[string]int64 {
	b.t.Helper()
	m, err := b.tel.GetMetric("otelcol_" + name)
	if err != nil {
		b.t.Fatal(err)
	}
	out := map[string]int64{}
	for _, p := range m.Data.(metricdata.Sum[int64]).DataPoints {
		if s, ok := p.Attributes.Value("store"); !ok || s.AsString() != b.set.ID {
			b.t.Errorf("%s does not name the store", name)
		}
		v, _ := p.Attributes.Value(attribute.Key(key))
		if key == "" {
			out[""] += p.Value
		} else {
			out[v.AsString()] += p.Value
		}
	}
	return out
}

func TestMetrics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.store.AllowConflicts()
		l := ledgertest.NewLog("test", b.signer)
		a := l.Add(t, 3)
		other := l.Branch("other").Add(t, 2)
		c := l.Add(t, 65533)
		plant(t, b.mem, logstore.SealName("test", 0, 0), []byte("x"))
		b.store.Inject(storetest.Fault{Method: storetest.Put, Name: "tiles"})
		b.must(a)
		wantPending(t, b.deliver(c))
		b.rest()
		b.must(c, a)
		wantFork(t, b.deliver(other))
		wantAltered(t, b.send((&delivery.Objects{Segment: a.Object, Seal: []byte("x")}).Logs()))
		for _, c := range []struct {
			name, key, value string
			want             int64
		}{
			{"worm_objects", "kind", "segment", 3}, // One of them of the fork, which its seal finds.
			{"worm_objects", "kind", "tile", 1},
			{"worm_objects", "kind", "seal", 2},
			{"worm_bytes", "kind", "tile", 8192},
			{"worm_segments", "", "", 2},
			{"worm_duplicates", "", "", 1},
			{"worm_forks", "", "", 1},
			{"worm_in_hand", "", "", 0},
			{"worm_refused", "reason", "altered", 1},
			{"worm_failures", "reason", "unavailable", 1},
			{"worm_notices", "reason", "squatter", 1},
		} {
			if got := b.sums(c.name, c.key)[c.value]; got != c.want {
				t.Errorf("%s %s is %d, want %d", c.name, c.value, got, c.want)
			}
		}
		for _, name := range []string{"worm_put_duration", "worm_seal_to_stored"} {
			m, err := b.tel.GetMetric("otelcol_" + name)
			if err != nil || !slices.ContainsFunc(m.Data.(metricdata.Histogram[float64]).DataPoints, func(p metricdata.HistogramDataPoint[float64]) bool { return p.Count > 0 }) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

// What waits is counted from what was delivered, also while the store is away.
func TestBacklog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(ledgertest.Began.Add(time.Hour))) // The chain's clock.
		b := newVersioned(t, nil)
		chain := ledgertest.Chain(t, b.signer, 3, 2, 2)
		b.must(chain[0])
		want := func(backlog int, oldest time.Duration) {
			t.Helper()
			if n, age := b.gauge("worm_backlog"), b.gauge("worm_oldest_missing"); int(n) != backlog || age != oldest.Seconds() {
				t.Errorf("backlog %v, oldest %v s, want %d, %v", n, age, backlog, oldest)
			}
		}
		want(0, 0)
		b.store.SetDown(true)
		for range 2 {
			wantPending(t, b.deliver(chain[1]))
			wantPending(t, b.deliver(chain[2]))
		}
		want(2, time.Since(chain[1].Seal.Closed().At))
		b.store.Heal()
		b.rest()
		b.must(chain[1])
		want(1, time.Since(chain[2].Seal.Closed().At))
		b.must(chain[2])
		want(0, 0)
	})
}

// The time since the acknowledgement is known where hash_chain is in this process,
// also when the first try failed.
func TestAckToStored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		chain := ledgertest.Chain(t, b.signer, 3, 2)
		b.must(chain[0])
		began := time.Now()
		b.store.SetDown(true)
		for range 2 {
			time.Sleep(time.Minute)
			ctx, _ := delivery.WithBook(delivery.WithBegan(t.Context(), began))
			_ = b.ConsumeLogs(ctx, objects(chain[1]).Logs())
			b.store.Heal()
		}
		m, err := b.tel.GetMetric("otelcol_worm_ack_to_stored")
		if err != nil {
			t.Fatal(err)
		}
		p := m.Data.(metricdata.Histogram[float64]).DataPoints
		if len(p) != 1 || p[0].Count != 1 || p[0].Sum < 120 || p[0].Sum > 121 {
			t.Errorf("measured %+v, want 120 s for the second segment alone", p)
		}
	})
}
