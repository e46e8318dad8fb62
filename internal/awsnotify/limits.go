package awsnotify

import "time"

const (
	// MaxBody bounds a message in bytes. SQS takes 1 MiB at most.
	MaxBody = 1 << 20
	// MaxObjects bounds how many objects one message names. S3 names one, CloudTrail a
	// few; each is fetched before the message can be deleted.
	MaxObjects = 1000

	maxDepth      = 32 // of nested JSON; real messages stay below 10
	maxShownKeys  = 8  // of an unknown message, in its error
	maxShownText  = 48 // bytes of a foreign text, in an error
	maxURL        = 1024
	maxFetched    = 64 << 10 // bytes of a certificate; real ones have 2 kB
	maxPEM        = 8        // certificates in one file
	maxIssuers    = 2        // between a signing certificate and a root
	maxCached     = 64       // certificates; SNS has a few per region and year
	minKeyBits    = 2048
	fetchTimeout  = 10 * time.Second
	failureStays  = 10 * time.Second // until a certificate that failed is fetched again
	futureAllowed = 15 * time.Minute // how far our clock may lag behind that of SNS

	// DefaultMaxAge is how old a message may be: SQS keeps it 14 days at most, and a
	// day is for SNS, which tries again when a queue did not answer.
	DefaultMaxAge = 15 * 24 * time.Hour
)
