package api

import (
	"cmp"
	"slices"
	"time"

	"github.com/otelcol-custody/custody/internal/integrity"
	"github.com/otelcol-custody/custody/ledger/checkpoint"
)

// Status is what the guard knows; integrity.Guard implements it.
type Status interface {
	// Status describes each log in each store.
	Status() []integrity.LogStatus
}

type headJSON struct {
	Size       uint64 `json:"size"`
	Root       string `json:"root"`
	Checkpoint string `json:"checkpoint"`
}

func newHead(c *checkpoint.Signed) *headJSON {
	if c == nil {
		return nil
	}
	return &headJSON{c.Size, c.Root.String(), string(c.Note())}
}

// logJSON is a log over all stores. Its head is the newest of them, next_by that of
// its last closed record.
type logJSON struct {
	Log    string     `json:"log"`
	Origin string     `json:"origin,omitempty"`
	Head   *headJSON  `json:"head"`
	NextBy *time.Time `json:"next_by"`
	Ended  bool       `json:"ended"`
	Stores []logStore `json:"stores"`
}

// logStore is a log in one store.
type logStore struct {
	Store       string       `json:"store"`
	Head        *headJSON    `json:"head"`
	Verified    uint64       `json:"verified"`
	ClosedAt    *time.Time   `json:"closed_at"`
	NextBy      *time.Time   `json:"next_by"`
	Ended       bool         `json:"ended"`
	LagSeconds  float64      `json:"lag_seconds"`
	UnreadSince *time.Time   `json:"unread_since"`
	Coverage    coverageJSON `json:"coverage"`
}

type coverageJSON struct {
	OldestRead     *time.Time `json:"oldest_read"`
	PromiseSeconds float64    `json:"promise_seconds"`
	PassBegan      *time.Time `json:"pass_began"`
	Passes         uint64     `json:"passes"`
	DoneBytes      int64      `json:"done_bytes"`
	TotalBytes     int64      `json:"total_bytes"`
}

func newLogStore(s integrity.LogStatus) logStore {
	out := logStore{
		Store: s.Store, Head: newHead(s.Head), Verified: s.Verified, ClosedAt: moment(s.ClosedAt), NextBy: moment(s.NextBy),
		Ended: s.Ended, LagSeconds: s.Lag.Seconds(), Coverage: newCoverage(s.Coverage),
	}
	// Why is for the collector's log alone: the text is the store's.
	if s.Error != "" {
		out.UnreadSince = moment(s.Since)
	}
	return out
}

func newCoverage(c integrity.Coverage) coverageJSON {
	return coverageJSON{moment(c.Oldest), c.Promise.Seconds(), moment(c.Began), c.Passes, c.Done, c.Total}
}

// known are all logs by name. Those whose store was never read have no name yet.
func (a *API) known() []logJSON {
	byLog := map[string][]integrity.LogStatus{}
	for _, s := range a.set.Status.Status() {
		if s.Log != "" {
			byLog[s.Log] = append(byLog[s.Log], s)
		}
	}
	logs := make([]logJSON, 0, len(byLog))
	for name, in := range byLog {
		logs = append(logs, newLog(name, in))
	}
	slices.SortFunc(logs, func(a, b logJSON) int { return cmp.Compare(a.Log, b.Log) })
	return logs
}

func newLog(name string, in []integrity.LogStatus) logJSON {
	l := logJSON{Log: name}
	var newest integrity.LogStatus
	for _, s := range in {
		l.Stores = append(l.Stores, newLogStore(s))
		if s.Head != nil && (newest.Head == nil || s.Head.Size > newest.Head.Size) {
			newest = s
		}
	}
	l.Origin, l.Head, l.NextBy, l.Ended = newest.Origin, newHead(newest.Head), moment(newest.NextBy), newest.Ended
	return l
}

func (a *API) logs(r *request) error {
	return r.json(struct {
		Logs []logJSON `json:"logs"`
	}{a.known()})
}

func (a *API) log(r *request) error {
	name, err := r.log()
	if err != nil {
		return err
	}
	for _, l := range a.known() {
		if l.Log == name {
			return r.json(l)
		}
	}
	return noLog()
}

// coverage says how much of each log in each store was read again, and when.
func (a *API) coverage(r *request) error {
	type entry struct {
		Store string `json:"store"`
		Log   string `json:"log"`
		coverageJSON
		Verified    uint64     `json:"verified"`
		LagSeconds  float64    `json:"lag_seconds"`
		UnreadSince *time.Time `json:"unread_since"`
	}
	all := []entry{}
	for _, s := range a.set.Status.Status() {
		one := newLogStore(s)
		all = append(all, entry{s.Store, s.Log, one.Coverage, one.Verified, one.LagSeconds, one.UnreadSince})
	}
	return r.json(struct {
		Coverage []entry `json:"coverage"`
	}{all})
}
