package audittest

import (
	"bytes"
	"encoding/base64"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/internal/jsonscan"
)

// isWrapped says whether an element is an envelope in which the record's event lies, as
// a string or as an object.
func isWrapped(element []byte, r *audit.Record) bool {
	if inString(element, r.Body) {
		return true
	}
	return !r.Quarantined && bytes.HasPrefix(r.Body, []byte{'{'}) && bytes.Contains(element, r.Body)
}

// inString says whether body is what a JSON string in data stands for, as it is or in
// base64: an envelope may hold an event so.
func inString(data, body []byte) bool {
	for i := range data {
		if data[i] != '"' {
			continue
		}
		s := jsonscan.Scanner{Data: data, Pos: i}
		if _, err := s.ReadString(); err != nil {
			continue
		}
		text := jsonscan.Unescape(nil, data[i+1:s.Pos-1])
		if bytes.Equal(text, body) {
			return true
		}
		if decoded, err := base64.StdEncoding.DecodeString(string(text)); err == nil && bytes.Equal(decoded, body) {
			return true
		}
	}
	return false
}
