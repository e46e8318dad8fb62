package ocsf_test

import (
	"testing"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/ocsf"
)

func ofClass(class audit.Class, activity int64, more ...audit.Attribute) *ocsf.Record {
	return &ocsf.Record{Record: audit.Record{EventName: class.Event, Attributes: append([]audit.Attribute{
		audit.IntAttr(audit.AttrOCSFClass, class.UID), audit.IntAttr(audit.AttrOCSFActivity, activity),
	}, more...)}}
}

func aMap(members ...string) (m []audit.Attribute) {
	for i := 0; i < len(members); i += 2 {
		m = append(m, audit.StringAttr(members[i], members[i+1]))
	}
	return m
}

// What is given stands once, by the name that the record has for it.
func TestPrivileges(t *testing.T) {
	r := newRenderer(t)
	names := append(make([]string, 0, 4), "Reader", "arn:p")
	given := audit.StringsAttr(audit.AttrPrivileges, names)
	targets := audit.MapsAttr(audit.AttrTargets, [][]audit.Attribute{
		aMap("id", "u", "type", "user"), aMap("id", "r-1", "type", "role", "name", "Reader"), aMap("id", "arn:p", "type", "policy"), aMap("id", "r-2", "type", "role"),
	})
	rec := ofClass(audit.ClassUserAccess, 1, given, targets)
	check(t, render(t, r, rec), "privileges", "[Reader arn:p r-2]", "user/uid", "u", "unmapped/audit.target.privileges", "")
	if spare := names[:3][2]; spare != "" {
		t.Errorf("the record's own list was written to: %q", spare)
	}
	check(t, render(t, r, ofClass(audit.ClassUserAccess, 1, given)), "privileges", "[Reader arn:p]", "user/name", "Unknown")
	check(t, render(t, r, ofClass(audit.ClassUserAccess, 1)), "privileges", "[Unknown]")

	line := render(t, r, ofClass(audit.ClassAccountChange, 7, given, targets))
	check(t, line, "policies/0/uid", "r-1", "policies/0/name", "Reader", "policies/1/uid", "arn:p", "policies/2/uid", "r-2", "policies/3", "")
	check(t, render(t, r, ofClass(audit.ClassAccountChange, 7, given)), "policies/0/name", "Reader", "policies/1/uid", "arn:p", "policies/2", "")
	check(t, render(t, r, ofClass(audit.ClassAPI, 3, given)), "unmapped/audit.target.privileges", "[Reader arn:p]")
}

// Whoever a right is given to stands as the user, of the type that is known.
func TestUserAccessTo(t *testing.T) {
	for typ, want := range map[string]string{
		"User": "1", "AWS::IdentityStore::User": "1", "guest": "1", "member": "1", "serviceAccount": "4", "AWS::IAM::Role": "4", "ServicePrincipal": "4",
		"principal": "0", "UserGroup": "99", "SharePointGroup": "99", "allUsers": "99", "allAuthenticatedUsers": "99", "domain": "99",
	} {
		rec := ofClass(audit.ClassUserAccess, 1, audit.StringAttr(audit.AttrTargetID, "x"), audit.StringAttr(audit.AttrTargetType, typ))
		check(t, render(t, newRenderer(t), rec), "user/uid", "x", "user/type", typ, "user/type_id", want)
	}
}

// The group of a directory is found by whatever the directory calls it.
func TestGroups(t *testing.T) {
	for _, typ := range []string{"Group", "UserGroup", "AWS::IAM::Group", "team", "securityGroup"} {
		rec := ofClass(audit.ClassGroup, 3, audit.MapsAttr(audit.AttrTargets, [][]audit.Attribute{aMap("id", "u", "type", "User"), aMap("id", "g", "type", typ)}))
		check(t, render(t, newRenderer(t), rec), "group/uid", "g", "user/uid", "u")
	}
}

// A port that is none stays to be read.
func TestPorts(t *testing.T) {
	for port, want := range map[int64][2]string{443: {"443", ""}, 65535: {"65535", ""}, 65536: {"", "65536"}, -1: {"", "-1"}} {
		rec := ofClass(audit.ClassAPI, 2, audit.StringAttr(audit.AttrClientAddress, "192.0.2.7"), audit.IntAttr(audit.AttrClientPort, port))
		check(t, render(t, newRenderer(t), rec), "src_endpoint/port", want[0], "unmapped/client.port", want[1])
	}
}
