package peers

import (
	"errors"
	"math/bits"

	"github.com/otelcol-custody/custody/ledger/tree"
)

// errUnproven means that a proof does not lead to the root that was signed, so
// that it says nothing, about either tree.
var errUnproven = errors.New("the proof does not lead to the signed root")

// prefixRoot computes, from a consistency proof, the root that the tree of size
// to and root toRoot has at size from (RFC 6962 §2.1.2). The proof binds it: no
// other root can be made to follow from toRoot, whoever made the proof. Where
// from is a power of two the proof leaves that root out, and assumed is taken for
// it; then errUnproven says that assumed is wrong, or the proof.
func prefixRoot(proof []tree.Hash, from, to uint64, toRoot, assumed tree.Hash) (tree.Hash, error) {
	if from == 0 || from > to {
		return tree.Hash{}, errUnproven
	}
	if from == to {
		return toRoot, nil
	}
	if powerOfTwo(from) {
		proof = append([]tree.Hash{assumed}, proof...)
	}
	if len(proof) == 0 {
		return tree.Hash{}, errUnproven
	}
	low, high := from-1, to-1 // positions of the last leaves, then of nodes above
	shift := bits.TrailingZeros64(^low)
	low, high = low>>shift, high>>shift
	old, now := proof[0], proof[0]
	for _, h := range proof[1:] {
		if high == 0 {
			return tree.Hash{}, errUnproven
		}
		if low&1 == 1 || low == high {
			old, now = node(h, old), node(h, now)
			for low != 0 && low&1 == 0 {
				low, high = low>>1, high>>1
			}
		} else {
			now = node(now, h)
		}
		low, high = low>>1, high>>1
	}
	if high != 0 || now != toRoot {
		return tree.Hash{}, errUnproven
	}
	return old, nil
}

func node(left, right tree.Hash) tree.Hash { return tree.Subtree([]tree.Hash{left, right}) }

func powerOfTwo(n uint64) bool { return n&(n-1) == 0 }
