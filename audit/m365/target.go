package m365

import (
	"strings"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/internal/draft"
	"github.com/otelcol-custody/custody/audit/internal/jsonscan"
)

// targets maps to what it was done: first the group whose members change or the user
// whose rights do, then the object, then what else is concerned; the tenant where
// nothing is named.
func (r *record) targets(class audit.Class, d *draft.Draft) {
	who := r.who()
	switch class {
	case audit.ClassGroup:
		r.group(d)
	case audit.ClassUserAccess:
		d.AddTarget(who)
		who = draft.Target{}
	}
	r.object(class, d)
	d.AddTarget(who)
	if role := r.property("Role.ObjectID"); role != "" {
		d.AddTarget(draft.Target{ID: role, Type: "role", Name: r.property("Role.DisplayName")})
	}
	r.inTeam(class, d)
	d.AddTarget(draft.Target{ID: r.str(fItem), Type: "item"})
	for _, id := range r.Strs(fItems) {
		d.AddTarget(draft.Target{ID: id, Type: "item"})
	}
	if d.Targets() == 0 {
		d.AddTarget(draft.Target{ID: r.str(fOrganization), Type: "tenant"})
	}
	d.PutTargets()
}

// who is whoever something is shared with in SharePoint, or a cmdlet's parameter names.
func (r *record) who() draft.Target {
	if shared := r.str(fSharedWith); shared != "" {
		return draft.Target{ID: shared, Type: strings.ToLower(r.str(fSharedWithType))}
	}
	for _, name := range [...]string{"User", "Trustee", "Member"} {
		if user := r.pair(fParameterName, fParameterValue, name); user != "" {
			return draft.Target{ID: user, Type: "user"}
		}
	}
	return draft.Target{}
}

// inTeam adds the parts and members of a team.
func (r *record) inTeam(class audit.Class, d *draft.Draft) {
	if class != audit.ClassGroup {
		d.AddTarget(draft.Target{ID: r.str(fTeam), Type: "team", Name: r.str(fTeamName)})
	}
	d.AddTarget(draft.Target{ID: r.str(fChannel), Type: "channel", Name: r.str(fChannelName)})
	for _, sp := range r.All(fMember) {
		d.AddTarget(draft.Target{ID: known(r.Of(sp)), Type: "user", Name: known(r.StrAt(fMemberName, sp.Element))})
	}
}

// group adds the group, which each workload names in its own way.
func (r *record) group(d *draft.Draft) {
	_, inData, _ := strings.Cut(r.Str(fEventData), "<Group>")
	site, _, closed := strings.Cut(inData, "</Group>")
	switch id := r.property("Group.ObjectID"); {
	case id != "":
		d.AddTarget(draft.Target{ID: id, Type: "group", Name: r.property("Group.DisplayName")})
	case r.str(fTeam) != "":
		d.AddTarget(draft.Target{ID: r.str(fTeam), Type: "team", Name: r.str(fTeamName)})
	case closed:
		d.AddTarget(draft.Target{ID: site, Type: "group", Name: site})
	}
}

// object adds what the record itself calls its object.
func (r *record) object(class audit.Class, d *draft.Draft) {
	object := r.str(fObject)
	switch {
	case r.Has(fTargetID):
		t := r.directoryObject(object)
		if t.Type == "" && class == audit.ClassAuthentication {
			t.Type = "application" // for which the token is
		}
		d.AddTarget(t)
	case r.str(fMailboxOwner) != "" || r.str(fMailbox) != "":
		d.AddTarget(draft.Target{ID: draft.First(r.str(fMailbox), r.str(fMailboxOwner)), Type: "mailbox", Name: r.str(fMailboxOwner)})
	case r.str(fAlert) != "":
		d.AddTarget(draft.Target{ID: r.str(fAlert), Type: "alert", Name: r.str(fAlertName)})
	default:
		d.AddTarget(draft.Target{ID: object, Type: strings.ToLower(r.str(fItemType))})
	}
}

// The kinds of the directory's identities that are names.
const (
	kindName = "1"
	kindUPN  = "5"
)

// directoryObject reads the list of all that one object of the directory is called:
// "User_" with its id, the id alone, its kind, its name.
func (r *record) directoryObject(object string) draft.Target {
	t := draft.Target{Name: object}
	for _, sp := range r.All(fTargetID) {
		id := known(r.Of(sp))
		kind, rest, ok := strings.Cut(id, "_")
		switch what := r.StrAt(fTargetKind, sp.Element); {
		case ok && isKind(kind) && t.Type == "":
			t.ID, t.Type = rest, strings.ToLower(kind)
		case (what == kindUPN || what == kindName) && t.Name == "":
			t.Name = id
		case t.ID == "" && !isKind(id):
			t.ID = id
		}
	}
	if t.ID = draft.First(t.ID, t.Name); t.ID == t.Name {
		t.Name = ""
	}
	return t
}

func isKind(word string) bool {
	switch word {
	case "User", "Group", "ServicePrincipal", "Application", "Role", "Device", "Policy", "Directory", "AdministrativeUnit":
		return true
	}
	return false
}

// property is the new value of a modified property, or the old one of one that is gone.
func (r *record) property(name string) string {
	for _, sp := range r.All(fModifiedName) {
		if r.Of(sp) == name {
			value := jsonscan.Unquote(r.StrAt(fModifiedNew, sp.Element))
			return draft.First(known(value), known(jsonscan.Unquote(r.StrAt(fModifiedOld, sp.Element))))
		}
	}
	return ""
}

// changes are the modified properties, which some workloads only name, and the
// parameters of a cmdlet that changes something. A value that is JSON stays JSON, but a
// string is taken out of its quotes.
func (r *record) changes(writes bool) (all [][]audit.Attribute) {
	for _, sp := range r.All(fModified) {
		if name := r.Of(sp); name != "" {
			all = append(all, []audit.Attribute{audit.StringAttr("path", name)})
			continue
		}
		all = change(all, r.StrAt(fModifiedName, sp.Element), r.value(fModifiedOld, sp.Element), r.value(fModifiedNew, sp.Element))
	}
	if !writes {
		return all
	}
	for _, sp := range r.All(fParameterName) {
		name, value := r.Of(sp), r.value(fParameterValue, sp.Element)
		if isSecret(name) {
			value = ""
		}
		all = change(all, name, "", value)
	}
	return all
}

// isSecret tells a cmdlet's parameter whose value is a secret by its name: it is not
// repeated outside of the body.
func isSecret(name string) bool {
	name = strings.ToLower(name)
	return strings.Contains(name, "password") || strings.Contains(name, "secret") || strings.Contains(name, "credential")
}

func change(all [][]audit.Attribute, path, before, after string) [][]audit.Attribute {
	var attrs []audit.Attribute
	for _, side := range [...]struct{ key, value string }{{"path", path}, {"old", before}, {"new", after}} {
		if side.value != "" {
			attrs = append(attrs, audit.StringAttr(side.key, side.value))
		}
	}
	if path == "" {
		return all
	}
	return append(all, attrs)
}

// value is what stands at an element of a list; an object or a list as it is written.
func (r *record) value(field, element int) string {
	for _, sp := range r.All(field) {
		if sp.Element != element {
			continue
		}
		if sp.Kind == jsonscan.Object || sp.Kind == jsonscan.Array {
			return r.RawOf(sp)
		}
		return jsonscan.Unquote(r.Of(sp))
	}
	return ""
}
