package api_test

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"

	"github.com/otelcol-custody/custody/internal/integrity"
	"github.com/otelcol-custody/custody/internal/integrity/api"
	"github.com/otelcol-custody/custody/internal/integrity/incident"
)

// described is the OpenAPI document as the API serves it.
func (w *world) described() *openapi3.T {
	w.t.Helper()
	text := w.get("/v1/openapi.yaml")
	if bytes.Contains(text, []byte("<<:")) {
		w.t.Error("the document uses merge keys, which YAML 1.2 does not have: others read another document")
	}
	doc, err := openapi3.NewLoader().LoadFromData(text)
	if err != nil {
		w.t.Fatal(err)
	}
	if err := doc.Validate(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	return doc
}

var pathParameter = regexp.MustCompile(`\{[^}]+\}`)

// shape is a path without the names of its parameters. Tiles have four paths in
// the document, since none of its parameters can hold a slash, and one pattern.
func shape(path string) string {
	if strings.HasPrefix(path, "/{log}/tile/") {
		return "/{}/tile/{}"
	}
	return pathParameter.ReplaceAllString(path, "{}")
}

// TestDescriptionIsComplete: the document has the paths and parameters that the
// handlers have, and no others.
func TestDescriptionIsComplete(t *testing.T) {
	handled, described := map[string]string{}, map[string]string{}
	for pattern, parameters := range api.Routes() {
		handled[shape(pattern)] = fmt.Sprint(slices.Sorted(slices.Values(parameters)))
	}
	doc := newWorld(t, nil, 3).described()
	for path, item := range doc.Paths.Map() {
		var names []string
		for _, p := range item.Get.Parameters {
			if p.Value.In == openapi3.ParameterInQuery {
				names = append(names, p.Value.Name)
			}
		}
		slices.Sort(names)
		described[shape(path)] = fmt.Sprint(names)
		if len(item.Operations()) != 1 || item.Get == nil || item.Get.OperationID == "" || item.Get.Summary == "" {
			t.Errorf("%s: want GET alone, with an id and a summary", path)
		}
	}
	if !maps.Equal(handled, described) {
		t.Errorf("handlers %v\ndocument %v", handled, described)
	}
}

// samples are requests for each operation; those that begin with ! are refused.
func samples(w *world) []string {
	id := w.book.Incidents(incident.Filter{})[0].ID
	return []string{
		"/test/checkpoint", "!/other/checkpoint", "/test/tile/0/000", "/test/tile/1/000.p/1", "/test/tile/entries/000", "/test/tile/entries/001.p/44", "/test/tile/0/001.p/44",
		"!/test/tile/0/001", "!/test/tile/entries/001.p/45", "!/test/tile/1/000.p/2", "!/test/tile/entries/002", "/v1/openapi.yaml",
		"/v1/logs", "/v1/logs/test", "/v1/logs/empty", "!/v1/logs/other", "/v1/logs/test/segments", "/v1/logs/test/segments?from=2&limit=1", "/v1/logs/empty/segments",
		"/v1/logs/test/proof?index=3", "/v1/logs/test/proof?index=3&size=7", "!/v1/logs/test/proof?index=7&size=7", "/v1/logs/test/proof?id=one", "/v1/logs/test/proof?original_id=1", "!/v1/logs/test/proof?id=two", "!/v1/logs/test/proof",
		"/v1/logs/test/consistency?from=2", "/v1/logs/test/consistency?from=300&to=300", "!/v1/logs/test/consistency?from=301",
		"/v1/logs/test/records/0", "!/v1/logs/test/records/300", "/v1/logs/test/evidence?index=7", "/v1/logs/test/evidence?id=one", "!/v1/logs/test/evidence?id=none",
		"/v1/logs/test/pack?records=0,3,5-9,299", "!/v1/logs/test/pack", "!/v1/logs/test/pack?records=300", "/v1/heads", "/v1/findings", "/v1/findings?state=open&severity=concern&log=test&limit=1", "/v1/findings?limit=1&after=" + id, "/v1/findings/" + id,
		"!/v1/findings/0123456789abcdef", "/v1/coverage",
	}
}

// furnished is a world in which every member of every answer occurs.
func furnished(t *testing.T) *world {
	w := newWorld(t, nil, 100, 196)
	w.named("two", "one/1", "two")
	now := time.Now()
	w.status[0].Coverage = integrity.Coverage{Oldest: now, Began: now, Promise: time.Hour, Passes: 1, Done: 1, Total: 2}
	w.status[0].Error, w.status[0].Since, w.status[0].Lag = "away", now, time.Millisecond
	w.status = append(w.status, integrity.LogStatus{Store: "b", Log: "empty"}, integrity.LogStatus{Store: "c"})
	seven := uint64(7)
	for i, f := range []incident.Finding{
		{Kind: incident.SegmentAltered, Place: incident.Place{Store: "a", Log: "test", Object: "o", Version: "v", First: 3, End: 9, Record: &seven}, Message: "m", Want: "w", Got: "g", Evidence: []incident.Evidence{{Name: "n", Bytes: []byte{0xff}}}},
		{Kind: incident.Unread, Place: incident.Place{Store: "a"}, Message: "m"},
		{Kind: incident.Late, Place: incident.Place{Store: "a", Log: "test"}, Message: "m"},
	} {
		if err := w.book.Report(f); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			if err := w.book.Acknowledge(w.book.Incidents(incident.Filter{})[0].ID, "who", "why"); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.book.Swept(incident.Place{}, time.Now(), incident.SegmentAltered, incident.Late); err != nil {
		t.Fatal(err)
	}
	return w
}

// TestAnswersAreAsDescribed: each operation answers, and each answer is what the
// document says, members that it does not name being refused.
func TestAnswersAreAsDescribed(t *testing.T) {
	w := furnished(t)
	doc := w.described()
	router, err := gorillamux.NewRouter(doc)
	if err != nil {
		t.Fatal(err)
	}
	answered := map[string]bool{}
	for _, target := range samples(w) {
		target, isRefused := strings.CutPrefix(target, "!")
		r := httptest.NewRequest(http.MethodGet, target, nil)
		route, parameters, err := router.FindRoute(r)
		if err != nil {
			t.Errorf("%s: %v", target, err)
			continue
		}
		res := w.do(http.MethodGet, target)
		if (res.StatusCode != http.StatusOK) != isRefused {
			t.Errorf("%s: %d, %v", target, res.StatusCode, w.failed)
		}
		if err := conforms(r, route, parameters, res); err != nil {
			t.Errorf("%s: %v", target, err)
		}
		answered[route.Operation.OperationID] = answered[route.Operation.OperationID] || !isRefused
	}
	for path, item := range doc.Paths.Map() {
		if !answered[item.Get.OperationID] {
			t.Errorf("%s: nothing was asked", path)
		}
	}
}

// conforms holds a request and its answer against the document.
func conforms(r *http.Request, route *routers.Route, parameters map[string]string, res *http.Response) error {
	asked := &openapi3filter.RequestValidationInput{Request: r, Route: route, PathParams: parameters}
	if err := openapi3filter.ValidateRequest(r.Context(), asked); err != nil && res.StatusCode == http.StatusOK {
		return fmt.Errorf("request: %w", err)
	}
	if strings.HasPrefix(res.Header.Get("Content-Type"), "application/yaml") {
		return nil // The document itself, which was read.
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	return openapi3filter.ValidateResponse(r.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: asked, Status: res.StatusCode, Header: res.Header, Body: io.NopCloser(bytes.NewReader(body)),
	})
}
