// Package draft makes records: it holds one that is filled field by field and reused
// from event to event.
package draft

import (
	"crypto/sha256"
	"time"
	"unicode/utf8"

	"github.com/otelcol-custody/custody/audit"
)

// A Draft is a record that is being made.
type Draft struct {
	Rec       audit.Record
	Truncated bool // the provider left something out

	lists   []string // backs the attributes of kind Strings
	targets [][]audit.Attribute
	warning string
	fault   string
}

// Begin starts the record of an event's bytes.
func (d *Draft) Begin(body []byte) {
	d.Rec = audit.Record{Body: body, Attributes: d.Rec.Attributes[:0]}
	d.lists, d.targets, d.warning, d.fault, d.Truncated = d.lists[:0], d.targets[:0], "", "", false
}

// MaxText bounds an attribute's text, in bytes: a record must not outgrow what can be
// sealed whole because its body's longest fields stand in it twice.
const MaxText = 64 << 10

// Put adds an attribute, unless the value is empty.
func (d *Draft) Put(key, value string) {
	if value != "" {
		d.add(key, d.bounded(key, value)).Kind = audit.String
	}
}

// bounded cuts a text that is longer than MaxText, between two characters, and says so;
// the body has the whole.
func (d *Draft) bounded(key, text string) string {
	if len(text) <= MaxText {
		return text
	}
	d.Warn(key + ": longer than 64 KiB, the rest is in the body only")
	end := MaxText
	for end > MaxText-utf8.UTFMax && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end]
}

// PutBool adds an attribute.
func (d *Draft) PutBool(key string, value bool) {
	v := d.add(key, "")
	v.Kind, v.Bool = audit.Bool, value
}

// PutInt adds an attribute.
func (d *Draft) PutInt(key string, value int64) {
	v := d.add(key, "")
	v.Kind, v.Int = audit.Int, value
}

// add adds an attribute whose value is empty apart from its text, and returns the value.
// What is left here of the last event mostly has no other pointers to take away, and
// writing over it whole would cost a tenth of all the time.
func (d *Draft) add(key, text string) *audit.Value {
	n := len(d.Rec.Attributes)
	if n == cap(d.Rec.Attributes) {
		d.Rec.Attributes = append(d.Rec.Attributes, audit.Attribute{})
	} else {
		d.Rec.Attributes = d.Rec.Attributes[:n+1]
	}
	a := &d.Rec.Attributes[n]
	v := &a.Value
	a.Key, v.Str, v.Int, v.Bool = key, text, 0, false
	if v.Strs != nil {
		v.Strs = nil
	}
	if v.Maps != nil {
		v.Maps = nil
	}
	return v
}

// PutList adds a list of those values that are not empty, if there are any.
func (d *Draft) PutList(key string, values ...string) {
	from := len(d.lists)
	for _, v := range values {
		if v != "" {
			d.lists = append(d.lists, d.bounded(key, v))
		}
	}
	if list := d.lists[from:len(d.lists):len(d.lists)]; len(list) > 0 {
		v := d.add(key, "")
		v.Kind, v.Strs = audit.Strings, list
	}
}

// PutMaps adds a list of maps, if there are any.
func (d *Draft) PutMaps(key string, maps [][]audit.Attribute) {
	for _, m := range maps {
		for i := range m {
			m[i].Value.Str = d.bounded(key, m[i].Value.Str)
		}
	}
	if len(maps) > 0 {
		v := d.add(key, "")
		v.Kind, v.Maps = audit.Maps, maps
	}
}

// Warn notes what a reader should know about the record itself.
func (d *Draft) Warn(text string) { d.warning = join(d.warning, text) }

// Fault notes what of the event could not be understood.
func (d *Draft) Fault(text string) { d.fault = join(d.fault, text) }

func join(texts, text string) string {
	if texts == "" {
		return text
	}
	return texts + "; " + text
}

