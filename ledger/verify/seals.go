package verify

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"

	"github.com/otelcol-custody/custody/ledger"
	"github.com/otelcol-custody/custody/ledger/checkpoint"
	"github.com/otelcol-custody/custody/ledger/seal"
)

// A gap is a stretch of records without a valid seal.
type gap struct{ first, end uint64 }

// walk follows the seals from the first to the last (spec §11, steps 1 and 2).
// It goes by the listing: a seal that lies within another one's segment is on no
// way from the beginning to the head. Where the listing ends or leaves a gap it
// asks for the seals by name.
func (w *walk) walk() {
	size, seals := uint64(0), w.names.seals
	var tried []sealName // that begin at size, none of them valid
	asked := false       // for those at size that are not listed
	for w.ctx.Err() == nil {
		here := together(seals)
		switch {
		case !asked && (len(here) == 0 || here[0].first > size):
			asked, here = true, w.beyondListing(size, tried)
		case len(here) == 0:
			return
		default:
			seals = seals[len(here):]
		}
		if len(here) == 0 {
			continue
		}
		first := here[0].first
		if first < size {
			w.stray(here)
			continue
		}
		if first == size {
			tried = append(tried, here...)
		}
		v := w.seal(here)
		if v == nil {
			continue
		}
		w.skip(size, first, len(tried) == 0)
		w.take(v, first == size)
		size, tried, asked, w.unreadTail = v.End(), nil, false, false
	}
}

// together are the seals that begin where the first one does.
func together(seals []sealName) []sealName {
	n := 0
	for n < len(seals) && seals[n].first == seals[0].first {
		n++
	}
	return seals[:n]
}

// beyondListing asks for the seals that begin at first by their names, apart
// from those that were tried: the listing of a folder may miss an object that is
// written beside it, and that is no evidence that there is none.
func (w *walk) beyondListing(first uint64, tried []sealName) []sealName {
	var there []sealName
	for n := 0; w.ctx.Err() == nil; n++ {
		s := sealName{first, n}
		if slices.Contains(tried, s) {
			continue
		}
		info, err := fs.Stat(w.fsys, s.String())
		if errors.Is(err, fs.ErrNotExist) {
			break
		}
		if err == nil && info.IsDir() {
			continue // No seal; a listing names it as foreign.
		}
		there = append(there, s)
		if err != nil {
			break // Reading it says why; a folder that cannot be read fails every name.
		}
	}
	return there
}

// skip enters the gap between two valid seals.
func (w *walk) skip(size, first uint64, missing bool) {
	if size == first {
		return
	}
	w.gaps = append(w.gaps, gap{size, first})
	if missing && !w.unlisted {
		w.find(Finding{Code: SealMissing, Object: ledger.SealName(size), First: size, End: first,
			Message: fmt.Sprintf("there is no seal for record %d, yet the one for record %d proves that there was", size, first)})
	}
}

func (w *walk) stray(seals []sealName) {
	for _, s := range seals {
		w.find(Finding{Code: ForeignObject, Object: s.String(), First: s.first,
			Message: fmt.Sprintf("no seal can begin at record %d, which lies within a sealed segment", s.first)})
	}
}

// seal reads the seal objects of one position and returns the valid one. When
// there is none it says why and returns nil.
func (w *walk) seal(names []sealName) *seal.Verified {
	var valid []*seal.Verified
	var bad []Finding
	for _, s := range names {
		v, f, err := w.openSeal(s.String(), s.first)
		switch {
		case err != nil:
			w.unreadTail = true
			w.unread("seal %s: %v", path.Join(w.report.Log, s.String()), err)
		case f != nil:
			bad = append(bad, *f)
		default:
			valid = w.rival(valid, v, s.String())
		}
	}
	for _, f := range bad {
		if len(valid) > 0 {
			f.Code, f.Message = ForeignObject, "a squatter lies beside the valid seal: "+f.Message
		}
		w.find(f)
	}
	return w.choose(valid)
}

// rival adds a valid seal to the others of its position. A second one is a
// finding; one that says the same as another is not kept. Their heads pin all the
// rest; the lines of unknown signers do not matter.
func (w *walk) rival(valid []*seal.Verified, v *seal.Verified, name string) []*seal.Verified {
	switch {
	case len(valid) == 0:
	case slices.ContainsFunc(valid, v.Same):
		w.find(Finding{Code: ForeignObject, Object: name, First: v.First, Message: "a copy of the seal lies beside it"})
		return valid
	default:
		w.named(v)
		w.find(Finding{Code: Fork, Object: name, First: v.First, Message: "two different valid seals begin here",
			Want: valid[0].After().Text(), Got: v.After().Text()})
	}
	return append(valid, v)
}

// choose prefers the seal that follows the one before.
func (w *walk) choose(valid []*seal.Verified) *seal.Verified {
	if len(valid) == 0 {
		return nil
	}
	for _, v := range valid[1:] {
		if _, err := valid[0].Follows(w.head); err == nil {
			break
		}
		if _, err := v.Follows(w.head); err == nil {
			w.named(valid[0])
			return v
		}
	}
	return valid[0]
}

// openSeal reads one seal object. A finding says what is wrong with it; an error
// that it could not be read.
func (w *walk) openSeal(name string, first uint64) (*seal.Verified, *Finding, error) {
	b, err := readObject(w.fsys, name, ledger.MaxSeal)
	if planted(err) {
		return nil, &Finding{Code: SealMalformed, Object: name, First: first, Message: err.Error()}, nil
	}
	if err != nil {
		return nil, nil, goneSince(err)
	}
	v, f, err := JudgeSeal(b, w.opt.Keys, w.report.Log, name, first)
	if f == nil {
		return v, nil, err
	}
	// A second read before accusing: a passing fault is no tampering.
	if again, err := readObject(w.fsys, name, ledger.MaxSeal); err != nil || !bytes.Equal(b, again) {
		return nil, nil, errors.Join(errUnsteady, goneSince(err))
	}
	return nil, f, nil
}

// JudgeSeal judges the bytes that lie at the name of a log's seal that begins at
// first (spec §8, and §11, step 2). The finding has no Log, and name as its Object.
// The error is that the seal has a version that this code does not know.
func JudgeSeal(b []byte, keys *checkpoint.Keys, log, name string, first uint64) (*seal.Verified, *Finding, error) {
	v, err := seal.Open(b, keys)
	switch {
	case errors.Is(err, seal.ErrVersion):
		return nil, nil, err
	case err != nil:
		return nil, &Finding{Code: sealCode(err), Object: name, First: first, Message: err.Error()}, nil
	case v.First != first:
		return nil, &Finding{Code: SealChain, Object: name, First: first, Message: fmt.Sprintf("the object holds the seal of record %d", v.First)}, nil
	case v.Log != log:
		return nil, &Finding{Code: SealChain, Object: name, First: first, Message: fmt.Sprintf("the object holds a seal of the log %q", v.Log)}, nil
	}
	return v, nil, nil
}

func sealCode(err error) Code {
	switch {
	case errors.Is(err, checkpoint.ErrUntrusted), errors.Is(err, checkpoint.ErrSignature):
		return SealSignature
	case errors.Is(err, seal.ErrInvalid):
		return SealInvalid
	}
	return SealMalformed
}

var errUnsteady = errors.New("two reads gave different bytes: check the disk and its cable, then verify again")

// goneSince is the error of a read of an object that was listed: that it is not
// there any more is no statement about the log.
func goneSince(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("it was listed and is not there any more: %v", err)
	}
	return err
}
