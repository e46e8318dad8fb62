package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestUsage(t *testing.T) {
	f := newFixture(t)
	for _, c := range []struct {
		args []string
		want string
	}{
		{nil, "usage: custody COMMAND"},
		{[]string{"verfy"}, `unknown command "verfy"`},
		{[]string{"help", "verfy"}, `unknown command "verfy"`},
		{[]string{"verify"}, "STORE is missing"},
		{[]string{"verify", f.store}, "--key is missing"},
		{[]string{"verify", f.store, "more", "--key", f.key}, `unexpected argument "more"`},
		{[]string{"verify", f.store, "--kee", f.key}, "unknown flag --kee"},
		{[]string{"verify", f.store, "--key"}, "--key needs a value"},
		{[]string{"verify", f.store, "--key", f.key, "--workers", "x"}, `invalid value "x" for --workers`},
		{[]string{"verify", f.store, "--key", f.key, "--workers", "0"}, "at least 1"},
		{[]string{"verify", f.store, "--key", ""}, "must not be empty"},
		{[]string{"inspect"}, "STORE is missing"},
		{[]string{"check-proof"}, "FILE is missing"},
		{[]string{"keygen", "--name", "a"}, "--name and --out are needed"},
		{[]string{"keygen", "--name", "a b", "--out", f.path("k")}, "white space"},
		{[]string{"keygen", "--name", "https://a/b", "--out", f.path("k")}, `--name: leave out "https://": an origin is a URL without its scheme`},
		{[]string{"keygen", "--name", "a", "--out", "kk/"}, "--out: kk/ is a folder; add a name: kk/log"},
		{[]string{"keygen", "--name", "a", "--out", f.dir}, "--out: " + f.dir + " is a folder; add a name: " + f.path("log")},
		{[]string{"version", "now"}, "unexpected argument"},
		{[]string{"verify", "", "--key", f.key}, "STORE is empty"},
		{[]string{"inspect", ""}, "STORE is empty"},
		{[]string{"prove", "", "--index", "0", "--out", f.path("p")}, "STORE is empty"},
		{[]string{"pack", "", "--index", "0", "--out", f.path("p")}, "STORE is empty"},
		{[]string{"export-tlog", "", "--out", f.path("t")}, "STORE is empty"},
		{[]string{"check-proof", "", "--key", f.key}, "FILE is empty"},
		{[]string{"verify", f.store, "--key", f.key, "--log", "tets"}, `holds no log "tets"; it holds test`},
		{[]string{"verify", f.store, "--key", f.key, "--since", f.path("none")}, "none"},
		{[]string{"verify", f.store, "--key", f.key, "--since", f.key}, "cannot be used"},
		{[]string{"verify", f.store, "--key", f.key, "--since", f.key, "--json"}, "cannot be used"},
		{[]string{"inspect", f.store, "--log", "tets"}, `holds no log "tets"; it holds test`},
		{[]string{"prove", f.store, "--log", "tets", "--index", "0", "--out", f.path("p")}, `holds no log "tets"; it holds test`},
		{[]string{"export-tlog", f.store, "--log", "tets", "--out", f.path("t")}, `holds no log "tets"; it holds test`},
	} {
		f.run(c.args...)
		f.want(exitUsage, c.want)
		if f.stdout != "" {
			t.Errorf("%v: prints to stdout: %s", c.args, f.stdout)
		}
	}
}

func TestHelp(t *testing.T) {
	f := newFixture(t)
	for _, c := range commands() {
		f.run("help", c.name)
		f.want(exitVerified, "usage: custody "+c.name)
		want := f.stdout
		for _, flag := range []string{"--help", "-h"} {
			f.run(c.name, f.store, flag)
			f.want(exitVerified)
			if f.stdout != want {
				t.Errorf("custody %s %s prints\n%s", c.name, flag, f.stdout)
			}
		}
		for line := range strings.Lines(want) {
			if len([]rune(line)) > 110 {
				t.Errorf("%s: a line of %d characters: %s", c.name, len(line), line)
			}
		}
	}
	f.run("help")
	f.want(exitVerified, "exit: 0 verified")
	f.run("--help")
	f.want(exitVerified, "exit: 0 verified")
	f.run("version")
	f.want(exitVerified, "custody dev")
	f.run("--version")
	f.want(exitVerified, "custody dev")
}

// Flags may stand anywhere.
func TestFlagOrder(t *testing.T) {
	f := newFixture(t)
	for _, args := range [][]string{
		{"verify", f.store, "--key", f.key},
		{"verify", "--key", f.key, f.store},
		{"verify", "--key=" + f.key, "--json", f.store, "--quiet"},
		{"verify", "-key", f.key, "--", f.store},
	} {
		f.run(args...)
		f.want(exitVerified)
	}
}

