package hashchainprocessor

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"go.opentelemetry.io/collector/component"

	"github.com/otelcol-custody/custody/internal/sealer"
	"github.com/otelcol-custody/custody/ledger"
	"github.com/otelcol-custody/custody/ledger/checkpoint"
)

// Config is that of the hash_chain processor. README.md describes each setting.
type Config struct {
	Log                string        `mapstructure:"log"`
	Origin             string        `mapstructure:"origin"`
	StateDir           string        `mapstructure:"state_dir"`
	Key                KeyConfig     `mapstructure:"key"`
	OnMissingHead      string        `mapstructure:"on_missing_head"`
	Ack                string        `mapstructure:"ack"`
	AckTimeout         time.Duration `mapstructure:"ack_timeout"`
	Segment            SegmentConfig `mapstructure:"segment"`
	Spool              SpoolConfig   `mapstructure:"spool"`
	HeartbeatInterval  time.Duration `mapstructure:"heartbeat_interval"`
	CheckpointInterval time.Duration `mapstructure:"checkpoint_interval"`
	RetainFor          time.Duration `mapstructure:"retain_for"`
	MinStores          int           `mapstructure:"min_stores"`
	Emit               []string      `mapstructure:"emit"`

	// Drain is set by the command that ends a log, and stands in no file.
	Drain bool `mapstructure:"-"`
}

// KeyConfig says where the signing key is.
type KeyConfig struct {
	File string `mapstructure:"file"`
}

// SegmentConfig says when a segment is closed.
type SegmentConfig struct {
	MaxSizeMiB int           `mapstructure:"max_size_mib"`
	MaxAge     time.Duration `mapstructure:"max_age"`
}

// SpoolConfig limits what waits on the local disk.
type SpoolConfig struct {
	MaxSizeMiB int64 `mapstructure:"max_size_mib"`
}

// Values of on_missing_head, ack and emit.
const (
	onFail       = "fail"
	onGenesis    = "genesis"
	ackLocal     = "local"
	ackStored    = "stored"
	emitSegments = "segments"
	emitRecords  = "records"
)

func createDefaultConfig() component.Config {
	return &Config{
		OnMissingHead:      onFail,
		Ack:                ackLocal,
		AckTimeout:         20 * time.Second,
		Segment:            SegmentConfig{MaxSizeMiB: 16, MaxAge: time.Minute},
		Spool:              SpoolConfig{MaxSizeMiB: 10 << 10},
		HeartbeatInterval:  time.Minute,
		CheckpointInterval: time.Second,
		MinStores:          1,
		Emit:               []string{emitSegments},
	}
}

// Validate reports every fault, each led by its key. It touches no file.
func (c *Config) Validate() error {
	var errs []error
	fault := func(key, format string, args ...any) {
		errs = append(errs, fmt.Errorf(key+": "+format, args...))
	}
	if err := ledger.CheckLogName(c.Log); err != nil {
		fault("log", "%w", err)
	}
	if c.Origin != "" {
		if err := checkpoint.CheckOrigin(c.Origin); err != nil {
			fault("origin", "%w", err)
		}
	}
	if c.StateDir == "" {
		fault("state_dir", "required: a folder on a durable local disk that this log alone uses")
	}
	if c.Key.File == "" {
		fault("key::file", "required: a signing key; make one with `custody keygen --name <origin> --out <prefix>`")
	}
	oneOf := func(key, value string, allowed ...string) {
		if !slices.Contains(allowed, value) {
			fault(key, "must be one of %q, got %q", allowed, value)
		}
	}
	oneOf("on_missing_head", c.OnMissingHead, onFail, onGenesis)
	oneOf("ack", c.Ack, ackLocal, ackStored)
	for _, e := range c.Emit {
		oneOf("emit", e, emitSegments, emitRecords)
	}
	if !slices.Contains(c.Emit, emitSegments) {
		fault("emit", "must contain %q: without segments nothing is stored", emitSegments)
	}
	// A number without a unit is taken for nanoseconds.
	atLeast := func(key string, d, least time.Duration) {
		if d < least {
			fault(key, "must be at least %v, got %v; write a unit, as in 5s", least, d)
		}
	}
	atLeast("ack_timeout", c.AckTimeout, 100*time.Millisecond)
	if c.Ack == ackStored && c.AckTimeout < 2*sealer.AwaitedAge {
		fault("ack_timeout", "must be at least %v with ack: stored, got %v: a segment is closed up to %v after its first record, and the stores need time", 2*sealer.AwaitedAge, c.AckTimeout, sealer.AwaitedAge)
	}
	atLeast("segment::max_age", c.Segment.MaxAge, 100*time.Millisecond)
	atLeast("heartbeat_interval", c.HeartbeatInterval, time.Second)
	atLeast("checkpoint_interval", c.CheckpointInterval, 10*time.Millisecond)
	if limit := sealer.MaxSegmentBytes >> 20; c.Segment.MaxSizeMiB < 1 || c.Segment.MaxSizeMiB > limit {
		fault("segment::max_size_mib", "must be 1 to %d, got %d", limit, c.Segment.MaxSizeMiB)
	}
	if least := int64(4 * c.Segment.MaxSizeMiB); c.Spool.MaxSizeMiB < least {
		fault("spool::max_size_mib", "must be at least four segments (%d), got %d", least, c.Spool.MaxSizeMiB)
	}
	if c.RetainFor < 0 {
		fault("retain_for", "must not be negative, got %v", c.RetainFor)
	}
	if c.MinStores < 0 {
		fault("min_stores", "must not be negative, got %d; 0 is for an agent that hands segments to a gateway", c.MinStores)
	}
	return errors.Join(errs...)
}
