package integrityextension

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/otelcol-custody/custody/extension/integrityextension/internal/metadata"
	"github.com/otelcol-custody/custody/internal/integrity"
	"github.com/otelcol-custody/custody/internal/integrity/incident"
	"github.com/otelcol-custody/custody/ledger/seal"
)

// Checked implements integrity.Observer: it counts what the guard has read, and
// hands what is new to the index.
func (j *judge) Checked(store string, v *seal.Verified, lines []byte, again bool) {
	pass := "new"
	if again {
		pass = "again"
	}
	ctx, of := context.Background(), metric.WithAttributes(attribute.String("store", store), attribute.String("log", v.Log), attribute.String("pass", pass))
	j.telemetry.IntegrityVerifiedRecords.Add(ctx, int64(v.Count), of)
	j.telemetry.IntegrityVerifiedBytes.Add(ctx, int64(len(lines)), of)
	if j.index != nil && !again {
		j.index.offer(v, lines)
	}
}

// Passed implements integrity.Observer: the coverage says it.
func (j *judge) Passed(string, string, time.Duration) {}

// gauges has what the guard and the book know observed whenever metrics are read.
func gauges(tb *metadata.TelemetryBuilder, status func() []integrity.LogStatus, open func() []incident.Incident, now func() time.Time) error {
	seconds := func(value func(integrity.LogStatus) (time.Duration, bool)) metric.Float64Callback {
		return func(_ context.Context, o metric.Float64Observer) error {
			for _, s := range status() {
				if d, ok := value(s); ok {
					o.Observe(d.Seconds(), of(s))
				}
			}
			return nil
		}
	}
	size := func(value func(integrity.LogStatus) uint64) metric.Int64Callback {
		return func(_ context.Context, o metric.Int64Observer) error {
			for _, s := range status() {
				if s.Head != nil {
					o.Observe(int64(value(s)), of(s))
				}
			}
			return nil
		}
	}
	return errors.Join(
		tb.RegisterIntegrityHeadCallback(size(func(s integrity.LogStatus) uint64 { return s.Head.Size })),
		tb.RegisterIntegrityVerifiedSizeCallback(size(func(s integrity.LogStatus) uint64 { return s.Verified })),
		tb.RegisterIntegrityLagCallback(seconds(func(s integrity.LogStatus) (time.Duration, bool) { return s.Lag, s.Head != nil })),
		tb.RegisterIntegrityCoverageOldestCallback(seconds(func(s integrity.LogStatus) (time.Duration, bool) { return unreadFor(s.Coverage, now()) })),
		tb.RegisterIntegrityCoveragePromiseCallback(seconds(func(s integrity.LogStatus) (time.Duration, bool) { return s.Coverage.Promise, s.Coverage.Promise > 0 })),
		tb.RegisterIntegrityUnreadCallback(seconds(func(s integrity.LogStatus) (time.Duration, bool) { return failingFor(s, now()), true })),
		tb.RegisterIntegrityOverdueCallback(seconds(func(s integrity.LogStatus) (time.Duration, bool) { return overdue(s, now()), s.Head != nil })),
		tb.RegisterIntegrityPassProgressCallback(func(_ context.Context, o metric.Float64Observer) error {
			for _, s := range status() {
				if c := s.Coverage; c.Total > 0 {
					o.Observe(min(1, float64(c.Done)/float64(c.Total)), of(s))
				}
			}
			return nil
		}),
		tb.RegisterIntegrityIncidentsCallback(func(_ context.Context, o metric.Int64Observer) error {
			observe(o, open())
			return nil
		}),
	)
}

func of(s integrity.LogStatus) metric.MeasurementOption {
	return metric.WithAttributes(attribute.String("store", s.Store), attribute.String("log", s.Log))
}

// unreadFor is how long the byte that has waited longest has waited: since it was
// read, or since the first pass began.
func unreadFor(c integrity.Coverage, now time.Time) (time.Duration, bool) {
	since := c.Oldest
	if since.IsZero() {
		since = c.Began
	}
	return max(0, now.Sub(since)), !since.IsZero()
}

func failingFor(s integrity.LogStatus, now time.Time) time.Duration {
	if s.Error == "" {
		return 0
	}
	return max(0, now.Sub(s.Since))
}

func overdue(s integrity.LogStatus, now time.Time) time.Duration {
	if s.Ended || s.NextBy.IsZero() {
		return 0
	}
	return max(0, now.Sub(s.NextBy))
}

// observe counts open incidents. A severity without any is 0 and not absent, so
// that an alarm can tell the two apart.
func observe(o metric.Int64Observer, open []incident.Incident) {
	type key struct {
		kind       incident.Kind
		severity   incident.Severity
		store, log string
	}
	counts := map[key]int64{}
	none := map[incident.Severity]bool{incident.Tampering: true, incident.Concern: true, incident.Trouble: true}
	for _, i := range open {
		if i.Acknowledged == nil {
			counts[key{i.Kind, i.Severity, i.Place.Store, i.Place.Log}]++
			delete(none, i.Severity)
		}
	}
	for s := range none {
		counts[key{severity: s}] = 0
	}
	for k, n := range counts {
		o.Observe(n, metric.WithAttributes(attribute.String("kind", string(k.kind)), attribute.String("severity", k.severity.String()),
			attribute.String("store", k.store), attribute.String("log", k.log)))
	}
}
