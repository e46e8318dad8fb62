package awsnotify

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// decode reads JSON with exact keys. A key that comes twice is refused wherever it
// stands: readers disagree about which one counts, and a signature covers only one.
func decode(body []byte) (any, error) {
	if !utf8.Valid(body) {
		return nil, errors.New("found bytes that are not UTF-8")
	}
	if !json.Valid(body) {
		return nil, errors.New("found text that is not JSON")
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	return value(dec, 0)
}

func value(dec *json.Decoder, depth int) (any, error) {
	token, err := dec.Token()
	if err != nil {
		return nil, err
	}
	if depth > maxDepth {
		return nil, fmt.Errorf("found JSON nested deeper than %d levels", maxDepth)
	}
	switch token {
	case json.Delim('{'):
		return object(dec, depth)
	case json.Delim('['):
		return list(dec, depth)
	}
	return token, nil
}

func object(dec *json.Decoder, depth int) (any, error) {
	members := map[string]any{}
	for dec.More() {
		token, err := dec.Token()
		if err != nil {
			return nil, err
		}
		key, _ := token.(string) // The syntax has been checked.
		if _, twice := members[key]; twice {
			return nil, fmt.Errorf("found the key %s twice in one JSON object", shown(key))
		}
		if members[key], err = value(dec, depth+1); err != nil {
			return nil, err
		}
	}
	_, err := dec.Token()
	return members, err
}

func list(dec *json.Decoder, depth int) (any, error) {
	var all []any
	for dec.More() {
		v, err := value(dec, depth+1)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	_, err := dec.Token()
	return all, err
}

// fields reads members of one JSON object. The first fault stays in err, and all that
// is read after it is empty.
type fields struct {
	shape   string
	path    string
	members map[string]any
	err     *error
}

func newFields(shape string, members map[string]any) fields {
	return fields{shape: shape, members: members, err: new(error)}
}

func (f fields) name(key string) string {
	if f.path == "" {
		return key
	}
	return f.path + "." + key
}

func (f fields) fail(key, reason string) {
	if *f.err == nil {
		*f.err = &FormatError{Shape: f.shape, Path: f.name(key), Reason: reason}
	}
}

// has says whether a member is there and not null.
func (f fields) has(key string) bool { return f.members[key] != nil }

// optional reads a text; "" if it is missing or null.
func (f fields) optional(key string) string {
	v := f.members[key]
	if v == nil {
		return ""
	}
	text, ok := v.(string)
	if !ok {
		f.fail(key, "must be a text, found "+typeName(v))
	}
	return text
}

// text reads a text that must be there.
func (f fields) text(key string) string {
	text := f.optional(key)
	if text == "" {
		f.fail(key, "missing or empty")
	}
	return text
}

// object reads an object that must be there; an empty one after a fault.
func (f fields) object(key string) fields {
	members, ok := f.members[key].(map[string]any)
	if !ok {
		f.fail(key, "must be a JSON object, found "+typeName(f.members[key]))
	}
	return fields{shape: f.shape, path: f.name(key), members: members, err: f.err}
}

// list reads a list with at least one and at most [MaxObjects] elements.
func (f fields) list(key string) []any {
	all, ok := f.members[key].([]any)
	switch {
	case !ok && f.members[key] != nil:
		f.fail(key, "must be a list, found "+typeName(f.members[key]))
	case len(all) == 0:
		f.fail(key, "missing or empty: it names no object")
	case len(all) > MaxObjects:
		f.fail(key, fmt.Sprintf("has %d elements, at most %d are taken", len(all), MaxObjects))
		return nil
	}
	return all
}

// size reads a number of bytes; -1 if it is missing.
func (f fields) size(key string) int64 {
	v := f.members[key]
	if v == nil {
		return -1
	}
	number, _ := v.(json.Number)
	n, err := strconv.ParseInt(number.String(), 10, 64)
	if err != nil || n < 0 {
		f.fail(key, "must be a whole number of bytes")
		return -1
	}
	return n
}

// time reads an RFC 3339 time that must be there. Emulators leave the zone out; it is UTC.
func (f fields) time(key string) time.Time {
	text := f.text(key)
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t, err = time.Parse("2006-01-02T15:04:05", text)
	}
	if err != nil {
		f.fail(key, "must be a time as in RFC 3339, found "+shown(text))
	}
	return t.UTC()
}

// isKey checks what shall be an object's key. A key is UTF-8; U+FFFD stands where a
// JSON text had half a character.
func (f fields) isKey(member, key string) string {
	if key == "" || !utf8.ValidString(key) || strings.ContainsRune(key, utf8.RuneError) {
		f.fail(member, "must be an object's key in UTF-8, found "+shown(key))
	}
	return key
}
