package follow

import (
	"fmt"
	"path"
	"strings"
)

// CheckPattern reports what is wrong with an include pattern. A pattern without a
// slash is matched against a file's name, one with a slash against its whole path
// below the root. `*`, `?` and `[…]` match within one name, as in [path.Match]; `**`
// as a whole name matches any number of folders, also none.
func CheckPattern(pattern string) error {
	if pattern == "" {
		return fmt.Errorf("empty pattern")
	}
	if strings.HasPrefix(pattern, "/") {
		return fmt.Errorf("pattern %q begins with a slash; patterns are relative to the followed directory", pattern)
	}
	if _, err := path.Match(pattern, ""); err != nil {
		return fmt.Errorf("pattern %q: %w", pattern, err)
	}
	return nil
}

func matchAny(patterns []string, name string) bool {
	for _, p := range patterns {
		if match(p, name) {
			return true
		}
	}
	return false
}

func match(pattern, name string) bool {
	if !strings.Contains(pattern, "/") {
		name = path.Base(name)
	}
	return matchParts(strings.Split(pattern, "/"), strings.Split(name, "/"))
}

func matchParts(pattern, name []string) bool {
	for len(pattern) > 0 && pattern[0] != "**" {
		if len(name) == 0 {
			return false
		}
		if ok, err := path.Match(pattern[0], name[0]); err != nil || !ok {
			return false
		}
		pattern, name = pattern[1:], name[1:]
	}
	if len(pattern) == 0 {
		return len(name) == 0
	}
	for skip := 0; skip <= len(name); skip++ {
		if matchParts(pattern[1:], name[skip:]) {
			return true
		}
	}
	return false
}
