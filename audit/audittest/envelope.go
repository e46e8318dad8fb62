package audittest

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"io"

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
// base64, or in a file that is packed so: an envelope may hold an event so.
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
		decoded, err := base64.StdEncoding.DecodeString(string(text))
		if err == nil && (bytes.Equal(decoded, body) || isPacked(decoded, body)) {
			return true
		}
	}
	return false
}

// isPacked says whether body is in what packed inflates to, as it is or in a string.
func isPacked(packed, body []byte) bool {
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return false
	}
	data, err := io.ReadAll(io.LimitReader(r, 64<<20))
	return err == nil && (bytes.Contains(data, body) || inString(data, body))
}
