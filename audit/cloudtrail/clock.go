package cloudtrail

import "time"

// parseTime reads an event's time. CloudTrail writes whole seconds in UTC;
// that form is read by hand, any other RFC 3339 by the library.
func parseTime(s string) (time.Time, bool) {
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
