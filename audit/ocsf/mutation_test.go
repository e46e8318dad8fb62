package ocsf_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// mutations are changes to a valid event: without a value, something is taken away.
var mutations = []struct{ class, path, value, want string }{
	{"6003", "actor", "", "actor: required and missing"},
	{"6003", "api", "", "api: required and missing"},
	{"6003", "src_endpoint", "", "src_endpoint: required and missing"},
	{"6003", "api/operation", "", "api.operation: required and missing"},
	{"6003", "api/request/uid", "", "api.request: an object without"},
	{"6003", "actor/user", `{"type":"x"}`, "actor.user.: none of"},
	{"6003", "src_endpoint/ip", `"AWS Internal"`, "is no ip"},
	{"6003", "src_endpoint/port", "70000", "is no port"},
	{"6003", "src_endpoint/location", `{}`, "without anything in it"},
	{"6003", "http_request/http_method", `"get"`, "get is none of"},
	{"6003", "http_response/code", `"403"`, "is no int"},
	{"6003", "metadata/version", `"1.7.0"`, "is 1.7.0"},
	{"6003", "metadata/product", `{"vendor_name":"x"}`, "none of [name uid]"},
	{"6003", "metadata/original_event_uid", `"1.7 has it"`, "no such attribute"},
	{"6003", "metadata/profiles", "", "belongs to the profile cloud"},
	{"6003", "cloud", "", "cloud: required and missing"},
	{"6003", "activity_id", "5", "class 6003 has no 5"},
	{"6003", "activity_id", "4", "want 600304"},
	{"6003", "activity_name", `"Delete"`, "want Read"},
	{"6003", "category_uid", "3", "want 6"},
	{"6003", "type_name", `"API Activity"`, "want API Activity: Read"},
	{"6003", "severity_id", "7", "7 is none of"},
	{"6003", "severity", `"High"`, "want Unknown"},
	{"6003", "status_id", "3", "3 is none of"},
	{"6003", "status", `"Success"`, "want Failure"},
	{"6003", "time", "1.5", "is no time"},
	{"6003", "time", `"2026-03-01"`, "is no time"},
	{"6003", "raw_data_hash/value", `"sha256:00"`, "is no hash"},
	{"6003", "raw_data_hash/algorithm_id", "", "algorithm_id: required and missing"},
	{"6003", "resources", "[]", "no list"},
	{"6003", "resources", "{}", "no list"},
	{"6003", "resources/0/role_id", "5", "5 is none of"},
	{"6003", "entity", `{"name":"x"}`, "no such attribute"},
	{"6003", "class_uid", "3007", "no class 3007"},
	{"6003", "class_uid", "3001", "user: required and missing"},
	{"3001", "user", "", "user: required and missing"},
	{"3001", "user/email_addr", `"nobody"`, "is no email"},
	{"3001", "user/credential_uid", `"key"`, "no such attribute"},
	{"3001", "user/type_id", "5", "5 is none of"},
	{"3002", "service", "", "none of [service dst_endpoint]"},
	{"3002", "is_mfa", `"true"`, "is no bool"},
	{"3003", "privileges", "", "0 of [privileges group], not just one"},
	{"3003", "group", `{"name":"x"}`, "2 of [privileges group], not just one"},
	{"3004", "entity", "", "entity: required and missing"},
	{"3004", "entity/type_id", "8", "8 is none of"},
	{"3005", "privileges", "", "privileges: required and missing"},
	{"3005", "privileges", `"owner"`, "no list"},
	{"3005", "resource", `{"name":"x"}`, "no such attribute"},
	{"3006", "group", "", "group: required and missing"},
	{"2004", "finding_info/uid", "", "finding_info.uid: required and missing"},
	{"2004", "evidences/0", `{"verdict":"x"}`, "none of [actor api"},
	{"2004", "actor", `{"app_name":"x"}`, "no such attribute"},
}

