package durabletest

import (
	"io/fs"
	"time"
)

type info struct {
	name string
	size int64
	mode fs.FileMode
	mod  time.Time
	node *node
}

func (n *node) info(base string) info {
	return info{name: base, size: int64(len(n.data)), mode: n.mode, mod: n.modified, node: n}
}

func (i info) Name() string       { return i.name }
func (i info) Size() int64        { return i.size }
func (i info) Mode() fs.FileMode  { return i.mode }
func (i info) ModTime() time.Time { return i.mod }
func (i info) IsDir() bool        { return i.mode.IsDir() }
func (i info) Sys() any           { return i.node }
