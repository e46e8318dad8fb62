package docs

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.opentelemetry.io/collector/confmap/confmaptest"
)

const root = "../.."

// collectors are the metrics of the collector itself that may be used.
var collectors = map[string]metric{
	"otelcol_process_uptime":      {},
	"otelcol_process_memory_rss":  {},
	"otelcol_process_cpu_seconds": {},
	"up":                          {},
}

// A metric is one that a component has, under its name in Prometheus.
type metric struct {
	labels    []string
	histogram bool
}

// metrics are those that the metadata.yaml files declare.
func metrics(t *testing.T) map[string]metric {
	t.Helper()
	found := map[string]metric{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() && strings.HasPrefix(d.Name(), ".") && path != root {
			return fs.SkipDir
		}
		if d.Name() == "metadata.yaml" {
			maps.Copy(found, declared(t, path))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(found) < 40 { // Else this test looks at nothing any more.
		t.Fatalf("only %d metrics were found", len(found))
	}
	return found
}

func declared(t *testing.T, path string) map[string]metric {
	t.Helper()
	conf, err := confmaptest.LoadConf(path)
	if err != nil {
		t.Fatal(err)
	}
	list := map[string]metric{}
	all, _ := conf.Get("telemetry::metrics").(map[string]any)
	for name, m := range all {
		m := m.(map[string]any)
		_, histogram := m["histogram"]
		labels, _ := m["attributes"].([]any)
		own := metric{histogram: histogram}
		for _, l := range labels {
			own.labels = append(own.labels, l.(string))
		}
		list["otelcol_"+name] = own
	}
	return list
}

// dashboard returns the expressions of the dashboard, by a panel's title.
func dashboard(t *testing.T) map[string][]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "deploy/grafana/dashboard.json"))
	if err != nil {
		t.Fatal(err)
	}
	var d struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
		Templating struct {
			List []struct{ Name, Definition string }
		}
	}
	if err := json.Unmarshal(text, &d); err != nil {
		t.Fatal(err)
	}
	list := map[string][]string{}
	for _, p := range d.Panels {
		for _, target := range p.Targets {
			list[p.Title] = append(list[p.Title], target.Expr)
		}
	}
	for _, v := range d.Templating.List {
		if v.Definition != "" {
			list["variable "+v.Name] = []string{v.Definition}
		}
	}
	return list
}

// An alert is one rule of alerts.yaml.
type alert struct {
	Name        string            `mapstructure:"alert"`
	Expr        string            `mapstructure:"expr"`
	For         string            `mapstructure:"for"`
	Labels      map[string]string `mapstructure:"labels"`
	Annotations map[string]string `mapstructure:"annotations"`
}

func alerts(t *testing.T) []alert {
	t.Helper()
	conf, err := confmaptest.LoadConf(filepath.Join(root, "deploy/grafana/alerts.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Groups []struct {
			Name  string  `mapstructure:"name"`
			Rules []alert `mapstructure:"rules"`
		} `mapstructure:"groups"`
	}
	if err := conf.Unmarshal(&file); err != nil {
		t.Fatal(err)
	}
	var list []alert
	for _, g := range file.Groups {
		list = append(list, g.Rules...)
	}
	return list
}

// expressions are all of dashboard and alerts, by their place.
func expressions(t *testing.T) map[string][]string {
	t.Helper()
	list := dashboard(t)
	for _, a := range alerts(t) {
		list["alert "+a.Name] = []string{a.Expr}
	}
	return list
}

func TestEveryMetricIsOnTheDashboard(t *testing.T) {
	var all []string
	for _, exprs := range dashboard(t) {
		all = append(all, exprs...)
	}
	text := strings.Join(all, "\n")
	for name := range metrics(t) {
		if !regexp.MustCompile(`\b` + name + `(_bucket|_count|_sum)?\b`).MatchString(text) {
			t.Errorf("dashboard.json does not show %s", name)
		}
	}
}

// names of metrics in an expression, each with its matchers.
var (
	selector = regexp.MustCompile(`\b(otelcol_[a-z0-9_]+|up)\b(?:\{([^}]*)\})?`)
	matcher  = regexp.MustCompile(`([a-z_]+) *(?:=~|!~|!=|=) *"[^"]*"`)
	grouping = regexp.MustCompile(`\b(?:by|without|on|ignoring|group_left|group_right) *\(([^)]*)\)`)
)

func TestMetricsAndLabelsExist(t *testing.T) {
	known := metrics(t)
	maps.Copy(known, collectors)
	for place, exprs := range expressions(t) {
		for _, expr := range exprs {
			for _, fault := range strangers(known, expr) {
				t.Errorf("%s: %s: %s", place, fault, expr)
			}
		}
	}
}

