package schema

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const root = "../.."

// update says that the results are to be written into docs/schema.md. The flag is that
// of package audittest, which writes golden files with it.
func update() bool { return flag.Lookup("update").Value.String() == "true" }

// page is what is held against the code.
func page(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "docs/schema.md"))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(string(text), "\n")
}

// section is what stands below a heading, up to the next one.
func section(t *testing.T, heading string) []string {
	t.Helper()
	lines := page(t)
	at := slices.Index(lines, heading)
	if at < 0 {
		t.Fatalf("docs/schema.md has no heading %q", heading)
	}
	lines = lines[at+1:]
	if end := slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(l, "#") }); end >= 0 {
		lines = lines[:end]
	}
	return lines
}

// rows are the cells of the tables in lines, without the headers.
func rows(lines []string) (all [][]string) {
	for i, line := range lines {
		header := i+1 < len(lines) && strings.HasPrefix(lines[i+1], "|---")
		if !strings.HasPrefix(line, "| ") || header {
			continue
		}
		var cells []string
		for cell := range strings.SplitSeq(strings.Trim(line, "| "), " | ") {
			cells = append(cells, strings.TrimSpace(cell))
		}
		all = append(all, cells)
	}
	return all
}

// names are those in a cell, which stand between backquotes.
func names(cell string) (all []string) {
	for i, part := range strings.Split(cell, "`") {
		if i%2 == 1 {
			all = append(all, part)
		}
	}
	return all
}

// firstNames are those in the first column of a section's tables.
func firstNames(t *testing.T, heading string) (all []string) {
	t.Helper()
	for _, cells := range rows(section(t, heading)) {
		all = append(all, names(cells[0])...)
	}
	return all
}

// A query is a block of the page that is run, with the lines of what the page shows as
// its result: the table or the block of text below.
type query struct {
	language, text string
	line           int // of the block
	from, to       int // of the result
}

// queries are the blocks in sql and sh, in their order.
func queries(lines []string) (all []query) {
	for i := 0; i < len(lines); i++ {
		language := strings.TrimPrefix(lines[i], "```")
		if language != "sql" && language != "sh" {
			continue
		}
		end := i + 1 + slices.Index(lines[i+1:], "```")
		q := query{language: language, text: strings.Join(lines[i+1:end], "\n"), line: i + 1, from: end + 1}
		q.to = q.from + resultLength(lines[q.from:])
		all = append(all, q)
		i = q.to - 1
	}
	return all
}

// resultLength is how many lines the result takes, with the empty line before it.
func resultLength(lines []string) int {
	switch {
	case len(lines) < 2 || lines[0] != "":
		return 0
	case lines[1] == "```text":
		return 2 + slices.Index(lines[1:], "```")
	case strings.HasPrefix(lines[1], "|"):
		n := slices.IndexFunc(lines[1:], func(l string) bool { return !strings.HasPrefix(l, "|") })
		return 1 + n
	}
	return 0
}

// compare holds the page against one with the results that there are.
func compare(t *testing.T, lines []string, all []query, results []string) {
	t.Helper()
	for i := len(all) - 1; i >= 0; i-- {
		q := all[i]
		var want []string
		if results[i] != "" {
			want = append([]string{""}, strings.Split(results[i], "\n")...)
		}
		if !slices.Equal(lines[q.from:q.to], want) {
			if !update() {
				t.Errorf("docs/schema.md:%d: the result is another one; run with -args -update, and read the difference\n%s\n\n%s", q.line, q.text, results[i])
			}
			lines = slices.Replace(lines, q.from, q.to, want...)
		}
	}
	if update() {
		text := strings.Join(lines, "\n")
		if err := os.WriteFile(filepath.Join(root, "docs/schema.md"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// table writes rows as a table of the page.
func table(columns []string, rows [][]any) string {
	var b bytes.Buffer
	put := func(cells []string) { b.WriteString("\n| " + strings.Join(cells, " | ") + " |") }
	put(columns)
	b.WriteString("\n|" + strings.Repeat("---|", len(columns)))
	for _, row := range rows {
		var cells []string
		for _, v := range row {
			cells = append(cells, cell(v))
		}
		put(cells)
	}
	return b.String()[1:]
}
