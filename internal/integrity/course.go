package integrity

import (
	"errors"
	"fmt"
	"iter"
	"path"

	"github.com/otelcol-custody/custody/internal/integrity/incident"
	"github.com/otelcol-custody/custody/internal/logstore"
	"github.com/otelcol-custody/custody/ledger"
	"github.com/otelcol-custody/custody/ledger/seal"
	"github.com/otelcol-custody/custody/ledger/verify"
	"github.com/otelcol-custody/custody/store"
)

// seals walks along the log's seals behind one. Where the log contradicts itself
// it says so, and goes on at the next valid seal (spec §11, step 2). An error that
// it yields is of the store. What is signed twice needs no second read.
func (t *stretch) seals(after *seal.Verified) iter.Seq2[*logstore.Held, error] {
	return func(yield func(*logstore.Held, error) bool) {
		for at := after; ; {
			var broken error
			stray := func(v *seal.Verified) { t.signed[v.First] = v } // Told by its name.
			for h, err := range straight(t.ctx, t.reader, at, stray) {
				if broken = err; err != nil {
					break
				}
				at = h.Seal
				if !yield(h, nil) {
					return
				}
			}
			if broken == nil {
				return
			}
			if !contradicts(broken) {
				yield(nil, broken)
				return
			}
			next, err := t.broken(at, broken)
			if err != nil {
				yield(nil, err)
				return
			}
			if next == nil || !yield(next, nil) {
				return
			}
			at = next.Seal
		}
	}
}

// contradicts says whether an error is the log's own.
func contradicts(err error) bool {
	var gap *logstore.GapError
	var fork *logstore.ForkError
	return errors.As(err, &gap) || errors.As(err, &fork)
}

// confirm looks again at a gap before anybody is accused: a store that comes and
// goes shows some seals and others not. The seal behind it must still be there.
func (t *stretch) confirm(gap *logstore.GapError) error {
	if err := sleep(t.ctx, secondRead); err != nil {
		return err
	}
	f, err := t.logWatch.reader(t.store, nil).At(t.ctx, gap.First)
	if err != nil && !flooded(err) {
		return err
	}
	if len(f.Seals) > 0 {
		return errShort // It is there now.
	}
	_, err = t.resolve(t.ctx, t.store, positionOf(gap.Next.Seal))
	return err
}

// broken says what is wrong, and returns where to go on; nil: nowhere.
func (t *stretch) broken(at *seal.Verified, err error) (*logstore.Held, error) {
	t.torn = true
	var gap *logstore.GapError
	if errors.As(err, &gap) {
		if err := t.confirm(gap); err != nil {
			return nil, err
		}
		t.find(t.ctx, t.missing(gap))
		if at != nil {
			if err := gap.Next.Seal.FollowsGap(at); err != nil {
				t.find(t.ctx, t.notFollowing(at, gap.Next, err))
			}
		}
		return gap.Next, nil
	}
	var fork *logstore.ForkError
	errors.As(err, &fork)
	one, other := fork.One, fork.Other
	if fork.Explanation != nil {
		if other.Seal.First == size(at) {
			t.find(t.ctx, t.notFollowing(at, other, fork.Explanation))
			return other, nil
		}
		t.find(t.ctx, t.forked(one, other, err))
		return nil, nil
	}
	t.find(t.ctx, t.forked(one, other, err))
	for _, h := range []*logstore.Held{one, other} {
		t.named[h.Seal.SegmentName()] = true
	}
	if _, err := one.Seal.Follows(at); err != nil {
		if _, err := other.Seal.Follows(at); err == nil {
			return other, nil
		}
	}
	return one, nil
}

func size(v *seal.Verified) uint64 {
	if v == nil {
		return 0
	}
	return v.End()
}

func (t *stretch) forked(one, other *logstore.Held, err error) incident.Finding {
	return incident.Finding{Kind: incident.Fork, Message: err.Error(), Evidence: heads(one.Seal, other.Seal),
		Place: incident.Place{Object: other.Object.Name, Version: other.Object.Version, First: other.Seal.First, End: other.Seal.End()},
		Want:  one.Seal.After().Text(), Got: other.Seal.After().Text()}
}

func (t *stretch) notFollowing(at *seal.Verified, h *logstore.Held, err error) incident.Finding {
	f := incident.Finding{Kind: incident.SealChain, Message: err.Error(), Evidence: heads(h.Seal),
		Place: incident.Place{Object: h.Object.Name, Version: h.Object.Version, First: h.Seal.First, End: h.Seal.End()}}
	if at != nil {
		f.Evidence = heads(at, h.Seal)
	}
	return f
}

// missing is about a place without a valid seal: what lies there, if something
// does, says what was done.
func (t *stretch) missing(gap *logstore.GapError) incident.Finding {
	t.gaps[gap.First] = true
	name := logstore.SealName(t.name, gap.First, 0)
	f := incident.Finding{Kind: incident.SealMissing, Place: incident.Place{Object: name, First: gap.First, End: gap.Next.Seal.First},
		Message: gap.Error(), Evidence: heads(gap.Next.Seal)}
	b, err := t.whole(store.Info{Name: name}, ledger.MaxSeal)
	if errors.Is(err, errLarge) {
		f.Kind, f.Message = incident.SealMalformed, "what lies at the name of the seal is larger than the format allows"
		return f
	}
	if err != nil {
		return f // It was read twice before: that it is not valid is known.
	}
	if _, bad, err := verify.JudgeSeal(b, t.set.Keys, t.name, ledger.SealName(gap.First), gap.First); err == nil && bad != nil {
		f.Kind, f.Message = incident.Kind(bad.Code), fmt.Sprintf("what lies at the name of the seal is none: %s", bad.Message)
	}
	return f
}

// inStore is a finding of ledger/verify as one of this log.
func (t *stretch) inStore(f *verify.Finding) incident.Finding {
	return incident.Finding{Kind: incident.Kind(f.Code), Message: f.Message, Want: f.Want, Got: f.Got,
		Place: incident.Place{Object: path.Join(t.name, f.Object), First: f.First, End: f.End, Record: f.Record}}
}
