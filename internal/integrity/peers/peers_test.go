package peers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/otelcol-custody/custody/internal/durable/durabletest"
	"github.com/otelcol-custody/custody/internal/integrity/incident"
	"github.com/otelcol-custody/custody/internal/integrity/memory"
	"github.com/otelcol-custody/custody/internal/integrity/peers/wire"
	"github.com/otelcol-custody/custody/ledger/checkpoint"
	"github.com/otelcol-custody/custody/ledger/ledgertest"
	"github.com/otelcol-custody/custody/ledger/tree"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const origin = "custody.example/web"

// history is a tree; two of them are the same up to the record where they part.
type history struct {
	branch string
	parts  uint64
}

var (
	whole  = history{"a", 0}
	forked = history{"b", 3}
)

func (h history) leaf(i uint64) tree.Hash {
	if i < h.parts {
		return whole.leaf(i)
	}
	return tree.Digest(fmt.Appendf(nil, "%s %d", h.branch, i))
}

func (h history) root(size uint64) tree.Hash {
	e := &tree.Edge{}
	for i := range size {
		e.Append(h.leaf(i), nil)
	}
	return e.Root()
}

func (h history) prove(from, to uint64) []tree.Hash {
	levels := [][]tree.Hash{{}}
	for i := range to {
		levels[0] = append(levels[0], h.leaf(i))
	}
	for len(levels[len(levels)-1]) >= tree.TileWidth {
		below := levels[len(levels)-1]
		var level []tree.Hash
		for ; len(below) >= tree.TileWidth; below = below[tree.TileWidth:] {
			level = append(level, tree.Subtree(below[:tree.TileWidth]))
		}
		levels = append(levels, level)
	}
	proof, err := tree.ProveConsistency(to, from, func(level int, index uint64) ([]tree.Hash, error) {
		all := levels[level][index*tree.TileWidth:]
		return all[:min(len(all), tree.TileWidth)], nil
	})
	if err != nil {
		panic(err)
	}
	return proof
}

func (h history) head(t testing.TB, size uint64) checkpoint.Signed {
	t.Helper()
	return sign(t, ledgertest.Signer(t, origin), size, h.root(size))
}

func sign(t testing.TB, s *checkpoint.Signer, size uint64, root tree.Hash) checkpoint.Signed {
	t.Helper()
	note, err := checkpoint.Sign(checkpoint.Checkpoint{Origin: s.Name(), Size: size, Root: root}, s)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := checkpoint.Open(note, ledgertest.Keys(t, s))
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

// other is the other side.
type other struct {
	mu     sync.Mutex
	is     history
	heads  []wire.Head
	spoil  func(*wire.Consistency)
	status int    // 0: 200
	body   string // in place of the heads
	proofs int
}

func (o *other) show(store string, log string, heads ...checkpoint.Signed) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.heads = nil
	for _, h := range heads {
		o.heads = append(o.heads, wire.Head{Store: store, Log: log, Checkpoint: string(h.Note())})
	}
}

// RoundTrip answers without a network.
func (o *other) RoundTrip(req *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	o.ServeHTTP(w, req)
	return w.Result(), nil
}

func (o *other) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.status != 0 {
		w.WriteHeader(o.status) // with a body that would be right
	}
	if req.URL.Path == "/base"+wire.HeadsPath {
		if o.body != "" {
			_, _ = io.WriteString(w, o.body)
			return
		}
		_ = json.NewEncoder(w).Encode(wire.Heads{Heads: append([]wire.Head{}, o.heads...)})
		return
	}
	if req.URL.Path != "/base/v1/logs/theirs/consistency" {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	o.proofs++
	from, _ := strconv.ParseUint(req.URL.Query().Get("from"), 10, 64)
	to, _ := strconv.ParseUint(req.URL.Query().Get("to"), 10, 64)
	c := wire.Consistency{From: from, To: to}
	for _, h := range o.is.prove(from, to) {
		c.Hashes = append(c.Hashes, h[:])
	}
	if o.spoil != nil {
		o.spoil(&c)
	}
	_ = json.NewEncoder(w).Encode(c)
}

// A rig has one log in one store, and one peer.
type rig struct {
	t     *testing.T
	mem   *memory.Memory
	book  *incident.Book
	other *other
	peers *Peers
	away  error
}

const store = "s3://bucket"

