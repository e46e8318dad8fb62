package wire

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"time"
)

// Fault says what happens to which requests.
type Fault struct {
	Match  func(*http.Request) bool // nil: all. It must not read the body.
	Times  int                      // so many requests that match; 0: all, until Heal
	Action Action
}

// Action is what a fault does to a request.
type Action func(p *Proxy, next http.Handler) http.Handler

type fault struct {
	Fault
	seen int
}

// Inject adds a fault. A request that several match meets all, in the order in
// which they were added.
func (p *Proxy) Inject(f Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults = append(p.faults, &fault{Fault: f})
}

// Heal takes all faults away and lets requests go on that wait.
func (p *Proxy) Heal() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults = nil
	close(p.healed)
	p.healed = make(chan struct{})
}

// due returns the actions for a request and counts it.
func (p *Proxy) due(r *http.Request) []Action {
	p.mu.Lock()
	defer p.mu.Unlock()
	var actions []Action
	for _, f := range p.faults {
		if f.Times > 0 && f.seen >= f.Times || f.Match != nil && !f.Match(r) {
			continue
		}
		f.seen++
		actions = append(actions, f.Action)
	}
	return actions
}

func (p *Proxy) untilHealed() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.healed
}

// DropAnswer lets the server do what was asked; then the connection breaks.
func DropAnswer() Action {
	return func(_ *Proxy, next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			next.ServeHTTP(&nowhere{w: w, header: http.Header{}}, r)
			panic(http.ErrAbortHandler)
		})
	}
}

// nowhere drops an answer but for its status, which is noted.
type nowhere struct {
	w      http.ResponseWriter
	header http.Header
}

func (n *nowhere) Header() http.Header         { return n.header }
func (n *nowhere) Write(b []byte) (int, error) { return len(b), nil }

func (n *nowhere) WriteHeader(status int) {
	if w, ok := n.w.(*watcher); ok {
		w.answered(status)
	}
}

// Answer answers in the server's place, which is not asked.
func Answer(status int, header http.Header, body string) Action {
	return func(_ *Proxy, _ http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			// A client that is still sending would see a broken connection.
			if _, err := io.Copy(io.Discard, r.Body); err != nil {
				panic(http.ErrAbortHandler)
			}
			for name, values := range header {
				w.Header()[http.CanonicalHeaderKey(name)] = values
			}
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body) // The client may have gone.
		})
	}
}

// Delay lets a request wait before it is passed on. A client that gives up
// meanwhile has its request dropped.
func Delay(d time.Duration) Action {
	return func(p *Proxy, next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			timer := time.NewTimer(d)
			defer timer.Stop()
			hold(w, r, next, timer.C, p.untilHealed())
		})
	}
}

// Hang lets a request wait until Heal, then passes it on. A client that gives
// up meanwhile has its request dropped.
func Hang() Action {
	return func(p *Proxy, next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			hold[struct{}](w, r, next, nil, p.untilHealed())
		})
	}
}

// hold reads the whole body first: only then does the context say that the
// client has gone.
func hold[T any](w http.ResponseWriter, r *http.Request, next http.Handler, until <-chan T, healed <-chan struct{}) {
	body, err := io.ReadAll(r.Body)
	if err != nil || !wait(r.Context(), until, healed) {
		panic(http.ErrAbortHandler)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	next.ServeHTTP(w, r)
}

// Refuse closes the connection at once, as a dead server does.
func Refuse() Action {
	return func(*Proxy, http.Handler) http.Handler {
		return http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	}
}

// Strip removes request headers, so that the server behaves as one that does
// not know them. Where the client signs headers as S3 does, the proxy needs
// [Resign]; Azure's shared keys sign them, too: use a SAS there, which does not.
func Strip(names ...string) Action {
	return func(_ *Proxy, next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r = r.WithContext(context.WithValue(r.Context(), stripped{}, true))
			for _, name := range names {
				r.Header.Del(name)
			}
			next.ServeHTTP(w, r)
		})
	}
}
