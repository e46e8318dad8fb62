// Package generic reads the audit events of a private cloud's own format, by a [Mapping]
// that is configured and not programmed: JSON objects in which paths lead to who, what,
// on what, when, from where and with what outcome. Every event becomes an [audit.Record]
// whose body is the event's own bytes, secrets included: nothing is masked. How to write
// a mapping is in docs/mappings.md, with those in examples/mappings.
package generic

import (
	"errors"
	"fmt"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/internal/draft"
	"github.com/otelcol-custody/custody/audit/internal/frame"
	"github.com/otelcol-custody/custody/audit/internal/jsonscan"
)

// The reasons why bytes are quarantined, beside those of broken JSON.
var (
	// ErrNotFile means that the bytes hold no events.
	ErrNotFile = errors.New("not what the mapping describes: expected events as JSON objects")
	// ErrNotEvent means that an element among events is not one by the mapping.
	ErrNotEvent = errors.New("not an event by the mapping")
)

// A Parser reads events by one mapping. Only [New] makes one. It may be used by several
// goroutines at once.
type Parser struct {
	plan
	format frame.Format
	table  *jsonscan.Table
}

// Parse calls emit once for every event of inflated data, in its order: in a list, in the
// mapping's lists, one after another or line by line. The record and its Attributes are
// reused: they are valid until emit returns. Body points into data. What cannot be read,
// or lacks a path that the mapping requires, is quarantined; the only errors that Parse
// returns are emit's.
func (p *Parser) Parse(data []byte, emit func(*audit.Record) error) (audit.Counts, error) {
	return frame.Tabled(&p.format, p.table, p.mapEvent, data, emit)
}

func (p *Parser) mapEvent(f *jsonscan.Fields, d *draft.Draft) error {
	for _, r := range p.require {
		if k := f.Kind(r.field); k == jsonscan.None || k == jsonscan.Null {
			return fmt.Errorf("%w: there is no %s", ErrNotEvent, r.path)
		}
	}
	account, region := p.account.of(f), p.region.of(f)
	d.Rec.Resource = audit.Resource{
		Provider: p.provider, Product: p.product, Stream: p.stream, AccountID: account, Region: region, OrgID: p.org.of(f),
	}
	d.Identify(draft.First(p.provider, p.product), p.scopeOf(f, account, region), p.id.of(f))
	p.setTime(f, d)
	p.classify(f, d)
	outcome := p.outcome.put(f, d)
	p.actor.put(f, d)
	p.source.put(f, d)
	for _, t := range p.targets {
		t.add(f, d)
	}
	d.PutTargets()
	d.PutList(audit.AttrPrivileges, p.privileges.all(f)...)
	for _, s := range p.simple {
		d.Put(s.attr, s.paths.of(f))
	}
	d.Put(audit.AttrURLPath, draft.WithoutQuery(p.urlPath.of(f)))
	if outcome != audit.OutcomeSuccess {
		d.Put(audit.AttrOutcomeReason, p.outcome.reason.of(f))
	}
	return nil
}

// scopeOf is within what the event's id is unique.
func (p *Parser) scopeOf(f *jsonscan.Fields, account, region string) string {
	if len(p.scope) == 0 {
		return account + "/" + region
	}
	scope := ""
	for i, field := range p.scope {
		if i > 0 {
			scope += "/"
		}
		scope += f.Str(field)
	}
	return scope
}
