package webhook

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/otelcol-custody/custody/internal/integrity/incident"
)

// How long the hook waits.
const (
	firstPause = time.Second
	maxPause   = 5 * time.Minute
	// slowPause is for what the endpoint refused: a person has to do something.
	slowPause = time.Hour
	// badAfter is for how long an endpoint may be away before it is an incident.
	badAfter = time.Minute
	idle     = time.Hour
)

// backoff doubles.
type backoff time.Duration

// next is the pause from now on, between half of it and all of it, so that many
// who wait for one endpoint do not come at once.
func (b *backoff) next() time.Duration {
	*b = min(max(2**b, backoff(firstPause)), backoff(maxPause))
	return jitter(time.Duration(*b))
}

func jitter(d time.Duration) time.Duration { return d/2 + rand.N(d/2) }

// verdict is what an endpoint made of a post.
type verdict int

const (
	taken   verdict = iota
	refused         // this post, until somebody does something
	away            // all posts, for a while
)

// message is the body of a post, as Standard Webhooks have it.
type message struct {
	Type      string         `json:"type"`
	Timestamp time.Time      `json:"timestamp"`
	Data      incident.Event `json:"data"`
}

// post sends what is due, until nothing is or the endpoint is away, and returns
// how long to wait.
func (h *Hook) post(ctx context.Context) time.Duration {
	for {
		now := time.Now()
		if wait := h.resume.Sub(now); wait > 0 {
			return wait
		}
		next, wait := h.due(now)
		if next == nil {
			return wait
		}
		v, after, err := h.send(ctx, next)
		if ctx.Err() != nil {
			return 0
		}
		h.judge(next, v, after, err, now)
	}
}

// due is the oldest post that may be sent now, or how long there is none.
func (h *Hook) due(now time.Time) (*item, time.Duration) {
	wait := idle
	for _, i := range h.queue.heads() {
		until := h.slow[i.Event.Incident.ID].Sub(now)
		if until <= 0 {
			return &i, 0
		}
		wait = min(wait, until)
	}
	return nil, wait
}

// judge goes on from what became of a post that was sent at that time.
func (h *Hook) judge(i *item, v verdict, after time.Duration, err error, sent time.Time) {
	about := i.Event.Incident.ID
	switch v {
	case taken:
		h.pause, h.bad = 0, time.Time{}
		delete(h.slow, about)
		h.queue.done(i.ID)
		_ = h.queue.store() // tried again with the next; at worst it comes twice
		if len(h.slow) == 0 {
			_ = h.set.Book.Swept(h.place(), sent, incident.Undelivered) // its disk's error is the book's to tell
		}
	case refused:
		h.pause, h.bad = 0, time.Time{}
		h.slow[about] = time.Now().Add(jitter(slowPause))
		h.tell(fmt.Sprintf("refuses posts, which are tried again about every %v", slowPause), err)
	case away:
		h.resume = time.Now().Add(max(h.pause.next(), after))
		if h.bad.IsZero() {
			h.bad = sent
		}
		if time.Since(h.bad) >= badAfter {
			h.tell("does not take posts since "+h.bad.UTC().Format(time.RFC3339), err)
		}
	}
}

func (h *Hook) place() incident.Place { return incident.Place{Object: "webhook " + h.set.Name} }

// tell makes it an incident that the endpoint does not take posts: the other
// channels have it.
func (h *Hook) tell(what string, err error) {
	n, dropped := h.Waiting()
	m := fmt.Sprintf("webhook %s at %s %s: %v. %d wait", h.set.Name, h.host, what, err, n)
	if dropped > 0 {
		m += fmt.Sprintf("; %d updates were dropped", dropped)
	}
	_ = h.set.Book.Report(incident.Finding{Kind: incident.Undelivered, Place: h.place(), Message: m}) // as above
}

// send posts one item. The error says why it was not taken, and after is how
// long the endpoint wants to be left alone.
func (h *Hook) send(ctx context.Context, i *item) (v verdict, after time.Duration, err error) {
	e := i.Event
	body, err := json.Marshal(message{Type: "custody.incident." + string(e.What), Timestamp: e.At, Data: e})
	if err != nil {
		return refused, 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, h.set.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.set.URL, bytes.NewReader(body))
	if err != nil {
		return refused, 0, hideURL(err)
	}
	now := time.Now()
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "custody-integrity")
	req.Header.Set("Webhook-Id", i.ID)
	req.Header.Set("Webhook-Timestamp", strconv.FormatInt(now.Unix(), 10))
	req.Header.Set("Webhook-Signature", sign(h.set.Secrets, i.ID, now, body))
	resp, err := h.client.Do(req)
	if err != nil {
		return away, 0, hideURL(err)
	}
	said, _ := io.ReadAll(io.LimitReader(resp.Body, maxAnswer)) // the status is the answer
	_ = resp.Body.Close()
	return answered(resp, said)
}

// maxAnswer is how much of an answer is read, and maxQuoted how much is shown.
const maxAnswer, maxQuoted = 4 << 10, 200

func answered(resp *http.Response, said []byte) (verdict, time.Duration, error) {
	if resp.StatusCode/100 == 2 {
		return taken, 0, nil
	}
	err := fmt.Errorf("it answers %s: %.*q", resp.Status, maxQuoted, said)
	switch c := resp.StatusCode; {
	case c == http.StatusRequestTimeout, c == http.StatusTooManyRequests, c >= 500:
		return away, retryAfter(resp.Header.Get("Retry-After"), time.Now()), err
	case c/100 == 3:
		return refused, 0, fmt.Errorf("%w: redirects are not followed; configure the URL that it names", err)
	}
	return refused, 0, err
}

// retryAfter is how long a header asks to be left alone, in seconds or until a date
// (RFC 9110, section 10.2.3): slowPause at most, whatever the endpoint's clock says.
func retryAfter(header string, now time.Time) time.Duration {
	var wait time.Duration
	if seconds, err := strconv.Atoi(header); err == nil {
		wait = time.Duration(min(max(seconds, 0), int(slowPause/time.Second))) * time.Second
	} else if date, err := http.ParseTime(header); err == nil {
		wait = date.Sub(now)
	}
	return min(max(wait, 0), slowPause)
}

// hideURL leaves out the URL, which may hold a secret.
func hideURL(err error) error {
	if u := (*url.Error)(nil); errors.As(err, &u) {
		return u.Err
	}
	return err
}
