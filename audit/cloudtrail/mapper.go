package cloudtrail

import (
	"fmt"

	"github.com/otelcol-custody/custody/audit/internal/draft"
	"github.com/otelcol-custody/custody/audit/internal/frame"
	"github.com/otelcol-custody/custody/audit/internal/jsonscan"
)

const provider = "aws"

// Product is the audit.product of every record from CloudTrail.
const Product = "AWS CloudTrail"

// A mapper turns the fields that the scanner noted into a record. It is
// reused from event to event.
type mapper struct {
	s       *scanner
	base    int    // where the event begins in the scanner's data
	text    string // the event's bytes; attributes are pieces of it
	version version
	draft.Draft
}

// begin starts the record of what begins at base of the scanner's data. The copy of its
// bytes makes every string in the record immutable.
func (m *mapper) begin(body []byte, base int) {
	m.base, m.text = base, string(body)
	m.version = version{}
	m.Begin(body)
}

// str returns a field as text: a number or a boolean as it is written, and
// "" for a field that is missing, null, an object or a list.
func (m *mapper) str(s slot) string {
	if !m.s.has(s) {
		return ""
	}
	return m.spanText(m.s.spans[s])
}

func (m *mapper) spanText(sp span) string {
	switch sp.kind {
	case jsonscan.Text, jsonscan.Number, jsonscan.True, jsonscan.False:
		return m.text[sp.start-m.base : sp.end-m.base]
	case jsonscan.Escaped:
		return string(jsonscan.Unescape(nil, m.s.Data[sp.start:sp.end]))
	}
	return ""
}

// boolean reads a field that services write as a boolean, "true" or "Yes".
func (m *mapper) boolean(s slot) (value, ok bool) {
	switch m.str(s) {
	case "true", "True", "Yes", "yes":
		return true, true
	case "false", "False", "No", "no":
		return false, true
	}
	return false, false
}

// checkVersion refuses events whose form is not known: AWS changes the major
// version when records stop being compatible.
func (m *mapper) checkVersion() error {
	text := m.str(slotVersion)
	if text == "" {
		return nil
	}
	v, ok := parseVersion(text)
	if !ok {
		m.Warn("eventVersion: not a version")
		return nil
	}
	if v.major != knownMajor {
		return fmt.Errorf("%w: eventVersion has major version %d, only %d is known", frame.ErrMalformed, v.major, knownMajor)
	}
	m.version = v
	return nil
}
