package arch

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// accessKey is the id of an AWS access key; secret scanners look for the same.
var accessKey = regexp.MustCompile(`\b(AKIA|ASIA)[0-9A-Z]{16}\b`)

// privateKey is where one in PEM begins.
var privateKey = regexp.MustCompile(`-----BEGIN [A-Z ]*PRIVATE KEY-----\\?[rn\n]`)

// credentials returns what in a file looks like one, but for AWS's examples.
func credentials(content string) (all []string) {
	for _, id := range accessKey.FindAllString(content, -1) {
		if !strings.HasSuffix(id, "EXAMPLE") {
			all = append(all, id)
		}
	}
	return append(all, privateKey.FindAllString(content, -1)...)
}

// TestNoCredentials: real audit events are full of key ids. Fixtures have the examples of
// AWS's documentation, which nobody takes for a leak.
func TestNoCredentials(t *testing.T) {
	for _, bad := range []string{"AKIA" + "ABCDEFGHIJKLMNOP", "-----BEGIN RSA " + "PRIVATE KEY-----\n"} {
		if len(credentials("x "+bad+" y")) != 1 {
			t.Errorf("%q is not found", bad)
		}
	}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && path != root && (strings.HasPrefix(d.Name(), ".") || d.Name() == "bin" || d.Name() == "custody-data") {
			return filepath.SkipDir
		}
		if !d.Type().IsRegular() {
			return nil
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, found := range credentials(string(content)) {
			t.Errorf("%s: %q looks like a credential; write AKIAIOSFODNN7EXAMPLE, or make a key in the test", path, found)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
