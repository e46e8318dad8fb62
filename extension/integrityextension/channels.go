package integrityextension

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/component"

	"github.com/otelcol-custody/custody/internal/integrity"
	"github.com/otelcol-custody/custody/internal/integrity/peers"
	"github.com/otelcol-custody/custody/internal/integrity/peers/wire"
	"github.com/otelcol-custody/custody/internal/integrity/webhook"
	"github.com/otelcol-custody/custody/internal/storeconfig"
	"github.com/otelcol-custody/custody/store"
)

// source is a store as the guard takes it. Its retention is what its objects are
// expected to have.
func source(c storeconfig.Store) integrity.Source {
	src := integrity.Source{ID: c.ID(), Open: func(ctx context.Context) (store.Store, error) { return c.Open(ctx, true) }}
	if p := c.Policy(); p.Mode != store.ModeNone || p.LegalHold {
		src.Retention = &integrity.Retention{Mode: p.Mode, For: p.For, LegalHold: p.LegalHold}
	}
	return src
}

// newHook opens the queue of the webhook, and returns what posts.
func (j *judge) newHook(ctx context.Context, host component.Host) (func(context.Context), error) {
	w := j.cfg.Webhook.Get()
	client, err := w.Client.http(ctx, host, j.set.TelemetrySettings)
	if err != nil {
		return nil, fmt.Errorf("webhook: %w", err)
	}
	if j.hook, err = webhook.New(webhook.Config{
		Name: "main", URL: w.Client.Endpoint, Secrets: j.secrets, Client: client, Timeout: client.Timeout, Book: j.book, Dir: j.cfg.StateDir,
	}); err != nil {
		return nil, err
	}
	return func(ctx context.Context) {
		defer client.CloseIdleConnections()
		j.hook.Run(ctx)
	}, nil
}

// retryPeers is how long the exchange of heads rests when the book's disk failed;
// the status says that already.
const retryPeers = 10 * time.Second

// newPeers returns what exchanges heads.
func (j *judge) newPeers(ctx context.Context, host component.Host) (func(context.Context), error) {
	var all []peers.Peer
	for i, p := range j.cfg.Peers {
		client, err := p.Client.http(ctx, host, j.set.TelemetrySettings)
		if err != nil {
			return nil, fmt.Errorf("peers[%d]: %w", i, err)
		}
		all = append(all, peers.Peer{Name: p.name(), URL: p.Client.Endpoint, Client: client})
	}
	exchange, err := peers.New(peers.Config{Peers: all, Keys: j.keys, Heads: j.heads, Prove: j.prove, Book: j.book, Grace: j.cfg.BehindAfter})
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) {
		for ctx.Err() == nil {
			if exchange.Run(ctx) != nil {
				rest(ctx, retryPeers)
			}
		}
		for _, p := range all {
			p.Client.CloseIdleConnections()
		}
	}, nil
}

var errNotOpen = errors.New("the store is not open yet")

// prove proves from a store of ours that a log at one size is the beginning of
// what it is at another.
func (j *judge) prove(ctx context.Context, store, log string, from, to uint64) (peers.Proof, error) {
	l := j.shelf.prover(store, log)
	if l == nil {
		return peers.Proof{}, fmt.Errorf("%s: %w", store, errNotOpen)
	}
	if h := l.Head(); h == nil || h.End() < to {
		if err := l.Refresh(ctx); err != nil {
			return peers.Proof{}, err
		}
	}
	c, err := l.Consistency(ctx, from, to)
	if err != nil {
		return peers.Proof{}, err
	}
	return peers.Proof{FromRoot: c.FromRoot, ToRoot: c.ToRoot, Path: c.Path}, nil
}

// remembered are the highest heads ever seen, as other judges read them.
func (j *judge) remembered() (all []wire.Head) {
	for _, h := range j.heads.Heads() {
		all = append(all, wire.Head{Store: h.Store, Log: h.Log, Checkpoint: string(h.Signed.Note())})
	}
	return all
}
