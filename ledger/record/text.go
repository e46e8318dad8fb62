package record

import (
	"encoding/binary"
	"math/bits"
	"slices"
	"unicode/utf8"
)

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080

	hexDigits = "0123456789abcdef"

	// mark is how U+001A is written: before itself when it is real, and before
	// two hex digits when it stands for a byte that is not UTF-8 (spec §3.2).
	mark = `\u001a`
)

// special marks, by the high bit of its lowest set byte, the first of eight
// characters that is not written as itself or needs a look: `"`, `\`, C0
// controls, and bytes from 0x80. Marks above the first may be false.
func special(x uint64) uint64 {
	quote := x ^ '"'*ones
	slash := x ^ '\\'*ones
	return (x | (x - 0x20*ones) | (quote - ones) | (slash - ones)) & highs
}

func load8(s string, i int) uint64 {
	s = s[i : i+8]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

// shortEscape holds the letter after the backslash of two-byte escapes.
var shortEscape = [256]byte{
	'"': '"', '\\': '\\', '\b': 'b', '\t': 't', '\n': 'n', '\f': 'f', '\r': 'r',
}

// isPlain says whether s is written as it stands, as text and as a key.
func isPlain(s string) bool {
	if len(s) > 0 && s[0] == '$' {
		return false
	}
	i := 0
	for ; i+8 <= len(s); i += 8 {
		if special(load8(s, i)) != 0 {
			return false
		}
	}
	for ; i < len(s); i++ {
		if c := s[i]; c < 0x20 || c >= 0x80 || shortEscape[c] != 0 {
			return false
		}
	}
	return true
}

// appendText appends s as a JSON string (spec §3.2).
func appendText(dst []byte, s string) []byte {
	dst = append(dst, '"')
	dst = appendEscaped(dst, s, MaxLine)
	return append(dst, '"')
}

// appendKey appends the emitted form of key, without quotation marks (spec §3.4).
// It stops as appendEscaped does.
func appendKey(dst []byte, key string, most int) []byte {
	if len(key) > 0 && key[0] == '$' {
		dst = append(dst, '$')
	}
	return appendEscaped(dst, key, most)
}

// appendEscaped appends s without quotation marks. When that takes more than
// most bytes it may stop early, with more than most bytes appended.
func appendEscaped(dst []byte, s string, most int) []byte {
	n, start := len(dst), len(dst)
	// Room for the longest escape behind every store of eight bytes.
	const room = 24
	dst = slices.Grow(dst, len(s)+room)
	buf := dst[:cap(dst)]
	i := 0
	for i < len(s) {
		if n+room > len(buf) {
			if n-start > most {
				break
			}
			dst = slices.Grow(buf[:n], len(s)-i+len(s)/8+room)
			buf = dst[:cap(dst)]
		}
		if i+8 <= len(s) {
			x := load8(s, i)
			binary.LittleEndian.PutUint64(buf[n:], x)
			m := special(x)
			if m == 0 {
				i, n = i+8, n+8
				continue
			}
			k := bits.TrailingZeros64(m) >> 3
			i, n = i+k, n+k
		}
		c := s[i]
		if e := shortEscape[c]; e != 0 {
			buf[n], buf[n+1] = '\\', e
			i, n = i+1, n+2
			continue
		}
		if c >= 0x20 && c < utf8.RuneSelf {
			buf[n] = c
			i, n = i+1, n+1
			continue
		}
		width, size := putRare(buf[n:], s[i:])
		i, n = i+size, n+width
	}
	return buf[:n]
}

// putRare writes the first character of s, which is a control without a short
// escape or not ASCII. It returns the bytes written, 12 at most, and the bytes
// of s used.
func putRare(b []byte, s string) (width, size int) {
	c := s[0]
	switch {
	case c == 0x1a:
		return copy(b, mark+mark), 1
	case c < 0x20:
		width = copy(b, `\u00`)
		b[width], b[width+1] = hexDigits[c>>4], hexDigits[c&15]
		return width + 2, 1
	}
	if r, size := utf8.DecodeRuneInString(s); r != utf8.RuneError || size > 1 {
		return copy(b, s[:size]), size
	}
	width = copy(b, mark)
	b[width], b[width+1] = hexDigits[c>>4], hexDigits[c&15]
	return width + 2, 1
}
