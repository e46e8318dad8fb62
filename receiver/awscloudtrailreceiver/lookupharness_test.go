package awscloudtrailreceiver

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"go.opentelemetry.io/collector/component"

	"github.com/otelcol-custody/custody/internal/contents"
	"github.com/otelcol-custody/custody/internal/eventlog"
)

// shown is an event in a history, and when the history begins to show it.
type shown struct {
	id, body string
	at, from time.Time
}

// eventHistory answers LookupEvents in a test whose time is not the real one.
type eventHistory struct {
	mu     sync.Mutex
	events []shown
	calls  []cloudtrail.LookupEventsInput
	fault  func(call int, in *cloudtrail.LookupEventsInput) error
	during func(call int) []shown // what a call itself adds
}

func (f *eventHistory) add(list ...shown) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.events = append(f.events, list...)
	slices.SortStableFunc(f.events, func(a, b shown) int { return cmp.Or(b.at.Compare(a.at), cmp.Compare(b.id, a.id)) })
}

func (f *eventHistory) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.calls)
}

// LookupEvents implements [lookupAPI]: from the first event on that is not newer than
// asked for, and both times included.
func (f *eventHistory) LookupEvents(_ context.Context, in *cloudtrail.LookupEventsInput, _ ...func(*cloudtrail.Options)) (*cloudtrail.LookupEventsOutput, error) {
	f.mu.Lock()
	call := len(f.calls)
	f.calls = append(f.calls, *in)
	fault, during := f.fault, f.during
	f.mu.Unlock()
	if during != nil {
		f.add(during(call)...)
	}
	if fault != nil {
		if err := fault(call, in); err != nil {
			return nil, err
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	skip, _ := strconv.Atoi(aws.ToString(in.NextToken))
	out, found := &cloudtrail.LookupEventsOutput{}, 0
	for i := range f.events {
		e := &f.events[i]
		if e.at.Before(*in.StartTime) || e.at.After(*in.EndTime) || e.from.After(time.Now()) {
			continue
		}
		if found++; found <= skip {
			continue
		}
		if len(out.Events) == int(*in.MaxResults) {
			out.NextToken = aws.String(strconv.Itoa(found - 1))
			break
		}
		out.Events = append(out.Events, types.Event{EventId: &e.id, EventTime: &e.at, CloudTrailEvent: aws.String(e.body)})
	}
	return out, nil
}

// happened makes count events, one every step from at on, shown at once.
func happened(prefix string, count int, at time.Time, step time.Duration) []shown {
	var list []shown
	for i := range count {
		id := fmt.Sprintf("%s-%05d", prefix, i)
		list = append(list, shown{id: id, body: event(id), at: at.Add(time.Duration(i) * step).Truncate(time.Second)})
	}
	return list
}

func bodiesOf(list []shown) (out []string) {
	for _, e := range list {
		out = append(out, e.body)
	}
	return out
}

const lookupYAML = "storage: file_storage/positions\nregion: eu-central-1\naccess_key_id: AKIDEXAMPLE\nsecret_access_key: none\nlookup: {}\n"

// lookUp starts reading a history in the test's time, in batches of five. The returned
// function stops it.
func (x *fixture) lookUp(t *testing.T, f *eventHistory, extra string, change func(*history)) (stop func()) {
	t.Helper()
	cfg, err := configFrom(lookupYAML + extra)
	if err != nil {
		t.Fatal(err)
	}
	r, err := newReceiver(cfg, x.set, x.next)
	if err != nil {
		t.Fatal(err)
	}
	r.limits = eventlog.Limits{Records: 5, Bytes: 1 << 20}
	x.host = &testHost{extensions: map[component.ID]component.Component{storageID: x.store}}
	r.health.host, r.positions = x.host, x.store
	a := &awsSide{r: r, objects: &objects{book: contents.NewBook(x.store, r.retry, r.written)}}
	h := a.newHistory(f, "eu-central-1", time.Time{}, time.Minute)
	if change != nil {
		change(h)
	}
	l := &lookup{histories: []*history{h}}
	l.Start()
	r.sources = []source{l}
	var once sync.Once
	stop = func() { once.Do(func() { shutdown(t, r) }) }
	t.Cleanup(stop)
	return stop
}

// inBubble runs a test in time of its own, which passes when all wait.
func inBubble(t *testing.T, run func(t *testing.T, x *fixture, f *eventHistory)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { run(t, newFixture(t), &eventHistory{}) })
}

// pass lets time go by.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// marked are the bodies of the records that say they may be there already.
func (p *pipeline) marked() (out []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, lr := range p.records {
		if v, ok := lr.Attributes().Get(attrRepeat); ok && v.Bool() {
			out = append(out, lr.Body().Str())
		}
	}
	return out
}
