package storeconfig

import (
	"net/netip"
	"net/url"
	"regexp"
	"strings"

	"github.com/otelcol-custody/custody/store"
)

// maxPrefix leaves room for a slash and the longest name within the 1,024 bytes
// that every cloud allows.
const maxPrefix = 1024 - 1 - store.MaxName

func (f *faults) prefix(prefix string) {
	switch {
	case prefix == "":
	case prefix != strings.Trim(prefix, "/"):
		f.add("prefix", "must neither begin nor end with a slash, got %q; the slash before names is added", prefix)
	case len(prefix) > maxPrefix:
		f.add("prefix", "%d bytes, at most %d leave room for the longest name", len(prefix), maxPrefix)
	default:
		if err := store.CheckName(prefix); err != nil {
			f.add("prefix", "%w", err)
		}
	}
}

// endpoint checks a URL. It is not repeated in a fault: it may hold a secret.
func (f *faults) endpoint(key, raw, example string, pathAllowed bool) *url.URL {
	u, err := url.Parse(raw)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		f.add(key, "must be a URL such as %s", example)
		return nil
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		f.add(key, "must not carry a user, query or fragment; credentials have settings of their own")
		return nil
	case !pathAllowed && strings.Trim(u.Path, "/") != "":
		f.add(key, "must be scheme, host and port alone, such as %s; the folder goes into prefix", example)
		return nil
	}
	return u
}

// A nameRule is what a cloud says of the names of its buckets.
type nameRule struct {
	form  *regexp.Regexp
	says  string
	parts []string // must not be contained
	begin []string
	end   []string
}

var (
	// "General purpose bucket naming rules".
	s3Bucket = nameRule{
		form:  regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`),
		says:  "3 to 63 lower-case letters, digits, dots and hyphens, with a letter or digit at both ends",
		parts: []string{".."},
		begin: []string{"xn--", "sthree-", "amzn-s3-demo-"},
		end:   []string{"-s3alias", "--ol-s3", ".mrap", "--table-s3"},
	}
	// "About Cloud Storage buckets", bucket names.
	gcsBucket = nameRule{
		form:  regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$`),
		says:  "3 to 63 lower-case letters, digits, hyphens, underscores and dots (222 with dots, 63 between two), with a letter or digit at both ends",
		parts: []string{"..", "google"},
		begin: []string{"goog"},
	}
	// "Naming and referencing containers, blobs, and metadata".
	azureContainer = nameRule{
		form:  regexp.MustCompile(`^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$`),
		says:  "3 to 63 lower-case letters, digits and hyphens, with a letter or digit at both ends and no two hyphens together",
		parts: []string{"--"},
	}
)

func (f *faults) name(key, name string, r nameRule) {
	if name == "" {
		f.add(key, "required")
		return
	}
	if strings.ContainsAny(name, "/:") {
		f.add(key, "must be the name alone, got %q; a folder goes into prefix", name)
		return
	}
	if !r.allows(name) {
		f.add(key, "%q cannot be: %s", name, r.says)
		return
	}
	for _, list := range []struct {
		where string
		parts []string
		has   func(s, part string) bool
	}{{"contain", r.parts, strings.Contains}, {"begin with", r.begin, strings.HasPrefix}, {"end with", r.end, strings.HasSuffix}} {
		for _, part := range list.parts {
			if list.has(name, part) {
				f.add(key, "%q cannot be: a name may not %s %q", name, list.where, part)
			}
		}
	}
}

func (r nameRule) allows(name string) bool {
	if _, err := netip.ParseAddr(name); err == nil || !r.form.MatchString(name) {
		return false
	}
	for part := range strings.SplitSeq(name, ".") {
		if len(part) > 63 {
			return false
		}
	}
	return true
}
