package sealer

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"sync"

	"github.com/otelcol-custody/custody/internal/durable"
	"github.com/otelcol-custody/custody/ledger/checkpoint"
	"github.com/otelcol-custody/custody/ledger/seal"
	"github.com/otelcol-custody/custody/ledger/segment"
)

// recordsDir holds second names of sealed segments whose records have not been
// passed on yet. So their progress is their own: it never holds the spool.
const recordsDir = "records"

// emitter passes on the records of sealed segments, in order.
type emitter struct {
	s    *Sealer
	keys *checkpoint.Keys
	wake chan struct{}

	mu     sync.Mutex
	queue  []uint64
	ending bool
}

func newEmitter(s *Sealer, pending []spooled) (*emitter, error) {
	dir := filepath.Join(s.cfg.Dir, recordsDir)
	if err := durable.MkdirAll(s.cfg.FS, dir, 0o700); err != nil {
		return nil, fmt.Errorf("state directory: %w", err)
	}
	queue, err := firsts(s.cfg.FS, dir, sealExt)
	if err != nil {
		return nil, err
	}
	keys, err := checkpoint.ParseKeys(s.cfg.Signer.VerifierKey())
	if err != nil {
		return nil, err
	}
	e := &emitter{s: s, keys: keys, wake: make(chan struct{}, 1)}
	next, err := e.next()
	if err != nil {
		return nil, err
	}
	for _, first := range queue {
		if first >= next {
			e.queue = append(e.queue, first)
		} else if err := e.unlink(first); err != nil { // A crash kept them.
			return nil, err
		}
	}
	for _, p := range pending {
		// A segment was spooled just before a crash.
		if p.head.First >= next && !slices.Contains(e.queue, p.head.First) {
			e.add(p.head.First)
		}
	}
	return e, nil
}

// next is the first segment that has not been passed on.
func (e *emitter) next() (uint64, error) {
	b, err := readFile(e.s.cfg.FS, e.cursor())
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	next, err := strconv.ParseUint(string(b), 10, 63)
	if err != nil {
		return 0, damaged(e.cursor(), err)
	}
	return next, nil
}

func (e *emitter) cursor() string { return filepath.Join(e.s.cfg.Dir, recordsDir, "next") }

func (e *emitter) path(first uint64, ext string) string {
	return filepath.Join(e.s.cfg.Dir, recordsDir, fmt.Sprintf("%020d%s", first, ext))
}

// add gives a spooled segment its second names. A fault costs the copy for the
// SIEM and never the evidence.
func (e *emitter) add(first uint64) {
	for _, ext := range []string{segmentExt, sealExt} {
		err := e.s.cfg.FS.Link(spoolPath(e.s.cfg.Dir, first, ext), e.path(first, ext))
		if err != nil && !errors.Is(err, fs.ErrExist) {
			e.s.obs.Trouble(Records, fmt.Errorf("records of segment %d will not be passed on (they are sealed): %w", first, err))
			return
		}
	}
	if err := e.s.cfg.FS.SyncDir(filepath.Join(e.s.cfg.Dir, recordsDir)); err != nil {
		e.s.obs.Trouble(Records, err)
	}
	e.mu.Lock()
	e.queue = append(e.queue, first)
	e.mu.Unlock()
	e.nudge()
}

func (e *emitter) nudge() {
	select {
	case e.wake <- struct{}{}:
	default:
	}
}

func (e *emitter) finish() {
	e.mu.Lock()
	e.ending = true
	e.mu.Unlock()
	e.nudge()
}

func (e *emitter) run() {
	ctx := e.s.running
	for wait := e.s.backoff(); ; {
		first, ok, ending := e.oldest()
		if !ok {
			if ending {
				return
			}
			select {
			case <-e.wake:
			case <-e.s.quit:
				return
			}
			continue
		}
		err := e.emit(ctx, first)
		if err == nil {
			e.s.obs.Better(Records)
			wait = e.s.backoff()
			continue
		}
		e.s.obs.Trouble(Records, err)
		e.giveUp()
		if ending || !wait.sleep(e.s.quit) {
			return
		}
		wait.next()
	}
}

func (e *emitter) oldest() (first uint64, ok, ending bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.queue) == 0 {
		return 0, false, e.ending
	}
	return e.queue[0], true, e.ending
}

// emit passes one segment's records on and removes its second names.
func (e *emitter) emit(ctx context.Context, first uint64) error {
	v, sg, err := e.read(first)
	if errors.Is(err, ErrDamaged) {
		e.s.obs.Notice(fmt.Sprintf("records of segment %d are not passed on: %v", first, err))
		return e.remove()
	}
	if err != nil {
		return err
	}
	dec := segment.NewDecoder()
	defer dec.Close()
	lines, err := dec.Inflate(sg)
	if err != nil {
		return err
	}
	if err := e.s.down.Records(ctx, v, &sg.Seed, lines); err != nil {
		return fmt.Errorf("records of segment %d were not taken downstream: %w", first, err)
	}
	return e.remove()
}

// read reads a segment and holds it against its seal.
func (e *emitter) read(first uint64) (*seal.Verified, *segment.Segment, error) {
	object, err := readFile(e.s.cfg.FS, e.path(first, segmentExt))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, damaged(e.path(first, segmentExt), err)
	}
	if err != nil {
		return nil, nil, err
	}
	sealed, err := readFile(e.s.cfg.FS, e.path(first, sealExt))
	if err != nil {
		return nil, nil, err
	}
	v, err := seal.Open(sealed, e.keys)
	if err != nil {
		return nil, nil, damaged(e.path(first, sealExt), err)
	}
	if sha256.Sum256(object) != v.Segment {
		return nil, nil, damaged(e.path(first, segmentExt), errors.New("it is not the segment that its seal names"))
	}
	sg, err := segment.Parse(object)
	return v, sg, err
}

// remove takes the oldest segment out of the queue.
func (e *emitter) remove() error {
	e.mu.Lock()
	first := e.queue[0]
	e.queue = e.queue[1:]
	e.mu.Unlock()
	// From here a restart does not pass it on again.
	if err := durable.WriteFile(e.s.cfg.FS, e.cursor(), []byte(strconv.FormatUint(first+1, 10)), 0o600); err != nil {
		return err
	}
	return e.unlink(first)
}

// unlink removes a segment's second names. Those that a crash brings back the
// next start removes.
func (e *emitter) unlink(first uint64) error {
	for _, ext := range []string{segmentExt, sealExt} {
		if err := e.s.cfg.FS.Remove(e.path(first, ext)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// giveUp drops the oldest segments' records while too many wait.
func (e *emitter) giveUp() {
	for e.s.cfg.RecordsLimit > 0 {
		var waiting int64
		e.mu.Lock()
		for _, first := range e.queue {
			if info, err := e.s.cfg.FS.Stat(e.path(first, segmentExt)); err == nil {
				waiting += info.Size()
			}
		}
		n := len(e.queue)
		e.mu.Unlock()
		if n < 2 || waiting <= e.s.cfg.RecordsLimit {
			return
		}
		e.s.obs.Notice(fmt.Sprintf("records of the oldest of %d waiting segments are not passed on: %d MiB wait and nothing takes them; they are sealed and stored", n, waiting>>20))
		if err := e.remove(); err != nil {
			e.s.obs.Trouble(Records, err)
			return
		}
	}
}
