package attacks

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/otelcol-custody/custody/ledger"
	"github.com/otelcol-custody/custody/ledger/checkpoint"
	"github.com/otelcol-custody/custody/ledger/ledgertest"
)

const (
	logName = "web"
	origin  = "custody.example/web"
	other   = "custody.example/db"
)

// objects lie in a store, by their names.
type objects map[string][]byte

// A scene is what is attacked, and what the auditor has beside it.
type scene struct {
	testing.TB
	log    *ledgertest.Log // as it was before
	signer *checkpoint.Signer
	kept   []byte               // the checkpoint that the auditor kept before the attack
	trusts []*checkpoint.Signer // whose public keys the auditor has

	store objects // a directory, or any copy of a store
	vault *vault  // a store with versions and locks, instead
	large bool    // too large for slow judges
	state *state  // a collector's state directory, instead
	file  []byte  // an evidence file or pack, instead

	packed bool      // file is, or was, a pack
	watch  *watching // a guard with all it has, instead
	fence  *fenced   // a state directory and its store, instead
}

// counts are the records of the attacked log's segments, whose first records
// are therefore 0, 3, 7, 12 and 15; its size is 17.
var counts = []int{3, 4, 5, 3, 2}

// inStore is the scene of most attacks: a log of five segments in a directory.
func inStore(t testing.TB) *scene {
	s := &scene{TB: t, signer: ledgertest.Signer(t, origin)}
	s.log = ledgertest.NewLog(logName, s.signer)
	s.log.Add(t, counts...)
	s.trusts = []*checkpoint.Signer{s.signer}
	s.kept = s.log.Segments[len(counts)-1].Seal.After().Note()
	s.store = objectsOf(logName, s.log.Segments)
	return s
}

// objectsOf are the objects of segments, as a writer stores them.
func objectsOf(log string, segments []ledgertest.Segment) objects {
	o := objects{}
	for _, g := range segments {
		o[log+"/"+g.Seal.SegmentName()] = g.Object
		o[log+"/"+g.Seal.Name()] = g.Seal.Bytes()
		for _, tile := range g.Tiles {
			if tile.Level > 0 {
				o[log+"/"+ledger.TileName(tile.Level, tile.Index)] = tile.Bytes()
			}
		}
	}
	return o
}

// seal and segment are the names of the i-th objects.
func (s *scene) seal(i int) string    { return logName + "/" + s.log.Segments[i].Seal.Name() }
func (s *scene) segment(i int) string { return logName + "/" + s.log.Segments[i].Seal.SegmentName() }

// edit changes an object's bytes.
func (s *scene) edit(name string, change func([]byte) []byte) {
	s.Helper()
	if s.store[name] == nil {
		s.Fatalf("there is no %s", name)
	}
	s.store[name] = change(bytes.Clone(s.store[name]))
}

// flip turns a bit of the byte at a share of the object: 0 is its first byte, 1
// its last.
func flip(share float64) func([]byte) []byte {
	return func(b []byte) []byte {
		b[int(share*float64(len(b)-1))] ^= 0x10
		return b
	}
}

// replace changes text that must be there.
func (s *scene) replace(name, old, new string) {
	s.Helper()
	s.edit(name, func(b []byte) []byte {
		if !bytes.Contains(b, []byte(old)) {
			s.Fatalf("%s does not hold %q", name, old)
		}
		return bytes.Replace(b, []byte(old), []byte(new), 1)
	})
}

func (s *scene) remove(names ...string) {
	s.Helper()
	for _, name := range names {
		if s.store[name] == nil {
			s.Fatalf("there is no %s", name)
		}
		delete(s.store, name)
	}
}

func (s *scene) swap(a, b string) { s.store[a], s.store[b] = s.store[b], s.store[a] }

// cut removes segments and seals from the i-th on.
func (s *scene) cut(i int) {
	for ; i < len(s.log.Segments); i++ {
		s.remove(s.seal(i), s.segment(i))
	}
}

// add lays objects beside those that are there, or over them.
func (s *scene) add(o objects) { maps.Copy(s.store, o) }

// dir writes the store into a directory, and beside it keys and checkpoint.
func (s *scene) dir(t testing.TB) (store, keys, kept string) {
	t.Helper()
	dir := t.TempDir()
	store, keys, kept = filepath.Join(dir, "store"), filepath.Join(dir, "log.pub"), filepath.Join(dir, "kept.checkpoint")
	must(t, os.Mkdir(store, 0o755))
	for name, b := range s.store {
		path := filepath.Join(store, filepath.FromSlash(name))
		must(t, os.MkdirAll(filepath.Dir(path), 0o755))
		must(t, os.WriteFile(path, b, 0o644))
	}
	var text strings.Builder
	for _, k := range s.trusts {
		text.WriteString(k.VerifierKey() + "\n")
	}
	must(t, os.WriteFile(keys, []byte(text.String()), 0o644))
	must(t, os.WriteFile(kept, s.kept, 0o644))
	return store, keys, kept
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func replaceOnce(t testing.TB, text, old, new string) string {
	t.Helper()
	if strings.Count(text, old) != 1 {
		t.Fatalf("%q is not once in %q", old, text)
	}
	return strings.Replace(text, old, new, 1)
}

// impostor signs with another key of the same name.
func impostor(t testing.TB) *checkpoint.Signer { return ledgertest.ImpostorOf(t, origin, "impostor") }
