package audit

// A Kind says which field of a [Value] counts.
type Kind uint8

// The kinds of an attribute's value.
const (
	String  Kind = iota // Value.Str
	Int                 // Value.Int
	Bool                // Value.Bool
	Strings             // Value.Strs
	Maps                // Value.Maps: a list of maps
)

// A Value is an attribute's value. Only the field named by Kind counts; Str
// and Strs need not be valid UTF-8, since events are not.
type Value struct {
	Kind Kind
	Str  string
	Int  int64
	Bool bool
	Strs []string
	Maps [][]Attribute
}

// An Attribute is a key with its value.
type Attribute struct {
	Key   string
	Value Value
}

// StringAttr returns an attribute of kind [String].
func StringAttr(key, value string) Attribute {
	return Attribute{Key: key, Value: Value{Kind: String, Str: value}}
}

// IntAttr returns an attribute of kind [Int].
func IntAttr(key string, value int64) Attribute {
	return Attribute{Key: key, Value: Value{Kind: Int, Int: value}}
}

// BoolAttr returns an attribute of kind [Bool].
func BoolAttr(key string, value bool) Attribute {
	return Attribute{Key: key, Value: Value{Kind: Bool, Bool: value}}
}

// StringsAttr returns an attribute of kind [Strings]; it keeps values.
func StringsAttr(key string, values []string) Attribute {
	return Attribute{Key: key, Value: Value{Kind: Strings, Strs: values}}
}

// MapsAttr returns an attribute of kind [Maps]; it keeps maps.
func MapsAttr(key string, maps [][]Attribute) Attribute {
	return Attribute{Key: key, Value: Value{Kind: Maps, Maps: maps}}
}
