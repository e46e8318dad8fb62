package sealer

import (
	"errors"
	"io"
	"io/fs"
	"os"

	"github.com/otelcol-custody/custody/internal/durable"
)

// judge says what Open would say of a state directory, and changes nothing: it
// is Open's own code over a file system that forgets what is written.
func judge(c Config) error {
	c.FS, c.Genesis = forgetful{c.FS}, false
	st := &state{}
	if err := st.load(&c); err != nil {
		return err
	}
	return st.open.close()
}

// forgetful is a file system on which every change succeeds and none is made.
type forgetful struct{ durable.FS }

func (f forgetful) OpenFile(name string, flag int, perm fs.FileMode) (durable.File, error) {
	if flag&(os.O_WRONLY|os.O_RDWR|os.O_CREATE) == 0 {
		return f.FS.OpenFile(name, flag, perm)
	}
	return forgotten{name}, nil
}

// ReadDir takes a folder that Open would make for an empty one.
func (f forgetful) ReadDir(name string) ([]fs.DirEntry, error) {
	entries, err := f.FS.ReadDir(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return entries, err
}

func (forgetful) Mkdir(string, fs.FileMode) error      { return nil }
func (forgetful) Rename(string, string) error          { return nil }
func (forgetful) RenameNoReplace(string, string) error { return nil }
func (forgetful) Link(string, string) error            { return nil }
func (forgetful) Remove(string) error                  { return nil }
func (forgetful) SyncDir(string) error                 { return nil }
func (forgetful) Truncate(string, int64) error         { return nil }

// forgotten is a file that was never written.
type forgotten struct{ name string }

func (f forgotten) Name() string                         { return f.name }
func (forgotten) Read([]byte) (int, error)               { return 0, io.EOF }
func (forgotten) ReadAt([]byte, int64) (int, error)      { return 0, io.EOF }
func (forgotten) Write(b []byte) (int, error)            { return len(b), nil }
func (forgotten) WriteAt(b []byte, _ int64) (int, error) { return len(b), nil }
func (forgotten) Seek(at int64, _ int) (int64, error)    { return at, nil }
func (forgotten) Close() error                           { return nil }
func (forgotten) Stat() (fs.FileInfo, error)             { return nil, errors.ErrUnsupported }
func (forgotten) Sync() error                            { return nil }
func (forgotten) Truncate(int64) error                   { return nil }
