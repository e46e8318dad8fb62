package awstest

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// SQSOptions change a server from what AWS runs.
type SQSOptions struct {
	Clock       Clock // nil is the real one
	MaxInFlight int   // of a queue; 0 is 120,000, as AWS has it
}

// SQS is a server with standard queues, in memory. Its methods are safe for concurrent
// use; those that fail the test belong to the test's goroutine.
type SQS struct {
	server
	t     testing.TB
	clock Clock
	most  int // in flight

	state    sync.Mutex // guards what follows
	queues   map[string]*queue
	delivery delivery
	changed  chan struct{} // closed and made anew when a message may have become visible
}

// NewSQS starts a server without queues. What it knows are the actions that its files
// name; a member of a request that it does not know is refused.
func NewSQS(t testing.TB, opts SQSOptions) *SQS {
	t.Helper()
	s := &SQS{
		t: t, clock: opts.Clock, most: opts.MaxInFlight, queues: map[string]*queue{}, changed: make(chan struct{}),
		delivery: delivery{rand: rand.New(rand.NewPCG(1, 2))},
	}
	if s.clock == nil {
		s.clock = realClock{}
	}
	if s.most == 0 {
		s.most = maxInFlight
	}
	s.server = server{service: "sqs", target: "AmazonSQS", version: "1.0", actions: s.table()}
	s.start(t)
	return s
}

// Client returns a client that makes one attempt for each call.
func (s *SQS) Client() *sqs.Client { return sqs.NewFromConfig(s.Config()) }

// Queue makes a queue and returns its URL. The attributes are those of CreateQueue; those
// that are missing are as AWS has them.
func (s *SQS) Queue(name string, attributes map[string]string) string {
	s.t.Helper()
	s.state.Lock()
	defer s.state.Unlock()
	if err := s.create(name, attributes); err != nil {
		s.t.Fatalf("make queue %s: %v", name, err)
	}
	return s.url(name)
}

// DeadLetters is the RedrivePolicy attribute: after most receives a message goes to
// another queue of this server.
func DeadLetters(queue string, most int) map[string]string {
	return map[string]string{"RedrivePolicy": fmt.Sprintf(`{"deadLetterTargetArn":%q,"maxReceiveCount":%d}`, QueueARN(queue), most)}
}

// QueueARN is the ARN of a queue of this server.
func QueueARN(name string) string { return "arn:aws:sqs:" + Region + ":" + Account + ":" + name }

// Send puts messages into a queue; that is no call.
func (s *SQS) Send(queue string, bodies ...string) {
	s.t.Helper()
	s.state.Lock()
	defer s.state.Unlock()
	q := s.find(queue)
	for _, body := range bodies {
		q.send(s.clock.Now(), body, 0)
	}
	s.wake()
}

// A State is where a message stands.
type State string

// The states. A message that went to a dead-letter queue is in that one only.
const (
	Visible  State = "visible"
	InFlight State = "in flight"
	Delayed  State = "delayed"
	Deleted  State = "deleted"
)

// A View is a message as a test sees it.
type View struct {
	ID, Body string
	State    State
	Receives int
}

// Messages returns the messages of a queue in the order in which they were sent, deleted
// ones too.
func (s *SQS) Messages(queue string) []View {
	s.t.Helper()
	s.state.Lock()
	defer s.state.Unlock()
	q := s.find(queue)
	now := s.clock.Now()
	q.expire(now)
	var all []View
	for _, m := range q.all {
		all = append(all, View{m.id, m.body, m.state(now), m.receives})
	}
	return all
}

// Count counts the messages of a queue by their state.
func (s *SQS) Count(queue string) map[State]int {
	s.t.Helper()
	counts := map[State]int{}
	for _, m := range s.Messages(queue) {
		counts[m.State]++
	}
	return counts
}

// Redeliver makes every message of a queue visible again that is in flight, as if its
// time had passed; with deleted also those that were deleted, which SQS may do.
func (s *SQS) Redeliver(queue string, deleted bool) {
	s.t.Helper()
	s.state.Lock()
	defer s.state.Unlock()
	for _, m := range s.find(queue).all {
		if deleted || !m.deleted {
			m.deleted, m.visibleAt = false, s.clock.Now()
		}
	}
	s.wake()
}

// An Order is that in which messages are received.
type Order uint8

// The orders. Standard queues promise none.
const (
	Oldest Order = iota
	Newest
	Shuffled
)

// SetOrder changes the order of later receives.
func (s *SQS) SetOrder(o Order) {
	s.state.Lock()
	defer s.state.Unlock()
	s.delivery.order = o
}

// SetTwice makes every message visible once more right after its first receive, as if a
// copy of it lay elsewhere. The first receipt handle then no longer deletes it.
func (s *SQS) SetTwice(on bool) {
	s.state.Lock()
	defer s.state.Unlock()
	s.delivery.twice = on
}

// find returns a queue that a test names. It is called with the lock held.
func (s *SQS) find(name string) *queue {
	s.t.Helper()
	q := s.queues[name]
	if q == nil {
		panic("awstest: no queue " + name)
	}
	return q
}

// wake has waiting receives look again. It is called with the lock held.
func (s *SQS) wake() {
	close(s.changed)
	s.changed = make(chan struct{})
}

func (s *SQS) url(queue string) string { return s.Endpoint + "/" + Account + "/" + queue }

// byURL finds the queue of a request. It is called with the lock held.
func (s *SQS) byURL(url string) (*queue, error) {
	q := s.queues[url[strings.LastIndexByte(url, '/')+1:]]
	if q == nil {
		return nil, &Fault{Status: 400, Code: "QueueDoesNotExist", Message: "The specified queue does not exist."}
	}
	return q, nil
}

// create makes a queue; again with the same attributes it does nothing. It is called
// with the lock held.
func (s *SQS) create(name string, attributes map[string]string) error {
	all := maps.Clone(defaults)
	for key, value := range attributes {
		if err := checkAttribute(key, value); err != nil {
			return err
		}
		all[key] = value
	}
	if old := s.queues[name]; old != nil {
		if !maps.Equal(old.attributes, all) {
			return &Fault{Status: 400, Code: "QueueNameExists", Message: "A queue already exists with the same name and a different value for an attribute."}
		}
		return nil
	}
	q := &queue{name: name, attributes: all, created: s.clock.Now(), byID: map[string]*message{}}
	if arn, _, err := q.redrive(); err != nil || (arn != "" && s.byARN(arn) == nil) {
		return invalidParameter("Value for parameter RedrivePolicy is invalid: the dead-letter queue does not exist or the policy cannot be read.")
	}
	s.queues[name] = q
	return nil
}

// byARN finds a queue; nil if there is none. It is called with the lock held.
func (s *SQS) byARN(arn string) *queue {
	for name, q := range s.queues {
		if QueueARN(name) == arn {
			return q
		}
	}
	return nil
}

// until is how long a receive waits before it looks again: until its own end, or until a
// message becomes visible by itself. It is called with the lock held.
func (s *SQS) until(q *queue, now, deadline time.Time) time.Duration {
	if at, ok := q.next(now); ok && at.Before(deadline) {
		return at.Sub(now)
	}
	return deadline.Sub(now)
}
