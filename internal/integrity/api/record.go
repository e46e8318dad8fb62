package api

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/otelcol-custody/custody/internal/logproof"
	"github.com/otelcol-custody/custody/ledger/proof"
	"github.com/otelcol-custody/custody/ledger/seal"
)

// evidenceType is the media type of an evidence file (spec §12): lines of text.
const evidenceType = "text/plain; charset=utf-8"

// record answers with one record as it was sealed. It is not proven by that; the
// evidence file is the proof.
func (a *API) record(r *request) error {
	index, ok := parsePosition(r.r.PathValue("index"))
	if !ok {
		return noPath()
	}
	e, err := a.prove(r, func(*view) (uint64, error) { return index, nil })
	if err != nil {
		return err
	}
	leaf, previous := e.Leaf(), e.Previous
	return r.json(struct {
		Log      string          `json:"log"`
		Index    uint64          `json:"index"`
		Leaf     string          `json:"leaf"`
		Previous string          `json:"previous"`
		Salt     string          `json:"salt"`
		Record   json.RawMessage `json:"record"`
	}{r.r.PathValue("log"), e.Index, leaf.String(), previous.String(), hex.EncodeToString(e.Salt[:]), e.Line})
}

// evidence answers with an evidence file, which anyone who has the log's public
// key can check offline.
func (a *API) evidence(r *request) error {
	e, err := a.prove(r, func(v *view) (uint64, error) { return a.which(r, v, "index", "id", "original_id") })
	if err != nil {
		return err
	}
	r.w.Header().Set("Content-Disposition", fmt.Sprintf(`attachment; filename="%s-%d.proof"`, r.r.PathValue("log"), e.Index))
	return r.send(evidenceType, e.Format())
}

// readable is the view of the log that the path names, if records may be read.
func (a *API) readable(r *request) (*view, error) {
	v, err := a.view(r)
	if err == nil && !a.set.Records {
		err = problemf(http.StatusForbidden, "records",
			"records can hold personal data and are not served; set serve_records: true in the extension's configuration, or use /v1/logs/%s/proof, which holds hashes alone", v.log)
	}
	return v, err
}

// prove makes the evidence for a record.
func (a *API) prove(r *request, which func(*view) (uint64, error)) (*proof.Evidence, error) {
	v, err := a.readable(r)
	if err != nil {
		return nil, err
	}
	index, err := which(v)
	if err != nil {
		return nil, err
	}
	if index >= v.size() {
		return nil, beyond(v, "record", index)
	}
	return readWhole(a, r, v, index+1, func(ctx context.Context, l *logproof.Log) (*proof.Evidence, error) { return l.Evidence(ctx, index) })
}

// segmentJSON is a segment as its seal says, which is signed.
type segmentJSON struct {
	First       uint64                      `json:"first"`
	Count       int                         `json:"count"`
	Object      string                      `json:"object"`
	SHA256      string                      `json:"sha256"`
	Bytes       int64                       `json:"bytes"`
	Root        string                      `json:"root"`
	ClosedAt    time.Time                   `json:"closed_at"`
	NextBy      *time.Time                  `json:"next_by"`
	RetainUntil *time.Time                  `json:"retain_until"`
	Reason      string                      `json:"reason"`
	Software    string                      `json:"software"`
	Key         string                      `json:"key"`
	Unfenced    bool                        `json:"unfenced"`
	Counts      map[string]map[string]int64 `json:"counts"`
}

func newSegment(v *seal.Verified) segmentJSON {
	c := v.Closed()
	out := segmentJSON{
		First: v.First, Count: v.Count, Object: v.Log + "/" + v.SegmentName(), SHA256: hex.EncodeToString(v.Segment[:]), Bytes: v.Size,
		Root: v.After().Root.String(), ClosedAt: c.At.UTC(), NextBy: moment(c.NextBy), RetainUntil: moment(c.RetainUntil),
		Reason: string(c.Reason), Software: c.Software, Key: c.Key, Unfenced: c.Unfenced, Counts: map[string]map[string]int64{},
	}
	for receiver, counts := range c.Counts {
		out.Counts[receiver] = counts
	}
	return out
}

// segments lists segments from the one on that holds record from. Next is where the
// following page begins; null: the log ends here.
func (a *API) segments(r *request) error {
	v, err := a.view(r)
	if err != nil {
		return err
	}
	from, err := position(r.q, "from", 0)
	if err != nil {
		return err
	}
	limit, err := page(r.q, defaultSegmentPage, maxSegmentPage)
	if err != nil {
		return err
	}
	doc := struct {
		Log      string        `json:"log"`
		Segments []segmentJSON `json:"segments"`
		Next     *uint64       `json:"next"`
	}{Log: v.log, Segments: []segmentJSON{}}
	if from < v.size() {
		doc.Segments, err = readWhole(a, r, v, v.size(), func(ctx context.Context, l *logproof.Log) ([]segmentJSON, error) {
			return listSegments(ctx, l, from, v.size(), limit)
		})
	}
	if err != nil {
		return err
	}
	if n := len(doc.Segments); n > 0 {
		if end := doc.Segments[n-1].First + uint64(doc.Segments[n-1].Count); end < v.size() {
			doc.Next = &end
		}
	}
	return r.json(doc)
}

func listSegments(ctx context.Context, l *logproof.Log, from, size uint64, limit int) ([]segmentJSON, error) {
	var list []segmentJSON
	for from < size && len(list) < limit {
		v, err := l.Seal(ctx, from)
		if err != nil {
			return nil, err
		}
		list = append(list, newSegment(v))
		from = v.End()
	}
	return list, nil
}
