package durable

import (
	"fmt"
	"io/fs"
	"sync"
)

// Guard returns a file that refuses every use but Close once a Sync of f has
// failed. [OS] opens only guarded files; other implementations of [FS] must
// do the same.
func Guard(f File) File { return &guarded{f: f} }

type guarded struct {
	f File

	mu     sync.Mutex // guards failed
	failed error      // the first failed Sync; never reset
}

func (g *guarded) check() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.failed
}

func (g *guarded) Sync() error {
	if err := g.check(); err != nil {
		return err
	}
	err := g.f.Sync()
	if err == nil {
		// Another goroutine's Sync may have failed meanwhile, and the
		// kernel reports such an error only once.
		return g.check()
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.failed == nil {
		g.failed = fmt.Errorf("%w: %w", ErrFailed, err)
	}
	return g.failed
}

func (g *guarded) Read(p []byte) (int, error) {
	if err := g.check(); err != nil {
		return 0, err
	}
	return g.f.Read(p)
}

func (g *guarded) ReadAt(p []byte, off int64) (int, error) {
	if err := g.check(); err != nil {
		return 0, err
	}
	return g.f.ReadAt(p, off)
}

func (g *guarded) Write(p []byte) (int, error) {
	if err := g.check(); err != nil {
		return 0, err
	}
	return g.f.Write(p)
}

func (g *guarded) WriteAt(p []byte, off int64) (int, error) {
	if err := g.check(); err != nil {
		return 0, err
	}
	return g.f.WriteAt(p, off)
}

func (g *guarded) Seek(offset int64, whence int) (int64, error) {
	if err := g.check(); err != nil {
		return 0, err
	}
	return g.f.Seek(offset, whence)
}

func (g *guarded) Truncate(size int64) error {
	if err := g.check(); err != nil {
		return err
	}
	return g.f.Truncate(size)
}

func (g *guarded) Stat() (fs.FileInfo, error) {
	if err := g.check(); err != nil {
		return nil, err
	}
	return g.f.Stat()
}

func (g *guarded) Name() string { return g.f.Name() }
func (g *guarded) Close() error { return g.f.Close() }
