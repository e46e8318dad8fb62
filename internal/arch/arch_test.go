package arch

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/modfile"
)

const root = "../.."

// A graph maps a package to what it imports directly, tests aside.
type graph map[string][]string

// listPackages returns the import graph of the module and of all it needs.
func listPackages(t *testing.T) graph {
	t.Helper()
	cmd := exec.Command("go", "list", "-e", "-deps", "-json=ImportPath,Imports", "./...")
	cmd.Dir, cmd.Stderr = root, os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	g := graph{}
	for dec := json.NewDecoder(out); ; {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		g[p.ImportPath] = p.Imports
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	return g
}

// matches reports whether path is one that pattern means.
func matches(pattern, path string) bool {
	if pattern == "std" {
		first, _, _ := strings.Cut(path, "/")
		return !strings.Contains(first, ".")
	}
	if rest, ok := strings.CutPrefix(pattern, "./"); ok {
		pattern = module + "/" + rest
	}
	prefix, tree := strings.CutSuffix(pattern, "/...")
	return path == prefix || tree && strings.HasPrefix(path, prefix+"/")
}

func matchesAny(patterns []string, path string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return matches(p, path) })
}

// chain returns a shortest way from a package to one that patterns forbid, or nil.
func (g graph) chain(from string, patterns []string) []string {
	via := map[string]string{from: ""}
	for queue := []string{from}; len(queue) > 0; queue = queue[1:] {
		for _, next := range g[queue[0]] {
			if _, seen := via[next]; seen {
				continue
			}
			via[next] = queue[0]
			if matchesAny(patterns, next) {
				var way []string
				for p := next; p != ""; p = via[p] {
					way = append([]string{p}, way...)
				}
				return way
			}
			queue = append(queue, next)
		}
	}
	return nil
}

// broken returns how the packages of g break r, one sentence each.
func (r rule) broken(g graph) []string {
	var list []string
	for pkg, imports := range g {
		if !matchesAny(r.folders, pkg) {
			continue
		}
		for _, path := range imports {
			if len(r.only) > 0 && !matchesAny(r.only, path) || matchesAny(r.notDirectly, path) {
				list = append(list, pkg+" imports "+path)
			}
		}
		if way := g.chain(pkg, r.never); way != nil {
			list = append(list, pkg+" reaches "+strings.Join(way[1:], " -> "))
		}
	}
	slices.Sort(list)
	return list
}

func TestImports(t *testing.T) {
	g := listPackages(t)
	for _, r := range rules {
		for _, b := range r.broken(g) {
			t.Errorf("%s\n\trule: %s", b, r.why)
		}
	}
}

// The rules must be able to fail.
func TestRulesAreEnforced(t *testing.T) {
	const p = module + "/"
	faulty := graph{
		p + "ledger/record":             {"bytes", "github.com/stretchr/testify/assert"},
		p + "ledger/seal":               {"os"},
		p + "audit/cloudtrail":          {p + "audit/helper"},
		p + "audit/helper":              {"go.opentelemetry.io/collector/pdata/plog"},
		p + "store":                     {p + "ledger/seal"},
		p + "store/dirstore":            {"github.com/aws/aws-sdk-go-v2"},
		p + "store/s3store":             {"cloud.google.com/go/storage"},
		p + "store/gcsstore":            {"github.com/Azure/azure-sdk-for-go/sdk/azcore"},
		p + "store/azblobstore":         {"github.com/aws/aws-sdk-go-v2"},
		p + "receiver/xreceiver":        {p + "store"},
		p + "extension/xextension":      {p + "internal/sealer"},
		p + "exporter/xexporter":        {p + "processor/xprocessor"},
		p + "internal/durable":          {p + "store"},
		p + "internal/logstore":         {p + "internal/wormexport"},
		p + "internal/integrity":        {p + "internal/sealer"},
		p + "internal/integrity/memory": {p + "store"},
		p + "internal/recovery":         {p + "exporter/xexporter"},
		p + "internal/sealer":           {p + "store"},
		p + "internal/ingest":           {p + "internal/sealer"},
		p + "internal/awsnotify":        {"github.com/aws/aws-sdk-go-v2"},
		p + "internal/awsclient":        {p + "audit/cloudtrail"},
		p + "internal/contents":         {"github.com/aws/aws-sdk-go-v2"},
		p + "receiver/yreceiver":        {p + "internal/awstest"},
		p + "internal/storeconfig":      {p + "store", p + "internal/wormexport"},
		p + "cmd/custody":               {p + "ledger/verify"},
		p + "ledger/verify":             {"net/http"},
		p + "processor/xprocessor":      {"go.opentelemetry.io/collector/pdata/plog", p + "ledger/record"},
		p + "internal/logrecord":        {"go.opentelemetry.io/collector/pdata/plog", p + "ledger/record"},
		p + "internal/sealer/spool":     nil,
	}
	for _, r := range rules {
		if len(r.broken(faulty)) == 0 {
			t.Errorf("nothing breaks the rule %q", r.why)
		}
	}
	if got, want := strangers(faulty), []string{p + "processor/xprocessor"}; !slices.Equal(got, want) {
		t.Errorf("pdata and records meet in %v, want %v", got, want)
	}
}

// strangers returns the packages that know both pdata and ledger records.
func strangers(g graph) []string {
	m := onlyMeetingPlace
	var list []string
	for pkg, imports := range g {
		imported := func(pattern string) bool {
			return slices.ContainsFunc(imports, func(path string) bool { return matches(pattern, path) })
		}
		if imported(m.pdata) && imported(m.record) && !matches(m.where, pkg) {
			list = append(list, pkg)
		}
	}
	slices.Sort(list)
	return list
}

func TestOnePlaceKnowsPdataAndRecords(t *testing.T) {
	for _, pkg := range strangers(listPackages(t)) {
		t.Errorf("%s imports pdata and %s; only %s does both", pkg, onlyMeetingPlace.record, onlyMeetingPlace.where)
	}
}

// A replace breaks `go install module/cmd/custody@version`.
func TestNoReplace(t *testing.T) {
	for _, name := range []string{"go.mod", "tools/go.mod"} {
		text, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		file, err := modfile.Parse(name, text, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range file.Replace {
			t.Errorf("%s:%d replaces %s", name, r.Syntax.Start.Line, r.Old.Path)
		}
	}
}

func builderModules(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "builder-config.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, m := range regexp.MustCompile(`(?m)^\s*(?:- gomod|import): (\S+)`).FindAllSubmatch(text, -1) {
		list = append(list, string(m[1]))
	}
	if len(list) == 0 {
		t.Fatal("builder-config.yaml names no module")
	}
	return list
}

// The batch processor answers before the data is safe and drops on failure.
func TestNoBatchProcessor(t *testing.T) {
	for _, m := range builderModules(t) {
		if strings.Contains(m, "batchprocessor") {
			t.Errorf("builder-config.yaml lists %s", m)
		}
	}
}

func TestEveryComponentIsInTheDistribution(t *testing.T) {
	listed := builderModules(t)
	for _, kind := range []string{"receiver", "processor", "exporter", "extension", "connector"} {
		factories, err := filepath.Glob(filepath.Join(root, kind, "*", "factory.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range factories {
			path := module + "/" + kind + "/" + filepath.Base(filepath.Dir(f))
			if !slices.Contains(listed, path) {
				t.Errorf("builder-config.yaml does not list %s", path)
			}
		}
	}
}
