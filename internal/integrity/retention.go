package integrity

import (
	"errors"
	"fmt"
	"time"

	"github.com/otelcol-custody/custody/internal/integrity/incident"
	"github.com/otelcol-custody/custody/ledger/seal"
	"github.com/otelcol-custody/custody/ledger/segment"
	"github.com/otelcol-custody/custody/store"
)

// of is what is demanded of the objects of a segment that was closed so.
func (r *Retention) of(c *segment.Closed, now time.Time) store.Retention {
	want := store.Retention{LegalHold: r.LegalHold}
	until := c.At.Add(r.For)
	if c.RetainUntil.After(until) {
		until = c.RetainUntil
	}
	if r.Mode != store.ModeNone && until.After(now) {
		want.Mode, want.Until = r.Mode, until.UTC()
	}
	return want
}

// checkRetention judges how the genuine object is kept, as far as the store can
// tell: of a version that another one hides it cannot.
func (t *stretch) checkRetention(v *seal.Verified, info store.Info) error {
	if t.of.src.Retention == nil || !t.tells {
		return nil
	}
	want := t.of.src.Retention.of(v.Closed(), t.clock.now())
	if want.IsZero() {
		return nil
	}
	// A listing says less than the object itself, and what a lock was is no news.
	now, err := t.store.Stat(t.ctx, info.Name)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil // Hidden, or removed since; the next pass says which.
	case errors.Is(err, store.ErrDenied):
		// The object itself could be read.
		t.find(t.ctx, incident.Finding{Kind: incident.Unread, Place: incident.Place{Object: t.name + "/"},
			Message: fmt.Sprintf("how objects are retained cannot be read: %v; allow it, or demand no retention", err)})
		return nil
	case err != nil:
		return err
	case info.Version != "" && now.Version != info.Version:
		return nil
	}
	f, weak := weaker(now.Retention, want)
	if weak {
		f.Place = incident.Place{Object: info.Name, Version: now.Version, First: v.First, End: v.End()}
		t.find(t.ctx, f)
	}
	return nil
}

// weaker says what a retention lacks. Stores count in whole seconds.
func weaker(got, want store.Retention) (incident.Finding, bool) {
	f := incident.Finding{Want: words(want), Got: words(got)}
	switch {
	case got.IsZero():
		f.Kind, f.Message = incident.RetentionMissing, "nothing keeps the object from being deleted"
	case got.Mode < want.Mode:
		f.Kind, f.Message = incident.RetentionMode, "the object is locked less strictly than demanded"
	case got.Until.Before(want.Until.Add(-time.Second)):
		f.Kind, f.Message = incident.RetentionShort, "the object is locked for a shorter time than demanded"
	case want.LegalHold && !got.LegalHold:
		f.Kind, f.Message = incident.LegalHoldMissing, "the object is not under legal hold"
	default:
		return f, false
	}
	return f, true
}

func words(r store.Retention) string {
	text := r.Mode.String()
	if !r.Until.IsZero() {
		text += " until " + stamp(r.Until)
	}
	if r.LegalHold {
		text += ", legal hold"
	}
	return text
}
