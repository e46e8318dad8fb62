package gcsstore

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"unicode/utf8"

	"cloud.google.com/go/storage"
	"google.golang.org/api/iterator"

	"github.com/otelcol-custody/custody/store"
)

// Objects on a page of a listing; 1,000 is the most that there can be.
const (
	pageOfNames    = 1000
	pageOfVersions = 100 // of one name, which others may follow
)

// shownFields is what a listing asks for.
var shownFields = []string{
	"Name", "Size", "Generation", "Created", "Deleted", "Retention", "TemporaryHold", "EventBasedHold", "RetentionExpirationTime",
}

// List implements [store.Store].
func (s *Store) List(ctx context.Context, prefix, after string) iter.Seq2[store.Info, error] {
	return func(yield func(store.Info, error) bool) {
		for a, err := range s.walk(ctx, prefix, after, false, pageOfNames) {
			if err != nil {
				yield(store.Info{}, err)
				return
			}
			info := s.info(shownName(s.name(a), a), a)
			info.Latest = true
			if !yield(info, nil) {
				return
			}
		}
	}
}

// ListVersions implements [store.Versioned].
func (s *Store) ListVersions(ctx context.Context, prefix, after string) iter.Seq2[store.Info, error] {
	return func(yield func(store.Info, error) bool) {
		var group []*storage.ObjectAttrs // generations of one name
		flush := func() bool {
			for _, info := range s.describeAll(group) {
				if !yield(info, nil) {
					return false
				}
			}
			group = group[:0]
			return true
		}
		for a, err := range s.walk(ctx, prefix, after, true, pageOfNames) {
			if err != nil {
				yield(store.Info{}, err)
				return
			}
			if len(group) > 0 && group[0].Name != a.Name && !flush() {
				return
			}
			group = joined(group, a, store.MaxListed)
		}
		flush()
	}
}

// Versions implements [store.Store].
func (s *Store) Versions(ctx context.Context, name string) ([]store.Info, error) {
	if err := s.ready(ctx, name); err != nil {
		return nil, err
	}
	var group []*storage.ObjectAttrs
	for a, err := range s.walk(ctx, name, "", true, pageOfVersions) {
		if err != nil {
			return nil, err
		}
		if s.name(a) != name {
			break // Of the names that begin with this one, this one is the first.
		}
		group = joined(group, a, store.MaxVersions)
	}
	if len(group) == 0 {
		return nil, fmt.Errorf("%w: %s: %s", store.ErrNotFound, s.id, name)
	}
	return store.Ends(s.describeAll(group), store.MaxVersions), nil
}

// joined adds a generation to those of a name; of very many it keeps the newest
// and the oldest.
func joined(group []*storage.ObjectAttrs, a *storage.ObjectAttrs, most int) []*storage.ObjectAttrs {
	if group = append(group, a); len(group) < 2*most {
		return group
	}
	slices.SortFunc(group, newestFirst)
	kept := store.Ends(group, most)
	clear(group[len(kept):])
	return kept
}

func newestFirst(a, b *storage.ObjectAttrs) int { return cmp.Compare(b.Generation, a.Generation) }

// describeAll describes all generations of a name, the newest first. If none
// is live, what was a deletion shows as a delete marker, as on other stores.
func (s *Store) describeAll(group []*storage.ObjectAttrs) []store.Info {
	if len(group) == 0 {
		return nil
	}
	slices.SortFunc(group, newestFirst)
	newest := group[0]
	name := shownName(s.name(newest), newest)
	var out []store.Info
	if !newest.Deleted.IsZero() {
		out = append(out, store.Info{Name: name, Modified: newest.Deleted.UTC(), DeleteMarker: true, Latest: true})
	}
	for _, a := range group {
		info := s.info(name, a)
		info.Latest = a == newest && a.Deleted.IsZero()
		out = append(out, info)
	}
	return out
}

func (s *Store) name(a *storage.ObjectAttrs) string { return strings.TrimPrefix(a.Name, s.base) }

// shownName is what listings show of a name; empty: nothing.
func shownName(name string, a *storage.ObjectAttrs) string {
	name, _ = store.Shown(name, a.Size)
	return name
}

// walk yields what has a name that is shown, in order of names, page by page.
func (s *Store) walk(ctx context.Context, prefix, after string, versions bool, size int) iter.Seq2[*storage.ObjectAttrs, error] {
	return func(yield func(*storage.ObjectAttrs, error) bool) {
		if err := s.usable(ctx); err != nil {
			yield(nil, err)
			return
		}
		if sendable(prefix) != prefix {
			return // No valid name begins so.
		}
		after := store.Stored(after)
		q := &storage.Query{Prefix: s.base + prefix, Versions: versions, Projection: storage.ProjectionNoACL}
		if after != "" {
			q.StartOffset = s.base + sendable(after)
		}
		for token, more := "", true; more; more = token != "" {
			var page []*storage.ObjectAttrs
			var err error
			if page, token, err = s.page(ctx, q, token, size); err != nil {
				yield(nil, err)
				return
			}
			for _, a := range page {
				if name := s.name(a); name <= after || shownName(name, a) == "" {
					continue
				}
				if err := ctx.Err(); err != nil {
					yield(nil, err)
					return
				}
				if !yield(a, nil) {
					return
				}
			}
		}
	}
}

// page asks for one page, so that each has a deadline of its own.
func (s *Store) page(ctx context.Context, q *storage.Query, token string, size int) ([]*storage.ObjectAttrs, string, error) {
	if err := q.SetAttrSelection(shownFields); err != nil {
		return nil, "", err
	}
	call, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	var page []*storage.ObjectAttrs
	next, err := iterator.NewPager(s.bucket.Objects(call, q), size, token).NextPage(&page)
	if err != nil {
		return nil, "", s.fail(ctx, "list", err)
	}
	return page, next, nil
}

// sendable is the longest beginning of a name that Cloud Storage takes. All
// names after the whole are after its beginning, too.
func sendable(name string) string {
	for i, r := range name {
		if _, size := utf8.DecodeRuneInString(name[i:]); r == utf8.RuneError && size == 1 || r < 0x20 || r == 0x7f || i+size > store.MaxName {
			return name[:i]
		}
	}
	return name
}
