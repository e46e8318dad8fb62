package transfer

import (
	"strconv"
	"strings"

	"github.com/otelcol-custody/custody/ledger"
	"github.com/otelcol-custody/custody/ledger/tree"
	"github.com/otelcol-custody/custody/store"
)

// A folder of a log holds objects of one kind (spec §10).
type folder struct {
	name  string
	limit int64 // the longest object in bytes
	// key says which objects belong together, given a name in the folder; false
	// for a name that is not of the format. Keys come in the order of names.
	key func(string) (string, bool)
}

var (
	sealFolder = &folder{ledger.SealsDir, ledger.MaxSeal, func(base string) (string, bool) {
		_, _, ok := ledger.ParseSealName(base)
		return base[:min(20, len(base))], ok
	}}
	segmentFolder = &folder{ledger.SegmentsDir, ledger.MaxSegment, func(base string) (string, bool) {
		_, _, ok := ledger.ParseSegmentName(base)
		return base, ok
	}}
	tileFolder = &folder{ledger.TilesDir, tree.TileWidth * tree.HashSize, func(base string) (string, bool) {
		dir, file, _ := strings.Cut(base, "/")
		level, err := strconv.Atoi(dir)
		index, ok := ledger.ParseTileName(file)
		return base, err == nil && ok && ledger.TilesDir+"/"+base == ledger.TileName(level, index) && level > 0 && level <= maxTileLevel
	}}
)

// maxTileLevel is the highest level that a full tile can have.
const maxTileLevel = 6

// folders in the order in which they may be listed: a seal that was listed has
// its segment and tiles in the store, so these are listed later. The other way
// round a copy of a log that is being written could lack a segment of a seal.
var folders = []*folder{sealFolder, segmentFolder, tileFolder}

// prefix begins the names of a log's objects in the folder.
func (f *folder) prefix(log string) string { return log + "/" + f.name + "/" }

// ignore takes foreign objects that somebody else reports.
func ignore(*folder, ...store.Info) {}
