package record

import (
	"cmp"
	"slices"
)

// Equal says whether a and b are the same record: alike but for the order of
// attributes, and of entries of key-value lists, that have different keys.
// Doubles are compared bit by bit.
func Equal(a, b *Record) bool {
	return equalMaps(a.Attributes, b.Attributes) && equalValues(&a.Body, &b.Body) &&
		equalMaps(a.Custody, b.Custody) && a.Dropped == b.Dropped && a.EventName == b.EventName &&
		a.Flags == b.Flags && a.ObservedTime == b.ObservedTime && a.Time == b.Time &&
		equalResources(&a.Resource, &b.Resource) && equalScopes(&a.Scope, &b.Scope) &&
		a.SeverityNumber == b.SeverityNumber && a.SeverityText == b.SeverityText &&
		a.SpanID == b.SpanID && a.TraceID == b.TraceID
}

func equalResources(a, b *Resource) bool {
	return equalMaps(a.Attributes, b.Attributes) && a.Dropped == b.Dropped && a.SchemaURL == b.SchemaURL &&
		slices.EqualFunc(a.EntityRefs, b.EntityRefs, func(a, b EntityRef) bool {
			return a.SchemaURL == b.SchemaURL && a.Type == b.Type &&
				slices.Equal(a.IDKeys, b.IDKeys) && slices.Equal(a.DescriptionKeys, b.DescriptionKeys)
		})
}

func equalScopes(a, b *Scope) bool {
	return equalMaps(a.Attributes, b.Attributes) && a.Dropped == b.Dropped &&
		a.Name == b.Name && a.Version == b.Version && a.SchemaURL == b.SchemaURL
}

func equalValues(a, b *Value) bool {
	if a.Kind != b.Kind {
		return false
	}
	switch a.Kind {
	case Empty:
		return true
	case String, Bytes:
		return a.Str == b.Str
	case Bool:
		return (a.Num != 0) == (b.Num != 0)
	case List:
		return slices.EqualFunc(a.List, b.List, func(a, b Value) bool { return equalValues(&a, &b) })
	case Map:
		return equalMaps(a.Map, b.Map)
	}
	return a.Num == b.Num
}

func equalMaps(a, b []KeyValue) bool {
	if len(a) != len(b) {
		return false
	}
	byKey := func(a, b KeyValue) int { return cmp.Compare(a.Key, b.Key) }
	if !slices.IsSortedFunc(a, byKey) {
		a = slices.Clone(a)
		slices.SortStableFunc(a, byKey)
	}
	if !slices.IsSortedFunc(b, byKey) {
		b = slices.Clone(b)
		slices.SortStableFunc(b, byKey)
	}
	for i := range a {
		if a[i].Key != b[i].Key || !equalValues(&a[i].Value, &b[i].Value) {
			return false
		}
	}
	return true
}
