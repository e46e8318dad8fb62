package azblobstore

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/bloberror"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"

	"github.com/otelcol-custody/custody/store"
)

// List implements [store.Store].
func (s *Store) List(ctx context.Context, prefix, after string) iter.Seq2[store.Info, error] {
	return func(yield func(store.Info, error) bool) {
		l := lister{s: s, ctx: ctx, prefix: prefix, after: store.Stored(after), yield: yield}
		l.run()
	}
}

// ListVersions implements [store.Versioned]. Of a name without a current
// version the first is a delete marker that this package makes up.
func (s *Store) ListVersions(ctx context.Context, prefix, after string) iter.Seq2[store.Info, error] {
	return func(yield func(store.Info, error) bool) {
		l := lister{s: s, ctx: ctx, prefix: prefix, after: store.Stored(after), versions: true, yield: yield}
		l.run()
	}
}

// Versions implements [store.Store].
func (s *Store) Versions(ctx context.Context, name string) ([]store.Info, error) {
	if err := s.ready(ctx, name); err != nil {
		return nil, err
	}
	return store.VersionsOf(s.ListVersions(ctx, name, ""), name)
}

// lister runs one listing. The service sorts names by UTF-16 code units, the
// port by bytes. The two differ only between characters from U+E000 on, so
// names that go on with such a one after the same beginning are held back and
// sorted as a group; others pass as they come. All versions of a name are in
// one group, too.
type lister struct {
	s             *Store
	ctx           context.Context
	prefix, after string
	versions      bool
	yield         func(store.Info, error) bool

	key   string // of the group that is held back
	group []store.Info
	last  string // the last name yielded
}

// from is the first character whose place differs between the two orders.
const from = 0xE000

func groupKey(name string) string {
	for i, r := range name {
		if r >= from {
			return name[:i] + "\xff" // No name: not UTF-8.
		}
	}
	return name
}

func (l *lister) run() {
	if err := l.s.usable(l.ctx); err != nil {
		l.yield(store.Info{}, err)
		return
	}
	if l.after >= l.prefix && !strings.HasPrefix(l.after, l.prefix) {
		return // All names with the prefix lie before.
	}
	start := ""
	if strings.HasPrefix(l.after, l.prefix) {
		start = l.s.prefix + sendable(l.after, from)
	}
	if err := l.pages(start); err != nil {
		l.yield(store.Info{}, err)
		return
	}
}

// sendable is the longest beginning of a prefix or position that is text,
// with characters below limit only, as can be in a query.
func sendable(s string, limit rune) string {
	for i, r := range s {
		if r < 0x20 || r == 0x7f || r == utf8.RuneError || r >= limit {
			return s[:i]
		}
	}
	return s
}

// pages asks for page after page. It returns nil after the consumer stopped.
func (l *lister) pages(start string) error {
	opt := &container.ListBlobsFlatOptions{
		Include:        container.ListBlobsInclude{Versions: l.versions, ImmutabilityPolicy: true, LegalHold: true},
		Prefix:         to.Ptr(l.s.prefix + sendable(l.prefix, utf8.MaxRune+1)),
		ResponseFormat: container.StorageResponseFormatXML,
	}
	if start != "" && start != *opt.Prefix {
		opt.StartFrom = &start
	}
	pager := l.s.client.NewListBlobsFlatPager(opt)
	for first := true; pager.More(); first = false {
		page, err := pager.NextPage(l.ctx)
		if first && opt.StartFrom != nil && bloberror.HasCode(err, unknownQuery...) {
			return l.pages("") // An older service: begin at the front and skip.
		}
		if err != nil {
			return l.s.fail(l.ctx, "list "+l.s.id, err)
		}
		if page.Segment == nil {
			return fmt.Errorf("%w: list %s: %s", store.ErrUnavailable, l.s.id, alien)
		}
		for _, item := range page.Segment.BlobItems {
			if more, err := l.item(item); err != nil || !more {
				return err
			}
		}
		if err := l.s.usable(l.ctx); err != nil {
			return err
		}
	}
	_, err := l.flush("")
	return err
}

var unknownQuery = []bloberror.Code{bloberror.UnsupportedQueryParameter, bloberror.InvalidQueryParameterValue, bloberror.InvalidInput}

// item takes one line of a page. It reports whether to go on.
func (l *lister) item(item *container.BlobItem) (bool, error) {
	name, ours := strings.CutPrefix(value(item.Name), l.s.prefix)
	if !ours || !strings.HasPrefix(name, l.prefix) || name <= l.after || value(item.Deleted) {
		return true, nil
	}
	if key := groupKey(name); key != l.key {
		if more, err := l.flush(key); err != nil || !more {
			return false, err
		}
	}
	p := item.Properties
	if p == nil {
		p = &container.BlobProperties{}
	}
	info, err := describe(name, "", facts{
		size: p.ContentLength, modified: p.LastModified, version: item.VersionID,
		mode: (*string)(p.ImmutabilityPolicyMode), until: p.ImmutabilityPolicyExpiresOn, hold: p.LegalHold,
	})
	info.Latest = info.Version == "" || value(item.IsCurrentVersion) || !l.versions
	if l.group = append(l.group, info); len(l.group) == 2*store.MaxListed {
		slices.SortStableFunc(l.group, newestFirst)
		l.group = store.Ends(l.group, store.MaxListed)
	}
	return true, err
}

// flush yields the group that was held back and begins another.
func (l *lister) flush(key string) (bool, error) {
	group := l.group
	l.key, l.group = key, nil
	slices.SortStableFunc(group, newestFirst)
	for i, info := range group {
		if i == 0 && info.Name <= l.last {
			return false, fmt.Errorf("%w: %s lists %q after %q; accounts with a hierarchical namespace cannot be used", store.ErrUnfit, l.s.id, info.Name, l.last)
		}
		if info.Name != l.last && !info.Latest {
			if !l.show(store.Info{Name: info.Name, DeleteMarker: true, Latest: true}) {
				return false, nil
			}
		}
		if !l.show(info) {
			return false, nil
		}
		l.last = info.Name
	}
	return true, nil
}

// show yields what listings show.
func (l *lister) show(info store.Info) bool {
	name, shown := store.Shown(info.Name, info.Size)
	info.Name = name
	return !shown || l.yield(info, nil)
}

// newestFirst orders by name, then the current version, then the others from
// the newest on: their names are times of one length.
func newestFirst(a, b store.Info) int {
	if a.Name != b.Name {
		return strings.Compare(a.Name, b.Name)
	}
	if a.Latest != b.Latest {
		if a.Latest {
			return -1
		}
		return 1
	}
	return strings.Compare(b.Version, a.Version)
}
