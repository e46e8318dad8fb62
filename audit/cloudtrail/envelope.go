package cloudtrail

import (
	"fmt"
	"strings"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/internal/frame"
	"github.com/otelcol-custody/custody/audit/internal/jsonscan"
)

// isEnvelope knows what is around a single event: a log event of CloudWatch Logs and an
// element of what LookupEvents answers hold it as a string, an EventBridge event as an
// object.
//
// Sources:
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html,
// https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html,
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html
func (f *fields) isEnvelope() bool {
	return f.has(slotMessage) || f.has(slotLookup) || f.has(slotDetail)
}

// unwrap makes the record of the event in an envelope. The envelope is no part of its
// body, and differs from delivery to delivery.
func (p *parser) unwrap(e *frame.Element) (*audit.Record, error) {
	body, err := p.content()
	if err != nil {
		return nil, err
	}
	if p.inner == nil {
		p.inner = newParser(nil)
	}
	in := p.inner
	in.Scanner = jsonscan.Scanner{Data: body}
	if err := in.whole(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrEnvelope, err)
	}
	if err := in.mapper.event(body, 0); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrEnvelope, err)
	}
	e.Truncated, in.mapper.Truncated = in.omitted, in.omitted
	return in.mapper.Finish(p.duplicate || in.duplicate), nil
}

// content returns the bytes of what is in the envelope.
func (p *parser) content() ([]byte, error) {
	for _, s := range [...]slot{slotLookup, slotMessage} {
		if sp := p.spans[s]; p.has(s) && (sp.kind == jsonscan.Text || sp.kind == jsonscan.Escaped) {
			raw := p.Data[sp.start:sp.end]
			return jsonscan.Unescape(make([]byte, 0, len(raw)), raw), nil
		}
	}
	// EventBridge carries the events of other services, too, under other types.
	kind := ""
	if sp := p.spans[slotDetailType]; p.has(slotDetailType) && (sp.kind == jsonscan.Text || sp.kind == jsonscan.Escaped) {
		kind = string(jsonscan.Unescape(nil, p.Data[sp.start:sp.end]))
	}
	sp := p.spans[slotDetail]
	if !p.has(slotDetail) || sp.kind != jsonscan.Object || !strings.HasSuffix(kind, " via CloudTrail") {
		return nil, ErrEnvelope
	}
	return p.Data[sp.start:sp.end:sp.end], nil
}

// whole reads data that must be one event.
func (p *parser) whole() error {
	p.SkipSpace()
	k, err := p.Read()
	if err != nil {
		return err
	}
	if k != jsonscan.Object || !p.isEvent() {
		return ErrNotEvent
	}
	if p.SkipSpace(); p.Pos < len(p.Data) {
		return jsonscan.ErrSyntax
	}
	return nil
}
