package api_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/otelcol-custody/custody/internal/integrity/api"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestWhatIsRefused(t *testing.T) {
	w := newWorld(t, nil, 3)
	for target, want := range map[string]struct {
		status int
		code   string
	}{
		"/":                                                      {404, "path"},
		"/v1":                                                    {404, "path"},
		"/v1/":                                                   {404, "path"},
		"/v1/logs/":                                              {404, "path"},
		"/v1/logs/test/":                                         {404, "path"},
		"/v1/logs/test/nothing":                                  {404, "path"},
		"/test":                                                  {404, "path"},
		"/test/checkpoint/":                                      {404, "path"},
		"/test/seals/00000000000000000000.seal":                  {404, "path"},
		"//test/checkpoint":                                      {404, "path"},
		"/test//checkpoint":                                      {404, "path"},
		"/test/../test/checkpoint":                               {404, "path"},
		"/./test/checkpoint":                                     {404, "path"},
		"/%74est/checkpoint":                                     {404, "path"},
		"/test%2fcheckpoint":                                     {404, "path"},
		"/..%2f..%2fetc/checkpoint":                              {404, "path"},
		"/test/tile/0/..%2f..%2fcheckpoint":                      {404, "path"},
		"/v1/logs/..%2ftest":                                     {404, "path"},
		"/Test/checkpoint":                                       {404, "log"},
		"/.custody/checkpoint":                                   {404, "log"},
		"/other/checkpoint":                                      {404, "log"},
		"/other/tile/0/000":                                      {404, "log"},
		"/v1/logs/other":                                         {404, "log"},
		"/v1/logs/" + strings.Repeat("a", 64):                    {404, "log"},
		"/v1/logs/other/proof?index=0":                           {404, "log"},
		"/v1/logs/other/segments":                                {404, "log"},
		"/" + strings.Repeat("a", 600):                           {414, "length"},
		"/v1/logs?" + strings.Repeat("a", 5000):                  {414, "length"},
		"/v1/logs?limit=1":                                       {400, "query"},
		"/v1/logs?%zz":                                           {400, "query"},
		"/v1/findings?states=open":                               {400, "query"},
		"/v1/findings?state=open&state=open":                     {400, "query"},
		"/v1/findings?state=":                                    {400, "query"},
		"/v1/findings?state=shut":                                {400, "query"},
		"/v1/findings?severity=3":                                {400, "query"},
		"/v1/findings?limit=0":                                   {400, "query"},
		"/v1/findings?limit=1001":                                {400, "query"},
		"/v1/findings?limit=01":                                  {400, "query"},
		"/v1/findings?after=0000000000000000":                    {404, "finding"},
		"/v1/findings/0000000000000000":                          {404, "finding"},
		"/v1/logs/test/segments?limit=101":                       {400, "query"},
		"/v1/logs/test/segments?from=-1":                         {400, "query"},
		"/v1/logs/test/proof":                                    {400, "query"},
		"/v1/logs/test/proof?size=2":                             {400, "query"},
		"/v1/logs/test/proof?index=0&id=x":                       {400, "query"},
		"/v1/logs/test/proof?index=x":                            {400, "query"},
		"/v1/logs/test/proof?index=00":                           {400, "query"},
		"/v1/logs/test/proof?index=9223372036854775808":          {400, "query"},
		"/v1/logs/test/proof?index=3":                            {404, "beyond"},
		"/v1/logs/test/proof?index=0&size=4":                     {404, "beyond"},
		"/v1/logs/test/proof?index=2&size=2":                     {400, "query"},
		"/v1/logs/test/consistency":                              {400, "query"},
		"/v1/logs/test/consistency?from=0":                       {400, "query"},
		"/v1/logs/test/consistency?from=3&to=2":                  {400, "query"},
		"/v1/logs/test/consistency?from=1&to=4":                  {404, "beyond"},
		"/v1/logs/test/records/x":                                {404, "path"},
		"/v1/logs/test/records/01":                               {404, "path"},
		"/v1/logs/test/records/3":                                {404, "beyond"},
		"/v1/logs/test/evidence":                                 {400, "query"},
		"/v1/logs/test/evidence?hash=" + strings.Repeat("0", 64): {400, "query"},
		"/v1/logs/test/evidence?index=3":                         {404, "beyond"},
	} {
		w.refused(target, want.status, want.code)
	}
	if len(w.failed) > 0 {
		t.Errorf("failures of stores: %v", w.failed)
	}
}

func TestOnlyReads(t *testing.T) {
	w := newWorld(t, nil, 3)
	for _, method := range []string{"POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE", "get"} {
		res := w.do(method, "/v1/logs")
		refusal(t, res, method, http.StatusMethodNotAllowed, "method")
		if got := res.Header.Get("Allow"); got != "GET, HEAD" {
			t.Errorf("%s: allow %q", method, got)
		}
	}
	for _, body := range []string{"x", strings.Repeat("x", 1<<20)} {
		rec := httptest.NewRecorder()
		w.api.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/v1/logs", strings.NewReader(body)))
		refusal(t, rec.Result(), "body", http.StatusRequestEntityTooLarge, "body")
	}
	server := httptest.NewServer(w.api)
	defer server.Close()
	for _, target := range []string{"/v1/logs", "/test/checkpoint", "/test/tile/0/000.p/3"} {
		res, err := server.Client().Head(server.URL + target)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if body := w.get(target); res.StatusCode != 200 || res.ContentLength != int64(len(body)) {
			t.Errorf("HEAD %s: %d, %d bytes of %d", target, res.StatusCode, res.ContentLength, len(body))
		}
	}
}

func TestHeaders(t *testing.T) {
	w := newWorld(t, nil, 300)
	for target, want := range map[string]struct{ kind, cache string }{
		"/test/checkpoint":               {"text/plain; charset=utf-8", "no-cache"},
		"/test/tile/0/000":               {"application/octet-stream", "max-age=31536000, immutable"},
		"/test/tile/0/001.p/44":          {"application/octet-stream", "max-age=31536000, immutable"},
		"/test/tile/entries/000":         {"application/octet-stream", "max-age=31536000, immutable"},
		"/test/tile/0/002":               {"application/problem+json", "no-store"},
		"/v1/logs":                       {"application/json", "no-store"},
		"/v1/openapi.yaml":               {"application/yaml", "no-store"},
		"/v1/logs/test/evidence?index=7": {"text/plain; charset=utf-8", "no-store"},
		"/v1/logs/test/proof?index=7":    {"application/json", "no-store"},
		"/v1/findings/doesnotexist":      {"application/problem+json", "no-store"},
	} {
		h := w.do(http.MethodGet, target).Header
		if h.Get("Content-Type") != want.kind || h.Get("Cache-Control") != want.cache {
			t.Errorf("%s: %q, %q", target, h.Get("Content-Type"), h.Get("Cache-Control"))
		}
		if h.Get("X-Content-Type-Options") != "nosniff" || !strings.Contains(h.Get("Content-Security-Policy"), "default-src 'none'") {
			t.Errorf("%s: not hardened: %v", target, h)
		}
		for name := range h {
			if strings.HasPrefix(name, "Access-Control-") {
				t.Errorf("%s: other origins may read: %s", target, name)
			}
		}
	}
}

func TestWhatAnAPINeeds(t *testing.T) {
	if _, err := api.New(api.Config{}); err == nil {
		t.Error("an API without logs, status and findings")
	}
}
