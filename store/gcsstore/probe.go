package gcsstore

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"cloud.google.com/go/storage"

	"github.com/otelcol-custody/custody/store"
)

// hidden is where probes lie. No name of the port begins so.
const hidden = ".custody/"

// probe makes sure that the server honours ifGenerationMatch=0. It leaves one
// small object a day at most.
func (s *Store) probe(ctx context.Context) error {
	name := hidden + "probe-" + time.Now().UTC().Format(time.DateOnly)
	for _, text := range []string{"A probe of Custody: is an object created only once?\n", "This must never be stored.\n"} {
		a, err := s.insertProbe(ctx, newUpload(name, []byte(text), store.Retention{}))
		switch code := status(err); {
		case code == http.StatusPreconditionFailed, code == http.StatusForbidden && s.isThere(ctx, name):
			return nil
		case err != nil:
			return s.creating(s.fail(ctx, "store a probe", err))
		case !s.describes(a, name):
			return s.notCloudStorage("store a probe")
		}
	}
	return fmt.Errorf("%w: %s: the server replaced an object although the request forbade it (ifGenerationMatch=0): it cannot keep evidence; use another endpoint", store.ErrUnfit, s.id)
}

// insertProbe inserts, and tries again while the store cannot answer. A 412
// after a lost answer says the same as any other: the server looked.
func (s *Store) insertProbe(ctx context.Context, u upload) (*storage.ObjectAttrs, error) {
	pause, begin := pauses, time.Now()
	for attempt := 1; ; attempt++ {
		a, err := s.insert(ctx, u)
		if err == nil || attempt == attempts || time.Since(begin) > retryFor || ctx.Err() != nil {
			return a, err
		}
		if _, class := s.classify(err); status(err) == http.StatusPreconditionFailed || !errors.Is(class, store.ErrUnavailable) {
			return a, err
		}
		if err := sleep(ctx, pause.Pause()); err != nil {
			return nil, err
		}
	}
}
