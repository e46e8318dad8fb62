package api

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// parseQuery reads a query in which each of these parameters may stand once, and
// nothing else: one that is misspelt must not be taken for one that is not given.
func parseQuery(r *http.Request, known ...string) (url.Values, error) {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, problemf(http.StatusBadRequest, "query", "the query cannot be read; write it as name=value&name=value, percent-encoded")
	}
	for name, given := range values {
		if !slices.Contains(known, name) {
			return nil, problemf(http.StatusBadRequest, "query", "there is no parameter %q here; there is %s", name, listed(known))
		}
		if len(given) > 1 {
			return nil, problemf(http.StatusBadRequest, "query", "parameter %s is given %d times; give it once", name, len(given))
		}
		if given[0] == "" {
			return nil, problemf(http.StatusBadRequest, "query", "parameter %s is empty; leave it out, or give a value", name)
		}
	}
	return values, nil
}

func listed(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

// parsePosition reads a number of a record, or a size, in its one form.
func parsePosition(s string) (uint64, bool) {
	n, err := strconv.ParseUint(s, 10, 63)
	return n, err == nil && strconv.FormatUint(n, 10) == s
}

// position is a parameter that is a number of a record or a size.
func position(q url.Values, name string, otherwise uint64) (uint64, error) {
	if !q.Has(name) {
		return otherwise, nil
	}
	n, ok := parsePosition(q.Get(name))
	if !ok {
		return 0, problemf(http.StatusBadRequest, "query", "parameter %s: want a decimal number from 0 to %d, got %q", name, uint64(1<<63-1), q.Get(name))
	}
	return n, nil
}

// page is the parameter limit.
func page(q url.Values, otherwise, most int) (int, error) {
	n, err := position(q, "limit", uint64(otherwise))
	if err != nil {
		return 0, err
	}
	if n < 1 || n > uint64(most) {
		return 0, problemf(http.StatusBadRequest, "query", "parameter limit: want 1 to %d, got %d", most, n)
	}
	return int(n), nil
}

// choice is a parameter that has one of a few values, or is left out.
func choice(q url.Values, name string, values ...string) (string, error) {
	v := q.Get(name)
	if v != "" && !slices.Contains(values, v) {
		return "", problemf(http.StatusBadRequest, "query", "parameter %s: want one of %s, got %q", name, strings.Join(values, ", "), v)
	}
	return v, nil
}
