package record

// base64Value holds the value of each digit of base64, plus 1.
var base64Value = func() (t [256]byte) {
	const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	for i := range digits {
		t[digits[i]] = byte(i + 1)
	}
	return t
}()

// isBase64 says whether b is padded base64 whose unused bits are 0: the one
// form that an encoder writes. (encoding/base64 skips line breaks.)
func isBase64(b []byte) bool {
	if len(b)%4 != 0 {
		return false
	}
	if len(b) == 0 {
		return true
	}
	unused := byte(0)
	switch {
	case b[len(b)-2] == '=' && b[len(b)-1] == '=':
		b, unused = b[:len(b)-2], 15
	case b[len(b)-1] == '=':
		b, unused = b[:len(b)-1], 3
	}
	for _, c := range b {
		if base64Value[c] == 0 {
			return false
		}
	}
	return (base64Value[b[len(b)-1]]-1)&unused == 0
}

// parseHex64 reads 16 lower-case hex digits.
func parseHex64(b []byte) (n uint64, ok bool) {
	for _, c := range b {
		v := hexValue(c)
		if v > 15 {
			return 0, false
		}
		n = n<<4 | uint64(v)
	}
	return n, len(b) == 16
}
