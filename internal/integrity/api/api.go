package api

import (
	"context"
	_ "embed"
	"errors"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/otelcol-custody/custody/internal/integrity/peers/wire"
)

// Config is what an API answers from.
type Config struct {
	Logs     Logs
	Status   Status
	Findings Findings
	// Heads are the highest heads ever seen; nil: those of Status.
	Heads func() []wire.Head
	// Records allows to read records, in /records, /evidence and /pack: they are personal
	// data in most logs. Everything else holds hashes and figures alone.
	Records bool
	// Rate and ClientRate are how many requests of all clients, and of each, are
	// answered in a second; 0 means [DefaultRate] and [DefaultClientRate].
	Rate, ClientRate float64
	// Timeout is for all reads of stores for one request; 0 means [DefaultTimeout].
	Timeout time.Duration
	// Failed takes the errors of which clients are told only their class, with the
	// path that was asked for, from many goroutines; nil: nobody.
	Failed func(path string, err error)
}

// An API is an [http.Handler]. It answers GET and HEAD.
type API struct {
	set    Config
	mux    *http.ServeMux
	limits *limiter
	reads  *semaphore.Weighted
	whole  *semaphore.Weighted

	sending *semaphore.Weighted // bytes of answers
}

//go:embed openapi.yaml
var openAPI []byte

// route is a pattern of [http.ServeMux] and the parameters of its query.
type route struct {
	pattern    string
	parameters []string
	answer     func(*API, *request) error
}

var routes = []route{
	{"/{log}/checkpoint", nil, (*API).checkpoint},
	{"/{log}/tile/{tile...}", nil, (*API).tile},
	{"/v1/openapi.yaml", nil, (*API).description},
	{"/v1/logs", nil, (*API).logs},
	{"/v1/logs/{log}", nil, (*API).log},
	{"/v1/logs/{log}/segments", []string{"from", "limit"}, (*API).segments},
	{"/v1/logs/{log}/proof", []string{"index", "id", "original_id", "hash", "size"}, (*API).proof},
	{wire.ConsistencyPath, []string{"from", "to"}, (*API).consistency},
	{"/v1/logs/{log}/records/{index}", nil, (*API).record},
	{"/v1/logs/{log}/evidence", []string{"index", "id", "original_id"}, (*API).evidence},
	{"/v1/logs/{log}/pack", []string{"records"}, (*API).pack},
	{wire.HeadsPath, nil, (*API).heads},
	{"/v1/findings", []string{"state", "severity", "log", "after", "limit"}, (*API).findings},
	{"/v1/findings/{id}", nil, (*API).finding},
	{"/v1/coverage", nil, (*API).coverage},
}

// New returns an API.
func New(set Config) (*API, error) {
	if set.Logs == nil || set.Status == nil || set.Findings == nil {
		return nil, errors.New("api: logs, status and findings are needed")
	}
	if set.Rate <= 0 {
		set.Rate = DefaultRate
	}
	if set.ClientRate <= 0 {
		set.ClientRate = DefaultClientRate
	}
	if set.Timeout <= 0 {
		set.Timeout = DefaultTimeout
	}
	if set.Heads == nil {
		set.Heads = judged(set.Status)
	}
	if set.Failed == nil {
		set.Failed = func(string, error) {}
	}
	a := &API{
		set: set, mux: http.NewServeMux(), limits: newLimiter(set.Rate, set.ClientRate),
		reads: semaphore.NewWeighted(maxReads), whole: semaphore.NewWeighted(maxWhole), sending: semaphore.NewWeighted(maxSending),
	}
	for _, r := range routes {
		a.mux.Handle(r.pattern, a.handler(r))
	}
	a.mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { noPath().write(w) })
	return a, nil
}

// ServeHTTP implements [http.Handler]. Every request counts against the rates, so
// that guessing is limited, too.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	harden(w.Header())
	early, ok := a.limits.take(r.RemoteAddr, time.Now())
	if !ok {
		problemf(http.StatusTooManyRequests, "rate", "too many requests at once; wait as long as Retry-After says").retryAfter(early).write(w)
		return
	}
	if !wait(r.Context(), early) {
		return // Who asked has gone.
	}
	if p := refuse(r); p != nil {
		if p.Status == http.StatusMethodNotAllowed {
			w.Header().Set("Allow", "GET, HEAD")
		}
		p.write(w)
		return
	}
	a.mux.ServeHTTP(w, r)
}

// harden sets what every answer has. None is meant to be shown by a browser, nor
// to be read by scripts of other origins.
func harden(h http.Header) {
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
}

// refuse judges what needs no store.
func refuse(r *http.Request) *Problem {
	switch {
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		return problemf(http.StatusMethodNotAllowed, "method", "this API only reads; use GET or HEAD")
	case r.ContentLength != 0:
		return problemf(http.StatusRequestEntityTooLarge, "body", "this API takes no request body; put parameters into the query")
	case len(r.URL.RawQuery) > maxQuery || len(r.URL.Path) > maxPath:
		return problemf(http.StatusRequestURITooLong, "length", "a path has at most %d bytes here, a query %d", maxPath, maxQuery)
	// No name here needs an escape, and none that is not clean is looked for.
	case r.URL.EscapedPath() != r.URL.Path || strings.Contains(r.URL.Path, "%") || path.Clean("/"+r.URL.Path) != r.URL.Path:
		return noPath()
	}
	return nil
}

func noPath() *Problem {
	return problemf(http.StatusNotFound, "path", "there is nothing at this path; /v1/openapi.yaml describes what there is")
}

// request is what a route answers.
type request struct {
	a   *API
	w   http.ResponseWriter
	r   *http.Request
	ctx context.Context // ends with the time for reads
	q   url.Values
}

func (a *API) handler(r route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, hr *http.Request) {
		q, err := parseQuery(hr, r.parameters...)
		if err == nil {
			ctx, cancel := context.WithTimeout(hr.Context(), a.set.Timeout)
			defer cancel()
			err = r.answer(a, &request{a, w, hr, ctx, q})
		}
		if err == nil {
			return
		}
		p := problemOf(err)
		if p != err && hr.Context().Err() == nil {
			a.set.Failed(hr.URL.Path, err)
		}
		p.write(w)
	})
}

// description serves the OpenAPI document.
func (a *API) description(r *request) error {
	return r.send("application/yaml", openAPI)
}
