package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/otelcol-custody/custody/internal/integrity/api"
	"github.com/otelcol-custody/custody/internal/logproof"
	"github.com/otelcol-custody/custody/ledger"
	"github.com/otelcol-custody/custody/ledger/pack"
	"github.com/otelcol-custody/custody/ledger/proof"
	"github.com/otelcol-custody/custody/store"
)

func TestEvidence(t *testing.T) {
	w := newWorld(t, nil, 3)
	w.named("three", "four", "five", "six", "seven")
	for index, line := range w.lines() {
		p, err := proof.Check(w.get(fmt.Sprintf("/v1/logs/test/evidence?index=%d", index)), w.keys)
		if err != nil || p.Index != uint64(index) || !bytes.Equal(p.Line, line) || p.Checkpoint.Size != 9 {
			t.Errorf("record %d: %v", index, err)
		}
	}
	res := w.do(http.MethodGet, "/v1/logs/test/evidence?id=five")
	if got := res.Header.Get("Content-Disposition"); got != `attachment; filename="test-5.proof"` {
		t.Errorf("disposition %q", got)
	}
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if p, err := proof.Check(b, w.keys); err != nil || p.Index != 5 {
		t.Errorf("by id: %v", err)
	}
}

func (w *world) lines() (all [][]byte) {
	for _, g := range w.log.Segments {
		all = append(all, g.Lines...)
	}
	return all
}

func TestRecord(t *testing.T) {
	w := newWorld(t, nil, 2)
	w.log.Extend(t, [][]byte{[]byte(`{"body":"<a href=\"x\">&amp;` + "\u2028" + `é</a>"}`)}, nil)
	w.status = nil
	w.add("a", w.log.Segments)
	for index, line := range w.lines() {
		var doc struct {
			Log                  string
			Index                uint64
			Leaf, Previous, Salt string
			Record               json.RawMessage
		}
		w.decode(fmt.Sprintf("/v1/logs/test/records/%d", index), &doc)
		if doc.Log != "test" || doc.Index != uint64(index) || !bytes.Equal(doc.Record, line) {
			t.Errorf("record %d: got %s, sealed was %s", index, doc.Record, line)
		}
		e, err := proof.Parse(w.get(fmt.Sprintf("/v1/logs/test/evidence?index=%d", index)))
		if err != nil || doc.Leaf != e.Leaf().String() || doc.Previous != e.Previous.String() || doc.Salt != fmt.Sprintf("%x", e.Salt) {
			t.Errorf("record %d: %+v, %v", index, doc, err)
		}
	}
}

// TestRecordsArePersonal: without the operator's word no route yields a line, or
// says whether it could.
func TestRecordsArePersonal(t *testing.T) {
	w := newWorld(t, func(c *api.Config) { c.Records = false }, 3)
	w.named("two")
	for _, target := range []string{"records/0", "records/99", "evidence?index=0", "evidence?index=99", "evidence?id=two", "evidence?id=none", "evidence", "pack", "pack?records=0", "pack?records=99"} {
		p := w.refused("/v1/logs/test/"+target, http.StatusForbidden, "records")
		if !strings.Contains(p.Detail, "serve_records: true") {
			t.Errorf("%s: no way out: %s", target, p.Detail)
		}
	}
	for _, target := range []string{
		"/v1/logs", "/v1/logs/test", "/v1/logs/test/segments", "/v1/logs/test/proof?index=0", "/v1/logs/test/proof?id=two", "/v1/heads", "/v1/coverage",
		"/v1/findings", "/test/checkpoint", "/test/tile/0/000.p/3", "/test/tile/entries/000.p/3",
	} {
		if b := w.get(target); bytes.Contains(b, []byte("branch")) || bytes.Contains(b, []byte("event_name")) {
			t.Errorf("%s yields a record: %s", target, b)
		}
	}
}

func TestExpiredSegment(t *testing.T) {
	w := newWorld(t, nil)
	w.log.Add(t, 3, 4)
	w.status = nil
	m := w.add("a", w.log.Segments)
	m.Erase("test/" + w.log.Segments[0].Seal.SegmentName())
	w.refused("/v1/logs/test/evidence?index=1", http.StatusGone, "gone")
	w.get("/v1/logs/test/evidence?index=3")
	w.get("/v1/logs/test/proof?index=1")
	w.get("/v1/logs/test/segments")
}

