package sealer

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/otelcol-custody/custody/internal/durable"
	"github.com/otelcol-custody/custody/ledger"
	"github.com/otelcol-custody/custody/ledger/segment"
)

// pool owns the log: the order of its records and the open journal. Only run
// uses its fields.
type pool struct {
	s       *Sealer
	journal *journal // nil after a fault, until mend has made a new file
	header  journalHeader
	start   chain // where the open segment begins
	at      chain // behind its last durable record

	groups    int // frames of the open journal that are durable and answered
	records   int
	bytes     int
	accounted int64     // of the journal's bytes, in Sealer.used
	since     time.Time // of the first record; zero: none
	closing   time.Time // of the segment before, or of the start
	retry     time.Time // after a fault: when the pool next does something by itself
	signed    uint64    // size of the newest checkpoint
	ticked    time.Time // of the newest checkpoint
	counts    map[string]segment.Counts
	accounts  map[string]bool // receivers that report what they count
	callers   []*request      // who wait for the open segment's receipt
	runs      []*group        // scratch: what the next frame holds
}

// newPool takes the log over from the state. A journal that was left open is
// closed: what it holds is sealed now, and its segment says so.
func newPool(s *Sealer, st *state) (*pool, error) {
	now := time.Now()
	p := &pool{s: s, at: st.at, counts: map[string]segment.Counts{}, accounts: map[string]bool{}, closing: now, ticked: now}
	for _, first := range st.closed {
		s.closed <- first // There is room, and the press has not begun.
	}
	p.accounted = st.open.written // usage has counted it
	p.begin(st.open)
	for i := range st.groups {
		g := &st.groups[i]
		p.at.take(&p.header.seed, g.digests)
		p.records += g.count()
		p.bytes += len(g.lines)
		tallyLines(p.counts, g)
	}
	p.groups = len(st.groups)
	if p.records > 0 {
		return p, p.recovered()
	}
	return p, nil
}

// begin turns to the segment of this journal, at the chain's end.
func (p *pool) begin(j *journal) {
	p.journal, p.header = j, j.header
	p.start = chain{p.at.link, p.at.edge.Clone()}
	p.groups, p.records, p.bytes, p.since = 0, 0, 0, time.Time{}
	p.account()
}

// account adds what the open journal has grown by.
func (p *pool) account() {
	p.s.used.Add(p.journal.written - p.accounted)
	p.accounted = p.journal.written
}

// recovered closes what a crash left, so that it is sealed like everything else.
func (p *pool) recovered() error {
	p.s.obs.Notice(fmt.Sprintf("recovered %d journalled records from %d on", p.records, p.header.first))
	return p.rotate(segment.Recovered)
}

func (p *pool) run() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case r := <-p.s.submit:
			p.take(r)
		case <-timer.C:
			p.tick()
		case <-p.s.stop:
			p.finish()
			return
		}
		timer.Reset(time.Until(p.due()))
	}
}

// due is when the pool next has something to do by itself.
func (p *pool) due() time.Time {
	due := p.closing.Add(p.s.cfg.Heartbeat)
	if p.records > 0 {
		due = p.since.Add(p.age())
	}
	if p.at.edge.Size() > p.signed && p.at.edge.Size() > p.start.edge.Size() {
		if t := p.ticked.Add(p.s.cfg.Checkpoint); t.Before(due) {
			due = t
		}
	}
	if p.journal == nil || due.Before(p.retry) {
		return p.retry
	}
	return due
}

// stalled says that the segment was due and could not be closed.
func (p *pool) stalled() bool { return len(p.s.closed) == cap(p.s.closed) }

// age is the largest age of the open segment.
func (p *pool) age() time.Duration {
	if len(p.callers) > 0 {
		return min(p.s.cfg.MaxAge, AwaitedAge)
	}
	return p.s.cfg.MaxAge
}

