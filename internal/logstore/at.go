package logstore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/otelcol-custody/custody/ledger"
	"github.com/otelcol-custody/custody/ledger/seal"
	"github.com/otelcol-custody/custody/store"
)

// Found is what lies at a place.
type Found struct {
	First uint64
	// Seals are all valid seals, over names and versions, so one and the same
	// can be there many times; those under the first name, and of one name the
	// newest, first.
	Seals []*Held
	// Notices are about everything else, and what hides a seal.
	Notices []Notice
}

// Same finds the seal with these very bytes, or nil.
func (f *Found) Same(v *seal.Verified) *Held {
	return f.find(func(h *Held) bool { return bytes.Equal(h.Seal.Bytes(), v.Bytes()) })
}

// Conflict finds a seal that says something else than v, or nil. One that says
// the same in other bytes is a copy, to which anybody can add a signature line
// that no reader knows.
func (f *Found) Conflict(v *seal.Verified) *Held {
	return f.find(func(h *Held) bool { return !v.Same(h.Seal) })
}

func (f *Found) find(is func(*Held) bool) *Held {
	if i := slices.IndexFunc(f.Seals, is); i >= 0 {
		return f.Seals[i]
	}
	return nil
}

// At reads the seals that begin at first: two requests where there is one seal
// or none.
func (r *Reader) At(ctx context.Context, first uint64) (Found, error) {
	if r.versioned == nil {
		return r.atNames(ctx, first)
	}
	p, err := r.list(ctx, first)
	if err != nil {
		return Found{}, err
	}
	return r.Read(ctx, p)
}

// atNames asks for one name after the other. The second is asked for even
// without a first one: somebody may have moved a squatter away.
func (r *Reader) atNames(ctx context.Context, first uint64) (Found, error) {
	f := Found{First: first}
	for n := range MaxBeside {
		one, err := r.ReadName(ctx, first, []store.Info{{Name: SealName(r.log, first, n)}})
		switch {
		case errors.Is(err, store.ErrNotFound) && n > 0:
			return f, nil
		case errors.Is(err, store.ErrNotFound):
			continue
		case err != nil:
			return Found{}, err
		}
		f.add(one)
	}
	return f, nil
}

func (f *Found) add(o Found) {
	f.Seals = append(f.Seals, o.Seals...)
	f.Notices = append(f.Notices, o.Notices...)
}

// Read reads the seals of a place. What was removed since it was listed is
// passed over.
func (r *Reader) Read(ctx context.Context, p Place) (Found, error) {
	f := Found{First: p.First}
	for _, vs := range p.names {
		one, err := r.ReadName(ctx, p.First, vs)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return Found{}, err
		}
		f.add(one)
	}
	return f, nil
}

// ReadName reads the seals that begin at first among the versions of one name,
// the newest first. What lies above the newest valid one hides it.
func (r *Reader) ReadName(ctx context.Context, first uint64, vs []store.Info) (Found, error) {
	f := Found{First: first}
	for _, info := range vs {
		if info.DeleteMarker {
			f.Notices = append(f.Notices, Notice{Marker, info.Name, info.Version})
			continue
		}
		h, err := r.open(ctx, first, info)
		if errors.Is(err, store.ErrNotFound) && r.versioned != nil {
			continue // Removed since it was listed.
		}
		if err != nil {
			return Found{}, err
		}
		if h == nil {
			f.Notices = append(f.Notices, Notice{Squatter, info.Name, info.Version})
			continue
		}
		if len(f.Seals) == 0 {
			f.shadowed()
		}
		if same := f.Same(h.Seal); same != nil {
			h.Seal = same.Seal // However often it was written, it is held once.
		}
		f.Seals = append(f.Seals, h)
	}
	return f, nil
}

// shadowed makes of what was noticed so far what hides a seal.
func (f *Found) shadowed() {
	for i := range f.Notices {
		if f.Notices[i].Kind == Squatter {
			f.Notices[i].Kind = Shadow
		}
	}
}

// open reads one version. It returns nil if it is not a valid seal of this log
// at this position: then whoever put it there is a squatter (spec §8), be it
// bytes that no trusted key signed, or a seal of another place, which anybody
// can copy. It binds no origin: two logs of one name in one store are a
// conflict, whoever began.
func (r *Reader) open(ctx context.Context, first uint64, info store.Info) (*Held, error) {
	if info.Size > ledger.MaxSeal {
		return nil, nil
	}
	b, info, err := r.read(ctx, info, ledger.MaxSeal)
	if err != nil || b == nil {
		return nil, err
	}
	v, err := seal.Open(b, r.keys)
	switch {
	case errors.Is(err, seal.ErrVersion):
		return nil, fmt.Errorf("store %s holds a seal at record %d of log %s that this program cannot judge: %w; a newer one writes this log: update this one",
			r.store.ID(), first, r.log, err)
	case err != nil || v.Log != r.log || v.First != first:
		return nil, nil
	}
	return &Held{Object: info, Seal: v}, nil
}

// read reads a version, or nil if it is longer than limit.
func (r *Reader) read(ctx context.Context, info store.Info, limit int64) ([]byte, store.Info, error) {
	body, got, err := r.get(ctx, info)
	if err != nil {
		return nil, info, err
	}
	defer body.Close()
	// What was listed says more: whether it is the latest.
	if info.Version == "" {
		info = got
	}
	if got.Size > limit {
		return nil, info, nil
	}
	buf := bytes.NewBuffer(make([]byte, 0, got.Size+bytes.MinRead))
	if _, err := buf.ReadFrom(io.LimitReader(body, limit+1)); err != nil {
		return nil, info, fmt.Errorf("read %s: %w", info.Name, err)
	}
	if int64(buf.Len()) > limit {
		return nil, info, nil
	}
	return buf.Bytes(), info, nil
}

func (r *Reader) get(ctx context.Context, info store.Info) (io.ReadCloser, store.Info, error) {
	if r.versioned == nil || info.Version == "" {
		return r.store.Get(ctx, info.Name)
	}
	return r.versioned.GetVersion(ctx, info.Name, info.Version)
}