// The validator must be able to fail: each of these changes is one that it sees.
func TestMutations(t *testing.T) {
	for _, c := range mutations {
		event := eventOf(t, c.class)
		mutate(t, event, c.path, c.value)
		if faults := validate(encode(t, event)); !strings.Contains(strings.Join(faults, "\n"), c.want) {
			t.Errorf("%s, %s = %s: %q, want %q", c.class, c.path, c.value, faults, c.want)
		}
	}
}

func eventOf(t *testing.T, class string) map[string]any {
	t.Helper()
	for _, event := range goldenEvents(t) {
		if number(event["class_uid"]) == class {
			return event
		}
	}
	t.Fatalf("no event of class %s", class)
	return nil
}

func encode(t *testing.T, event map[string]any) []byte {
	t.Helper()
	line, err := json.Marshal(event)
	if err != nil {
		t.Fatal(err)
	}
	return line
}

// mutate sets what is at a path, or deletes it when value is empty.
func mutate(t *testing.T, event map[string]any, path, value string) {
	t.Helper()
	steps := strings.Split(path, "/")
	last := len(steps) - 1
	var at any = event
	for _, step := range steps[:last] {
		if list, ok := at.([]any); ok {
			at = list[0]
			continue
		}
		at = at.(map[string]any)[step]
	}
	var to any
	if value != "" {
		if err := json.Unmarshal([]byte(value), &to); err != nil {
			t.Fatal(err)
		}
	}
	if list, ok := at.([]any); ok {
		list[0] = to
	} else if value == "" {
		delete(at.(map[string]any), steps[last])
	} else {
		at.(map[string]any)[steps[last]] = to
	}
}

// Whatever is replaced by a value of another type, and whatever is added, the validator
// says so, for everything in every event.
func TestEveryMutation(t *testing.T) {
	count := 0
	for _, event := range goldenEvents(t) {
		if faults := validate(encode(t, event)); len(faults) > 0 {
			t.Fatalf("before any change: %q", faults)
		}
		each(event, "", func(path string, set func(any), old any) {
			for _, wrong := range wrongFor(old) {
				if members, ok := wrong.(map[string]any); ok && path == "/unmapped" && len(members) > 0 {
					continue // It holds anything.
				}
				count++
				set(wrong)
				if len(validate(encode(t, event))) == 0 {
					t.Errorf("%s = %v instead of %v is accepted", path, wrong, old)
				}
			}
			set(old)
		})
	}
	if count < 3000 {
		t.Errorf("only %d mutations", count)
	}
}

// each calls f for everything in an event but what is unmapped.
func each(value any, path string, f func(path string, set func(any), old any)) {
	switch v := value.(type) {
	case map[string]any:
		for name, one := range v {
			f(path+"/"+name, func(to any) { v[name] = to }, one)
			if path+name != "unmapped" {
				each(one, path+"/"+name, f)
			}
		}
	case []any:
		for i, one := range v {
			f(fmt.Sprintf("%s/%d", path, i), func(to any) { v[i] = to }, one)
			each(one, fmt.Sprintf("%s/%d", path, i), f)
		}
	}
}

// wrongFor are values of other types, and an object with one member too many.
func wrongFor(old any) []any {
	switch v := old.(type) {
	case string:
		return []any{7, true, nil, "", []any{v}, map[string]any{"name": v}}
	case json.Number:
		return []any{v.String(), true, nil, 1.5, []any{v}}
	case bool:
		return []any{"true", 1, nil, []any{v}}
	case []any:
		return []any{"x", nil, []any{}, slices.Concat(v, []any{nil})}
	case map[string]any:
		return []any{"x", nil, map[string]any{}, []any{v}, with(v, "nonsense")}
	}
	return nil
}

func with(members map[string]any, name string) map[string]any {
	all := map[string]any{name: "x"}
	for k, v := range members {
		all[k] = v
	}
	return all
}

func TestDuplicateKeysAreFaults(t *testing.T) {
	line := encode(t, eventOf(t, "6003"))
	line = append(line[:len(line)-1], `,"time":1}`...)
	if faults := validate(line); !strings.Contains(strings.Join(faults, ""), `"time" occurs twice`) {
		t.Errorf("%q", faults)
	}
}