// take journals a request, and with it those that wait already.
func (p *pool) take(r *request) {
	requests := []*request{r}
	records, size := r.batch.Len(), r.batch.Bytes()
	for records < maxGroupRecords && size < maxGroupBytes {
		select {
		case r := <-p.s.submit:
			requests = append(requests, r)
			records += r.batch.Len()
			size += r.batch.Bytes()
			continue
		default:
		}
		break
	}
	p.runs = p.runs[:0]
	for _, r := range requests {
		p.runs = append(p.runs, &r.batch.group)
	}
	err := p.commit(records, size)
	clear(p.runs) // Batches are their callers' again.
	for _, r := range requests {
		p.answer(r, err)
	}
	if err == nil && p.full() {
		_ = p.rotate(segment.BySize) // It has been reported, and is tried again.
	}
}

// full says that the segment has reached its size.
func (p *pool) full() bool { return p.bytes >= p.s.cfg.MaxBytes || p.records >= ledger.MaxRecords/2 }

// commit makes the runs durable, which have so many records and bytes.
func (p *pool) commit(records, size int) error {
	if records == 0 {
		return nil // They bring counts alone, which no journal holds.
	}
	if p.full() { // The last try to close the segment failed.
		if err := p.rotate(segment.BySize); err != nil {
			return err
		}
	}
	if err := p.mend(); err != nil {
		return err
	}
	if err := p.journal.write(kindGroup, p.runs...); err != nil {
		return p.broken(err)
	}
	synced := make(chan error, 1)
	go func() { synced <- p.sync() }()
	for _, g := range p.runs { // meanwhile; mend takes it back after a fault
		p.at.take(&p.header.seed, g.digests)
	}
	if err := <-synced; err != nil {
		return p.broken(err)
	}
	// Commit point of the records: their places are fixed for ever.
	if err := p.journal.answering(); err != nil {
		return p.broken(err)
	}
	p.groups++
	p.records += records
	p.bytes += size
	if p.since.IsZero() {
		p.since = time.Now()
	}
	p.account()
	p.s.obs.Better(Journal)
	return nil
}

// answer tells a caller, or keeps it until the segment is stored.
func (p *pool) answer(r *request, err error) {
	if err != nil {
		p.s.countRefused(r.batch)
		r.done <- err
		return
	}
	p.tally(r.batch)
	if p.s.cfg.AckStored && r.batch.Len() > 0 {
		p.callers = append(p.callers, r)
		return
	}
	r.done <- nil
}

// trouble reports a fault; what is due waits a moment.
func (p *pool) trouble(err error) error {
	p.retry = time.Now().Add(time.Second)
	p.s.obs.Trouble(Journal, err)
	return err
}

// broken gives the journal file up: what a failed call left in it is unknown.
func (p *pool) broken(err error) error {
	if p.journal != nil {
		_ = p.journal.close() // The file is given up; its error would say nothing new.
		p.journal = nil
	}
	return p.trouble(err)
}

// mend makes sure that there is a journal file to write to. After a fault it
// writes the answered groups, read back and checked, to a new file; groups that
// nobody was answered for go.
func (p *pool) mend() error {
	if p.journal != nil {
		return nil
	}
	content, err := readJournal(p.s.cfg.FS, journalPath(p.s.cfg.Dir, p.header.first))
	if err != nil {
		return p.broken(err)
	}
	if len(content.groups) < p.groups {
		return p.broken(damaged(journalPath(p.s.cfg.Dir, p.header.first), fmt.Errorf("it reads back with %d frames, %d were answered", len(content.groups), p.groups)))
	}
	groups := content.groups[:p.groups]
	j, err := createJournal(p.s.cfg.FS, p.s.cfg.Dir, newHeaderLike(p.header), groups, false)
	if err != nil {
		return p.broken(fmt.Errorf("journal: %w", err))
	}
	p.journal, p.header = j, j.header
	p.account()
	p.at = chain{p.start.link, p.start.edge.Clone()}
	for i := range groups {
		p.at.take(&p.header.seed, groups[i].digests)
	}
	p.s.obs.Better(Journal)
	return nil
}

// tick does what time asks for.
func (p *pool) tick() {
	now := time.Now()
	switch {
	case now.Before(p.retry):
	case p.journal == nil && p.mend() != nil:
	case p.records > 0 && now.Sub(p.since) >= p.age():
		_ = p.rotate(segment.ByAge) // It has been reported, and is tried again.
	case p.records == 0 && now.Sub(p.closing) >= p.s.cfg.Heartbeat:
		_ = p.rotate(segment.Heartbeat)
	default:
		p.checkpoint()
	}
}

