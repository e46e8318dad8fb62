package logstore

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/otelcol-custody/custody/store"
)

// A crowd is what lies at the names of one object, as it is listed. However much
// that is, it keeps a bounded part: of what can be the object the oldest and the
// newest versions, since the genuine one was there before a flood or came last;
// of the rest, which is not read, the first that were listed.
type crowd struct {
	count   int // of entries of the listing
	markers int // delete markers among them
	fitting int // that can be the object
	fit     []listed
	rest    []listed
}

// listed is one entry of a listing.
type listed struct {
	info store.Info
	at   int // its place in the listing, which has the newest version of a name first
	fits bool
}

// add adds an entry; most is how many are read.
func (c *crowd) add(info store.Info, fits bool, most int) {
	e := listed{info, c.count, fits}
	c.count++
	switch {
	case fits:
		c.fitting++
		c.fit = append(c.fit, e)
		if len(c.fit) >= 2*most {
			c.fit = ends(c.fit, most)
		}
	case len(c.rest) < MaxVersions:
		c.rest = append(c.rest, e)
	}
	if info.DeleteMarker {
		c.markers++
	}
}

// ends are the oldest and the newest of many, by the store's clock; of one moment
// those that were listed last are the oldest.
func ends(all []listed, most int) []listed {
	if len(all) <= most {
		return all
	}
	slices.SortFunc(all, func(a, b listed) int {
		return cmp.Or(a.info.Modified.Compare(b.info.Modified), b.at-a.at)
	})
	return append(all[:most/2:most/2], all[len(all)-most/2:]...)
}

// kept are the entries that were kept, with the name first that an object usually
// has, which is listed last; of one name the newest first.
func (c *crowd) kept(most int) []listed {
	all := slices.Concat(ends(c.fit, most), c.rest)
	slices.SortFunc(all, func(a, b listed) int {
		return cmp.Or(len(a.info.Name)-len(b.info.Name), cmp.Compare(a.info.Name, b.info.Name), a.at-b.at)
	})
	return all
}

// size is the number of bytes that reading takes at most.
func (c *crowd) size() (n int64) {
	for _, e := range c.fit {
		n += e.info.Size
	}
	return n
}

// versions lists the versions of one name.
func (r *Reader) versions(ctx context.Context, name string, fits func(store.Info) bool, most int) (c crowd, err error) {
	for info, err := range r.versioned.ListVersions(ctx, name, "") {
		if err != nil {
			return crowd{}, err
		}
		if info.Name != name {
			break // Longer names come after it.
		}
		c.add(info, fits(info), most)
	}
	if c.count == 0 {
		return crowd{}, fmt.Errorf("%w: %s in %s", store.ErrNotFound, name, r.store.ID())
	}
	return c, nil
}
