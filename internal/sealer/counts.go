package sealer

import (
	"cmp"
	"maps"

	"github.com/otelcol-custody/custody/ledger/record"
	"github.com/otelcol-custody/custody/ledger/segment"
)

// Names by which records say where they came from and what became of them.
const (
	AttrReceiver    = "audit.ingest.receiver" // of the resource: a string
	AttrQuarantined = "audit.quarantined"     // of the record: true
)

// A producer can send any name. Longer ones, and those beyond so many in a
// segment, are counted together, so that a closed record always fits its limit.
const (
	unnamed      = "unnamed" // stands for a receiver that does not say who it is
	others       = "others"
	maxName      = 128
	maxReceivers = 256
)

// nameIn is the name under which a receiver is counted in m.
func nameIn[T any](m map[string]T, receiver string) string {
	name := cmp.Or(receiver, unnamed)
	if _, known := m[name]; len(name) > maxName || !known && len(m) >= maxReceivers {
		return others
	}
	return name
}

// Names of the counts in closed records (spec §7).
const (
	received    = "received"
	sealed      = "sealed"
	quarantined = "quarantined"
	refused     = "refused"
	duplicate   = "duplicate"
	lost        = "lost"
)

// tally counts a committed batch. What nobody reports is not known, and its name
// is left out of the counts.
func (p *pool) tally(b *Batch) {
	for receiver, t := range b.Counts {
		c := p.countsOf(receiver)
		c[sealed] += t.Records
		c[quarantined] += t.Quarantined
	}
	if b.upstream != nil {
		p.accounts[nameIn(p.accounts, b.upstream.Receiver)] = true
		c := p.countsOf(b.upstream.Receiver)
		more, gone := b.upstream.Take()
		c[duplicate] += more
		c[lost] += gone
	}
}

func (p *pool) countsOf(receiver string) segment.Counts { return countsOf(p.counts, receiver) }

func countsOf(counts map[string]segment.Counts, receiver string) segment.Counts {
	receiver = nameIn(counts, receiver)
	c, ok := counts[receiver]
	if !ok {
		c = segment.Counts{sealed: 0, quarantined: 0}
		counts[receiver] = c
	}
	return c
}

// closingCounts are the counts since the last closed record. Of what a crash
// left nobody knows any more what was refused.
func (p *pool) closingCounts(reason segment.Reason) map[string]segment.Counts {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	out := map[string]segment.Counts{}
	for receiver, c := range p.counts {
		out[receiver] = maps.Clone(c)
	}
	if reason == segment.Recovered {
		return out
	}
	for receiver := range p.s.refused {
		if _, known := out[receiver]; !known {
			out[receiver] = segment.Counts{sealed: 0, quarantined: 0}
		}
		if p.accounts[receiver] { // It would have said so.
			out[receiver][duplicate] += 0
			out[receiver][lost] += 0
		}
	}
	for receiver, c := range out {
		c[refused] = p.s.refused[receiver]
		c[received] = c[sealed] + c[refused] + c[duplicate]
	}
	return out
}

// Refused counts records that were refused together with others of their message
// and are in no batch, by receiver.
func (s *Sealer) Refused(records map[string]int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for receiver, n := range records {
		s.refused[nameIn(s.refused, receiver)] += n
	}
}

func (s *Sealer) countRefused(b *Batch) {
	records := make(map[string]int64, len(b.Counts))
	for receiver, t := range b.Counts {
		records[receiver] = t.Records
	}
	s.Refused(records)
}

// oversize is what the log says in the place of a record beyond the limits
// (spec §3.6). Its receiver is not known from the line.
const oversize = "oversize"

// tallyLines counts the records of a journal that a crash left.
func tallyLines(counts map[string]segment.Counts, g *group) {
	for _, line := range segment.Lines(g.lines) {
		r, err := record.ParseLine(line)
		if err != nil {
			continue // The line is sealed as it is; only this count is poorer.
		}
		if len(r.Custody) > 0 && r.Custody[0].Key != oversize {
			continue // The log's own word, which no receiver brought.
		}
		c := countsOf(counts, find(r.Resource.Attributes, AttrReceiver).Str)
		c[sealed]++
		if q := find(r.Attributes, AttrQuarantined); q.Kind == record.Bool && q.Num == 1 {
			c[quarantined]++
		}
	}
}

func find(kvs []record.KeyValue, key string) record.Value {
	for _, kv := range kvs {
		if kv.Key == key {
			return kv.Value
		}
	}
	return record.Value{}
}
