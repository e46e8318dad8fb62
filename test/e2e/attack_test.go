package e2e

import (
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/otelcol-custody/custody/internal/keyfile"
	"github.com/otelcol-custody/custody/ledger/checkpoint"
	"github.com/otelcol-custody/custody/ledger/seal"
	"github.com/otelcol-custody/custody/ledger/segment"
	"github.com/otelcol-custody/custody/ledger/tree"
)

// An evidence is a store that the collector made, of which attacks get copies.
type evidence struct {
	store, pub string
	kept       string // a checkpoint of its head, kept elsewhere
	records    int
}

const attackedSegments = 6

func makeEvidence(t *testing.T) *evidence {
	t.Helper()
	h := newHome(t, "")
	c := start(t, h)
	s, b := byGRPC(t, h.grpc), newBook()
	for n := range attackedSegments {
		before := sealCount(h.store())
		var ids []string
		for i := range 20 {
			ids = append(ids, fmt.Sprintf("segment-%d-%d", n, i))
		}
		if err := b.deliver(t.Context(), s, ids, 200); err != nil {
			t.Fatal(err)
		}
		eventually(t, "a seal", func() bool { return sealCount(h.store()) > before })
	}
	c.stop(t)
	e := &evidence{store: h.store(), pub: h.pub(), kept: h.path("kept.checkpoint")}
	verify(t, 0, e.store, e.pub, "--save-checkpoint", e.kept)
	e.records = len(readStore(t, e.store))
	return e
}

// objects lists the store's files of a kind, in order.
func objects(t *testing.T, store, kind string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(store, logName, kind, "*"))
	if err != nil || len(names) == 0 {
		t.Fatalf("%s: %d %s, %v", store, len(names), kind, err)
	}
	slices.Sort(names)
	return names
}

func firstOf(t *testing.T, name string) uint64 {
	t.Helper()
	var first uint64
	if _, err := fmt.Sscanf(filepath.Base(name)[:20], "%d", &first); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return first
}

