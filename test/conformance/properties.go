package main

// A property is a part of the suites in store/storetest.
type property struct {
	name string // of the subtest
	says string
}

// contract is what storetest.Run checks.
var contract = []property{
	{"ID", "The store names itself, always the same"},
	{"PutOnce", "An object is created once; the same bytes again succeed, others are refused"},
	{"PutOnceKeepsNothing", "What a caller does with its bytes afterwards changes nothing"},
	{"RacingWriters", "Of 32 writers at once with different bytes exactly one wins"},
	{"RacingEqualWriters", "32 writers at once of the same bytes all succeed"},
	{"ManyNames", "Writers at once under different names do not disturb each other"},
	{"Empty", "An object can be empty"},
	{"Large", "A large object arrives whole, and another last byte is noticed"},
	{"GetRange", "Any range can be read, also across the end"},
	{"NotFound", "What is not there is said to be not there"},
	{"Stat", "An object is described by size, time and retention"},
	{"Versions", "All versions of an object are listed"},
	{"Names", "Every permitted name works, also long and odd ones"},
	{"HostileNames", "Every other name is refused before anything is asked"},
	{"Cancelled", "A cancelled call ends and says so"},
	{"List", "More objects than a page holds are listed whole, from any position"},
	{"ListOrder", "Names come in the order of their bytes"},
	{"ListStops", "A listing can be broken off"},
	{retention, "Retention is set with the write and reported, or the write is refused"},
}

const retention = "Retention"

// locks is what storetest.RunLocked checks, with an attacker who has the
// owner's credentials.
var locks = []property{
	{"LockChecked", "The start-up check finds that the bucket locks, and leaves nothing in sight"},
	{"LockSet", "Mode and date are set with the write, in one step"},
	{"LockSetOnLarge", "A large object, sent in parts, is locked and cannot be deleted"},
	{"LockRefusesDelete", "A locked version cannot be deleted"},
	{"LockRefusesBypass", "Compliance cannot be bypassed"},
	{"LockRefusesShorter", "A retention cannot be shortened, weakened or lifted"},
	{"LockSurvivesOverwrite", "The genuine version is found below one that was written over it"},
	{"LockSurvivesDeleteMarker", "The genuine version is found below a delete marker"},
	{"LockExtends", "A retention can be extended and never becomes less"},
	{"LegalHold", "An object under legal hold cannot be deleted"},
}

// sentLocks are those whose request observations see even where nobody
// enforces it.
var sentLocks = []string{"LockSet", "LockSetOnLarge", "LegalHold"}

// An observation is a single test of a store, not part of a suite.
type observation struct {
	store, test string
	says        string
	wire        bool // it sees that requests carry the retention
}

var observations = []observation{
	{"s3store", "TestStoreThatIgnoresConditions", "Versity, its `If-None-Match` ignored, is refused at start; in the weaker mode it passes all but racing writers", false},
	{"s3store", "TestStoreThatDropsLocks", "Versity, its locks dropped from single or multipart uploads, or its deletes allowed, is refused", false},
	{"s3store", "TestDroppedLockIsNoticed", "A lock that is dropped from one upload is noticed at that upload", false},
	{"gcsstore", "TestUploadsCarry", "Uploads to fake-gcs-server carry precondition, checksums, mode and date, in one request and in chunks", true},
	{"gcsstore", "TestHoldIsSent", "Uploads to fake-gcs-server carry a hold; that it is dropped is noticed", true},
	{"gcsstore", "TestExtendSends", "Extensions sent to the own double never weaken, and name version and metageneration", false},
	{"gcsstore", "TestCheckLockSeesWhatIsNotEnforced", "The own double, made to forget, not to enforce, or to have no retention, is refused", false},
	{"azblobstore", "TestSentOnTheWire", "Uploads to Azurite carry `If-None-Match`, checksums, policy and hold, in one request and in blocks; that they are dropped is noticed", true},
	{"azblobstore", "TestServerThatOverwritesIsUnfit", "Azurite, its `If-None-Match` ignored, is refused at start", false},
	{"azblobstore", "TestRetentionRefusedByTheService", "Azurite, which drops policies, is refused when a lock is asked for", false},
	{"azblobstore", "TestLockThatIsNotEnforcedIsFound", "The own double, made not to enforce, is refused", false},
}
