package logstore

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/otelcol-custody/custody/ledger"
	"github.com/otelcol-custody/custody/ledger/seal"
	"github.com/otelcol-custody/custody/store"
)

const (
	// MaxVersions is how many versions are read at one place. The genuine log
	// writes one; who floods a place with more makes a reader slow, not blind.
	MaxVersions = 1024
	// minSeal is less than any seal has: a head of 13 lines with its signature,
	// a checkpoint, an edge, a closed line.
	minSeal = 512
)

// A FloodedError means that more versions which could be seals lie at a place
// than are read. So nobody knows whether the store holds one seal there, or two.
type FloodedError struct {
	Store, Log string
	First      uint64
	Object     string // the first name of the place
	Versions   int    // that could be seals
}

func (e *FloodedError) Error() string {
	return fmt.Sprintf("store %s, log %s, record %d: %s: %s. Find out who writes there and take the right from them",
		e.Store, e.Log, e.First, e.Object, e.Why())
}

// Why says what is wrong with the place.
func (e *FloodedError) Why() string {
	return fmt.Sprintf("flooded: %d versions that could be seals lie there, and %d are read", e.Versions, MaxVersions)
}

// canBeSeal says whether a version has the size of a seal, as far as is known:
// without versions the caller may not know it.
func (r *Reader) canBeSeal(info store.Info) bool {
	size := info.Size >= minSeal && info.Size <= ledger.MaxSeal
	return !info.DeleteMarker && (size || info.Size == 0 && r.versioned == nil)
}

// A reading judges all versions of a place, some at a time. It holds one seal for
// each thing that is said, however many copies say it.
type reading struct {
	*Reader
	first   uint64
	entries []entry // by name, of one name the newest first
	flooded *FloodedError

	mu    sync.Mutex // guards what follows, while it reads
	seals []*said
	gone  error // the first store.ErrNotFound
}

// entry is one version or delete marker.
type entry struct {
	listed
	state state
	sum   [32]byte
	said  *said // of a valid one
}

type state uint8

const (
	unread state = iota
	strange
	removed // since it was listed
	genuine
)

// said is a seal, in the bytes of one of its copies.
type said struct {
	seal *seal.Verified
	by   int // index of the entry
}

func newReading(r *Reader, p Place) *reading {
	rd := &reading{Reader: r, first: p.First}
	for _, l := range p.kept(MaxVersions) {
		e := entry{listed: l}
		if !l.fits && !l.info.DeleteMarker {
			e.state = strange
		}
		rd.entries = append(rd.entries, e)
	}
	if p.fitting > MaxVersions {
		rd.flooded = &FloodedError{r.store.ID(), r.log, p.First, rd.entries[0].info.Name, p.fitting}
	}
	return rd
}

// read reads what can be a seal.
func (rd *reading) read(ctx context.Context) error {
	g, within := errgroup.WithContext(ctx)
	for i := range rd.entries {
		if !rd.entries[i].fits {
			continue
		}
		// Many small ones and few large ones at a time.
		size := max(rd.entries[i].info.Size, aheadBytes/aheadSeals)
		if rd.room.Acquire(within, size) != nil {
			break // The group knows why, or its caller.
		}
		g.Go(func() error {
			defer rd.room.Release(size)
			return rd.judge(within, i)
		})
	}
	return cmp.Or(g.Wait(), ctx.Err())
}

func (rd *reading) judge(ctx context.Context, i int) error {
	e := &rd.entries[i] // Nobody else touches it now.
	h, err := rd.open(ctx, rd.first, e.info)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	rd.mu.Lock()
	defer rd.mu.Unlock()
	switch {
	case err != nil:
		e.state, rd.gone = removed, cmp.Or(rd.gone, err)
	case h == nil:
		e.state = strange
	default:
		e.state, e.info, e.sum = genuine, h.Object, sha256.Sum256(h.Seal.Bytes())
		e.said = rd.hold(h.Seal, i)
	}
	return nil
}

// hold keeps a seal, unless it is kept. Of copies the one under the first name
// stays, of its versions the oldest. The caller holds mu.
func (rd *reading) hold(v *seal.Verified, i int) *said {
	for _, s := range rd.seals {
		if s.seal.Same(v) {
			if rd.earlier(i, s.by) {
				s.seal, s.by = v, i
			}
			return s
		}
	}
	s := &said{v, i}
	rd.seals = append(rd.seals, s)
	return s
}

func (rd *reading) earlier(a, b int) bool {
	if rd.entries[a].info.Name != rd.entries[b].info.Name {
		return a < b
	}
	return a > b
}

// found sums up what was read.
func (rd *reading) found() Found {
	f := Found{First: rd.first, Gone: rd.gone, flooded: rd.flooded}
	slices.SortFunc(rd.seals, func(a, b *said) int {
		if rd.earlier(a.by, b.by) {
			return -1
		}
		return 1
	})
	for _, s := range rd.seals {
		f.Seals = append(f.Seals, &Held{Object: rd.entries[s.by].info, Seal: s.seal})
	}
	if e := rd.flooded; e != nil {
		f.Notices = append(f.Notices, Notice{Flood, e.Object, ""})
	}
	for from := 0; from < len(rd.entries); {
		to := from + 1
		for to < len(rd.entries) && rd.entries[to].info.Name == rd.entries[from].info.Name {
			to++
		}
		f.name(rd.entries[from:to])
		from = to
	}
	return f
}

// name adds what lies at one name.
func (f *Found) name(entries []entry) {
	newest := slices.IndexFunc(entries, func(e entry) bool { return e.state == genuine })
	for i, e := range entries {
		kind := Squatter
		switch {
		case e.info.DeleteMarker:
			kind = Marker
		case e.state == genuine:
			f.valid = append(f.valid, valid{e.info, e.sum, e.said.seal})
			continue
		case e.state != strange:
			continue
		case i < newest:
			kind = Shadow
		}
		if len(f.Notices) < MaxVersions {
			f.Notices = append(f.Notices, Notice{kind, e.info.Name, e.info.Version})
		}
	}
}
