package follow

import "testing"

func TestPatterns(t *testing.T) {
	for _, tt := range []struct {
		pattern, path string
		want          bool
	}{
		{"*.json", "a.json", true},
		{"*.json", "x/y/a.json", true},
		{"*.json", "a.json.gz", false},
		{"x/*.json", "x/a.json", true},
		{"x/*.json", "x/y/a.json", false},
		{"x/*.json", "y/x/a.json", false},
		{"**/CloudTrail/**", "AWSLogs/1/CloudTrail/r/a.json", true},
		{"**/CloudTrail/**", "CloudTrail/a.json", true},
		{"**/CloudTrail/**", "AWSLogs/CloudTrail-Digest/a.json", false},
		{"a/**/b", "a/b", true},
		{"a/**/b", "a/x/y/b", true},
		{"a/**/b", "a/x/y/c", false},
		{"**/**/b", "b", true},
	} {
		if got := match(tt.pattern, tt.path); got != tt.want {
			t.Errorf("match(%q, %q) = %v", tt.pattern, tt.path, got)
		}
	}
	for _, bad := range []string{"", "/abs/*.json", "[a"} {
		if CheckPattern(bad) == nil {
			t.Errorf("CheckPattern(%q) accepts it", bad)
		}
	}
	for _, good := range []string{"*.json", "a/**/[0-9]?.json"} {
		if err := CheckPattern(good); err != nil {
			t.Errorf("CheckPattern(%q): %v", good, err)
		}
	}
}
