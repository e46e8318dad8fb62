// Package memory remembers the highest head that each log has ever shown in each
// store, so that a store that was rolled back, or that shows another history, is
// found: what it shows then is valid by itself.
package memory

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"sync"

	"github.com/otelcol-custody/custody/internal/durable"
	"github.com/otelcol-custody/custody/internal/integrity/framed"
	"github.com/otelcol-custody/custody/ledger/checkpoint"
)

// A Head is the highest that a log has shown in a store.
type Head struct {
	Store, Log string
	Signed     checkpoint.Signed
}

// A Memory may be used by many goroutines.
type Memory struct {
	keys *checkpoint.Keys

	mu    sync.Mutex
	file  *framed.File
	limit int64 // the size in bytes from which the file is rewritten
	known map[place]checkpoint.Signed
	gone  map[place]remembered // forgotten, and nothing was shown since
	less  map[place]doubt      // showed less when asked last
}

type place struct{ store, log string }

// remembered is a frame of the file: a later one replaces an earlier one of its
// store and log.
type remembered struct {
	Store string `json:"store"`
	Log   string `json:"log"`
	Note  string `json:"note,omitempty"`
	// Forget is why an operator wanted it forgotten; then there is no note.
	Forget string `json:"forget,omitempty"`
	Who    string `json:"who,omitempty"`
}

const (
	title      = "custody-heads/1"
	minCompact = 1 << 20
)

// Open opens the memory in dir, which it makes; the caller holds the folder's
// lock. A file that was damaged, or that a key of it is not trusted any more, is
// an error: whoever could make it vanish unseen could roll a store back.
func Open(fsys durable.FS, dir string, keys *checkpoint.Keys) (*Memory, error) {
	if fsys == nil {
		fsys = durable.OS
	}
	if err := durable.MkdirAll(fsys, dir, 0o700); err != nil {
		return nil, fmt.Errorf("open the memory of heads: %w", err)
	}
	m := &Memory{keys: keys, known: map[place]checkpoint.Signed{}, gone: map[place]remembered{}, less: map[place]doubt{}}
	path := filepath.Join(dir, "heads")
	var err error
	m.file, err = framed.Open(fsys, path, title, m.load)
	if errors.Is(err, framed.ErrDamaged) {
		return nil, fmt.Errorf("open the memory of heads: %w. It protects from a rollback of the stores and is not made anew on its own. "+
			"Verify each log with `custody verify --since` and a checkpoint kept elsewhere; if a key was taken out of the trusted ones, put it back; "+
			"else move %s away: the heads in the folder progress are taken instead, and without those what the stores show then is believed", err, path)
	}
	if err != nil {
		return nil, fmt.Errorf("open the memory of heads: %w", err)
	}
	return m, m.mend()
}

// load takes a frame of the file.
func (m *Memory) load(frame []byte) error {
	var r remembered
	if err := json.Unmarshal(frame, &r); err != nil {
		return err
	}
	at := place{r.Store, r.Log}
	if r.Forget != "" {
		m.forget(at, r)
		return nil
	}
	signed, err := checkpoint.Open([]byte(r.Note), m.keys)
	if err != nil {
		return fmt.Errorf("the head of log %s in store %s: %w", r.Log, r.Store, err)
	}
	m.hold(at, signed)
	return nil
}

func (m *Memory) hold(at place, head checkpoint.Signed) {
	m.known[at] = head
	delete(m.gone, at)
}

func (m *Memory) forget(at place, r remembered) {
	delete(m.known, at)
	m.gone[at] = r
}

// remember makes the head count; mu is held.
func (m *Memory) remember(at place, head checkpoint.Signed) error {
	err := m.write(remembered{Store: at.store, Log: at.log, Note: string(head.Note())})
	if err != nil {
		return fmt.Errorf("remember the head of log %s in store %s: %w", at.log, at.store, err)
	}
	m.hold(at, head)
	return nil
}

// Forget makes the next head that a log shows in a store its first: for an
// operator who knows why a store was emptied, or a log begun anew.
func (m *Memory) Forget(store, log, who, why string) error {
	if who == "" || why == "" {
		return errors.New("forget a head: say who you are, and why")
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	at := place{store, log}
	r := remembered{Store: store, Log: log, Forget: why, Who: who}
	if err := m.write(r); err != nil {
		return fmt.Errorf("forget the head of log %s in store %s: %w", log, store, err)
	}
	m.forget(at, r)
	delete(m.less, at)
	return nil
}

func (m *Memory) write(r remembered) error {
	if err := m.mend(); err != nil {
		return err
	}
	// Commit point. Before: nobody may rely on the head being remembered.
	return m.file.Append(marshal(r))
}

// mend makes the file anew, with what counts, if its last write failed or it has
// grown too much.
func (m *Memory) mend() error {
	if m.file.Usable() && m.file.Size() <= max(m.limit, minCompact) {
		return nil
	}
	all := slices.Collect(maps.Values(m.gone))
	for _, h := range m.all() {
		all = append(all, remembered{Store: h.Store, Log: h.Log, Note: string(h.Signed.Note())})
	}
	err := m.file.Rewrite(func(yield func([]byte) bool) {
		for _, r := range all {
			if !yield(marshal(r)) {
				return
			}
		}
	})
	if err != nil {
		return fmt.Errorf("write the memory of heads: %w", err)
	}
	m.limit = 2 * m.file.Size()
	return nil
}

func marshal(r remembered) []byte {
	frame, err := json.Marshal(r)
	if err != nil {
		panic(fmt.Sprintf("memory: marshal a head: %v", err)) // text only
	}
	return frame
}

// Heads are all that are remembered, by store and log.
func (m *Memory) Heads() []Head {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.all()
}

func (m *Memory) all() []Head {
	var all []Head
	for at, signed := range m.known {
		all = append(all, Head{at.store, at.log, signed})
	}
	slices.SortFunc(all, func(a, b Head) int {
		return cmp.Or(cmp.Compare(a.Store, b.Store), cmp.Compare(a.Log, b.Log))
	})
	return all
}

// Highest is the highest head that a log has shown in a store; nil: none. known
// says whether anything was ever kept of it, if only that it is to be forgotten.
func (m *Memory) Highest(store, log string) (head *checkpoint.Signed, known bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	at := place{store, log}
	if signed, ok := m.known[at]; ok {
		return &signed, true
	}
	_, known = m.gone[at]
	return nil, known
}

// Logs are those that a store has ever shown, in the order of their names.
func (m *Memory) Logs(store string) []string {
	var all []string
	for _, h := range m.Heads() {
		if h.Store == store {
			all = append(all, h.Log)
		}
	}
	return all
}

// Close closes the file.
func (m *Memory) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.file.Close()
}
