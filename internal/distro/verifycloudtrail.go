package distro

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/otelcol-custody/custody/audit/cloudtrail/digest"
	"github.com/otelcol-custody/custody/audit/cloudtrail/digest/digestdir"
	"github.com/otelcol-custody/custody/internal/transfer"
)

const verifyCloudTrailHelp = `Verifies a copy of a bucket of CloudTrail by CloudTrail's own digests, offline: the
signature of every digest, that each names the one before, one an hour, the hash of
every log file that they list, and that every log file there is listed.

DIR is a copy of the bucket's root, or has a folder for each bucket. The signature of a
digest stands in the object's metadata, which most tools do not copy. It belongs beside
the digest, in a file with .metadata.json behind its name; what aws prints will do:

  aws s3 sync s3://BUCKET/AWSLogs DIR/AWSLogs
  cd DIR && find . -path '*/CloudTrail-Digest/*' -name '*.json.gz' | cut -c 3- |
  while read -r key; do
    aws s3api head-object --bucket BUCKET --key "$key" > "$key.metadata.json"
  done

Without metadata everything but the newest digest of each region is still proven, since
each digest states the signature of the one before.

Public keys come from CloudTrail, for each region and only there, for the time of the
digests. Keep them: they are no secret, and cannot be asked for after all time.

  aws cloudtrail list-public-keys --region eu-central-1 --start-time 2026-03-01T00:00:00Z \
    --end-time 2026-04-01T02:00:00Z > keys-eu-central-1.json

docs/cloudtrail-digests.md says what this proves, and what it does not.

Exit status: 0 verified, 1 tampering or gaps found, 2 wrong usage, 3 could not finish, or
not all is proven.`

// maxKeyList bounds a file with public keys: CloudTrail has a few a month and region.
const maxKeyList = 16 << 20

type verifyCloudTrailFlags struct {
	keys        []string
	bucket      string
	from, to    string
	grace       time.Duration
	workers     int
	json, quiet bool
}

func (s *stores) verifyCloudTrail() *cobra.Command {
	var f verifyCloudTrailFlags
	cmd := &cobra.Command{
		Use: "verify-cloudtrail DIR --keys FILE", Short: "Verify a copy of a CloudTrail bucket by CloudTrail's own digests", Long: verifyCloudTrailHelp,
		Example: `  otelcol-custody verify-cloudtrail copy --keys keys-eu-central-1.json --keys keys-us-east-1.json
  otelcol-custody verify-cloudtrail copy --keys keys.json --bucket acme-trail --from 2026-03-01 --to 2026-04-01`,
		Args: arguments("DIR"),
		RunE: func(cmd *cobra.Command, args []string) error {
			opt, err := f.options()
			if err != nil {
				return err
			}
			if info, err := os.Stat(args[0]); err != nil {
				return usagef("DIR: %w", err)
			} else if !info.IsDir() {
				return usagef("DIR: %s is not a directory", args[0])
			}
			return s.runVerifyCloudTrail(cmd, args[0], &f, opt)
		},
	}
	cmd.Flags().StringArrayVar(&f.keys, "keys", nil, "`FILE` with what list-public-keys printed; repeatable")
	cmd.Flags().StringVar(&f.bucket, "bucket", "", "The bucket's `NAME`, of which DIR is the root. Without it, what digests say of themselves is believed")
	cmd.Flags().StringVar(&f.from, "from", "", "From this `DATE` (2026-03-01, from midnight UTC) or time (RFC 3339) on")
	cmd.Flags().StringVar(&f.to, "to", "", "Up to this `DATE` or time; digests must go on until then")
	cmd.Flags().DurationVar(&f.grace, "grace", 24*time.Hour, "For a `TIME`, a log file that no digest lists may still be listed late")
	cmd.Flags().IntVar(&f.workers, "workers", runtime.GOMAXPROCS(0), "`N` files read at once")
	cmd.Flags().BoolVar(&f.json, "json", false, "Print one JSON document (docs/cli.md)")
	cmd.Flags().BoolVar(&f.quiet, "quiet", false, "Print nothing but findings")
	return cmd
}

func (f *verifyCloudTrailFlags) options() (opt digestdir.Options, err error) {
	if len(f.keys) == 0 {
		return opt, usagef("--keys is missing: name the file that `aws cloudtrail list-public-keys` printed for the region and time of the digests")
	}
	if f.workers < 1 {
		return opt, usagef("--workers must be at least 1")
	}
	if f.grace <= 0 {
		return opt, usagef("--grace must be positive")
	}
	opt = digestdir.Options{Bucket: f.bucket, Unlisted: f.grace, Workers: f.workers}
	for _, limit := range []struct {
		flag, text string
		to         *time.Time
	}{{"--from", f.from, &opt.From}, {"--to", f.to, &opt.To}} {
		if limit.text == "" {
			continue
		}
		if *limit.to, err = parseDay(limit.text); err != nil {
			return opt, usagef("%s: %q is neither a day (2026-03-01) nor a time (2026-03-01T00:00:00Z)", limit.flag, limit.text)
		}
	}
	if !opt.To.IsZero() && !opt.To.After(opt.From) {
		return opt, usagef("--to must be later than --from")
	}
	for _, path := range f.keys {
		keys, err := readKeyList(path)
		if err != nil {
			return opt, usagef("--keys: %s: %w", path, err)
		}
		opt.Keys = append(opt.Keys, keys...)
	}
	return opt, nil
}

func readKeyList(path string) ([]digest.Key, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // Only read from.
	data, err := io.ReadAll(io.LimitReader(f, maxKeyList+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxKeyList {
		return nil, fmt.Errorf("more than %d MiB", maxKeyList>>20)
	}
	return digest.ParseKeys(data)
}

func (s *stores) runVerifyCloudTrail(cmd *cobra.Command, dir string, f *verifyCloudTrailFlags, opt digestdir.Options) error {
	ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // A second Ctrl-C kills.
	b := newBar(cmd.ErrOrStderr(), time.Now)
	if !f.quiet {
		opt.Progress = func(p digestdir.Progress) {
			b.show(transfer.Progress{Log: "CloudTrail", Done: p.Done, Found: p.Found, Bytes: p.Bytes, Listed: p.Listed})
		}
	}
	report, err := digestdir.Verify(ctx, os.DirFS(dir), opt)
	b.clear()
	v := &cloudTrailVerdict{Report: report, dir: dir, opt: opt, checked: s.now().UTC(), software: s.software}
	if err != nil {
		v.errors = append(v.errors, explain(err))
	}
	if err := v.print(cmd.OutOrStdout(), cmd.ErrOrStderr(), f); err != nil {
		return &exitError{exitUnfinished, fmt.Errorf("print the verdict: %w", err)}
	}
	if code := v.code(); code != exitDone {
		cmd.SilenceErrors = true // All is said.
		return &exitError{code, errors.New(v.name())}
	}
	return nil
}