// rotate closes the segment with the log's own record, hands its journal to the
// press, and turns to the next one.
func (p *pool) rotate(reason segment.Reason) error {
	if p.stalled() {
		return p.trouble(fmt.Errorf("%w: %d journals wait to be sealed", ErrFull, len(p.s.closed)))
	}
	if err := p.mend(); err != nil {
		return err
	}
	counts := p.closingCounts(reason)
	line, err := p.s.closedRecord(&p.header, p.records, reason, counts)
	if err != nil {
		return p.trouble(fmt.Errorf("close segment %d: %w", p.header.first, err))
	}
	var g group
	g.addLine(line)
	// The next journal comes first: so there is an open one at every moment, and
	// one that is missing was taken away.
	behind := chain{p.at.link, p.at.edge.Clone()}
	behind.take(&p.header.seed, g.digests)
	next, err := createJournal(p.s.cfg.FS, p.s.cfg.Dir, newHeader(p.header.origin, behind.edge.Size(), behind.link), nil, false)
	if err != nil {
		return p.trouble(fmt.Errorf("close segment %d: next journal: %w", p.header.first, err))
	}
	err = p.journal.write(kindClosing, &g)
	if err == nil {
		err = p.journal.sync()
	}
	if err != nil {
		// The next journal stays unused; whoever reads the folder knows it by that.
		return errors.Join(p.broken(err), next.close())
	}
	p.account()
	next.buf = p.journal.buf
	p.handOver(counts)
	p.at, p.closing, p.accounted = behind, time.Now(), 0
	p.begin(next)
	p.s.obs.Better(Journal)
	return nil
}

// handOver gives the closed journal to the press, and its callers to the courier.
func (p *pool) handOver(counts map[string]segment.Counts) {
	_ = p.journal.close() // Everything in it is durable.
	if p.since.IsZero() {
		p.since = time.Now()
	}
	p.s.mu.Lock()
	p.s.since[p.header.first] = p.since
	if len(p.callers) > 0 {
		p.s.waiting[p.header.first] = p.callers
	}
	for receiver, c := range counts {
		if p.s.refused[receiver] -= c[refused]; p.s.refused[receiver] == 0 {
			delete(p.s.refused, receiver)
		}
	}
	p.s.mu.Unlock()
	p.callers = nil
	clear(p.counts)
	p.s.closed <- p.header.first
}

// checkpoint signs where the log stands behind durable records.
func (p *pool) checkpoint() {
	size := p.at.edge.Size()
	if p.journal == nil || size <= p.signed || size == p.start.edge.Size() {
		return
	}
	note, err := p.s.sign(&p.at)
	if err == nil {
		// First remembered, then shown: a restart must not sign another root for
		// this size.
		err = durable.WriteFile(p.s.cfg.FS, filepath.Join(p.s.cfg.Dir, checkpointFile), note, 0o600)
	}
	p.ticked = time.Now()
	if err != nil {
		p.s.obs.Trouble(Journal, fmt.Errorf("checkpoint: %w", err))
		return
	}
	p.signed = size
	p.s.courier.show(note)
}

// finish closes the last segment, with the log's own word that it stops. A log that was forked is not continued by a single record.
func (p *pool) finish() {
	defer close(p.s.closed)
	if p.s.Fatal() != nil {
		p.dismiss()
		return
	}
	if p.s.ended.Load() { // before this process began
		_ = p.journal.close()
		return
	}
	reason, ctx := p.s.lastWord()
	if reason == segment.Shutdown {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, maxFinish)
		defer cancel()
	}
	wait := p.s.backoff()
	for p.rotate(reason) != nil {
		select {
		case <-ctx.Done():
			p.dismiss() // The journal holds the records; the next start seals them.
			return
		case <-time.After(wait.d):
			wait.next()
		}
	}
	p.s.ended.Store(reason == segment.Ended)
	_ = p.journal.close() // It is empty.
}

// maxFinish is how long a stop tries to close the last segment on a disk that
// does not take it.
const maxFinish = 10 * time.Second

func (p *pool) dismiss() {
	for _, r := range p.callers {
		r.done <- p.s.stopped()
	}
	if p.journal != nil {
		_ = p.journal.close() // Everything answered in it is durable.
	}
}
