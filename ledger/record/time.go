package record

import "bytes"

const (
	timeForm  = "0000-00-00T00:00:00.000000000Z"
	firstTime = "1970-01-01T00:00:00.000000001Z"
	lastTime  = "2554-07-21T23:34:33.709551615Z"

	daySeconds = 86_400
)

// appendTime appends the time ns nanoseconds after 1970 as RFC 3339 in UTC
// with nine fractional digits (spec §3.1), quotation marks included.
func appendTime(dst []byte, ns uint64) []byte {
	sec, frac := ns/1e9, ns%1e9
	year, month, day := civil(sec / daySeconds)
	sec %= daySeconds
	dst = append(dst, '"')
	dst = append(dst, timeForm...)
	b := dst[len(dst)-len(timeForm):]
	putDecimal(b[0:4], year)
	putDecimal(b[5:7], month)
	putDecimal(b[8:10], day)
	putDecimal(b[11:13], sec/3600)
	putDecimal(b[14:16], sec/60%60)
	putDecimal(b[17:19], sec%60)
	putDecimal(b[20:29], frac)
	return append(dst, '"')
}

func putDecimal(b []byte, n uint64) {
	for i := len(b) - 1; i >= 0; i-- {
		b[i] = byte('0' + n%10)
		n /= 10
	}
}

// A year that begins with March has its leap day last, so that months have
// fixed offsets; 400 of them have 146,097 days. 719,468 days lie between
// 0000-03-01 and 1970-01-01.
const (
	cycleDays = 146_097
	epochDays = 719_468
)

// civil returns the Gregorian date, days after 1970-01-01.
func civil(days uint64) (year, month, day uint64) {
	days += epochDays
	cycle, days := days/cycleDays, days%cycleDays
	year = (days - days/1460 + days/36524 - days/(cycleDays-1)) / 365
	days -= 365*year + year/4 - year/100
	m := (5*days + 2) / 153 // 0 is March
	day = days - (153*m+2)/5 + 1
	year += 400 * cycle
	if m < 10 {
		return year, m + 3, day
	}
	return year + 1, m - 9, day
}

// epochDay is the inverse of civil.
func epochDay(year, month, day uint64) uint64 {
	if month > 2 {
		month -= 3
	} else {
		month += 9
		year--
	}
	cycle, year := year/400, year%400
	return cycle*cycleDays + year*365 + year/4 - year/100 + (153*month+2)/5 + day - 1 - epochDays
}

// parseTime reads a time without its quotation marks. It accepts only what
// appendTime writes for a time other than 0.
func parseTime(b []byte) (ns uint64, ok bool) {
	if len(b) != len(timeForm) || !hasTimeForm(b) {
		return 0, false
	}
	// With all digits in place, the order of bytes is that of times.
	if bytes.Compare(b, []byte(firstTime)) < 0 || bytes.Compare(b, []byte(lastTime)) > 0 {
		return 0, false
	}
	year, month, day := decimal(b[0:4]), decimal(b[5:7]), decimal(b[8:10])
	hour, min, sec := decimal(b[11:13]), decimal(b[14:16]), decimal(b[17:19])
	if month < 1 || month > 12 || day < 1 || day > monthDays(year, month) || hour > 23 || min > 59 || sec > 59 {
		return 0, false
	}
	seconds := epochDay(year, month, day)*daySeconds + hour*3600 + min*60 + sec
	return seconds*1e9 + decimal(b[20:29]), true
}

func hasTimeForm(b []byte) bool {
	for i, c := range b {
		if f := timeForm[i]; f == '0' && (c < '0' || c > '9') || f != '0' && c != f {
			return false
		}
	}
	return true
}

func decimal(b []byte) (n uint64) {
	for _, c := range b {
		n = n*10 + uint64(c-'0')
	}
	return n
}

func monthDays(year, month uint64) uint64 {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}
