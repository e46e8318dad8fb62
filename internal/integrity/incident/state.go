package incident

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"time"
)

// Limits of what a book holds. What is beyond them is counted.
const (
	// maxOfLog open incidents of one kind in one log have a place of their own; of
	// what could not be looked at, fewer: an outage has one cause.
	maxOfLog, maxTroubles = 16, 3
	// maxOpen incidents are open, apart from those that stand for others: an
	// attacker can make logs, too.
	maxOpen = 512
	// maxResolved are kept for those who ask what was.
	maxResolved = 256
	// maxEvents are kept for those who follow.
	maxEvents = 1024
	// maxClaims of one incident are told apart. Whatever is beyond them is news to
	// an acknowledgement.
	maxClaims = 1 << 16
	// maxKept is how much evidence is kept in all.
	maxKept = 16 << 20
)

// entry is what a book's file holds: one change.
type entry struct {
	Event    *Event    `json:"event,omitempty"`    // which its followers are told
	Incident *Incident `json:"incident,omitempty"` // a change that they are not told yet
	Told     time.Time `json:"told,omitzero"`      // with Incident: when they were told last
	Untold   bool      `json:"untold,omitempty"`   // with Told: it has changed since
	Claims   []byte    `json:"claims,omitempty"`   // that the incident has beside those in earlier entries
	Past     *Event    `json:"past,omitempty"`     // told before; the incident has gone on since
	Cursor   *cursor   `json:"cursor,omitempty"`
	Seq      uint64    `json:"seq,omitempty"` // event numbers up to here were used
}

// cursor is how far a follower has come.
type cursor struct {
	Name string `json:"name"`
	Seq  uint64 `json:"seq"`
}

// state is what a book knows. It does no I/O and reads no clock: methods that
// decide return the entries that they applied.
type state struct {
	seq     uint64
	byID    map[string]*held
	open    map[string]*held // by cause
	events  []Event          // by number, without evidence
	cursors map[string]uint64
}

// held is an incident and what of it need not outlive the process.
type held struct {
	Incident
	met     time.Time // last in this process; zero: not yet
	told    time.Time // when followers were told last
	untold  bool      // it has changed since
	again   bool      // it was met since
	flapped bool      // it was resolved and came back
	claims  map[claim]struct{}
	fresh   []byte // claims that no entry has
}

func newState() *state {
	return &state{byID: map[string]*held{}, open: map[string]*held{}, cursors: map[string]uint64{}}
}

// apply is the one way in which entries change a state, from a file or new ones.
func (s *state) apply(e entry) {
	s.seq = max(s.seq, e.Seq)
	if e.Cursor != nil {
		s.cursors[e.Cursor.Name] = e.Cursor.Seq
	}
	if e.Past != nil {
		s.enter(*e.Past)
	}
	if e.Incident != nil {
		h := s.hold(*e.Incident, e.Claims)
		if h.untold = true; !e.Told.IsZero() {
			h.told, h.untold = e.Told, e.Untold
		}
	}
	if e.Event != nil {
		h := s.hold(e.Event.Incident, e.Claims)
		h.told, h.untold, h.again = e.Event.At, false, false
		s.enter(*e.Event)
	}
}

// enter keeps an event, without its evidence, for those who follow.
func (s *state) enter(e Event) {
	s.seq = max(s.seq, e.Seq)
	e.Incident.Evidence = nil
	s.events = append(s.events, e)
	if len(s.events) <= maxEvents {
		return
	}
	// What an incident has become is worth more than how.
	i := slices.IndexFunc(s.events, func(e Event) bool { return e.What == Updated })
	if i < 0 {
		i = slices.IndexFunc(s.events, func(e Event) bool { _, known := s.byID[e.Incident.ID]; return !known })
	}
	s.events = slices.Delete(s.events, max(i, 0), max(i, 0)+1)
}

// hold makes an incident what it is now.
func (s *state) hold(i Incident, claims []byte) *held {
	h := s.byID[i.ID]
	if h == nil {
		h = &held{claims: map[claim]struct{}{}}
		s.byID[i.ID] = h
	}
	for c := range slices.Chunk(claims, len(claim{})) {
		if len(c) == len(claim{}) {
			h.claims[claim(c)] = struct{}{}
		}
	}
	if i.Evidence == nil {
		i.Evidence = h.Evidence // later entries leave it out
	}
	h.flapped = h.flapped || !h.Resolved.IsZero() && i.Open()
	h.Incident = i
	if cause := h.Cause(); i.Open() {
		s.open[cause] = h
	} else if s.open[cause] == h {
		delete(s.open, cause)
		h.claims, h.fresh = map[claim]struct{}{}, nil
		s.forget()
	}
	return h
}