// Identify adds what binds the record to its bytes.
func (d *Draft) Identify(provider, scope, nativeID string) {
	sum := sha256.Sum256(d.Rec.Body)
	d.Put(audit.AttrRecordID, audit.RecordIDOfHash(provider, scope, nativeID, sum))
	d.Put(audit.AttrOriginalID, nativeID)
	d.Put(audit.AttrRawHash, audit.RawHash(sum))
	d.PutInt(audit.AttrRawSize, int64(len(d.Rec.Body)))
}

// Time sets the record's time from an RFC 3339 text, or says why there is none.
func (d *Draft) Time(field, text string) {
	if text == "" {
		d.Fault(field + ": missing")
		return
	}
	t, ok := ParseTime(text)
	if !ok {
		d.Fault(field + ": not an RFC 3339 time")
		return
	}
	d.SetTime(field, t)
}

// The times that a record can have: those that fit into a log record's nanoseconds.
var earliest, latest = time.Unix(0, 0), time.Unix(0, 0).Add(1<<63 - 1)

// SetTime sets the record's time. One that no log record can hold is none, such as the
// year 1, which stands for a time that was never set.
func (d *Draft) SetTime(field string, t time.Time) {
	if t.Before(earliest) || t.After(latest) {
		d.Fault(field + ": not in the years 1970 to 2262")
		return
	}
	d.Rec.Time = t
}

// TimeUTC is the same for a provider that states its times in UTC: one without a zone,
// with a T or a space in it, counts so, and the record says it.
func (d *Draft) TimeUTC(field, text string) {
	if t, ok := ParseTime(text); ok {
		d.SetTime(field, t)
		return
	}
	for _, layout := range [...]string{"2006-01-02T15:04:05", time.DateTime} { // a fraction is accepted, too
		if t, err := time.Parse(layout, text); err == nil {
			d.SetTime(field, t)
			d.Warn(field + ": without a zone, taken as UTC")
			return
		}
	}
	d.Time(field, text) // says why there is none
}

// Class sets the event name, the action and the OCSF class.
func (d *Draft) Class(class audit.Class, action string, activity int64) {
	d.ClassOf(class.Event, class, action, activity)
}

// ClassOf is the same under another event name.
func (d *Draft) ClassOf(event string, class audit.Class, action string, activity int64) {
	d.Rec.EventName = event
	d.Put(audit.AttrAction, action)
	d.PutInt(audit.AttrOCSFClass, class.UID)
	d.PutInt(audit.AttrOCSFActivity, activity)
	d.PutInt(audit.AttrOCSFType, class.UID*100+activity)
	d.Put(audit.AttrOCSFVersion, audit.OCSFVersion)
}

// Finish adds the remarks, and returns the record.
func (d *Draft) Finish(duplicate bool) *audit.Record {
	if d.Truncated {
		d.PutBool(audit.AttrTruncated, true)
	}
	if duplicate {
		d.Warn("a key occurs twice: the first one counts")
	}
	d.Put(audit.AttrParseError, d.fault)
	d.Put(audit.AttrParseWarning, d.warning)
	return &d.Rec
}

// First returns the first value that is not empty.
func First(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

// ParseTime reads an RFC 3339 time in UTC. Whole seconds, which are common, are read
// by hand.
func ParseTime(s string) (time.Time, bool) {
	if len(s) == len("2006-01-02T15:04:05Z") && s[19] == 'Z' && s[4] == '-' && s[7] == '-' &&
		s[10] == 'T' && s[13] == ':' && s[16] == ':' {
		year, month, day := decimal(s[0:4]), decimal(s[5:7]), decimal(s[8:10])
		hour, minute, second := decimal(s[11:13]), decimal(s[14:16]), decimal(s[17:19])
		if year > 0 && month >= 1 && month <= 12 && day >= 1 && day <= 28 &&
			hour >= 0 && hour < 24 && minute >= 0 && minute < 60 && second >= 0 && second < 60 {
			return time.Date(year, time.Month(month), day, hour, minute, second, 0, time.UTC), true
		}
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	return t.UTC(), err == nil
}

// decimal reads a few digits; -1 when there is anything else.
func decimal(s string) int {
	n := 0
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return -1
		}
		n = n*10 + int(s[i]-'0')
	}
	return n
}
