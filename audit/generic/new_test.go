package generic

import (
	"strings"
	"testing"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/ocsf"
)

// plain is the smallest mapping that is right.
const plain = `
product: X
require: op
time: {path: at}
operation: op
outcome: {error: err}
actor: {id: who}
`

func TestSmallestMapping(t *testing.T) {
	r := ofText(t, plain).One(t, `{"op":"a","at":"2026-11-20T09:00:00Z","who":"ada"}`)
	if r.Quarantined || r.Time.IsZero() {
		t.Errorf("%+v", r)
	}
}

// TestFaults: what is wrong is named by its YAML key, with what would be right.
func TestFaults(t *testing.T) {
	with := func(old, new string) string { return strings.Replace(plain, old, new, 1) }
	for _, tt := range []struct{ text, want string }{
		{with("product: X", ""), "product: required: name what"},
		{with("require: op", ""), "require: required: name a path"},
		{with("{path: at}", "{}"), "time.path: required: name the path"},
		{with("{error: err}", "{}"), "outcome: required: name outcome.path with lists of values, outcome.status or outcome.error"},
		{with("{id: who}", "{}"), "actor.id: required: name the path"},
		{with("who", "who..id"), `actor.id: the path "who..id" cannot be read: a key is empty`},
		{with("who", `"who."`), `actor.id: the path "who." cannot be read: it ends with a dot`},
		{with("who", `"a[0]"`), `actor.id: the path "a[0]" cannot be read: after "a" there must be a dot, [] or the end; write it like`},
		{with("who", `'a."b'`), "a quote is not closed"},
		{with("who", `[""]`), `actor.id: the path "" cannot be read`},
		{plain + "lists: ['a[].b']\n", `lists[0]: "a[].b": write only keys with dots`},
		{plain + "lists: [a, op]\n", `require: "op" is a list of events by lists[1]: name first`},
		{plain + "actions: [{match: [a], action: create}]\n", `actions[0].action: unknown action "create": write one of CREATE, READ,`},
		{plain + "actions: [{match: [a], action: READ}, {match: [a], action: READ, class: api}]\n", `actions[1].class: unknown class "api": write one of account_change, api_activity,`},
		{plain + "actions: [{match: [a], action: LOGIN, class: authentication, activity: login}]\n", `actions[0].activity: authentication has no activity "login": write one of logon, logoff,`},
		{plain + "actions: [{action: READ}]\n", `actions[0].match: required: name the values`},
		{plain + "actions: [{match: [a*b*], action: READ}]\n", `actions[0].match: "a*b*" has more than one *: write several values`},
		{plain + "actions: [{match: [''], action: READ}]\n", `actions[0].match: an empty value matches nothing`},
		{with("operation: op", "actions: [{match: [a], action: READ}]"), `actions[0].path: required where there is no operation`},
		{with("{error: err}", "{path: r}"), "outcome.success: required with outcome.path"},
		{with("{error: err}", "{error: e, failure: [x]}"), "outcome.path: required: name the path of the values"},
		{with("{error: err}", "{path: r, success: [x], failure: [x]}"), `outcome.failure: "x" is in outcome.success, too`},
		{with("{id: who}", "{id: who, services: [x]}"), "actor.type: required: name the path of what actor.services"},
		{with("{path: at}", "{path: at, layouts: [unix]}"), `time.layouts[0]: "unix" is not a layout: write rfc3339,`},
		{with("{path: at}", "{path: at, layouts: [unix_s, '15:04']}"), `time.layouts[1]: "15:04" is not a layout`},
		{with("{path: at}", "{path: at, layouts: ['2006-01-02 03:04']}"), "is not a layout"},
		{with("{path: at}", "{path: at, layouts: ['2006-01-02 15:04 MST']}"), "the name of a zone means several"},
		{plain + "targets: [{kind: x}]\n", "targets[0].id: required: name the path"},
		{plain + "targets: [{id: x, join: '/'}]\n", "targets[0].join: joins nothing: name all paths"},
		{with("product: X", "product: ' '"), "product: required: name what"},
		{with("require: op", "require: [data.kind, op]") + "lists: [data.items]\n", `require: "data.kind" begins like lists[0], in which events lie: name first`},
		{with("require: op", "require: ''"), "require: required: name a path"},
		{plain + "lists: ['']\n", `lists[0]: the path "" cannot be read`},
		{plain + "id: ' x'\n", "it begins or ends with a space: put a key that does in quotes"},
		{plain + "id: $.x\n", "it begins with $: leave that out"},
		{plain + "id: /x/y\n", "it begins with a slash: leave that out, and write dots"},
		{plain + "id: 'a[*].b'\n", `id: the path "a[*].b" cannot be read: after "a" there must be`},
		{plain + "id: x.[]\n", `id: the path "x.[]" cannot be read: a key is empty`},
		{plain + "source: {services: ['*.x']}\n", "source.path: required: name the path of what source.services match"},
		{with("{error: err}", "{path: r, success: [ok], failure: ['']}"), "outcome.failure: an empty value is none: leave it out"},
		{plain + "actions: [{match: ['*'], action: READ}, {match: [a], action: UPDATE}]\n", `actions[1].match: "a" is never reached, since "*" of actions[0] matches it before: put this one first`},
		{plain + "actions: [{match: ['Create*'], action: READ}, {match: ['Create*User', x], action: UPDATE}]\n", `actions[1].match: "Create*User" is never reached, since "Create*" of actions[0]`},
		{plain + "actions: [{match: [a], action: READ}, {match: [b, a], action: UPDATE}]\n", `actions[1].match: "a" is never reached, since "a" of actions[0]`},
	} {
		m, err := decode([]byte(tt.text))
		if err != nil {
			t.Fatal(err)
		}
		if p, err := New(m); err == nil || p != nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s\ngives %v\nwant  %s", tt.text, err, tt.want)
		}
	}
}

