package distro

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/otelcol-custody/custody/internal/storeconfig"
	"github.com/otelcol-custody/custody/internal/transfer"
	"github.com/otelcol-custody/custody/store/dirstore"
)

// formsHelp is storeconfig.Forms for a terminal.
const formsHelp = `a directory or one of
  s3://BUCKET/PREFIX
  gs://BUCKET/PREFIX
  azblob://ACCOUNT.blob.core.windows.net/CONTAINER/PREFIX
with settings behind it as in ?region=eu-central-1&retention.days=2557, which are
those of the exporters. Credentials come from where the provider's own command
finds them, never from an argument.`

const storeHelp = `STORE is ` + formsHelp

const exitHelp = `Exit status: 0 done, 1 tampering found, 2 wrong usage, 3 could not finish; then
the same command goes on where it stopped.`

const fetchHelp = `Copies logs from a store into the directory DIR, for custody verify. Done again, it
copies only what is new. It needs no key: what is genuine is for custody verify to
say, with a key that came another way.

Where the store has versions, all are looked at: of a segment the one is taken
that hashes to its name, whatever lies on top; of seals every content is kept.

` + storeHelp + `

` + exitHelp

func (s *stores) fetch() *cobra.Command {
	var f common
	cmd := &cobra.Command{
		Use: "fetch STORE DIR", Short: "Copy logs from a store into a directory, for custody verify", Long: fetchHelp,
		Example: `  otelcol-custody fetch 's3://acme-audit/logs?region=eu-central-1' evidence
  custody verify evidence --key log.pub`,
		Args: arguments("STORE", "DIR"),
		RunE: func(cmd *cobra.Command, args []string) error {
			from, err := s.read("STORE", args[0])
			if err == nil {
				err = f.check()
			}
			if err == nil {
				err = checkCopy(args[1], from.ID())
			}
			if err != nil {
				return err
			}
			doc := &document{Command: "fetch", Software: s.software, From: from.ID()}
			return f.run(cmd, doc, func(ctx context.Context, opt transfer.Options) (*transfer.Result, error) {
				return fetch(ctx, from, args[1], doc, opt)
			})
		},
	}
	f.add(cmd)
	return cmd
}

func fetch(ctx context.Context, c storeconfig.Store, dir string, doc *document, opt transfer.Options) (_ *transfer.Result, err error) {
	from, err := open(ctx, c, true)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	to, err := dirstore.Open(dir, dirstore.Options{Immutable: dirstore.ImmutableOff})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	doc.To = to.ID()
	return transfer.Fetch(ctx, from, to, opt)
}
