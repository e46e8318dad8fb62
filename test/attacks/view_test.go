package attacks

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/otelcol-custody/custody/ledger/tree"
)

// A view is the tlog-tiles tree of the log, as `custody export-tlog` wrote it
// before the attack: what other people's verifiers can read. It holds the
// commitments to the records, not the records.
type view struct {
	*scene
	dir string
}

const entrySize = 2 + 65 // a bundle's entry, behind its length

func (v *view) path(name string) string { return filepath.Join(v.dir, filepath.FromSlash(name)) }

const (
	bundle = "tile/entries/000.p/17"
	tile0  = "tile/0/000.p/17"
)

func (v *view) edit(name string, change func([]byte) []byte) {
	v.Helper()
	b, err := os.ReadFile(v.path(name))
	must(v, err)
	must(v, os.WriteFile(v.path(name), change(b), 0o644))
}

// entries changes the bundle, entry by entry.
func (v *view) entries(change func([][]byte) [][]byte) {
	v.edit(bundle, func(b []byte) []byte { return bytes.Join(change(slices.Collect(slices.Chunk(b, entrySize))), nil) })
}

func (v *view) flipEntry() {
	v.entries(func(e [][]byte) [][]byte { e[9][entrySize-1] ^= 1; return e })
}
func (v *view) dropEntry() {
	v.entries(func(e [][]byte) [][]byte { return slices.Delete(e, 9, 10) })
}
func (v *view) repeatEntry() {
	v.entries(func(e [][]byte) [][]byte { e[10] = e[9]; return e })
}
func (v *view) swapEntries() {
	v.entries(func(e [][]byte) [][]byte { e[8], e[9] = e[9], e[8]; return e })
}
func (v *view) cutBundle()  { v.edit(bundle, func(b []byte) []byte { return b[:len(b)/2] }) }
func (v *view) dropBundle() { must(v, os.Remove(v.path(bundle))) }
func (v *view) flipTile()   { v.edit(tile0, flip(0.5)) }
func (v *view) cutTile()    { v.edit(tile0, func(b []byte) []byte { return b[:len(b)-32] }) }
func (v *view) dropTile()   { must(v, os.Remove(v.path(tile0))) }

func (v *view) flipSignature() {
	v.edit("checkpoint", func(b []byte) []byte {
		at := bytes.Index(b, []byte("\n— ")) + len("\n— ") + len(origin) + 20
		b[at] = "AB"[b[at]&1]
		return b
	})
}

func (v *view) wrongRoot() {
	v.edit("checkpoint", func([]byte) []byte { return v.checkpointNote(v.signer, 17, tree.Hash{1}) })
}

func (v *view) signAgain() {
	v.edit("checkpoint", func([]byte) []byte {
		return v.checkpointNote(impostor(v), 17, v.log.Segments[4].Seal.After().Root)
	})
}

// exported is the view of the store behind the attack.
func (v *view) exported() {
	must(v, os.RemoveAll(v.dir))
	v.export()
}

func (v *view) export() {
	store, _, _ := v.scene.dir(v)
	out, exit, _ := run(v, custody(v), "export-tlog", store, "--log", logName, "--out", v.dir)
	if exit != 0 {
		v.Fatalf("export-tlog: exit %d\n%s", exit, out)
	}
	must(v, exec.Command("chmod", "-R", "u+w", v.dir).Run())
}

// checker is other people's code around which tools/tlogcheck is.
var checker struct {
	once sync.Once
	err  error
	out  []byte
}

func tlogcheck(t testing.TB) string {
	t.Helper()
	path := filepath.Join(filepath.Dir(custody(t)), "tlogcheck")
	checker.once.Do(func() {
		cmd := exec.Command("go", "build", "-o", path, "./tlogcheck")
		cmd.Dir = filepath.Join(top, "tools")
		checker.out, checker.err = cmd.CombinedOutput()
	})
	if checker.err != nil {
		t.Fatalf("build tlogcheck: %v\n%s", checker.err, checker.out)
	}
	return path
}

// A rival is a verifier that other people wrote for other people's logs. What it
// finds is shown and not demanded.
type rival interface {
	column() string
	reads() string // what the same attack is done to
	verdict(testing.TB, trial) cell
}

func rivals() []rival {
	return []rival{tlogRival{"Tessera fsck", "tessera: "}, tlogRival{"torchwood", "torchwood: "}, journald{}}
}

// tlogRival is one of those around which tools/tlogcheck is.
type tlogRival struct{ name, says string }

func (r tlogRival) column() string { return r.name }
func (r tlogRival) reads() string  { return "the tlog-tiles view" }

func (r tlogRival) verdict(t testing.TB, tr trial) (c cell) {
	if tr.view == nil || tr.kept {
		return c
	}
	s := tr.family.set(t)
	v := &view{s, filepath.Join(t.TempDir(), "tlog")}
	v.export()
	if tr.do != nil {
		tr.do(s)
		tr.view(v)
	}
	_, key, _ := s.dir(t)
	cmd := exec.Command(tlogcheck(t), "--key", key, v.dir)
	var errs strings.Builder
	cmd.Stderr = &errs
	began := time.Now()
	err := cmd.Run()
	took := time.Since(began)
	if err != nil && cmd.ProcessState.ExitCode() != 1 {
		t.Errorf("%s: tlogcheck: %v\n%s", tr.id, err, errs.String())
	}
	c = cell{judge: r.name, asked: true, due: true, found: err != nil && strings.Contains(errs.String(), r.says), ms: max(1, took.Milliseconds())}
	if strings.Contains(errs.String(), r.says+"fsck panics") {
		c.said = []finding{{"panics", ""}}
	}
	return c
}
