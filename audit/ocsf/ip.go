package ocsf

import (
	"strconv"
	"strings"
)

// isIP says whether a text is an IP address without a zone. It does what net/netip does:
// the auditor's command renders events, and nothing below package net may be in it.
func isIP(s string) bool {
	if !strings.Contains(s, ":") {
		return isIPv4(s)
	}
	head, tail, short := strings.Cut(s, "::")
	n, ok := groups(head, !short)
	m, okTail := groups(tail, true)
	switch {
	case !short:
		return ok && n == 8
	case strings.Contains(tail, "::"):
		return false
	}
	return ok && okTail && n+m < 8
}

// groups counts the groups of four digits in a part of an IPv6 address. The last one of
// an address may be an IPv4 address, which stands for two.
func groups(s string, last bool) (n int, ok bool) {
	if s == "" {
		return 0, true
	}
	parts := strings.Split(s, ":")
	for i, part := range parts {
		if last && i == len(parts)-1 && isIPv4(part) {
			return n + 2, true
		}
		if _, err := strconv.ParseUint(part, 16, 16); err != nil || len(part) > 4 {
			return n, false
		}
		n++
	}
	return n, true
}

func isIPv4(s string) bool {
	parts := strings.Split(s, ".")
	for _, part := range parts {
		if _, err := strconv.ParseUint(part, 10, 8); err != nil || part[0] == '0' && len(part) > 1 {
			return false
		}
	}
	return len(parts) == 4
}
