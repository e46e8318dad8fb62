// Package wire is what integrity extensions tell each other over HTTP: the JSON
// of the API's heads and consistency proofs, and their limits.
package wire

// HeadsPath answers a GET with [Heads].
const HeadsPath = "/v1/heads"

// ConsistencyPath answers a GET with [Consistency]. It is a pattern of
// [net/http.ServeMux]; the query has the sizes from and to, in decimal.
const ConsistencyPath = "/v1/logs/{log}/consistency"

// Heads are the highest heads that an extension has seen.
type Heads struct {
	Heads []Head `json:"heads"`
}

// A Head is that of one log in one store.
type Head struct {
	Store      string `json:"store"`
	Log        string `json:"log"`
	Checkpoint string `json:"checkpoint"` // the signed note
}

// Consistency proves that the tree of size From is a prefix of that of size To
// (RFC 6962 §2.1.2).
type Consistency struct {
	From   uint64   `json:"from"`
	To     uint64   `json:"to"`
	Hashes [][]byte `json:"hashes"` // 32 bytes each, as base64
}

// Limits of answers. Whoever serves stays within them; whoever asks reads no
// more.
const (
	MaxHeads      = 4096               // of all logs in all stores
	MaxHeadsBytes = 8 << 20            // notes are some 300 bytes; cosignatures make them longer
	MaxProof      = 130                // hashes: twice the height of the largest tree, and a few
	MaxProofBytes = 16<<10 + 2*MaxNote // the checkpoint that the proof is against comes along
	MaxNote       = 64 << 10           // ledger.MaxCheckpoint
)
