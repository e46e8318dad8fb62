package awstest

import (
	"errors"
	"net/http"
)

// handleEntry names a message, alone or in a batch.
type handleEntry struct {
	Id            string `json:",omitempty"`
	ReceiptHandle string
}

type deleteIn struct {
	QueueUrl string
	handleEntry
}

func (s *SQS) deleteMessage(_ *http.Request, in deleteIn) (any, error) {
	s.state.Lock()
	defer s.state.Unlock()
	q, err := s.byURL(in.QueueUrl)
	if err != nil {
		return nil, err
	}
	return nil, q.delete(in.ReceiptHandle)
}

type deleteBatchIn struct {
	QueueUrl string
	Entries  []handleEntry
}

func (s *SQS) deleteMessageBatch(_ *http.Request, in deleteBatchIn) (any, error) {
	return batch(s, in.QueueUrl, in.Entries, func(e handleEntry) string { return e.Id },
		func(q *queue, e handleEntry) (map[string]any, error) {
			return map[string]any{}, q.delete(e.ReceiptHandle)
		})
}

type hideEntry struct {
	handleEntry
	VisibilityTimeout int
}

type hideIn struct {
	QueueUrl string
	hideEntry
}

func (s *SQS) changeVisibility(_ *http.Request, in hideIn) (any, error) {
	s.state.Lock()
	defer s.state.Unlock()
	q, err := s.byURL(in.QueueUrl)
	if err != nil {
		return nil, err
	}
	defer s.wake() // Zero makes it visible at once.
	return nil, q.hide(s.clock.Now(), in.ReceiptHandle, in.VisibilityTimeout)
}

type hideBatchIn struct {
	QueueUrl string
	Entries  []hideEntry
}

func (s *SQS) changeVisibilityBatch(_ *http.Request, in hideBatchIn) (any, error) {
	return batch(s, in.QueueUrl, in.Entries, func(e hideEntry) string { return e.Id },
		func(q *queue, e hideEntry) (map[string]any, error) {
			return map[string]any{}, q.hide(s.clock.Now(), e.ReceiptHandle, e.VisibilityTimeout)
		})
}

// batch does each entry by itself: some may fail although the call succeeds.
func batch[E any](s *SQS, url string, entries []E, id func(E) string, do func(*queue, E) (map[string]any, error)) (any, error) {
	s.state.Lock()
	defer s.state.Unlock()
	q, err := s.byURL(url)
	if err != nil {
		return nil, err
	}
	ids := map[string]bool{}
	for _, e := range entries {
		ids[id(e)] = true
	}
	switch {
	case len(entries) == 0:
		return nil, &Fault{Status: 400, Code: "EmptyBatchRequest", Message: "There should be at least one entry in the request."}
	case len(entries) > maxBatch:
		return nil, &Fault{Status: 400, Code: "TooManyEntriesInBatchRequest", Message: "Maximum number of entries per request are 10."}
	case len(ids) < len(entries):
		return nil, &Fault{Status: 400, Code: "BatchEntryIdsNotDistinct", Message: "Two or more batch entries in the request have the same Id."}
	}
	done, failed := []map[string]any{}, []map[string]any{}
	for _, e := range entries {
		out, err := do(q, e)
		var fault *Fault
		switch {
		case errors.As(err, &fault):
			failed = append(failed, map[string]any{"Id": id(e), "Code": fault.Code, "Message": fault.Message, "SenderFault": true})
		case err != nil:
			return nil, err
		default:
			out["Id"] = id(e)
			done = append(done, out)
		}
	}
	s.wake()
	return map[string]any{"Successful": done, "Failed": failed}, nil
}
