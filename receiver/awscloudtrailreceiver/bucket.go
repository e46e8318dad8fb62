package awscloudtrailreceiver

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/confmap"
)

// BucketConfig is the source of objects that a bucket lists.
type BucketConfig struct {
	Name string `mapstructure:"name"`
	// Prefix is what stands before AWSLogs/ in the keys; empty if nothing does.
	Prefix string `mapstructure:"prefix"`
	// Accounts and Regions are those that are read; empty: all.
	Accounts []string `mapstructure:"accounts"`
	Regions  []string `mapstructure:"regions"`
	// From and To bound the time of delivery that stands in the keys: from From on, and
	// before To.
	From string `mapstructure:"from"`
	To   string `mapstructure:"to"`
	// PollInterval is the rest between two looks; 0 looks until all is read, and ends.
	PollInterval time.Duration `mapstructure:"poll_interval"`
	// Overlap is how far behind what was read a later look begins.
	Overlap time.Duration `mapstructure:"overlap"`
	Workers int           `mapstructure:"workers"`

	// Progress is told after each object, and when a look is over; nil: nobody is. It
	// is set by a command, and stands in no file. It is called by one goroutine at a
	// time and returns at once.
	Progress func(BucketProgress) `mapstructure:"-"`
}

// BucketProgress is how far a look through a bucket has come.
type BucketProgress struct {
	Found    uint64 // objects so far; all of them if Counted
	Counted  bool
	Done     uint64 // objects of which nothing is left to do
	Known    uint64 // of Done: were delivered before
	Lost     uint64 // of Done: gone, a gap record stands for each
	Troubled uint64 // objects that cannot be read at present
	Bytes    uint64 // stored, of those that were delivered now
	Events   uint64 // of those that were delivered now

	Region string // of the object that came last
	Day    string // of the object that came last, as 2026-11-01

	Over bool  // the look is over
	Err  error // of one that is over: why not all is read
}

func defaultBucket() BucketConfig {
	return BucketConfig{PollInterval: 5 * time.Minute, Overlap: 24 * time.Hour, Workers: 4}
}

var bucketName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$|^arn:[a-z0-9-]+:s3[a-z0-9-]*:[^/ ]*(?:[:/][A-Za-z0-9-]+)*$`)

// Unmarshal implements [confmap.Unmarshaler].
func (c *BucketConfig) Unmarshal(conf *confmap.Conf) error {
	if err := timesAsText(conf, "from", "to"); err != nil {
		return err
	}
	return conf.Unmarshal(c)
}

// timesAsText makes text of what YAML made a time of: a date or time without quotes.
func timesAsText(conf *confmap.Conf, keys ...string) error {
	for _, key := range keys {
		if t, ok := conf.Get(key).(time.Time); ok {
			if err := conf.Merge(confmap.NewFromStringMap(map[string]any{key: t.Format(time.RFC3339)})); err != nil {
				return err
			}
		}
	}
	return nil
}

// Validate reports every fault at once.
func (c *BucketConfig) Validate() error {
	var errs []error
	fault := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if !bucketName.MatchString(c.Name) {
		fault("name: required: the bucket's name alone, or an access point's ARN, got %q", c.Name)
	}
	if err := checkPrefix(c.Prefix); err != nil {
		fault("prefix: %w", err)
	}
	for _, a := range c.Accounts {
		if !account.MatchString(a) {
			fault("accounts: want the 12 digits of an AWS account, in quotes, got %q", a)
		}
	}
	for _, r := range c.Regions {
		if !regionName.MatchString(r) {
			fault("regions: want the name of a region such as eu-central-1, got %q", r)
		}
	}
	if _, err := c.bounds(); err != nil {
		errs = append(errs, err)
	}
	if c.PollInterval < 0 || c.PollInterval > 0 && c.PollInterval < time.Second {
		fault("poll_interval: must be at least 1s, or 0s to look once, got %v", c.PollInterval)
	}
	if c.Overlap < 0 {
		fault("overlap: must not be negative, got %v", c.Overlap)
	}
	if c.Workers < 1 || c.Workers > largestWorkers {
		fault("workers: must be 1 to %d, got %d", largestWorkers, c.Workers)
	}
	return errors.Join(errs...)
}

func checkPrefix(p string) error {
	switch {
	case strings.HasPrefix(p, "/"):
		return fmt.Errorf("must not begin with a slash: no key does, got %q", p)
	case strings.Contains(p, "//"):
		return fmt.Errorf("must not contain two slashes in a row, got %q", p)
	case slices.Contains(strings.Split(p, "/"), "AWSLogs"):
		return fmt.Errorf("want only what stands before AWSLogs/ in the keys, got %q; accounts, regions, from and to choose below it", p)
	}
	return nil
}

// root is the folder in which the accounts and organisations lie.
func (c *BucketConfig) root() string {
	p := strings.TrimSuffix(c.Prefix, "/")
	if p != "" {
		p += "/"
	}
	return p + "AWSLogs/"
}

// bounds are the times of delivery that are read: from the first on, and before the
// second. A zero time is no bound.
type bounds struct{ from, to time.Time }

func (c *BucketConfig) bounds() (b bounds, err error) {
	var errs []error
	if b.from, err = parseTime(c.From); err != nil {
		errs = append(errs, fmt.Errorf("from: %w", err))
	}
	if b.to, err = parseTime(c.To); err != nil {
		errs = append(errs, fmt.Errorf("to: %w", err))
	}
	if len(errs) == 0 && c.To != "" && !b.from.Before(b.to) {
		errs = append(errs, fmt.Errorf("from, to: from must be before to, got %s and %s", c.From, c.To))
	}
	return b, errors.Join(errs...)
}

// dayLayout is how days stand in keys. Such days sort like what they mean.
const dayLayout = "2006/01/02"

// first and last are the days that are read; "" for no bound.
func (b bounds) first() string { return dayOf(b.from) }

func (b bounds) last() string {
	if b.to.IsZero() {
		return ""
	}
	return dayOf(b.to.Add(-1))
}

func dayOf(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(dayLayout)
}

// stamp is the time of delivery in a log file's name, and in a digest's.
var stamp = regexp.MustCompile(`_([0-9]{8}T[0-9]{4})(?:[0-9]{2})?Z[_.][^/]*$`)

// include reports whether the object at key, of a day within the bounds, is.
func (b bounds) include(key string) bool {
	m := stamp.FindStringSubmatch(key)
	if m == nil {
		return true // Its day is all that is known.
	}
	t, err := time.Parse("20060102T1504", m[1])
	return err != nil || !t.Before(b.from.Truncate(time.Minute)) && (b.to.IsZero() || t.Before(b.to))
}
