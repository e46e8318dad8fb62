package recovery

// complete says whether no journal of the state directory can be missing or
// shorter than it was: each is whole and continues what lies before it, and the
// last one is open. A state directory has an open journal at every moment.
func (r *run) complete() bool {
	end, open := uint64(0), false
	for i := range r.found.Seals {
		end = max(end, r.found.Seals[i].Head.End())
	}
	for _, s := range r.course.local {
		end = max(end, s.Head.End())
	}
	for _, j := range r.found.Journals {
		first, behind := j.Span()
		switch {
		case !j.Intact():
			return false
		case open && first == behind:
			continue // It was prepared, and its turn never came.
		case open || first > end:
			return false
		}
		end, open = max(end, behind), j.Open()
	}
	return open
}
