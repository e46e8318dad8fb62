package api

import (
	"net/http"
	"slices"

	"github.com/otelcol-custody/custody/internal/integrity/incident"
)

// Findings are what was found; incident.Book implements it.
type Findings interface {
	// Incidents are those that fit, the newest first.
	Incidents(incident.Filter) []incident.Incident
	Incident(id string) (incident.Incident, bool)
}

// findings lists incidents without their evidence, the newest first. Next is the
// last one of the page, from which the following one goes on; null: there is none.
func (a *API) findings(r *request) error {
	f, err := filter(r)
	if err != nil {
		return err
	}
	limit, err := page(r.q, defaultPage, maxPage)
	if err != nil {
		return err
	}
	all := a.set.Findings.Incidents(f)
	if id := r.q.Get("after"); id != "" {
		i := slices.IndexFunc(all, func(i incident.Incident) bool { return i.ID == id })
		if i < 0 {
			return problemf(http.StatusNotFound, "finding", "parameter after: no finding of this list has this id any more; begin with the first page")
		}
		all = all[i+1:]
	}
	doc := struct {
		Findings []incident.Incident `json:"findings"`
		Next     *string             `json:"next"`
	}{Findings: some(all[:min(limit, len(all))])}
	if len(all) > limit {
		doc.Next = &all[limit-1].ID
	}
	for i := range doc.Findings {
		doc.Findings[i] = shown(doc.Findings[i])
		doc.Findings[i].Evidence = nil
	}
	return r.json(doc)
}

func filter(r *request) (f incident.Filter, err error) {
	state, err := choice(r.q, "state", string(incident.StateOpen), string(incident.StateResolved))
	if err != nil {
		return f, err
	}
	least, err := choice(r.q, "severity", incident.Trouble.String(), incident.Concern.String(), incident.Tampering.String())
	if err != nil {
		return f, err
	}
	f = incident.Filter{State: incident.State(state), Log: r.q.Get("log")}
	if least != "" {
		err = f.Least.UnmarshalText([]byte(least))
	}
	return f, err
}

// finding is one incident with its evidence, such as two signed heads.
func (a *API) finding(r *request) error {
	i, ok := a.set.Findings.Incident(r.r.PathValue("id"))
	if !ok {
		return problemf(http.StatusNotFound, "finding", "no finding has this id; resolved ones are kept for a while, /v1/findings lists them")
	}
	return r.json(shown(i))
}

// shown is an incident as it is told to clients. Of what could not be read or sent
// the text is the store's or the channel's, which can hold addresses and secrets:
// it is for the collector's log.
func shown(i incident.Incident) incident.Incident {
	if i.Severity == incident.Trouble {
		i.Message, i.Want, i.Got, i.Evidence = "something could not be read or sent, which says nothing about the evidence; the reason is in the collector's log", "", "", nil
	}
	return i
}
