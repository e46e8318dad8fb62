package store

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Shown returns the name under which listings show an object of this name and
// size, and whether they do. It is the name itself if [CheckName] accepts it.
// What somebody else wrote under another name is shown with control characters,
// bytes that are not UTF-8 and backslashes escaped by a backslash: CheckName
// refuses that, too. Hidden names are not shown, nor are empty objects that stand
// for folders.
func Shown(name string, size int64) (string, bool) {
	if CheckName(name) == nil {
		return name, true
	}
	if name == "" || size == 0 && strings.HasSuffix(name, "/") || name[0] == '.' || strings.Contains(name, "/.") {
		return "", false
	}
	var b strings.Builder
	for rest := name; rest != ""; {
		r, n := utf8.DecodeRuneInString(rest)
		switch {
		case r == '\\':
			b.WriteString(`\\`)
		case r < 0x20 || r == 0x7f || r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, `\x%02x`, rest[0])
		default:
			b.WriteString(rest[:n])
		}
		rest = rest[n:]
	}
	return b.String(), true
}

// Stored is the name of what is shown under a name: the reverse of [Shown], for
// whoever lists on from there.
func Stored(shown string) string {
	var b strings.Builder
	for rest := shown; rest != ""; {
		c, n := rest[0], 1
		if c == '\\' && len(rest) > 1 {
			switch hex, err := strconv.ParseUint(rest[min(2, len(rest)):min(4, len(rest))], 16, 8); {
			case rest[1] == '\\':
				n = 2
			case rest[1] == 'x' && err == nil && len(rest) >= 4:
				c, n = byte(hex), 4
			}
		}
		b.WriteByte(c)
		rest = rest[n:]
	}
	return b.String()
}
