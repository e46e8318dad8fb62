package api

import "golang.org/x/sync/semaphore"

// LimitSending replaces maxSending.
func (a *API) LimitSending(bytes int64) { a.sending = semaphore.NewWeighted(bytes) }

// Routes are all patterns, with the parameters of their queries.
func Routes() map[string][]string {
	all := map[string][]string{}
	for _, r := range routes {
		all[r.pattern] = r.parameters
	}
	return all
}
