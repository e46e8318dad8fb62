package api_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/otelcol-custody/custody/internal/integrity"
	"github.com/otelcol-custody/custody/internal/integrity/api"
	"github.com/otelcol-custody/custody/internal/integrity/peers/wire"
)

type logDoc struct {
	Log, Origin string
	Head        *struct {
		Size             uint64
		Root, Checkpoint string
	}
	Next_by *time.Time
	Ended   bool
	Stores  []struct {
		Store        string
		Head         *json.RawMessage
		Verified     uint64
		Closed_at    *time.Time
		Next_by      *time.Time
		Ended        bool
		Lag_seconds  float64
		Unread_since *time.Time
		Coverage     struct {
			Oldest_read             *time.Time
			Promise_seconds         float64
			Pass_began              *time.Time
			Passes                  uint64
			Done_bytes, Total_bytes int64
		}
	}
}

func TestLogs(t *testing.T) {
	w := newWorld(t, nil, 3)
	fewer := w.log.Segments
	w.log.Add(t, 4)
	w.add("b", w.log.Segments)
	since := time.Date(2026, 5, 1, 0, 0, 0, 0, time.FixedZone("", 3600))
	w.status[0].Error, w.status[0].Since, w.status[0].Lag = "the key is "+secret, since, 90*time.Second
	w.status = append(w.status, integrity.LogStatus{Store: "a", Log: "empty"}, integrity.LogStatus{Store: "c", Error: secret, Since: since})
	var doc struct{ Logs []logDoc }
	w.decode("/v1/logs", &doc)
	if len(doc.Logs) != 2 || doc.Logs[0].Log != "empty" || doc.Logs[0].Head != nil || doc.Logs[1].Log != "test" {
		t.Fatalf("got %+v", doc)
	}
	l := doc.Logs[1]
	last := w.log.Segments[1].Seal
	if l.Head.Size != 7 || l.Head.Checkpoint != string(last.After().Note()) || l.Head.Root != last.After().Root.String() || l.Origin != origin || !l.Next_by.Equal(last.Closed().NextBy) || len(l.Stores) != 2 {
		t.Errorf("got %+v", l)
	}
	a, b := l.Stores[0], l.Stores[1]
	if a.Store != "a" || a.Verified != fewer[0].Seal.End() || !a.Unread_since.Equal(since) || a.Lag_seconds != 90 || a.Coverage.Promise_seconds != 3600 || a.Coverage.Oldest_read != nil {
		t.Errorf("a: %+v", a)
	}
	if b.Store != "b" || b.Verified != 7 || b.Unread_since != nil || !b.Closed_at.Equal(last.Closed().At) {
		t.Errorf("b: %+v", b)
	}
	var one logDoc
	w.decode("/v1/logs/test", &one)
	if one.Head.Size != 7 || len(one.Stores) != 2 {
		t.Errorf("got %+v", one)
	}
	for _, target := range []string{"/v1/logs", "/v1/logs/test", "/v1/coverage"} {
		if got := w.get(target); bytes.Contains(got, []byte(secret)) || bytes.Contains(got, []byte("+01:00")) {
			t.Errorf("%s tells a store's text, or local time: %s", target, got)
		}
	}
}

func TestCoverage(t *testing.T) {
	w := newWorld(t, nil, 3)
	began := time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
	w.status[0].Coverage = integrity.Coverage{Oldest: began, Began: began.Add(time.Hour), Promise: 24 * time.Hour, Passes: 2, Done: 10, Total: 40}
	w.status = append(w.status, integrity.LogStatus{Store: "z", Error: "away", Since: began})
	var doc struct {
		Coverage []struct {
			Store, Log                   string
			Oldest_read, Pass_began      *time.Time
			Unread_since                 *time.Time
			Promise_seconds, Lag_seconds float64
			Passes, Verified             uint64
			Done_bytes, Total_bytes      int64
		}
	}
	w.decode("/v1/coverage", &doc)
	if len(doc.Coverage) != 2 {
		t.Fatalf("got %+v", doc)
	}
	c, z := doc.Coverage[0], doc.Coverage[1]
	if !c.Oldest_read.Equal(began) || !c.Pass_began.Equal(began.Add(time.Hour)) || c.Promise_seconds != 86400 || c.Passes != 2 || c.Verified != 3 || c.Done_bytes != 10 || c.Total_bytes != 40 {
		t.Errorf("got %+v", c)
	}
	if z.Store != "z" || z.Log != "" || !z.Unread_since.Equal(began) {
		t.Errorf("a store that was never read: %+v", z)
	}
}

func TestHeads(t *testing.T) {
	w := newWorld(t, nil, 3)
	w.status = append(w.status, integrity.LogStatus{Store: "b", Log: "test"})
	var doc wire.Heads
	w.decode(wire.HeadsPath, &doc)
	want := wire.Head{Store: "a", Log: "test", Checkpoint: string(w.status[0].Head.Note())}
	if len(doc.Heads) != 1 || doc.Heads[0] != want {
		t.Errorf("got %+v", doc)
	}
	// What is remembered is more than what the guard knows since its start.
	remembered := []wire.Head{want, {Store: "gone", Log: "old", Checkpoint: want.Checkpoint}}
	other := newWorld(t, func(c *api.Config) { c.Heads = func() []wire.Head { return remembered } }, 3)
	other.decode(wire.HeadsPath, &doc)
	if len(doc.Heads) != 2 || doc.Heads[1] != remembered[1] {
		t.Errorf("got %+v", doc)
	}
}

// TestHeadsAreBounded: peers read no more than they agreed on.
func TestHeadsAreBounded(t *testing.T) {
	for _, note := range []string{"short\n", strings.Repeat("note\n", 2000)} {
		w := newWorld(t, func(c *api.Config) {
			c.Heads = func() (all []wire.Head) {
				for range 2 * wire.MaxHeads {
					all = append(all, wire.Head{Store: "a", Log: "test", Checkpoint: note})
				}
				return all
			}
		}, 3)
		b := w.get(wire.HeadsPath)
		var doc wire.Heads
		if err := json.Unmarshal(b, &doc); err != nil || len(doc.Heads) > wire.MaxHeads || len(b) > wire.MaxHeadsBytes || len(doc.Heads) < 100 {
			t.Errorf("%d heads, %d bytes, %v", len(doc.Heads), len(b), err)
		}
	}
}
