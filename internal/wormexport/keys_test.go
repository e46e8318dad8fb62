package wormexport

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/otelcol-custody/custody/ledger/ledgertest"
)

func TestReadKeys(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	line := ledgertest.Signer(t, origin).VerifierKey() + "\n"
	good := write("log.pub", "# ours\n"+line)
	keys, err := ReadKeys([]string{good, good, write("again.pub", line)})
	if err != nil || !keys.Trusts(origin) {
		t.Errorf("got %v, %v", keys, err)
	}
	private := write("log.key", "PRIVATE+KEY+custody.example/test+f3020c4a+AAAA\n")
	for name, c := range map[string]struct{ keys, want []string }{
		"missing":     {[]string{good, filepath.Join(dir, "none.pub")}, []string{"log_keys[1]: ", "none.pub", "custody keygen"}},
		"private":     {[]string{private}, []string{"log_keys[0]: " + private, "is a private key; give the public one (.pub)"}},
		"noise":       {[]string{write("noise", "hello\n")}, []string{"line 1 is not a verifier key"}},
		"empty":       {[]string{write("empty", "# none\n")}, []string{"no verifier key found"}},
		"folder":      {[]string{dir}, []string{"is not a file of keys"}},
		"too large":   {[]string{write("large", strings.Repeat("#\n", maxKeyFile))}, []string{"is not a file of keys"}},
		"two at once": {[]string{private, dir}, []string{"log_keys[0]: ", "log_keys[1]: "}},
		"none":        {nil, []string{"log_keys: "}},
	} {
		_, err := ReadKeys(c.keys)
		for _, want := range c.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: got %v, want it to say %q", name, err, want)
			}
		}
	}
}
