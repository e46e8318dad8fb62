package recovery

import (
	"errors"
	"path/filepath"
	"strings"

	"github.com/otelcol-custody/custody/internal/logstore"
	"github.com/otelcol-custody/custody/store"
)

// here is a text about the state directory without the path that it has on this
// machine: what is sealed is read by others, for ever.
func (r *run) here(text string) string {
	dir := filepath.Clean(r.StateDir)
	if dir == filepath.Dir(dir) || !filepath.IsAbs(dir) {
		return text
	}
	return strings.NewReplacer(dir+string(filepath.Separator), "", dir, "the state directory").Replace(text)
}

// classes are what a store's error can mean.
var classes = []error{
	store.ErrDenied, store.ErrUnfit, store.ErrFull, store.ErrNotFound, store.ErrClosed, store.ErrUnavailable,
}

// class is an error of a store without that store's own words. They may name
// accounts, roles and hosts, which nobody could take out of the log again.
func class(err error) string {
	if flooded := (*logstore.FloodedError)(nil); errors.As(err, &flooded) {
		return flooded.Error()
	}
	if altered := (*logstore.AlteredError)(nil); errors.As(err, &altered) {
		return altered.Error()
	}
	for _, c := range classes {
		if errors.Is(err, c) {
			return c.Error()
		}
	}
	return "it failed"
}

// classed takes the words of stores out of a text that is to be sealed.
func (r *run) classed() *strings.Replacer {
	var pairs []string
	for _, err := range r.theirs {
		if text := err.Error(); text != "" {
			pairs = append(pairs, text, class(err))
		}
	}
	return strings.NewReplacer(pairs...)
}
