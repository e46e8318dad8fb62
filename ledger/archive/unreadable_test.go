package archive_test

import (
	"errors"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/otelcol-custody/custody/ledger/archive"
	"github.com/otelcol-custody/custody/ledger/ledgertest"
)

// unreadable lists everything and fails to open every seal.
type unreadable struct{ fs.FS }

func (u unreadable) Open(name string) (fs.File, error) {
	if strings.HasSuffix(name, ".seal") {
		return nil, &fs.PathError{Op: "open", Path: name, Err: errors.New("input/output error")}
	}
	return u.FS.Open(name)
}

func store(t *testing.T) (fstest.MapFS, []ledgertest.Segment) {
	files := fstest.MapFS{}
	chain := ledgertest.Chain(t, ledgertest.Signer(t, "custody.example/test"), 2, 3)
	for _, s := range chain {
		files["test/"+s.Seal.Name()] = &fstest.MapFile{Data: s.Seal.Bytes()}
		files["test/"+s.Seal.SegmentName()] = &fstest.MapFile{Data: s.Object}
	}
	return files, chain
}

func TestUnreadableSealsEnd(t *testing.T) {
	files, _ := store(t)
	_, err := archive.Open(unreadable{files}, "test", ledgertest.Keys(t, ledgertest.Signer(t, "custody.example/test")))
	if err == nil || errors.Is(err, archive.ErrBroken) {
		t.Errorf("got %v, want an error that accuses nobody", err)
	}
}

// What is no file, or too large for a seal, was put there: below it lies the
// valid seal.
func TestSquatters(t *testing.T) {
	keys := ledgertest.Keys(t, ledgertest.Signer(t, "custody.example/test"))
	files, chain := store(t)
	name := "test/" + chain[1].Seal.Name()
	beside := strings.TrimSuffix(name, ".seal")
	files[beside+".2.seal"] = files[name]
	files[name] = &fstest.MapFile{Mode: fs.ModeDir | 0o755}
	files[beside+".1.seal"] = &fstest.MapFile{Data: make([]byte, 33<<20)}
	l, err := archive.Open(files, "test", keys)
	if err != nil || l.Size() != 5 {
		t.Fatalf("got %v, want the seal below two squatters", err)
	}
	delete(files, beside+".2.seal")
	if l, err := archive.Open(files, "test", keys); err != nil || l.Size() != 2 || len(l.Passed()) != 1 || !errors.Is(l.Passed()[0], archive.ErrBroken) {
		t.Errorf("got %v, want the log up to the squatters, and what was passed over", err)
	}
}

// Whoever can write a file with a large name cannot hide the head.
func TestPlantedHead(t *testing.T) {
	files, chain := store(t)
	files["test/seals/09000000000000000000.seal"] = &fstest.MapFile{Data: []byte("planted")}
	files["test/seals/09000000000000000001.seal"] = &fstest.MapFile{Data: chain[0].Seal.Bytes()}
	l, err := archive.Open(files, "test", ledgertest.Keys(t, ledgertest.Signer(t, "custody.example/test")))
	if err != nil || l.Size() != 5 || len(l.Passed()) != 2 {
		t.Fatalf("got %v, want a log of 5 records and 2 seals passed over", err)
	}
	if e, err := l.Prove(4); err != nil || e.Index != 4 {
		t.Errorf("prove: %v", err)
	}
	_, err = archive.Open(files, "test", ledgertest.Keys(t, ledgertest.Signer(t, "custody.example/other")))
	if !errors.Is(err, archive.ErrBroken) {
		t.Errorf("with a wrong key: %v, want %v", err, archive.ErrBroken)
	}
}
