package awstest

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Limits of SQS.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-quotas.html
const (
	longestVisibility = 12 * time.Hour
	maxMessage        = 1 << 20
	maxInFlight       = 120_000
)

// message is one in a queue.
type message struct {
	id, body  string
	sent      time.Time
	first     time.Time // when it was first received
	receives  int
	latest    time.Time // when it was last received
	visibleAt time.Time
	deleted   bool
}

func (m *message) state(now time.Time) State {
	switch {
	case m.deleted:
		return Deleted
	case !m.visibleAt.After(now):
		return Visible
	case m.receives == 0:
		return Delayed
	}
	return InFlight
}

// queue is a standard queue. Its methods are called with the server's lock held.
type queue struct {
	name       string
	attributes map[string]string
	created    time.Time
	sent       int        // messages so far
	all        []*message // as they were sent, deleted ones too
	byID       map[string]*message
}

// seconds reads an attribute; its default is in defaults.
func (q *queue) seconds(name string) time.Duration {
	n, _ := strconv.Atoi(q.attributes[name]) // Checked when it was set.
	return time.Duration(n) * time.Second
}

func (q *queue) send(now time.Time, body string, delay time.Duration) *message {
	q.sent++
	m := &message{id: fmt.Sprintf("%s-%d", q.name, q.sent), body: body, sent: now, visibleAt: now.Add(delay)}
	q.add(m)
	return m
}

func (q *queue) add(m *message) {
	q.all = append(q.all, m)
	q.byID[m.id] = m
}

// expire drops what is older than the queue keeps.
func (q *queue) expire(now time.Time) {
	oldest := now.Add(-q.seconds("MessageRetentionPeriod"))
	q.all = slices.DeleteFunc(q.all, func(m *message) bool {
		if m.deleted || m.sent.After(oldest) {
			return false
		}
		delete(q.byID, m.id)
		return true
	})
}

// count counts the messages in a state.
func (q *queue) count(now time.Time, state State) (n int) {
	for _, m := range q.all {
		if m.state(now) == state {
			n++
		}
	}
	return n
}

// next is when the next message becomes visible, if one does.
func (q *queue) next(now time.Time) (at time.Time, ok bool) {
	for _, m := range q.all {
		if s := m.state(now); (s == InFlight || s == Delayed) && (!ok || m.visibleAt.Before(at)) {
			at, ok = m.visibleAt, true
		}
	}
	return at, ok
}

// take receives up to limit messages. Those that were received maxReceiveCount times go
// to dead instead, if there is one.
func (q *queue) take(now time.Time, limit int, hidden time.Duration, o delivery, dead *queue, most int) (out []received, died int) {
	q.expire(now)
	for _, m := range o.arrange(q.all) {
		if len(out) == limit {
			break
		}
		if m.state(now) != Visible {
			continue
		}
		if dead != nil && m.receives >= most {
			q.remove(m)
			m.visibleAt = now
			dead.add(m)
			died++
			continue
		}
		out = append(out, q.receive(m, now, hidden, o.twice))
	}
	return out, died
}

func (q *queue) remove(m *message) {
	q.all = slices.DeleteFunc(q.all, func(other *message) bool { return other == m })
	delete(q.byID, m.id)
}

// received is a message as one receive saw it.
type received struct {
	message
	handle string
}

func (q *queue) receive(m *message, now time.Time, hidden time.Duration, twice bool) received {
	if m.receives == 0 {
		m.first = now
	}
	m.receives++
	m.latest = now
	if !twice || m.receives != 1 { // A copy on another machine is still visible.
		m.visibleAt = now.Add(hidden)
	}
	return received{*m, q.handle(m)}
}

func (q *queue) handle(m *message) string {
	return base64.StdEncoding.EncodeToString([]byte(strings.Join([]string{q.name, m.id, strconv.Itoa(m.receives)}, "\n")))
}

// at finds what a receipt handle stands for. newest says that the message was not
// received again since. A message that is gone is nil.
func (q *queue) at(handle string) (m *message, newest bool, err error) {
	text, err := base64.StdEncoding.DecodeString(handle)
	parts := strings.Split(string(text), "\n")
	if err != nil || len(parts) != 3 || parts[0] != q.name {
		return nil, false, &Fault{Status: 404, Code: "ReceiptHandleIsInvalid", Message: "The input receipt handle is not a valid receipt handle."}
	}
	m = q.byID[parts[1]]
	if m == nil || m.deleted {
		return nil, false, nil
	}
	return m, strconv.Itoa(m.receives) == parts[2], nil
}

// delete deletes a message by a receipt handle. Only the handle of the latest receive
// does; with an older one the call succeeds and the message stays, as AWS says it may.
// That the visibility has ended does no harm to the latest handle.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteMessage.html
func (q *queue) delete(handle string) error {
	m, newest, err := q.at(handle)
	if err == nil && newest {
		m.deleted = true
	}
	return err
}

// hide changes how long a message stays invisible, counted from now. From its receive on
// that are 12 hours at most.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html
func (q *queue) hide(now time.Time, handle string, seconds int) error {
	d := time.Duration(seconds) * time.Second
	if seconds < 0 || d > longestVisibility {
		return invalidParameter(fmt.Sprintf("Value %d for parameter VisibilityTimeout is invalid. Reason: Must be between 0 and 43200", seconds))
	}
	m, newest, err := q.at(handle)
	switch {
	case err != nil:
		return err
	case m == nil || !newest:
		return invalidParameter("The receipt handle is of a message that does not exist or is not available for visibility timeout change.")
	case m.state(now) != InFlight:
		return &Fault{Status: 400, Code: "MessageNotInflight", Message: "The message is not in flight."}
	case now.Add(d).After(m.latest.Add(longestVisibility)):
		return invalidParameter(fmt.Sprintf("Value %d for parameter VisibilityTimeout is invalid. Reason: Total VisibilityTimeout for the message is beyond the limit [43200 seconds]", seconds))
	}
	m.visibleAt = now.Add(d)
	return nil
}

// redrive reads the queue's policy; "" means that it has none.
func (q *queue) redrive() (arn string, most int, err error) {
	text := q.attributes["RedrivePolicy"]
	if text == "" {
		return "", 0, nil
	}
	var p struct {
		DeadLetterTargetArn string `json:"deadLetterTargetArn"`
		MaxReceiveCount     any    `json:"maxReceiveCount"` // a number or a text
	}
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		return "", 0, err
	}
	most, err = strconv.Atoi(fmt.Sprint(p.MaxReceiveCount))
	if err != nil || most < 1 || most > 1000 || p.DeadLetterTargetArn == "" {
		return "", 0, fmt.Errorf("RedrivePolicy %s is not valid", text)
	}
	return p.DeadLetterTargetArn, most, nil
}

// delivery is how a server hands messages out.
type delivery struct {
	order Order
	twice bool
	rand  *rand.Rand
}

func (o delivery) arrange(all []*message) []*message {
	all = slices.Clone(all)
	switch o.order {
	case Newest:
		slices.Reverse(all)
	case Shuffled:
		o.rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	}
	return all
}
