package follow

import (
	"crypto/sha256"
	"encoding/hex"
)

// pathKey names a path in memory and in the store, at a fixed cost.
type pathKey [16]byte

func keyOf(path string) pathKey {
	sum := sha256.Sum256([]byte(path))
	return pathKey(sum[:16])
}

func (k pathKey) String() string { return "follow/1/path/" + hex.EncodeToString(k[:]) }
