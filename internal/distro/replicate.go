package distro

import (
	"context"
	"errors"

	"github.com/spf13/cobra"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/otel/metric/noop"
	nooptrace "go.opentelemetry.io/otel/trace/noop"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/otelcol-custody/custody/internal/keyfile"
	"github.com/otelcol-custody/custody/internal/storeconfig"
	"github.com/otelcol-custody/custody/internal/transfer"
	"github.com/otelcol-custody/custody/internal/wormexport"
	"github.com/otelcol-custody/custody/ledger/checkpoint"
	"github.com/otelcol-custody/custody/store"
)

const replicateHelp = `Fills the store TO, new or repaired, from the store FROM. Every seal is checked
with the keys and must follow the one before, every segment must be what its seal
names. TO gets them in the order in which exporters store, with the retention that
its argument says. What TO has is not sent again. It may be in use meanwhile.

Where a segment is missing before its time or altered, or the stores hold
different histories, the log's copy ends there; the other logs go on.

FROM and TO are each ` + formsHelp + `

` + exitHelp

func (s *stores) replicate() *cobra.Command {
	var f common
	var keyFiles []string
	cmd := &cobra.Command{
		Use: "replicate FROM TO --key FILE", Short: "Fill a store from another one, verifying on the way", Long: replicateHelp,
		Example: `  otelcol-custody replicate /var/lib/custody/store 's3://acme-audit/logs?retention.mode=compliance&retention.days=2557' --key log.pub`,
		Args:    arguments("FROM", "TO"),
		RunE: func(cmd *cobra.Command, args []string) error {
			from, err := s.read("FROM", args[0])
			if err != nil {
				return err
			}
			to, err := s.read("TO", args[1])
			if err != nil {
				return err
			}
			keys, err := checkReplicate(from, to, keyFiles)
			if err == nil {
				err = f.check()
			}
			if err != nil {
				return err
			}
			doc := &document{Command: "replicate", Software: s.software, From: from.ID(), To: to.ID()}
			logger := zap.New(plainCore{out: zapcore.Lock(zapcore.AddSync(cmd.ErrOrStderr()))})
			for _, weaker := range to.Weaker() {
				logger.Warn(weaker, zap.String("store", to.ID()))
			}
			return f.run(cmd, doc, func(ctx context.Context, opt transfer.Options) (*transfer.Result, error) {
				return replicate(ctx, from, to, logger, transfer.ReplicateOptions{Options: opt, Keys: keys, Now: s.now})
			})
		},
	}
	cmd.Flags().StringArrayVar(&keyFiles, "key", nil, "`FILE` with the logs' public keys, one a line; repeatable")
	f.add(cmd)
	return cmd
}

func checkReplicate(from, to storeconfig.Store, keyFiles []string) (*checkpoint.Keys, error) {
	if from.ID() == to.ID() {
		return nil, usagef("FROM and TO are the same store")
	}
	if dir, ok := localPath(to.ID()); ok {
		if err := checkApart("TO", dir, from.ID()); err != nil {
			return nil, err
		}
	}
	if len(keyFiles) == 0 {
		return nil, usagef("--key is missing: name the file with the log's public key, which you got from somewhere else than the store")
	}
	keys, err := keyfile.ReadKeys(keyFiles...)
	if err != nil {
		return nil, usagef("--key: %w", err)
	}
	return keys, nil
}

func replicate(ctx context.Context, fromConfig, toConfig storeconfig.Store, logger *zap.Logger, opt transfer.ReplicateOptions) (_ *transfer.Result, err error) {
	from, err := open(ctx, fromConfig, true)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	to, err := open(ctx, toConfig, false)
	if err != nil {
		return nil, err
	}
	sink, err := newSink(to, toConfig.Policy(), logger, opt.Keys)
	if err != nil {
		return nil, errors.Join(err, to.Close())
	}
	defer func() { err = errors.Join(err, sink.close()) }()
	// Whether TO can retain is found out first. That it is away comes up again.
	if err := sink.Start(ctx, noHost{}); err != nil {
		return nil, usagef("TO: %w; settings stand behind a question mark, as in ?retention.mode=governance&retention.days=365 or ?require_lock=false", err)
	}
	opt.Sink = sink
	return transfer.Replicate(ctx, from, to, opt)
}

// A sink stores as the collector's exporters do.
type sink struct {
	*wormexport.Exporter
	to    store.Store
	taken bool // the exporter closes the store
}

func newSink(to store.Store, p storeconfig.Policy, logger *zap.Logger, keys *checkpoint.Keys) (*sink, error) {
	s := &sink{to: to}
	var err error
	s.Exporter, err = wormexport.New(wormexport.Settings{
		Telemetry: component.TelemetrySettings{
			Logger: logger, MeterProvider: noop.NewMeterProvider(), TracerProvider: nooptrace.NewTracerProvider(), Resource: pcommon.NewResource(),
		},
		ID: to.ID(), Keys: keys,
		Retention: wormexport.RetentionPolicy{Mode: p.Mode, For: p.For, LegalHold: p.LegalHold, RequireLock: p.RequireLock},
		Open: func(context.Context) (store.Store, error) {
			s.taken = true
			return to, nil
		},
	})
	return s, err
}

func (s *sink) close() error {
	err := s.Shutdown(context.Background())
	if !s.taken {
		err = errors.Join(err, s.to.Close())
	}
	return err
}

// noHost is the host of an exporter without a collector.
type noHost struct{}

func (noHost) GetExtensions() map[component.ID]component.Component { return nil }
