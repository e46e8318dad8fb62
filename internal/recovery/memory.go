package recovery

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/otelcol-custody/custody/internal/sealer"
	"github.com/otelcol-custody/custody/ledger/checkpoint"
	"github.com/otelcol-custody/custody/ledger/seal"
	"github.com/otelcol-custody/custody/ledger/tree"
)

// claim says what the log's size and root were, in the log's own signature.
type claim struct {
	source string
	size   uint64
	root   tree.Hash
	note   []byte
	says   mark // of a seal; zero: a checkpoint
	memory bool // kept by the state directory or an operator: it can vouch for stores
}

func sealClaim(source string, m mark, after checkpoint.Signed) claim {
	return claim{source: source, size: m.end, root: m.root, note: after.Note(), says: m}
}

// given opens the operator's checkpoints.
func given(o *Options, keys *checkpoint.Keys) ([]claim, error) {
	var all []claim
	for _, c := range o.Checkpoints {
		signed, err := checkpoint.Open(c.Note, keys)
		if err != nil {
			return nil, fmt.Errorf("%w: %s: %w. Give one of origin %s that key %s signed", ErrCheckpoint, c.Source, err, o.Signer.Name(), o.Signer.ID())
		}
		all = append(all, claim{source: c.Source, size: signed.Size, root: signed.Root, note: signed.Note(), memory: true})
	}
	return all, nil
}

// remembered are the claims of the state directory: its checkpoint, its newest
// seal, and others that the course does not have.
func remembered(keys *checkpoint.Keys, s *sealer.Salvage, c *course) ([]claim, error) {
	var all []claim
	if s.Checkpoint != nil {
		signed, err := checkpoint.Open(s.Checkpoint, keys)
		if err != nil {
			return nil, err
		}
		all = append(all, claim{source: "the state directory's checkpoint", size: signed.Size, root: signed.Root, note: signed.Note(), memory: true})
	}
	var seals []claim
	for i := range s.Seals {
		found := &s.Seals[i]
		k := sealClaim("the state directory's "+found.Name(), markOf(found), found.After)
		k.memory = true
		if seals = append(seals, k); i == len(s.Seals)-1 && c.has(k.says) {
			all = append(all, k)
		}
	}
	return append(all, strange(seals, c)...), nil
}

// claimed are the claims of stores beside their own histories: seals behind gaps
// and beside forks.
func claimed(all []*history, c *course) (out []claim) {
	for _, h := range all {
		if h.fork != nil {
			for _, held := range []*seal.Verified{h.fork.One.Seal, h.fork.Other.Seal} {
				h.behind = append(h.behind, sealClaim("store "+h.id, markOfSeal(held), held.After()))
			}
		}
		out = append(out, strange(h.behind, c)...)
	}
	return out
}

// strange are those of one witness's seals that the course does not have: one
// that is ahead suffices, and one that is not.
func strange(seals []claim, c *course) (out []claim) {
	var ahead, within []claim
	for _, k := range seals {
		switch {
		case c.has(k.says):
		case k.size > c.end():
			ahead = append(ahead, k)
		default:
			within = append(within, k)
		}
	}
	if len(ahead) > 0 {
		out = append(out, slices.MaxFunc(ahead, func(a, b claim) int { return cmp.Compare(a.size, b.size) }))
	}
	return append(out, within[:min(1, len(within))]...)
}

// verdict holds a claim against the course and the journals that continue it.
func verdict(ctx context.Context, k claim, c *course, r *sealer.Rebuild) (string, error) {
	if k.size > r.Size() {
		return Ahead, nil
	}
	root, known := r.RootAt(k.size)
	if k.size < c.end() {
		var err error
		if root, known, err = c.rootAt(ctx, k.size); err != nil {
			return "", err
		}
	}
	switch {
	case !known:
		return Unchecked, nil
	case root != k.root:
		return Contradicts, nil
	}
	return Agrees, nil
}
