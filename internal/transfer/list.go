package transfer

import (
	"context"
	"fmt"
	"iter"
	"strings"

	"github.com/otelcol-custody/custody/store"
)

// names lists a store name by name: all versions and delete markers of each, the
// newest first. A listing that breaks off is taken up again.
func names(ctx context.Context, s store.Store, prefix, after string) iter.Seq2[[]store.Info, error] {
	list := s.List
	if v, ok := s.(store.Versioned); ok {
		list = v.ListVersions
	}
	return func(yield func([]store.Info, error) bool) {
		for failures := 0; ; failures++ {
			var one []store.Info // of a name that may go on
			var broken error
			for info, err := range list(ctx, prefix, after) {
				if broken = err; err != nil {
					break
				}
				if len(one) > 0 && one[0].Name != info.Name {
					if !yield(one, nil) {
						return
					}
					after, one, failures = one[0].Name, nil, 0
				}
				one = append(one, info)
			}
			switch {
			case broken == nil:
				if len(one) > 0 {
					yield(one, nil)
				}
				return
			case failures >= attempts-1 || isAny(broken, definite) || ctx.Err() != nil:
				yield(nil, fmt.Errorf("list %s of %s: %w", shownPrefix(prefix), s.ID(), broken))
				return
			}
			pause(ctx, failures)
		}
	}
}

func shownPrefix(prefix string) string {
	if prefix == "" {
		return "the logs"
	}
	return prefix
}

// children are the names directly below a prefix, those of folders with a slash
// at the end. What lies in a folder is skipped.
func children(ctx context.Context, s store.Store, prefix string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		last := ""
		for after, more := "", true; more; {
			more = false
			for infos, err := range names(ctx, s, prefix, after) {
				if err != nil {
					yield("", err)
					return
				}
				child, _, folder := strings.Cut(infos[0].Name[len(prefix):], "/")
				if folder {
					child += "/"
				}
				if child == last {
					continue
				}
				last = child
				if !yield(child, nil) {
					return
				}
				if folder {
					after, more = prefix+child+"\U0010FFFF", true // Behind all that lies in it.
					break
				}
			}
		}
	}
}

// An item is what is dealt with at once: the versions and delete markers of one
// name, or of all names that the seals of one position have.
type item struct {
	folder *folder
	key    string
	there  []store.Info // in the source, name by name, each newest first
	here   []store.Info // in the destination
}

// size is the memory that an item needs at most at a time.
func (it *item) size() int64 {
	most := int64(0)
	for _, info := range it.there {
		most = max(most, min(info.Size, it.folder.limit))
	}
	return most
}

// name stands for an item in messages.
func (it *item) name() string {
	for _, infos := range [][]store.Info{it.there, it.here} {
		if len(infos) > 0 {
			return infos[0].Name
		}
	}
	return it.key
}

// items lists a folder of a log from a key on. Names that are not of the format
// go to foreign.
func items(ctx context.Context, s store.Store, log string, f *folder, from string, foreign func(*folder, ...store.Info)) iter.Seq2[item, error] {
	prefix := f.prefix(log)
	return func(yield func(item, error) bool) {
		var now item
		for infos, err := range names(ctx, s, prefix, prefix+from) {
			if err != nil {
				yield(item{folder: f, key: prefix}, err)
				return
			}
			key, ok := f.key(infos[0].Name[len(prefix):])
			if !ok {
				foreign(f, infos...)
				continue
			}
			if now.there != nil && key != now.key {
				if !yield(now, nil) {
					return
				}
				now = item{}
			}
			now.folder, now.key, now.there = f, key, append(now.there, infos...)
		}
		if now.there != nil {
			yield(now, nil)
		}
	}
}

// joined lists a folder in two stores side by side; an item may lie in either.
func joined(there, here iter.Seq2[item, error]) iter.Seq2[item, error] {
	return func(yield func(item, error) bool) {
		next, stop := iter.Pull2(here)
		defer stop()
		h, err, more := next()
		before := func(key string, all bool) bool { // yields what only here has
			for more && err == nil && (all || h.key < key) {
				if !yield(item{folder: h.folder, key: h.key, here: h.there}, nil) {
					return false
				}
				h, err, more = next()
			}
			return true
		}
		for it, terr := range there {
			if terr != nil {
				yield(it, terr)
				return
			}
			if !before(it.key, false) {
				return
			}
			if more && err == nil && h.key == it.key {
				it.here = h.there
				h, err, more = next()
			}
			if err != nil {
				yield(h, err)
				return
			}
			if !yield(it, nil) {
				return
			}
		}
		if before("", true) && err != nil {
			yield(h, err)
		}
	}
}
