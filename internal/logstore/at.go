package logstore

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
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
	// Seals are the valid seals, one for each thing that is said: of copies the
	// one under the first name, and of its versions the oldest. Those under the
	// first name come first.
	Seals []*Held
	// Notices are about everything else, and what hides a seal: [MaxVersions]
	// of them at most.
	Notices []Notice
	// Gone is why the first of the versions that were listed could not be read:
	// [store.ErrNotFound]. Somebody removed it meanwhile, or the store shows some
	// of its state late. Nil: all were there.
	Gone error

	valid   []valid // all that are valid: by name, of one name the newest first
	flooded *FloodedError
}

// valid is one version that is a valid seal.
type valid struct {
	object store.Info
	sum    [32]byte // of its bytes
	seal   *seal.Verified
}

// Same finds the seal with these very bytes, or nil.
func (f *Found) Same(v *seal.Verified) *Held {
	sum := sha256.Sum256(v.Bytes())
	for _, o := range f.valid {
		if o.sum == sum {
			return &Held{Object: o.object, Seal: v}
		}
	}
	return nil
}

// Conflict finds a seal that says something else than v, or nil. One that says
// the same in other bytes is a copy, to which anybody can add a signature line
// that no reader knows.
func (f *Found) Conflict(v *seal.Verified) *Held {
	for _, h := range f.Seals {
		if !v.Same(h.Seal) {
			return h
		}
	}
	return nil
}

// Sums are the SHA-256 of what lies here and says what v says.
func (f *Found) Sums(v *seal.Verified) [][32]byte {
	var sums [][32]byte
	for _, o := range f.valid {
		if v.Same(o.seal) && !slices.Contains(sums, o.sum) {
			sums = append(sums, o.sum)
		}
	}
	return sums
}

// Flooded is a [FloodedError] if not everything was read.
func (f *Found) Flooded() error {
	if f.flooded == nil {
		return nil
	}
	return f.flooded
}

// At reads the seals that begin at first: two requests where there is one seal
// or none. Where more versions lie than are read it returns what it found and a
// [FloodedError], as [Reader.Read] and [Reader.ReadName] do.
func (r *Reader) At(ctx context.Context, first uint64) (Found, error) {
	f, err := r.at(ctx, first)
	if err != nil {
		return Found{}, err
	}
	return f, f.Flooded()
}

func (r *Reader) at(ctx context.Context, first uint64) (Found, error) {
	if r.versioned == nil {
		return r.atNames(ctx, first)
	}
	p, err := r.list(ctx, first)
	if err != nil {
		return Found{}, err
	}
	return r.place(ctx, p)
}

// atNames asks for one name after the other. The second is asked for even
// without a first one: somebody may have moved a squatter away.
func (r *Reader) atNames(ctx context.Context, first uint64) (Found, error) {
	f := Found{First: first}
	for n := range MaxBeside {
		one, err := r.ReadName(ctx, first, SealName(r.log, first, n))
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

// add adds what was found under a later name.
func (f *Found) add(o Found) {
	for _, h := range o.Seals {
		if !slices.ContainsFunc(f.Seals, func(have *Held) bool { return have.Seal.Same(h.Seal) }) {
			f.Seals = append(f.Seals, h)
		}
	}
	f.valid = append(f.valid, o.valid...)
	f.Notices = append(f.Notices, o.Notices...)
}

// Read reads the seals of a place. What was removed since it was listed is
// passed over.
func (r *Reader) Read(ctx context.Context, p Place) (Found, error) {
	f, err := r.place(ctx, p)
	if err != nil {
		return Found{}, err
	}
	return f, f.Flooded()
}

// ReadName reads the seals that begin at first among the versions of one name,
// or returns [store.ErrNotFound]. What lies above the newest valid one hides it.
func (r *Reader) ReadName(ctx context.Context, first uint64, name string) (Found, error) {
	p := Place{First: first}
	if r.versioned != nil {
		var err error
		if p.crowd, err = r.versions(ctx, name, r.canBeSeal, MaxVersions); err != nil {
			return Found{}, err
		}
		return r.Read(ctx, p)
	}
	p.add(store.Info{Name: name}, true, MaxVersions)
	f, err := r.place(ctx, p)
	return f, cmp.Or(err, f.Gone)
}

func (r *Reader) place(ctx context.Context, p Place) (Found, error) {
	rd := newReading(r, p)
	if err := rd.read(ctx); err != nil {
		return Found{}, err
	}
	return rd.found(), nil
}

// open reads one version. It returns nil if it is not a valid seal of this log
// at this position: then whoever put it there is a squatter (spec §8), be it
// bytes that no trusted key signed, or a seal of another place, which anybody
// can copy. It binds no origin: two logs of one name in one store are a
// conflict, whoever began.
func (r *Reader) open(ctx context.Context, first uint64, info store.Info) (*Held, error) {
	b, info, err := r.read(ctx, info, ledger.MaxSeal, func(b []byte) bool { return r.mayBegin(b, first) })
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

// mayBegin says whether a seal at first can begin like b, which spares reading
// large junk to its end. It must not be stricter than seal.Open.
func (r *Reader) mayBegin(b []byte, first uint64) bool {
	h, _, err := seal.OpenHead(b, r.keys)
	return errors.Is(err, seal.ErrVersion) || err == nil && h.Log == r.log && h.First == first
}

// read reads a version, or nil if it is longer than limit, or long and not worth
// reading for what it begins with.
func (r *Reader) read(ctx context.Context, info store.Info, limit int64, worth func([]byte) bool) ([]byte, store.Info, error) {
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
	var buf bytes.Buffer
	if got.Size > 4*ledger.MaxSealHead {
		if _, err := io.CopyN(&buf, body, ledger.MaxSealHead); err != nil {
			return nil, info, fmt.Errorf("read %s: %w", info.Name, err)
		}
		if !worth(buf.Bytes()) {
			return nil, info, nil
		}
	}
	buf.Grow(int(got.Size) - buf.Len() + bytes.MinRead)
	if _, err := buf.ReadFrom(io.LimitReader(body, limit+1-int64(buf.Len()))); err != nil {
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
