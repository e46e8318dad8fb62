// Package scale measures what a log of very many objects costs against a real S3
// server: listings, an exporter's start, its requests for each segment, the head,
// and a second fetch. `make bench` runs it small, on Linux only;
//
//	CUSTODY_SCALE=1000000 CUSTODY_SCALE_LIMIT=20m make bench PKGS=./test/scale BENCHTIME=20x
//
// runs it with a million objects, for which it needs half an hour, and some 8 GB
// in TMPDIR on a file system with extended attributes. Listings end after
// CUSTODY_SCALE_LIMIT (default 1m; an eighth of it for the plain SDK's) and are
// then reported as cut off: versitygw reads a whole folder for each page. The same
// listing with the plain SDK tells the server's time from ours; requests are what
// other servers have in common.
package scale