// forget drops the resolved incident that ended first when there are too many.
func (s *state) forget() {
	if len(s.byID)-len(s.open) <= maxResolved {
		return
	}
	var oldest *held
	for _, h := range s.byID {
		if !h.Open() && (oldest == nil || h.Resolved.Before(oldest.Resolved)) {
			oldest = h
		}
	}
	if oldest != nil {
		delete(s.byID, oldest.ID)
	}
}

// change makes an incident what it is now, and tells followers or leaves that
// for later.
func (s *state) change(i Incident, what What, now time.Time) entry {
	if what != Opened {
		i.Evidence = nil
	}
	e := entry{Incident: &i}
	if what != "" {
		e = entry{Event: &Event{Seq: s.seq + 1, At: now, What: what, Incident: i}}
	}
	if h := s.byID[i.ID]; h != nil {
		e.Claims, h.fresh = h.fresh, nil
	}
	s.apply(e)
	return e
}

// find is where a finding belongs: its own incident, one that stands for others
// of its kind, or a new one of either sort.
func (s *state) find(f Finding) (h *held, place Place, stands bool) {
	if h := s.open[f.Cause()]; h != nil {
		return h, h.Place, h.More > 0
	}
	all, same := 0, 0
	for _, h := range s.open {
		if h.More > 0 {
			continue
		}
		all++
		if h.Kind == f.Kind && h.Place.Store == f.Place.Store && h.Place.Log == f.Place.Log {
			same++
		}
	}
	place = f.Place
	switch {
	case all >= maxOpen:
		place = Place{Store: f.Place.Store}
	case same >= maxOfLog, same >= maxTroubles && f.Kind.Severity() == Trouble:
		place = Place{Store: f.Place.Store, Log: f.Place.Log}
	default:
		return nil, place, false
	}
	other := Finding{Kind: f.Kind, Place: place}
	return s.open[other.Cause()], place, true
}

// report enters a finding, which is clean.
func (s *state) report(f Finding, met, now time.Time) []entry {
	h, place, stands := s.find(f)
	if h == nil {
		if h = s.lately(Finding{Kind: f.Kind, Place: place}, now); h == nil {
			return s.begin(f, place, stands, met, now)
		}
		stands = h.More > 0
	}
	c := f.claim()
	_, known := h.claims[c]
	if h.Acknowledged != nil && !known {
		return append(s.superseded(h, f, now), s.begin(f, place, stands, met, now)...)
	}
	h.met, h.again, h.Updated = met, true, now
	h.Seen++
	if h.Latest = f.Message; f.Message == h.Message {
		h.Latest = ""
	}
	if !known && h.further(c) {
		h.untold = true // with the next update; not worth a write each
	}
	if h.Absent.IsZero() {
		return nil
	}
	i := h.Incident
	i.Absent, i.Resolved = time.Time{}, time.Time{}
	return []entry{s.change(i, "", now)}
}

// superseded ends an incident that was acknowledged, since something else is met
// in its place: nobody has acknowledged that.
func (s *state) superseded(h *held, f Finding, now time.Time) []entry {
	i := h.Incident
	i.Updated, i.Resolved = now, now
	i.Latest = text("something else is found now, which is another incident: "+f.Message, maxMessage)
	return []entry{s.change(i, Resolved, now)}
}

// lately is an incident of the same cause that ended a moment ago: one that comes
// and goes is one incident. What was acknowledged, or is tampering, does not come
// back.
func (s *state) lately(f Finding, now time.Time) *held {
	if f.Kind.lasting() {
		return nil
	}
	cause := f.Cause()
	for _, h := range s.byID {
		if !h.Open() && h.Acknowledged == nil && now.Sub(h.Resolved) < lately && h.Cause() == cause {
			return h
		}
	}
	return nil
}

