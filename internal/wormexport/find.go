package wormexport

import (
	"context"

	"github.com/otelcol-custody/custody/internal/logstore"
	"github.com/otelcol-custody/custody/store"
)

// reader reads a log of the store with the exporter's keys.
func (e *Exporter) reader(ctx context.Context, s store.Store, log string) *logstore.Reader {
	return logstore.New(s, log, e.set.Keys, func(n logstore.Notice) { e.notice(ctx, string(n.Kind), n.Object) })
}

// at reads the seals of a log that begin at first.
func (e *Exporter) at(ctx context.Context, s store.Store, log string, first uint64) (logstore.Found, error) {
	return e.reader(ctx, s, log).At(ctx, first)
}

// hidden tells what hides a seal. Squatters are told where a seal is written.
func (e *Exporter) hidden(ctx context.Context, found logstore.Found) {
	for _, n := range found.Notices {
		if n.Kind != logstore.Squatter {
			e.notice(ctx, string(n.Kind), n.Object)
		}
	}
}

func (e *Exporter) tellAll(ctx context.Context, found logstore.Found) {
	for _, n := range found.Notices {
		e.notice(ctx, string(n.Kind), n.Object)
	}
}
