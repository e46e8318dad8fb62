package main

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"time"
)

// A tarTree reads the files of an uncompressed tar file in any order. It keeps
// names and places, and no content. Links and other special entries are files
// that cannot be read, so they are never taken for an object.
type tarTree struct {
	f     io.ReaderAt
	nodes map[string]*tarNode
}

type tarNode struct {
	name     string // base name
	mode     fs.FileMode
	at, size int64
	children []fs.DirEntry // sorted
}

// readTar indexes a tar file.
func readTar(f *os.File) (*tarTree, error) {
	t := &tarTree{f: f, nodes: map[string]*tarNode{".": {name: ".", mode: fs.ModeDir}}}
	for r := tar.NewReader(f); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			t.sort()
			return t, checkTarEnd(f)
		}
		if err != nil {
			return nil, fmt.Errorf("tar: %w", err)
		}
		at, err := f.Seek(0, io.SeekCurrent)
		if err != nil {
			return nil, err
		}
		if err := t.add(h, at); err != nil {
			return nil, err
		}
	}
}

// checkTarEnd demands the two blocks of zeros that end a tar file. A file that
// was cut off lacks objects that nobody deleted.
func checkTarEnd(f *os.File) error {
	end := make([]byte, 2*512)
	if _, err := f.Seek(-int64(len(end)), io.SeekEnd); err != nil {
		return fmt.Errorf("tar: it is cut off: %w", err)
	}
	if _, err := io.ReadFull(f, end); err != nil {
		return err
	}
	for _, c := range end {
		if c != 0 {
			return errors.New("tar: it is cut off: its end is missing; copy it again")
		}
	}
	return nil
}

func (t *tarTree) add(h *tar.Header, at int64) error {
	name := path.Clean(strings.TrimPrefix(h.Name, "./"))
	if !fs.ValidPath(name) {
		return fmt.Errorf("tar: entry %q leads out of the archive", h.Name)
	}
	n := &tarNode{name: path.Base(name), mode: h.FileInfo().Mode(), at: at, size: h.Size}
	if sparse := h.Typeflag == tar.TypeGNUSparse || h.PAXRecords["GNU.sparse.major"] != ""; sparse || h.Typeflag != tar.TypeReg && h.Typeflag != tar.TypeDir {
		n.mode |= fs.ModeIrregular
	}
	if old := t.nodes[name]; old != nil && (!old.mode.IsDir() || !n.mode.IsDir()) {
		return fmt.Errorf("tar: entry %q is there twice", h.Name)
	} else if old != nil {
		return nil
	}
	return t.link(name, n)
}

// link enters a node below its folder, which need not have an entry of its own.
func (t *tarTree) link(name string, n *tarNode) error {
	dir := path.Dir(name)
	parent := t.nodes[dir]
	if parent == nil {
		parent = &tarNode{name: path.Base(dir), mode: fs.ModeDir}
		if err := t.link(dir, parent); err != nil {
			return err
		}
	}
	if !parent.mode.IsDir() {
		return fmt.Errorf("tar: %q is both a file and a folder", dir)
	}
	t.nodes[name] = n
	parent.children = append(parent.children, fs.FileInfoToDirEntry(n))
	return nil
}

func (t *tarTree) sort() {
	for _, n := range t.nodes {
		slices.SortFunc(n.children, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	}
}

// Open implements [fs.FS].
func (t *tarTree) Open(name string) (fs.File, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	}
	n := t.nodes[name]
	if n == nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return &tarFile{tarNode: n, SectionReader: io.NewSectionReader(t.f, n.at, n.size), rest: n.children}, nil
}

// A tarFile is an opened node.
type tarFile struct {
	*tarNode
	*io.SectionReader
	rest []fs.DirEntry
}

func (f *tarFile) Stat() (fs.FileInfo, error) { return f.tarNode, nil }
func (f *tarFile) Close() error               { return nil }

func (f *tarFile) Read(p []byte) (int, error) {
	if !f.mode.IsRegular() {
		return 0, fmt.Errorf("%s: not a regular file", f.name)
	}
	return f.SectionReader.Read(p)
}

// ReadDir implements [fs.ReadDirFile].
func (f *tarFile) ReadDir(n int) ([]fs.DirEntry, error) {
	if n <= 0 {
		n = len(f.rest)
	} else if len(f.rest) == 0 {
		return nil, io.EOF
	}
	n = min(n, len(f.rest))
	out := f.rest[:n]
	f.rest = f.rest[n:]
	return out, nil
}

func (n *tarNode) Name() string       { return n.name }
func (n *tarNode) Size() int64        { return n.size }
func (n *tarNode) Mode() fs.FileMode  { return n.mode }
func (n *tarNode) ModTime() time.Time { return time.Time{} }
func (n *tarNode) IsDir() bool        { return n.mode.IsDir() }
func (n *tarNode) Sys() any           { return nil }
