package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/otelcol-custody/custody/internal/keyfile"
	"github.com/otelcol-custody/custody/ledger/checkpoint"
)

const keygenHelp = `usage: custody keygen --name ORIGIN --out PREFIX

Makes the key pair of one log: PREFIX.key, the private key that the collector
seals with (mode 0600, its folder is made with 0700), and PREFIX.pub, the public
key that verifies. It never replaces a file.

  --name ORIGIN  the log's globally unique name, for example logs.example.com/gateway-1;
                 a URL without its scheme; it cannot be changed later
  --out PREFIX   where to write the two files

  custody keygen --name logs.example.com/gateway-1 --out keys/log

exit: 0 written, 2 wrong usage, a file that is there already included, 3 could not
be written
`

func runKeygen(_ context.Context, args []string, e env) error {
	a := newArguments()
	name := a.String("name", "", "")
	out := a.String("out", "", "")
	if _, err := a.parse(args); err != nil {
		return err
	}
	if *name == "" || *out == "" {
		return usagef("--name and --out are needed")
	}
	if err := checkName(*name); err != nil {
		return err
	}
	if err := checkPrefix(*out); err != nil {
		return err
	}
	skey, vkey, err := checkpoint.GenerateKey(rand.Reader, *name)
	if err != nil {
		return err
	}
	if err := keyfile.Write(*out, skey, vkey); errors.Is(err, fs.ErrExist) {
		return usagef("%v", err)
	} else if err != nil {
		return err
	}
	return e.print(fmt.Sprintf(`%s

%s  private: the collector seals with it. Whoever has it can sign
  another history, so it stays on that machine and in one backup that few can read.
%s  public: give it to everyone who verifies, by a way that does not
  lead through the store. They run: custody verify STORE --key %s
`, vkey, *out+keyfile.SignerSuffix, *out+keyfile.VerifierSuffix, *out+keyfile.VerifierSuffix))
}

func checkName(origin string) error {
	if scheme, _, ok := strings.Cut(origin, "://"); ok {
		return usagef("--name: leave out %q: an origin is a URL without its scheme", scheme+"://")
	}
	if err := checkpoint.CheckOrigin(origin); err != nil {
		return usagef("--name: %v", err)
	}
	return nil
}

// checkPrefix refuses a folder: the files in it would be hidden ones, called
// ".key" and ".pub", or lie beside it.
func checkPrefix(prefix string) error {
	info, err := os.Stat(prefix)
	if os.IsPathSeparator(prefix[len(prefix)-1]) || err == nil && info.IsDir() {
		return usagef("--out: %s is a folder; add a name: %s", prefix, filepath.Join(prefix, "log"))
	}
	return nil
}
