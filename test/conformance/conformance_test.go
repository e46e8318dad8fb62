package main

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const root = "../.."

// parts returns the names of the parts that storetest's suites list.
func parts(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, "store/storetest/*.go"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range files {
		if strings.HasSuffix(f, "_test.go") {
			continue
		}
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`\t\{"(\w+)", (?:test|lock|legal)\w+\},`).FindAllSubmatch(text, -1) {
			names = append(names, string(m[1]))
		}
	}
	return names
}

func TestEveryPartIsAProperty(t *testing.T) {
	var listed []string
	for _, p := range slices.Concat(contract, locks) {
		listed = append(listed, p.name)
	}
	have := parts(t)
	slices.Sort(listed)
	slices.Sort(have)
	if !slices.Equal(listed, have) {
		t.Errorf("properties.go lists\n%q\nthe suites have\n%q", listed, have)
	}
}

func TestVersionsAreThoseInstalled(t *testing.T) {
	script, err := os.ReadFile(filepath.Join(root, "scripts/servers"))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range servers {
		name, _, _ := strings.Cut(s.name, "_") // Without what it is started without.
		line := "\n" + strings.ReplaceAll(name, "-", "_") + "=" + s.version + "\n"
		if s.version != "" && !strings.Contains(string(script), line) {
			t.Errorf("scripts/servers does not install %s %s", s.name, s.version)
		}
	}
}

// complete returns a run in which every test passed.
func complete() results {
	var all results
	add := func(pkg string, test ...string) { all = append(all, result{pkg, path.Join(test...), "pass"}) }
	for _, s := range servers {
		for _, p := range contract {
			add(s.store, s.parent(0), p.name)
		}
		for _, p := range locks {
			if s.grip == enforced {
				add(s.store, s.parent(1), p.name)
			}
		}
	}
	for _, o := range observations {
		add(o.store, o.test)
	}
	return all
}

func (s server) parent(i int) string {
	if len(s.tests) > 0 {
		return s.tests[min(i, len(s.tests)-1)]
	}
	return suites[0] + "/" + s.name
}

func TestComplete(t *testing.T) {
	all := complete()
	if m := missing(all); len(m) > 0 {
		t.Errorf("missing in a complete run: %q", m)
	}
	if s := all.strangers(); len(s) > 0 {
		t.Errorf("strangers in a complete run: %q", s)
	}
	text := document(all)
	for _, word := range []string{failed, notRun} {
		if strings.Count(text, word) > strings.Count(head, word) {
			t.Errorf("a complete run says %q", word)
		}
	}
	if text != document(all) {
		t.Error("the same run gives two documents")
	}
}

func TestMissingIsFound(t *testing.T) {
	all := complete()
	for i, r := range all {
		rest := slices.Delete(slices.Clone(all), i, i+1)
		if len(missing(rest)) == 0 {
			t.Errorf("nobody misses %s %s", r.pkg, r.test)
		}
		skipped := slices.Clone(all)
		skipped[i].action = "skip"
		if len(missing(skipped)) == 0 {
			t.Errorf("nobody misses %s %s, which was skipped", r.pkg, r.test)
		}
	}
}

func TestStrangersAreFound(t *testing.T) {
	all := append(complete(), result{"s3store", "TestConformance/another/PutOnce", "pass"})
	if got, want := all.strangers(), []string{"s3store TestConformance/another"}; !slices.Equal(got, want) {
		t.Errorf("strangers: %q, want %q", got, want)
	}
}

// A pass counts as enforced only on a server that enforces.
func TestCells(t *testing.T) {
	for _, c := range []struct {
		grip           grip
		double         bool
		lock, wire     string // actions; empty: no result
		retention, got string
	}{
		{none, false, "", "", refused, notPossible},
		{sent, false, "", "pass", refused, sentOnly},
		{sent, false, "pass", "pass", refused, sentOnly},
		{sent, false, "pass", "", refused, notRun},
		{sent, false, "", "fail", refused, failed},
		{reported, false, "pass", "pass", sentOnly, sentOnly},
		{reported, false, "fail", "pass", sentOnly, failed},
		{enforced, false, "pass", "", passed, passed},
		{enforced, false, "fail", "", passed, failed},
		{enforced, false, "skip", "pass", passed, notRun},
		{enforced, false, "", "pass", passed, notRun},
		{enforced, true, "pass", "", passedDouble, passedDouble},
	} {
		s := server{store: "gcsstore", name: "srv", grip: c.grip, double: c.double}
		all := results{
			{"gcsstore", "TestConformance/srv/Retention", "pass"}, {"gcsstore", "TestLocked/srv/more/LegalHold", c.lock},
			{"gcsstore", "TestHoldIsSent", c.wire}, {"gcsstore", "TestExtendSends", "fail"}, {"azblobstore", "TestSentOnTheWire", "fail"},
			{"s3store", "TestLocked/srv/LegalHold", "fail"}, {"gcsstore", "TestLocked/other/LegalHold", "fail"},
		}
		all = slices.DeleteFunc(all, func(r result) bool { return r.action == "" })
		if got := contractCell(all, s, property{name: retention}); got != c.retention {
			t.Errorf("%+v: retention is %q, want %q", c, got, c.retention)
		}
		if got := lockCell(all, s, property{name: "LegalHold"}); got != c.got {
			t.Errorf("%+v: a lock is %q, want %q", c, got, c.got)
		}
		if got := lockCell(all, s, property{name: "LockChecked"}); got == passed || got == passedDouble || got == sentOnly {
			t.Errorf("%+v: what was neither tried nor sent is %q", c, got)
		}
		s.without = map[string]string{"Empty": "it cannot"}
		if got := contractCell(all, s, property{name: "Empty"}); got != notPossible {
			t.Errorf("what is not possible is %q", got)
		}
	}
}

func TestRead(t *testing.T) {
	const pkg = `"Package":"example.com/store/s3store"`
	var said strings.Builder
	all, err := read(strings.NewReader(fmt.Sprintf(`{"Action":"start",%[1]s}
{"Action":"output",%[1]s,"Test":"TestB/x","Output":"bad news\n"}
{"Action":"output",%[1]s,"Test":"TestA","Output":"good news\n"}
{"Action":"fail",%[1]s,"Test":"TestB/x"}
{"Action":"pass",%[1]s,"Test":"TestA"}
{"Action":"fail",%[1]s}
{"ImportPath":"example.com/y","Action":"build-output","Output":"does not compile\n"}
{"ImportPath":"example.com/y","Action":"build-fail"}
`, pkg)), &said)
	want := results{{"s3store", "TestA", "pass"}, {"s3store", "TestB/x", "fail"}}
	if err != nil || !slices.Equal(all, want) {
		t.Errorf("read: %v, %v; want %v", all, err, want)
	}
	for word, want := range map[string]bool{"bad news": true, "does not compile": true, "good news": false} {
		if strings.Contains(said.String(), word) != want {
			t.Errorf("the failures say %q", said.String())
		}
	}
	if _, err := read(strings.NewReader("FAIL\n"), &said); err == nil {
		t.Error("read takes what is not JSON")
	}
}
