package record

import (
	"math"
	"strconv"
)

// exponentBits are all set in infinities and NaN.
const exponentBits = 0x7ff << 52

// appendDouble appends the double with these IEEE 754 bits (spec §3.3).
func appendDouble(dst []byte, ieee uint64) []byte {
	if ieee&exponentBits == exponentBits {
		dst = append(dst, `{"$f64":"`...)
		for shift := 60; shift >= 0; shift -= 4 {
			dst = append(dst, hexDigits[ieee>>shift&15])
		}
		return append(dst, `"}`...)
	}
	if ieee>>63 != 0 {
		dst = append(dst, '-')
		ieee &^= 1 << 63
	}
	if ieee == 0 {
		return append(dst, "0.0"...)
	}
	return appendShortest(dst, math.Float64frombits(ieee))
}

// appendShortest arranges the shortest digits of f > 0 as ECMAScript's
// Number::toString does, and adds ".0" where that gives a bare integer.
func appendShortest(dst []byte, f float64) []byte {
	var tmp [32]byte
	// d.ddde±dd, or de±dd
	sci := strconv.AppendFloat(tmp[:0], f, 'e', -1, 64)
	e := len(sci) - 1
	for sci[e] != 'e' {
		e--
	}
	exp, _ := strconv.Atoi(string(sci[e+1:])) // of our own making, so it parses
	digits := sci[:e]
	if len(digits) > 1 {
		sci[1] = sci[0] // the point goes, the digits close up
		digits = sci[1:e]
	}
	// f is 0.digits times ten to the power of n.
	n, k := exp+1, len(digits)
	switch {
	case k <= n && n <= 21:
		dst = append(dst, digits...)
		dst = appendZeros(dst, n-k)
		return append(dst, ".0"...)
	case 0 < n && n <= 21:
		dst = append(dst, digits[:n]...)
		dst = append(dst, '.')
		return append(dst, digits[n:]...)
	case -6 < n && n <= 0:
		dst = append(dst, "0."...)
		dst = appendZeros(dst, -n)
		return append(dst, digits...)
	}
	return appendScientific(dst, digits, exp)
}

func appendScientific(dst, digits []byte, exp int) []byte {
	dst = append(dst, digits[0])
	if len(digits) > 1 {
		dst = append(dst, '.')
		dst = append(dst, digits[1:]...)
	}
	dst = append(dst, 'e')
	if exp >= 0 {
		dst = append(dst, '+')
	}
	return strconv.AppendInt(dst, int64(exp), 10)
}

func appendZeros(dst []byte, n int) []byte {
	for ; n > 0; n-- {
		dst = append(dst, '0')
	}
	return dst
}

// parseDouble reads a number that has a point or an exponent. It accepts only
// what appendDouble writes.
func parseDouble(b []byte) (ieee uint64, ok bool) {
	var tmp [40]byte
	// The longest form, such as -0.0000012345678901234567, has 25 bytes.
	if len(b) > 25 {
		return 0, false
	}
	f, err := strconv.ParseFloat(string(b), 64)
	if err != nil {
		return 0, false
	}
	ieee = math.Float64bits(f)
	return ieee, string(appendDouble(tmp[:0], ieee)) == string(b)
}

// parseUint reads a decimal that is at most max.
func parseUint(b []byte, max uint64) (n uint64, ok bool) {
	if len(b) == 0 || len(b) > 20 || b[0] == '0' && len(b) > 1 {
		return 0, false
	}
	for _, c := range b {
		d := uint64(c - '0')
		if d > 9 || n > max/10 || n == max/10 && d > max%10 {
			return 0, false
		}
		n = n*10 + d
	}
	return n, true
}

// parseInt reads a decimal with an optional sign whose size is at most max,
// or max+1 when negative.
func parseInt(b []byte, max uint64) (n int64, ok bool) {
	if len(b) == 0 || b[0] != '-' {
		u, ok := parseUint(b, max)
		return int64(u), ok
	}
	u, ok := parseUint(b[1:], max+1)
	return -int64(u), ok && u != 0
}
