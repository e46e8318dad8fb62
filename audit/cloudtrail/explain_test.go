package cloudtrail

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/otelcol-custody/custody/audit"
)

// withoutTarget counts the events that have no target, by the reason and their name.
type withoutTarget map[string]map[string]int

func (w withoutTarget) add(t *testing.T, r *audit.Record) {
	t.Helper()
	if _, ok := r.Get(audit.AttrTargetID); ok || r.Quarantined {
		return
	}
	why := whyNoTarget(t, r)
	if w[why] == nil {
		w[why] = map[string]int{}
	}
	service, _, _ := strings.Cut(text(r, audit.AttrService), ".")
	w[why][service+":"+text(r, audit.AttrOperation)]++
}

func (w withoutTarget) log(t *testing.T) {
	t.Helper()
	all := 0
	var lines []string
	for why, names := range w {
		n, list := 0, []string{}
		for name, count := range names {
			n += count
			list = append(list, fmt.Sprintf("%s %d", name, count))
		}
		slices.Sort(list)
		lines = append(lines, fmt.Sprintf("%5d %s: %s", n, why, strings.Join(list, ", ")))
		all += n
	}
	slices.Sort(lines)
	t.Logf("%5d without a target, by reason and event:\n%s", all, strings.Join(lines, "\n"))
}

// whyNoTarget tells by an event's bytes why nothing in it is its target.
func whyNoTarget(t *testing.T, r *audit.Record) string {
	t.Helper()
	var e struct {
		ErrorCode         string          `json:"errorCode"`
		RequestParameters json.RawMessage `json:"requestParameters"`
		Resources         json.RawMessage `json:"resources"`
	}
	if err := json.Unmarshal(r.Body, &e); err != nil {
		t.Fatal(err)
	}
	var params map[string]json.RawMessage
	if json.Unmarshal(e.RequestParameters, &params) != nil {
		return "requestParameters is no object"
	}
	if len(params) == 0 && e.ErrorCode != "" {
		return "refused, and its parameters are not recorded"
	}
	var filters, unread []string
	for key, value := range params {
		switch {
		case slices.Contains([]string{`{}`, `[]`, `null`, `""`}, string(value)) || isScope(key):
		case isFilter(key):
			filters = append(filters, key)
		default:
			unread = append(unread, key)
		}
	}
	switch slices.Sort(unread); {
	case len(unread) > 0:
		return "parameters that name nothing we know: " + strings.Join(unread, " ")
	case len(filters) > 0:
		return "lists what a filter matches"
	}
	return "names nothing: about all there is"
}

// isFilter knows the parameters that say which things are listed, without naming one.
func isFilter(key string) bool {
	return strings.HasSuffix(strings.ToLower(key), "filter") || strings.HasSuffix(key, "filterSet") || strings.HasSuffix(strings.ToLower(key), "filters") ||
		strings.HasSuffix(key, "Prefix") || slices.Contains([]string{"ownersSet", "aggregateField"}, key)
}

// isScope knows the parameters that say how, or where in the list.
func isScope(key string) bool {
	return slices.Contains([]string{"maxResults", "nextToken", "Host", "shared", "includeDeprecated"}, key)
}
