// Package gcswormexporter keeps the segments that hash_chain sealed in a bucket of Google Cloud Storage.
package gcswormexporter

//go:generate go tool -modfile=../../tools/go.mod mdatagen metadata.yaml