// strangers says which metrics and labels of an expression do not exist.
func strangers(known map[string]metric, expr string) (faults []string) {
	labels := []string{"job", "instance", "le", "__name__"}
	for _, s := range selector.FindAllStringSubmatch(expr, -1) {
		m, ok := known[s[1]]
		if base := regexp.MustCompile(`_(bucket|count|sum)$`).ReplaceAllString(s[1], ""); !ok && known[base].histogram {
			m, ok = known[base], true
		} else if m.histogram {
			ok = false // Prometheus has only its three parts.
		}
		if !ok && !strings.Contains(expr, s[1]+"(") { // a pattern of __name__
			faults = append(faults, "there is no metric "+s[1])
			continue
		}
		for _, l := range matcher.FindAllStringSubmatch(s[2], -1) {
			if !slices.Contains(labels[:4], l[1]) && !slices.Contains(m.labels, l[1]) {
				faults = append(faults, s[1]+" has no label "+l[1])
			}
		}
		labels = append(labels, m.labels...)
	}
	for _, g := range grouping.FindAllStringSubmatch(expr, -1) {
		for label := range strings.SplitSeq(g[1], ",") {
			if label = strings.TrimSpace(label); !slices.Contains(labels, label) {
				faults = append(faults, "nothing here has the label "+label)
			}
		}
	}
	return faults
}

// functions of PromQL that are used, and the words that are followed by a parenthesis.
var functions = []string{
	"sum", "max", "min", "avg", "count", "by", "on", "rate", "increase", "delta", "histogram_quantile", "min_over_time", "max_over_time", "time", "vector",
	"label_values", "and", "or", "unless", "absent",
}

// malformed is what a look at an expression's words and brackets finds.
func malformed(expr string) error {
	bare := regexp.MustCompile(`"[^"]*"`).ReplaceAllString(expr, `""`)
	if strings.Count(bare, `"`)%2 != 0 {
		return fmt.Errorf("a string has no end")
	}
	var open []rune
	pairs := map[rune]rune{')': '(', ']': '[', '}': '{'}
	for _, c := range bare {
		switch c {
		case '(', '[', '{':
			open = append(open, c)
		case ')', ']', '}':
			if len(open) == 0 || open[len(open)-1] != pairs[c] {
				return fmt.Errorf("%q closes nothing", c)
			}
			open = open[:len(open)-1]
		}
	}
	if len(open) > 0 {
		return fmt.Errorf("%q is not closed", open[len(open)-1])
	}
	for _, f := range regexp.MustCompile(`([a-z_0-9]+) ?\(`).FindAllStringSubmatch(bare, -1) {
		if !slices.Contains(functions, f[1]) {
			return fmt.Errorf("%s is no function", f[1])
		}
	}
	for _, window := range regexp.MustCompile(`\[([^]]*)\]`).FindAllStringSubmatch(bare, -1) {
		if !regexp.MustCompile(`^([0-9]+[smhd]|\$__rate_interval)$`).MatchString(window[1]) {
			return fmt.Errorf("[%s] is no range", window[1])
		}
	}
	return nil
}

func TestExpressionsAreWellFormed(t *testing.T) {
	for place, exprs := range expressions(t) {
		for _, expr := range exprs {
			if err := malformed(expr); err != nil {
				t.Errorf("%s: %v: %s", place, err, expr)
			}
		}
	}
	for _, bad := range []string{`sum(x`, `sum x)`, `x{a="b}`, `rate(x[5])`, `summ(x)`, `rate(x[5m)]`} {
		if malformed(bad) == nil {
			t.Errorf("nothing is wrong with %s", bad)
		}
	}
}

const blob = "https://github.com/otelcol-custody/custody/blob/main/"

func TestAlertsSayWhatToDo(t *testing.T) {
	seen := map[string]bool{}
	for _, a := range alerts(t) {
		if a.Name == "" || seen[a.Name] {
			t.Errorf("alert %q: has no name of its own", a.Name)
		}
		seen[a.Name] = true
		if s := a.Labels["severity"]; s != "page" && s != "ticket" {
			t.Errorf("alert %s: severity is %q", a.Name, s)
		}
		if a.Annotations["summary"] == "" || a.Annotations["description"] == "" {
			t.Errorf("alert %s: lacks a summary or description", a.Name)
		}
		page, ok := strings.CutPrefix(a.Annotations["runbook_url"], blob)
		if file, anchor, _ := strings.Cut(page, "#"); !ok || !slices.Contains(headings(t, file), anchor) {
			t.Errorf("alert %s: runbook_url %q leads nowhere", a.Name, a.Annotations["runbook_url"])
		}
	}
}

// headings are the anchors of a page.
func headings(t *testing.T, file string) (anchors []string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, file))
	if err != nil {
		t.Error(err)
	}
	for _, h := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(string(text), -1) {
		plain := regexp.MustCompile(`[^a-z0-9 _-]`).ReplaceAllString(strings.ToLower(h[1]), "")
		anchors = append(anchors, strings.ReplaceAll(plain, " ", "-"))
	}
	return anchors
}

// What operations.md tells to alarm on is what the rules do.
func TestDocumentedAlarmsAreRules(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "docs/operations.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "\n## What to alarm on\n")
	var rules strings.Builder
	for _, a := range alerts(t) {
		rules.WriteString(a.Expr + "\n")
	}
	rows := 0
	for line := range strings.Lines(section) {
		names := regexp.MustCompile("`(otelcol_[a-z_]+)`").FindAllStringSubmatch(line, -1)
		if !strings.HasPrefix(line, "| `") || len(names) == 0 {
			continue
		}
		rows++
		if !slices.ContainsFunc(names, func(m []string) bool { return strings.Contains(rules.String(), m[1]) }) {
			t.Errorf("alerts.yaml has no rule for %s", line)
		}
	}
	if rows < 10 {
		t.Errorf("only %d rows with metrics were found in docs/operations.md", rows)
	}
}
