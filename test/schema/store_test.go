package schema

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/audittest"
	"github.com/otelcol-custody/custody/internal/eventlog"
	"github.com/otelcol-custody/custody/internal/logrecord"
	"github.com/otelcol-custody/custody/ledger/ledgertest"
	"github.com/otelcol-custody/custody/ledger/segment"
)

// observed is when all events were received, later than any of them.
var observed = time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)

// makeStore makes a folder with a store of one log, "store", and the log's public key,
// "log.pub": all events of all fixtures, on the way that a receiver's go.
func makeStore(t *testing.T) (dir string) {
	t.Helper()
	signer := ledgertest.Signer(t, "custody.example/clouds")
	log := ledgertest.NewLog("clouds", signer)
	const perSegment = 40 // So that there are several.
	all := lines(t)
	for part := range slices.Chunk(all, perSegment) {
		var text [][]byte
		counts := map[string]segment.Counts{}
		for _, l := range part {
			text = append(text, l.text)
			l.count(counts)
		}
		log.Extend(t, text, func(c *segment.Closed) {
			c.At = observed.Add(time.Duration(len(log.Segments)+1) * time.Minute)
			c.NextBy, c.Counts = c.At.Add(2*time.Minute), counts
		})
	}
	dir = t.TempDir()
	for _, s := range log.Segments {
		write(t, filepath.Join(dir, "store", "clouds", s.Seal.SegmentName()), s.Object)
		write(t, filepath.Join(dir, "store", "clouds", s.Seal.Name()), s.Seal.Bytes())
	}
	write(t, filepath.Join(dir, "log.pub"), []byte(signer.VerifierKey()+"\n"))
	return dir
}

// A line is a record's, and what the log counts about it.
type line struct {
	text []byte
	info logrecord.Info
}

func (l *line) count(counts map[string]segment.Counts) {
	of := counts[l.info.Receiver]
	if of == nil {
		of = segment.Counts{"received": 0, "sealed": 0, "quarantined": 0}
		counts[l.info.Receiver] = of
	}
	of["received"]++
	of["sealed"]++
	if l.info.Quarantined {
		of["quarantined"]++
	}
}

// lines are those of all events. One that comes again is left out, as receivers do.
func lines(t *testing.T) (all []line) {
	t.Helper()
	seen := map[string]bool{}
	var c logrecord.Converter
	for _, provider := range providers() {
		batch := eventlog.NewBatch(provider, eventlog.Limits{Records: 1 << 20, Bytes: 1 << 30})
		for _, r := range records(t, provider) {
			id := audittest.Text(&r, audit.AttrRecordID)
			if !seen[id] {
				batch.Add(&r, eventlog.Origin{Source: fmt.Sprintf("%s#%d", provider, len(seen)), Observed: observed})
			}
			seen[id] = true
		}
		err := c.Each(batch.Take(), func(text []byte, info logrecord.Info) error {
			info.Receiver = strings.Clone(info.Receiver)
			all = append(all, line{bytes.Clone(text), info})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// TestResource wants the table of the resource's attributes to name those that there are.
func TestResource(t *testing.T) {
	keys := map[string]bool{}
	for _, l := range lines(t) {
		var r struct {
			Resource struct{ Attributes map[string]string }
		}
		if err := json.Unmarshal(l.text, &r); err != nil {
			t.Fatal(err)
		}
		for key := range r.Resource.Attributes {
			keys[key] = true
		}
	}
	same(t, "resource", firstNames(t, "### Of the resource"), slices.Collect(maps.Keys(keys)))
}

func write(t *testing.T, path string, b []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
}
