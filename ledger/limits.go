package ledger

// The limits of the format (spec §14), each with its reason. Readers check a
// length against them before they allocate.
const (
	// MaxLine is the longest record line in bytes, without its line feed: the
	// largest JSON object that DuckDB reads by default.
	MaxLine = 16 << 20
	// MaxRecords is the largest number of records in a segment; a seal, with
	// 32 bytes a record, stays well below MaxSeal.
	MaxRecords = 1 << 18
	// MaxLines is the most bytes of lines, line feeds included, in a segment:
	// a reader needs bounded memory.
	MaxLines = 64 << 20
	// MaxSegment is the largest segment object in bytes: MaxLines that do not
	// compress, and room for the frames.
	MaxSegment = 80 << 20
	// MaxSeal is the largest seal object in bytes.
	MaxSeal = 32 << 20
	// MaxSealHead is the longest head of a seal, signature lines included.
	MaxSealHead = 64 << 10
	// MaxClosed is the longest closed line in bytes.
	MaxClosed = 1 << 20
	// MaxRecovery is the longest recovery record's line in bytes: room for a few
	// stores, checkpoints and error texts, and for thousands of ranges.
	MaxRecovery = 1 << 20
	// MaxCheckpoint is the largest checkpoint in bytes, cosignatures included.
	MaxCheckpoint = 64 << 10
	// MaxSignatures is the largest number of signature lines on a note; the library
	// that reads notes has this limit.
	MaxSignatures = 100
	// MaxPack is the largest evidence pack in bytes: a reader holds it in memory.
	MaxPack = 128 << 20
	// MaxPackRecords is the largest number of records in an evidence pack: small
	// readers need a few milliseconds for each.
	MaxPackRecords = 1 << 16
	// MaxRemarkLines is the largest number of remark lines in an evidence pack.
	MaxRemarkLines = 100
	// MaxRemarkLine is the longest remark in bytes on one line of an evidence
	// pack.
	MaxRemarkLine = 1000
	// MaxOrigin is the longest origin in bytes.
	MaxOrigin = 255
	// MaxLogName is the longest log name in bytes.
	MaxLogName = 63
	// MaxSize is the largest size of a log in records.
	MaxSize = 1<<63 - 1
)
