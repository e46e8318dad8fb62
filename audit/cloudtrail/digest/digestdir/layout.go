package digestdir

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/otelcol-custody/custody/audit/cloudtrail/digest"
)

const (
	digestFolder = "CloudTrail-Digest"
	root         = "AWSLogs"
	// maxProbes is how many digests are read to learn where in the bucket the copy begins.
	maxProbes = 20
)

// A place is a folder of one day.
type place struct {
	dir    string
	day    time.Time
	digest bool
	files  uint64
}

// layout finds CloudTrail's folders in a copy.
type layout struct {
	fsys     fs.FS
	from, to time.Time // of days, zero: no limit
	places   map[digest.Scope][]place
	found    uint64
	listed   func(found uint64)
}

// find walks to every folder AWSLogs; a prefix may be anything.
func (l *layout) find(ctx context.Context) error {
	return fs.WalkDir(l.fsys, ".", func(p string, d fs.DirEntry, err error) error {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil || !d.IsDir() || d.Name() != root {
			return err
		}
		own, err := l.accounts(ctx, p, "")
		if err == nil && own {
			return fs.SkipDir
		}
		return err
	})
}

// accounts looks at what is in AWSLogs or in an organization's folder below it. own is
// false if there is no account at all.
func (l *layout) accounts(ctx context.Context, dir, org string) (own bool, err error) {
	names, err := l.folders(dir)
	for _, name := range names {
		switch {
		case err != nil:
			return own, err
		case len(name) == 12 && strings.Trim(name, "0123456789") == "":
			own = true
			err = l.account(ctx, path.Join(dir, name), digest.Scope{Org: org, Account: name})
		case org == "" && strings.HasPrefix(name, "o-"):
			var in bool
			in, err = l.accounts(ctx, path.Join(dir, name), name)
			own = own || in
		}
	}
	return own, err
}

// account looks at CloudTrail's folders of an account; other services have theirs beside.
func (l *layout) account(ctx context.Context, dir string, s digest.Scope) error {
	kinds, err := l.folders(dir)
	if err != nil {
		return err
	}
	for _, kind := range kinds {
		if !strings.HasPrefix(kind, "CloudTrail") {
			continue
		}
		regions, err := l.folders(path.Join(dir, kind))
		if err != nil {
			return err
		}
		for _, s.Region = range regions {
			if err := l.days(ctx, path.Join(dir, kind, s.Region), s, kind == digestFolder); err != nil {
				return err
			}
		}
	}
	return nil
}

func (l *layout) days(ctx context.Context, dir string, s digest.Scope, isDigest bool) error {
	days, err := fs.Glob(l.fsys, escape(dir)+"/[0-9][0-9][0-9][0-9]/[0-9][0-9]/[0-9][0-9]")
	if err != nil {
		return err
	}
	for _, p := range days {
		day, err := time.Parse("2006/01/02", p[len(p)-10:])
		if err != nil || day.Before(l.from.Truncate(24*time.Hour)) || !l.to.IsZero() && day.After(l.to) {
			continue
		}
		files, err := fs.ReadDir(l.fsys, p)
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
		one := place{dir: p, day: day, digest: isDigest, files: uint64(len(files))}
		l.places[s] = append(l.places[s], one)
		l.found += one.files
		l.listed(l.found)
	}
	return nil
}

// escape makes a path a pattern that means it.
func escape(p string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(p)
}

func (l *layout) folders(dir string) ([]string, error) {
	entries, err := fs.ReadDir(l.fsys, dir)
	var names []string
	for _, e := range entries {
		if e.IsDir() {
			names = append(names, e.Name())
		}
	}
	return names, err
}

func (l *layout) scopes() []digest.Scope {
	return slices.SortedFunc(maps.Keys(l.places), func(a, b digest.Scope) int { return strings.Compare(a.String(), b.String()) })
}

// A mapping turns a path of the copy into an object. With the bucket "" each bucket has a
// folder of its name.
type mapping struct{ bucket string }

func (m mapping) object(p string) digest.Object {
	if m.bucket != "" {
		return digest.Object{Bucket: m.bucket, Key: p}
	}
	bucket, key, _ := strings.Cut(p, "/")
	return digest.Object{Bucket: bucket, Key: key}
}

// learn finds out where the copy begins by what digests say of themselves. It believes
// them only as far as their signatures will bear it out.
func (l *layout) learn() (mapping, error) {
	first := ""
	for _, p := range l.probes() {
		data, err := readDigest(l.fsys, p)
		if errors.Is(err, errUnread) {
			return mapping{}, err
		}
		d, err := digest.Parse(data)
		if err != nil {
			continue
		}
		switch p {
		case d.Object.Key:
			return mapping{d.Object.Bucket}, nil
		case d.Object.Bucket + "/" + d.Object.Key:
			return mapping{}, nil
		}
		if first == "" {
			first = d.Object.Bucket
		}
	}
	if first == "" {
		return mapping{}, fmt.Errorf("%w: none says in which bucket it lies: name the bucket", ErrNothing)
	}
	return mapping{first}, nil
}

// probes are some digests, from each scope in turn.
func (l *layout) probes() (list []string) {
	for round, more := 0, true; more && len(list) < maxProbes; round++ {
		more = false
		for _, s := range l.scopes() {
			days := slices.DeleteFunc(slices.Clone(l.places[s]), func(p place) bool { return !p.digest })
			if round >= len(days) || len(list) == maxProbes {
				continue
			}
			more = true
			if files, err := fs.Glob(l.fsys, escape(days[round].dir)+"/*"+digestSuffix); err == nil {
				list = append(list, files[:min(len(files), maxProbes-len(list), 3)]...)
			}
		}
	}
	return list
}
