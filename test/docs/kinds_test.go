package docs

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestFindingsAreExplained wants every kind of finding in docs/integrity.md.
func TestFindingsAreExplained(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "docs/integrity.md"))
	if err != nil {
		t.Fatal(err)
	}
	kinds := stringsOf(t, filepath.Join(root, "internal/integrity/incident/kind.go"), "Kind")
	if len(kinds) < 30 { // Else this test looks at nothing any more.
		t.Fatalf("only %d kinds were found", len(kinds))
	}
	for _, k := range kinds {
		if !strings.Contains(string(text), "`"+k+"`") {
			t.Errorf("docs/integrity.md does not explain %s", k)
		}
	}
}

// stringsOf are the values of a file's constants of a string type.
func stringsOf(t *testing.T, path, typ string) (values []string) {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(f, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || name(spec.Type) != typ {
			return true
		}
		for _, v := range spec.Values {
			if s, ok := literal(v); ok {
				values = append(values, s)
			}
		}
		return true
	})
	return values
}
