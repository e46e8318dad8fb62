package verify_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/otelcol-custody/custody/ledger/checkpoint"
	"github.com/otelcol-custody/custody/ledger/ledgertest"
	"github.com/otelcol-custody/custody/ledger/seal"
	"github.com/otelcol-custody/custody/ledger/tree"
	"github.com/otelcol-custody/custody/ledger/verify"
)

const origin = "custody.example/test"

// objects are what lies in a log's folder.
type objects map[string][]byte

func put(segments ...ledgertest.Segment) objects {
	o := objects{}
	for _, s := range segments {
		o[s.Seal.Name()] = s.Seal.Bytes()
		o[s.Seal.SegmentName()] = s.Object
		for _, tile := range s.Tiles {
			o[fmt.Sprintf("tiles/%d/%020d.tile", tile.Level, tile.Index)] = tile.Bytes()
		}
	}
	return o
}

func (o objects) fs() fstest.MapFS {
	m := fstest.MapFS{}
	for name, b := range o {
		m[name] = &fstest.MapFile{Data: b}
	}
	return m
}

// flip returns a copy with a bit of an object turned.
func (o objects) flip(name string, at int) objects {
	c := maps.Clone(o)
	c[name] = bytes.Clone(o[name])
	c[name][at] ^= 0x10
	return c
}

func check(t testing.TB, fsys fs.FS, keys *checkpoint.Keys, since ...checkpoint.Signed) *verify.Report {
	t.Helper()
	r, err := verify.Log(context.Background(), fsys, "test", verify.Options{Keys: keys, Since: since, Workers: 2, Now: ledgertest.Began.Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// found lists findings as "code first" or "code first record".
func found(r *verify.Report) string {
	var out []string
	for _, f := range r.Findings {
		s := fmt.Sprintf("%s %d", f.Code, f.First)
		if f.Record != nil {
			s += fmt.Sprintf(" %d", *f.Record)
		}
		out = append(out, s)
	}
	if !r.Complete() {
		out = append(out, "unread")
	}
	return strings.Join(out, ", ")
}

func want(t *testing.T, name string, r *verify.Report, findings string) {
	t.Helper()
	if got := found(r); got != findings {
		t.Errorf("%s:\n got %s\nwant %s\n%v\nnotices %q\nunread %q", name, got, findings, r.Findings, r.Notices, r.Unread)
	}
}

// broken is a file system in which reads of some names fail.
type broken struct {
	fs.FS
	names []string
}

var errDisk = errors.New("input/output error")

func (b broken) Open(name string) (fs.File, error) {
	if slices.Contains(b.names, name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: errDisk}
	}
	return b.FS.Open(name)
}

// unsteady serves other bytes for a name at each read.
type unsteady struct {
	fs.FS
	name  string
	reads *int
}

func (u unsteady) Open(name string) (fs.File, error) {
	if name != u.name {
		return u.FS.Open(name)
	}
	*u.reads++
	b, err := fs.ReadFile(u.FS, name)
	if err != nil {
		return nil, err
	}
	b = bytes.Clone(b)
	b[len(b)-*u.reads] ^= 1
	return fstest.MapFS{name: {Data: b}}.Open(name)
}

func emptyRoot() tree.Hash { return (&tree.Edge{}).Root() }

// rootAt is the root of a log's first records.
func rootAt(l *ledgertest.Log, size uint64) tree.Hash {
	e := &tree.Edge{}
	for _, s := range l.Segments {
		for i := 0; i < s.Seal.Count && e.Size() < size; i++ {
			e.Append(s.Seal.Link(i), nil)
		}
	}
	return e.Root()
}

// restarted is a log named "test" from another genesis than ledgertest's.
func restarted(t testing.TB, s *checkpoint.Signer, counts ...int) []ledgertest.Segment {
	t.Helper()
	at := seal.Genesis("test", s.Name(), s.VerifierKey(), [32]byte{9})
	out := ledgertest.Chain(t, s, counts...)
	for i := range out {
		c := seal.Content{Object: out[i].Object, Seed: out[i].Seed, ClosedLine: out[i].Lines[len(out[i].Lines)-1], Checkpoints: s}
		for _, line := range out[i].Lines {
			c.Digests = append(c.Digests, tree.Digest(line))
		}
		v, tiles, err := seal.Build(at, c)
		if err != nil {
			t.Fatal(err)
		}
		out[i].Seal, out[i].Tiles = v, tiles
		at = v.Place()
	}
	return out
}
