// Package schema holds docs/schema.md against the code: its tables name what package
// audit names and what the parsers fill, and its queries run over a store that is made
// of the parsers' fixtures, with the results that the page shows.
package schema
