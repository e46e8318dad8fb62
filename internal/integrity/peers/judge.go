package peers

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/otelcol-custody/custody/internal/integrity/incident"
	"github.com/otelcol-custody/custody/internal/integrity/memory"
	"github.com/otelcol-custody/custody/ledger/tree"
)

// maxProofs are made or asked for in one round; the next one goes on.
const maxProofs = 256

// judge holds the peer's heads against ours. Logs are told by their origins:
// names of stores and folders are each one's own. The error says what could not
// be judged, or is a bookError; heads that could be, were.
func (w *watch) judge(ctx context.Context, theirs []head) error {
	slices.SortStableFunc(theirs, func(a, b head) int { return cmp.Compare(a.Size, b.Size) })
	var unjudged error
	agreed := map[pair]bool{}
	proofs := 0
	began, known := w.set.Now(), w.set.Heads.Heads()
	unjudged = w.shares(known, theirs)
	for _, ours := range known {
		at := memoryPlace{ours.Store, ours.Log}
		for _, h := range theirs {
			p := pair{at, h.Size, h.Root}
			if h.Origin != ours.Signed.Origin || h.Size == 0 {
				continue
			}
			if agreed[p] || w.agreed[p] {
				agreed[p] = true // what follows ours since follows it, too
				continue
			}
			if proofs++; proofs > maxProofs {
				continue
			}
			same, err := w.compare(ctx, ours, h)
			if booked := (bookError{}); errors.As(err, &booked) || ctx.Err() != nil {
				return err
			}
			if err != nil {
				unjudged = fmt.Errorf("log %s in store %s: %w", ours.Log, ours.Store, err)
			}
			if same && h.Size <= ours.Signed.Size {
				agreed[p] = true
			}
		}
		if err := w.lack(ours, theirs); err != nil {
			return err
		}
	}
	w.agreed = agreed
	if unjudged != nil || proofs > maxProofs {
		return unjudged
	}
	if err := w.set.Book.Swept(incident.Place{Peer: w.name}, began, incident.Fork); err != nil {
		return bookError{err}
	}
	return nil
}

// shares says, with an error, that for longer than the grace a peer has shown
// nothing of any log that is known here: who lost its state shows that, too.
func (w *watch) shares(known []memory.Head, theirs []head) error {
	if len(known) == 0 || slices.ContainsFunc(theirs, func(h head) bool {
		return h.Size > 0 && slices.ContainsFunc(known, func(ours memory.Head) bool { return h.Origin == ours.Signed.Origin })
	}) {
		w.strange = time.Time{}
		return nil
	}
	now := w.set.Now()
	if w.strange.IsZero() {
		w.strange = now
	}
	if now.Sub(w.strange) < w.set.Grace {
		return nil
	}
	return fmt.Errorf("for %v it has shown no head of any log that is known here; does it watch the same logs, with the same keys?", w.set.Grace)
}

// compare says whether one head is a beginning of the other, and reports a fork
// if it is not.
func (w *watch) compare(ctx context.Context, ours memory.Head, h head) (same bool, err error) {
	size := min(ours.Signed.Size, h.Size)
	var mine, other tree.Hash
	var proof []tree.Hash
	switch {
	case h.Size <= ours.Signed.Size:
		other = h.Root
		mine, proof, err = w.ourRoot(ctx, ours, size)
	case powerOfTwo(size) && size > 2:
		// There a proof leaves out the root that is to be proven, so that a wrong
		// proof looks like a fork. One record earlier it does not.
		size--
		if mine, _, err = w.ourRoot(ctx, ours, size); err == nil {
			other, proof, err = w.theirRoot(ctx, h, size, mine)
		}
	default:
		mine = ours.Signed.Root
		other, proof, err = w.theirRoot(ctx, h, size, mine)
	}
	if err != nil || mine == other {
		return err == nil, err
	}
	return false, w.report(w.fork(ours, h, size, mine, other, proof))
}

