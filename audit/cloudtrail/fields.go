package cloudtrail

import (
	"github.com/otelcol-custody/custody/audit/internal/draft"
	"github.com/otelcol-custody/custody/audit/internal/jsonscan"
)

// A context is the kind of object that the scanner is in: it decides which
// keys mean something there. Keys are compared exactly, case and all.
type context uint8

const (
	ctxNone context = iota // nothing in here is wanted
	ctxEvent
	ctxIdentity
	ctxOnBehalfOf
	ctxDelegate
	ctxScope
	ctxSession
	ctxSessionAttributes
	ctxIssuer
	ctxWebIdentity
	ctxRequest
	ctxRequestBody
	ctxRequestSet
	ctxRequestItems // a list
	ctxRequestItem
	ctxResponse
	ctxAnswer // what wraps all of a response
	ctxMade   // what was made
	ctxResponseSet
	ctxResponseItems // a list
	ctxResponseItem
	ctxAdditional
	ctxDetails
	ctxResources // a list
	ctxResource
	ctxTLS
	ctxAddendum
	ctxInsight
	ctxWindow
	ctxPacked
)

// element is the context of the values in a list.
func (c context) element() context {
	switch c {
	case ctxRequestItems:
		return ctxRequestItem
	case ctxResponseItems:
		return ctxResponseItem
	case ctxResources:
		return ctxResource
	}
	return ctxNone
}

// A span is where a value lies in the scanner's data.
type span struct {
	start, end int
	kind       jsonscan.Kind
}

// A resource is one element of an event's resources.
type resource struct {
	arn, prefix, typ, account span
}

// An item is an identifier found in a list of a request or a response.
type item struct {
	slot slot
	span span
}

// fields is what the scanner noted of one event.
type fields struct {
	set       slotSet // whose keys were met
	inItem    slotSet // whose keys were met in this element of a list
	spans     [numSlots]span
	inSet     bool // whether the items of this set were met
	wrappers  []wrapper
	resources []resource
	full      bool   // resources holds draft.MaxTargets, and there are more
	asked     []item // from lists in requestParameters
	made      []item // from lists in responseElements
	failed    bool   // a result in the response says "Failure"
	omitted   bool   // CloudTrail left something out
	duplicate bool   // a wanted key came twice
}

func (f *fields) reset() {
	f.set = slotSet{}
	f.wrappers = f.wrappers[:0]
	f.resources = f.resources[:0]
	f.asked = f.asked[:0]
	f.made = f.made[:0]
	f.full, f.failed, f.omitted, f.duplicate = false, false, false, false
}

// A slotSet holds slots.
type slotSet [(int(slotsInTotal) + 63) / 64]uint64

func (s *slotSet) has(x slot) bool { return s[x>>6]>>(x&63)&1 != 0 }
func (s *slotSet) add(x slot)      { s[x>>6] |= 1 << (x & 63) }

func (f *fields) has(s slot) bool { return f.set.has(s) }

// enter is told of each non-empty object before its members.
func (f *fields) enter(c context) {
	switch c {
	case ctxRequestSet, ctxResponseSet:
		f.inSet = false
	case ctxRequestItem, ctxResponseItem:
		f.inItem = slotSet{}
	case ctxResource:
		f.enterResource()
	}
}

func (f *fields) enterResource() {
	if f.full = len(f.resources) == draft.MaxTargets; !f.full {
		f.resources = append(f.resources, resource{})
	}
}

// find looks a key up. A key that was there before counts as unknown, so that
// the first one wins, with all that is in it.
func (f *fields) find(c context, key []byte) (slot, context) {
	to, child := lookup(c, key)
	switch {
	case to == slotNone:
		if child != ctxNone && !f.wraps(wrapper{c, child, key}) {
			return slotNone, ctxNone
		}
		return slotNone, child
	case to > numSlots && to < slotOmitted:
		return to, child // noteResource sees to it
	}
	met := &f.set
	if c == ctxRequestItem || c == ctxResponseItem {
		met = &f.inItem
	}
	if met.has(to) {
		f.duplicate = true
		return slotNone, ctxNone
	}
	met.add(to)
	return to, child
}

// A wrapper is a key that is no field but has fields in it.
type wrapper struct {
	in, child context
	key       []byte
}

// maxWrappers bounds how many wrappers of an event are told apart. What is in others is
// not looked at.
const maxWrappers = 16

// wraps notes a wrapper, and says whether what is in it counts: not if the key occurs
// twice, or if something that was made has been found already.
func (f *fields) wraps(w wrapper) bool {
	if w.in == ctxRequestSet || w.in == ctxResponseSet {
		again := f.inSet
		f.inSet, f.duplicate = true, f.duplicate || again
		return !again
	}
	for _, other := range f.wrappers {
		if other.in == w.in && string(other.key) == string(w.key) {
			f.duplicate = true
			return false
		}
		if other.child == ctxMade && w.child == ctxMade {
			return false
		}
	}
	if len(f.wrappers) == maxWrappers {
		return false
	}
	f.wrappers = append(f.wrappers, w)
	return true
}

// note keeps where the value of a slot lies.
func (s *scanner) note(to slot, c context, start, end int, k jsonscan.Kind) {
	if k == jsonscan.Text || k == jsonscan.Escaped {
		start, end = start+1, end-1
	}
	sp := span{start, end, k}
	switch {
	case to >= slotResult:
		s.failed = s.failed || k == jsonscan.Text && string(s.Data[start:end]) == "Failure"
	case to >= slotOmitted:
		s.omitted = s.omitted || k == jsonscan.True
	case to > numSlots:
		s.noteResource(to, sp)
	case c == ctxRequestBody && k == jsonscan.Object:
		s.noteContent(to, start)
	case c == ctxRequestItem:
		s.asked = appendItem(s.asked, to, sp)
	case c == ctxResponseItem:
		s.made = appendItem(s.made, to, sp)
	default:
		s.spans[to] = sp
	}
}

// noteContent notes what is in a value that is written as {"tag":1,"content":"i-0"}. It
// has been read already.
func (s *scanner) noteContent(to slot, start int) {
	s.spans[to] = span{}
	in := jsonscan.Scanner{Data: s.Data, Pos: start}
	for more := in.Open('}'); more; {
		key, _, err := in.Key()
		if err != nil {
			return
		}
		if string(key) == "content" {
			at := in.Pos
			if k, err := in.Scalar(); err == nil {
				s.note(to, ctxNone, at, in.Pos, k)
			}
			return
		}
		if in.Skip() != nil {
			return
		}
		if more, err = in.Next('}'); err != nil {
			return
		}
	}
}

func appendItem(items []item, s slot, sp span) []item {
	if len(items) == draft.MaxTargets || sp.kind != jsonscan.Text && sp.kind != jsonscan.Escaped {
		return items
	}
	return append(items, item{s, sp})
}

func (s *scanner) noteResource(to slot, sp span) {
	if s.full || len(s.resources) == 0 {
		return
	}
	r := &s.resources[len(s.resources)-1]
	var field *span
	switch to {
	case slotResourceARN:
		field = &r.arn
	case slotResourcePrefix:
		field = &r.prefix
	case slotResourceType:
		field = &r.typ
	case slotResourceAccount:
		field = &r.account
	default:
		return
	}
	if field.kind != jsonscan.None {
		s.duplicate = true
		return
	}
	*field = sp
}
