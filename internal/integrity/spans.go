package integrity

import (
	"slices"
	"time"
)

// spans say when each part of a log was read last: each reaches from where the
// one before ends to its own end.
type spans []span

type span struct {
	End uint64 `json:"end"`
	At  int64  `json:"at"` // in Unix seconds; 0: never
}

// maxSpans bounds them; neighbours that were read at about the same time become
// one, with the older time.
const maxSpans = 256

// set enters that [from, to) was read at that time; zero means never.
func (s spans) set(from, to uint64, at time.Time) spans {
	when := int64(0)
	if !at.IsZero() {
		when = at.Unix()
	}
	var out spans
	add := func(end uint64, at int64) {
		if n := len(out); n > 0 && out[n-1].At == at {
			out[n-1].End = end
		} else {
			out = append(out, span{end, at})
		}
	}
	begin, put := uint64(0), false
	for _, o := range s {
		if begin < from {
			add(min(o.End, from), o.At)
		}
		if o.End >= from && !put {
			put = true
			add(to, when)
		}
		if o.End > to {
			add(o.End, o.At)
		}
		begin = o.End
	}
	if !put {
		if begin < from {
			add(from, 0)
		}
		add(to, when)
	}
	return out.bound()
}

// bound makes one of the two neighbours whose times differ least, until there are
// few enough.
func (s spans) bound() spans {
	for len(s) > maxSpans {
		best := 1
		for i := 1; i < len(s); i++ {
			if gap(s, i) < gap(s, best) {
				best = i
			}
		}
		s[best].At = min(s[best].At, s[best-1].At)
		s = slices.Delete(s, best-1, best)
	}
	return s
}

func gap(s spans, i int) int64 { return max(s[i].At-s[i-1].At, s[i-1].At-s[i].At) }

// until doubts times that have not come yet: a clock that was wrong said so.
func (s spans) until(now time.Time) spans {
	for i := range s {
		if s[i].At > now.Add(jump).Unix() {
			s[i].At = 0
		}
	}
	return s
}

// from are the spans behind a record.
func (s spans) from(record uint64) spans {
	for i := range s {
		if s[i].End > record {
			return s[i:]
		}
	}
	return nil
}

// oldest is when that part was read which has waited longest; zero: never.
func (s spans) oldest() time.Time {
	if len(s) == 0 {
		return time.Time{}
	}
	at := slices.MinFunc(s, func(a, b span) int { return int(min(max(a.At-b.At, -1), 1)) }).At
	if at == 0 {
		return time.Time{}
	}
	return time.Unix(at, 0).UTC()
}
