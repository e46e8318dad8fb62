package transfer

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"path"
	"slices"
	"sync"

	"github.com/otelcol-custody/custody/ledger"
	"github.com/otelcol-custody/custody/store"
)

// Fetch copies logs from one store into another that has no versions, usually a
// directory, for `custody verify`. It needs no key and judges nothing that needs
// one.
//
// Objects that are there with a size that from lists are not read again. Of a
// segment the version is taken that hashes to its name; if there is none, the
// newest, so that verifiers name what was altered. Of a tile the oldest version
// is taken. Of seals every content is kept, beside each other, since only a key
// tells which is genuine.
func Fetch(ctx context.Context, from, to store.Store, opt Options) (*Result, error) {
	f := &fetch{from: from, to: to}
	return each(ctx, from, opt, func(log string) (*Report, error) { return f.log(ctx, log, opt) })
}

type fetch struct{ from, to store.Store }

func (f *fetch) log(ctx context.Context, log string, opt Options) (*Report, error) {
	c := newCourse(ctx, log, opt, f.item)
	list := func(dir *folder) {
		c.queue(joined(items(c.ctx, f.from, log, dir, "", c.foreign), items(c.ctx, f.to, log, dir, "", ignore)))
	}
	c.strangers(f.from)
	list(sealFolder) // To its end before the others begin: see [folders].
	var lists sync.WaitGroup
	lists.Go(func() { list(segmentFolder) })
	lists.Go(func() { list(tileFolder) })
	lists.Wait()
	return c.finish()
}

func (f *fetch) item(ctx context.Context, it item) (outcome, error) {
	switch {
	case len(it.there) == 0:
		return gone(it), nil
	case it.folder == sealFolder:
		return f.seals(ctx, it)
	}
	versions, o := it.versions()
	var err error
	switch {
	case len(versions) == 0:
	case len(it.here) > 0:
		err = f.compare(ctx, it, versions, &o)
	case it.folder == segmentFolder:
		err = f.segment(ctx, it, versions, &o)
	default:
		err = f.tile(ctx, it, versions, &o)
	}
	return o, err
}

// gone is an item that only the directory has. Segments go when their time is
// over; seals and tiles never should.
func gone(it item) (o outcome) {
	for _, info := range it.here {
		if it.folder != segmentFolder {
			o.notice(Gone, info, "it was fetched earlier and is not in the store any more")
		}
	}
	return o
}

// versions are an item's versions, name by name, the oldest first: what was
// there first can't have been planted over the genuine one. Delete markers and
// what is too large are noticed.
func (it *item) versions() (versions []store.Info, o outcome) {
	for i, info := range slices.Backward(it.there) {
		switch {
		case info.DeleteMarker && (i == 0 || it.there[i-1].Name != info.Name):
			o.notice(Hidden, info, "a delete marker hides it from plain readers")
		case info.DeleteMarker:
			o.notice(Hidden, info, "a delete marker lies among its versions")
		case info.Size > it.folder.limit:
			o.notice(TooLarge, info, fmt.Sprintf("a version of %d bytes, more than the format allows; not copied", info.Size))
		default:
			versions = append(versions, info)
		}
	}
	return versions, o
}

// shadows notices all versions but the one that was taken.
func (o *outcome) shadows(versions []store.Info, taken store.Info) {
	for _, info := range versions {
		if info.Version != taken.Version {
			o.notice(Shadowed, info, fmt.Sprintf("another version of %d bytes; the one copied is %s", info.Size, taken.Version))
		}
	}
}

func (o *outcome) find(code Code, info store.Info, message string) {
	finding := Finding{Code: code, Object: info.Name, Message: message}
	if first, _, ok := ledger.ParseSegmentName(path.Base(info.Name)); ok {
		finding.First = &first
	}
	o.findings = append(o.findings, finding)
}

// put stores what was read from the store. Other bytes in its place are a finding.
func (f *fetch) put(ctx context.Context, name string, data []byte, o *outcome) error {
	_, err := f.to.PutOnce(ctx, name, data, store.PutOptions{})
	switch {
	case errors.Is(err, store.ErrExists):
		o.find(CopyDiffers, store.Info{Name: name}, differs)
	case err != nil:
		return fmt.Errorf("write %s: %w", name, err)
	default:
		o.objects++
		o.bytes += uint64(len(data))
	}
	return nil
}

const differs = "the directory holds other bytes under this name than the store: one of them was altered. Move the directory's file away, keep it, and fetch again"

func (f *fetch) tile(ctx context.Context, it item, versions []store.Info, o *outcome) error {
	data, err := read(ctx, f.from, versions[0], it.folder.limit)
	if err != nil {
		return err
	}
	o.shadows(versions, versions[0])
	return f.put(ctx, versions[0].Name, data, o)
}

// segment takes the version that hashes to the name.
func (f *fetch) segment(ctx context.Context, it item, versions []store.Info, o *outcome) error {
	var data []byte
	for _, info := range versions {
		var err error
		if data, err = read(ctx, f.from, info, it.folder.limit); err != nil {
			return err
		}
		if hashesTo(data, it.key) {
			o.shadows(versions, info)
			return f.put(ctx, info.Name, data, o)
		}
	}
	newest := versions[len(versions)-1]
	// A second read before accusing: a passing fault is no tampering.
	if again, err := read(ctx, f.from, newest, it.folder.limit); err != nil || !bytes.Equal(again, data) {
		return errors.Join(fmt.Errorf("two reads of %s gave different bytes", newest.Name), err)
	}
	o.shadows(versions, newest)
	o.find(SegmentAltered, newest, fmt.Sprintf("none of %d versions hashes to what the name says; the newest was copied, custody verify names what was altered", len(versions)))
	return f.put(ctx, newest.Name, data, o)
}

// hashesTo says whether data is the segment with this name.
func hashesTo(data []byte, base string) bool {
	_, prefix, ok := ledger.ParseSegmentName(base)
	sum := sha256.Sum256(data)
	return ok && bytes.Equal(prefix[:], sum[:len(prefix)])
}

// compare deals with a segment or tile that the directory has. Its size decides:
// whether it is genuine is for verifiers.
func (f *fetch) compare(ctx context.Context, it item, versions []store.Info, o *outcome) error {
	here := it.here[0]
	if i := slices.IndexFunc(versions, func(info store.Info) bool { return info.Size == here.Size }); i >= 0 {
		o.skipped++
		o.shadows(versions, versions[i])
		return nil
	}
	if it.folder == segmentFolder && here.Size <= it.folder.limit {
		data, err := read(ctx, f.to, here, it.folder.limit)
		if err != nil {
			return err
		}
		if hashesTo(data, it.key) {
			o.find(SegmentAltered, here, fmt.Sprintf("the store holds %d bytes now, the directory the %d that hash to what the name says; keep the directory", versions[len(versions)-1].Size, here.Size))
			return nil
		}
	}
	o.find(CopyDiffers, here, differs)
	return nil
}
