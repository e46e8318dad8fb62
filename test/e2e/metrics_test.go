package e2e

import (
	"bufio"
	"net/http"
	"strconv"
	"strings"
	"testing"
)

// metric reads the values of a metric, by the store that they are about. Only
// those with the label count, as `le="1"`; "" is any.
func (c *collector) metric(t *testing.T, name, label string) map[string]int {
	t.Helper()
	resp, err := http.Get("http://127.0.0.1:" + c.home.metricsPort + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	values := map[string]int{}
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		labels, ok := strings.CutPrefix(lines.Text(), name+"{")
		_, store, found := strings.Cut(labels, `store="`)
		if !ok || !found || !strings.Contains(labels, label) {
			continue
		}
		store, _, _ = strings.Cut(store, `"`)
		text := labels[strings.LastIndexByte(labels, ' ')+1:]
		f, err := strconv.ParseFloat(text, 64)
		if err != nil {
			t.Fatalf("%s: %v", lines.Text(), err)
		}
		values[store] = int(f)
	}
	return values
}

// segments says how many segments each store has taken.
func (c *collector) segments(t *testing.T) map[string]int {
	t.Helper()
	return c.metric(t, "otelcol_worm_segments", "")
}

// A lag says how many segments a store has taken, and how many of them within a
// second of their closing.
type lag struct{ all, inTime int }

func (l lag) since(before lag) lag { return lag{l.all - before.all, l.inTime - before.inTime} }

func (c *collector) lag(t *testing.T) map[string]lag {
	t.Helper()
	const name = "otelcol_worm_seal_to_stored"
	all, inTime := c.metric(t, name+"_count", ""), c.metric(t, name+"_bucket", `le="1"`)
	lags := map[string]lag{}
	for store, n := range all {
		lags[store] = lag{n, inTime[store]}
	}
	return lags
}
