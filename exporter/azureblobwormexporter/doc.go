// Package azureblobwormexporter keeps the segments that hash_chain sealed in a container of Azure Blob Storage.
package azureblobwormexporter

//go:generate go tool -modfile=../../tools/go.mod mdatagen metadata.yaml
