package jsonscan

import (
	"bytes"
	"unicode/utf8"
)

func hexDigit(c byte) (rune, bool) {
	switch {
	case c >= '0' && c <= '9':
		return rune(c - '0'), true
	case c >= 'a' && c <= 'f':
		return rune(c-'a') + 10, true
	case c >= 'A' && c <= 'F':
		return rune(c-'A') + 10, true
	}
	return 0, false
}

// Unescape appends the string that raw stands for: raw is what lies between
// the quotes of a string that the scanner accepted. It loses nothing: bytes
// that are not UTF-8 stay, and a lone surrogate becomes the three bytes of
// its generalised UTF-8 form (ED A0..BF xx), which no valid string contains.
func Unescape(dst, raw []byte) []byte {
	for i := 0; i < len(raw); {
		if raw[i] != '\\' {
			plain := bytes.IndexByte(raw[i:], '\\')
			if plain < 0 {
				return append(dst, raw[i:]...)
			}
			dst = append(dst, raw[i:i+plain]...)
			i += plain
		}
		if raw[i+1] != 'u' {
			dst = append(dst, shortEscape(raw[i+1]))
			i += 2
			continue
		}
		r := hexRune(raw[i+2:])
		i += 6
		if isHigh(r) && i+6 <= len(raw) && raw[i] == '\\' && raw[i+1] == 'u' {
			if low := hexRune(raw[i+2:]); isLow(low) {
				r = (r-0xd800)<<10 | (low - 0xdc00) + 0x10000
				i += 6
			}
		}
		dst = appendRune(dst, r)
	}
	return dst
}

func shortEscape(c byte) byte {
	switch c {
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	}
	return c // a quote, a backslash or a slash
}

func hexRune(b []byte) rune {
	var r rune
	for _, c := range b[:4] {
		d, _ := hexDigit(c)
		r = r<<4 | d
	}
	return r
}

func isHigh(r rune) bool { return r >= 0xd800 && r < 0xdc00 }
func isLow(r rune) bool  { return r >= 0xdc00 && r < 0xe000 }

func appendRune(dst []byte, r rune) []byte {
	if isHigh(r) || isLow(r) {
		return append(dst, 0xe0|byte(r>>12), 0x80|byte(r>>6)&0x3f, 0x80|byte(r)&0x3f)
	}
	return utf8.AppendRune(dst, r)
}

// Unquote takes a text that is a JSON string out of its quotes; any other text it
// returns as it is.
func Unquote(text string) string {
	s := Scanner{Data: []byte(text)}
	if s.Peek() != '"' {
		return text
	}
	if _, err := s.ReadString(); err != nil || s.Pos != len(text) {
		return text
	}
	return string(Unescape(nil, s.Data[1:s.Pos-1]))
}