func TestSegments(t *testing.T) {
	counts := []int{3, 4, 1, 250, 2, 9}
	w := newWorld(t, nil, counts...)
	type page struct {
		Log      string
		Segments []struct {
			First, Count, Bytes                         uint64
			Object, SHA256, Root, Reason, Software, Key string
			Closed_at, Next_by, Retain_until            *string
			Unfenced                                    bool
			Counts                                      map[string]map[string]int64
		}
		Next *uint64
	}
	for limit := 1; limit <= 7; limit++ {
		from, n := uint64(0), 0
		for {
			var p page
			w.decode(fmt.Sprintf("/v1/logs/test/segments?from=%d&limit=%d", from, limit), &p)
			for _, s := range p.Segments {
				v := w.log.Segments[n].Seal
				if s.First != v.First || int(s.Count) != v.Count || s.Object != "test/"+v.SegmentName() || s.Root != v.After().Root.String() || s.Closed_at == nil || s.Counts["test"]["sealed"] != int64(v.Count-1) {
					t.Errorf("segment %d: %+v", n, s)
				}
				n++
			}
			if p.Next == nil {
				break
			}
			if len(p.Segments) != limit {
				t.Fatalf("a page of %d, want %d", len(p.Segments), limit)
			}
			from = *p.Next
		}
		if n != len(counts) {
			t.Errorf("limit %d: %d segments", limit, n)
		}
	}
	for from, first := range map[int]uint64{1: 0, 6: 3, 7: 7, 268: 260} {
		var p page
		w.decode(fmt.Sprintf("/v1/logs/test/segments?from=%d", from), &p)
		if p.Segments[0].First != first || p.Next != nil {
			t.Errorf("from %d: begins at %d", from, p.Segments[0].First)
		}
	}
	var p page
	w.decode("/v1/logs/test/segments?from=269", &p)
	if len(p.Segments) != 0 || p.Next != nil {
		t.Errorf("behind the end: %+v", p)
	}
}

func TestPack(t *testing.T) {
	w := newWorld(t, nil, 3, 200, 50)
	lines := w.lines()
	for query, want := range map[string][]int{
		"0": {0}, "252": {252}, "0,2,3": {0, 2, 3}, "1-3,200-202,252": {1, 2, 3, 200, 201, 202, 252}, "0-99": ascending(0, 99), "3,4-102": ascending(3, 102),
	} {
		p, err := pack.Check(w.get("/v1/logs/test/pack?records="+query), w.keys)
		if err != nil || p.Log != "test" || len(p.Records) != len(want) {
			t.Errorf("%s: %v", query, err)
			continue
		}
		for i, index := range want {
			if e := p.Records[i]; e.Index != uint64(index) || !bytes.Equal(e.Line, lines[index]) {
				t.Errorf("%s: record %d is %d", query, index, e.Index)
			}
		}
	}
	res := w.do(http.MethodGet, "/v1/logs/test/pack?records=1,7-9")
	if got := res.Header.Get("Content-Disposition"); got != `attachment; filename="test-1-9.pack"` {
		t.Errorf("disposition %q", got)
	}
	for _, query := range []string{
		"", "?records=x", "?records=1,", "?records=,1", "?records=2,1", "?records=1,1", "?records=1-3,3", "?records=3-1", "?records=1-", "?records=-1", "?records=01",
		"?records=1-2-3", "?records=0-100", "?records=0-98,99,100", "?records=0-9223372036854775807", "?records=1%2C%202",
	} {
		w.refused("/v1/logs/test/pack"+query, http.StatusBadRequest, "query")
	}
	w.refused("/v1/logs/test/pack?records=252,253", http.StatusNotFound, "beyond")
}

func ascending(from, to int) (all []int) {
	for i := from; i <= to; i++ {
		all = append(all, i)
	}
	return all
}

func TestLargePack(t *testing.T) {
	w := newWorld(t, nil)
	var large [][]byte
	for i := range 5 {
		large = append(large, fmt.Appendf(nil, `{"body":"%d%s"}`, i, strings.Repeat("x", 8<<20)))
	}
	w.log.Extend(t, large, nil)
	w.status = nil
	w.add("a", w.log.Segments)
	w.get("/v1/logs/test/pack?records=0-2")
	w.refused("/v1/logs/test/pack?records=0-4", http.StatusRequestEntityTooLarge, "pack")
}

// hooked does something before a segment is read, once.
type hooked struct {
	store.Store
	once func()
}

func (h *hooked) Get(ctx context.Context, name string) (io.ReadCloser, store.Info, error) {
	if do := h.once; do != nil && strings.Contains(name, "/"+ledger.SegmentsDir+"/") {
		h.once = nil
		do()
	}
	return h.Store.Get(ctx, name)
}

// TestPackOfAGrowingLog: all of a pack is proven against one checkpoint.
func TestPackOfAGrowingLog(t *testing.T) {
	w := newWorld(t, nil, 3, 200)
	h := &hooked{Store: w.stores["a"]}
	l := logproof.New(h, "test", w.keys, logproof.NewCache(1<<20), nil)
	h.once = func() {
		g := w.log.Add(t, 50)
		for name, data := range map[string][]byte{g.Seal.SegmentName(): g.Object, g.Seal.Name(): g.Seal.Bytes()} {
			if _, err := h.PutOnce(t.Context(), "test/"+name, data, store.PutOptions{}); err != nil {
				t.Error(err)
			}
		}
		if err := l.Refresh(t.Context()); err != nil {
			t.Error(err)
		}
	}
	w.provers["a"] = l
	p, err := pack.Check(w.get("/v1/logs/test/pack?records=0,5"), w.keys)
	if err != nil || len(p.Records) != 2 || h.once != nil {
		t.Errorf("%v: %+v", err, p)
	}
}
