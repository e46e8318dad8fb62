package main

import (
	"maps"
	"os"
	"path/filepath"
	"testing"
)

// Nothing is written into a store, whatever way the path takes.
func TestOutputInStore(t *testing.T) {
	f := newFixture(t)
	for name, target := range map[string]string{"link": f.store, "deep": filepath.Join(f.store, "test/seals"), "above": f.dir, "object": f.seal(0)} {
		if err := os.Symlink(target, f.path(name)); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(f.store) // so that relative paths lead into it
	before := files(t, f.store)
	for _, out := range []string{
		f.seal(0), filepath.Join(f.store, "new"), filepath.Join(f.store, "test", "new"), f.path("link/new"), f.path("object"),
		f.path("deep/00000000000000000000.seal"), f.path("above/store/new"), filepath.Join(f.dir, "other/../store/new"), "new", "test/new",
	} {
		const want = " lies in the store, which custody never writes to; choose another place"
		f.run("prove", f.store, "--index", "1", "--out", out)
		f.want(exitUsage, "--out: "+out+want)
		f.run("export-tlog", f.store, "--out", out)
		f.want(exitUsage, "--out: "+out+want)
		f.verify("--save-checkpoint", out)
		f.want(exitUsage, "--save-checkpoint: "+out+want)
	}
	for _, out := range []string{f.store, f.path("link"), ".", f.path("link/not/there/yet"), f.path("deep")} {
		f.run("export-tlog", f.path("link"), "--out", out)
		f.want(exitUsage, "lies in the store")
	}
	f.write(f.path("tree/x"), nil)
	if err := os.Symlink(f.store, f.path("tree/tile")); err != nil {
		t.Fatal(err)
	}
	f.run("export-tlog", f.store, "--out", f.path("tree"))
	f.want(exitUsage, f.path("tree/tile")+" lies in the store")
	if !maps.Equal(before, files(t, f.store)) {
		t.Error("the store was changed")
	}
	f.run("export-tlog", f.store, "--out", f.path("store2/tree"))
	f.want(exitVerified)
}

// Somebody else's file is never replaced.
func TestOutputReplaces(t *testing.T) {
	f := newFixture(t)
	private := f.file("log.key", "PRIVATE+KEY+x\n")
	archive := f.path("store.tar")
	dir := f.store
	f.store = archive
	f.pack(dir, "")
	for _, store := range []string{dir, archive} {
		for _, out := range []string{private, f.key, f.file("empty", "")} {
			before := string(f.read(out))
			f.run("prove", store, "--index", "1", "--out", out)
			f.want(exitUsage, "--out: "+out+" exists and is not an evidence file; it is not replaced")
			f.run("verify", store, "--key", f.key, "--save-checkpoint", out)
			f.want(exitUsage, out+" exists and is not a checkpoint; it is not replaced")
			if got := string(f.read(out)); got != before {
				t.Errorf("%s now holds %q", out, got)
			}
		}
		f.run("prove", store, "--index", "1", "--out", archive)
		f.want(exitUsage)
		f.run("prove", store, "--index", "1", "--out", f.path("none/a.proof"))
		f.want(exitUsage, "--out: folder "+f.path("none")+" does not exist")
		f.run("verify", store, "--key", f.key, "--save-checkpoint", f.path("none/kept"))
		f.want(exitUsage, "--save-checkpoint: folder "+f.path("none")+" does not exist")
		for _, index := range []string{"1", "2"} {
			f.run("prove", store, "--index", index, "--out", f.path("a.proof"))
			f.want(exitVerified, "proves record "+index)
		}
	}
	f.write(f.path("tree/checkpoint"), []byte("my notes\n"))
	f.run("export-tlog", dir, "--out", f.path("tree"))
	f.want(exitUsage, "--out: "+f.path("tree/checkpoint")+" is not a checkpoint; choose an empty folder")
}
