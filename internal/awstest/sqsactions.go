package awstest

import (
	"crypto/md5"
	"encoding/hex"
	"errors"
	"net/http"
	"slices"
	"time"
)

const maxBatch = 10 // entries of a batch, messages of a receive

func (s *SQS) table() map[string]action {
	return map[string]action{
		"CreateQueue":                  typed(s.createQueue),
		"GetQueueUrl":                  typed(s.getQueueURL),
		"GetQueueAttributes":           typed(s.getQueueAttributes),
		"SendMessage":                  typed(s.sendMessage),
		"SendMessageBatch":             typed(s.sendMessageBatch),
		"ReceiveMessage":               typed(s.receiveMessage),
		"DeleteMessage":                typed(s.deleteMessage),
		"DeleteMessageBatch":           typed(s.deleteMessageBatch),
		"ChangeMessageVisibility":      typed(s.changeVisibility),
		"ChangeMessageVisibilityBatch": typed(s.changeVisibilityBatch),
	}
}

type createIn struct {
	QueueName  string
	Attributes map[string]string
}

func (s *SQS) createQueue(_ *http.Request, in createIn) (any, error) {
	s.state.Lock()
	defer s.state.Unlock()
	if err := s.create(in.QueueName, in.Attributes); err != nil {
		return nil, err
	}
	return map[string]string{"QueueUrl": s.url(in.QueueName)}, nil
}

type urlIn struct{ QueueName, QueueOwnerAWSAccountId string }

func (s *SQS) getQueueURL(_ *http.Request, in urlIn) (any, error) {
	s.state.Lock()
	defer s.state.Unlock()
	if _, err := s.byURL(in.QueueName); err != nil {
		return nil, err
	}
	return map[string]string{"QueueUrl": s.url(in.QueueName)}, nil
}

type attributesIn struct {
	QueueUrl       string
	AttributeNames []string
}

func (s *SQS) getQueueAttributes(_ *http.Request, in attributesIn) (any, error) {
	s.state.Lock()
	defer s.state.Unlock()
	q, err := s.byURL(in.QueueUrl)
	if err != nil {
		return nil, err
	}
	now := s.clock.Now()
	q.expire(now)
	return map[string]any{"Attributes": chosen(q.described(now), in.AttributeNames)}, nil
}

// sendEntry is a message, alone or of a batch.
type sendEntry struct {
	Id           string `json:",omitempty"`
	MessageBody  string
	DelaySeconds *int
}

type sendIn struct {
	QueueUrl string
	sendEntry
}

func (s *SQS) sendMessage(_ *http.Request, in sendIn) (any, error) {
	s.state.Lock()
	defer s.state.Unlock()
	q, err := s.byURL(in.QueueUrl)
	if err != nil {
		return nil, err
	}
	return s.put(q, in.sendEntry)
}

func (s *SQS) put(q *queue, e sendEntry) (map[string]any, error) {
	if e.MessageBody == "" || len(e.MessageBody) > maxMessage {
		return nil, invalidParameter("One or more parameters are invalid. Reason: Message must have at least one byte and not more than the queue takes.")
	}
	delay := q.seconds("DelaySeconds")
	if e.DelaySeconds != nil {
		delay = time.Duration(*e.DelaySeconds) * time.Second
	}
	m := q.send(s.clock.Now(), e.MessageBody, delay)
	s.wake()
	return map[string]any{"MessageId": m.id, "MD5OfMessageBody": digest(m.body)}, nil
}

func digest(body string) string {
	sum := md5.Sum([]byte(body))
	return hex.EncodeToString(sum[:])
}

type sendBatchIn struct {
	QueueUrl string
	Entries  []sendEntry
}

