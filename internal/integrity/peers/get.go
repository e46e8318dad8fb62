package peers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/otelcol-custody/custody/internal/integrity/peers/wire"
	"github.com/otelcol-custody/custody/ledger"
	"github.com/otelcol-custody/custody/ledger/checkpoint"
	"github.com/otelcol-custody/custody/ledger/tree"
)

// head is what a peer has seen of a log, with the signature of the log's key.
type head struct {
	store, log string
	checkpoint.Signed
}

// getter asks a peer.
type getter struct {
	client  *http.Client
	base    *url.URL
	timeout time.Duration
}

// heads are those of the peer whose logs we trust a key for. A note in the name
// of such a log that its key did not sign is an error.
func (g *getter) heads(ctx context.Context, keys *checkpoint.Keys) ([]head, error) {
	var answer wire.Heads
	if err := g.get(ctx, wire.HeadsPath, nil, wire.MaxHeadsBytes, &answer); err != nil {
		return nil, err
	}
	if answer.Heads == nil {
		return nil, fmt.Errorf("GET %s: the answer names no heads, not even none: it is none of an integrity extension", wire.HeadsPath)
	}
	if len(answer.Heads) > wire.MaxHeads {
		return nil, fmt.Errorf("it names %d heads, more than %d", len(answer.Heads), wire.MaxHeads)
	}
	var all []head
	for _, h := range answer.Heads {
		if len(h.Checkpoint) > wire.MaxNote {
			return nil, fmt.Errorf("a head of %d bytes is longer than %d", len(h.Checkpoint), wire.MaxNote)
		}
		signed, err := checkpoint.Open([]byte(h.Checkpoint), keys)
		if errors.Is(err, checkpoint.ErrUntrusted) {
			continue // a log that is not ours to judge
		}
		if err == nil {
			err = ledger.CheckLogName(h.Log)
		}
		if err != nil {
			return nil, fmt.Errorf("its head of log %.80q: %w", h.Log, err)
		}
		all = append(all, head{h.Store, h.Log, signed})
	}
	return all, nil
}

// consistency is the peer's proof, which proves nothing yet.
func (g *getter) consistency(ctx context.Context, log string, from, to uint64) ([]tree.Hash, error) {
	path := strings.Replace(wire.ConsistencyPath, "{log}", url.PathEscape(log), 1)
	query := url.Values{"from": {strconv.FormatUint(from, 10)}, "to": {strconv.FormatUint(to, 10)}}
	var answer wire.Consistency
	if err := g.get(ctx, path, query, wire.MaxProofBytes, &answer); err != nil {
		return nil, err
	}
	if answer.From != from || answer.To != to || len(answer.Hashes) > wire.MaxProof {
		return nil, fmt.Errorf("it answers a proof from %d to %d of %d hashes, asked for one from %d to %d", answer.From, answer.To, len(answer.Hashes), from, to)
	}
	proof := make([]tree.Hash, len(answer.Hashes))
	for i, h := range answer.Hashes {
		if len(h) != tree.HashSize {
			return nil, fmt.Errorf("its proof has a hash of %d bytes", len(h))
		}
		proof[i] = tree.Hash(h)
	}
	return proof, nil
}

// get reads a JSON answer of at most limit bytes.
func (g *getter) get(ctx context.Context, path string, query url.Values, limit int64, into any) error {
	ctx, cancel := context.WithTimeout(ctx, g.timeout)
	defer cancel()
	u := g.base.JoinPath(path)
	u.RawQuery = query.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return err
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "custody-integrity")
	resp, err := g.client.Do(req)
	if err != nil {
		return err
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	_ = resp.Body.Close()
	switch {
	case resp.StatusCode != http.StatusOK:
		return fmt.Errorf("GET %s: it answers %s", path, resp.Status)
	case err != nil:
		return fmt.Errorf("GET %s: %w", path, err)
	case int64(len(body)) > limit:
		return fmt.Errorf("GET %s: the answer is longer than %d bytes", path, limit)
	}
	if err := json.Unmarshal(body, into); err != nil {
		return fmt.Errorf("GET %s: %w", path, err)
	}
	return nil
}
