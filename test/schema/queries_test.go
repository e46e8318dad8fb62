package schema

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestQueries runs the page's commands and its SQL in a folder with a store, in their
// order, and wants the results that the page shows.
func TestQueries(t *testing.T) {
	lines := page(t)
	all := queries(lines)
	if len(all) < 10 { // Else this test looks at nothing any more.
		t.Fatalf("only %d queries were found", len(all))
	}
	dir := makeStore(t)
	buildCustody(t, dir)
	var statements []string
	for _, q := range all {
		if q.language == "sql" {
			statements = append(statements, q.text)
		}
	}
	answers := duckDB(t, dir, statements)
	var results []string
	for _, q := range all {
		result := ""
		if q.language == "sh" {
			result = shell(t, dir, q)
		} else {
			result, answers = answers[0].table(t, q), answers[1:]
		}
		results = append(results, result)
	}
	if !t.Failed() { // Else there would be nothing to write.
		compare(t, lines, all, results)
	}
}

// buildCustody puts the auditor's command into a folder.
func buildCustody(t *testing.T, dir string) {
	t.Helper()
	cmd := exec.Command("go", "build", "-buildvcs=false", "-o", filepath.Join(dir, "bin/custody"), "./cmd/custody")
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

// shell runs a command, and returns what it prints as a block.
func shell(t *testing.T, dir string, q query) string {
	t.Helper()
	cmd := exec.Command("bash", "-euo", "pipefail", "-c", q.text)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PATH="+filepath.Join(dir, "bin")+":"+os.Getenv("PATH"), "TZ=UTC")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil || len(out) == 0 {
		t.Fatalf("docs/schema.md:%d: %d bytes of output: %v: %s", q.line, len(out), err, &stderr)
	}
	return "```text\n" + strings.TrimRight(string(out), "\n") + "\n```"
}

// An answer is DuckDB's to one block: the rows of its last statement.
type answer struct {
	Columns []string
	Rows    [][]any
	Error   string
}

// table is the answer as the page shows it; a block that asks for nothing has none.
func (a *answer) table(t *testing.T, q query) string {
	t.Helper()
	switch asks := !strings.HasPrefix(q.text, "CREATE"); {
	case a.Error != "":
		t.Errorf("docs/schema.md:%d: %s", q.line, a.Error)
	case asks && len(a.Rows) == 0:
		t.Errorf("docs/schema.md:%d: no rows", q.line)
	case asks:
		return table(a.Columns, a.Rows)
	}
	return ""
}

// cell writes a value of DuckDB's into a table.
func cell(v any) string {
	if v == nil {
		return ""
	}
	return strings.ReplaceAll(fmt.Sprint(v), "|", `\|`)
}

// duckDB runs blocks of SQL one after another in a folder.
func duckDB(t *testing.T, dir string, blocks []string) (answers []answer) {
	t.Helper()
	servers := os.Getenv("CUSTODY_SERVERS")
	if servers == "" {
		servers = filepath.Join(root, ".tools/servers")
	}
	modules, err := filepath.Abs(filepath.Join(servers, "npm/node_modules"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(modules, "@duckdb/node-api")); err != nil {
		t.Fatalf("the test needs DuckDB: %v; install it with `make servers`", err)
	}
	script, err := filepath.Abs("duckdb.cjs")
	if err != nil {
		t.Fatal(err)
	}
	in, err := json.Marshal(blocks)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("node", script)
	cmd.Dir, cmd.Stdin = dir, bytes.NewReader(in)
	cmd.Env = append(os.Environ(), "NODE_PATH="+modules, "TZ=UTC")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err == nil {
		err = json.Unmarshal(out, &answers)
	}
	if err != nil || len(answers) != len(blocks) {
		t.Fatalf("%d answers to %d blocks: %v: %s", len(answers), len(blocks), err, &stderr)
	}
	return answers
}
