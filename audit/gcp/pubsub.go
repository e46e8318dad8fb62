package gcp

import (
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/otelcol-custody/custody/audit/internal/draft"
	"github.com/otelcol-custody/custody/audit/internal/jsonscan"
)

// isMessage knows a Pub/Sub message, alone or in the envelope in which it is pushed or
// pulled.
//
// Source: https://cloud.google.com/pubsub/docs/push#receive_push
func isMessage(f *jsonscan.Fields) bool {
	if f.Has(fPayload) || f.Has(fLogName) {
		return false
	}
	return f.Kind(fMessage) == jsonscan.Object || f.Has(fData) && f.Has(fDataID)
}

// mapMessage maps the entry in a message. The record's body is the entry and not the
// envelope, which differs from delivery to delivery.
func mapMessage(f *jsonscan.Fields, d *draft.Draft) error {
	body, err := base64.StdEncoding.DecodeString(draft.First(f.Str(fMessageData), f.Str(fData)))
	if err != nil {
		return fmt.Errorf("%w: its data are not base64", ErrMessage)
	}
	entry, err := jsonscan.Of(string(body), table)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrMessage, err)
	}
	d.Begin(body)
	switch err := mapEntry(entry, d); {
	case errors.Is(err, ErrNotEntry):
		return ErrMessage
	case err != nil:
		return fmt.Errorf("%w: %w", ErrMessage, err)
	}
	f.Duplicate = f.Duplicate || entry.Duplicate
	return nil
}
