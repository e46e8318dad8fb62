// Package filewormexporter keeps the segments that hash_chain sealed in a
// directory.
package filewormexporter

//go:generate go tool -modfile=../../tools/go.mod mdatagen metadata.yaml
