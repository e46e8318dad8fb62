package record

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
)

// Faults of text.
const (
	faultOpenText  = "text does not end"
	faultControl   = "control character is not escaped"
	faultEscape    = "escape is not the canonical one for its character"
	faultUTF8      = "text is not UTF-8"
	faultMark      = "U+001A is followed neither by itself nor by a byte from 80 to ff"
	faultMarkValid = "bytes behind U+001A are valid UTF-8"
)

// scanText walks over the text that begins at b[i], behind its quotation mark.
// It returns where the closing mark stands, or the place of a fault.
func scanText(b []byte, i int) (end int, fault string) {
	for {
		if i+8 <= len(b) {
			m := special(binary.LittleEndian.Uint64(b[i:]))
			if m == 0 {
				i += 8
				continue
			}
			i += bits.TrailingZeros64(m) >> 3
		} else if i == len(b) {
			return i, faultOpenText
		}
		switch c := b[i]; {
		case c == '"':
			return i, ""
		case c == '\\':
			if i+1 < len(b) && isShort(b[i+1]) {
				i += 2
				continue
			}
			if i, fault = scanEscape(b, i); fault != "" {
				return i, fault
			}
		case c < 0x20:
			return i, faultControl
		case c < utf8.RuneSelf:
			i++
		default:
			if i, fault = scanRaw(b, i); fault != "" {
				return i, fault
			}
		}
	}
}

// scanRaw walks over the characters from U+0080 that begin at b[i].
func scanRaw(b []byte, i int) (next int, fault string) {
	for i < len(b) && b[i] >= utf8.RuneSelf {
		// Most letters that are not ASCII have two bytes.
		if c := b[i]; c >= 0xc2 && c < 0xe0 && i+1 < len(b) && b[i+1]&0xc0 == 0x80 {
			i += 2
			continue
		}
		r, size := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && size == 1 {
			return i, faultUTF8
		}
		i += size
	}
	return i, ""
}

// isShort says whether c is the letter of a two-byte escape.
func isShort(c byte) bool {
	switch c {
	case '"', '\\', 'b', 'f', 'n', 'r', 't':
		return true
	}
	return false
}

// scanEscape walks over the `\u00xx` at b[i]; where that is the mark, over what
// it stands before, and over all that are joined to it.
func scanEscape(b []byte, i int) (next int, fault string) {
	c, ok := controlEscape(b, i)
	if !ok || c >= 0x20 || shortEscape[c] != 0 {
		return i, faultEscape
	}
	if c != 0x1a {
		return i + len(mark), ""
	}
	if next, ok := controlEscape(b, i+len(mark)); ok && next == 0x1a {
		return i + 2*len(mark), ""
	}
	return scanInvalid(b, i)
}

// scanInvalid walks over a run of marks with their bytes. No sequence of bytes
// in it may be valid UTF-8: it would have been written raw. Raw characters
// beside the run can not be part of such a sequence, since they are whole.
func scanInvalid(b []byte, i int) (next int, fault string) {
	var window [utf8.UTFMax]byte // the last bytes of the run
	n := 0
	for {
		c, ok := controlEscape(b, i)
		if !ok || c != 0x1a {
			return i, ""
		}
		at := i + len(mark)
		c, ok = hexByte(b, at)
		if ok && c >= utf8.RuneSelf {
			copy(window[:], window[1:])
			window[utf8.UTFMax-1] = c
			n = min(n+1, utf8.UTFMax)
			if endsValid(window[utf8.UTFMax-n:]) {
				return i, faultMarkValid
			}
			i = at + 2
			continue
		}
		if c, ok := controlEscape(b, at); ok && c == 0x1a {
			return i, ""
		}
		return i, faultMark
	}
}

// endsValid says whether a character of more than one byte ends b.
func endsValid(b []byte) bool {
	for k := 2; k <= len(b); k++ {
		if r, size := utf8.DecodeRune(b[len(b)-k:]); size == k && r >= utf8.RuneSelf {
			return true
		}
	}
	return false
}

// controlEscape reads the `\u00xx` at b[i].
func controlEscape(b []byte, i int) (c byte, ok bool) {
	if len(b)-i < len(mark) || string(b[i:i+4]) != `\u00` {
		return 0, false
	}
	return hexByte(b, i+4)
}

// hexByte reads two lower-case hex digits at b[i].
func hexByte(b []byte, i int) (c byte, ok bool) {
	if len(b)-i < 2 {
		return 0, false
	}
	hi, lo := hexValue(b[i]), hexValue(b[i+1])
	return hi<<4 | lo&15, hi|lo < 16
}

// hexValue returns the value of a lower-case hex digit, or 0xff.
func hexValue(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	}
	return 0xff
}
