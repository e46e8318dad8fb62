package awscloudtrailreceiver

import (
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configoptional"

	"github.com/otelcol-custody/custody/internal/follow"
)

// Config is the receiver's configuration; README.md says what each key does.
type Config struct {
	// Storage names the extension that remembers what was delivered.
	Storage *component.ID `mapstructure:"storage"`

	// ExcludePrincipals are ARNs of users and roles whose events are left out.
	ExcludePrincipals []string `mapstructure:"exclude_principals"`

	AWS AWSConfig `mapstructure:",squash"`

	// At least one source is set; a directory is set alone.
	SQS       configoptional.Optional[SQSConfig]       `mapstructure:"sqs"`
	Bucket    configoptional.Optional[BucketConfig]    `mapstructure:"bucket"`
	Lookup    configoptional.Optional[LookupConfig]    `mapstructure:"lookup"`
	Digests   DigestsConfig                            `mapstructure:"digests"`
	Directory configoptional.Optional[DirectoryConfig] `mapstructure:"directory"`
}

// DirectoryConfig is the source of log files in a local directory tree.
type DirectoryConfig struct {
	Path            string        `mapstructure:"path"`
	Include         []string      `mapstructure:"include"`
	PollInterval    time.Duration `mapstructure:"poll_interval"`
	StableFor       time.Duration `mapstructure:"stable_for"`
	IncompleteAfter time.Duration `mapstructure:"incomplete_after"`
	MaxInflatedMiB  int64         `mapstructure:"max_inflated_mib"`
	Workers         int           `mapstructure:"workers"`
}

// What a file may take at most. A file lies in memory twice, stored and inflated.
const (
	defaultMaxInflatedMiB = 256
	largestMaxInflatedMiB = 4096
	largestWorkers        = 64
)

func createDefaultConfig() component.Config {
	return &Config{
		AWS:     AWSConfig{MaxInflatedMiB: defaultMaxInflatedMiB},
		SQS:     configoptional.Default(defaultSQS()),
		Bucket:  configoptional.Default(defaultBucket()),
		Lookup:  configoptional.Default(defaultLookup()),
		Digests: defaultDigests(),
		Directory: configoptional.Default(DirectoryConfig{
			Include:         []string{"*.json", "*.json.gz"},
			PollInterval:    2 * time.Second,
			StableFor:       2 * time.Second,
			IncompleteAfter: 5 * time.Minute,
			MaxInflatedMiB:  defaultMaxInflatedMiB,
			Workers:         1,
		}),
	}
}

// Validate reports every fault at once.
func (c *Config) Validate() error {
	var errs []error
	if c.Storage == nil {
		errs = append(errs, errors.New("storage: required: without remembered positions every restart would seal every event again; "+
			"name a storage extension, for example `storage: file_storage/positions` with the extension "+
			"`file_storage/positions: {directory: /var/lib/custody/positions, fsync: true, create_directory: true}`"))
	}
	errs = append(errs, c.checkSources(), checkPrincipals(c.ExcludePrincipals))
	return errors.Join(errs...)
}

// checkSources reports sources that are missing or that cannot stand together.
func (c *Config) checkSources() error {
	remote := c.SQS.HasValue() || c.Bucket.HasValue() || c.Lookup.HasValue()
	switch {
	case c.Directory.HasValue() && remote:
		return errors.New("directory: excludes sqs, bucket and lookup: configure a receiver of its own for it, for example aws_cloudtrail/files")
	case c.Directory.HasValue():
		return nil
	case !remote:
		return errors.New("sqs, bucket, lookup, directory: one is required: " +
			"`sqs: {queue_url: …}` for a trail's bucket with notifications, `bucket: {name: …}` to list it, " +
			"`lookup: {}` to begin without a bucket, `directory: {path: …}` for files")
	}
	return c.AWS.check()
}

// Validate reports every fault at once.
func (c *DirectoryConfig) Validate() error {
	var errs []error
	fault := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if c.Path == "" {
		fault("path: required: the folder that holds the log files")
	}
	if len(c.Include) == 0 {
		fault("include: must name at least one pattern, for example `include: [\"*.json.gz\"]`")
	}
	for _, p := range c.Include {
		if err := follow.CheckPattern(p); err != nil {
			fault("include: %w", err)
		}
	}
	if c.PollInterval <= 0 {
		fault("poll_interval: must be positive, got %v", c.PollInterval)
	}
	if c.StableFor <= 0 {
		fault("stable_for: must be positive, got %v", c.StableFor)
	}
	if c.IncompleteAfter < c.StableFor {
		fault("incomplete_after: must not be shorter than stable_for (%v), got %v", c.StableFor, c.IncompleteAfter)
	}
	if c.MaxInflatedMiB < 1 || c.MaxInflatedMiB > largestMaxInflatedMiB {
		fault("max_inflated_mib: must be 1 to %d, got %d", largestMaxInflatedMiB, c.MaxInflatedMiB)
	}
	if c.Workers < 1 || c.Workers > largestWorkers {
		fault("workers: must be 1 to %d, got %d", largestWorkers, c.Workers)
	}
	return errors.Join(errs...)
}
