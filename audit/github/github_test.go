package github

import (
	"testing"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/audittest"
)

var parse = audittest.Parse(Parse)

func TestGolden(t *testing.T) { parse.Golden(t) }

func TestHostile(t *testing.T) {
	parse.Hostile(t, `{"@timestamp":1763884800123,"_document_id":"d1","action":"repo.create","actor":"ada","org":"acme"}`, "action")
}

func FuzzParse(f *testing.F) { parse.Fuzz(f) }

func BenchmarkParse(b *testing.B) { parse.Bench(b) }

// An id that is larger than what a double can hold stays exact, in a list, too.
func TestLargeIDs(t *testing.T) {
	r := parse.One(t, `[{"action":"repo.create","org_id":[9007199254740993],"actor_id":9007199254740995}]`)
	audittest.Check(t, r, audit.AttrActorID, "9007199254740995")
	if r.Resource.AccountID != "9007199254740993" {
		t.Errorf("account %s", r.Resource.AccountID)
	}
}
