package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"

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
	if err := checkpoint.CheckOrigin(*name); err != nil {
		return usagef("--name: %v", err)
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
