package awscloudtrailreceiver

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"github.com/otelcol-custody/custody/internal/contents"
)

// How the history is read. CloudTrail shows an event some minutes after it happened, and
// in no particular order, so what was read is read again. Each call is a management event
// itself: were the whole overlap read at every poll, the calls would make the very events
// that the next poll has to read, without end. So most polls go back a little, and few
// all the way. An event is then read about fifteen times.
const (
	historyAge = 90 * 24 * time.Hour // what CloudTrail holds
	overlap    = time.Hour           // how late an event may show and still be found
	nearPolls  = 10                  // a poll goes back as far as so many polls,
	nearMost   = 10 * time.Minute    // and no farther than this
	deepEvery  = 15 * time.Minute    // then one goes back to where all is settled
)

// A window is as long as keeps it small: it is held in memory, so that its oldest event
// comes first, and read again after a crash.
const (
	firstSpan    = time.Hour
	shortestSpan = time.Second // times are whole seconds
	longestSpan  = 24 * time.Hour
	fewEvents    = pageSize * 25 // fewer in a window: the next one is longer
)

var windowCapacity = capacity{events: 5000, bytes: 16 << 20}

// A history is what CloudTrail keeps of one account in one region. One goroutine, run,
// owns it.
type history struct {
	*deliverer
	region string
	from   time.Time // zero: as far back as there is anything
	poll   time.Duration

	reader   *historyReader
	memory   *eventMemory
	health   *health
	capacity capacity

	span      time.Duration // of the next window
	reached   time.Time     // the end of the last pass
	deep      time.Time     // the end of the last pass from where all is settled
	delivered int           // events, since the start
	said      time.Time     // when progress was last logged
}

func (h *history) part() string { return "lookup " + h.region }

// run reads until ctx ends or the pipeline refuses for good.
func (h *history) run(ctx context.Context) {
	h.reader.trouble = h.trouble
	defer h.sink.report(ctx)
	err := h.begin(ctx)
	for err == nil {
		if err = h.pass(ctx); err == nil {
			h.sink.report(ctx)
			contents.Rest(ctx, h.poll)
			err = ctx.Err()
		}
	}
	if ctx.Err() == nil {
		h.log.Error("events cannot be delivered; their position is kept and they are tried again after a restart", zap.Error(err))
		h.health.fail(fmt.Errorf("%s: %w", h.part(), err))
	}
}

// trouble notes the outcome of a call.
func (h *history) trouble(err error, failed int) {
	if err == nil {
		if failed > 0 {
			h.log.Info("CloudTrail answers again", zap.Int("attempts", failed+1))
			h.health.set(h.part(), nil)
		}
		return
	}
	h.telemetry.AwsCloudtrailRetries.Add(context.Background(), 1)
	h.health.set(h.part(), fmt.Errorf("%s: %w", h.part(), err))
	if failed == 1 {
		h.log.Warn("cannot look up events; it is tried again", zap.Error(err))
	}
}

// begin finds out where to go on. It fails as pass does.
func (h *history) begin(ctx context.Context) error {
	for failed := 1; ; failed++ {
		found, err := h.memory.recall(ctx)
		if errors.Is(err, contents.ErrDamaged) {
			h.log.Error("what was remembered of the event history is damaged and it is read from the start: events come twice, none is lost", zap.Error(err))
			found, err = false, nil
		}
		h.health.set(h.part(), err)
		if err == nil {
			return h.beginAt(ctx, found)
		}
		if !h.reader.retry.Wait(ctx, failed) {
			return ctx.Err()
		}
	}
}

func (h *history) beginAt(ctx context.Context, found bool) error {
	oldest := time.Now().UTC().Add(-historyAge).Truncate(time.Second)
	since := h.from.Truncate(time.Second)
	if found {
		since = h.memory.settled
	}
	if since.Before(oldest) {
		switch {
		case found:
			if err := h.expired(ctx, since, oldest); err != nil {
				return err
			}
		case !since.IsZero():
			h.log.Warn("CloudTrail's event history does not go back to what lookup::from asks for", zap.Time("from", since), zap.Time("begins", oldest))
		}
		since = oldest
	}
	h.memory.settled = since
	h.log.Info("reading CloudTrail's event history: management events of 90 days. It holds no data, network activity and Insights events, "+
		"and AWS signs nothing of it, so nobody can prove it whole; for good, use a trail and sqs (docs/aws.md)", zap.Time("from", since))
	return nil
}

