package cloudtrail

import (
	"strings"

	"github.com/otelcol-custody/custody/audit"
)

// target maps to what it was done: by the event's resources, else by the
// request's parameters. A sign-in's target is the account.
func (m *mapper) target() {
	if len(m.s.resources) > 0 && m.resourceTargets() {
		return
	}
	if len(m.s.made) > 0 {
		m.itemTargets(m.s.made)
		return
	}
	if m.paramTarget(serviceTargets[m.str(slotSource)]) || m.paramTarget(commonTargets) {
		return
	}
	if len(m.s.asked) > 0 {
		m.itemTargets(m.s.asked)
		return
	}
	if m.rec.EventName == audit.EventAuthentication {
		m.put(audit.AttrTargetID, m.rec.Resource.AccountID)
		m.put(audit.AttrTargetType, "AWS::Account")
	}
}

// resourceTargets uses the event's resources. The first one that names itself
// is the target; if there are more, all are listed.
func (m *mapper) resourceTargets() bool {
	for i := range m.s.resources {
		r := &m.s.resources[i]
		id := first(m.spanText(r.arn), m.spanText(r.prefix))
		if id != "" {
			m.addTarget(id, m.spanText(r.typ), m.spanText(r.account))
		}
	}
	return m.putTargets()
}

func (m *mapper) itemTargets(items []item) {
	for _, it := range items {
		m.addTarget(m.spanText(it.span), typeOf(it.slot), "")
	}
	m.putTargets()
}

// paramTarget uses the first parameter in the list that the request has.
func (m *mapper) paramTarget(list []param) bool {
	for _, c := range list {
		id := m.str(c.slot)
		if id == "" {
			continue
		}
		typ := c.typ
		if object := m.str(slotObjectKey); c.slot == slotBucket && object != "" {
			id, typ = id+"/"+object, "AWS::S3::Object"
		}
		m.addTarget(id, typ, "")
		return m.putTargets()
	}
	return false
}

// addTarget keeps a target in the form in which audit.targets lists it.
func (m *mapper) addTarget(id, typ, account string) {
	if n := len(m.targets); n < cap(m.targets) {
		m.targets = m.targets[:n+1]
	} else {
		m.targets = append(m.targets, nil)
	}
	t := m.targets[len(m.targets)-1][:0]
	t = append(t, audit.StringAttr("id", id))
	if typ != "" {
		t = append(t, audit.StringAttr("type", typ))
	}
	if account != "" {
		t = append(t, audit.StringAttr("account.id", account))
	}
	m.targets[len(m.targets)-1] = t
}

// putTargets turns the targets into attributes; false if there are none.
func (m *mapper) putTargets() bool {
	if len(m.targets) == 0 {
		return false
	}
	for _, a := range m.targets[0] {
		switch a.Key {
		case "id":
			m.putTargetID(a.Value.Str)
		case "type":
			m.put(audit.AttrTargetType, a.Value.Str)
		case "account.id":
			m.put(audit.AttrTargetAccountID, a.Value.Str)
		}
	}
	if len(m.targets) > 1 {
		m.rec.Attributes = append(m.rec.Attributes, audit.MapsAttr(audit.AttrTargets, m.targets))
	}
	return true
}

// putTargetID adds what an id tells: an ARN the resource and its region, any
// other id a name.
func (m *mapper) putTargetID(id string) {
	m.put(audit.AttrTargetID, id)
	if !strings.HasPrefix(id, "arn:") {
		m.put(audit.AttrTargetName, id)
		return
	}
	m.put(audit.AttrTargetRegion, arnRegion(id))
	if len(m.targets) == 1 {
		m.put(audit.AttrCloudResourceID, id)
	}
}

// arnRegion returns the region in arn:partition:service:region:account:….
func arnRegion(arn string) string {
	for range 3 {
		_, rest, ok := strings.Cut(arn, ":")
		if !ok {
			return ""
		}
		arn = rest
	}
	region, _, _ := strings.Cut(arn, ":")
	return region
}
