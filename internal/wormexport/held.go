package wormexport

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"path"
	"strings"

	"github.com/otelcol-custody/custody/ledger"
	"github.com/otelcol-custody/custody/ledger/seal"
	"github.com/otelcol-custody/custody/store"
)

func objectName(log, inLog string) string { return log + "/" + inLog }

// sealName is the n-th name for the seal of a log at first; n is 0 but beside
// squatters.
func sealName(log string, first uint64, n int) string {
	if n == 0 {
		return objectName(log, ledger.SealName(first))
	}
	return objectName(log, ledger.BesideSealName(first, n))
}

// bodies reads every version of an object, newest first: on a store with
// versions the genuine one can lie below a later write or a delete marker.
// None at all is store.ErrNotFound. What is longer than limit comes as nil.
func bodies(ctx context.Context, s store.Store, name string, limit int64) ([][]byte, error) {
	versioned, ok := s.(store.Versioned)
	if !ok {
		b, err := readAll(limit)(s.Get(ctx, name))
		return [][]byte{b}, err
	}
	infos, err := s.Versions(ctx, name)
	if err != nil {
		return nil, err
	}
	var all [][]byte
	for _, info := range infos {
		if info.DeleteMarker {
			continue
		}
		b, err := readAll(limit)(versioned.GetVersion(ctx, name, info.Version))
		if err != nil {
			return nil, err
		}
		all = append(all, b)
	}
	if all == nil {
		return nil, fmt.Errorf("%w: %s has delete markers only", store.ErrNotFound, name)
	}
	return all, nil
}

// readAll reads what Get returns.
func readAll(limit int64) func(io.ReadCloser, store.Info, error) ([]byte, error) {
	return func(r io.ReadCloser, info store.Info, err error) ([]byte, error) {
		if err != nil {
			return nil, err
		}
		defer r.Close()
		if info.Size > limit {
			return nil, nil
		}
		return io.ReadAll(io.LimitReader(r, limit+1))
	}
}

// judge says whether b is a valid seal of this log at this position. If it is
// not, whoever put it there is a squatter (spec §8): bytes that no trusted key
// signed, or a seal of another place, which anybody can copy. It binds no
// origin: two logs of one name in one store are a conflict, whoever began.
func (e *Exporter) judge(b []byte, log string, first uint64) (*seal.Verified, error) {
	v, err := seal.Open(b, e.set.Keys)
	switch {
	case errors.Is(err, seal.ErrVersion):
		return nil, fmt.Errorf("the store holds a seal at record %d of log %s that this collector cannot judge: %w; a newer collector writes this log: update this one", first, log, err)
	case err != nil || v.Log != log || v.First != first:
		return nil, nil
	}
	return v, nil
}

// look reads the seals of a log at first under one name. Those that are not
// valid are counted as squatters.
func (e *Exporter) look(ctx context.Context, s store.Store, log string, first uint64, name string) (valid []*held, squatters int, err error) {
	all, err := bodies(ctx, s, name, ledger.MaxSeal)
	if err != nil {
		return nil, 0, err
	}
	for _, b := range all {
		v, err := e.judge(b, log, first)
		if err != nil {
			return nil, 0, err
		}
		if v == nil {
			squatters++
		} else {
			valid = append(valid, &held{name: name, seal: v})
		}
	}
	return valid, squatters, nil
}

// at reads the valid seals of a log at first under all their names.
func (e *Exporter) at(ctx context.Context, s store.Store, log string, first uint64) ([]*held, error) {
	var found []*held
	for n := range maxBeside {
		valid, _, err := e.look(ctx, s, log, first, sealName(log, first, n))
		if errors.Is(err, store.ErrNotFound) {
			return found, nil
		}
		if err != nil {
			return nil, err
		}
		found = append(found, valid...)
	}
	return found, nil
}

// same finds the seal with these very bytes among the seals held.
func same(found []*held, v *seal.Verified) *held {
	for _, h := range found {
		if bytes.Equal(h.seal.Bytes(), v.Bytes()) {
			return h
		}
	}
	return nil
}

// conflicting finds a seal that says something else than v. One that says the
// same in other bytes is a copy, to which anybody can add a signature line that
// no reader knows: it counts as a squatter.
func conflicting(found []*held, v *seal.Verified) *held {
	for _, h := range found {
		if !v.Same(h.seal) {
			return h
		}
	}
	return nil
}

// sealsFrom lists the seal names of a log that begin at first or later.
func sealsFrom(ctx context.Context, s store.Store, log string, first uint64) iter.Seq2[sealAt, error] {
	prefix := objectName(log, ledger.SealsDir) + "/"
	// Strictly after the bare number come all names of that number.
	after := strings.TrimSuffix(sealName(log, first, 0), ".seal")
	return func(yield func(sealAt, error) bool) {
		for info, err := range s.List(ctx, prefix, after) {
			if err != nil {
				yield(sealAt{}, err)
				return
			}
			// Other names are for verifiers to report.
			first, n, ok := ledger.ParseSealName(path.Base(info.Name))
			if !ok || info.Name != sealName(log, first, n) {
				continue
			}
			if !yield(sealAt{first, info.Name}, nil) {
				return
			}
		}
	}
}

type sealAt struct {
	first uint64
	name  string
}
