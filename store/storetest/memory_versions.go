package storetest

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"iter"
	"strconv"

	"github.com/otelcol-custody/custody/store"
)

// GetVersion implements [store.Versioned].
func (m *Memory) GetVersion(ctx context.Context, name, version string) (io.ReadCloser, store.Info, error) {
	if err := cmp.Or(ctx.Err(), store.CheckName(name)); err != nil {
		return nil, store.Info{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	n, _ := strconv.Atoi(version)
	if vs := m.objects[name]; n > 0 && n <= len(vs) && !vs[n-1].info.DeleteMarker {
		info := vs[n-1].info
		info.Latest = n == len(vs)
		return io.NopCloser(bytes.NewReader(vs[n-1].data)), info, nil
	}
	return nil, store.Info{}, fmt.Errorf("%w: version %s of %s", store.ErrNotFound, version, name)
}

// ListVersions implements [store.Versioned].
func (m *Memory) ListVersions(ctx context.Context, prefix, after string) iter.Seq2[store.Info, error] {
	return func(yield func(store.Info, error) bool) {
		for _, name := range m.names(prefix, after) {
			for _, info := range m.all(name) {
				var shown bool
				info.Name, shown = store.Shown(name, info.Size)
				if ctx.Err() != nil {
					break
				}
				if shown && !yield(info, nil) {
					return
				}
			}
		}
		if err := ctx.Err(); err != nil {
			yield(store.Info{}, err)
		}
	}
}

// CheckLock implements [store.Retainer]; every mode is possible.
func (m *Memory) CheckLock(ctx context.Context, _ store.Mode) (store.Default, error) {
	return store.Default{}, ctx.Err()
}

// Extend implements [store.Retainer].
func (m *Memory) Extend(ctx context.Context, name, version string, r store.Retention) (store.Retention, error) {
	if err := cmp.Or(ctx.Err(), store.CheckName(name)); err != nil {
		return store.Retention{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	v, ok := m.latest(name)
	if version != "" {
		n, _ := strconv.Atoi(version)
		if ok = n > 0 && n <= len(m.objects[name]); ok {
			v = m.objects[name][n-1]
		}
	}
	if !ok || v.info.DeleteMarker {
		return store.Retention{}, fmt.Errorf("%w: %s, version %q", store.ErrNotFound, name, version)
	}
	return m.retain(name, v.info.Version, r), nil
}

// retain extends a version's retention and returns it. The caller holds mu.
func (m *Memory) retain(name, version string, r store.Retention) store.Retention {
	n, _ := strconv.Atoi(version)
	info := &m.objects[name][n-1].info
	info.Retention = info.Retention.Join(r)
	return info.Retention
}
