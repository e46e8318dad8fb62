package integrity

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/otelcol-custody/custody/internal/durable"
	"github.com/otelcol-custody/custody/ledger"
	"github.com/otelcol-custody/custody/ledger/tree"
)

// position is a seal up to which, itself included, a log was looked at. The zero
// position is before genesis.
type position struct {
	First uint64    `json:"first"`
	End   uint64    `json:"end"`
	Root  tree.Hash `json:"root"` // at End
}

// state is how far the guard has come with a log in a store. What protects from
// a rollback is with [Heads], and here only a copy: losing this costs reading again.
type state struct {
	Store  string   `json:"store"`
	Log    string   `json:"log"`
	Seen   position `json:"seen"`
	Stored int64    `json:"stored"` // bytes of segments and seals up to Seen
	Read   spans    `json:"read"`
	// Later are the segments, by their first record, that could not be read and
	// were passed over.
	Later []uint64 `json:"later,omitempty"`
	Pass  pass     `json:"pass"`
	// Head is the signed head that [Heads] had, up to a minute ago: if that is lost,
	// it is not forgotten.
	Head string `json:"head,omitempty"`
}

// pass is one reading of everything.
type pass struct {
	Began time.Time `json:"began"` // zero: none runs
	Since time.Time `json:"since"` // the same by the book's clock
	At    position  `json:"at"`
	Done  int64     `json:"done"` // bytes
	// Partial says that something could not be read, so nothing is resolved.
	Partial bool   `json:"partial,omitempty"`
	Ended   uint64 `json:"ended"` // how many did
}

// clone is a state that shares nothing with s.
func (s state) clone() state {
	s.Read = append(spans(nil), s.Read...)
	s.Later = append([]uint64(nil), s.Later...)
	return s
}

// errDamaged means that a file is not what was written.
var errDamaged = errors.New("not what the guard wrote")

// keep puts a value into a file of the guard's folder, durably.
func (c *Config) keep(name string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	b = append(b, '\n')
	b = fmt.Appendf(b, "%x\n", sha256.Sum256(b))
	return durable.WriteFile(c.FS, filepath.Join(c.Dir, name), b, 0o600)
}

// kept reads such a file; fs.ErrNotExist means that there is none, errDamaged
// that it is to be set aside.
func (c *Config) kept(name string, v any) error {
	path := filepath.Join(c.Dir, name)
	f, err := c.FS.OpenFile(path, os.O_RDONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxState+1))
	if err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	line, sum, _ := bytes.Cut(b, []byte("\n"))
	line = append(bytes.Clone(line), '\n')
	if len(b) > maxState || string(sum) != fmt.Sprintf("%x\n", sha256.Sum256(line)) {
		return fmt.Errorf("%s: %w", path, errDamaged)
	}
	if err := json.Unmarshal(line, v); err != nil {
		return fmt.Errorf("%s: %w: %v", path, errDamaged, err)
	}
	return nil
}

// maxState is far more than a state needs: 256 spans and 1,000 positions.
const maxState = 1 << 20

// stateName names the state of a log in a store.
func stateName(store, log string) string {
	sum := sha256.Sum256([]byte(store + "\n" + log))
	return fmt.Sprintf("%s-%x.json", log, sum[:8])
}

// states are the logs of a store whose head is kept. What is damaged is told when
// its log is met.
func (c *Config) states(store string) (logs []string) {
	files, err := c.FS.ReadDir(c.Dir)
	if err != nil {
		return nil // Then nothing can be kept, either, and that is told.
	}
	for _, f := range files {
		var s state
		if err := c.kept(f.Name(), &s); err == nil && s.Store == store && s.Head != "" && ledger.CheckLogName(s.Log) == nil {
			logs = append(logs, s.Log)
		}
	}
	return logs
}

// lockName names what is known of a store's lock. No log has a name that begins
// so.
func lockName(store string) string {
	sum := sha256.Sum256([]byte(store))
	return fmt.Sprintf("_lock-%x.json", sum[:8])
}

// load reads a state. Of a damaged one it says so and begins anew.
func (c *Config) load(store, log string) (s state, damaged error, err error) {
	fresh := state{Store: store, Log: log}
	err = c.kept(stateName(store, log), &s)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fresh, nil, nil
	case errors.Is(err, errDamaged):
		return fresh, err, nil
	case err != nil:
		return fresh, nil, err
	case s.Store != store || s.Log != log:
		return fresh, fmt.Errorf("%s: %w: it speaks of another log", stateName(store, log), errDamaged), nil
	}
	return s, nil, nil
}
