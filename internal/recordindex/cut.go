package recordindex

import "bytes"

// idsOfCanonical are the ids of a record whose line is known to be canonical: it parses
// only the members that are ids, a tenth of the work for a common record.
func idsOfCanonical(position uint64, line []byte) []ID {
	if short, ok := cut(line); ok {
		return IDs(position, short)
	}
	return IDs(position, line)
}

// cut leaves of a canonical line the attributes that can be ids; !ok: it cannot
// tell. Members are sorted, so attributes come first.
func cut(line []byte) (short []byte, ok bool) {
	const head, low, high = `{"attributes":{`, `"audit.record.id"`, `"audit.record.original_id"`
	rest, ok := bytes.CutPrefix(line, []byte(head))
	if !ok {
		return nil, len(line) > 0 && line[0] == '{'
	}
	short = append(short, head...)
	for {
		key, value := member(rest)
		switch {
		case value <= key, string(rest[:key]) == `"$dup"`: // There may be more ids.
			return nil, false
		case string(rest[:key]) == low || string(rest[:key]) == high:
			short = append(append(short, rest[:value]...), ',')
		}
		if rest[value] != ',' || string(rest[:key]) >= high {
			break
		}
		rest = rest[value+1:]
	}
	if len(short) == len(head) {
		return nil, true
	}
	return append(short[:len(short)-1], "}}"...), true
}

// member says where the key ends with which b begins, and where its value does; 0
// means that it does not end before b.
func member(b []byte) (key, value int) {
	key = quoted(b)
	if key == 0 || key+1 >= len(b) || b[key] != ':' {
		return 0, 0
	}
	at := key + 1
	switch b[at] {
	case '"':
		value = at + quoted(b[at:])
	case '{', '[':
		value = at + nested(b[at:])
	default:
		value = at + max(bytes.IndexAny(b[at:], ",}"), 0)
	}
	if value == at || value >= len(b) {
		return key, 0
	}
	return key, value
}

// quoted is the length of the string with which b begins.
func quoted(b []byte) int {
	if len(b) == 0 || b[0] != '"' {
		return 0
	}
	for i := 1; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return 0
}

// nested is the length of the map or list with which b begins.
func nested(b []byte) int {
	depth := 0
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '"':
			n := quoted(b[i:])
			if n == 0 {
				return 0
			}
			i += n - 1
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return 0
}