// begin opens an incident.
func (s *state) begin(f Finding, place Place, stands bool, met, now time.Time) []entry {
	cause := f.Cause()
	i := Incident{Severity: f.Kind.Severity(), Finding: f, Opened: now, Updated: now, Seen: 1}
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%d\n%d", cause, now.UnixNano(), s.seq))
	i.ID = hex.EncodeToString(sum[:8])
	if stands {
		i.More, i.Place = 1, place
		i.Message = text(fmt.Sprintf("so many places that they are only counted from here on; the first of them: log %s, %s: %s", f.Place.Log, f.Place.Object, f.Message), maxMessage)
	}
	if s.evidence()+size(i.Evidence) > maxKept {
		i.Evidence = []Evidence{{Name: "left out: there are too many incidents"}}
	}
	e := s.change(i, Opened, now)
	h := s.byID[i.ID]
	h.met = met
	h.further(f.claim())
	e.Claims, h.fresh = h.fresh, nil
	return []entry{e}
}

// swept ends what lies in the scope and was not met since.
func (s *state) swept(scope Place, kinds []Kind, gone func(*held) bool, now time.Time) (all []entry) {
	for _, h := range s.sorted() {
		if !h.Open() || !h.Absent.IsZero() || !slices.Contains(kinds, h.Kind) || !scope.covers(&h.Incident) || !gone(h) {
			continue
		}
		all = append(all, s.absent(h, now))
	}
	return all
}

// absent notes that an incident is not met any more. Evidence of tampering does
// not vanish with the object being back: a person has to say that they know.
func (s *state) absent(h *held, now time.Time) entry {
	i := h.Incident
	i.Updated, i.Absent = now, now
	if i.Kind.lasting() && i.Acknowledged == nil {
		return s.change(i, "", now)
	}
	i.Resolved = now
	if h.flapped && now.Sub(h.told) < quiet[i.Severity] && !now.Before(h.told) {
		return s.change(i, "", now)
	}
	return s.change(i, Resolved, now)
}

// covers says whether who looked at the whole scope has looked at the incident.
func (p Place) covers(i *Incident) bool {
	in := func(scope, place string) bool { return scope == "" || scope == place }
	q := i.Place
	if p.Peer != q.Peer { // Who reads stores has not looked at what a peer has seen.
		return false
	}
	if !in(p.Store, q.Store) || !in(p.Log, q.Log) || !in(p.Object, q.Object) || !in(p.Version, q.Version) {
		return false
	}
	if p.First == 0 && p.End == 0 {
		return true
	}
	return i.More == 0 && q.First >= p.First && (p.End == 0 || max(q.End, q.First+1) <= p.End)
}

// acknowledge notes that a person knows of an incident that is open.
func (s *state) acknowledge(h *held, a Acknowledgement) []entry {
	i := h.Incident
	i.Updated, i.Acknowledged = a.At, &a
	all := []entry{s.change(i, Acknowledged, a.At)} // so that all are told who, whatever follows
	if h.Absent.IsZero() {
		return all
	}
	i.Resolved = a.At
	return append(all, s.change(i, Resolved, a.At))
}

// due tells what has waited long enough: changes, and that something is still so.
func (s *state) due(now time.Time) (all []entry) {
	for _, h := range s.sorted() {
		wait := quiet[h.Severity]
		what := Updated
		switch {
		case !h.Open():
			what = Resolved
			if !h.untold {
				continue
			}
		case h.untold:
		case h.Acknowledged != nil || !h.Absent.IsZero() || !h.again:
			continue
		default:
			wait = remind[h.Severity]
		}
		if since := now.Sub(h.told); since >= 0 && since < wait {
			continue
		}
		all = append(all, s.change(h.Incident, what, now))
	}
	return all
}

// sorted are all incidents, in the order in which they were opened.
func (s *state) sorted() []*held {
	return slices.SortedFunc(maps.Values(s.byID), func(a, b *held) int {
		return cmp.Or(a.Opened.Compare(b.Opened), cmp.Compare(a.ID, b.ID))
	})
}

// evidence is how many bytes of it are held.
func (s *state) evidence() (n int) {
	for _, h := range s.byID {
		n += size(h.Evidence)
	}
	return n
}

func size(all []Evidence) (n int) {
	for _, e := range all {
		n += len(e.Bytes)
	}
	return n
}

// entries are what makes the same state again.
func (s *state) entries() (all []entry) {
	all = append(all, entry{Seq: s.seq})
	for _, name := range slices.Sorted(maps.Keys(s.cursors)) {
		all = append(all, entry{Cursor: &cursor{name, s.cursors[name]}})
	}
	for i := range s.events {
		all = append(all, entry{Past: &s.events[i]})
	}
	for _, h := range s.sorted() {
		all = append(all, entry{Incident: &h.Incident, Told: h.told, Untold: h.untold, Claims: h.allClaims()})
	}
	return all
}
