// Package integrityeventsreceiver hands on what the integrity extension finds as
// log records, so that findings are themselves sealed. Its place is kept by the
// extension, and moves only when the pipeline has taken the records.
package integrityeventsreceiver

//go:generate go tool -modfile=../../tools/go.mod mdatagen metadata.yaml
