package schema

import (
	"encoding/json"
	"testing"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/ocsf"
)

// TestCounterparts wants every attribute that has a counterpart in OCSF to be rendered
// as that in some record, and every other one to be kept in unmapped.
func TestCounterparts(t *testing.T) {
	placed, kept := map[string]bool{}, map[string]bool{}
	for _, provider := range providers() {
		for _, r := range records(t, provider) {
			unmapped := render(t, &r)
			for _, a := range r.Attributes {
				if _, ok := unmapped[a.Key]; ok {
					kept[a.Key] = true
				} else {
					placed[a.Key] = true
				}
			}
		}
	}
	for _, heading := range attributeSections {
		for _, cells := range rows(section(t, heading)) {
			key, counterpart := names(cells[0])[0], cells[3]
			switch {
			case counterpart == "-" && placed[key]:
				t.Errorf("%s has a counterpart in OCSF, docs/schema.md says it has none", key)
			case counterpart != "-" && kept[key] && !placed[key]:
				t.Errorf("%s is always in unmapped, docs/schema.md says it is %s", key, counterpart)
			}
		}
	}
}

// render is what a record's event in OCSF keeps as unmapped.
func render(t *testing.T, r *audit.Record) map[string]any {
	t.Helper()
	renderer, err := ocsf.NewRenderer(audit.OCSFVersion)
	if err != nil {
		t.Fatal(err)
	}
	var event struct{ Unmapped map[string]any }
	if err := json.Unmarshal(renderer.Append(nil, &ocsf.Record{Record: *r}), &event); err != nil {
		t.Fatal(err)
	}
	return event.Unmapped
}
