// Package incident keeps what was found, durably: one [Incident] for each cause,
// however often and in however many places it is met, from its opening to its
// end. It tells those who follow it without storms.
package incident

import (
	"crypto/sha256"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// A Place says where something was found. Members that say nothing are zero.
type Place struct {
	Store   string  `json:"store,omitempty"`
	Log     string  `json:"log,omitempty"`
	Peer    string  `json:"peer,omitempty"`    // who says so, of what a peer has seen
	Object  string  `json:"object,omitempty"`  // name within the store
	Version string  `json:"version,omitempty"` // of the object
	First   uint64  `json:"first,omitempty"`   // first record of the segment concerned
	End     uint64  `json:"end,omitempty"`     // behind its last record; 0 when not known
	Record  *uint64 `json:"record,omitempty"`  // the first record that is touched, when it can be told
}

// A Finding is one thing that was found once.
type Finding struct {
	Kind     Kind       `json:"kind"`
	Place    Place      `json:"place"`
	Message  string     `json:"message"`
	Want     string     `json:"want,omitempty"`
	Got      string     `json:"got,omitempty"`
	Evidence []Evidence `json:"evidence,omitempty"`
}

// Evidence is what convinces a stranger, such as a signed head.
type Evidence struct {
	Name  string `json:"name"`
	Bytes []byte `json:"bytes"`
}

// Cause is what makes two findings one incident: the kind, the store, the log,
// the peer and the object, if there are. It is printable and of bounded length.
func (f *Finding) Cause() string {
	p := f.clean().Place
	return fmt.Sprintf("%s %q %q %q %q", f.Kind, p.Store, p.Log, p.Peer, p.Object)
}

// An Incident is a cause that was met.
type Incident struct {
	ID       string    `json:"id"`
	Severity Severity  `json:"severity"`
	Finding            // as it was met first
	Opened   time.Time `json:"opened"`
	Updated  time.Time `json:"updated"` // when it was last met or changed
	// Absent is since when those who looked did not meet it any more; zero: it was
	// there when they last looked.
	Absent time.Time `json:"absent,omitzero"`
	// Resolved is when it ended; zero: it is open. Tampering ends only once it was
	// acknowledged, and is absent or something else is met in its place.
	Resolved time.Time `json:"resolved,omitzero"`
	Seen     int       `json:"seen"`             // how often it was met
	Latest   string    `json:"latest,omitempty"` // the message when it was last met, if it is another
	// More counts further places, and others of what lies there, that have no
	// incident of their own, since there are too many of this kind.
	More         uint64           `json:"more,omitempty"`
	Acknowledged *Acknowledgement `json:"acknowledged,omitempty"`
}

// Open says that it has not ended.
func (i *Incident) Open() bool { return i.Resolved.IsZero() }

// An Acknowledgement says that a person knows.
type Acknowledgement struct {
	Who string    `json:"who"`
	Why string    `json:"why"`
	At  time.Time `json:"at"`
}

// What happened to an incident.
type What string

// All that can happen.
const (
	Opened       What = "opened"
	Updated      What = "updated"
	Acknowledged What = "acknowledged"
	Resolved     What = "resolved"
)

// An Event tells those who follow the book of a change.
type Event struct {
	Seq      uint64    `json:"seq"` // rises; numbers may be left out
	At       time.Time `json:"at"`
	What     What      `json:"what"`
	Incident Incident  `json:"incident"` // as it was then
}

// Limits of what is kept of a finding: names and messages quote what an attacker
// chose.
const (
	maxName     = 1 << 10
	maxMessage  = 4 << 10
	maxEvidence = 64 << 10 // ledger.MaxCheckpoint
	maxItems    = 4
)

// clean bounds a finding and makes it valid UTF-8, so that it reads back from a
// file as it went in.
func (f *Finding) clean() Finding {
	c := *f
	c.Kind = Kind(text(string(f.Kind), 64))
	for _, s := range []*string{&c.Place.Store, &c.Place.Log, &c.Place.Peer, &c.Place.Object, &c.Place.Version} {
		*s = text(*s, maxName)
	}
	for _, s := range []*string{&c.Message, &c.Want, &c.Got} {
		*s = text(*s, maxMessage)
	}
	c.Evidence = nil
	for _, e := range f.Evidence[:min(len(f.Evidence), maxItems)] {
		e.Name = text(e.Name, maxName)
		if len(e.Bytes) > maxEvidence {
			e.Name, e.Bytes = e.Name+" (its beginning)", e.Bytes[:maxEvidence]
		}
		c.Evidence = append(c.Evidence, e)
	}
	return c
}

// text is s, quoted if it is not UTF-8, and cut behind limit bytes. What is cut
// off is named by its hash, so that different texts stay different.
func text(s string, limit int) string {
	if !utf8.ValidString(s) {
		s = strings.Trim(strconv.QuoteToASCII(s), `"`)
	}
	if len(s) <= limit {
		return s
	}
	return strings.ToValidUTF8(s[:limit], "") + fmt.Sprintf("… (%d bytes, SHA-256 %x)", len(s), sha256.Sum256([]byte(s)))
}
