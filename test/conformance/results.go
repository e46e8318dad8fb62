package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
)

// suites are the beginnings of the names of tests that run a suite, with
// subtests SERVER/PROPERTY.
var suites = []string{"TestConformance", "TestVersionedConformance", "TestLocked", "TestMemory"}

func isSuite(test string) bool {
	return slices.ContainsFunc(suites, func(s string) bool { return strings.HasPrefix(test, s) })
}

// pattern names the tests to run.
func pattern() string {
	alternatives := []string{strings.Join(suites, ".*|") + ".*"}
	for _, o := range observations {
		alternatives = append(alternatives, o.test)
	}
	return "^(" + strings.Join(alternatives, "|") + ")$"
}

// A result is how one test ended.
type result struct {
	pkg    string // last element of the import path
	test   string
	action string // pass, fail or skip
}

// results are in the order of the names.
type results []result

// read reads the output of go test -json. What failed tests and builds say
// goes to failures.
func read(from io.Reader, failures io.Writer) (results, error) {
	var all results
	said := map[string]*strings.Builder{}
	lines := bufio.NewScanner(from)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var e struct{ Action, Package, ImportPath, Test, Output string }
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			return nil, fmt.Errorf("not the output of go test -json: %q: %w", lines.Text(), err)
		}
		key := e.Package + e.ImportPath + " " + e.Test
		switch e.Action {
		case "output", "build-output":
			if said[key] == nil {
				said[key] = new(strings.Builder)
			}
			said[key].WriteString(e.Output)
		case "pass", "fail", "skip", "build-fail":
			if b := said[key]; b != nil && strings.HasSuffix(e.Action, "fail") {
				fmt.Fprintf(failures, "%s\n%s", key, b)
			}
			delete(said, key)
			if e.Test != "" {
				all = append(all, result{path.Base(e.Package), e.Test, e.Action})
			}
		}
	}
	slices.SortFunc(all, func(a, b result) int { return strings.Compare(a.pkg+" "+a.test, b.pkg+" "+b.test) })
	return all, lines.Err()
}

// has reports whether a test is about a property of this server: its name is a
// suite, the server, perhaps more, the property, or its parent is listed in
// the server's tests.
func (s server) has(r result, prop string) bool {
	if r.pkg != s.store || path.Base(r.test) != prop {
		return false
	}
	if len(s.tests) > 0 {
		return slices.Contains(s.tests, path.Dir(r.test))
	}
	parts := strings.Split(r.test, "/")
	return len(parts) > 2 && isSuite(parts[0]) && parts[1] == s.name
}

// of says how a property's tests ended: fail if one failed, pass if all
// passed, else nothing.
func (all results) of(s server, prop string) string {
	return all.verdict(func(r result) bool { return s.has(r, prop) })
}

// seen says how an observation's test ended.
func (all results) seen(o observation) string {
	return all.verdict(func(r result) bool { return r.pkg == o.store && r.test == o.test })
}

// sentOnTheWire says how those tests of a store ended that see what it sent.
func (all results) sentOnTheWire(store string) string {
	return all.verdict(func(r result) bool {
		return slices.ContainsFunc(observations, func(o observation) bool {
			return o.wire && o.store == store && r.pkg == store && r.test == o.test
		})
	})
}

func (all results) verdict(about func(result) bool) string {
	verdict := ""
	for _, r := range all {
		switch {
		case !about(r):
		case r.action == "fail":
			return "fail"
		case r.action == "pass" && verdict == "":
			verdict = "pass"
		case r.action == "skip":
			verdict = "skip"
		}
	}
	return verdict
}

// strangers lists results for servers that are not in the list, which would
// otherwise vanish.
func (all results) strangers() []string {
	var names []string
	for _, r := range all {
		known := func(p property) bool { return path.Base(r.test) == p.name }
		if !isSuite(r.test) || slices.Contains(variants, r.pkg+" "+path.Dir(r.test)) || !slices.ContainsFunc(slices.Concat(contract, locks), known) {
			continue
		}
		prop := path.Base(r.test)
		if !slices.ContainsFunc(servers, func(s server) bool { return s.has(r, prop) }) {
			names = append(names, r.pkg+" "+path.Dir(r.test))
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func (all results) failed() bool {
	return slices.ContainsFunc(all, func(r result) bool { return r.action == "fail" })
}
