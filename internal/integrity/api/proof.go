package api

import (
	"context"
	"net/http"

	"github.com/otelcol-custody/custody/internal/integrity/peers/wire"
	"github.com/otelcol-custody/custody/internal/logproof"
)

// inclusionJSON proves a record against a checkpoint (RFC 6962 §2.1.1), which is
// there if it is the newest head.
type inclusionJSON struct {
	Log        string   `json:"log"`
	Index      uint64   `json:"index"`
	Size       uint64   `json:"size"`
	Root       string   `json:"root"`
	Leaf       string   `json:"leaf"`
	Hashes     []string `json:"hashes"`
	Checkpoint string   `json:"checkpoint,omitempty"`
}

// consistencyJSON proves that a log grew from one checkpoint to another (RFC 6962
// §2.1.2).
type consistencyJSON struct {
	Log string `json:"log"`
	wire.Consistency
	FromRoot   string `json:"from_root"`
	ToRoot     string `json:"to_root"`
	Checkpoint string `json:"checkpoint,omitempty"`
}

func (a *API) proof(r *request) error {
	v, err := a.view(r)
	if err != nil {
		return err
	}
	size, err := position(r.q, "size", v.size())
	if err != nil {
		return err
	}
	if size > v.size() {
		return beyond(v, "size", size)
	}
	index, err := a.which(r, v, "index", "id", "original_id", "hash")
	if err != nil {
		return err
	}
	if index >= size && index < v.size() {
		return problemf(http.StatusBadRequest, "query", "parameter size: a log of %d records does not have record %d; want at least %d", size, index, index+1)
	}
	if index >= size {
		return beyond(v, "record", index)
	}
	p, err := read(a, r, v, size, func(ctx context.Context, l *logproof.Log) (*logproof.Inclusion, error) {
		return l.Inclusion(ctx, index, size)
	})
	if err != nil {
		return err
	}
	return r.json(v.inclusion(p))
}

func (v *view) inclusion(i *logproof.Inclusion) inclusionJSON {
	doc := inclusionJSON{
		Log: v.log, Index: i.Index, Size: i.Size, Root: i.Root.String(), Leaf: i.Leaf.String(), Hashes: []string{}, Checkpoint: v.checkpoint(i.Size),
	}
	for _, h := range i.Path {
		doc.Hashes = append(doc.Hashes, h.String())
	}
	return doc
}

// checkpoint is the judged head if that is its size. There is no other checkpoint
// to give: who asks for another size has their own.
func (v *view) checkpoint(size uint64) string {
	if size != v.size() {
		return ""
	}
	return string(v.head.Note())
}

func (a *API) consistency(r *request) error {
	v, err := a.view(r)
	if err != nil {
		return err
	}
	to, err := position(r.q, "to", v.size())
	if err != nil {
		return err
	}
	from, err := position(r.q, "from", 0)
	if err != nil {
		return err
	}
	if to > v.size() {
		return beyond(v, "size", to)
	}
	if from < 1 || from > to {
		return problemf(http.StatusBadRequest, "query", "parameter from: want the smaller size, from 1 to %d", to)
	}
	p, err := read(a, r, v, to, func(ctx context.Context, l *logproof.Log) (*logproof.Consistency, error) {
		return l.Consistency(ctx, from, to)
	})
	if err != nil {
		return err
	}
	return r.json(v.consistency(p))
}

func (v *view) consistency(c *logproof.Consistency) consistencyJSON {
	doc := consistencyJSON{
		Log: v.log, FromRoot: c.FromRoot.String(), ToRoot: c.ToRoot.String(), Checkpoint: v.checkpoint(c.To),
		Consistency: wire.Consistency{From: c.From, To: c.To, Hashes: [][]byte{}},
	}
	for _, h := range c.Path {
		doc.Hashes = append(doc.Hashes, h[:])
	}
	return doc
}

func beyond(v *view, what string, n uint64) *Problem {
	return problemf(http.StatusNotFound, "beyond", "%s %d: the log has %d records that were judged; ask again when it has grown", what, n, v.size())
}
