//go:generate go tool -modfile=../../tools/go.mod mdatagen metadata.yaml

// Package hashchainprocessor seals log records into a signed hash chain and
// hands the sealed segments to the WORM exporters behind it. The work is done in
// internal/sealer; this package is its adapter to the collector.
package hashchainprocessor
