package awscloudtrailreceiver

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"go.opentelemetry.io/collector/confmap"
	"go.uber.org/zap"
	"golang.org/x/time/rate"
)

// LookupConfig is the source of events that CloudTrail keeps for 90 days without a trail.
type LookupConfig struct {
	// Regions are read side by side, each once; empty: the configured region.
	Regions []string `mapstructure:"regions"`
	// From is a date or an RFC 3339 time; empty: as far back as there is anything.
	From         string        `mapstructure:"from"`
	PollInterval time.Duration `mapstructure:"poll_interval"`
}

func defaultLookup() LookupConfig { return LookupConfig{PollInterval: time.Minute} }

var regionName = regexp.MustCompile(`^[a-z]{2,}(?:-[a-z]+)+-[0-9]+$`)

// Unmarshal implements [confmap.Unmarshaler].
func (c *LookupConfig) Unmarshal(conf *confmap.Conf) error {
	if err := timesAsText(conf, "from"); err != nil {
		return err
	}
	return conf.Unmarshal(c)
}

// Validate reports every fault at once.
func (c *LookupConfig) Validate() error {
	var errs []error
	fault := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	for _, r := range c.Regions {
		if !regionName.MatchString(r) {
			fault("regions: want the name of a region such as eu-central-1, got %q", r)
		}
	}
	if _, err := parseTime(c.From); err != nil {
		fault("from: %w", err)
	}
	if c.PollInterval <= 0 {
		fault("poll_interval: must be positive, got %v", c.PollInterval)
	}
	return errors.Join(errs...)
}

// callsPerSecond is what CloudTrail answers for one account in one region.
// https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html
const callsPerSecond = 2

// A lookup is the source of events that CloudTrail's event history holds, one history for
// each region.
type lookup struct {
	histories []*history

	stop    context.CancelFunc // set by Start
	stopped chan struct{}
}

func (a *awsSide) newLookup(cfg *LookupConfig) (*lookup, error) {
	from, err := parseTime(cfg.From)
	if err != nil {
		return nil, fmt.Errorf("lookup: from: %w", err)
	}
	regions := slices.Compact(slices.Sorted(slices.Values(cfg.Regions)))
	if len(regions) == 0 {
		regions = []string{a.cfg.Region}
	}
	l := &lookup{}
	for _, region := range regions {
		client := cloudtrail.NewFromConfig(a.cfg, func(o *cloudtrail.Options) {
			o.Region = region
			o.Retryer = aws.NopRetryer{} // Every call counts; they are paced here.
		})
		l.histories = append(l.histories, a.newHistory(client, region, from, cfg.PollInterval))
	}
	return l, nil
}

func (a *awsSide) newHistory(api lookupAPI, region string, from time.Time, poll time.Duration) *history {
	d := a.r.newDeliverer(lookupScheme+region, zap.String("region", region))
	return &history{
		deliverer: d,
		region:    region,
		from:      from,
		poll:      poll,
		reader:    &historyReader{api: api, pace: rate.NewLimiter(callsPerSecond, 1), retry: a.r.retry},
		memory:    newEventMemory(a.objects.book, a.r.positions, region),
		health:    a.r.health,
		span:      firstSpan,
		capacity:  windowCapacity,
	}
}

// Start begins to read, in the background.
func (l *lookup) Start() {
	ctx, stop := context.WithCancel(context.Background())
	l.stop, l.stopped = stop, make(chan struct{})
	var work sync.WaitGroup
	for _, h := range l.histories {
		work.Go(func() { h.run(ctx) })
	}
	go func() {
		defer close(l.stopped)
		work.Wait()
	}()
}

// Shutdown stops reading and waits for the delivery under way.
func (l *lookup) Shutdown(ctx context.Context) error {
	if l.stop == nil {
		return nil
	}
	l.stop()
	select {
	case <-l.stopped:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("lookup did not stop in time: %w", ctx.Err())
	}
}
