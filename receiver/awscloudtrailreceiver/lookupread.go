package awscloudtrailreceiver

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"golang.org/x/time/rate"

	"github.com/otelcol-custody/custody/internal/awsclient"
	"github.com/otelcol-custody/custody/internal/contents"
)

// lookupAPI is the one call that this source makes.
type lookupAPI interface {
	LookupEvents(ctx context.Context, in *cloudtrail.LookupEventsInput, opts ...func(*cloudtrail.Options)) (*cloudtrail.LookupEventsOutput, error)
}

// pageSize is the most that one call returns (LookupEvents, MaxResults).
const pageSize = 50

// A historyReader makes the calls: never faster than pace, and again until they succeed.
// One goroutine uses it.
type historyReader struct {
	api   lookupAPI
	pace  *rate.Limiter
	retry contents.Backoff
	// trouble is told the outcome of each call, with the number of failures in a row.
	trouble func(err error, failed int)
}

// pageTries is how often a page behind a first one is asked for: its token may have
// expired, and then only the window's beginning helps.
const pageTries = 10

// errPage means that a window has to be read from its first page again.
var errPage = errors.New("the next page cannot be had")

// each calls take with every event from a to b, both included, the newest first, a page
// at a time. It returns the time at which the answer was whole: what happened and was
// shown before is in it. An error is take's, [errPage], or the end of ctx.
func (r *historyReader) each(ctx context.Context, a, b time.Time, take func([]historyEvent) error) (asOf time.Time, err error) {
	in := &cloudtrail.LookupEventsInput{StartTime: &a, EndTime: &b, MaxResults: aws.Int32(pageSize)}
	for {
		out, err := r.page(ctx, in)
		if err != nil {
			return asOf, err
		}
		if asOf.IsZero() {
			asOf = answeredAt(out)
		}
		page := make([]historyEvent, 0, len(out.Events))
		for i := range out.Events {
			page = append(page, newHistoryEvent(&out.Events[i], a, b))
		}
		if err := take(page); err != nil {
			return asOf, err
		}
		if aws.ToString(out.NextToken) == "" {
			return asOf, nil
		}
		in.NextToken = out.NextToken
	}
}

// page makes one call, as often as it takes.
func (r *historyReader) page(ctx context.Context, in *cloudtrail.LookupEventsInput) (*cloudtrail.LookupEventsOutput, error) {
	for failed := 1; ; failed++ {
		if err := r.pace.Wait(ctx); err != nil {
			return nil, err
		}
		out, err := r.api.LookupEvents(ctx, in)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err == nil {
			r.trouble(nil, failed-1)
			return out, nil
		}
		r.trouble(awsclient.Explain(err, "look up events", "cloudtrail:LookupEvents"), failed)
		var stale *types.InvalidNextTokenException
		if in.NextToken != nil && (errors.As(err, &stale) || failed == pageTries) {
			return nil, errPage
		}
		if !r.retry.Wait(ctx, failed) {
			return nil, ctx.Err()
		}
	}
}

// answeredAt is when an answer was given, by CloudTrail's clock where it says so and it
// is the earlier one: were this machine's ahead, events would be taken for settled that
// are yet to come.
func answeredAt(out *cloudtrail.LookupEventsOutput) time.Time {
	now := time.Now()
	if server, ok := awsmiddleware.GetServerTime(out.ResultMetadata); ok && server.Before(now) {
		return server
	}
	return now
}

// A historyEvent is one element of an answer.
type historyEvent struct {
	key  eventKey
	id   string // eventID, for people
	body []byte // the event as CloudTrail wrote it
	at   time.Time
}

// newHistoryEvent takes what was found between a and b. An element without an event in
// it is kept as it stands.
func newHistoryEvent(e *types.Event, a, b time.Time) historyEvent {
	h := historyEvent{id: aws.ToString(e.EventId), body: []byte(aws.ToString(e.CloudTrailEvent)), at: a}
	if len(h.body) == 0 {
		body, err := json.Marshal(e)
		if err != nil {
			panic("aws_cloudtrail: answer cannot be encoded: " + err.Error())
		}
		h.body = body
	}
	if t := aws.ToTime(e.EventTime); t.After(b) {
		h.at = b
	} else if t.After(a) {
		h.at = t
	}
	h.key = keyOfEvent(h.id, h.body)
	return h
}

// errFull means that a window holds more events than are kept in memory.
var errFull = errors.New("window is full")

// A capacity bounds what is kept of one window.
type capacity struct{ events, bytes int }

// collect returns the events from a to b that are not known yet, the oldest first. With
// [errFull] these are the newest, as many as there was room for.
func (r *historyReader) collect(ctx context.Context, a, b time.Time, known func(eventKey) bool, room capacity) (list []historyEvent, asOf time.Time, err error) {
	size, here := 0, map[eventKey]bool{}
	asOf, err = r.each(ctx, a, b, func(page []historyEvent) error {
		for _, e := range page {
			if here[e.key] || known(e.key) {
				continue
			}
			here[e.key] = true
			list = append(list, e)
			size += len(e.body)
		}
		if len(list) > room.events || size > room.bytes {
			return errFull
		}
		return nil
	})
	slices.Reverse(list)
	return list, asOf, err
}
