package follow

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"go.opentelemetry.io/collector/extension/xextension/storage"
)

const keyPrefix = "follow/1/"

// pathKey names a path in memory and in the store, at a fixed cost.
type pathKey [16]byte

func keyOf(path string) pathKey {
	sum := sha256.Sum256([]byte(path))
	return pathKey(sum[:16])
}

func (k pathKey) String() string { return keyPrefix + "path/" + hex.EncodeToString(k[:]) }

func contentKey(digest [32]byte) string {
	return keyPrefix + "content/" + hex.EncodeToString(digest[:])
}

// A position is how far the delivery of one content has come.
type position struct {
	Events int    `json:"events"`
	Done   bool   `json:"done"`
	Path   string `json:"path"`
	Limit  int64  `json:"limit,omitempty"` // the limit that the content was over
}

// errDamaged means a stored position cannot be read. Its file is then delivered from
// the start: twice is mendable, never is not.
var errDamaged = errors.New("stored position is damaged; the file is read again from the start")

// recall reads the value at key into v and reports whether there was one.
func recall(ctx context.Context, from Positions, key string, v any) (bool, error) {
	data, err := from.Get(ctx, key)
	if err != nil {
		return false, fmt.Errorf("read position %s: %w", key, err)
	}
	if data == nil {
		return false, nil
	}
	if err := json.Unmarshal(data, v); err != nil {
		return false, fmt.Errorf("%w: %s: %w", errDamaged, key, err)
	}
	return true, nil
}

func set(key string, v any) *storage.Operation {
	data, err := json.Marshal(v)
	if err != nil {
		panic("follow: position cannot be encoded: " + err.Error())
	}
	return storage.SetOperation(key, data)
}

// save makes ops durable, however often it takes. It fails only when ctx ends.
func (f *Follower) save(ctx context.Context, ops ...*storage.Operation) error {
	if len(ops) == 0 {
		return nil
	}
	for failed := 1; ; failed++ {
		err := f.saveOnce(ctx, ops)
		f.state.setStorage(err)
		if err == nil {
			return nil
		}
		if !f.cfg.Retry.Wait(ctx, failed) {
			return err
		}
	}
}

func (f *Follower) saveOnce(ctx context.Context, ops []*storage.Operation) error {
	call, cancel := Outlast(ctx)
	defer cancel()
	if err := f.positions.Batch(call, ops...); err != nil {
		return fmt.Errorf("write position (is the storage extension's disk full?): %w", err)
	}
	return nil
}
