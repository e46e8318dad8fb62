// Package webhook tells an HTTP endpoint of incidents: signed, in the order of
// each incident, again until the endpoint has taken it, and across restarts.
package webhook

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"time"

	"github.com/otelcol-custody/custody/internal/durable"
	"github.com/otelcol-custody/custody/internal/integrity/incident"
)

// Config says where incidents are posted to.
type Config struct {
	// Name names the endpoint in incidents and in its files: lower-case letters,
	// digits and hyphens. It is its place in the book: another name begins anew.
	Name string
	// URL is posted to. It may hold a secret, so no message shows more of it than
	// its host. Redirects are not followed.
	URL string
	// Secrets sign; several while one is exchanged for another. See [ParseSecrets].
	Secrets [][]byte
	Client  *http.Client  // nil means a new one with the defaults of net/http
	Timeout time.Duration // of one post; 0 means 10 s
	Book    *incident.Book
	// Dir holds the queue; it is made, and the caller holds its lock. FS is where
	// it lies; nil means [durable.OS].
	Dir string
	FS  durable.FS
}

// A Hook posts the events of a book. Make one with [New].
type Hook struct {
	set    Config
	host   string
	client *http.Client
	queue  *queue

	// The following are owned by Run.
	taken  uint64               // the last event that the queue has
	pause  backoff              // for all incidents: the endpoint does not answer well
	resume time.Time            // when the next post may be made
	slow   map[string]time.Time // incidents that were refused, and until when they wait
	bad    time.Time            // since when nothing was taken; zero: the last post was
}

// New opens the queue. A queue that was damaged is kept under another name, and
// what is still open is posted again.
func New(set Config) (*Hook, error) {
	h := &Hook{set: set, slow: map[string]time.Time{}}
	u, err := url.Parse(set.URL)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return nil, errors.New("webhook: the URL is not one of http or https")
	case len(set.Secrets) == 0:
		return nil, errors.New("webhook: no secret to sign with")
	case !validName(set.Name):
		return nil, fmt.Errorf("webhook: the name %q is not made of lower-case letters, digits and hyphens", set.Name)
	}
	h.host = u.Host
	if h.set.FS == nil {
		h.set.FS = durable.OS
	}
	if h.set.Timeout <= 0 {
		h.set.Timeout = 10 * time.Second
	}
	client := http.Client{}
	if set.Client != nil {
		client = *set.Client
	}
	// A redirect would take what is told to where nobody wanted it.
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	h.client = &client
	if err := durable.MkdirAll(h.set.FS, set.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("webhook: %w", err)
	}
	if err := h.open(); err != nil {
		return nil, fmt.Errorf("webhook: %w", err)
	}
	return h, nil
}

func (h *Hook) open() error {
	path := filepath.Join(h.set.Dir, "webhook-"+h.set.Name)
	var damaged error
	var err error
	if h.queue, damaged, err = openQueue(h.set.FS, path, time.Now()); err != nil {
		return err
	}
	h.taken = h.set.Book.Cursor(h.cursor())
	if damaged == nil && h.taken > 0 {
		return nil
	}
	// What was waiting is not known, or everything is news: what is over is not.
	h.taken = 0
	h.take(func(e *incident.Event) bool {
		i, known := h.set.Book.Incident(e.Incident.ID)
		return known && i.Open()
	})
	if damaged == nil {
		return nil
	}
	return h.set.Book.Report(incident.Finding{Kind: incident.StateDamaged, Place: incident.Place{Object: path}, Got: damaged.Error(),
		Message: fmt.Sprintf("the queue of webhook %s: %v; what is still open is posted again", h.set.Name, damaged)})
}

func (h *Hook) cursor() string { return "webhook " + h.set.Name }

// Run posts until ctx ends. Errors of the endpoint and of the disk are incidents,
// or tried again.
func (h *Hook) Run(ctx context.Context) {
	wake, stop := h.set.Book.Follow()
	defer stop()
	for ctx.Err() == nil {
		h.take(func(*incident.Event) bool { return true })
		next := h.post(ctx)
		timer := time.NewTimer(next)
		select {
		case <-ctx.Done():
		case <-timer.C:
		case <-wake:
		}
		timer.Stop()
	}
}

// Close closes the queue's file, once Run has returned.
func (h *Hook) Close() error { return h.queue.file.Close() }

// Waiting is how many posts wait, and how many updates were dropped to make room.
func (h *Hook) Waiting() (n int, dropped uint64) {
	h.queue.mu.Lock()
	defer h.queue.mu.Unlock()
	return len(h.queue.items), h.queue.dropped
}

// take moves new events from the book to the queue. What the queue's disk does
// not take is posted all the same, and again after a restart.
func (h *Hook) take(wanted func(*incident.Event) bool) {
	for room := h.queue.room(); room > 0; room = h.queue.room() {
		events := h.set.Book.Events(h.taken, min(room, 64))
		for i := range events {
			h.taken = events[i].Seq
			if wanted(&events[i]) {
				h.queue.add(events[i])
			}
		}
		if len(events) == 0 {
			break
		}
	}
	if h.queue.store() == nil && h.taken > h.set.Book.Cursor(h.cursor()) {
		_ = h.set.Book.Advance(h.cursor(), h.taken) // else they come twice, after a restart
	}
}

func validName(s string) bool {
	for _, c := range s {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return s != "" && len(s) <= 64
}