// TestAllFaultsAtOnce: a path that serves twice is named once.
func TestAllFaultsAtOnce(t *testing.T) {
	_, err := New(Mapping{Product: "X", Service: []string{"a..b"}, Actor: Actor{ID: []string{"a..b"}}, Lists: []string{"."}})
	for _, key := range []string{"require", "time.path", "outcome", "service", "actor.id", "lists[0]"} {
		if n := strings.Count("\n"+err.Error(), "\n"+key+": "); n != 1 {
			t.Errorf("%s is named %d times in\n%v", key, n, err)
		}
	}
}

// TestOrder: what an earlier rule leaves to a later one is no fault.
func TestOrder(t *testing.T) {
	for _, actions := range []string{
		"{match: ['Create*'], action: CREATE}, {match: [Create, '*'], action: READ, path: rw}",
		"{match: [CreateUser, 'Cr*e'], action: CREATE}, {match: ['Create*', '*'], action: UPDATE}",
		"{match: ['a*b'], action: READ}, {match: ['a*', '*b', ab*, a], action: UPDATE}",
	} {
		ofText(t, plain+"actions: ["+actions+"]\n")
	}
}

// TestOnePathWrittenTwice: with quotes or without, a path leads to one place.
func TestOnePathWrittenTwice(t *testing.T) {
	parse := ofText(t, plain+`
id: '"op"'
service: labels."x"
category: '"labels".x'
targets: [{id: '"on[]"'}, {id: 'on[]."id"', type: '"on"[].type'}]
`)
	r := parse.One(t, `{"op":"a","labels":{"x":"l"},"on[]":"t","on":[{"id":"u","type":"v"}]}`)
	check(t, r, audit.AttrOperation, "a", audit.AttrOriginalID, "a", audit.AttrService, "l", audit.AttrCategory, "l", audit.AttrTargets, "id=t | id=u type=v")
}

// TestUnknownKeys: decoding as the collector does it refuses a key that means nothing.
func TestUnknownKeys(t *testing.T) {
	for text, want := range map[string]string{
		plain + "prodct: Y\n":                            "prodct",
		strings.Replace(plain, "error:", "errors:", 1):   "'outcome' has invalid keys: errors",
		plain + "actions: [{match: [a], acton: READ}]\n": "'actions[0]' has invalid keys: acton",
		// What has another type is named by its key, too.
		plain + "targets: {id: x}\n":                                            "'targets' source data must be an array",
		plain + "actions: {match: a, action: READ}\n":                           "'actions' source data must be an array",
		strings.Replace(plain, "{error: err}", "err", 1):                        "'outcome' expected a map",
		strings.Replace(plain, "{path: at}", "at", 1):                           "'time' expected a map",
		strings.Replace(plain, "{error: err}", "{path: r, success: [200]}", 1):  "'outcome.success[0]' expected type 'string'",
		strings.Replace(plain, "{error: err}", "{path: r, success: [true]}", 1): "'outcome.success[0]' expected type 'string'",
	} {
		if _, err := decode([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// TestClassNames holds the names of classes and activities against what OCSF calls them.
func TestClassNames(t *testing.T) {
	r, err := ocsf.NewRenderer(audit.OCSFVersion)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range classes {
		if want := "audit." + name; c.Event != want || !audit.IsEventName(want) {
			t.Errorf("%s has event name %s", name, c.Event)
		}
		for i, activity := range c.activities {
			rec := ocsf.Record{Record: audit.Record{EventName: c.Event, Attributes: []audit.Attribute{
				audit.IntAttr(audit.AttrOCSFClass, c.UID), audit.IntAttr(audit.AttrOCSFActivity, int64(i+1)),
			}}}
			line := strings.ToLower(string(r.Append(nil, &rec)))
			if want := `"activity_name":"` + strings.ReplaceAll(activity, "_", " ") + `"`; !strings.Contains(line, want) {
				t.Errorf("%s %d is not %s: %s", name, i+1, activity, line)
			}
		}
		if _, ok := c.activity("nothing"); ok {
			t.Error("any activity is known")
		}
	}
}
