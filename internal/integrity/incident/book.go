package incident

import (
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/otelcol-custody/custody/internal/durable"
	"github.com/otelcol-custody/custody/internal/integrity/framed"
)

// Settings say where a book lies.
type Settings struct {
	Dir string           // whose lock the caller holds; it is made
	FS  durable.FS       // nil means [durable.OS]
	Now func() time.Time // nil means [time.Now]
}

// A Book keeps incidents. Its methods may be called by many goroutines.
//
// What it is told counts at once, also when its disk fails: an alarm is not held
// back. The error says so, and each later call tries to write everything again.
type Book struct {
	now    func() time.Time
	opened time.Time

	mu      sync.Mutex
	state   *state
	file    *framed.File
	err     error // of the last write; nil: all is durable
	closed  bool
	wake    []chan struct{}
	looked  time.Time // when due was asked last
	compact int64     // the size in bytes from which the file is rewritten
}

// ErrUnknown means that there is no open incident of that id.
var ErrUnknown = errors.New("no open incident")

// title is the first line of a book's file.
const title = "custody-incidents/1"

// minCompact is the size from which rewriting the file is worth it.
const minCompact = 1 << 20

// Open opens the book in a folder. A file that was damaged is kept under
// another name, what could be read of it stays, and that is an incident, too. An
// error is that of the disk.
func Open(set Settings) (*Book, error) {
	if set.FS == nil {
		set.FS = durable.OS
	}
	if set.Now == nil {
		set.Now = time.Now
	}
	if err := durable.MkdirAll(set.FS, set.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("open incidents: %w", err)
	}
	b := &Book{now: set.Now, opened: set.Now(), state: newState()}
	path := filepath.Join(set.Dir, "incidents")
	damaged, err := b.load(set.FS, path)
	if err != nil {
		return nil, fmt.Errorf("open incidents: %w", err)
	}
	if damaged == nil {
		return b, b.persist(nil)
	}
	b.state.seq += seqSkip
	aside, err := framed.Keep(set.FS, path, b.opened)
	if err != nil {
		return nil, fmt.Errorf("open incidents: %w; keeping it: %w", damaged, err)
	}
	return b, b.tellDamage(damaged, aside)
}

// seqSkip is how many event numbers are left out behind damage: followers may
// have seen some that the readable part does not have.
const seqSkip = 1 << 20

func (b *Book) load(fsys durable.FS, path string) (damaged, err error) {
	b.file, err = framed.Open(fsys, path, title, func(frame []byte) error {
		var all []entry
		if err := json.Unmarshal(frame, &all); err != nil {
			return err
		}
		for _, e := range all {
			b.state.apply(e)
		}
		return nil
	})
	if errors.Is(err, framed.ErrDamaged) {
		return err, nil
	}
	return nil, err
}

// tellDamage opens the incident of a damaged book. Nobody sweeps for it: it ends
// when it is acknowledged.
func (b *Book) tellDamage(damaged error, aside string) error {
	now := b.stamp()
	f := Finding{Kind: StateDamaged, Place: Place{Object: aside}, Message: fmt.Sprintf(
		"the book of incidents was damaged (%v) and is kept as %s. Incidents entered behind the damage are not listed: what is still wrong is found again by the next pass; what is not, only that file may say", damaged, aside)}
	f = f.clean()
	b.state.report(f, b.opened, now)
	h, _, _ := b.state.find(f)
	b.state.absent(h, now)
	return b.rewrite()
}

// Report enters a finding: it opens an incident, or was met again.
func (b *Book) Report(f Finding) error {
	return b.do(func(now time.Time) []entry {
		return b.state.report(f.clean(), b.now(), now)
	})
}

// Swept says that everything within the scope was looked at since that time,
// without an error, for these kinds: what of them lies in the scope and was not
// reported since is not there any more. Empty members of the scope mean all, but
// for that of the peer; a scope with First or End covers what lies whole within these records. since is
// what the book's clock said when the sweep began.
func (b *Book) Swept(scope Place, since time.Time, kinds ...Kind) error {
	gone := func(h *held) bool {
		if h.met.IsZero() {
			// It may have been met by this sweep before the process was restarted.
			return !since.Before(b.opened)
		}
		return h.met.Before(since)
	}
	return b.do(func(now time.Time) []entry {
		return b.state.swept(scope, kinds, gone, now)
	})
}

// Acknowledge notes that a person knows of an incident that is open, and why it
// need not alarm any more. Once its cause is gone, too, it ends. It fails with
// [ErrUnknown].
func (b *Book) Acknowledge(id, who, why string) error {
	if who == "" || why == "" {
		return errors.New("acknowledge: say who you are, and why")
	}
	unknown := false
	err := b.do(func(now time.Time) []entry {
		h := b.state.byID[id]
		if unknown = h == nil || !h.Open(); unknown {
			return nil
		}
		return b.state.acknowledge(h, Acknowledgement{Who: text(who, maxName), Why: text(why, maxMessage), At: now})
	})
	if unknown {
		return fmt.Errorf("acknowledge %s: %w of this id", text(id, 64), ErrUnknown)
	}
	return err
}

// Advance notes durably that a follower has taken care of all events up to this
// number. A number behind what it said before is ignored.
func (b *Book) Advance(name string, seq uint64) error {
	return b.do(func(time.Time) []entry {
		if seq <= b.state.cursors[name] {
			return nil
		}
		e := entry{Cursor: &cursor{name, seq}}
		b.state.apply(e)
		return []entry{e}
	})
}

// Tick tells followers what is due. Every other change does so, too; it is for
// quiet times, about once a minute.
func (b *Book) Tick() error { return b.do(func(time.Time) []entry { return nil }) }

// do makes changes, tells what is due, and writes.
func (b *Book) do(change func(now time.Time) []entry) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.stamp()
	all := change(now)
	if since := now.Sub(b.looked); since >= time.Second || since < 0 {
		all = append(all, b.state.due(now)...)
		b.looked = now
	}
	if slices.ContainsFunc(all, func(e entry) bool { return e.Event != nil }) {
		for _, c := range b.wake {
			select {
			case c <- struct{}{}:
			default:
			}
		}
	}
	return b.persist(all)
}

// stamp is the time without its monotonic part, as files give it back.
func (b *Book) stamp() time.Time { return b.now().Round(0).UTC() }

// persist writes entries that the state holds already.
func (b *Book) persist(all []entry) error {
	switch {
	case b.closed:
		return errors.New("the book of incidents is closed")
	case !b.file.Usable() || b.file.Size() > max(b.compact, minCompact):
		return b.rewrite()
	}
	for _, e := range all {
		if b.err = b.file.Append(marshal(e)); b.err != nil {
			return fmt.Errorf("write incidents: %w", b.err)
		}
	}
	return nil
}

// rewrite replaces the file by what the state holds.
func (b *Book) rewrite() error {
	var frames iter.Seq[[]byte] = func(yield func([]byte) bool) {
		for _, e := range b.state.entries() {
			if !yield(marshal(e)) {
				return
			}
		}
	}
	if b.err = b.file.Rewrite(frames); b.err != nil {
		return fmt.Errorf("write incidents: %w", b.err)
	}
	b.compact = 2 * b.file.Size()
	return nil
}

// marshal is the frame of one entry.
func marshal(e entry) []byte {
	frame, err := json.Marshal([]entry{e})
	if err != nil {
		panic(fmt.Sprintf("incident: marshal an entry: %v", err)) // times of our own clock, text, numbers
	}
	return frame
}

// Close closes the file. Every later change fails.
func (b *Book) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	return b.file.Close()
}