func TestKeygen(t *testing.T) {
	f := newFixture(t)
	prefix := f.path("keys/log")
	f.run("keygen", "--name", "logs.example.com/a", "--out", prefix)
	f.want(exitVerified, "logs.example.com/a+", "private: ", "custody verify STORE --key "+prefix+".pub")
	before := files(t, f.path("keys"))
	if !strings.Contains(f.stdout, strings.TrimSpace(before["log.pub"])) || strings.Contains(f.stdout, strings.TrimSpace(before["log.key"])) {
		t.Errorf("prints\n%s", f.stdout)
	}
	f.run("keygen", "--name", "logs.example.com/a", "--out", prefix)
	f.want(exitUsage, "never replaced")
	if after := files(t, f.path("keys")); after["log.key"] != before["log.key"] || after["log.pub"] != before["log.pub"] {
		t.Error("a key was replaced")
	}
	f.run("verify", f.store, "--key", prefix+".key")
	f.want(exitUsage, "is a private key; give the public one")
}

// Every command takes a wrong key file for a mistake of its user.
func TestWrongKeyFile(t *testing.T) {
	f := newFixture(t)
	f.run("prove", f.store, "--index", "0", "--out", f.path("p"))
	f.run("pack", f.store, "--index", "0", "--out", f.path("q"))
	for _, key := range []string{f.path("none"), f.file("junk", "x"), f.file("a.key", "PRIVATE+KEY+a+b+c"), f.dir} {
		for _, args := range [][]string{
			{"verify", f.store}, {"verify", f.store, "--json"}, {"inspect", f.store}, {"prove", f.store, "--index", "0", "--out", f.path("p")},
			{"pack", f.store, "--index", "0", "--out", f.path("q")}, {"check-proof", f.path("q")}, {"check-proof", f.path("q"), "--json"},
			{"export-tlog", f.store, "--out", f.path("t")}, {"check-proof", f.path("p")}, {"check-proof", f.path("p"), "--json"},
		} {
			f.run(append(args, "--key", key)...)
			f.want(exitUsage, key)
			if f.stdout != "" {
				t.Errorf("%v: prints to stdout: %s", args, f.stdout)
			}
		}
	}
}

// Only verify speaks of verifying.
func TestNothingThere(t *testing.T) {
	f := newFixture(t)
	f.remove(filepath.Join(f.store, "test"))
	for _, args := range [][]string{{"inspect"}, {"prove", "--index", "0", "--out", f.path("p")}, {"pack", "--index", "0", "--out", f.path("q")}, {"export-tlog", "--out", f.path("t")}} {
		f.run(append(args, f.store)...)
		f.want(exitUnfinished, "holds no logs")
		if strings.Contains(f.err, "verified") {
			t.Errorf("%s says %s", args[0], f.err)
		}
	}
}

func TestInspect(t *testing.T) {
	f := newFixture(t)
	f.run("inspect", f.store, "--segments")
	f.want(exitVerified)
	f.golden("inspect.txt", f.stdout)
	f.run("inspect", f.store, "--segments", "--json")
	f.want(exitVerified)
	f.golden("inspect.json", f.stdout)
	f.run("inspect", f.store, "--key", f.key)
	f.want(exitVerified, "signatures were checked, the records were not")

	f.remove(f.segment(1))
	f.now = soon.Add(time.Hour)
	f.run("inspect", f.store)
	f.want(exitVerified, "3, 2 here", "overdue for 58m")

	f.flip(f.seal(1))
	f.run("inspect", f.store, "--key", f.key)
	f.want(exitTampered, "problem    seal of record 3:")

	f.write(f.seal(1), []byte("junk"))
	f.run("inspect", f.store)
	f.want(exitUnfinished, "problem    seal of record 3:")
	if strings.Contains(f.stdout, "no seal for") {
		t.Errorf("a seal that is there is said to be missing:\n%s", f.stdout)
	}
	f.remove(f.seal(1))
	f.run("inspect", f.store)
	f.want(exitUnfinished, "problem    no seal for records 3 to 7\n")
	f.remove(f.seal(0))
	f.run("inspect", f.store)
	f.want(exitUnfinished, "problem    no seal for records 0 to 7\n")

	f.remove(f.store)
	f.run("inspect", f.store)
	f.want(exitUnfinished, "no such file")
}

