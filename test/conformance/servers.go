package main

// A grip says what a server does with a retention.
type grip int

const (
	// none: the store cannot keep objects and refuses when it is asked to.
	none grip = iota
	// sent: the server takes the request and forgets it. The store notices
	// and refuses; tests look at what was sent.
	sent
	// reported: the server says afterwards what it was told, and deletes all the same.
	reported
	// enforced: the server refuses what a retention forbids.
	enforced
)

// A server is one that a store is tested against.
type server struct {
	store   string // package
	name    string // in the names of subtests; see results.of
	title   string
	version string // as scripts/servers installs it
	run     string // how it was started, if not as usual
	grip    grip
	double  bool // made for tests by this project: it proves what the store does, nothing about a provider
	// without names properties that cannot be had, each with the reason.
	without map[string]string
	// tests are the parents of the properties' subtests where those are not
	// SUITE/NAME.
	tests []string
}

// servers lists who is tested, and what each really enforces: established by
// trying, see store/storetest/servers. Only a server with the grip enforced
// ever counts as one that enforces.
var servers = []server{
	{store: "dirstore", title: "this machine's file system", grip: none, tests: []string{"TestConformance"}},
	{store: "dirstore", title: "file system in memory", grip: none, double: true, tests: []string{"TestConformanceInMemory"}},
	{store: "s3store", name: "versitygw", title: "Versity S3 Gateway", version: "v1.8.0", grip: enforced},
	{store: "s3store", name: "versitygw_without_versions", title: "Versity S3 Gateway", version: "v1.8.0", run: "without versions", grip: none},
	{store: "s3store", name: "minio", title: "MinIO", version: "v0.0.0-20260212201848-7aac2a2c5b7c", grip: enforced},
	{store: "gcsstore", name: "fake-gcs-server", title: "fake-gcs-server", version: "v1.56.1", grip: reported},
	{store: "gcsstore", name: "own-double", grip: enforced, double: true},
	{store: "azblobstore", name: "azurite", title: "Azurite", version: "3.37.0", grip: sent},
	{store: "azblobstore", name: "own-double", grip: enforced, double: true},
	{store: "storetest", title: "storetest.Memory", grip: enforced, double: true, tests: []string{"TestMemory", "TestLockedInMemory"}},
}

// variants are further settings of doubles, which get no column of their own.
// If they fail, the run fails all the same.
var variants = []string{
	"gcsstore TestConformanceOfTheDouble/own-double-that-forgets-retention",
	"gcsstore TestConformanceOfTheDouble/own-double-without-retention",
	"gcsstore TestLocked/own-double-without-versions",
}
