package awsnotify

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// A FormatError says why a message is none of those that [Parse] knows.
type FormatError struct {
	Shape  string // what it looks like, such as "S3 event"; empty if like nothing known
	Path   string // the member that is wrong; empty for the whole message
	Reason string
}

func (e *FormatError) Error() string {
	var b strings.Builder
	b.WriteString("not a notification about objects that is understood: ")
	if e.Shape != "" {
		b.WriteString(e.Shape + ": ")
	}
	if e.Path != "" {
		b.WriteString(e.Path + ": ")
	}
	return b.String() + e.Reason
}

// found describes a message that is like nothing known, without much of its content.
func found(v any) string {
	switch v := v.(type) {
	case map[string]any:
		keys := slices.Sorted(maps.Keys(v))
		more := ""
		if len(keys) > maxShownKeys {
			more = fmt.Sprintf(" and %d more", len(keys)-maxShownKeys)
			keys = keys[:maxShownKeys]
		}
		for i, k := range keys {
			keys[i] = shown(k)
		}
		return "found a JSON object with the keys [" + strings.Join(keys, " ") + "]" + more
	case nil:
		return "found JSON null"
	}
	return "found " + typeName(v)
}

func typeName(v any) string {
	switch v.(type) {
	case map[string]any:
		return "a JSON object"
	case []any:
		return "a JSON list"
	case string:
		return "a JSON text"
	case bool:
		return "true or false"
	case nil:
		return "null"
	}
	return "a number"
}

// shown makes a foreign text fit for a message.
func shown(s string) string {
	if len(s) > maxShownText {
		s = s[:maxShownText] + "…"
	}
	return strconv.Quote(s)
}
