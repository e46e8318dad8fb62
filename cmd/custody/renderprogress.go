package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"

	"github.com/otelcol-custody/custody/ledger"
	"github.com/otelcol-custody/custody/ledger/seal"
)

// isFile says whether what is printed goes to a file, and not to somebody's screen.
func isFile(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode().IsRegular()
}

// note says something beside what is printed.
func (r *rendering) note(format string, args ...any) {
	if r.bar != nil {
		r.bar.clear()
	}
	r.env.note(format, args...)
}

// show says how far it is.
func (r *rendering) show(v *seal.Verified) {
	r.checked += int(v.Count)
	r.done.Segments, r.done.Records = r.done.Segments+1, v.End()
	if r.bar != nil {
		r.bar.show(r.done)
	}
}

// storedSegments are the first records of the segments that lie in a log's folder, in
// order.
func storedSegments(s *store, name string) (firsts []uint64, err error) {
	entries, err := fs.ReadDir(s.FS, path.Join(name, ledger.SegmentsDir))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("log %s: %w", name, err)
	}
	for _, entry := range entries {
		if first, _, ok := ledger.ParseSegmentName(entry.Name()); ok {
			firsts = append(firsts, first)
		}
	}
	return firsts, nil
}
