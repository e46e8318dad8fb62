package awscloudtrailreceiver

import (
	"fmt"
	"time"
)

// parseTime reads a time of the configuration: RFC 3339, or a date, which is its
// beginning in UTC. An empty one is the zero time.
func parseTime(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range [...]string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("want a date such as 2026-11-01 or a time such as 2026-11-01T12:00:00Z, got %q", text)
}