func newRig(t *testing.T, size uint64) *rig {
	t.Helper()
	r := &rig{t: t, other: &other{is: whole}}
	keys := ledgertest.Keys(t, ledgertest.Signer(t, origin), ledgertest.Signer(t, "custody.example/other"))
	fsys := durabletest.New()
	var err error
	if r.mem, err = memory.Open(fsys, "/state", keys); err != nil {
		t.Fatal(err)
	}
	if r.book, err = incident.Open(incident.Settings{Dir: "/state", FS: fsys}); err != nil {
		t.Fatal(err)
	}
	r.grow(store, size)
	r.peers, err = New(Config{
		Peers: []Peer{{Name: "gcp", URL: "https://peer.example/base", Client: &http.Client{Transport: r.other}}},
		Keys:  keys, Heads: r.mem, Book: r.book,
		Prove: func(_ context.Context, _, _ string, from, to uint64) (Proof, error) {
			return Proof{whole.root(from), whole.root(to), whole.prove(from, to)}, r.away
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// grow has our store show a head.
func (r *rig) grow(store string, size uint64) {
	r.t.Helper()
	head := whole.head(r.t, size)
	f, err := r.mem.Judge(r.t.Context(), store, "ours", &head, func(_ context.Context, size uint64) (tree.Hash, error) { return whole.root(size), nil })
	if err != nil || f != nil {
		r.t.Fatal(f, err)
	}
}

func (r *rig) round() {
	r.t.Helper()
	if err := r.peers.all[0].round(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
}

// open are the kinds that are open.
func (r *rig) open() (all []incident.Kind) {
	for _, i := range r.book.Incidents(incident.Filter{State: incident.StateOpen}) {
		all = append(all, i.Kind)
	}
	slices.Sort(all)
	return all
}

func (r *rig) want(kinds ...incident.Kind) {
	r.t.Helper()
	if got := r.open(); !slices.Equal(got, kinds) {
		r.t.Fatalf("open: %+v, want %q", r.book.Incidents(incident.Filter{State: incident.StateOpen}), kinds)
	}
}

// TestHonest: whatever the sizes are, one history is no finding.
func TestHonest(t *testing.T) {
	for _, ours := range []uint64{1, 2, 3, 4, 7, 8, 9, 255, 256, 257, 300} {
		for _, theirs := range []uint64{1, 2, 3, 4, 6, 7, 8, 9, 256, 300} {
			r := newRig(t, ours)
			r.other.show("gs://other", "theirs", whole.head(t, theirs))
			r.round()
			if got := r.open(); len(got) != 0 {
				t.Fatalf("ours %d, theirs %d: %+v", ours, theirs, r.book.Incidents(incident.Filter{}))
			}
		}
	}
}

// TestFork: whatever the sizes are beyond where they part, two histories are a
// fork, named as such, with both heads.
func TestFork(t *testing.T) {
	for _, ours := range []uint64{4, 5, 7, 8, 9, 256, 257, 300} {
		for _, theirs := range []uint64{4, 5, 6, 7, 8, 9, 256, 300} {
			r := newRig(t, ours)
			r.other.is = forked
			h := forked.head(t, theirs)
			r.other.show("gs://other", "theirs", h)
			r.round()
			if got := r.open(); ours == 4 && theirs > 4 {
				// Three records are the same, and a proof from four leaves out what is
				// asked for: the peer's word alone does not accuse.
				if len(got) != 0 {
					t.Fatalf("ours %d, theirs %d: %q", ours, theirs, got)
				}
				continue
			} else if !slices.Equal(got, []incident.Kind{incident.Fork}) {
				t.Fatalf("ours %d, theirs %d: %+v", ours, theirs, r.book.Incidents(incident.Filter{}))
			}
			i := r.book.Incidents(incident.Filter{})[0]
			if i.Place.Store != store || i.Place.Log != "ours" || i.Place.Peer != "peer gcp" || string(i.Evidence[0].Bytes) != string(whole.head(t, ours).Note()) || string(i.Evidence[1].Bytes) != string(h.Note()) {
				t.Fatalf("got %+v", i)
			}
		}
	}
}

// TestRubbishProof: a peer cannot make us accuse by a proof.
func TestRubbishProof(t *testing.T) {
	for name, spoil := range map[string]func(*wire.Consistency){
		"flipped":   func(c *wire.Consistency) { c.Hashes[0][0] ^= 1 },
		"none":      func(c *wire.Consistency) { c.Hashes = nil },
		"one less":  func(c *wire.Consistency) { c.Hashes = c.Hashes[1:] },
		"one more":  func(c *wire.Consistency) { c.Hashes = append(c.Hashes, make([]byte, 32)) },
		"many":      func(c *wire.Consistency) { c.Hashes = slices.Repeat(c.Hashes, 30) },
		"short":     func(c *wire.Consistency) { c.Hashes[0] = c.Hashes[0][:31] },
		"too long":  func(c *wire.Consistency) { c.Hashes[0] = make([]byte, wire.MaxProofBytes) },
		"other one": func(c *wire.Consistency) { c.From++ },
	} {
		for _, ours := range []uint64{5, 6, 8} {
			r := newRig(t, ours)
			r.other.spoil = spoil
			r.other.show("gs://other", "theirs", whole.head(t, 13))
			r.round()
			if got := r.open(); !slices.Equal(got, []incident.Kind{incident.Unread}) {
				t.Fatalf("%s, ours %d: %q", name, ours, got)
			}
		}
	}
}

func TestBadAnswers(t *testing.T) {
	signer := ledgertest.Signer(t, origin)
	for name, spoil := range map[string]func(*other){
		"away":           func(o *other) { o.status = 503 },
		"redirect":       func(o *other) { o.status = 302 },
		"rubbish":        func(o *other) { o.heads[0].Checkpoint = "rubbish" },
		"log name":       func(o *other) { o.heads[0].Log = "../secret" },
		"too many":       func(o *other) { o.heads = slices.Repeat(o.heads, wire.MaxHeads+1) },
		"too long":       func(o *other) { o.heads[0].Store = strings.Repeat("x", wire.MaxHeadsBytes) },
		"forged":         func(o *other) { o.heads[0].Checkpoint = strings.Replace(o.heads[0].Checkpoint, "\n10\n", "\n11\n", 1) },
		"long head":      func(o *other) { o.heads[0].Checkpoint = strings.Repeat("x", wire.MaxNote+1) },
		"empty, 204":     func(o *other) { o.status = 204 },
		"other log path": func(o *other) { o.heads[0].Log = "elsewhere" },
		"no judge":       func(o *other) { o.body = `{"status":"Server available"}` },
		"nothing":        func(o *other) { o.body = `{}` },
		"null":           func(o *other) { o.body = `null` },
	} {
		r := newRig(t, 5)
		r.other.show("gs://other", "theirs", sign(t, signer, 10, whole.root(10)))
		spoil(r.other)
		r.round()
		if got := r.open(); !slices.Equal(got, []incident.Kind{incident.Unread}) {
			t.Fatalf("%s: %q", name, got)
		}
		r.other.status, r.other.body = 0, ""
		r.other.show("gs://other", "theirs", whole.head(t, 5))
		time.Sleep(time.Millisecond)
		r.round()
		r.want()
	}
}

// TestOtherLogs: those that nobody trusts, and those that have no head here, are
// not held against ours. A peer that shows no others for long is said to be of no
// use, and one that lost what it knew.
func TestOtherLogs(t *testing.T) {
	other := ledgertest.Signer(t, "custody.example/other")
	elsewhere := ledgertest.Signer(t, "custody.example/elsewhere")
	for name, c := range map[string]struct {
		heads []checkpoint.Signed
		said  bool
	}{
		"untrusted": {[]checkpoint.Signed{sign(t, elsewhere, 5, forked.root(5)), sign(t, elsewhere, 9, forked.root(9))}, true},
		"not here":  {[]checkpoint.Signed{sign(t, other, 5, forked.root(5)), sign(t, other, 9, forked.root(9))}, true},
		"none":      {nil, true},
		"one":       {[]checkpoint.Signed{sign(t, other, 5, forked.root(5)), whole.head(t, 5)}, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, 5)
				r.other.show("gs://other", "theirs", c.heads...)
				r.round()
				time.Sleep(14 * time.Minute)
				r.round()
				r.want()
				time.Sleep(time.Minute)
				r.round()
				if !c.said {
					r.want()
					return
				}
				r.want(incident.Unread)
				r.other.show("gs://other", "theirs", whole.head(t, 5))
				time.Sleep(time.Second)
				r.round()
				r.want()
			})
		})
	}
}

// TestAhead accuses nobody, whatever the peer calls its store: it may call another,
// fresher one by the name of ours.
func TestAhead(t *testing.T) {
	for _, theirs := range []string{"gs://other", store} {
		t.Run(theirs, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, 5)
				r.other.show(theirs, "theirs", whole.head(t, 9))
				r.round()
				time.Sleep(10 * time.Minute)
				r.other.show(theirs, "theirs", whole.head(t, 12))
				r.round()
				r.want()
				time.Sleep(5 * time.Minute)
				r.round()
				r.want(incident.PeerAhead)
				i := r.book.Incidents(incident.Filter{})[0]
				if i.Place.First != 5 || i.Place.End != 9 || len(i.Evidence) != 2 || i.Place.Log != "ours" {
					t.Fatalf("got %+v", i)
				}
				r.grow(store, 9)
				time.Sleep(time.Second)
				r.round()
				r.want()
				time.Sleep(14 * time.Minute)
				r.round()
				if n := len(r.book.Incidents(incident.Filter{})); n != 1 {
					t.Fatalf("%d incidents: the grace did not begin anew", n)
				}
			})
		})
	}
}

