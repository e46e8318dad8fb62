package verify_test

import (
	"fmt"
	"io/fs"
	"path"
	"runtime"
	"slices"
	"testing"
	"testing/fstest"

	"github.com/otelcol-custody/custody/ledger"
	"github.com/otelcol-custody/custody/ledger/ledgertest"
)

// hiding lists folders without some names, although the objects are there, as a
// folder may do to which somebody writes.
type hiding struct {
	fs.FS
	names []string // base names
}

type hidingFolder struct {
	fs.ReadDirFile
	names []string
}

func (h hiding) Open(name string) (fs.File, error) {
	f, err := h.FS.Open(name)
	if d, ok := f.(fs.ReadDirFile); ok && err == nil {
		return hidingFolder{d, h.names}, nil
	}
	return f, err
}

func (d hidingFolder) ReadDir(n int) ([]fs.DirEntry, error) {
	entries, err := d.ReadDirFile.ReadDir(n)
	return slices.DeleteFunc(slices.Clone(entries), func(e fs.DirEntry) bool { return slices.Contains(d.names, e.Name()) }), err
}

// A listing that misses objects is no evidence against the log.
func TestListingMisses(t *testing.T) {
	s := ledgertest.Signer(t, origin)
	keys := ledgertest.Keys(t, s)
	chain := ledgertest.Chain(t, s, 3, 5, 2, 4)
	last := chain[3].Seal.After()
	for missed := 1; missed < 1<<len(chain); missed++ {
		var names []string
		for i, c := range chain {
			if missed>>i&1 == 1 {
				names = append(names, path.Base(c.Seal.Name()), path.Base(c.Seal.SegmentName()))
			}
		}
		r := check(t, hiding{put(chain...).fs(), names}, keys, last)
		want(t, fmt.Sprintf("without %b", missed), r, "")
		if r.Checked != 14 {
			t.Errorf("without %b: %d records were checked, want 14", missed, r.Checked)
		}
	}

	// A squatter holds the name; the valid seal beside it is not listed.
	o := put(chain...)
	name, beside := chain[1].Seal.Name(), ledger.BesideSealName(3, 1)
	o[beside], o[name] = o[name], []byte("mine")
	r := check(t, hiding{o.fs(), []string{path.Base(beside)}}, keys, last)
	if want(t, "beside a squatter", r, "seal-malformed 3"); r.Checked != 14 {
		t.Errorf("%d records were checked, want 14", r.Checked)
	}

	// What is not there is missing, also when the rest is not listed.
	o = put(chain...)
	delete(o, name)
	want(t, "gone", check(t, hiding{o.fs(), []string{path.Base(chain[3].Seal.Name())}}, keys, last), "seal-missing 3")
}

// Copies of a seal are found and not kept: their number is the attacker's choice.
func TestCopiesAreNotKept(t *testing.T) {
	s := ledgertest.Signer(t, origin)
	chain := ledgertest.Chain(t, s, 20_000)
	m := put(chain...).fs()
	const copies = 80
	for n := 1; n <= copies; n++ {
		m[ledger.BesideSealName(0, n)] = &fstest.MapFile{Data: chain[0].Seal.Bytes()}
	}
	var before, last runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	r := check(t, atOpen{m, ledger.BesideSealName(0, copies), func() {
		runtime.GC()
		runtime.ReadMemStats(&last)
	}}, ledgertest.Keys(t, s))
	if len(r.Findings) != copies || r.Checked != 20_000 {
		t.Errorf("%d findings, %d records checked", len(r.Findings), r.Checked)
	}
	size := int64(len(chain[0].Seal.Bytes()))
	if grown := int64(last.HeapAlloc) - int64(before.HeapAlloc); grown > copies/4*size {
		t.Errorf("at the last of %d copies the heap has grown by %d bytes, a seal has %d", copies, grown, size)
	}
}

// atOpen calls do when a name is opened.
type atOpen struct {
	fs.FS
	name string
	do   func()
}

func (a atOpen) Open(name string) (fs.File, error) {
	if name == a.name {
		a.do()
	}
	return a.FS.Open(name)
}
