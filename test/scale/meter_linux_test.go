package scale

import (
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/otelcol-custody/custody/store/storetest/wire"
)

// meter measures what passes a proxy. It writes a line at once: a large run
// takes long. (What a benchmark logs is cut after ten lines.)
type meter struct {
	b       *testing.B
	proxy   *wire.Proxy
	metrics map[string]float64 // by unit; those reported before b.Loop would be lost
}

const columns = "%-22s %10s %9s  %-40s %s\n"

func newMeter(b *testing.B, proxy *wire.Proxy) *meter {
	return &meter{b: b, proxy: proxy, metrics: map[string]float64{}}
}

// measure runs an operation, whose result is told, and enters what it took.
func (m *meter) measure(what string, do func() (result string)) {
	m.b.Helper()
	m.proxy.Forget()
	began := time.Now()
	result := do()
	m.enter(what, time.Since(began), 1, result)
}

// enter enters what passed since the last Forget, divided by times.
func (m *meter) enter(what string, took time.Duration, times int, result string) {
	requests := m.proxy.Requests()
	by := map[string]int{}
	for _, r := range requests {
		by[operation(r)]++
	}
	var parts []string
	for _, op := range slices.Sorted(maps.Keys(by)) {
		parts = append(parts, fmt.Sprintf("%s %g", op, float64(by[op])/float64(times)))
	}
	seconds, count := took.Seconds()/float64(times), float64(len(requests))/float64(times)
	fmt.Fprintf(os.Stdout, columns, what, fmt.Sprintf("%.3f", seconds), fmt.Sprintf("%g", count), result, strings.Join(parts, ", "))
	unit := strings.ReplaceAll(what, " ", "-")
	m.metrics[unit+"-s"], m.metrics[unit+"-requests"] = seconds, count
}

func (m *meter) report() {
	for unit, n := range m.metrics {
		m.b.ReportMetric(n, unit)
	}
}

// operation names a request as S3 does.
func operation(r wire.Request) string {
	has := func(key string) bool {
		for part := range strings.SplitSeq(r.RawQuery, "&") {
			if name, _, _ := strings.Cut(part, "="); name == key {
				return true
			}
		}
		return false
	}
	switch {
	case has("versions"):
		return "ListObjectVersions"
	case has("list-type"):
		return "ListObjectsV2"
	case has("object-lock"):
		return "GetObjectLockConfiguration"
	case has("retention"):
		return map[string]string{http.MethodGet: "GetObjectRetention", http.MethodPut: "PutObjectRetention"}[r.Method]
	case has("uploads"), has("uploadId"):
		return "multipart " + r.Method
	}
	return map[string]string{
		http.MethodGet: "GetObject", http.MethodHead: "HeadObject", http.MethodPut: "PutObject", http.MethodDelete: "DeleteObject",
	}[r.Method]
}
