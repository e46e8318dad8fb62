package api

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/http"
	"strings"

	"github.com/otelcol-custody/custody/internal/logproof"
	"github.com/otelcol-custody/custody/internal/recordindex"
	"github.com/otelcol-custody/custody/ledger/tree"
)

// which is the record that exactly one of these parameters names.
func (a *API) which(r *request, v *view, names ...string) (uint64, error) {
	if len(r.q)-len(r.q["size"]) != 1 {
		return 0, problemf(http.StatusBadRequest, "query", "name the record with exactly one of %s", listed(names))
	}
	switch {
	case r.q.Has("id"):
		return a.byID(r, v, "id", recordindex.RecordID)
	case r.q.Has("original_id"):
		return a.byID(r, v, "original_id", recordindex.OriginalID)
	case r.q.Has("hash"):
		return a.byLeaf(r, v)
	default:
		return position(r.q, "index", 0)
	}
}

func (a *API) byID(r *request, v *view, name string, kind recordindex.Kind) (uint64, error) {
	id := r.q.Get(name)
	if len(id) > maxID {
		return 0, problemf(http.StatusBadRequest, "query", "parameter %s: has more than %d bytes", name, maxID)
	}
	x := a.set.Logs.Index(v.log)
	if x == nil {
		return 0, noIndex()
	}
	// Each hit is confirmed by reading its segment.
	found, err := readWhole(a, r, v, 1, func(ctx context.Context, l *logproof.Log) ([]uint64, error) {
		found, err := x.Find(ctx, l, kind, id, maxSameID)
		if err == nil && len(found) == 0 {
			err = errNoRecord
		}
		return found, err
	})
	if err != nil {
		return 0, missed(err, x, kind.String())
	}
	if len(found) > 1 {
		p := problemf(http.StatusConflict, "several", "%d records or more have this id; ask for one of them by its index", len(found))
		p.Records = found
		return 0, p
	}
	return found[0], nil
}

func (a *API) byLeaf(r *request, v *view) (uint64, error) {
	hash, ok := parseHash(r.q.Get("hash"))
	if !ok {
		return 0, problemf(http.StatusBadRequest, "query", "parameter hash: want a record's leaf hash, which is its audit.integrity.value, as 64 hex digits or base64")
	}
	x := a.set.Logs.Index(v.log)
	if x == nil {
		return 0, noIndex()
	}
	index, err := read(a, r, v, 1, func(ctx context.Context, l *logproof.Log) (uint64, error) {
		index, ok, err := x.Leaf(ctx, l, hash)
		if err == nil && !ok {
			err = errNoRecord
		}
		return index, err
	})
	if err != nil {
		return 0, missed(err, x, "leaf hash, if leaf hashes are indexed at all")
	}
	return index, nil
}

// errNoRecord means that a store has no record that the index names.
var errNoRecord = errors.New("no record of this id")

func noIndex() *Problem {
	return problemf(http.StatusNotImplemented, "index", "this collector keeps no index of records; ask by index")
}

// missed says what it means that a record was not found.
func missed(err error, x *recordindex.Index, what string) error {
	if errors.Is(err, recordindex.ErrRebuilding) {
		return problemf(http.StatusServiceUnavailable, "index-rebuilding", "the index of records begins anew; ask again later, or by index").retryAfter(retryStore)
	}
	if classOf(err) != absent {
		return err
	}
	from, through := x.Range()
	return problemf(http.StatusNotFound, "record",
		"no record from %d on and before %d, which are those in the index, has this %s and is still in a store", from, through, what)
}

// parseHash reads a hash as checkpoints or as record attributes write it.
func parseHash(s string) (h tree.Hash, ok bool) {
	if b, err := hex.DecodeString(s); err == nil && len(b) == tree.HashSize {
		return tree.Hash(b), true
	}
	// In a query a plus sign is a space.
	b, err := base64.StdEncoding.Strict().DecodeString(strings.ReplaceAll(s, " ", "+"))
	if err != nil || len(b) != tree.HashSize {
		return h, false
	}
	return tree.Hash(b), true
}
