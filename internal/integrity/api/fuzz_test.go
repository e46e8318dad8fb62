package api_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/otelcol-custody/custody/internal/integrity/api"
)

// FuzzRequest: whatever is asked, the answer is one or a problem of the client's,
// and no store's name but those of the log is ever asked for.
func FuzzRequest(f *testing.F) {
	for pattern, parameters := range api.Routes() {
		path := strings.NewReplacer("{log}", "test", "{tile...}", "0/000.p/3", "{index}", "1", "{id}", "0123456789abcdef").Replace(pattern)
		f.Add(path, "")
		for _, p := range parameters {
			f.Add(path, p+"=1")
		}
	}
	f.Add("/test/tile/entries/x001/000", "")
	f.Add("00", "")
	f.Add("/v1/logs/test/pack", "records=0,2-2")
	w := newWorld(f, nil, 3)
	f.Fuzz(func(t *testing.T, path, query string) {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.URL = &url.URL{Path: path, RawQuery: query}
		rec := httptest.NewRecorder()
		w.api.ServeHTTP(rec, r)
		switch rec.Code {
		case 200, 400, 404, 409, 414, 501:
		default:
			t.Errorf("%s?%s: %d %s", path, query, rec.Code, rec.Body)
		}
		for _, c := range w.stores["a"].Calls() {
			if !strings.HasPrefix(c.Name, "test/") {
				t.Fatalf("%s?%s: the store is asked for %q", path, query, c.Name)
			}
		}
	})
}
