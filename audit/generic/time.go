package generic

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/otelcol-custody/custody/audit/internal/draft"
	"github.com/otelcol-custody/custody/audit/internal/jsonscan"
)

// A layout is how times are written.
type layout struct {
	digits int    // of a second's fraction in an integer, if go is empty
	text   string // of package time; RFC 3339 is read by the kit
	zoned  bool
}

// units are the names of the layouts that are no layouts of package time.
var units = map[string]layout{
	"rfc3339": {text: time.RFC3339Nano, zoned: true},
	"unix_s":  {digits: 0}, "unix_ms": {digits: 3}, "unix_us": {digits: 6}, "unix_ns": {digits: 9},
}

var (
	errLayout = errors.New("not a layout: write rfc3339, unix_s, unix_ms, unix_us, unix_ns, or the time 2006-01-02 15:04:05 -07:00 as the product would write it")
	errZone   = errors.New("not a layout: the name of a zone means several; write a layout without it, and make the product write UTC or an offset")
)

// newLayout reads a layout's name, or a layout of package time: one that does not read
// what it writes, down to the minute, is a mistake.
func newLayout(text string) (layout, error) {
	if known, ok := units[text]; ok {
		return known, nil
	}
	if strings.Contains(text, "MST") {
		return layout{}, errZone
	}
	moment := time.Date(2023, 10, 28, 21, 43, 0, 0, time.UTC)
	back, err := time.Parse(text, moment.Format(text))
	if err != nil || !back.Equal(moment) {
		return layout{}, errLayout
	}
	east := moment.In(time.FixedZone("", 3600))
	zoned := east.Format(text) != moment.Add(time.Hour).Format(text)
	for _, utc := range [...]string{"Z", "UTC", "GMT"} {
		zoned = zoned || strings.HasSuffix(text, utc)
	}
	return layout{text: text, zoned: zoned}, nil
}

func (p *plan) setTime(f *jsonscan.Fields, d *draft.Draft) {
	text := p.time.of(f)
	if text == "" {
		d.Fault("time: missing")
		return
	}
	for _, l := range p.layouts {
		if t, ok := l.read(text); ok {
			if !l.zoned && l.text != "" {
				d.Warn("time: without a zone, taken as UTC")
			}
			d.SetTime("time", t)
			return
		}
	}
	d.Fault("time: in none of the mapping's layouts")
}

func (l layout) read(text string) (time.Time, bool) {
	switch l.text {
	case "":
		return l.unix(text)
	case time.RFC3339Nano:
		return draft.ParseTime(text)
	}
	t, err := time.Parse(l.text, text)
	return t.UTC(), err == nil
}

// The first and the last second that RFC 3339 can name.
const firstSecond, lastSecond = -62135596800, 253402300799

// unix reads seconds since 1970, or parts of them, exactly: a fraction is read digit by
// digit, and no double is in between. Times before 1970 have none.
func (l layout) unix(text string) (time.Time, bool) {
	whole, fraction, dotted := strings.Cut(text, ".")
	n, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || dotted && (fraction == "" || strings.HasPrefix(whole, "-") || strings.Trim(fraction, "0123456789") != "") {
		return time.Time{}, false
	}
	seconds := n / pow10(l.digits)
	if seconds < firstSecond || seconds > lastSecond {
		return time.Time{}, false
	}
	nanos := n % pow10(l.digits) * pow10(9-l.digits)
	scale := pow10(8 - l.digits)
	for i := 0; i < len(fraction) && scale > 0; i++ {
		nanos += int64(fraction[i]-'0') * scale
		scale /= 10
	}
	return time.Unix(seconds, nanos).UTC(), true
}

// pow10 is 0 for what is below 1.
func pow10(n int) int64 {
	if n < 0 {
		return 0
	}
	p := int64(1)
	for range n {
		p *= 10
	}
	return p
}
