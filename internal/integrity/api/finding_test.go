package api_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/otelcol-custody/custody/internal/integrity/incident"
)

type findings struct {
	Findings []incident.Incident
	Next     *string
}

func (w *world) report(kind incident.Kind, log string, n int) {
	w.t.Helper()
	f := incident.Finding{
		Kind: kind, Place: incident.Place{Store: "a", Log: log, Object: fmt.Sprintf("%s/%d", log, n)}, Message: "it says " + secret,
		Want: "this", Got: "that", Evidence: []incident.Evidence{{Name: "head", Bytes: []byte("note\x00")}},
	}
	if err := w.book.Report(f); err != nil {
		w.t.Fatal(err)
	}
}

func TestFindings(t *testing.T) {
	w := newWorld(t, nil, 3)
	for i := range 5 {
		w.report(incident.SegmentAltered, "test", i)
		w.report(incident.Late, "test", i)
	}
	w.report(incident.Unread, "other", 0)
	known := w.book.Incidents(incident.Filter{})
	if err := w.book.Acknowledge(known[0].ID, "auditor", "seen"); err != nil {
		t.Fatal(err)
	}
	for query, want := range map[string]int{
		"": 11, "?state=open": 11, "?state=resolved": 0, "?severity=tampering": 5, "?severity=concern": 10, "?severity=trouble": 11,
		"?log=test": 10, "?log=other&severity=concern": 0, "?log=nobody": 0, "?limit=11": 11, "?limit=1000": 11,
	} {
		var doc findings
		w.decode("/v1/findings"+query, &doc)
		if len(doc.Findings) != want || doc.Next != nil || doc.Findings == nil {
			t.Errorf("%q: %d findings, want %d, next %v", query, len(doc.Findings), want, doc.Next)
		}
	}
	for limit := 1; limit <= 12; limit++ {
		var all []string
		target := fmt.Sprintf("/v1/findings?limit=%d", limit)
		for next := target; next != ""; {
			var doc findings
			w.decode(next, &doc)
			for _, f := range doc.Findings {
				all = append(all, f.ID)
			}
			next = ""
			if doc.Next != nil {
				next = target + "&after=" + *doc.Next
			}
		}
		var want []string
		for _, i := range known {
			want = append(want, i.ID)
		}
		if fmt.Sprint(all) != fmt.Sprint(want) {
			t.Errorf("limit %d: got %v, want %v", limit, all, want)
		}
	}
}

func TestFinding(t *testing.T) {
	w := newWorld(t, nil, 3)
	w.report(incident.SegmentAltered, "test", 1)
	w.report(incident.Unread, "test", 2)
	for _, i := range w.book.Incidents(incident.Filter{}) {
		b := w.get("/v1/findings/" + i.ID)
		var got incident.Incident
		if err := json.Unmarshal(b, &got); err != nil {
			t.Fatal(err)
		}
		if got.Kind != i.Kind || got.Severity != i.Severity || !got.Opened.Equal(i.Opened) || got.Seen != 1 || got.Place.Object != i.Place.Object {
			t.Errorf("got %+v, want %+v", got, i)
		}
		if i.Kind == incident.Unread {
			if strings.Contains(string(b), secret) || got.Message == "" || got.Evidence != nil {
				t.Errorf("a store's text is told: %s", b)
			}
			continue
		}
		if got.Message != i.Message || got.Want != "this" || got.Got != "that" || len(got.Evidence) != 1 || !bytes.Equal(got.Evidence[0].Bytes, []byte("note\x00")) {
			t.Errorf("got %+v", got)
		}
	}
	if b := w.get("/v1/findings"); bytes.Contains(b, []byte(`"evidence":`)) || bytes.Contains(b, []byte("+0")) {
		t.Errorf("a list with evidence, or local time: %s", b)
	}
	if kept := w.book.Incidents(incident.Filter{})[0]; kept.Message == "" || len(kept.Evidence)+len(w.book.Incidents(incident.Filter{})[1].Evidence) == 0 {
		t.Error("what is told changed the book")
	}
	w.refused("/v1/findings/x%2f..", http.StatusNotFound, "path")
}
