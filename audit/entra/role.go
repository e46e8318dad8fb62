package entra

import (
	"strings"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/internal/draft"
)

// roleVerbs begin the names of what is done with the members of roles.
var roleVerbs = map[string]meaning{
	"add":     {audit.ClassUserAccess, 1, audit.ActionCreate},
	"restore": {audit.ClassUserAccess, 1, audit.ActionCreate},
	"remove":  {audit.ClassUserAccess, 2, audit.ActionDelete},
}

// ClassifyRole sets the event name, the action and the OCSF class of an activity about
// the members of roles, in whatever log it is told; false if it is none.
func ClassifyRole(activity string, d *draft.Draft) bool {
	m, ok := roleMeaning(plain(activity))
	if ok {
		d.Class(m.class, m.action, m.activity)
	}
	return ok
}

// roleMeaning reads "add member to role", with what Privileged Identity Management has
// between and behind these words: one name for each step of a request. Only the step
// that completes it gives or takes a role. "Outside of PIM" is what it found, again
// and again, and no grant of its own.
// https://learn.microsoft.com/entra/identity/monitoring-health/reference-audit-activities#privileged-identity-management
func roleMeaning(name string) (m meaning, ok bool) {
	verb, rest, _ := strings.Cut(name, " ")
	if m, ok = roleVerbs[verb]; !ok {
		return m, false
	}
	if rest == "permanent direct role assignment" || rest == "permanent eligible role assignment" {
		return m, true
	}
	rest = strings.TrimPrefix(strings.TrimPrefix(rest, "eligible "), "scoped ")
	step, to := strings.CutPrefix(rest+" ", "member to role ")
	if !to {
		if step, ok = strings.CutPrefix(step, "member from role "); !ok {
			return m, false
		}
	}
	switch strings.TrimPrefix(step, "in pim ") {
	case "", "completed ", "comleted ", "scoped over restricted management administrative unit ":
		return m, true
	}
	return meaning{audit.ClassUserAccess, audit.ActivityOther, audit.ActionOther}, true
}

// plain is the name of an activity in lower case, without what stands in parentheses:
// the way by which it was done, such as "(PIM activation)".
func plain(activity string) string {
	name, _, _ := strings.Cut(strings.ToLower(activity), " (")
	return name
}
