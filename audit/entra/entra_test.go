package entra

import (
	"testing"

	"github.com/otelcol-custody/custody/audit/audittest"
)

var parse = audittest.Parse(Parse)

func TestGolden(t *testing.T) { parse.Golden(t) }

func FuzzParse(f *testing.F) { parse.Fuzz(f) }
