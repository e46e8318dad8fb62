// Package api answers over HTTP what the judge knows and proves what a log holds:
// the standard tlog-tiles view of each log, and below /v1 heads, findings, coverage,
// proofs and evidence files. openapi.yaml describes it.
//
// It only reads. It believes nothing that does not verify, and its clients need not
// believe it: what it says of a log can be checked with the log's public key.
// Listener, TLS and authentication are the caller's.
package api