// ourRoot is the root of our log at a size.
func (w *watch) ourRoot(ctx context.Context, ours memory.Head, size uint64) (tree.Hash, []tree.Hash, error) {
	if size == ours.Signed.Size {
		return ours.Signed.Root, nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, w.set.Timeout)
	defer cancel()
	p, err := w.set.Prove(ctx, ours.Store, ours.Log, size, ours.Signed.Size)
	if err == nil && p.ToRoot != ours.Signed.Root {
		err = errors.New("the store does not show the history that it showed before")
	}
	if err == nil {
		err = tree.CheckConsistency(p.Path, ours.Signed.Size, ours.Signed.Root, size, p.FromRoot)
	}
	return p.FromRoot, p.Path, err
}

// theirRoot is the root that the peer's log had at a size.
func (w *watch) theirRoot(ctx context.Context, h head, size uint64, assumed tree.Hash) (tree.Hash, []tree.Hash, error) {
	proof, err := w.get.consistency(ctx, h.log, size, h.Size)
	if err != nil {
		return tree.Hash{}, nil, err
	}
	root, err := prefixRoot(proof, size, h.Size, h.Root, assumed)
	if err != nil {
		err = fmt.Errorf("that its head of size %d follows on ours of size %d: %w", h.Size, size, err)
	}
	return root, proof, err
}

// fork is one incident for all that a peer shows of a log in one of its stores,
// however both histories grow.
func (w *watch) fork(ours memory.Head, h head, size uint64, mine, other tree.Hash, proof []tree.Hash) *incident.Finding {
	f := &incident.Finding{
		Kind:  incident.Fork,
		Place: incident.Place{Store: ours.Store, Log: ours.Log, Peer: w.name},
		Message: fmt.Sprintf("%s saw another history of the log, in its store %.200q: of the first %d records not all are the same, with root %v here and %v there, and the log's key signed both",
			w.name, h.store, size, mine, other),
		Want: "one history", Got: fmt.Sprintf("another one of log %s in %.200q", h.log, h.store),
		Evidence: w.evidence(ours, h),
	}
	if len(proof) > 0 {
		var text bytes.Buffer
		for _, p := range proof {
			fmt.Fprintln(&text, p)
		}
		f.Evidence = append(f.Evidence, incident.Evidence{Name: "consistency proof", Bytes: text.Bytes()})
	}
	return f
}

func (w *watch) evidence(ours memory.Head, h head) []incident.Evidence {
	return []incident.Evidence{{Name: "our head", Bytes: ours.Signed.Note()}, {Name: "head of " + w.name, Bytes: h.Note()}}
}

// lack reports what a store of ours has not reached within the grace.
func (w *watch) lack(ours memory.Head, theirs []head) error {
	at := memoryPlace{ours.Store, ours.Log}
	now := w.set.Now()
	was, lacks := w.missing[at]
	if lacks && ours.Signed.Size >= was.head.Size {
		delete(w.missing, at)
		lacks = false
	}
	if !lacks {
		next := slices.IndexFunc(theirs, func(h head) bool {
			return h.Origin == ours.Signed.Origin && h.Size > ours.Signed.Size
		})
		place := incident.Place{Store: ours.Store, Log: ours.Log, Peer: w.name}
		if err := w.set.Book.Swept(place, now, incident.PeerAhead); err != nil {
			return bookError{err}
		}
		if next >= 0 {
			w.missing[at] = lacking{theirs[next], now}
		}
		return nil
	}
	if now.Sub(was.since) < w.set.Grace {
		return nil
	}
	return w.report(w.ahead(ours, was))
}

// ahead is no accusation: which store the peer saw that in is its word alone, and
// one store may be later than another.
func (w *watch) ahead(ours memory.Head, l lacking) *incident.Finding {
	return &incident.Finding{
		Kind:  incident.PeerAhead,
		Place: incident.Place{Store: ours.Store, Log: ours.Log, Peer: w.name, First: ours.Signed.Size, End: l.head.Size},
		Message: fmt.Sprintf("%s saw %d records of the log, by its word in store %.200q; this store has shown no more than %d for %v. If both are one store, it was rolled back",
			w.name, l.head.Size, l.head.store, ours.Signed.Size, w.set.Grace),
		Want:     strconv.FormatUint(l.head.Size, 10) + " records",
		Got:      strconv.FormatUint(ours.Signed.Size, 10) + " records",
		Evidence: w.evidence(ours, l.head),
	}
}
