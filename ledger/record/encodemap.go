package record

import (
	"bytes"
	"cmp"
	"slices"
)

// An entry is one entry of a map in the course of sorting.
type entry struct {
	lo, hi int // its emitted key in Encoder.keys
	at     int // its index in the order of arrival
}

// dupName is the emitted key of the member that holds what repeated keys hold
// beyond their first occurrence. No natural key is emitted like this.
const dupName = "$dup"

// appendMap appends a key-value list whose values lie at depth (spec §3.4).
func (e *Encoder) appendMap(dst []byte, kvs []KeyValue, depth int) []byte {
	if len(kvs) == 0 {
		return append(dst, "{}"...)
	}
	base := len(e.order)
	if !e.pushOrder(kvs) {
		return e.appendAnyMap(dst, kvs, depth)
	}
	// The common case: all keys are plain, so that they stand as they are and
	// sort as they are, and differ.
	start := len(dst)
	dst = append(dst, '{')
	for i := range kvs {
		kv := &kvs[e.order[base+i]]
		dst = append(dst, '"')
		dst = append(dst, kv.Key...)
		dst = append(dst, `":`...)
		dst = append(e.appendValue(dst, &kv.Value, depth), ',')
		if e.full(dst, start) {
			break
		}
	}
	e.order = e.order[:base]
	return closeWith(dst, '}')
}

// appendAnyMap does what appendMap does, whatever the keys are.
func (e *Encoder) appendAnyMap(dst []byte, kvs []KeyValue, depth int) []byte {
	base, keys := e.pushEntries(kvs, MaxLine)
	end := len(e.spans)
	start := len(dst)
	dst = append(dst, '{')
	dups := e.hasDuplicates(base, end)
	for i := base; i < end && !e.full(dst, start); i++ {
		s := e.spans[i]
		if i > base && e.sameKey(i-1, i) {
			continue // in $dup
		}
		if dups && string(e.keys[s.lo:s.hi]) > dupName {
			dst = e.appendDuplicates(dst, kvs, base, end, depth)
			dups = false
		}
		dst = e.appendEmitted(dst, s)
		dst = append(dst, ':')
		dst = append(e.appendValue(dst, &kvs[s.at].Value, depth), ',')
	}
	if dups {
		dst = e.appendDuplicates(dst, kvs, base, end, depth)
	}
	e.spans, e.keys = e.spans[:base], e.keys[:keys]
	return closeWith(dst, '}')
}

// appendDuplicates appends the member "$dup": what e.spans[base:end] holds
// beyond the first entry of each key.
func (e *Encoder) appendDuplicates(dst []byte, kvs []KeyValue, base, end, depth int) []byte {
	start := len(dst)
	dst = append(dst, `"$dup":[`...)
	for i := base + 1; i < end && !e.full(dst, start); i++ {
		if !e.sameKey(i-1, i) {
			continue
		}
		s := e.spans[i]
		dst = append(dst, '[')
		dst = e.appendEmitted(dst, s)
		dst = append(dst, ',')
		dst = append(e.appendValue(dst, &kvs[s.at].Value, depth), `],`...)
	}
	return append(closeWith(dst, ']'), ',')
}

func (e *Encoder) appendEmitted(dst []byte, s entry) []byte {
	dst = append(dst, '"')
	dst = append(dst, e.keys[s.lo:s.hi]...)
	return append(dst, '"')
}

// pushEntries puts the entries of kvs on the stack, by emitted key and then by
// arrival. It returns where the entries and their keys begin. It fails when the
// emitted keys have more than most bytes.
func (e *Encoder) pushEntries(kvs []KeyValue, most int) (base, keys int) {
	base, keys = len(e.spans), len(e.keys)
	for i := range kvs {
		lo := len(e.keys)
		e.keys = appendKey(e.keys, kvs[i].Key, most)
		e.spans = append(e.spans, entry{lo: lo, hi: len(e.keys), at: i})
		if len(e.keys)-keys > most {
			e.fail(ErrTooLong)
			break
		}
	}
	slices.SortFunc(e.spans[base:], func(a, b entry) int {
		if c := bytes.Compare(e.keys[a.lo:a.hi], e.keys[b.lo:b.hi]); c != 0 {
			return c
		}
		return cmp.Compare(a.at, b.at)
	})
	return base, keys
}

func (e *Encoder) sameKey(i, j int) bool {
	a, b := e.spans[i], e.spans[j]
	return bytes.Equal(e.keys[a.lo:a.hi], e.keys[b.lo:b.hi])
}

func (e *Encoder) hasDuplicates(base, end int) bool {
	for i := base + 1; i < end; i++ {
		if e.sameKey(i-1, i) {
			return true
		}
	}
	return false
}
