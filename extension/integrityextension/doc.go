// Package integrityextension judges what lies in the stores, all the time, and
// tells it in every channel that an operator watches. The work is done below
// internal/integrity; this package is its adapter to the collector. It never
// writes to a store.
package integrityextension

//go:generate go tool -modfile=../../tools/go.mod mdatagen metadata.yaml