// TestForkOfAPeer is one incident however both histories grow, and hides no other
// fork once it is acknowledged.
func TestForkOfAPeer(t *testing.T) {
	r := newRig(t, 5)
	r.other.is = forked
	for size := uint64(6); size < 20; size++ {
		r.other.show("gs://other", "theirs", forked.head(t, size))
		r.round()
		r.want(incident.Fork)
		if size == 6 {
			if err := r.book.Acknowledge(r.book.Incidents(incident.Filter{})[0].ID, "jane", "it has an old copy"); err != nil {
				t.Fatal(err)
			}
		}
		r.grow(store, size)
	}
	if _, n := r.book.Worst(); n != 0 {
		t.Fatalf("what was acknowledged alarms again: %+v", r.book.Incidents(incident.Filter{}))
	}
	if err := r.book.Report(incident.Finding{Kind: incident.Fork, Place: incident.Place{Store: store, Log: "ours"}}); err != nil {
		t.Fatal(err)
	}
	if _, n := r.book.Worst(); n != 1 {
		t.Fatal("a fork in the store is silent behind one that the peer saw")
	}
	r.other.show("gs://third", "theirs", forked.head(t, 20))
	r.round()
	if _, n := r.book.Worst(); n != 2 {
		t.Fatal("a fork in another store of the peer is silent behind the first one")
	}
	for _, i := range r.book.Incidents(incident.Filter{State: incident.StateOpen}) {
		if err := r.book.Acknowledge(i.ID, "jane", "known"); err != nil {
			t.Fatal(err)
		}
	}
	r.other.is = whole
	r.other.show("gs://other", "theirs", whole.head(t, 10))
	r.away = errors.New("timeout") // ours: nothing can be said
	r.round()
	r.want(incident.Fork, incident.Fork, incident.Unread)
	r.away = nil
	time.Sleep(time.Millisecond)
	r.round()
	r.want(incident.Fork) // that of the store, which its watch ends
}

