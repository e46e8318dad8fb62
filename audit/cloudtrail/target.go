package cloudtrail

import (
	"strings"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/internal/draft"
	"github.com/otelcol-custody/custody/audit/internal/jsonscan"
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
	if m.madeTarget() {
		return
	}
	if m.Rec.EventName == audit.EventUserAccess && m.assignmentTargets() {
		return
	}
	if m.paramTarget(serviceTargets[m.str(slotSource)]) || m.paramTarget(commonTargets) {
		return
	}
	if len(m.s.asked) > 0 {
		m.itemTargets(m.s.asked)
		return
	}
	m.impliedTarget()
}

// privileges names the policies or permission sets that are given or taken.
func (m *mapper) privileges() {
	switch m.Rec.EventName {
	case audit.EventAccountChange, audit.EventGroupManagement, audit.EventUserAccess:
		m.PutList(audit.AttrPrivileges, draft.First(m.str(slotPolicyARN), m.str(slotPolicy)), m.str(slotPermissionSet))
	}
}

// assignmentTargets are who is given a permission set of Identity Center, in which
// account, and the set.
func (m *mapper) assignmentTargets() bool {
	typ := "AWS::IdentityStore::User"
	if m.str(slotPrincipalType) == "GROUP" {
		typ = "AWS::IdentityStore::Group"
	}
	m.addTarget(m.str(slotPrincipal), typ, "")
	m.addTarget(m.str(slotTargetAccount), "AWS::Organizations::Account", "")
	m.addTarget(m.str(slotPermissionSet), "AWS::SSO::PermissionSet", "")
	return m.putTargets()
}

// resourceTargets uses the event's resources. The first one that names itself
// is the target; if there are more, all are listed.
func (m *mapper) resourceTargets() bool {
	for i := range m.s.resources {
		r := &m.s.resources[i]
		id := draft.First(m.spanText(r.arn), m.spanText(r.prefix))
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
func (m *mapper) paramTarget(list []param) bool { return m.addParam(list) && m.putTargets() }

// addParam adds what that parameter names.
func (m *mapper) addParam(list []param) bool {
	for _, c := range list {
		if m.s.has(c.slot) && m.s.spans[c.slot].kind == jsonscan.Array {
			if m.addList(m.s.spans[c.slot], c.typ) {
				return true
			}
			continue
		}
		id := m.str(c.slot)
		if id == "" {
			continue
		}
		typ := c.typ
		if object := m.str(slotObjectKey); c.slot == slotBucket && object != "" {
			id, typ = id+"/"+object, "AWS::S3::Object"
		}
		m.addTarget(id, typ, "")
		return true
	}
	return false
}

// addList adds the texts in a list, which has been read already; false if there are none.
func (m *mapper) addList(list span, typ string) (added bool) {
	in := jsonscan.Scanner{Data: m.s.Data, Pos: list.start}
	for more := in.Open(']'); more; {
		at := in.Pos
		if in.Peek() != '"' {
			if in.Skip() != nil {
				return added
			}
		} else if k, err := in.Scalar(); err == nil {
			id := m.spanText(span{at + 1, in.Pos - 1, k})
			m.addTarget(id, typ, "")
			added = added || id != ""
		}
		var err error
		if more, err = in.Next(']'); err != nil {
			return added
		}
	}
	return added
}

func (m *mapper) addTarget(id, typ, account string) {
	if typ == "" && strings.HasPrefix(id, "arn:") {
		typ = typeOfARN(id)
	}
	m.AddTarget(draft.Target{ID: id, Type: typ, Account: account})
}

// putTargets turns the targets into attributes, and adds what the id of the first one
// tells: an ARN the resource and its region, any other id a name. False if there are
// none.
func (m *mapper) putTargets() bool {
	if !m.PutTargets() {
		return false
	}
	id, _ := m.Rec.Get(audit.AttrTargetID)
	if !strings.HasPrefix(id.Str, "arn:") {
		m.Put(audit.AttrTargetName, id.Str)
		return true
	}
	m.Put(audit.AttrTargetRegion, arnRegion(id.Str))
	if m.Targets() == 1 {
		m.Put(audit.AttrCloudResourceID, id.Str)
	}
	return true
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
