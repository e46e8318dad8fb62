package ledger

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
)

// Folders of a log in a store (spec §10).
const (
	SegmentsDir = "segments"
	SealsDir    = "seals"
	TilesDir    = "tiles"
)

// SegmentName is the name, within the log's folder, of the segment object that
// begins at first and whose bytes hash to sum.
func SegmentName(first uint64, sum [32]byte) string {
	return fmt.Sprintf("%s/%020d-%s.jsonl.zst", SegmentsDir, first, hex.EncodeToString(sum[:16]))
}

// SealName is the name, within the log's folder, of the seal that begins at
// first.
func SealName(first uint64) string {
	return fmt.Sprintf("%s/%020d.seal", SealsDir, first)
}

// BesideSealName is the n-th name (n ≥ 1) for a seal whose place a squatter
// holds.
func BesideSealName(first uint64, n int) string {
	return fmt.Sprintf("%s/%020d.%d.seal", SealsDir, first, n)
}

// TileName is the name, within the log's folder, of a full tile (spec §9).
func TileName(level int, index uint64) string {
	return fmt.Sprintf("%s/%d/%020d.tile", TilesDir, level, index)
}

// ParseTileName takes the base name of a tile apart.
func ParseTileName(base string) (index uint64, ok bool) {
	rest, ok := strings.CutSuffix(base, ".tile")
	if !ok || len(rest) != 20 {
		return 0, false
	}
	index, err := strconv.ParseUint(rest, 10, 63)
	return index, err == nil && fmt.Sprintf("%020d", index) == rest
}

// ParseSegmentName takes the base name of a segment object apart. It accepts
// exactly the names that [SegmentName] makes.
func ParseSegmentName(base string) (first uint64, prefix [16]byte, ok bool) {
	rest, ok := strings.CutSuffix(base, ".jsonl.zst")
	if !ok || len(rest) != 20+1+32 || rest[20] != '-' {
		return 0, prefix, false
	}
	n, err := strconv.ParseUint(rest[:20], 10, 63)
	if err != nil {
		return 0, prefix, false
	}
	if _, err := hex.Decode(prefix[:], []byte(rest[21:])); err != nil {
		return 0, prefix, false
	}
	return n, prefix, rest == fmt.Sprintf("%020d-%x", n, prefix)
}

// ParseSealName takes the base name of a seal apart; n is 0 for the usual name
// and counts up beside squatters.
func ParseSealName(base string) (first uint64, n int, ok bool) {
	rest, ok := strings.CutSuffix(base, ".seal")
	if !ok || len(rest) < 20 {
		return 0, 0, false
	}
	first, err := strconv.ParseUint(rest[:20], 10, 63)
	if err != nil {
		return 0, 0, false
	}
	if len(rest) > 20 {
		if n, err = strconv.Atoi(strings.TrimPrefix(rest[20:], ".")); err != nil || n < 1 {
			return 0, 0, false
		}
		return first, n, SealsDir+"/"+base == BesideSealName(first, n)
	}
	return first, 0, SealsDir+"/"+base == SealName(first)
}

// CheckLogName says whether name can be a log's folder in a store (spec §10).
func CheckLogName(name string) error {
	if name == "" || len(name) > MaxLogName {
		return fmt.Errorf("log name %q: must have 1 to %d characters", name, MaxLogName)
	}
	for i, c := range []byte(name) {
		alnum := c >= 'a' && c <= 'z' || c >= '0' && c <= '9'
		if !alnum && (i == 0 || c != '.' && c != '_' && c != '-') {
			return fmt.Errorf("log name %q: use a-z, 0-9, and after the first character also . _ -", name)
		}
	}
	return nil
}

// IsVersion says whether line names any version of a format, as the first line of
// each object does: `custody-seal/v1`.
func IsVersion(line, format string) bool {
	n, ok := strings.CutPrefix(line, format+"/v")
	return ok && n != "" && strings.Trim(n, "0123456789") == ""
}
