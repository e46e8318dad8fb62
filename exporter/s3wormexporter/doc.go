// Package s3wormexporter keeps the segments that hash_chain sealed in a bucket of Amazon S3 or of a store that speaks its protocol.
package s3wormexporter

//go:generate go tool -modfile=../../tools/go.mod mdatagen metadata.yaml