// pass reads up to the present, the oldest window first. It fails when the pipeline
// refuses for good, or ctx ends.
func (h *history) pass(ctx context.Context) error {
	end := time.Now().UTC().Truncate(time.Second)
	start := h.memory.settled
	deep := h.deep.IsZero() || end.Sub(h.deep) >= deepEvery
	if near := h.reached.Add(-min(nearPolls*h.poll, nearMost)); !deep && near.After(start) {
		start = near.Truncate(time.Second)
	}
	for start.Before(end) {
		if !h.sink.taking(ctx) {
			return ctx.Err()
		}
		next, err := h.window(ctx, start, end)
		if err != nil {
			return err
		}
		start = next
		h.progress(start, end)
	}
	if deep {
		if err := h.memory.assured(ctx); err != nil {
			return err
		}
		h.deep = end
	}
	h.reached = end
	return nil
}

// window delivers what is not known of one window that begins at a, and returns where
// the next one begins: at a again, when this one held too much.
func (h *history) window(ctx context.Context, a, end time.Time) (time.Time, error) {
	b := a.Add(h.span)
	if b.After(end) {
		b = end
	}
	list, asOf, err := h.reader.collect(ctx, a, b, h.memory.known, h.capacity)
	switch {
	case errors.Is(err, errPage):
		return a, nil
	case errors.Is(err, errFull) && b.Sub(a) > shortestSpan:
		h.shrink(list, a, b)
		return a, nil
	case errors.Is(err, errFull):
		asOf, err = h.stream(ctx, a, b)
	case err == nil:
		err = h.deliver(ctx, list)
	}
	if err != nil {
		return a, err
	}
	if len(list) < fewEvents {
		h.span = min(2*h.span, longestSpan)
	}
	return b, h.settle(ctx, a, b, asOf)
}

// settle moves the position to where nothing is to come any more. A window that does
// not begin there moves nothing: what lies between was read when it was younger.
func (h *history) settle(ctx context.Context, a, b, asOf time.Time) error {
	if a.After(h.memory.settled) {
		return nil
	}
	if t := asOf.UTC().Add(-overlap).Truncate(time.Second); t.Before(b) {
		b = t
	}
	return h.memory.settle(ctx, b)
}

// shrink makes windows so short that they hold half of what there is room for, as
// densely as the newest events, which list holds, lie.
func (h *history) shrink(list []historyEvent, a, b time.Time) {
	h.span = max(shortestSpan, min(b.Sub(list[0].at), b.Sub(a))/2).Truncate(time.Second)
}

// stream delivers a window that holds more than is kept in memory, page by page and so
// the newest events first.
func (h *history) stream(ctx context.Context, a, b time.Time) (asOf time.Time, err error) {
	for {
		asOf, err = h.reader.each(ctx, a, b, func(page []historyEvent) error {
			var list []historyEvent
			for _, e := range page {
				if !h.memory.known(e.key) {
					list = append(list, e)
				}
			}
			return h.deliver(ctx, list)
		})
		if !errors.Is(err, errPage) {
			return asOf, err
		}
	}
}

// progressEvery is how often a long pass says how far it is.
const progressEvery = time.Minute

func (h *history) progress(at, end time.Time) {
	switch {
	case !at.Before(end) && h.reached.IsZero():
		h.log.Info("caught up with the event history", zap.Int("events", h.delivered))
	case at.Before(end) && time.Since(h.said) >= progressEvery:
		h.said = time.Now()
		h.log.Info("catching up with the event history", zap.Time("at", at), zap.Duration("left", end.Sub(at)), zap.Int("events", h.delivered))
	}
}
