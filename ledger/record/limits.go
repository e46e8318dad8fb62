package record

// Limits of spec §14.
const (
	// MaxLine is the length of the longest record line in bytes, its line
	// feed not counted: the largest JSON object that DuckDB reads by default.
	MaxLine = 16_777_216
	// MaxNatural is the greatest depth at which an array or key-value list is
	// written as JSON; beyond it tools differ.
	MaxNatural = 64
	// MaxDepth is the greatest depth of any value, so that every reader gets
	// by with a bounded stack.
	MaxDepth = 10_000
)
