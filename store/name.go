package store

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Limits on names, in bytes.
const (
	// MaxName leaves room for a prefix below the 1,024 bytes that every
	// cloud allows.
	MaxName = 512
	// MaxSegment is what common file systems allow between two slashes.
	MaxSegment = 255
)

// CheckName accepts names that mean the same on every store: segments of
// UTF-8 text separated by single slashes, none empty, none beginning with a
// dot (so neither "." nor ".." nor a store's own hidden files), no backslash,
// no control character, within [MaxName] and [MaxSegment]. Its errors wrap
// [ErrName].
func CheckName(name string) error {
	if why := badName(name); why != "" {
		return fmt.Errorf("%w %s: %s", ErrName, shown(name), why)
	}
	return nil
}

func badName(name string) string {
	switch {
	case name == "":
		return "it is empty"
	case len(name) > MaxName:
		return fmt.Sprintf("%d bytes, at most %d are allowed", len(name), MaxName)
	case !utf8.ValidString(name):
		return "it is not UTF-8"
	case name[0] == '/':
		return "it begins with a slash; names are relative to the store"
	}
	for _, r := range name {
		if r == '\\' {
			return "it contains a backslash"
		}
		if r < 0x20 || r == 0x7f {
			return fmt.Sprintf("it contains the control character %U", r)
		}
	}
	for seg := range strings.SplitSeq(name, "/") {
		switch {
		case seg == "":
			return "it has an empty segment"
		case seg[0] == '.':
			return fmt.Sprintf("its segment %q begins with a dot", seg)
		case len(seg) > MaxSegment:
			return fmt.Sprintf("a segment has %d bytes, at most %d are allowed", len(seg), MaxSegment)
		}
	}
	return ""
}

// shown quotes a name so that it cannot disturb a terminal or flood a log.
func shown(name string) string {
	const most = 80
	if len(name) > most {
		return fmt.Sprintf("%q…", name[:most])
	}
	return fmt.Sprintf("%q", name)
}
