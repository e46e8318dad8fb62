package storetest

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/otelcol-custody/custody/store"
)

// Memory is a store in memory with versions, delete markers and retention. It
// implements [store.Versioned] and [store.Retainer]. Its state outlives Close, as a real store's
// does, so a test can give it to the next process.
type Memory struct {
	id string

	mu      sync.Mutex // guards objects
	objects map[string][]version
}

type version struct {
	info store.Info
	data []byte
}

// NewMemory returns an empty store whose ID is "memory://" and id.
func NewMemory(id string) *Memory {
	return &Memory{id: "memory://" + id, objects: map[string][]version{}}
}

// ID implements [store.Store].
func (m *Memory) ID() string { return m.id }

// Close implements [store.Store].
func (m *Memory) Close() error { return nil }

// PutOnce implements [store.Store].
func (m *Memory) PutOnce(ctx context.Context, name string, data []byte, opt store.PutOptions) (store.Info, error) {
	if err := cmp.Or(ctx.Err(), store.CheckName(name)); err != nil {
		return store.Info{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if v, ok := m.latest(name); ok {
		if !bytes.Equal(v.data, data) {
			return store.Info{}, fmt.Errorf("%w: %s", store.ErrExists, name)
		}
		v.info.Retention = m.retain(name, v.info.Version, opt.Retention)
		return v.info, nil
	}
	return m.add(name, data, opt.Retention, false), nil
}

// add makes a new version. The caller holds mu.
func (m *Memory) add(name string, data []byte, r store.Retention, marker bool) store.Info {
	info := store.Info{
		Name: name, Size: int64(len(data)), SHA256: sha256.Sum256(data), Version: strconv.Itoa(len(m.objects[name]) + 1),
		Modified: time.Now().UTC(), Retention: r, DeleteMarker: marker,
	}
	m.objects[name] = append(m.objects[name], version{info, bytes.Clone(data)})
	info.Latest = true
	return info
}

// latest returns what a plain read finds. The caller holds mu.
func (m *Memory) latest(name string) (version, bool) {
	vs := m.objects[name]
	if len(vs) == 0 || vs[len(vs)-1].info.DeleteMarker {
		return version{}, false
	}
	v := vs[len(vs)-1]
	v.info.Latest = true
	return v, true
}

// Shadow hides an object below a newer version, as a plain write does on a
// versioned bucket although the object is locked.
func (m *Memory) Shadow(name string, data []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.add(name, data, store.Retention{}, false)
}

// Hide puts a delete marker on an object, as a plain delete does on a
// versioned bucket although the object is locked.
func (m *Memory) Hide(name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.add(name, nil, store.Retention{}, true)
}

// Erase removes an object with all its versions, as an attacker may on a
// store without locks.
func (m *Memory) Erase(name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.objects, name)
}

func (m *Memory) read(ctx context.Context, name string) (version, error) {
	if err := cmp.Or(ctx.Err(), store.CheckName(name)); err != nil {
		return version{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	v, ok := m.latest(name)
	if !ok {
		return version{}, fmt.Errorf("%w: %s", store.ErrNotFound, name)
	}
	return v, nil
}

// Get implements [store.Store].
func (m *Memory) Get(ctx context.Context, name string) (io.ReadCloser, store.Info, error) {
	v, err := m.read(ctx, name)
	if err != nil {
		return nil, store.Info{}, err
	}
	return io.NopCloser(bytes.NewReader(v.data)), v.info, nil
}

// GetRange implements [store.Store].
func (m *Memory) GetRange(ctx context.Context, name string, off, n int64) ([]byte, error) {
	v, err := m.read(ctx, name)
	if err != nil {
		return nil, err
	}
	if off < 0 || n < 0 {
		return nil, fmt.Errorf("range of %s: offset %d and length %d must not be negative", name, off, n)
	}
	rest := v.data[min(off, int64(len(v.data))):]
	return bytes.Clone(rest[:min(n, int64(len(rest)))]), nil
}

// List implements [store.Store].
func (m *Memory) List(ctx context.Context, prefix, after string) iter.Seq2[store.Info, error] {
	return func(yield func(store.Info, error) bool) {
		for _, name := range m.names(prefix, after) {
			m.mu.Lock()
			v, ok := m.latest(name)
			m.mu.Unlock()
			var shown bool
			v.info.Name, shown = store.Shown(name, v.info.Size)
			if ok && shown && ctx.Err() == nil && !yield(v.info, nil) {
				return
			}
		}
		if err := ctx.Err(); err != nil {
			yield(store.Info{}, err)
		}
	}
}

// names are those with the prefix and behind after, in order.
func (m *Memory) names(prefix, after string) []string {
	m.mu.Lock()
	all := slices.Sorted(maps.Keys(m.objects))
	m.mu.Unlock()
	after = store.Stored(after)
	return slices.DeleteFunc(all, func(name string) bool { return !strings.HasPrefix(name, prefix) || name <= after })
}

// Stat implements [store.Store].
func (m *Memory) Stat(ctx context.Context, name string) (store.Info, error) {
	v, err := m.read(ctx, name)
	return v.info, err
}

// Versions implements [store.Store].
func (m *Memory) Versions(ctx context.Context, name string) ([]store.Info, error) {
	if err := cmp.Or(ctx.Err(), store.CheckName(name)); err != nil {
		return nil, err
	}
	out := m.all(name)
	if out == nil {
		return nil, fmt.Errorf("%w: %s", store.ErrNotFound, name)
	}
	return store.Ends(out, store.MaxVersions), nil
}

// all describes all versions and delete markers of a name, the newest first.
func (m *Memory) all(name string) (out []store.Info) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, v := range slices.Backward(m.objects[name]) {
		v.info.Latest = len(out) == 0
		out = append(out, v.info)
	}
	return out
}
