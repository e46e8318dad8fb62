package verify

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/otelcol-custody/custody/ledger"
)

// named is what a segment object's name says of it: 24 bytes for each object of
// a log are all that a verification keeps.
type named struct {
	first  uint64
	prefix [16]byte // of the object's SHA-256
}

func (a named) compare(b named) int {
	return cmp.Or(cmp.Compare(a.first, b.first), bytes.Compare(a.prefix[:], b.prefix[:]))
}

// sealName is the name of a seal object; n is 0 but beside squatters.
type sealName struct {
	first uint64
	n     int
}

func (a sealName) compare(b sealName) int {
	return cmp.Or(cmp.Compare(a.first, b.first), cmp.Compare(a.n, b.n))
}

func (a sealName) String() string {
	if a.n == 0 {
		return ledger.SealName(a.first)
	}
	return ledger.BesideSealName(a.first, a.n)
}

// listing holds the names that a log's folders have.
type listing struct {
	segments []named    // sorted
	seals    []sealName // sorted
	foreign  []string   // names that only a stranger can have written
	other    []string   // names beside the log's folders
}

func list(ctx context.Context, fsys fs.FS) (*listing, error) {
	l := &listing{}
	err := errors.Join(
		each(ctx, fsys, ledger.SegmentsDir, func(base string, dir bool) {
			first, prefix, ok := ledger.ParseSegmentName(base)
			if !ok || dir {
				l.foreign = append(l.foreign, path.Join(ledger.SegmentsDir, base))
				return
			}
			l.segments = append(l.segments, named{first, prefix})
		}),
		each(ctx, fsys, ledger.SealsDir, func(base string, dir bool) {
			first, n, ok := ledger.ParseSealName(base)
			if !ok || dir {
				l.foreign = append(l.foreign, path.Join(ledger.SealsDir, base))
				return
			}
			l.seals = append(l.seals, sealName{first, n})
		}),
		each(ctx, fsys, ".", func(base string, _ bool) {
			if base != ledger.SegmentsDir && base != ledger.SealsDir && base != ledger.TilesDir {
				l.other = append(l.other, base)
			}
		}),
	)
	slices.SortFunc(l.segments, named.compare)
	slices.SortFunc(l.seals, sealName.compare)
	slices.Sort(l.foreign)
	return l, err
}

// each calls f for every name in a folder that does not begin with a dot. A
// folder that is not there has none.
func each(ctx context.Context, fsys fs.FS, dir string, f func(base string, dir bool)) error {
	file, err := fsys.Open(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("list: %w", err)
	}
	defer func() { _ = file.Close() }()
	d, ok := file.(fs.ReadDirFile)
	if !ok {
		return fmt.Errorf("list: %s is not a folder", dir)
	}
	for {
		entries, err := d.ReadDir(1024)
		for _, e := range entries {
			if !strings.HasPrefix(e.Name(), ".") {
				f(e.Name(), e.IsDir())
			}
		}
		if errors.Is(err, io.EOF) {
			return ctx.Err()
		}
		if err := cmp.Or(err, ctx.Err()); err != nil {
			return fmt.Errorf("list %s: %w", dir, err)
		}
	}
}

// readObject reads a whole object and refuses one that is longer than limit.
func readObject(fsys fs.FS, name string, limit int64) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: %w", name, errNotRegular)
	}
	if info.Size() > limit {
		return nil, fmt.Errorf("%s: %w: %d bytes, the limit is %d", name, errTooLarge, info.Size(), limit)
	}
	buf := bytes.NewBuffer(make([]byte, 0, info.Size()+bytes.MinRead))
	if _, err := buf.ReadFrom(io.LimitReader(f, limit+1)); err != nil {
		return nil, err
	}
	if int64(buf.Len()) > limit {
		return nil, fmt.Errorf("%s: %w: more than %d bytes", name, errTooLarge, limit)
	}
	return buf.Bytes(), nil
}

// An object that is not a file of a permitted size is what somebody put there,
// not a failed read.
var (
	errNotRegular = errors.New("not a regular file")
	errTooLarge   = errors.New("larger than the format allows")
)

func planted(err error) bool { return errors.Is(err, errNotRegular) || errors.Is(err, errTooLarge) }
