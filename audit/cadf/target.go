package cadf

import (
	"strings"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/internal/draft"
)

// targets maps to what it was done. What an event calls its target may be something
// else: a made-up id, if Keystone tells of a role that was given or of a sign-in, which
// is the user's own; the service and not the thing in it, if the middleware tells of a
// request.
func (e *event) targets(action, path string, d *draft.Draft) {
	uri, id := e.str(fTargetType), draft.First(e.str(fTarget), e.str(fTargetRef))
	if action == "authenticate" && strings.HasSuffix(uri, "account/user") {
		user, name := e.who()
		d.PutTarget(draft.Target{ID: user, Type: uri, Name: name})
		return
	}
	switch info := e.str(fResource); {
	case strings.HasSuffix(action, ".role_assignment"):
		for _, t := range [...]draft.Target{
			{ID: e.str(fRoleUser), Type: "user"}, {ID: e.str(fRoleGroup), Type: "group"}, {ID: e.str(fRole), Type: "role"},
			{ID: e.str(fRoleProject), Type: "project"}, {ID: e.str(fRoleDomain), Type: "domain"},
		} {
			d.AddTarget(t)
		}
		d.PutList(audit.AttrPrivileges, e.str(fRole))
	case info != "":
		id = info
	case path != "":
		e.pathTargets(uri, path, d)
	}
	switch named := d.Targets() > 0; {
	case named && path == "":
		// A role assignment's own target is made up.
	case named:
		d.AddTarget(draft.Target{ID: id, Type: "service", Name: e.str(fTargetName)})
	default:
		d.AddTarget(draft.Target{ID: id, Type: uri, Name: e.str(fTargetName), Account: e.str(fTargetProject)})
	}
	d.PutTargets()
}

// pathTargets adds what a path names, the last one first: "servers/ID". The project
// that many services put into all of their paths is none of it.
func (e *event) pathTargets(uri, path string, d *draft.Draft) {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	for i := len(parts) - 1; i > 0; i-- {
		if !isID(parts[i]) || parts[i] == e.str(fProject) && parts[i-1] != "projects" {
			continue
		}
		kind := parts[i-1]
		if d.Targets() == 0 {
			kind = draft.First(uri, kind)
		}
		d.AddTarget(draft.Target{ID: parts[i], Type: kind})
	}
}

// isID knows a UUID, with its dashes or without.
func isID(part string) bool {
	digits := 0
	for _, c := range []byte(part) {
		switch {
		case c >= '0' && c <= '9', c|0x20 >= 'a' && c|0x20 <= 'f':
			digits++
		case c != '-':
			return false
		}
	}
	return digits == 32
}
