package logproof

import (
	"container/list"
	"sync"
)

// A Cache keeps what has been verified, up to a number of bytes: what was used
// longest ago goes first. Many logs can share one. It serves many goroutines.
type Cache struct {
	limit int64

	mu    sync.Mutex // guards what follows
	size  int64
	items map[any]*list.Element
	order *list.List // of *item, the last used one in front
}

type item struct {
	key, value any
	size       int64
}

// itemBytes is about what an item takes beside its value.
const itemBytes = 256

// NewCache returns a cache for this many bytes. With 0 it keeps nothing.
func NewCache(limit int64) *Cache {
	return &Cache{limit: limit, items: map[any]*list.Element{}, order: list.New()}
}

// Size is the number of bytes in the cache.
func (c *Cache) Size() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.size
}

// get returns nil for what is not there.
func (c *Cache) get(key any) any {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.items[key]
	if e == nil {
		return nil
	}
	c.order.MoveToFront(e)
	return e.Value.(*item).value
}

// put keeps a value that takes so many bytes, unless it is there or larger than
// the cache.
func (c *Cache) put(key, value any, size int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if size += itemBytes; size > c.limit || c.items[key] != nil {
		return
	}
	for c.size+size > c.limit {
		e := c.order.Back()
		old := c.order.Remove(e).(*item)
		delete(c.items, old.key)
		c.size -= old.size
	}
	c.items[key] = c.order.PushFront(&item{key, value, size})
	c.size += size
}
