package awstest

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"hash/fnv"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
)

// Limits of CloudTrail.
// https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html
const (
	historyKept = 90 * 24 * time.Hour
	maxLookup   = 50
)

// CloudTrailOptions change a server from what AWS runs.
type CloudTrailOptions struct {
	Clock Clock // nil is the real one
	// PerSecond is how many LookupEvents a second are answered; 0 is any number. AWS
	// answers two.
	PerSecond int
}

// CloudTrail is a server with an event history and public keys, in memory. It knows
// LookupEvents and ListPublicKeys, and is safe for concurrent use.
type CloudTrail struct {
	server
	clock  Clock
	perSec int

	state  sync.Mutex // guards what follows
	events []types.Event
	keys   []types.PublicKey
	asked  []time.Time // LookupEvents of the last second
}

// NewCloudTrail starts a server without events and keys.
func NewCloudTrail(t testing.TB, opts CloudTrailOptions) *CloudTrail {
	t.Helper()
	c := &CloudTrail{clock: opts.Clock, perSec: opts.PerSecond}
	if c.clock == nil {
		c.clock = realClock{}
	}
	c.server = server{
		service: "cloudtrail", version: "1.1", target: "CloudTrail_20131101",
		actions: map[string]action{"LookupEvents": typed(c.lookup), "ListPublicKeys": typed(c.listKeys)},
	}
	c.start(t)
	return c
}

// Client returns a client that makes one attempt for each call.
func (c *CloudTrail) Client() *cloudtrail.Client { return cloudtrail.NewFromConfig(c.Config()) }

// AddEvents puts events into the history. Each needs EventId and EventTime.
func (c *CloudTrail) AddEvents(events ...types.Event) {
	c.state.Lock()
	defer c.state.Unlock()
	c.events = append(c.events, events...)
	slices.SortFunc(c.events, newestFirst)
}

// AddKeys adds public keys; all members must be set.
func (c *CloudTrail) AddKeys(keys ...types.PublicKey) {
	c.state.Lock()
	defer c.state.Unlock()
	c.keys = append(c.keys, keys...)
}

func newestFirst(a, b types.Event) int {
	return cmp.Or(b.EventTime.Compare(*a.EventTime), strings.Compare(*a.EventId, *b.EventId))
}

type lookupAttribute struct{ AttributeKey, AttributeValue string }

type lookupIn struct {
	StartTime, EndTime *float64 // seconds
	EventCategory      string
	LookupAttributes   []lookupAttribute
	MaxResults         *int
	NextToken          string
}

// same is what a token is bound to: all that is asked for.
func (in lookupIn) same() string {
	h := fnv.New64a()
	fmt.Fprint(h, value(in.StartTime), value(in.EndTime), in.EventCategory, in.LookupAttributes)
	return fmt.Sprintf("%016x", h.Sum64())
}

func value(f *float64) any {
	if f == nil {
		return nil
	}
	return *f
}

func (c *CloudTrail) lookup(_ *http.Request, in lookupIn) (any, error) {
	c.state.Lock()
	defer c.state.Unlock()
	now := c.clock.Now()
	if err := c.throttle(now); err != nil {
		return nil, err
	}
	from, to := instant(in.StartTime, now.Add(-historyKept)), instant(in.EndTime, now)
	limit := maxLookup
	if in.MaxResults != nil {
		limit = *in.MaxResults
	}
	after, err := in.position()
	switch {
	case err != nil:
		return nil, err
	case to.Before(from):
		return nil, &Fault{Status: 400, Code: "InvalidTimeRangeException", Message: "The end time is before the start time."}
	case limit < 1 || limit > maxLookup:
		return nil, &Fault{Status: 400, Code: "InvalidMaxResultsException", Message: "The number of results must be from 1 to 50."}
	case len(in.LookupAttributes) > 1:
		return nil, &Fault{Status: 400, Code: "InvalidLookupAttributesException", Message: "At most one attribute is taken."}
	}
	if kept := now.Add(-historyKept); from.Before(kept) {
		from = kept
	}
	return c.page(in, from, to, after, limit), nil
}