// A store in an archive is a store, with or without a folder around it.
func TestArchives(t *testing.T) {
	f := newFixture(t)
	dir := f.store
	for _, prefix := range []string{"", "copy/store/"} {
		for _, name := range []string{"store.zip", "store.tar"} {
			f.store = f.path(name)
			f.pack(dir, prefix)
			f.verify()
			f.want(exitVerified, "10 records in 3 segments")
			f.run("prove", f.store, "--index", "4", "--out", f.path("a.proof"))
			f.want(exitVerified)
		}
	}
	f.store = dir
	f.flip(f.segment(1))
	for _, name := range []string{"store.zip", "store.tar"} {
		f.store = f.path(name)
		f.pack(dir, "")
		f.verify()
		f.want(exitTampered, "segment-altered: log test, segment 3")
		b := f.read(f.store)
		f.write(f.store, b[:len(b)/2])
		f.verify()
		f.want(exitUnfinished)
	}
}

// pack writes the files below dir to the archive f.store.
func (f *fixture) pack(dir, prefix string) {
	f.t.Helper()
	var b bytes.Buffer
	create, finish := f.packer(&b)
	for name, content := range files(f.t, dir) {
		w, err := create(prefix+name, len(content))
		if err == nil {
			_, err = io.WriteString(w, content)
		}
		if err != nil {
			f.t.Fatal(err)
		}
	}
	if err := finish(); err != nil {
		f.t.Fatal(err)
	}
	f.write(f.store, b.Bytes())
}

func (f *fixture) packer(b *bytes.Buffer) (create func(string, int) (io.Writer, error), finish func() error) {
	if filepath.Ext(f.store) == ".zip" {
		z := zip.NewWriter(b)
		return func(name string, _ int) (io.Writer, error) { return z.Create(name) }, z.Close
	}
	t := tar.NewWriter(b)
	return func(name string, n int) (io.Writer, error) {
		return t, t.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "./" + name, Size: int64(n), Mode: 0o444})
	}, t.Close
}

// Entries that a tar file should not have are refused, or are at least no files.
func TestTarEntries(t *testing.T) {
	for _, c := range []struct {
		name    string
		headers []tar.Header
		want    string
	}{
		{"twice", []tar.Header{{Typeflag: tar.TypeReg, Name: "a"}, {Typeflag: tar.TypeReg, Name: "./a"}}, "twice"},
		{"outside", []tar.Header{{Typeflag: tar.TypeReg, Name: "../a"}}, "out of the archive"},
		{"absolute", []tar.Header{{Typeflag: tar.TypeReg, Name: "/a"}}, "out of the archive"},
		{"file and folder", []tar.Header{{Typeflag: tar.TypeReg, Name: "a"}, {Typeflag: tar.TypeReg, Name: "a/b"}}, "both a file and a folder"},
		{"link", []tar.Header{{Typeflag: tar.TypeSymlink, Name: "test/seals", Linkname: "/"}}, "holds no logs"},
	} {
		f := newFixture(t)
		var b bytes.Buffer
		w := tar.NewWriter(&b)
		for _, h := range c.headers {
			if err := w.WriteHeader(&h); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		f.store = f.path("x.tar")
		f.write(f.store, b.Bytes())
		f.verify()
		f.want(exitUnfinished, c.want)
	}
}

// A store that is read-only verifies: nothing is ever written to it.
func TestReadOnlyStore(t *testing.T) {
	f := newFixture(t)
	before := files(t, f.store)
	f.verify("--json")
	f.run("inspect", f.store)
	f.run("prove", f.store, "--index", "0", "--out", f.path("p"))
	f.run("pack", f.store, "--index", "0", "--out", f.path("q"))
	f.run("export-tlog", f.store, "--out", f.path("tlog"))
	after := files(t, f.store)
	if len(before) != len(after) {
		t.Errorf("%d files before, %d after", len(before), len(after))
	}
	for name := range before {
		if before[name] != after[name] {
			t.Errorf("%s was changed", name)
		}
	}
}

// The shape of the document does not depend on the verdict.
func TestJSONShape(t *testing.T) {
	f := newFixture(t)
	shape := func() map[string]any {
		var doc map[string]any
		if err := json.Unmarshal([]byte(f.stdout), &doc); err != nil {
			t.Fatalf("%v: %s", err, f.stdout)
		}
		return doc
	}
	f.verify("--json")
	good := shape()
	f.flip(f.segment(0))
	f.verify("--json")
	bad := shape()
	for key := range good {
		if _, ok := bad[key]; !ok {
			t.Errorf("after tampering the document lacks %q", key)
		}
	}
	finding := bad["logs"].([]any)[0].(map[string]any)["findings"].([]any)[0].(map[string]any)
	for _, key := range []string{"code", "log", "object", "first", "end", "message", "want", "got"} {
		if _, ok := finding[key]; !ok {
			t.Errorf("the finding lacks %q: %v", key, finding)
		}
	}
	if err := os.RemoveAll(f.store); err != nil {
		t.Fatal(err)
	}
	f.verify("--json")
	for key := range good {
		if _, ok := shape()[key]; !ok {
			t.Errorf("without a store the document lacks %q", key)
		}
	}
}
