package verify_test

import (
	"context"
	"errors"
	"io/fs"
	"testing"
	"testing/fstest"
	"time"

	"github.com/otelcol-custody/custody/ledger/ledgertest"
	"github.com/otelcol-custody/custody/ledger/verify"
)

// unreadable fails every open below a folder, as a folder without permission or
// a link that leads outside does.
type unreadable struct {
	fs.FS
	dir string
}

func (u unreadable) Open(name string) (fs.File, error) {
	if len(name) >= len(u.dir) && name[:len(u.dir)] == u.dir {
		return nil, &fs.PathError{Op: "open", Path: name, Err: errors.New("input/output error")}
	}
	return u.FS.Open(name)
}

func TestUnreadableFolderEnds(t *testing.T) {
	signer := ledgertest.Signer(t, "custody.example/test")
	files := fstest.MapFS{}
	for _, s := range ledgertest.Chain(t, signer, 2, 3) {
		files[s.Seal.Name()] = &fstest.MapFile{Data: s.Seal.Bytes()}
		files[s.Seal.SegmentName()] = &fstest.MapFile{Data: s.Object}
	}
	for _, dir := range []string{"seals", "segments"} {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		r, err := verify.Log(ctx, unreadable{files, dir}, "test", verify.Options{Keys: ledgertest.Keys(t, signer), Now: ledgertest.Began})
		if err != nil {
			t.Fatalf("%s: %v", dir, err)
		}
		if r.Complete() || r.Tampered() {
			t.Errorf("%s: complete %v, findings %v, want that it could not be read", dir, r.Complete(), r.Findings)
		}
	}
}
