// Package gcp reads Google Cloud's audit logs: entries alone or line by line, the
// answers of entries.list, and the messages of Pub/Sub that hold an entry each. Every
// entry becomes an [audit.Record] whose body is the entry's own bytes.
//
// Source: https://cloud.google.com/logging/docs/audit/understanding-audit-logs
package gcp

import (
	"errors"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/internal/draft"
	"github.com/otelcol-custody/custody/audit/internal/frame"
	"github.com/otelcol-custody/custody/audit/internal/jsonscan"
)

// The reasons why bytes are quarantined, beside those of broken JSON.
var (
	// ErrNotLog means that the bytes hold no log entries.
	ErrNotLog = errors.New("not a Google Cloud log: expected log entries, an answer of entries.list, or Pub/Sub messages")
	// ErrNotEntry means that an element among entries is not one.
	ErrNotEntry = errors.New("not a log entry: it has no payload")
	// ErrNotAudit means that an entry is of another log.
	ErrNotAudit = errors.New("no audit log: the entry's payload is not of the type google.cloud.audit.AuditLog")
	// ErrMessage means that a Pub/Sub message holds something else than an entry.
	ErrMessage = errors.New("the Pub/Sub message holds no log entry")
)

var format = frame.Format{
	Provider: "gcp", Product: "Google Cloud Audit Logs", NotFile: ErrNotLog, NotEvent: ErrNotEntry,
	Lists: []string{"entries", "receivedMessages"},
	Own:   []string{"insertId", "logName", "protoPayload", "textPayload", "jsonPayload", "message", "messageId", "data"},
	First: []string{"insertId", "logName", "protoPayload", "ackId", "message"},
}

// Parse calls emit once for every entry of inflated data, in its order: entries one
// after another, in a list or line by line, an answer of entries.list, or Pub/Sub
// messages as they are pushed or pulled. The record and its Attributes are reused: they
// are valid until emit returns. Body points into data, or, for an entry out of a
// message, is what the message's base64 stands for. What cannot be read is quarantined,
// a message with all that is around it; the only errors that Parse returns are emit's.
func Parse(data []byte, emit func(*audit.Record) error) (audit.Counts, error) {
	if isEmptyAnswer(data) {
		return audit.Counts{}, nil
	}
	return frame.Tabled(&format, table, mapElement, data, emit)
}

// mapElement maps an entry, or the one in a message.
func mapElement(f *jsonscan.Fields, d *draft.Draft) error {
	if isMessage(f) {
		return mapMessage(f, d)
	}
	return mapEntry(f, d)
}

// isEmptyAnswer says whether data is an answer in which there is nothing: Google leaves
// an empty list out, and maybe gives a token for the next page.
func isEmptyAnswer(data []byte) bool {
	s := jsonscan.Scanner{Data: data}
	if s.SkipSpace(); s.Peek() != '{' {
		return false
	}
	if s.Open('}') {
		key, _, err := s.Key()
		if err != nil || string(key) != "nextPageToken" || s.Peek() != '"' {
			return false
		}
		if _, err := s.ReadString(); err != nil {
			return false
		}
		if more, err := s.Next('}'); more || err != nil {
			return false
		}
	}
	s.SkipSpace()
	return s.Pos == len(data)
}
