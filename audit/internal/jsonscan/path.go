package jsonscan

import "strings"

// CleanPath writes a path, which [CheckPath] accepts, the one way that stands for all
// ways of writing it: every key in quotes. inList says whether it leads through the
// elements of a list.
func CleanPath(path string) (clean string, inList bool) {
	for rest := path; rest != ""; {
		key, more, err := cutKey(rest)
		if err != nil {
			return path, false
		}
		if clean != "" {
			clean += "."
		}
		clean += `"` + key + `"`
		for strings.HasPrefix(more, "[]") {
			clean, inList, more = clean+"[]", true, more[2:]
		}
		rest = strings.TrimPrefix(more, ".")
	}
	return clean, inList
}