func edit(t *testing.T, path string, change func([]byte) []byte) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(path, change(b), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// wantFinding wants one of these codes for the segment that begins at first, in
// the document and in the words for people. It returns the finding.
func wantFinding(t *testing.T, store, pub string, first uint64, codes []string, flags ...string) *finding {
	t.Helper()
	text := custody(t, append([]string{"verify", store, "--key", pub}, flags...)...).want(t, 1).stdout
	for _, f := range verify(t, 1, store, pub, flags...).findings() {
		if f.Log == logName && f.First == first && slices.Contains(codes, f.Code) {
			named := []string{"TAMPERING FOUND", f.Code, "log " + logName, fmt.Sprintf("segment %d", first)}
			if lost := missing(text, named); len(lost) > 0 {
				t.Errorf("the verdict does not say %q:\n%s", lost, text)
			}
			return &f
		}
	}
	t.Errorf("no finding out of %v for segment %d in\n%s", codes, first, text)
	return nil
}

func TestAttacks(t *testing.T) {
	e := makeEvidence(t)
	t.Run("flip a byte", func(t *testing.T) { t.Parallel(); e.flip(t) })
	t.Run("change a record", func(t *testing.T) { t.Parallel(); e.changeRecord(t) })
	t.Run("delete a middle segment", func(t *testing.T) { t.Parallel(); e.deleteMiddle(t) })
	t.Run("cut off the end", func(t *testing.T) { t.Parallel(); e.cutOff(t) })
	t.Run("swap two segments", func(t *testing.T) { t.Parallel(); e.swap(t) })
	t.Run("sign with another key", func(t *testing.T) { t.Parallel(); e.resign(t) })
}

// flip changes one byte of several segments, one at a time, from their header to
// their last byte.
func (e *evidence) flip(t *testing.T) {
	store := copyStore(t, e.store)
	segments := objects(t, store, "segments")
	for _, name := range []string{segments[0], segments[2], segments[len(segments)-1]} {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		last := int(info.Size()) - 1
		for _, at := range []int{0, 5, 40, last / 2, last * 3 / 4, last} {
			mend := func(b []byte) []byte { b[at] ^= 0x10; return b }
			edit(t, name, mend)
			wantFinding(t, store, e.pub, firstOf(t, name), []string{"segment-altered"})
			edit(t, name, mend)
		}
	}
	verify(t, 0, store, e.pub)
}

// changeRecord rewrites one record and packs the segment anew: a well-formed
// object with another content. The very record is named.
func (e *evidence) changeRecord(t *testing.T) {
	store := copyStore(t, e.store)
	name := objects(t, store, "segments")[3]
	const within = 7
	edit(t, name, func(b []byte) []byte {
		s, err := segment.Parse(b)
		if err != nil {
			t.Fatal(err)
		}
		text, err := segment.NewDecoder().Inflate(s)
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.SplitAfter(string(text), "\n")
		lines[within] = strings.Replace(lines[within], "did something", "did anything!", 1)
		header := s.Header
		altered, err := segment.NewEncoder().Append(nil, header, []byte(strings.Join(lines, "")))
		if err != nil {
			t.Fatal(err)
		}
		return altered
	})
	first := firstOf(t, name)
	f := wantFinding(t, store, e.pub, first, []string{"segment-altered", "record-altered"})
	if f == nil {
		return
	}
	if f.Record == nil || *f.Record != first+within {
		t.Errorf("record %d was changed, the finding says %v: %s", first+within, f.Record, f.Message)
	}
}

func (e *evidence) deleteMiddle(t *testing.T) {
	store := copyStore(t, e.store)
	name := objects(t, store, "segments")[2]
	remove(t, name)
	wantFinding(t, store, e.pub, firstOf(t, name), []string{"segment-missing"})

	remove(t, objects(t, store, "seals")[2])
	wantFinding(t, store, e.pub, firstOf(t, name), []string{"seal-missing"})
}

func remove(t *testing.T, paths ...string) {
	t.Helper()
	for _, path := range paths {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
}

// cutOff is what a copy alone cannot show: the verdict says so, and a kept
// checkpoint finds it.
func (e *evidence) cutOff(t *testing.T) {
	store := copyStore(t, e.store)
	segments, seals := objects(t, store, "segments"), objects(t, store, "seals")
	remove(t, segments[len(segments)-1], seals[len(seals)-1])

	text := custody(t, "verify", store, "--key", e.pub).want(t, 0).stdout
	if lost := missing(text, []string{"not checked", "the end of a log was cut off", "--since"}); len(lost) > 0 {
		t.Errorf("the verdict does not say %q:\n%s", lost, text)
	}
	if v := verify(t, 0, store, e.pub); v.Logs[0].TruncationChecked {
		t.Error("says that it checked for a cut-off end, without a checkpoint")
	}
	found := verify(t, 1, store, e.pub, "--since", e.kept).findings()
	if len(found) != 1 || found[0].Code != "rollback" || found[0].Log != logName {
		t.Errorf("got %+v, want one rollback of the log", found)
	}
	said := custody(t, "verify", store, "--key", e.pub, "--since", e.kept).want(t, 1).stdout
	if lost := missing(said, []string{"rollback", "log " + logName, fmt.Sprint(e.records)}); len(lost) > 0 {
		t.Errorf("the verdict does not say %q:\n%s", lost, said)
	}
	verify(t, 0, e.store, e.pub, "--since", e.kept)
}

// swap exchanges the contents of two segments under their names.
func (e *evidence) swap(t *testing.T) {
	store := copyStore(t, e.store)
	segments := objects(t, store, "segments")
	a, b, aside := segments[1], segments[4], filepath.Join(t.TempDir(), "aside")
	for _, move := range [][2]string{{a, aside}, {b, a}, {aside, b}} {
		if err := os.Rename(move[0], move[1]); err != nil {
			t.Fatal(err)
		}
	}
	wantFinding(t, store, e.pub, firstOf(t, a), []string{"segment-altered"})
	wantFinding(t, store, e.pub, firstOf(t, b), []string{"segment-altered"})
}

// resign seals the very same segments again with another key of the same name:
// a log that contradicts nothing, except that nobody trusts its key.
func (e *evidence) resign(t *testing.T) {
	skey, vkey, err := checkpoint.GenerateKey(rand.Reader, origin)
	if err != nil {
		t.Fatal(err)
	}
	prefix := filepath.Join(t.TempDir(), "other")
	if err := keyfile.Write(prefix, skey, vkey); err != nil {
		t.Fatal(err)
	}
	signer, err := checkpoint.NewSigner(skey)
	if err != nil {
		t.Fatal(err)
	}
	store := copyStore(t, e.store)
	place := seal.Genesis(logName, origin, vkey, [32]byte{1})
	for i, name := range objects(t, store, "seals") {
		v := sealAgain(t, place, objects(t, store, "segments")[i], signer)
		edit(t, name, func([]byte) []byte { return v.Bytes() })
		place = v.Place()
	}
	verify(t, 0, store, prefix+keyfile.VerifierSuffix)
	wantFinding(t, store, e.pub, 0, []string{"seal-signature"})
	custody(t, "verify", store, "--key", e.pub, "--since", e.kept).want(t, 1)
}

func sealAgain(t *testing.T, place seal.Place, name string, signer *checkpoint.Signer) *seal.Verified {
	t.Helper()
	object, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	s, err := segment.Parse(object)
	if err != nil {
		t.Fatal(err)
	}
	text, err := segment.NewDecoder().Inflate(s)
	if err != nil {
		t.Fatal(err)
	}
	c := seal.Content{Object: object, Seed: s.Seed, Checkpoints: signer}
	for _, line := range segment.Lines(text) {
		c.Digests = append(c.Digests, tree.Digest(line))
		c.ClosedLine = line
	}
	v, _, err := seal.Build(place, c)
	if err != nil {
		t.Fatal(err)
	}
	return v
}
