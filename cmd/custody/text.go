package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/otelcol-custody/custody/ledger/checkpoint"
)

// printable escapes, as JSON does, every character that a terminal acts upon or
// that changes the order in which text is read.
func printable(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD") // A stray byte is a control character to some terminals.
	acts := func(r rune) bool {
		return r != '\n' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029')
	}
	if !strings.ContainsFunc(s, acts) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		switch {
		case !acts(r):
			b.WriteRune(r)
		case r > 0xFFFF:
			fmt.Fprintf(&b, `\U%08x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

// oneLine is printable text without line feeds: no name writes a line of its own.
func oneLine(s string) string { return strings.ReplaceAll(printable(s), "\n", `\n`) }

// quoted is somebody's text, in quotation marks and not too long.
func quoted(s string) string {
	const most = 300
	if len(s) > most {
		return oneLine(fmt.Sprintf("%q and %s more", strings.ToValidUTF8(s[:most], ""), several(len(s)-most, "byte")))
	}
	return oneLine(strconv.Quote(s))
}

// number groups a count's digits.
func number[T int | int64 | uint64](n T) string {
	s := strconv.FormatUint(uint64(n), 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// several is a number with its noun.
func several[T int | int64 | uint64](n T, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return number(n) + " " + noun + "s"
}

// size is a length in bytes for people.
func size[T int | int64 | uint64](n T) string {
	const units = "KMGTPE"
	f, i := float64(n), -1
	for f >= 1024 && i < len(units)-1 {
		f, i = f/1024, i+1
	}
	if i < 0 {
		return fmt.Sprintf("%d B", uint64(n))
	}
	return fmt.Sprintf("%.1f %ciB", f, units[i])
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// span is a duration, to the unit that matters.
func span(d time.Duration) string {
	switch {
	case d >= 48*time.Hour:
		return fmt.Sprintf("%d days", d/(24*time.Hour))
	case d >= time.Minute:
		return strings.TrimSuffix(d.Round(time.Minute).String(), "0s")
	case d >= time.Second:
		return d.Round(time.Second).String()
	}
	return d.Round(time.Millisecond).String()
}

// keyIDs are the keys' names and hashes, without the keys themselves.
func keyIDs(keys *checkpoint.Keys) []string {
	var ids []string
	for _, vkey := range keys.VerifierKeys() {
		parts := strings.SplitN(vkey, "+", 3)
		ids = append(ids, parts[0]+"+"+parts[1])
	}
	return ids
}

// indent puts every line but the first below it.
func indent(s, by string) string {
	return strings.ReplaceAll(strings.TrimSuffix(s, "\n"), "\n", "\n"+by)
}

// joinSome lists values, but not hundreds of them.
func joinSome[T any](values []T) string {
	const most = 20
	var parts []string
	for _, v := range values[:min(len(values), most)] {
		parts = append(parts, fmt.Sprint(v))
	}
	if len(values) > most {
		parts = append(parts, fmt.Sprintf("and %d more", len(values)-most))
	}
	return strings.Join(parts, ", ")
}
