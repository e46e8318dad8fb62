package record

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"math"
)

// checkDeep says whether text, which is canonical base64, is the protobuf form
// of an array or key-value list that lies at depth (spec §3.5).
func checkDeep(text []byte, depth int) bool {
	b, err := base64.StdEncoding.AppendDecode(nil, text)
	if err != nil || len(b) == 0 || b[0] != tagArray && b[0] != tagKvlist {
		return false
	}
	var k keyOrder
	return k.checkAny(b, depth)
}

// A keyOrder compares keys as they would be emitted.
type keyOrder struct{ a, b []byte }

// checkAny checks that b is an AnyValue at depth.
func (k *keyOrder) checkAny(b []byte, depth int) bool {
	if depth > MaxDepth {
		return false
	}
	if len(b) == 0 {
		return true // no value
	}
	tag, rest := b[0], b[1:]
	switch tag {
	case tagBool, tagInt:
		n, size := minimalVarint(rest)
		return size > 0 && size == len(rest) && (tag == tagInt || n <= 1)
	case tagDouble:
		return len(rest) == 8
	}
	content, rest, ok := cutField(rest)
	if !ok || len(rest) > 0 {
		return false
	}
	switch tag {
	case tagString, tagBytes:
		return true
	case tagArray:
		return k.checkArray(content, depth+1)
	case tagKvlist:
		return k.checkKvlist(content, depth+1)
	}
	return false
}

func (k *keyOrder) checkArray(b []byte, depth int) bool {
	for len(b) > 0 {
		content, rest, ok := cutTagged(b, tagElement)
		if !ok || !k.checkAny(content, depth) {
			return false
		}
		b = rest
	}
	return true
}

func (k *keyOrder) checkKvlist(b []byte, depth int) bool {
	var last []byte
	for first := true; len(b) > 0; first = false {
		content, rest, ok := cutTagged(b, tagElement)
		if !ok {
			return false
		}
		key, value, ok := cutKeyValue(content)
		if !ok || !first && k.compare(last, key) > 0 || !k.checkAny(value, depth) {
			return false
		}
		b, last = rest, key
	}
	return true
}

func (k *keyOrder) compare(a, b []byte) int {
	k.a = appendKey(k.a[:0], string(a), math.MaxInt)
	k.b = appendKey(k.b[:0], string(b), math.MaxInt)
	return bytes.Compare(k.a, k.b)
}

// cutKeyValue takes a KeyValue apart.
func cutKeyValue(b []byte) (key, value []byte, ok bool) {
	if len(b) > 0 && b[0] == tagKey {
		if key, b, ok = cutField(b[1:]); !ok || len(key) == 0 {
			return nil, nil, false
		}
	}
	value, b, ok = cutTagged(b, tagValue)
	return key, value, ok && len(b) == 0
}

// cutTagged cuts a field with this tag off the front of b.
func cutTagged(b []byte, tag byte) (content, rest []byte, ok bool) {
	if len(b) == 0 || b[0] != tag {
		return nil, nil, false
	}
	return cutField(b[1:])
}

// cutField cuts a length and as many bytes off the front of b.
func cutField(b []byte) (content, rest []byte, ok bool) {
	n, size := minimalVarint(b)
	if size == 0 || n > uint64(len(b)-size) {
		return nil, nil, false
	}
	end := size + int(n)
	return b[size:end], b[end:], true
}

// minimalVarint reads a varint that could not be shorter; size is 0 when there
// is none.
func minimalVarint(b []byte) (n uint64, size int) {
	n, size = binary.Uvarint(b)
	if size <= 0 || size > 1 && b[size-1] == 0 {
		return 0, 0
	}
	return n, size
}
