package digest

import (
	"slices"
	"time"
)

// period is how often a digest comes.
const period = time.Hour

// A chain is what is known of the digests of a chain: runs in which each digest named the
// one before. Without gaps there is one run, however long.
type chain struct {
	ID   Chain  `json:"id"`
	Runs []*run `json:"runs"` // by From
	// Folders are those, beside CloudTrail, of which digests list files.
	Folders []string `json:"folders,omitempty"`
	// Overdue is the end for which it was said that no digest followed.
	Overdue time.Time `json:"overdue,omitzero"`
}

// A run is one or more digests without a break.
type run struct {
	From    time.Time `json:"from"`
	To      time.Time `json:"to"`
	First   Object    `json:"first"`
	Prev    Previous  `json:"prev,omitzero"`     // what First says of the one before
	Last    Previous  `json:"last"`              // the newest
	Seen    time.Time `json:"seen"`              // when First came
	Joined  bool      `json:"joined,omitempty"`  // First was held against the one before
	Settled bool      `json:"settled,omitempty"` // what is before First is judged
}

func (c *chain) newest() *run {
	var n *run
	for _, r := range c.Runs {
		if n == nil || r.To.After(n.To) {
			n = r
		}
	}
	return n
}

// covers says whether one run has a log file's minute and the hour after it.
func (c *chain) covers(minute time.Time) bool {
	return slices.ContainsFunc(c.Runs, func(r *run) bool { return !minute.Before(r.From) && !minute.Add(period).After(r.To) })
}

// enter makes a chain known.
func (j *Judge) enter(c *chain) *chain {
	j.chains[chainKey(c.ID)] = c
	j.scopes[c.ID.Scope] = append(j.scopes[c.ID.Scope], c)
	return c
}

// link puts a digest into its chain and joins what follows each other. fresh is false if
// its time has been joined before.
func (j *Judge) link(id Chain, r *run) (c *chain, fresh bool) {
	if c = j.chains[chainKey(id)]; c == nil {
		c = j.enter(&chain{ID: id})
	}
	if slices.ContainsFunc(c.Runs, func(old *run) bool {
		return old.Last == r.Last || !id.Backfill && r.From.Compare(old.From) >= 0 && r.To.Compare(old.To) <= 0
	}) {
		return c, false
	}
	j.dirty[chainKey(id)] = true
	at, _ := slices.BinarySearchFunc(c.Runs, r.From, func(r *run, t time.Time) int { return r.From.Compare(t) })
	c.Runs = slices.Insert(c.Runs, at, r)
	for _, after := range slices.Clone(c.Runs) {
		if !after.Joined && after.Prev.Object == r.Last.Object {
			j.join(c, r, after)
		}
	}
	for _, before := range slices.Clone(c.Runs) {
		if r.Prev.Key != "" && before.Last.Object == r.Prev.Object {
			j.join(c, before, r)
		}
	}
	return c, true
}

// join holds what the first digest of a run says of the one before against that one, and
// makes one run of both if nothing lies between.
func (j *Judge) join(c *chain, before, after *run) {
	said, is := after.Prev, before.Last
	o := Outcome{Chain: c.ID, Object: after.First, Digest: is.Object, Detail: "the one before is " + is.Object.String()}
	after.Joined, after.Settled = true, true
	switch {
	case said.Hash != is.Hash:
		o.Reason, o.Want, o.Got = PreviousHash, said.Hash, is.Hash
	case said.Signature != is.Signature:
		o.Reason, o.Want, o.Got = PreviousSignature, said.Signature, is.Signature
	case !c.ID.Backfill && after.From.After(before.To):
		o.Reason, o.From, o.To, o.Detail = ChainGap, before.To, after.From, ""
	default:
		before.Last = after.Last
		if after.To.After(before.To) {
			before.To = after.To
		}
		c.Runs = slices.DeleteFunc(c.Runs, func(r *run) bool { return r == after })
		return
	}
	j.say(o)
}

// settleChains says which runs have no digest before them after all.
func (j *Judge) settleChains(due func(seen time.Time) bool) {
	for _, key := range sortedKeys(j.chains) {
		c := j.chains[key]
		for i, r := range c.Runs {
			if r.Settled || !due(r.Seen) || j.waits(r.Prev.Object) {
				continue
			}
			r.Settled = true
			j.dirty[key] = true
			var end time.Time
			for _, earlier := range c.Runs[:i] {
				if earlier.To.After(end) {
					end = earlier.To
				}
			}
			j.beginning(c.ID, r, end)
		}
	}
}

// waits says whether a digest is there and only waits for its key or signature.
func (j *Judge) waits(o Object) bool {
	e := j.entries[digestKey(o)]
	return e != nil && e.State == held && !e.Told
}

// beginning judges a run without a run that it follows; end is that of those before it.
func (j *Judge) beginning(id Chain, r *run, end time.Time) {
	o := Outcome{Chain: id, From: end, To: r.From}
	switch {
	case r.Prev.Key == "":
		if id.Backfill || end.IsZero() {
			return
		}
		o.Reason, o.Object = ChainRestarted, r.First
	case j.entries[digestKey(r.Prev.Object)] != nil:
		return // It is there, and what is wrong with it is said.
	default:
		if n, err := ParseName(r.Prev.Key); err == nil && !n.End.After(j.opt.Start) {
			return
		}
		o.Reason, o.Object, o.Digest, o.Want = DigestMissing, r.Prev.Object, r.First, r.Prev.Hash
	}
	j.say(o)
}

// overdue says which chains have ended without a word; a chain is due when the next digest
// should have been here.
func (j *Judge) overdue(due func(Chain, time.Time) bool) {
	for _, key := range sortedKeys(j.chains) {
		c := j.chains[key]
		n := c.newest()
		if c.ID.Backfill || n == nil || c.Overdue.Equal(n.To) || !due(c.ID, n.To) {
			continue
		}
		c.Overdue = n.To
		j.dirty[key] = true
		j.say(Outcome{Reason: DigestOverdue, Chain: c.ID, Digest: n.Last.Object, From: n.To})
	}
}

// trim drops runs that nothing can be joined to any more.
func (j *Judge) trim(before time.Time) {
	for key, c := range j.chains {
		n, had := c.newest(), len(c.Runs)
		c.Runs = slices.DeleteFunc(c.Runs, func(r *run) bool { return r != n && r.Settled && r.To.Before(before) && r.Seen.Before(before) })
		if len(c.Runs) != had {
			j.dirty[key] = true
		}
	}
}
