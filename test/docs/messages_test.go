package docs

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// explained are the packages whose messages docs/messages.md explains. What the
// judge finds is explained by its kind, in docs/integrity.md. Each has the function
// that speaks there beside those that do everywhere, if one does.
var explained = map[string]string{
	"internal/sealer": "", "internal/recovery": "", "processor/hashchainprocessor": "fault", "extension/integrityextension": "add",
}

// speaks are the functions whose first literal argument is a message.
var speaks = map[string]bool{
	"Errorf": true, "New": true, "Sprintf": true, "Notice": true, "atLeast": true, "refuse": true,
	"Error": true, "Warn": true, "Info": true,
}

// TestMessagesAreExplained wants the longest fixed clause of every message that
// hash_chain and integrity can print in docs/messages.md, word for word.
func TestMessagesAreExplained(t *testing.T) {
	b, err := os.ReadFile("../../docs/messages.md")
	if err != nil {
		t.Fatal(err)
	}
	text, found := string(b), 0
	for dir, speaker := range explained {
		for where, message := range messagesIn(t, filepath.Join("../..", dir), speaker) {
			found++
			if part := longest(message); len(part) >= shortest && !strings.Contains(text, part) {
				t.Errorf("%s: docs/messages.md does not explain %q: it lacks %q", where, message, part)
			}
		}
	}
	if found < 130 { // Else this test looks at nothing any more.
		t.Errorf("only %d messages were found", found)
	}
}

// shortest is the length in bytes of what is worth looking for: shorter parts
// only join others.
const shortest = 8

// messagesIn are the messages of a package, by their place.
func messagesIn(t *testing.T, dir, speaker string) map[string]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: no files: %v", dir, err)
	}
	out := map[string]string{}
	set := token.NewFileSet()
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(set, file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || !speaks[name(call.Fun)] && (speaker == "" || name(call.Fun) != speaker) {
				return true
			}
			for _, arg := range call.Args {
				if m, ok := literal(arg); ok && strings.Contains(m, " ") {
					out[set.Position(arg.Pos()).String()] = m
				}
			}
			return true
		})
	}
	return out
}

func name(fun ast.Expr) string {
	switch f := fun.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		return f.Sel.Name
	}
	return ""
}

// literal is the text of a string literal, or of several that are joined.
func literal(e ast.Expr) (string, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		s, err := strconv.Unquote(e.Value)
		return s, err == nil && e.Kind == token.STRING
	case *ast.BinaryExpr:
		x, okx := literal(e.X)
		y, oky := literal(e.Y)
		return x + y, okx && oky
	}
	return "", false
}

// varies is what differs each time, and what ends a clause.
var varies = regexp.MustCompile("%[-+# 0-9.]*(?:\\[[0-9]+\\])?[a-zA-Z]|[.;] | \\(|[`\n]")

// longest is the longest clause of a message that is the same each time.
func longest(message string) (part string) {
	for _, p := range varies.Split(message, -1) {
		if p = strings.Trim(p, " .,:;)"); len(p) > len(part) {
			part = p
		}
	}
	return part
}
