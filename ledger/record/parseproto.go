package record

import "encoding/binary"

// parseAny reads an AnyValue at depth in the form of spec §3.5. It relies on
// checkAny for the form, not for its own safety.
func parseAny(b []byte, depth int) (v Value, ok bool) {
	if len(b) == 0 {
		return Value{}, true
	}
	if depth > MaxDepth {
		return Value{}, false
	}
	tag, b := b[0], b[1:]
	switch tag {
	case tagBool, tagInt:
		n, size := minimalVarint(b)
		kind := Int
		if tag == tagBool {
			kind = Bool
		}
		return Value{Kind: kind, Num: n}, size > 0
	case tagDouble:
		if len(b) != 8 {
			return Value{}, false
		}
		return Value{Kind: Double, Num: binary.LittleEndian.Uint64(b)}, true
	}
	content, _, ok := cutField(b)
	if !ok {
		return Value{}, false
	}
	switch tag {
	case tagString:
		return Value{Kind: String, Str: string(content)}, true
	case tagBytes:
		return Value{Kind: Bytes, Str: string(content)}, true
	case tagArray:
		return parseArray(content, depth+1)
	case tagKvlist:
		return parseKvlist(content, depth+1)
	}
	return Value{}, false
}

func parseArray(b []byte, depth int) (v Value, ok bool) {
	v.Kind = List
	for len(b) > 0 {
		content, rest, ok := cutTagged(b, tagElement)
		if !ok {
			return v, false
		}
		element, ok := parseAny(content, depth)
		if !ok {
			return v, false
		}
		v.List, b = append(v.List, element), rest
	}
	return v, true
}

func parseKvlist(b []byte, depth int) (v Value, ok bool) {
	v.Kind = Map
	for len(b) > 0 {
		content, rest, ok := cutTagged(b, tagElement)
		if !ok {
			return v, false
		}
		key, value, ok := cutKeyValue(content)
		if !ok {
			return v, false
		}
		entry, ok := parseAny(value, depth)
		if !ok {
			return v, false
		}
		v.Map, b = append(v.Map, KeyValue{Key: string(key), Value: entry}), rest
	}
	return v, true
}
