package bench

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// BenchmarkAcks measures how long senders wait for their answer at a steady rate
// and at saturation, whatever a segment's largest age is: it must not show. A
// request is one iteration. To see a segment of 60 s close, let it run longer:
//
//	make bench BENCH=Acks BENCHTIME=90s PKGS=./test/bench
func BenchmarkAcks(b *testing.B) {
	for _, age := range []string{"1s", "60s"} {
		for _, rate := range []int{1_000, 10_000} {
			b.Run(fmt.Sprintf("age=%s/rate=%d", age, rate), func(b *testing.B) { steady(b, age, rate) })
		}
		b.Run(fmt.Sprintf("age=%s/saturated", age), func(b *testing.B) { saturated(b, age) })
	}
}

// perSteady is how many records a request of the steady senders has: many
// sources, each with little to say.
const perSteady = 10

// steady sends at a rate of records a second, whether answers come or not. A
// request's time counts from when it was due, so that one that had to wait for
// the sender is as late as it was for its source.
func steady(b *testing.B, age string, rate int) {
	c := connect(b, map[string]any{"segment": map[string]any{"max_age": age}})
	requests, _ := requestsOf(b, perSteady)
	took := make([]time.Duration, b.N)
	pause := time.Second * perSteady / time.Duration(rate)
	var senders sync.WaitGroup
	b.ResetTimer()
	begun := time.Now()
	for i := range b.N {
		due := begun.Add(time.Duration(i) * pause)
		time.Sleep(time.Until(due))
		senders.Go(func() {
			if _, err := c.Export(context.Background(), requests[i%len(requests)]); err != nil {
				b.Error(err)
			}
			took[i] = time.Since(due)
		})
	}
	senders.Wait()
	reportAcks(b, took, perSteady)
}

// saturated sends as much as is taken, by four senders.
func saturated(b *testing.B, age string) {
	c := connect(b, map[string]any{"segment": map[string]any{"max_age": age}})
	requests, _ := requestsOf(b, perRequest)
	took := make([]time.Duration, b.N)
	var next atomic.Int64
	var senders sync.WaitGroup
	b.ResetTimer()
	for range 4 {
		senders.Go(func() {
			for i := next.Add(1) - 1; i < int64(b.N); i = next.Add(1) - 1 {
				begun := time.Now()
				if _, err := c.Export(context.Background(), requests[int(i)%len(requests)]); err != nil {
					b.Error(err)
					return
				}
				took[i] = time.Since(begun)
			}
		})
	}
	senders.Wait()
	reportAcks(b, took, perRequest)
}

func reportAcks(b *testing.B, took []time.Duration, records int) {
	b.StopTimer()
	slices.Sort(took)
	at := func(percent int) float64 { return took[(len(took)-1)*percent/100].Seconds() * 1e3 }
	b.ReportMetric(at(50), "p50-ms")
	b.ReportMetric(at(99), "p99-ms")
	b.ReportMetric(at(100), "max-ms")
	b.ReportMetric(float64(len(took)*records)/b.Elapsed().Seconds(), "records/s")
}
