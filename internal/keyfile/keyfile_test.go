package keyfile

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/otelcol-custody/custody/ledger/checkpoint"
)

func pair(t *testing.T, origin string) (skey, vkey string) {
	t.Helper()
	skey, vkey, err := checkpoint.GenerateKey(rand.Reader, origin)
	if err != nil {
		t.Fatal(err)
	}
	return skey, vkey
}

func write(t *testing.T, path, text string, mode fs.FileMode) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestWriteThenRead(t *testing.T) {
	prefix := filepath.Join(t.TempDir(), "new", "log")
	skey, vkey := pair(t, "log.example/a")
	if err := Write(prefix, skey, vkey); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]fs.FileMode{prefix + ".key": 0o600, prefix + ".pub": 0o644, filepath.Dir(prefix): 0o700} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: mode %v, want %v (%v)", path, info.Mode().Perm(), want, err)
		}
	}
	s, err := ReadSigner(prefix + ".key")
	if err != nil || s.VerifierKey() != vkey {
		t.Fatalf("ReadSigner = %v, %v, want the key %s", s, err, vkey)
	}
	keys, err := ReadKeys(prefix + ".pub")
	if err != nil || !keys.Has(vkey) {
		t.Fatalf("ReadKeys = %v, %v, want the key %s", keys, err, vkey)
	}
}

func TestWriteNeverReplaces(t *testing.T) {
	for _, there := range []string{".key", ".pub"} {
		prefix := filepath.Join(t.TempDir(), "log")
		write(t, prefix+there, "precious", 0o600)
		skey, vkey := pair(t, "log.example/a")
		if err := Write(prefix, skey, vkey); !errors.Is(err, fs.ErrExist) {
			t.Errorf("Write over %s: %v, want %v", there, err, fs.ErrExist)
		}
		if b, err := os.ReadFile(prefix + there); err != nil || string(b) != "precious" {
			t.Errorf("%s now holds %q (%v)", there, b, err)
		}
		entries, err := os.ReadDir(filepath.Dir(prefix))
		if err != nil || len(entries) != 1 {
			t.Errorf("%d files beside %s, want none (%v)", len(entries)-1, there, err)
		}
	}
}

func TestReadSignerRefuses(t *testing.T) {
	dir := t.TempDir()
	skey, vkey := pair(t, "log.example/a")
	path := func(name string) string { return filepath.Join(dir, name) }
	secret := skey[len(skey)-20:]
	for _, c := range []struct{ name, path, want string }{
		{"readable by the group", write(t, path("group.key"), skey+"\n", 0o640), "0640, others may use it; run: chmod 600 " + path("group.key")},
		{"readable by the world", write(t, path("world.key"), skey+"\n", 0o604), "chmod 600"},
		{"writable by the group", write(t, path("w.key"), skey+"\n", 0o620), "chmod 600"},
		{"missing", path("none.key"), "custody keygen --name ORIGIN --out " + path("none")},
		{"a folder", dir, "it is a folder"},
		{"the verifier key", write(t, path("pub.key"), vkey+"\n", 0o600), "not a signer key"},
		{"empty", write(t, path("empty.key"), "", 0o600), "not a signer key"},
		{"damaged", write(t, path("bad.key"), skey[:len(skey)-9]+secret[:5]+"\n", 0o600), "not a signer key"},
		{"two keys", write(t, path("two.key"), skey+"\n"+skey+"\n", 0o600), "not a signer key"},
		{"too large", write(t, path("big.key"), string(bytes.Repeat([]byte("x"), maxFile+1)), 0o600), "not a key file"},
	} {
		s, err := ReadSigner(c.path)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, %v, want an error with %q", c.name, s, err, c.want)
		} else if strings.Contains(err.Error(), secret) {
			t.Errorf("%s: the error quotes the secret: %v", c.name, err)
		} else if strings.Count(err.Error(), c.path) == 0 {
			t.Errorf("%s: the error does not name the file: %v", c.name, err)
		}
	}
}

func TestReadKeys(t *testing.T) {
	dir := t.TempDir()
	skeyA, a := pair(t, "log.example/a")
	_, b := pair(t, "log.example/b")
	fileA := write(t, filepath.Join(dir, "a.pub"), "# the gateway\n\n"+a+"\n", 0o644)
	both := write(t, filepath.Join(dir, "both.pub"), b+"\n"+a+"\n"+a+"\n", 0o644)
	keys, err := ReadKeys(fileA, both)
	if err != nil {
		t.Fatal(err)
	}
	if got := keys.VerifierKeys(); len(got) != 2 || !keys.Has(a) || !keys.Has(b) {
		t.Errorf("keys %v, want %s and %s once each", got, a, b)
	}
	for name, c := range map[string]struct{ path, want string }{
		"private": {write(t, filepath.Join(dir, "a.key"), skeyA+"\n", 0o600), "private key"},
		"missing": {filepath.Join(dir, "none"), "no such file"},
		"folder":  {dir, "folder"},
		"empty":   {write(t, filepath.Join(dir, "empty"), "\n", 0o644), "no verifier key"},
		"junk":    {write(t, filepath.Join(dir, "junk"), "\x00\xff", 0o644), "line 1"},
	} {
		if _, err := ReadKeys(fileA, c.path); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), c.path) {
			t.Errorf("%s: got %v, want an error with %q and %s", name, err, c.want, c.path)
		}
	}
}

func TestQuote(t *testing.T) {
	for in, want := range map[string]string{"a/b-1_2.key": "a/b-1_2.key", "a b": "'a b'", "it's": `'it'\''s'`} {
		if got := quote(in); got != want {
			t.Errorf("quote(%q) = %s, want %s", in, got, want)
		}
	}
}
