// Package bench measures the whole path in one process: OTLP over gRPC in, sealed
// and fsync'd objects of a directory store out. `make bench` runs it; nothing here
// is a timed test.
package bench