func (s *SQS) sendMessageBatch(_ *http.Request, in sendBatchIn) (any, error) {
	size := 0
	for _, e := range in.Entries {
		size += len(e.MessageBody)
	}
	if size > maxMessage {
		return nil, &Fault{Status: 400, Code: "BatchRequestTooLong", Message: "Batch requests cannot be longer than 1048576 bytes."}
	}
	return batch(s, in.QueueUrl, in.Entries, func(e sendEntry) string { return e.Id }, s.put)
}

type receiveIn struct {
	QueueUrl                    string
	AttributeNames              []string
	MessageSystemAttributeNames []string
	MessageAttributeNames       []string // There are none in this server.
	MaxNumberOfMessages         *int
	VisibilityTimeout           *int
	WaitTimeSeconds             *int
}

// span is a number of seconds of a request, or that of the queue.
func span(q *queue, given *int, attribute string) (time.Duration, error) {
	if given == nil {
		return q.seconds(attribute), nil
	}
	if limits := ranges[attribute]; *given < limits[0] || *given > limits[1] {
		return 0, invalidParameter("A number of seconds is out of range: " + attribute)
	}
	return time.Duration(*given) * time.Second, nil
}

func (s *SQS) receiveMessage(r *http.Request, in receiveIn) (any, error) {
	limit := 1
	if in.MaxNumberOfMessages != nil {
		limit = *in.MaxNumberOfMessages
	}
	if limit < 1 || limit > maxBatch {
		return nil, invalidParameter("Value for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided.")
	}
	all, err := s.wait(r, in, limit)
	if err != nil {
		return nil, err
	}
	out := []map[string]any{}
	for _, m := range all {
		names := slices.Concat(in.AttributeNames, in.MessageSystemAttributeNames)
		out = append(out, map[string]any{
			"MessageId": m.id, "ReceiptHandle": m.handle, "Body": m.body, "MD5OfBody": digest(m.body),
			"Attributes": chosen(m.described(), names),
		})
	}
	if len(out) == 0 {
		return struct{}{}, nil
	}
	return map[string]any{"Messages": out}, nil
}

// wait receives messages, and waits for the first one as long as the request says. A
// client that goes away meanwhile takes nothing with it.
func (s *SQS) wait(r *http.Request, in receiveIn, limit int) ([]received, error) {
	var deadline time.Time
	for first := true; ; first = false {
		s.state.Lock()
		now := s.clock.Now()
		all, polls, err := s.take(in, limit, now)
		if first {
			deadline = now.Add(polls)
		}
		if err != nil || len(all) > 0 || !now.Before(deadline) {
			s.state.Unlock()
			return all, err
		}
		q, _ := s.byURL(in.QueueUrl) // take has found it.
		changed, passed := s.changed, s.clock.After(s.until(q, now, deadline))
		s.state.Unlock()
		select {
		case <-changed:
		case <-passed:
		case <-r.Context().Done():
			return nil, r.Context().Err()
		case <-s.ended:
			return nil, errors.New("the test ended")
		}
	}
}

// take receives what is visible, and says how long the request waits if that is nothing.
// It is called with the lock held.
func (s *SQS) take(in receiveIn, limit int, now time.Time) (all []received, polls time.Duration, err error) {
	q, err := s.byURL(in.QueueUrl)
	if err != nil {
		return nil, 0, err
	}
	hidden, err := span(q, in.VisibilityTimeout, "VisibilityTimeout")
	if err != nil {
		return nil, 0, err
	}
	if polls, err = span(q, in.WaitTimeSeconds, "ReceiveMessageWaitTimeSeconds"); err != nil {
		return nil, 0, err
	}
	if q.count(now, InFlight) >= s.most {
		return nil, 0, &Fault{Status: 403, Code: "OverLimit", Message: "Too many messages are in flight."}
	}
	arn, most, _ := q.redrive() // Checked when the queue was made.
	all, died := q.take(now, limit, hidden, s.delivery, s.byARN(arn), most)
	if died > 0 {
		s.wake() // Somebody may wait at the dead-letter queue.
	}
	return all, polls, nil
}
