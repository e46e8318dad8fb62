package ocsf

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// A writer writes JSON. Members without a value are left out, and so are objects and
// lists in which there is nothing. An empty key stands for an element of a list.
type writer struct{ b []byte }

// separate writes a comma behind what precedes.
func (w *writer) separate() {
	if last := w.b[len(w.b)-1]; last != '{' && last != '[' {
		w.b = append(w.b, ',')
	}
}

func (w *writer) key(key string) {
	w.separate()
	if key != "" {
		w.b = append(appendText(w.b, key), ':')
	}
}

// text writes a string, and says whether there is one.
func (w *writer) text(key, value string) bool {
	if value == "" {
		return false
	}
	w.key(key)
	w.b = appendText(w.b, value)
	return true
}

func (w *writer) int(key string, n int64) {
	w.key(key)
	w.b = strconv.AppendInt(w.b, n, 10)
}

func (w *writer) bool(key string, value bool) {
	w.key(key)
	w.b = strconv.AppendBool(w.b, value)
}

// object writes an object, and says whether there is anything in it.
func (w *writer) object(key string, members func()) bool { return w.braced(key, "{}", members) }

// list is the same for a list.
func (w *writer) list(key string, elements func()) bool { return w.braced(key, "[]", elements) }

func (w *writer) braced(key, braces string, content func()) bool {
	start := len(w.b)
	w.key(key)
	w.b = append(w.b, braces[0])
	n := len(w.b)
	content()
	if len(w.b) == n {
		w.b = w.b[:start]
		return false
	}
	w.b = append(w.b, braces[1])
	return true
}

// mark stands for a byte that is not UTF-8, in front of its hex digits; one in the text
// itself is doubled (docs/spec, §3.2).
const mark = `\u001a`

// appendText appends a JSON string that holds nothing but printable characters, and of
// which the text can be told exactly.
func appendText(dst []byte, s string) []byte {
	dst = append(dst, '"')
	for len(s) > 0 {
		if n := plain(s); n > 0 {
			dst, s = append(dst, s[:n]...), s[n:]
			continue
		}
		r, n := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && n == 1:
			dst = hex.AppendEncode(append(dst, mark...), []byte{s[0]})
		case r == 0x1a:
			dst = append(dst, mark+mark...)
		case r == '"' || r == '\\':
			dst = append(dst, '\\', byte(r))
		case steers(r):
			dst = appendEscape(dst, r)
		default:
			dst = append(dst, s[:n]...)
		}
		s = s[n:]
	}
	return append(dst, '"')
}

// plain is how many bytes at the beginning stand for themselves.
func plain(s string) int {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < ' ' || c >= 0x7f || c == '"' || c == '\\' {
			return i
		}
	}
	return len(s)
}

// steers says whether a terminal acts upon a character, or it changes the order in which
// text is read.
func steers(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029'
}

// appendSafe appends JSON with the same meaning and nothing that steers: such characters
// stand in strings only.
func appendSafe(dst, json []byte) []byte {
	for _, r := range string(json) {
		if steers(r) {
			dst = appendEscape(dst, r)
		} else {
			dst = utf8.AppendRune(dst, r)
		}
	}
	return dst
}

func appendEscape(dst []byte, r rune) []byte {
	if high, low := utf16.EncodeRune(r); r > 0xFFFF {
		return fmt.Appendf(dst, `\u%04x\u%04x`, high, low)
	}
	return fmt.Appendf(dst, `\u%04x`, r)
}
