package archive_test

import (
	"errors"
	"io/fs"
	"slices"
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

// A folder of which it cannot be told whether it is a log is not passed over.
func TestUnreadableFolderIsALog(t *testing.T) {
	files, _ := store(t)
	files["other/x/y"] = &fstest.MapFile{}
	for _, dir := range []string{"seals", "segments"} {
		got, err := archive.Logs(denied{files, "test/" + dir})
		if err != nil || !slices.Equal(got, []string{"test"}) {
			t.Errorf("%s: got %v, %v", dir, got, err)
		}
	}
	if got, err := archive.Logs(denied{files, "other/"}); err != nil || !slices.Equal(got, []string{"other", "test"}) {
		t.Errorf("got %v, %v", got, err)
	}
	if _, err := archive.Logs(denied{files, "."}); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("got %v, want that the store cannot be listed", err)
	}
}

// denied refuses every name with a prefix.
type denied struct {
	fs.FS
	prefix string
}

func (d denied) Open(name string) (fs.File, error) {
	if strings.HasPrefix(name, d.prefix) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
	}
	return d.FS.Open(name)
}
