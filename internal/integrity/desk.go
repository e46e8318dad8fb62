package integrity

import (
	"context"

	"github.com/otelcol-custody/custody/ledger/segment"
)

// desk is where segments are inflated and hashed, a few at a time whatever the
// number of stores. Nobody reads from a store while holding a place, so a store
// that hangs holds up nobody else.
type desk struct{ places chan *segment.Decoder }

func newDesk(workers int) *desk {
	d := &desk{make(chan *segment.Decoder, workers)}
	for range workers {
		d.places <- nil // A decoder is made when one is needed.
	}
	return d
}

// use calls f with a decoder, whose buffers f must not keep.
func (d *desk) use(ctx context.Context, f func(*segment.Decoder)) error {
	select {
	case dec := <-d.places:
		if dec == nil {
			dec = segment.NewDecoder()
		}
		defer func() { d.places <- dec }()
		f(dec)
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// close releases the decoders. Nobody uses the desk any more.
func (d *desk) close() {
	for range cap(d.places) {
		if dec := <-d.places; dec != nil {
			dec.Close()
		}
	}
}
