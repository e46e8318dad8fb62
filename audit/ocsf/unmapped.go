package ocsf

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/otelcol-custody/custody/audit"
)

// putUnmapped writes what the event has no place for: attributes by their names, and,
// with a "$" in front that no attribute's name has, what else the record holds.
func (e *event) putUnmapped() {
	e.object("unmapped", func() {
		if e.rec.EventName != e.class.event {
			e.text("$event_name", e.rec.EventName)
		}
		if !utf8.Valid(e.rec.Body) {
			e.text("$raw_data_encoding", "base64")
		}
		if len(e.rec.Rest) > 0 {
			e.key("$record")
			e.b = appendSafe(e.b, e.rec.Rest)
		}
		if !e.cloudy() {
			e.object("$resource", func() {
				e.text("cloud.account.id", e.rec.Resource.AccountID)
				e.text("cloud.region", e.rec.Resource.Region)
			})
		}
		for _, i := range e.unused() {
			e.separate()
			e.b = appendAttribute(e.b, &e.rec.Attributes[i])
		}
	})
}

// attributeName doubles a "$" at the beginning, as the log's lines do.
func attributeName(key string) string {
	if strings.HasPrefix(key, "$") {
		return "$" + key
	}
	return key
}

// unused are the attributes without a place, by name.
func (e *event) unused() []int {
	var left []int
	for i, used := range e.used {
		if !used {
			left = append(left, i)
		}
	}
	slices.SortFunc(left, func(a, b int) int { return strings.Compare(e.rec.Attributes[a].Key, e.rec.Attributes[b].Key) })
	return left
}

// appendAttribute appends an attribute as it is, with nothing in it left out.
func appendAttribute(dst []byte, a *audit.Attribute) []byte {
	return appendValue(append(appendText(dst, attributeName(a.Key)), ':'), &a.Value)
}

func appendValue(dst []byte, v *audit.Value) []byte {
	switch v.Kind {
	case audit.Int:
		return strconv.AppendInt(dst, v.Int, 10)
	case audit.Bool:
		return strconv.AppendBool(dst, v.Bool)
	case audit.Strings:
		return appendAll(dst, "[]", v.Strs, func(dst []byte, s *string) []byte { return appendText(dst, *s) })
	case audit.Maps:
		return appendAll(dst, "[]", v.Maps, func(dst []byte, m *[]audit.Attribute) []byte {
			return appendAll(dst, "{}", *m, appendAttribute)
		})
	}
	return appendText(dst, v.Str)
}

func appendAll[T any](dst []byte, braces string, all []T, one func([]byte, *T) []byte) []byte {
	dst = append(dst, braces[0])
	for i := range all {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = one(dst, &all[i])
	}
	return append(dst, braces[1])
}
