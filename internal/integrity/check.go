package integrity

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/otelcol-custody/custody/internal/integrity/incident"
	"github.com/otelcol-custody/custody/internal/logstore"
	"github.com/otelcol-custody/custody/ledger"
	"github.com/otelcol-custody/custody/ledger/seal"
	"github.com/otelcol-custody/custody/ledger/segment"
	"github.com/otelcol-custody/custody/ledger/tree"
	"github.com/otelcol-custody/custody/ledger/verify"
	"github.com/otelcol-custody/custody/store"
)

// check looks at what a seal names: the segment, the tiles that it completes, and
// how they and the seal are kept. Its error is that something could not be read.
func (t *stretch) check(h *logstore.Held) error {
	info, err := t.checkSegment(h.Seal)
	if err != nil {
		return err
	}
	kept := []store.Info{h.Object}
	if info.Name != "" {
		kept = append(kept, info)
	}
	for _, tile := range h.Tiles {
		info, err := t.checkTile(tile)
		if err != nil {
			return err
		}
		if info.Name != "" {
			kept = append(kept, info)
		}
	}
	for _, info := range kept {
		if err := t.checkRetention(h.Seal, info); err != nil {
			return err
		}
	}
	return nil
}

// checkSegment returns what lies there; its Name is empty if that is not the
// segment.
func (t *stretch) checkSegment(v *seal.Verified) (store.Info, error) {
	obj, info, err := t.reader.Segment(t.ctx, v)
	var altered *logstore.AlteredError
	switch {
	case errors.Is(err, store.ErrNotFound):
		return t.segmentMissing(v)
	case errors.As(err, &altered):
		return store.Info{}, t.segmentAltered(v, altered)
	case err != nil:
		return store.Info{}, err
	}
	return info, t.content(v, obj, true)
}

// segmentMissing looks again before it accuses. Where the seal is gone, too, it is
// the store as a whole that shows less: whoever follows the log judges that.
func (t *stretch) segmentMissing(v *seal.Verified) (store.Info, error) {
	f := verify.MissingSegment(v, t.clock.now())
	if f == nil {
		return store.Info{}, nil
	}
	if err := sleep(t.ctx, secondRead); err != nil {
		return store.Info{}, err
	}
	obj, info, err := t.reader.Segment(t.ctx, v)
	switch {
	case err == nil:
		return info, t.content(v, obj, true)
	case !errors.Is(err, store.ErrNotFound):
		return store.Info{}, err
	}
	if _, err := t.resolve(t.ctx, t.store, positionOf(v)); err != nil {
		return store.Info{}, err
	}
	missing := t.inStore(f)
	missing.Evidence = heads(v)
	t.find(t.ctx, missing)
	return store.Info{}, nil
}

// segmentAltered says which records are touched, if that can be told. The reader
// has read twice; these bytes must be among those that it read.
func (t *stretch) segmentAltered(v *seal.Verified, e *logstore.AlteredError) error {
	obj, err := t.whole(store.Info{Name: e.Object}, ledger.MaxSegment)
	switch sum := sha256.Sum256(obj); {
	case errors.Is(err, errLarge), errors.Is(err, store.ErrNotFound):
		t.find(t.ctx, incident.Finding{Kind: incident.SegmentAltered, Message: e.Error(), Evidence: heads(v),
			Place: incident.Place{Object: e.Object, First: v.First, End: v.End()}})
		return nil
	case err != nil:
		return err
	case sum == v.Segment || int64(len(obj)) == v.Size && !slices.Contains(e.Got, sum):
		return fmt.Errorf("%w: reads of %s gave different bytes", store.ErrUnavailable, e.Object)
	}
	return t.content(v, obj, false)
}

// content holds bytes against the seal.
func (t *stretch) content(v *seal.Verified, obj []byte, genuine bool) error {
	var unknown error
	err := t.desk.use(t.ctx, func(dec *segment.Decoder) {
		lines, f, err := verify.CheckSegment(v, obj, dec)
		switch {
		case err != nil:
			unknown = fmt.Errorf("segment %s: %w; a newer program writes this log: update this one", v.SegmentName(), err)
		case f != nil:
			bad := t.inStore(f)
			bad.Evidence = heads(v)
			t.find(t.ctx, bad)
		case genuine:
			t.set.Observer.Checked(t.src, v, lines, t.again)
		}
	})
	return errors.Join(err, unknown)
}

