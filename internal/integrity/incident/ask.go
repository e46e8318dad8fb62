package incident

import "slices"

// A State is that of an incident.
type State string

// The states. An incident is open until its cause is gone and, if it is evidence
// of tampering, a person has acknowledged it.
const (
	StateOpen     State = "open"
	StateResolved State = "resolved"
)

// A Filter chooses incidents. Zero members choose all.
type Filter struct {
	State State
	Least Severity // and those above
	Store string
	Log   string
	Kind  Kind
}

func (f *Filter) takes(i *Incident) bool {
	return (f.State == "" || (f.State == StateOpen) == i.Open()) && i.Severity >= f.Least &&
		(f.Store == "" || f.Store == i.Place.Store) && (f.Log == "" || f.Log == i.Place.Log) &&
		(f.Kind == "" || f.Kind == i.Kind)
}

// Incidents are those that the filter chooses, the newest first. The caller does
// not change their evidence.
func (b *Book) Incidents(f Filter) []Incident {
	b.mu.Lock()
	defer b.mu.Unlock()
	var all []Incident
	for _, h := range b.state.sorted() {
		if f.takes(&h.Incident) {
			all = append(all, h.Incident)
		}
	}
	slices.Reverse(all)
	return all
}

// Incident is the one of that id.
func (b *Book) Incident(id string) (Incident, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	h := b.state.byID[id]
	if h == nil {
		return Incident{}, false
	}
	return h.Incident, true
}

// Worst is the greatest severity among incidents that are open and that nobody
// has acknowledged, and how many have it. Without any it is 0.
func (b *Book) Worst() (worst Severity, n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, h := range b.state.open {
		switch {
		case h.Acknowledged != nil || h.Severity < worst:
		case h.Severity > worst:
			worst, n = h.Severity, 1
		default:
			n++
		}
	}
	return worst, n
}

// Err is the error of the last write to the book's disk; nil: all is durable.
func (b *Book) Err() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.err
}

// Events are those behind a number, at most so many, oldest first. Only those
// that open an incident have its evidence. A book keeps the last events, and
// drops updates first.
func (b *Book) Events(after uint64, most int) []Event {
	b.mu.Lock()
	defer b.mu.Unlock()
	i, _ := slices.BinarySearchFunc(b.state.events, after+1, func(e Event, seq uint64) int {
		if e.Seq < seq {
			return -1
		}
		return 1
	})
	var all []Event
	for _, e := range b.state.events[i:] {
		if len(all) == most {
			break
		}
		if h := b.state.byID[e.Incident.ID]; h != nil && e.What == Opened {
			e.Incident.Evidence = h.Evidence
		}
		all = append(all, e)
	}
	return all
}

// Cursor is the number that a follower advanced to; 0: never.
func (b *Book) Cursor(name string) uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.state.cursors[name]
}

// Follow returns a channel that is sent to when there are new events, until stop
// is called. One signal can stand for many events, and some for none.
func (b *Book) Follow() (wake <-chan struct{}, stop func()) {
	c := make(chan struct{}, 1)
	c <- struct{}{} // there may be events already
	b.mu.Lock()
	defer b.mu.Unlock()
	b.wake = append(b.wake, c)
	return c, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.wake = slices.DeleteFunc(b.wake, func(x chan struct{}) bool { return x == c })
	}
}
