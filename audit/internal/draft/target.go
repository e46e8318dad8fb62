package draft

import "github.com/otelcol-custody/custody/audit"

// MaxTargets bounds how many targets of an event become attributes. The body keeps
// them all.
const MaxTargets = 64

// A Target is something to which an event was done. Empty fields are left out.
type Target struct{ ID, Type, Name, Account, Region string }

// AddTarget adds a target, unless it has no id. The first one is the record's target;
// if there are more, all are listed.
func (d *Draft) AddTarget(t Target) {
	if t.ID == "" || len(d.targets) == MaxTargets {
		return
	}
	if n := len(d.targets); n < cap(d.targets) {
		d.targets = d.targets[:n+1]
	} else {
		d.targets = append(d.targets, nil)
	}
	to := d.targets[len(d.targets)-1][:0]
	for _, a := range [...]struct{ key, value string }{{"id", t.ID}, {"type", t.Type}, {"name", t.Name}, {"account.id", t.Account}, {"region", t.Region}} {
		if a.value != "" {
			to = append(to, audit.StringAttr(a.key, a.value))
		}
	}
	d.targets[len(d.targets)-1] = to
}

// Targets is how many targets there are.
func (d *Draft) Targets() int { return len(d.targets) }

// PutTargets turns the targets into attributes; false if there are none.
func (d *Draft) PutTargets() bool {
	if len(d.targets) == 0 {
		return false
	}
	for _, a := range d.targets[0] {
		d.Put(targetAttr(a.Key), a.Value.Str)
	}
	if len(d.targets) > 1 {
		d.PutMaps(audit.AttrTargets, d.targets)
	}
	return true
}

// targetAttr is the attribute of what is the given key of a target in a list.
func targetAttr(key string) string {
	switch key {
	case "id":
		return audit.AttrTargetID
	case "type":
		return audit.AttrTargetType
	case "name":
		return audit.AttrTargetName
	case "account.id":
		return audit.AttrTargetAccountID
	}
	return audit.AttrTargetRegion
}

// PutTarget adds the one target that there is.
func (d *Draft) PutTarget(t Target) {
	d.AddTarget(t)
	d.PutTargets()
}
