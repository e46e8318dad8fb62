package awscloudtrailreceiver

import (
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/otelcol-custody/custody/internal/s3read"
)

// A tally counts what a look finds and does, and tells whoever wants to know. Its
// methods may be called concurrently.
type tally struct {
	mu   sync.Mutex
	now  BucketProgress
	tell func(BucketProgress) // nil: nobody
}

func (t *tally) begin(tell func(BucketProgress)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.now, t.tell = BucketProgress{}, tell
}

func (t *tally) change(f func(p *BucketProgress)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	f(&t.now)
	if t.tell != nil {
		p := t.now
		p.Found = max(p.Found, p.Done+p.Troubled) // Counting may be behind.
		t.tell(p)
	}
}

// done notes what became of an object.
func (t *tally) done(ref s3read.Ref, day string, what fate, events int) {
	t.change(func(p *BucketProgress) {
		p.Done++
		switch what {
		case delivered:
			p.Bytes += uint64(ref.Size)
			p.Events += uint64(events)
		case lost:
			p.Lost++
		default:
			p.Known++
		}
		p.Day, p.Region = strings.ReplaceAll(day, "/", "-"), regionIn(ref.Key)
	})
}

func (t *tally) trouble() { t.change(func(p *BucketProgress) { p.Troubled++ }) }

func (t *tally) end(err error) {
	t.change(func(p *BucketProgress) { p.Over, p.Err = true, err })
}

func (t *tally) troubled() int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return int64(t.now.Troubled)
}

// regionIn is the region in a key, which stands before year, month, day and name.
func regionIn(key string) string {
	parts := strings.Split(key, "/")
	if len(parts) < 5 {
		return ""
	}
	return parts[len(parts)-5]
}

// countAll counts ahead what the look will come to, so that it can be said how much is
// left. It costs one call for a thousand objects, and gives up at the first error: then
// nobody knows.
func (b *bucket) countAll(ctx context.Context, streams []*stream) {
	for _, s := range streams {
		for _, c := range b.open(slices.Concat(s.logs, s.digests), b.begin(s.mark)) {
			if !b.countOne(ctx, c) {
				return
			}
		}
	}
	b.tally.change(func(p *BucketProgress) { p.Counted = true })
}

// countOne counts one folder, and reports whether it came to its end.
func (b *bucket) countOne(ctx context.Context, c *cursor) bool {
	defer c.close()
	for {
		if err := c.next(ctx); err != nil || c.over {
			return err == nil
		}
		b.tally.change(func(p *BucketProgress) { p.Found++ })
	}
}
