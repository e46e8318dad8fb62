package cloudtrail

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"errors"
	"fmt"
	"io"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/internal/frame"
	"github.com/otelcol-custody/custody/audit/internal/jsonscan"
)

// The bounds on what packed envelopes inflate to: each one by itself, and all of a call
// of [Parse] together for each byte of its input, so that a few bytes do not cost gigabytes. A
// subscription's batch has about a megabyte, and such text shrinks to a tenth or less.
const (
	maxInflated  = 16 << 20
	inflatedEach = 64
)

// The reasons why a packed envelope is kept as it is.
var (
	errInflated = errors.New("inflates to more than is allowed")
	errNested   = errors.New("packed in what is packed")
	errNoGzip   = errors.New("not gzip in base64")
)

// isPacked knows what holds a file in base64 and gzip, in whatever the subscription ends:
// what a Lambda function gets ({"awslogs":{"data":…}}), and the records of Firehose
// ({"data":…}) and of Kinesis ({"kinesis":{"data":…}}).
//
// Sources: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html,
// https://docs.aws.amazon.com/firehose/latest/dev/httpdeliveryrequestresponse.html
func (f *fields) isPacked() bool { return f.has(slotPacked) || f.has(slotData) }

// unpack has the element's place taken by the events of the file in it.
func (p *parser) unpack(e *frame.Element) error {
	if p.nested {
		return fmt.Errorf("%w: %w", ErrEnvelope, errNested)
	}
	data, err := p.inflate()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrEnvelope, err)
	}
	e.Within = func(emit func(*audit.Record) error) (audit.Counts, error) {
		in := newParser(data)
		in.nested = true
		return frame.Parse(&format, &in.Scanner, in, emit)
	}
	return nil
}

// inflate returns what is packed: all members, one after another. It is not empty.
func (p *parser) inflate() ([]byte, error) {
	sp := p.spans[slotPacked]
	if !p.has(slotPacked) {
		sp = p.spans[slotData]
	}
	if sp.kind != jsonscan.Text && sp.kind != jsonscan.Escaped { // its slashes may be escaped
		return nil, errNoGzip
	}
	packed, err := base64.StdEncoding.AppendDecode(nil, jsonscan.Unescape(nil, p.Data[sp.start:sp.end]))
	if err != nil {
		return nil, errNoGzip
	}
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, errNoGzip
	}
	room := min(maxInflated, max(maxInflated, inflatedEach*len(p.Data))-p.inflated)
	data, err := io.ReadAll(io.LimitReader(r, int64(room)+1))
	p.inflated += min(len(data), room)
	switch {
	case err != nil:
		return nil, err
	case len(data) > room:
		return nil, errInflated
	case len(data) == 0:
		return nil, errors.New("nothing in it")
	}
	return data, nil
}
