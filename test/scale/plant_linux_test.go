package scale

import (
	"crypto/md5"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/otelcol-custody/custody/internal/logstore"
	"github.com/otelcol-custody/custody/ledger"
)

// plot is the folder in which versitygw keeps a bucket.
type plot struct {
	t   testing.TB
	dir string
}

// genuine is how many segments are real: more than any reader of the end looks at.
const genuine = 16

// log plants n objects of a log, half of them seals, and returns the log to go
// on with and its newest seal. The last few are genuine. Those before only have
// the right names, and segments the bytes that these name: nothing that is
// measured opens those seals.
func (p *plot) log(name string, n int) (c *chain, head []byte) {
	p.t.Helper()
	for _, dir := range []string{ledger.SegmentsDir, ledger.SealsDir} {
		if err := os.MkdirAll(filepath.Join(p.dir, name, dir), 0o700); err != nil {
			p.t.Fatal(err)
		}
	}
	dummies := uint64(n/2 - genuine)
	var g errgroup.Group
	g.SetLimit(4)
	for i := range dummies {
		g.Go(func() error {
			data := fmt.Append(nil, "placeholder ", i)
			return p.pair(name, i, ledger.SegmentName(i, sha256.Sum256(data)), data, data)
		})
	}
	if err := g.Wait(); err != nil {
		p.t.Fatal(err)
	}
	c = grown(p.t, name, dummies)
	for range genuine {
		v, o := c.next(p.t)
		if err := p.pair(name, v.First, v.SegmentName(), o.Segment, o.Seal); err != nil {
			p.t.Fatal(err)
		}
		head = o.Seal
	}
	return c, head
}

// pair plants a segment and its seal.
func (p *plot) pair(log string, first uint64, name string, segment, seal []byte) error {
	if err := p.plant(logstore.ObjectName(log, name), segment, 2*first); err != nil {
		return err
	}
	return p.plant(logstore.SealName(log, first, 0), seal, 2*first+1)
}

// plant puts an object into the bucket as versitygw itself leaves it.
func (p *plot) plant(name string, data []byte, number uint64) error {
	path := filepath.Join(p.dir, filepath.FromSlash(name))
	if err := os.WriteFile(path, data, 0o600); err != nil {
		return err
	}
	for key, value := range map[string]string{
		"user.etag":         fmt.Sprintf("%q", fmt.Sprintf("%x", md5.Sum(data))),
		"user.version-id":   fmt.Sprintf("%026d", number), // in the form of a ULID
		"user.content-type": "application/octet-stream",
	} {
		if err := syscall.Setxattr(path, key, []byte(value), 0); err != nil {
			return fmt.Errorf("%s: set attribute %s: %w; point TMPDIR to a file system with extended attributes", path, key, err)
		}
	}
	return nil
}
