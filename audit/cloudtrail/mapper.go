package cloudtrail

import (
	"crypto/sha256"
	"fmt"

	"github.com/otelcol-custody/custody/audit"
)

const (
	provider = "aws"
	product  = "AWS CloudTrail"
)

// A mapper turns the fields that the scanner noted into a record. It is
// reused from event to event.
type mapper struct {
	s       *scanner
	base    int    // where the event begins in the scanner's data
	text    string // the event's bytes; attributes are pieces of it
	rec     audit.Record
	version version
	lists   []string // backs the attributes of kind Strings
	targets [][]audit.Attribute
	warning string
}

// begin starts the record of the object between start and the scanner's
// position. The copy of its bytes makes every string in the record immutable.
func (m *mapper) begin(start int) {
	body := m.s.data[start:m.s.pos:m.s.pos]
	m.base, m.text = start, string(body)
	m.rec = audit.Record{Body: body, Attributes: m.rec.Attributes[:0]}
	m.lists = m.lists[:0]
	m.targets = m.targets[:0]
	m.version, m.warning = version{}, ""
}

// put adds an attribute, unless the value is empty.
func (m *mapper) put(key, value string) {
	if value != "" {
		m.rec.Attributes = append(m.rec.Attributes, audit.StringAttr(key, value))
	}
}

func (m *mapper) putBool(key string, value bool) {
	m.rec.Attributes = append(m.rec.Attributes, audit.BoolAttr(key, value))
}

func (m *mapper) putInt(key string, value int64) {
	m.rec.Attributes = append(m.rec.Attributes, audit.IntAttr(key, value))
}

// putList adds a list of those values that are not empty, if there are any.
func (m *mapper) putList(key string, values ...string) {
	from := len(m.lists)
	for _, v := range values {
		if v != "" {
			m.lists = append(m.lists, v)
		}
	}
	if list := m.lists[from:len(m.lists):len(m.lists)]; len(list) > 0 {
		m.rec.Attributes = append(m.rec.Attributes, audit.StringsAttr(key, list))
	}
}

func (m *mapper) warn(text string) {
	if m.warning != "" {
		text = m.warning + "; " + text
	}
	m.warning = text
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
	case kindText, kindNumber, kindTrue, kindFalse:
		return m.text[sp.start-m.base : sp.end-m.base]
	case kindEscaped:
		return string(unescape(nil, m.s.data[sp.start:sp.end]))
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
		m.warn("eventVersion: not a version")
		return nil
	}
	if v.major != knownMajor {
		return fmt.Errorf("%w: eventVersion has major version %d, only %d is known", ErrMalformed, v.major, knownMajor)
	}
	m.version = v
	return nil
}

// identify adds what binds the record to its bytes.
func (m *mapper) identify(nativeID string) {
	sum := sha256.Sum256(m.rec.Body)
	scope := m.rec.Resource.AccountID + "/" + m.rec.Resource.Region
	m.put(audit.AttrRecordID, audit.RecordIDOfHash(provider, scope, nativeID, sum))
	m.put(audit.AttrOriginalID, nativeID)
	m.put(audit.AttrRawHash, audit.RawHash(sum))
	m.putInt(audit.AttrRawSize, int64(len(m.rec.Body)))
}

// setTime sets the record's time, or says why there is none.
func (m *mapper) setTime(field, text string) {
	if text == "" {
		m.put(audit.AttrParseError, field+": missing")
		return
	}
	t, ok := parseTime(text)
	if !ok {
		m.put(audit.AttrParseError, field+": not an RFC 3339 time")
		return
	}
	m.rec.Time = t
}