// TestGrowing: a store that is always a little late is not accused.
func TestGrowing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 5)
		for size := uint64(6); size < 200; size++ {
			r.other.show("gs://other", "theirs", whole.head(t, size+3))
			r.round()
			time.Sleep(time.Minute)
			r.grow(store, size)
		}
		r.want()
	})
}

// TestForkLater: a head that ours is the beginning of is held against ours again
// when ours has grown.
func TestForkLater(t *testing.T) {
	r := newRig(t, 5)
	r.other.is = history{"b", 6}
	r.other.show("gs://other", "theirs", r.other.is.head(t, 9))
	r.round()
	r.want()
	r.grow(store, 12)
	r.round()
	r.want(incident.Fork)
}

func TestOurStoreAway(t *testing.T) {
	r := newRig(t, 9)
	r.other.show("gs://other", "theirs", forked.head(t, 7))
	r.away = errors.New("timeout")
	r.round()
	r.want(incident.Unread)
	r.away = nil
	time.Sleep(time.Millisecond)
	r.round()
	r.want(incident.Fork)
}

// TestProvenOnce: what was proven is not proven again, and a flood of heads is
// worked off over rounds.
func TestProvenOnce(t *testing.T) {
	r := newRig(t, 600)
	made := 0
	prove := r.peers.set.Prove
	r.peers.set.Prove = func(ctx context.Context, store, log string, from, to uint64) (Proof, error) {
		made++
		return prove(ctx, store, log, from, to)
	}
	var heads []checkpoint.Signed
	for size := range uint64(maxProofs + 50) {
		heads = append(heads, whole.head(t, size+1))
	}
	r.other.show("gs://other", "theirs", heads...)
	r.round()
	if made != maxProofs {
		t.Fatalf("%d proofs in one round", made)
	}
	r.round()
	r.grow(store, 601)
	r.round()
	if made != maxProofs+50 {
		t.Fatalf("%d proofs for %d heads", made, len(heads))
	}
	r.want()
}

// TestRun asks over a real connection until it is stopped.
func TestRun(t *testing.T) {
	r := newRig(t, 5)
	r.other.is = forked
	r.other.show("gs://other", "theirs", forked.head(t, 9))
	srv := httptest.NewServer(r.other)
	defer srv.Close()
	set := *r.peers.all[0].set
	set.Peers = []Peer{{Name: "gcp", URL: srv.URL + "/base", Client: srv.Client()}}
	p, err := New(set)
	if err != nil {
		t.Fatal(err)
	}
	wake, stop := r.book.Follow()
	defer stop()
	<-wake
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	<-wake
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	r.want(incident.Fork)
}

func TestBookFails(t *testing.T) {
	r := newRig(t, 5)
	if err := r.book.Close(); err != nil {
		t.Fatal(err)
	}
	if err := r.peers.Run(t.Context()); err == nil {
		t.Fatal("the book failed, and nobody was told")
	}
}

func TestBadConfig(t *testing.T) {
	set := *newRig(t, 5).peers.all[0].set
	for _, all := range [][]Peer{
		{{Name: "a", URL: ""}}, {{Name: "a", URL: "ftp://x"}}, {{Name: "", URL: "https://x"}}, {{Name: "a", URL: "https://x?q=1"}},
		{{Name: "a", URL: "https://x"}, {Name: "a", URL: "https://y"}},
	} {
		set.Peers = all
		if _, err := New(set); err == nil {
			t.Errorf("%+v was taken", all)
		}
	}
	set.Keys = nil
	if _, err := New(set); err == nil {
		t.Error("no keys were taken")
	}
}

// TestPrefixRoot is held against the tree for all small sizes.
func TestPrefixRoot(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for to := uint64(1); to <= 70; to++ {
		for from := uint64(1); from <= to; from++ {
			proof, want, toRoot := whole.prove(from, to), whole.root(from), whole.root(to)
			got, err := prefixRoot(proof, from, to, toRoot, want)
			if err != nil || got != want {
				t.Fatalf("%d of %d: %v, %v", from, to, got, err)
			}
			if !powerOfTwo(from) {
				if got, err = prefixRoot(proof, from, to, toRoot, tree.Hash{}); err != nil || got != want {
					t.Fatalf("%d of %d, nothing assumed: %v, %v", from, to, got, err)
				}
			}
			if len(proof) == 0 {
				continue
			}
			bad := slices.Clone(proof)
			bad[rng.IntN(len(bad))][rng.IntN(32)] ^= 1
			if _, err = prefixRoot(bad, from, to, toRoot, want); !errors.Is(err, errUnproven) {
				t.Fatalf("%d of %d: an altered proof gave %v", from, to, err)
			}
		}
	}
	for _, c := range [][2]uint64{{0, 5}, {6, 5}, {3, 5}, {1 << 63, 1<<63 + 1}, {1<<64 - 2, 1<<64 - 1}} {
		if _, err := prefixRoot(nil, c[0], c[1], tree.Hash{}, tree.Hash{1}); !errors.Is(err, errUnproven) {
			t.Errorf("%v: %v", c, err)
		}
	}
}

func FuzzPrefixRoot(f *testing.F) {
	f.Add(uint64(3), uint64(7), []byte("x"))
	f.Fuzz(func(t *testing.T, from, to uint64, b []byte) {
		var proof []tree.Hash
		for ; len(b) >= 32 && len(proof) < 200; b = b[32:] {
			proof = append(proof, tree.Hash(b[:32]))
		}
		if _, err := prefixRoot(proof, from, to, tree.Hash{}, tree.Hash{}); err == nil && from != to {
			t.Fatal("led to a root that nobody can hit")
		}
	})
}
