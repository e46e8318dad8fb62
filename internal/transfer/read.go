package transfer

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/otelcol-custody/custody/store"
)

// errTooLarge means that an object is longer than the format allows: somebody
// put it there, and nobody reads it.
var errTooLarge = errors.New("larger than the format allows")

// read reads one version of an object.
func read(ctx context.Context, s store.Store, info store.Info, limit int64) (data []byte, err error) {
	if info.Size > limit {
		return nil, fmt.Errorf("%s: %w: %d bytes, the limit is %d", info.Name, errTooLarge, info.Size, limit)
	}
	open := s.Get
	if v, ok := s.(store.Versioned); ok {
		open = func(ctx context.Context, name string) (io.ReadCloser, store.Info, error) {
			return v.GetVersion(ctx, name, info.Version)
		}
	}
	r, got, err := open(ctx, info.Name)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", info.Name, err)
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	if got.Size > limit {
		return nil, fmt.Errorf("%s: %w: %d bytes, the limit is %d", info.Name, errTooLarge, got.Size, limit)
	}
	data = make([]byte, got.Size)
	if _, err := io.ReadFull(r, data); err != nil {
		return nil, fmt.Errorf("read %s: %w", info.Name, err)
	}
	return data, nil
}
