package wormexport

import (
	"context"
	"errors"

	"github.com/otelcol-custody/custody/internal/logstore"
	"github.com/otelcol-custody/custody/store"
)

// reader reads a log of the store with the exporter's keys. Where somebody
// flooded a place, its error is an [ObstructedError]: what cannot all be read is
// neither a receipt nor a fork.
type reader struct{ *logstore.Reader }

func (e *Exporter) reader(ctx context.Context, s store.Store, log string) reader {
	return reader{logstore.New(s, log, e.set.Keys, func(n logstore.Notice) { e.notice(ctx, string(n.Kind), n.Object) })}
}

// At is [logstore.Reader.At].
func (r reader) At(ctx context.Context, first uint64) (logstore.Found, error) {
	f, err := r.Reader.At(ctx, first)
	return f, obstructed(err)
}

// ReadName is [logstore.Reader.ReadName].
func (r reader) ReadName(ctx context.Context, first uint64, name string) (logstore.Found, error) {
	f, err := r.Reader.ReadName(ctx, first, name)
	return f, obstructed(err)
}

func obstructed(err error) error {
	if flooded := (*logstore.FloodedError)(nil); errors.As(err, &flooded) {
		return &ObstructedError{flooded.Object, flooded.Why()}
	}
	return err
}

// at reads the seals of a log that begin at first.
func (e *Exporter) at(ctx context.Context, s store.Store, log string, first uint64) (logstore.Found, error) {
	return e.reader(ctx, s, log).At(ctx, first)
}

// hidden tells what hides a seal. Squatters are told where a seal is written.
func (e *Exporter) hidden(ctx context.Context, found logstore.Found) {
	for _, n := range found.Notices {
		if n.Kind != logstore.Squatter && n.Kind != logstore.Flood {
			e.notice(ctx, string(n.Kind), n.Object)
		}
	}
}

func (e *Exporter) tellAll(ctx context.Context, found logstore.Found) {
	for _, n := range found.Notices {
		if n.Kind == logstore.Flood {
			continue // An error where it matters.
		}
		e.notice(ctx, string(n.Kind), n.Object)
	}
}
