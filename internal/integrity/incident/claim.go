package incident

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"strconv"
)

// drifting are the kinds of which a finding says something else while nothing else
// happens, such as how late it is.
var drifting = []Kind{StoreBehind, PeerAhead, Late, Unfenced, PassLate, Undelivered, Unread}

// A claim tells apart what is found of one cause: where exactly, and what is there.
// An acknowledgement is of claims.
type claim [16]byte

// claim is that of a finding, which is clean.
func (f *Finding) claim() claim {
	what := f.Cause()
	if p := f.Place; !slices.Contains(drifting, f.Kind) {
		record := "unknown"
		if p.Record != nil {
			record = strconv.FormatUint(*p.Record, 10)
		}
		what += fmt.Sprintf(" %q %d %d %s %q", p.Version, p.First, p.End, record, f.Got)
	}
	sum := sha256.Sum256([]byte(what))
	return claim(sum[:len(claim{})])
}

// further takes a claim that the incident did not have, and counts it if it stands
// for others. It says whether there was room.
func (h *held) further(c claim) bool {
	if len(h.claims) >= maxClaims {
		return false
	}
	h.claims[c] = struct{}{}
	h.fresh = append(h.fresh, c[:]...)
	if h.More > 0 {
		h.More = max(h.More, uint64(len(h.claims)))
	}
	return true
}

// allClaims are those of an incident, as entries hold them.
func (h *held) allClaims() (all []byte) {
	for _, c := range slices.SortedFunc(maps.Keys(h.claims), func(a, b claim) int { return bytes.Compare(a[:], b[:]) }) {
		all = append(all, c[:]...)
	}
	return all
}
