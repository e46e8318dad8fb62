package sealer

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/otelcol-custody/custody/internal/delivery"
	"github.com/otelcol-custody/custody/ledger/checkpoint"
	"github.com/otelcol-custody/custody/ledger/seal"
	"github.com/otelcol-custody/custody/ledger/segment"
	"github.com/otelcol-custody/custody/ledger/tree"
)

// press turns closed journals into segments, one behind the other.
type press struct {
	s     *Sealer
	place seal.Place // behind the newest seal; only run uses it
	enc   *segment.Encoder
	dec   *segment.Decoder
	all   group // scratch: a segment's lines are large
}

// run seals journals until the channel is closed. A fault is retried: the
// journal has the records. When retries are to end it seals no more, however many
// wait: the next start does.
func (p *press) run(closed <-chan uint64) {
	p.open()
	defer p.dec.Close()
	for first := range closed {
		if p.s.running.Err() != nil {
			return
		}
		for wait := p.s.backoff(); ; wait.next() {
			err := p.seal(first)
			if err == nil {
				p.s.obs.Better(Spool)
				break
			}
			p.s.obs.Trouble(Spool, fmt.Errorf("seal segment %d: %w", first, err))
			if errors.Is(err, ErrDamaged) {
				// Records behind it could never be sealed, so none are taken.
				p.s.fail(err)
				return
			}
			if !wait.sleep(p.s.quit) {
				return // The journal stays; the next start seals it.
			}
		}
	}
}

func (p *press) open() { p.enc, p.dec = segment.NewEncoder(), segment.NewDecoder() }

// seal makes the segment of one closed journal and spools it.
func (p *press) seal(first uint64) error {
	path := journalPath(p.s.cfg.Dir, first)
	content, err := readJournal(p.s.cfg.FS, path)
	if err != nil {
		return err
	}
	objects, v, err := p.build(content)
	if err != nil {
		return err
	}
	if err := spool(p.s.cfg.FS, p.s.cfg.Dir, first, objects); err != nil {
		return err
	}
	p.place = v.Place()
	p.s.sealed(v, content.size)
	if err := removeJournal(p.s.cfg.FS, path); err != nil {
		// It is sealed: the next start removes it.
		p.s.obs.Notice(fmt.Sprintf("journal %s is sealed and could not be removed: %v", path, err))
	}
	return nil
}

// build is a pure function of a closed journal's content and the log's place:
// doing it again gives the same bytes and the same signatures.
func (p *press) build(c *contents) (*delivery.Objects, *seal.Verified, error) {
	if !c.closed || c.header.first != p.place.Edge.Size() || c.header.previous != p.place.Link {
		return nil, nil, fmt.Errorf("%w: journal %d does not continue the log at %d", ErrDamaged, c.header.first, p.place.Edge.Size())
	}
	all := &p.all
	all.join(c.groups)
	h := segment.Header{Origin: p.place.Origin, First: c.header.first, Count: all.count(), Bytes: len(all.lines), Seed: c.header.seed}
	object, err := p.enc.Append(nil, h, all.lines)
	if err != nil {
		return nil, nil, err
	}
	if err := p.reread(object, all.lines); err != nil {
		return nil, nil, err
	}
	closing := c.groups[len(c.groups)-1]
	v, tiles, err := seal.Build(p.place, seal.Content{
		Object: object, Seed: c.header.seed, Digests: all.digests,
		ClosedLine: closing.lines[:len(closing.lines)-1], Checkpoints: p.s.cfg.Signer,
	})
	if err != nil {
		return nil, nil, err
	}
	o := &delivery.Objects{Segment: object, Seal: v.Bytes()}
	for _, t := range tiles {
		o.Tiles = append(o.Tiles, t.Bytes())
	}
	return o, v, nil
}

// reread inflates what is about to be signed for and compares it with the lines
// whose digests are in the tree: a bit that flipped on the way must not be
// sealed.
func (p *press) reread(object, lines []byte) error {
	s, err := segment.Parse(object)
	if err != nil {
		return err
	}
	got, err := p.dec.Inflate(s)
	if err == nil && !bytes.Equal(got, lines) {
		err = fmt.Errorf("a segment just made does not inflate to its lines (%x): check this machine's memory", sha256.Sum256(got))
	}
	return err
}

// closedRecord makes the line that closes a segment.
func (s *Sealer) closedRecord(h *journalHeader, records int, reason segment.Reason, counts map[string]segment.Counts) ([]byte, error) {
	now := segment.Nearest(s.cfg.Now()) // A wrong clock is written down, and stops nothing.
	c := segment.Closed{
		At: now, First: h.first, Count: records + 1, Counts: counts, Key: s.cfg.Signer.ID(),
		NextBy: segment.Nearest(now.Add(max(s.cfg.MaxAge, s.cfg.Heartbeat) + closingGrace)), Reason: reason,
		Software: s.cfg.Software, Unfenced: !s.fenced.Load(),
	}
	if reason == segment.Ended {
		c.NextBy = time.Time{}
	}
	if s.cfg.RetainFor > 0 {
		c.RetainUntil = segment.Nearest(now.Add(s.cfg.RetainFor))
	}
	return c.Line()
}

// closingGrace is what closing a segment may take beyond its interval before a
// reader may call it overdue.
const closingGrace = 30 * time.Second

// sign makes a checkpoint over the log's place behind durable records.
func (s *Sealer) sign(at *chain) ([]byte, error) {
	return checkpoint.Sign(checkpoint.Checkpoint{Origin: s.cfg.Signer.Name(), Size: at.edge.Size(), Root: tree.Hash(at.edge.Root())}, s.cfg.Signer)
}
