package attacks

import (
	"sync"
	"testing"

	"github.com/otelcol-custody/custody/ledger"
	"github.com/otelcol-custody/custody/ledger/checkpoint"
	"github.com/otelcol-custody/custody/ledger/ledgertest"
)

// large is a log with a stored tile: sealing 65,600 records takes a while, so it
// is done once.
var large struct {
	sync.Mutex
	log *ledgertest.Log
}

func withTile(t testing.TB) *scene {
	large.Lock()
	defer large.Unlock()
	signer := ledgertest.Signer(t, origin)
	if large.log == nil {
		large.log = ledgertest.NewLog(logName, signer)
		large.log.Add(t, 300, 65300)
	}
	return &scene{TB: t, signer: signer, large: true, log: large.log, trusts: []*checkpoint.Signer{signer}, store: objectsOf(logName, large.log.Segments)}
}

// tileAttacks change what can be computed from the seals.
func tileAttacks() family {
	tile := logName + "/" + ledger.TileName(1, 0)
	return family{
		name: "tiles", title: "Tiles", set: withTile,
		about: "Stored tiles are derived: they are computed where they are needed, so a wrong one is told and changes no verdict. The log has 65,600 records and one stored tile.",
		all: []attack{
			{name: "flip a bit of a tile", who: writer, want: "tile-altered 1/0", do: func(s *scene) { s.edit(tile, flip(0.5)) }},
			{name: "swap two hashes of a tile", who: writer, want: "tile-altered 1/0", do: func(s *scene) {
				s.edit(tile, func(b []byte) []byte { return append(append(append([]byte{}, b[32:64]...), b[:32]...), b[64:]...) })
			}},
			{name: "cut a tile off", who: writer, want: "tile-altered 1/0", do: func(s *scene) { s.edit(tile, func(b []byte) []byte { return b[:len(b)-32] }) }},
			{name: "delete a tile", who: writer, want: "tile-missing 1/0", do: func(s *scene) { s.remove(tile) }},
			{name: "plant a tile beyond the log", who: writer, want: "tile-foreign 1/9", says: map[string]string{guardian: "foreign-object 1/9"}, do: func(s *scene) {
				s.store[logName+"/"+ledger.TileName(1, 9)] = s.store[tile]
			}},
		},
	}
}
