package azblobstore

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/bloberror"

	"github.com/otelcol-custody/custody/store"
)

// hidden is where probes lie, one of a kind each day: names below it are no
// objects' names, so listings leave them out.
const hidden = ".custody/"

func today() string { return time.Now().UTC().Format(time.DateOnly) }

// probe makes sure that what is there is not overwritten.
func (s *Store) probe(ctx context.Context) error {
	name := hidden + "probe-" + today()
	for range 2 {
		_, err := s.create(ctx, name, digest([]byte("custody: is If-None-Match honoured?\n")), store.Retention{})
		if errors.Is(err, errThere) {
			return nil // Also when it is from earlier today.
		}
		if err != nil {
			return err
		}
	}
	return fmt.Errorf("%w: account_url: %s overwrites blobs although If-None-Match forbids it; use a server that honours it", store.ErrUnfit, s.id)
}

// probeLock looks at what becomes of a blob with a policy of about a day, and
// tries to delete it.
func (s *Store) probeLock(ctx context.Context, mode store.Mode, containerPolicy bool) error {
	name := hidden + "lock-" + mode.String() + "-" + today()
	until := time.Now().UTC().Truncate(24 * time.Hour).Add(48 * time.Hour) // The same all day.
	err := s.probeLockAs(ctx, name, store.Retention{Mode: mode, Until: until})
	if err != nil && ctx.Err() == nil {
		if _, there := s.stat(ctx, name, ""); there == nil {
			// Another version put it, or somebody planted it: what lies there
			// must not keep anybody from starting.
			err = s.probeLockAs(ctx, name+"-"+rand.Text(), store.Retention{Mode: mode, Until: until})
		}
	}
	if errors.Is(err, store.ErrRetention) && containerPolicy {
		return fmt.Errorf("%w (container %s has a container-level policy, which cannot be combined with dates of single blobs)", err, s.container)
	}
	return err
}

func (s *Store) probeLockAs(ctx context.Context, name string, want store.Retention) error {
	info, err := s.putOnce(ctx, name, digest([]byte("custody: is this retained?\n")), want)
	if err != nil {
		return err
	}
	return s.tryDelete(ctx, name, info.Version)
}

// tryDelete deletes a probe, the only thing that this package ever deletes,
// and wants to be refused. It does not matter whether by the policy or, since
// a writer should have no right to delete, by its permissions. A current
// version cannot be deleted by its name, so a plain delete makes it a previous
// one first, where the service lets it.
func (s *Store) tryDelete(ctx context.Context, name, version string) error {
	for _, v := range []string{version, "", version} {
		client, err := s.blob(name, v)
		if err != nil {
			return err
		}
		_, err = client.Delete(ctx, nil)
		var e *azcore.ResponseError
		switch {
		case bloberror.HasCode(err, bloberror.OperationNotAllowedOnRootBlob), err == nil && v != version:
			continue
		case err == nil:
			return fmt.Errorf("%w: %s deleted a blob that its immutability policy retains; %s", store.ErrRetention, s.id, wormHint)
		case ctx.Err() == nil && errors.As(err, &e) && (e.StatusCode == http.StatusConflict || e.StatusCode == http.StatusForbidden):
			return nil
		}
		return s.fail(ctx, "check container "+s.container, err)
	}
	return fmt.Errorf("%w: %s: another process works on the same probe", store.ErrUnavailable, s.id)
}