// page returns events newest first, from the first one behind after. A token is a place
// in that order: what is added meanwhile moves no page.
func (c *CloudTrail) page(in lookupIn, from, to time.Time, after *types.Event, limit int) any {
	events := []map[string]any{}
	var last types.Event
	for _, e := range c.events {
		if e.EventTime.Before(from) || e.EventTime.After(to) || (after != nil && newestFirst(e, *after) <= 0) || !in.wants(e) {
			continue
		}
		if len(events) == limit {
			return map[string]any{"Events": events, "NextToken": in.token(last)}
		}
		events, last = append(events, onWire(e)), e
	}
	return map[string]any{"Events": events}
}

func (in lookupIn) token(last types.Event) string {
	text := in.same() + "|" + last.EventTime.UTC().Format(time.RFC3339Nano) + "|" + *last.EventId
	return base64.StdEncoding.EncodeToString([]byte(text))
}

func (in lookupIn) position() (*types.Event, error) {
	if in.NextToken == "" {
		return nil, nil
	}
	text, err := base64.StdEncoding.DecodeString(in.NextToken)
	parts := strings.SplitN(string(text), "|", 3)
	if err != nil || len(parts) != 3 || parts[0] != in.same() {
		return nil, &Fault{Status: 400, Code: "InvalidNextTokenException", Message: "The token is not of a call with the same parameters."}
	}
	at, err := time.Parse(time.RFC3339Nano, parts[1])
	return &types.Event{EventTime: &at, EventId: &parts[2]}, err
}

func (in lookupIn) wants(e types.Event) bool {
	if in.EventCategory != "" {
		return false // There are no Insights events in this server.
	}
	for _, a := range in.LookupAttributes {
		member := map[string]*string{
			"EventId": e.EventId, "EventName": e.EventName, "EventSource": e.EventSource, "Username": e.Username,
			"ReadOnly": e.ReadOnly, "AccessKeyId": e.AccessKeyId,
		}[a.AttributeKey]
		if aws.ToString(member) != a.AttributeValue {
			return false
		}
	}
	return true
}

func onWire(e types.Event) map[string]any {
	out := map[string]any{"EventTime": seconds(*e.EventTime)}
	for name, text := range map[string]*string{
		"EventId": e.EventId, "EventName": e.EventName, "EventSource": e.EventSource, "Username": e.Username,
		"ReadOnly": e.ReadOnly, "AccessKeyId": e.AccessKeyId, "CloudTrailEvent": e.CloudTrailEvent,
	} {
		if text != nil {
			out[name] = *text
		}
	}
	return out
}

// throttle refuses more calls in one second than the server answers. Refused ones do not
// count.
func (c *CloudTrail) throttle(now time.Time) error {
	c.asked = slices.DeleteFunc(c.asked, func(at time.Time) bool { return now.Sub(at) >= time.Second })
	if c.perSec > 0 && len(c.asked) >= c.perSec {
		return Throttled()
	}
	c.asked = append(c.asked, now)
	return nil
}

type keysIn struct {
	StartTime, EndTime *float64
	NextToken          string
}

// listKeys returns the keys that were valid at any time in the range.
func (c *CloudTrail) listKeys(_ *http.Request, in keysIn) (any, error) {
	c.state.Lock()
	defer c.state.Unlock()
	now := c.clock.Now()
	from, to := instant(in.StartTime, now), instant(in.EndTime, now)
	if to.Before(from) {
		return nil, &Fault{Status: 400, Code: "InvalidTimeRangeException", Message: "The end time is before the start time."}
	}
	keys := []map[string]any{}
	for _, k := range c.keys {
		if k.ValidityStartTime.After(to) || k.ValidityEndTime.Before(from) {
			continue
		}
		keys = append(keys, map[string]any{
			"Fingerprint": *k.Fingerprint, "Value": k.Value,
			"ValidityStartTime": seconds(*k.ValidityStartTime), "ValidityEndTime": seconds(*k.ValidityEndTime),
		})
	}
	return map[string]any{"PublicKeyList": keys}, nil
}

func instant(given *float64, otherwise time.Time) time.Time {
	if given == nil {
		return otherwise
	}
	return time.UnixMilli(int64(*given * 1000))
}

func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }
