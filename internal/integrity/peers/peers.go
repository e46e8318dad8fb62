// Package peers exchanges heads with other integrity extensions: what one has
// seen of a log, with the log's signature, contradicts a store that shows another
// one something else. A peer is believed nothing but what the log's key signed.
package peers

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/otelcol-custody/custody/internal/integrity/incident"
	"github.com/otelcol-custody/custody/internal/integrity/memory"
	"github.com/otelcol-custody/custody/ledger/checkpoint"
	"github.com/otelcol-custody/custody/ledger/tree"
)

// A Peer is another integrity extension.
type Peer struct {
	Name   string       // names it in findings
	URL    string       // of its API, without the path
	Client *http.Client // nil means a new one with the defaults of net/http. Redirects are not followed
}

// Config says whom to ask, and what to hold the answers against.
type Config struct {
	Peers []Peer
	Keys  *checkpoint.Keys
	// Heads are the highest heads that this extension has seen; see [memory.Memory].
	Heads interface{ Heads() []memory.Head }
	// Prove makes the proof that a log of a store of ours, at a smaller size, is
	// the beginning of what it is at a larger one.
	Prove func(ctx context.Context, store, log string, from, to uint64) (Proof, error)
	Book  Book
	Every time.Duration // how often each is asked; 0 means 1 min
	// Grace is how long a store may lack what a peer has seen; 0 means 15 min.
	Grace   time.Duration
	Timeout time.Duration    // of one request, and of one proof of our own; 0 means 30 s
	Now     func() time.Time // nil means [time.Now]; the clock of the book
}

// A Proof is that of one size being the beginning of another (RFC 6962 §2.1.2).
type Proof struct {
	FromRoot, ToRoot tree.Hash
	Path             []tree.Hash
}

// Book takes what is found; see [incident.Book].
type Book interface {
	Report(incident.Finding) error
	Swept(scope incident.Place, since time.Time, kinds ...incident.Kind) error
}

// Peers asks. Make one with [New].
type Peers struct {
	set Config
	all []*watch
}

// New makes the watch over all peers, which does nothing until [Peers.Run].
func New(set Config) (*Peers, error) {
	if set.Keys == nil || set.Heads == nil || set.Book == nil || set.Prove == nil {
		return nil, errors.New("peers: keys, heads, a book and a prover are needed")
	}
	if set.Now == nil {
		set.Now = time.Now
	}
	for d, otherwise := range map[*time.Duration]time.Duration{
		&set.Every: time.Minute, &set.Grace: 15 * time.Minute, &set.Timeout: 30 * time.Second,
	} {
		if *d <= 0 {
			*d = otherwise
		}
	}
	p := &Peers{set: set}
	seen := map[string]bool{}
	for _, peer := range set.Peers {
		u, err := url.Parse(peer.URL)
		if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.RawQuery != "" || u.Fragment != "" {
			return nil, fmt.Errorf("peers: the URL of peer %s is not one of http or https without a query", peer.Name)
		}
		if peer.Name == "" || seen[peer.Name] {
			return nil, fmt.Errorf("peers: the name %q is empty, or named twice", peer.Name)
		}
		seen[peer.Name] = true
		p.all = append(p.all, newWatch(&p.set, peer, u))
	}
	return p, nil
}

// Run asks each peer again and again until ctx ends. An error is that of the
// book's disk.
func (p *Peers) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var all sync.WaitGroup
	var mu sync.Mutex
	var first error
	for _, w := range p.all {
		all.Go(func() {
			if err := w.run(ctx); err != nil {
				mu.Lock()
				defer mu.Unlock()
				first = errors.Join(first, err)
				cancel(err)
			}
		})
	}
	all.Wait()
	return first
}

// watch is one peer. Its goroutine owns it.
type watch struct {
	set  *Config
	name string
	get  *getter

	agreed  map[pair]bool           // heads of the peer that were proven against ours
	missing map[memoryPlace]lacking // what stores of ours lack
	strange time.Time               // since when it shows no log that is known here; zero: it does
}

type memoryPlace struct{ store, log string }

// pair is a head of the peer and the log of ours that it was held against.
type pair struct {
	at   memoryPlace
	size uint64
	root tree.Hash
}

// lacking is the smallest head of a peer that a store of ours did not reach.
type lacking struct {
	head  head
	since time.Time
}

func newWatch(set *Config, peer Peer, u *url.URL) *watch {
	client := http.Client{}
	if peer.Client != nil {
		client = *peer.Client
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &watch{set: set, name: "peer " + peer.Name, get: &getter{&client, u, set.Timeout},
		agreed: map[pair]bool{}, missing: map[memoryPlace]lacking{}}
}

func (w *watch) run(ctx context.Context) error {
	for {
		if err := w.round(ctx); err != nil && ctx.Err() == nil {
			return fmt.Errorf("%s: %w", w.name, err)
		}
		timer := time.NewTimer(w.set.Every/2 + rand.N(w.set.Every/2)) // not all at once
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-timer.C:
		}
	}
}

// round asks once and judges the answer. The error is the book's.
func (w *watch) round(ctx context.Context) error {
	began := w.set.Now()
	heads, err := w.get.heads(ctx, w.set.Keys)
	if err == nil {
		err = w.judge(ctx, heads)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var booked bookError
	switch {
	case errors.As(err, &booked):
		return booked.error
	case err != nil:
		return w.set.Book.Report(incident.Finding{Kind: incident.Unread, Place: w.place(),
			Message: fmt.Sprintf("%s could not be held against what is known here: %v", w.name, err)})
	}
	return w.set.Book.Swept(w.place(), began, incident.Unread)
}

// place is that of the peer itself.
func (w *watch) place() incident.Place { return incident.Place{Store: w.name} }

// bookError is that of the book, in contrast to those of a peer.
type bookError struct{ error }

func (e bookError) Unwrap() error { return e.error }

func (w *watch) report(f *incident.Finding) error {
	if err := w.set.Book.Report(*f); err != nil {
		return bookError{err}
	}
	return nil
}
