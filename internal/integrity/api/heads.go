package api

import "github.com/otelcol-custody/custody/internal/integrity/peers/wire"

// heads are the heads that other judges hold against theirs.
func (a *API) heads(r *request) error {
	all := wire.Heads{Heads: []wire.Head{}}
	bytes := 0
	for _, h := range a.set.Heads() {
		if bytes += len(h.Checkpoint); len(all.Heads) == wire.MaxHeads || bytes > wire.MaxHeadsBytes/2 {
			break // JSON makes a note longer, by its line feeds alone.
		}
		all.Heads = append(all.Heads, h)
	}
	return r.json(all)
}

// judged are the heads that the guard knows, where nobody remembers more.
func judged(s Status) func() []wire.Head {
	return func() (all []wire.Head) {
		for _, l := range s.Status() {
			if l.Head != nil {
				all = append(all, wire.Head{Store: l.Store, Log: l.Log, Checkpoint: string(l.Head.Note())})
			}
		}
		return all
	}
}
