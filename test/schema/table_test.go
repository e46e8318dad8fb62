package schema

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/otelcol-custody/custody/audit"
)

// constants are the text constants of a file of package audit, by their names.
func constants(t *testing.T, file string) map[string]string {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, "audit", file), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	ast.Inspect(f, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		for i, v := range spec.Values {
			if lit, ok := v.(*ast.BasicLit); ok && lit.Kind == token.STRING {
				if found[spec.Names[i].Name], err = strconv.Unquote(lit.Value); err != nil {
					t.Fatal(err)
				}
			}
		}
		return true
	})
	return found
}

// same wants two lists to have the same elements, each once.
func same(t *testing.T, what string, got, want []string) {
	t.Helper()
	for _, name := range want {
		if n := len(slices.DeleteFunc(slices.Clone(got), func(s string) bool { return s != name })); n != 1 {
			t.Errorf("%s: %s is there %d times", what, name, n)
		}
	}
	for _, name := range got {
		if !slices.Contains(want, name) {
			t.Errorf("%s: there is no %s", what, name)
		}
	}
}

// attributeSections are the headings under which attributes of a record stand.
var attributeSections = []string{"### The record itself", "### What was done, and what came of it", "### Who", "### To what", "### From where", "### OCSF"}

func TestEveryAttributeIsInATable(t *testing.T) {
	var got, want []string
	for _, heading := range attributeSections {
		got = append(got, firstNames(t, heading)...)
	}
	for _, key := range constants(t, "attributes.go") {
		want = append(want, key)
	}
	if len(want) < 50 { // Else this test looks at nothing any more.
		t.Fatalf("only %d attributes were found", len(want))
	}
	same(t, "attributes", got, want)
}

// What has a fixed set of values lists them all.
func TestEveryNameIsInATable(t *testing.T) {
	all := constants(t, "names.go")
	for prefix, heading := range map[string]string{
		"Event": "### Event names", "Action": "### Actions", "Outcome": "### Outcomes", "Actor": "### Kinds of actors", "Source": "### Kinds of sources",
	} {
		var want []string
		for name, value := range all {
			if strings.HasPrefix(name, prefix) {
				want = append(want, value)
				delete(all, name)
			}
		}
		same(t, heading, firstNames(t, heading), want)
	}
	for name := range all {
		t.Errorf("audit.%s stands in no table", name)
	}
}

var kinds = map[audit.Kind]string{audit.String: "text", audit.Int: "int", audit.Bool: "bool", audit.Strings: "list of texts", audit.Maps: "list of maps"}

// TestTypes wants each attribute to have the type that its table says, in every record.
func TestTypes(t *testing.T) {
	types, wrong := map[string]string{}, map[string]bool{}
	for _, heading := range attributeSections {
		for _, cells := range rows(section(t, heading)) {
			if len(cells) != 5 {
				t.Errorf("%s: %d columns: %q", heading, len(cells), cells)
				continue
			}
			types[names(cells[0])[0]] = cells[1]
		}
	}
	for _, provider := range providers() {
		for _, r := range records(t, provider) {
			for _, a := range r.Attributes {
				if got := kinds[a.Value.Kind]; got != types[a.Key] && !wrong[a.Key] {
					wrong[a.Key] = true
					t.Errorf("%s: the type of %s is %s, docs/schema.md says %s", provider, a.Key, got, types[a.Key])
				}
			}
		}
	}
}

// TestSources wants each provider's table to name what its parser fills, and nothing
// else: what its code names or a record of its fixtures has. What the parsers' common
// parts fill stands in a table of its own.
func TestSources(t *testing.T) {
	const common = "### All of them"
	everywhere := firstNames(t, common)
	keys := constants(t, "attributes.go")
	for _, provider := range providers() {
		var want []string
		add := func(key string) {
			if !slices.Contains(everywhere, key) && !slices.Contains(want, key) {
				want = append(want, key)
			}
		}
		for _, r := range records(t, provider) {
			for _, a := range r.Attributes {
				if provider != "azure" || r.Resource.Product == "" { // Entra ID's come the same way.
					add(a.Key)
				}
			}
		}
		for _, name := range selected(t, filepath.Join(root, "audit", provider)) {
			if key := keys[name]; key != "" {
				add(key)
			}
		}
		same(t, provider, firstNames(t, headings[provider]), want)
	}
}

// headings are those above the tables of the providers.
var headings = map[string]string{
	"cloudtrail": "### AWS CloudTrail", "azure": "### Azure Activity Log and resource logs", "entra": "### Microsoft Entra ID", "m365": "### Microsoft 365",
	"gcp": "### Google Cloud", "kubernetes": "### Kubernetes", "cadf": "### OpenStack", "github": "### GitHub", "okta": "### Okta", "vault": "### Vault and OpenBao",
}

// selected are the names of package audit that the files of a folder use.
func selected(t *testing.T, dir string) (all []string) {
	t.Helper()
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if !strings.HasSuffix(file.Name(), ".go") || strings.HasSuffix(file.Name(), "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(dir, file.Name()), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if sel, ok := n.(*ast.SelectorExpr); ok {
				if pkg, ok := sel.X.(*ast.Ident); ok && pkg.Name == "audit" {
					all = append(all, sel.Sel.Name)
				}
			}
			return true
		})
	}
	return all
}
