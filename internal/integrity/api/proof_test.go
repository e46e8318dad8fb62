package api_test

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/otelcol-custody/custody/internal/logproof"
	"github.com/otelcol-custody/custody/ledger/checkpoint"
	"github.com/otelcol-custody/custody/ledger/tree"
	"github.com/otelcol-custody/custody/store"
	"github.com/otelcol-custody/custody/store/storetest"
)

type inclusion struct {
	Log                    string
	Index, Size            uint64
	Root, Leaf, Checkpoint string
	Hashes                 []string
}

type consistency struct {
	Log                            string
	From, To                       uint64
	From_root, To_root, Checkpoint string
	Hashes                         []string
}

func hashes(t testing.TB, list ...string) (all []tree.Hash) {
	t.Helper()
	for _, s := range list {
		b, err := base64.StdEncoding.DecodeString(s)
		if err != nil || len(b) != tree.HashSize {
			t.Fatalf("%q is not a hash", s)
		}
		all = append(all, tree.Hash(b))
	}
	return all
}

// check holds a proof against the tree as other people's code has it.
func (p *inclusion) check(w *world, o *oracle, index, size uint64) {
	w.t.Helper()
	root, leaf := hashes(w.t, p.Root)[0], hashes(w.t, p.Leaf)[0]
	err := tree.CheckInclusion(hashes(w.t, p.Hashes...), size, o.root(size), index, o.links[index])
	if err != nil || p.Log != "test" || p.Index != index || p.Size != size || root != o.root(size) || leaf != o.links[index] {
		w.t.Errorf("record %d at size %d: %v, %+v", index, size, err, p)
	}
	if size < w.log.Size() {
		if p.Checkpoint != "" {
			w.t.Errorf("size %d comes with another one's checkpoint", size)
		}
		return
	}
	if c, err := checkpoint.Open([]byte(p.Checkpoint), w.keys); err != nil || c.Size != size || c.Root != root {
		w.t.Errorf("record %d: checkpoint: %v", index, err)
	}
}

func TestInclusion(t *testing.T) {
	w := newWorld(t, nil, 3, 4, 250, 1, 30)
	o := newOracle(w)
	for index := range w.log.Size() {
		var p inclusion
		w.decode(fmt.Sprintf("/v1/logs/test/proof?index=%d", index), &p)
		p.check(w, o, index, w.log.Size())
	}
	for size := uint64(1); size <= w.log.Size(); size += 7 {
		var p inclusion
		w.decode(fmt.Sprintf("/v1/logs/test/proof?index=%d&size=%d", size/2, size), &p)
		p.check(w, o, size/2, size)
	}
	w.fill()
	link := o.links[100]
	for _, hash := range []string{hex.EncodeToString(link[:]), fmt.Sprintf("%X", link[:]), url.QueryEscape(link.String()), link.String()} {
		var p inclusion
		w.decode("/v1/logs/test/proof?hash="+hash, &p)
		p.check(w, o, 100, w.log.Size())
	}
}

func TestByID(t *testing.T) {
	w := newWorld(t, nil, 3)
	w.named("arn:one+2 & more/of the source", "twice", "other", "twice")
	o := newOracle(w)
	for _, query := range []string{"id=" + url.QueryEscape("arn:one+2 & more"), "original_id=of%20the+source"} {
		var p inclusion
		w.decode("/v1/logs/test/proof?"+query, &p)
		p.check(w, o, 3, 8)
	}
	for _, route := range []string{"proof", "evidence"} {
		problem := w.refused("/v1/logs/test/"+route+"?id=twice", http.StatusConflict, "several")
		if fmt.Sprint(problem.Records) != "[4 6]" {
			t.Errorf("%s: records %v", route, problem.Records)
		}
		problem = w.refused("/v1/logs/test/"+route+"?id=nobody", http.StatusNotFound, "record")
		if !strings.Contains(problem.Detail, "from 0 on and before 8,") {
			t.Errorf("%s: not said where was looked: %s", route, problem.Detail)
		}
		w.refused("/v1/logs/test/"+route+"?original_id=twice", http.StatusNotFound, "record")
	}
	w.refused("/v1/logs/test/proof?hash="+strings.Repeat("0", 64), http.StatusNotFound, "record")
	w.refused("/v1/logs/test/proof?id="+strings.Repeat("a", 1025), http.StatusBadRequest, "query")
	w.refused("/v1/logs/test/proof?hash=abc", http.StatusBadRequest, "query")
	// Another store is asked before nobody is said to have it.
	w.add("b", w.log.Segments)
	w.fails("b")
	w.refused("/v1/logs/test/proof?id=twice", http.StatusConflict, "several")
	w.stores["b"].Heal()
	w.stores["a"].Inject(storetest.Fault{UntilHeal: true, Name: "segments/", Err: store.ErrNotFound})
	w.provers["a"] = logproof.New(w.stores["a"], "test", w.keys, logproof.NewCache(0), nil)
	w.refused("/v1/logs/test/proof?id=twice", http.StatusConflict, "several")
	w.fails("b")
	w.provers["b"] = logproof.New(w.stores["b"], "test", w.keys, logproof.NewCache(0), nil)
	w.refused("/v1/logs/test/proof?id=twice", http.StatusServiceUnavailable, "store-unread")
}

func TestByIDWithoutIndex(t *testing.T) {
	w := newWorld(t, nil, 3)
	for _, query := range []string{"id=x", "original_id=x", "hash=" + strings.Repeat("0", 64)} {
		w.refused("/v1/logs/test/proof?"+query, http.StatusNotImplemented, "index")
	}
	w.get("/v1/logs/test/proof?index=0")
}

func TestConsistency(t *testing.T) {
	w := newWorld(t, nil, 3, 4, 250, 1, 30)
	o := newOracle(w)
	size := w.log.Size()
	for _, to := range []uint64{1, 2, 7, 255, 256, 257, size} {
		for from := uint64(1); from <= to; from += 1 + to/40 {
			var p consistency
			w.decode(fmt.Sprintf("/v1/logs/test/consistency?from=%d&to=%d", from, to), &p)
			if p.From != from || p.To != to || hashes(t, p.From_root)[0] != o.root(from) || hashes(t, p.To_root)[0] != o.root(to) {
				t.Fatalf("%d to %d: %+v", from, to, p)
			}
			if from == to {
				continue
			}
			if err := tree.CheckConsistency(hashes(t, p.Hashes...), to, o.root(to), from, o.root(from)); err != nil {
				t.Errorf("%d to %d: %v", from, to, err)
			}
		}
	}
	var p consistency
	w.decode("/v1/logs/test/consistency?from=9", &p)
	if c, err := checkpoint.Open([]byte(p.Checkpoint), w.keys); err != nil || c.Size != size || p.To != size {
		t.Errorf("newest: %v, %+v", err, p)
	}
}
