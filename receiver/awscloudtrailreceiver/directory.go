package awscloudtrailreceiver

import (
	"context"
	"errors"
	"fmt"
	"go.uber.org/zap"

	"github.com/otelcol-custody/custody/internal/contents"
	"github.com/otelcol-custody/custody/internal/follow"
	"github.com/otelcol-custody/custody/internal/ingest"
)

// A directory is the source of log files in a local tree, as `aws s3 sync` makes it.
type directory struct {
	*follow.Follower
	*deliverer
	health *health
}

func newDirectory(cfg *DirectoryConfig, r *cloudTrail) *directory {
	d := &directory{health: r.health, deliverer: r.newDeliverer("file://", zap.String("directory", cfg.Path))}
	d.Follower = follow.New(follow.Config{
		Root:            cfg.Path,
		Include:         cfg.Include,
		PollInterval:    cfg.PollInterval,
		StableFor:       cfg.StableFor,
		IncompleteAfter: cfg.IncompleteAfter,
		MaxInflated:     cfg.MaxInflatedMiB << 20,
		Workers:         cfg.Workers,
		Retry:           r.retry,
	}, r.positions, d, d)
	return d
}

// Idle implements [follow.Handler].
func (d *directory) Idle(ctx context.Context) { d.sink.report(ctx) }

// Done implements [follow.Observer].
func (d *directory) Done(f *contents.File) {
	ctx := context.Background()
	d.telemetry.AwsCloudtrailFiles.Add(ctx, 1)
	d.telemetry.AwsCloudtrailBytes.Add(ctx, f.Size)
	if f.Fault != nil {
		d.telemetry.AwsCloudtrailGaps.Add(ctx, 1)
		d.sink.count(ingest.Counts{Lost: 1}) // Nobody knows how many events.
		d.log.Warn("file could not be read whole; a gap record says so, and what could be read was delivered",
			zap.String("file", f.Path), zap.Int64("size", f.Size), zap.Error(f.Fault))
		return
	}
	d.log.Debug("file delivered", zap.String("file", f.Path), zap.Int64("size", f.Size))
}

// Duplicate implements [follow.Observer].
func (d *directory) Duplicate(path, original string, records int) {
	d.telemetry.AwsCloudtrailDuplicates.Add(context.Background(), 1)
	d.sink.count(ingest.Counts{Duplicate: int64(records)})
	d.log.Info("file was not read again: its content was delivered before",
		zap.String("file", path), zap.String("delivered_from", original), zap.Int("events", records))
}

// Trouble implements [follow.Observer].
func (d *directory) Trouble(path string, err error) {
	if errors.Is(err, contents.ErrParked) {
		d.log.Error("file cannot be delivered; its position is kept and it is tried again after a restart",
			zap.String("file", path), zap.Error(err))
		d.health.fail(fmt.Errorf("%s: %w", path, err))
		return
	}
	if path == "" {
		d.log.Warn("reading waits until positions can be written again", zap.Error(err))
		return
	}
	d.log.Warn("cannot read; it is tried again", zap.String("file", path), zap.Error(err))
}

// State implements [follow.Observer].
func (d *directory) State(s follow.State) {
	ctx := context.Background()
	d.telemetry.AwsCloudtrailBacklog.Record(ctx, int64(s.Backlog))
	d.telemetry.AwsCloudtrailTroubled.Record(ctx, int64(s.Troubled))
	var err error
	if s.Troubled > 0 {
		err = fmt.Errorf("%d files or folders are in trouble, for example: %w", s.Troubled, s.Example)
	}
	d.health.set("directory", err)
}