// checkTile is spec §11, step 6. It returns what lies there, if it is the tile.
func (t *stretch) checkTile(tile tree.Tile) (store.Info, error) {
	name, want := logstore.ObjectName(t.name, ledger.TileName(tile.Level, tile.Index)), tile.Bytes()
	place := incident.Place{Object: name}
	for try := range 2 {
		b, err := t.whole(store.Info{Name: name}, int64(len(want)))
		last := try == 1
		switch {
		case err == nil && bytes.Equal(b, want):
			return store.Info{Name: name}, nil
		case errors.Is(err, store.ErrNotFound) && last && t.hidden(place):
			return store.Info{}, nil
		case errors.Is(err, store.ErrNotFound) && last:
			t.find(t.ctx, incident.Finding{Kind: incident.TileMissing, Place: place, Message: "a full tile of the log's tree is not there; proofs are computed without it"})
		case (err == nil || errors.Is(err, errLarge)) && last:
			return store.Info{}, t.tileAltered(place, want)
		case err != nil && !errors.Is(err, store.ErrNotFound) && !errors.Is(err, errLarge):
			return store.Info{}, err
		}
		if !last {
			if err := sleep(t.ctx, secondRead); err != nil {
				return store.Info{}, err
			}
		}
	}
	return store.Info{}, nil
}

// hidden reports a delete marker that hides a tile, if there is one.
func (t *stretch) hidden(place incident.Place) bool {
	for info, err := range t.versionsOf(place.Object) {
		if err != nil || !info.DeleteMarker {
			return false
		}
		place.Version = info.Version
		t.find(t.ctx, incident.Finding{Kind: incident.DeleteMarker, Place: place, Message: deleted})
		return true
	}
	return false
}

// tileAltered tells a tile that is hidden from one that is not there any more.
func (t *stretch) tileAltered(place incident.Place, want []byte) error {
	f := incident.Finding{Kind: incident.TileAltered, Place: place, Want: fmt.Sprintf("sha256:%x", sha256.Sum256(want)),
		Message: "what lies at the name of a tile is not what the log's tree says; proofs are computed without it"}
	var top store.Info
	var all []store.Info // that can be the tile
	for info, err := range t.versionsOf(place.Object) {
		if err != nil {
			return err
		}
		if top.Name == "" {
			top = info
			continue
		}
		if info.DeleteMarker || info.Size != int64(len(want)) {
			continue
		}
		if all = append(all, info); len(all) > maxTiles {
			all = slices.Delete(all, maxTiles/2, maxTiles/2+1)
		}
	}
	for _, info := range slices.Backward(all) { // The genuine one was there first.
		b, err := t.whole(info, int64(len(want)))
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		if bytes.Equal(b, want) {
			f.Kind, f.Place.Version, f.Message = incident.Shadow, top.Version, "a later version hides the genuine tile"
			break
		}
	}
	t.find(t.ctx, f)
	return nil
}

// maxTiles is how many versions of a tile are read: of more the oldest and the
// newest ones.
const maxTiles = 32

// errLarge means that an object is longer than what belongs there.
var errLarge = errors.New("larger than what belongs there")

// whole reads an object, or errLarge.
func (t *stretch) whole(info store.Info, limit int64) ([]byte, error) {
	get := t.store.Get
	if v, ok := t.store.(store.Versioned); ok && info.Version != "" {
		body, _, err := v.GetVersion(t.ctx, info.Name, info.Version)
		return readAll(body, err, limit)
	}
	body, _, err := get(t.ctx, info.Name)
	return readAll(body, err, limit)
}

func readAll(body io.ReadCloser, err error, limit int64) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	defer body.Close()
	var buf bytes.Buffer
	if _, err := buf.ReadFrom(io.LimitReader(body, limit+1)); err != nil {
		return nil, err
	}
	if int64(buf.Len()) > limit {
		return nil, errLarge
	}
	return buf.Bytes(), nil
}
