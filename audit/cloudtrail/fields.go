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
	set       [(int(numSlots) + 63) / 64]uint64 // which of spans count
	spans     [numSlots]span
	resources []resource
	full      bool   // resources holds draft.MaxTargets, and there are more
	asked     []item // from lists in requestParameters
	made      []item // from lists in responseElements
	failed    bool   // a result in the response says "Failure"
	omitted   bool   // CloudTrail left something out
	duplicate bool   // a wanted key came twice
}

func (f *fields) reset() {
	f.set = [len(f.set)]uint64{}
	f.resources = f.resources[:0]
	f.asked = f.asked[:0]
	f.made = f.made[:0]
	f.full, f.failed, f.omitted, f.duplicate = false, false, false, false
}

func (f *fields) has(s slot) bool { return f.set[s>>6]>>(s&63)&1 != 0 }

// enter is told of each non-empty object before its members.
func (f *fields) enter(c context) {
	if c != ctxResource {
		return
	}
	if f.full = len(f.resources) == draft.MaxTargets; !f.full {
		f.resources = append(f.resources, resource{})
	}
}

// find looks a key up. A key that was there before counts as unknown, so that
// the first one wins, with all that is in it.
func (f *fields) find(c context, key []byte) (slot, context) {
	s, child := lookup(c, key)
	if s != slotNone && s < numSlots && c != ctxRequestItem && c != ctxResponseItem && f.has(s) {
		f.duplicate = true
		return slotNone, ctxNone
	}
	return s, child
}

// note keeps where the value of a slot lies.
func (s *scanner) note(to slot, c context, start, end int, k jsonscan.Kind) {
	if k == jsonscan.Text || k == jsonscan.Escaped {
		start, end = start+1, end-1
	}
	sp := span{start, end, k}
	switch {
	case to == slotResult:
		s.failed = s.failed || k == jsonscan.Text && string(s.Data[start:end]) == "Failure"
	case to == slotOmitted:
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
		s.set[to>>6] |= 1 << (to & 63)
		s.spans[to] = sp
	}
}

// noteContent notes what is in a value that is written as {"tag":1,"content":"i-0"}. It
// has been read already.
func (s *scanner) noteContent(to slot, start int) {
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
