package entra

import (
	"testing"

	"github.com/otelcol-custody/custody/audit/audittest"
)

var parse = audittest.Parse(Parse)

func TestGolden(t *testing.T) { parse.Golden(t) }

func TestHostile(t *testing.T) {
	parse.Hostile(t, signInOf("SignInLogs", `"userId":"u1","status":{"errorCode":0}`), "category")
	parse.Hostile(t, `{"id":"d1","activityDateTime":"2025-11-23T11:00:00Z","activityDisplayName":"Add user","result":"success"}`, "activityDisplayName")
}

func FuzzParse(f *testing.F) { parse.Fuzz(f) }

func BenchmarkParse(b *testing.B) { parse.Bench(b) }
