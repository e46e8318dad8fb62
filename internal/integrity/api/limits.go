package api

import "time"

// What one request, one client and all of them together may cost.
const (
	// DefaultRate is how many requests are answered in a second, and
	// DefaultClientRate how many of one client. A client of a transparency log
	// asks for a tile per 256 entries, so thousands of requests in a row are
	// what an honest auditor does.
	DefaultRate       = 2000
	DefaultClientRate = 1000
	// maxWait is how long a request that comes too early is held back before it is
	// answered. So who asks for one thing after the other is slowed down, and only
	// who asks for everything at once is refused: most clients of transparency
	// logs end with an error then.
	maxWait = 2 * time.Second
	// burst is for how long a client that was silent may ask as fast as it can what
	// it may ask in that time: a proof's tiles are asked for at once.
	burst = 4 * time.Second
	// maxClients bounds the memory for clients that are told apart, about 100
	// bytes each; those beyond share one account.
	maxClients = 4096

	// DefaultTimeout is the time for all reads of a store for one request; a
	// cold object store answers a read within 100 ms, a segment within seconds.
	DefaultTimeout = 20 * time.Second
	// retryStore is when to ask again after a store failed.
	retryStore = 5 * time.Second

	// maxReads is how many requests read stores at a time, and maxWhole how many
	// of them whole segments, which can take 150 MiB each.
	maxReads = 32
	maxWhole = 2

	// maxSending is how many bytes of answers wait for their clients to take them.
	maxSending = 128 << 20

	// maxQuery and maxPath are the longest query and path, in bytes: ids of
	// providers are below 1 KiB.
	maxQuery = 4 << 10
	maxPath  = 512
	// maxID is the longest record id.
	maxID = 1 << 10

	// maxPage is the longest list of an answer, and defaultPage the usual one.
	maxPage     = 1000
	defaultPage = 100
	// maxSegmentPage is the same for segments: each takes a read of its seal.
	maxSegmentPage     = 100
	defaultSegmentPage = 20
	// maxPacked is how many records a pack takes, and maxPackBytes how long they are
	// together: all are in memory. custody pack makes larger ones.
	maxPacked    = 100
	maxPackBytes = 32 << 20
	// maxSameID is how many records with one id are named; each is read.
	maxSameID = 20

	// tileAge is how long a client may keep what never changes, in seconds.
	tileAge = 365 * 24 * 3600
)
