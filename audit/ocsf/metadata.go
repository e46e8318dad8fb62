package ocsf

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/otelcol-custody/custody/audit"
)

func (e *event) putMetadata() {
	rec := e.rec
	e.object("metadata", func() {
		e.text("version", e.schema.version)
		if e.cloudy() {
			e.list("profiles", func() { e.text("", "cloud") })
		}
		e.putAs("uid", audit.AttrRecordID)
		e.putAs("correlation_uid", audit.AttrCorrelationID)
		e.putAs("event_code", audit.AttrOperation)
		e.object("product", e.putProduct)
		e.text("log_name", rec.Resource.Stream)
		e.putAs("log_version", audit.AttrSchemaVersion)
		e.text("tenant_uid", rec.Resource.OrgID)
		if !rec.Time.IsZero() {
			e.text("original_time", rec.Time.UTC().Format(time.RFC3339Nano))
		}
		if !rec.Observed.IsZero() {
			e.int("logged_time", millis(rec.Observed))
		}
		if rec.Log != "" {
			e.int("sequence", int64(rec.Index))
		}
		if v, i := e.lookup(audit.AttrTruncated, audit.Bool); v != nil {
			e.bool("is_truncated", v.Bool)
			e.used[i] = true
		}
		e.list("loggers", e.putLoggers)
	})
}

// product is what reported the event.
func (e *event) product() string {
	if e.rec.Statement != "" {
		return "Custody"
	}
	res := &e.rec.Resource
	usual := "" // Of the provider's audit events; others tell of anything.
	if audit.IsEventName(e.rec.EventName) {
		usual = providers[res.Provider].product
	}
	return cmp.Or(res.Product, usual, res.Stream, unknown)
}

func (e *event) putProduct() {
	e.text("name", e.product())
	e.text("vendor_name", providers[e.rec.Resource.Provider].vendor)
	e.object("feature", func() { e.putAs("name", audit.AttrCategory) })
}

// putLoggers writes the way of the event: the provider's log with its own id for it,
// then Custody.
func (e *event) putLoggers() {
	if e.peek(audit.AttrOriginalID) != "" {
		e.object("", func() {
			e.text("name", e.product())
			e.putAs("event_uid", audit.AttrOriginalID)
		})
	}
	rec := e.rec
	if rec.Log == "" && rec.Receiver == "" {
		return
	}
	e.object("", func() {
		e.text("name", "Custody")
		e.text("uid", rec.Receiver)
		e.text("log_name", rec.Log)
		if !rec.Observed.IsZero() {
			e.int("logged_time", millis(rec.Observed))
		}
	})
}

// putRaw writes the event's own bytes, and what they hash to.
func (e *event) putRaw() {
	body := e.rec.Body
	if len(body) == 0 {
		e.putRawHash(strings.TrimPrefix(e.peek(audit.AttrRawHash), "sha256:"))
		return
	}
	if utf8.Valid(body) {
		e.text("raw_data", string(body))
	} else {
		e.text("raw_data", base64.StdEncoding.EncodeToString(body))
	}
	sum := sha256.Sum256(body)
	e.putRawHash(hex.EncodeToString(sum[:]))
	e.int("raw_data_size", int64(len(body)))
	if v, i := e.lookup(audit.AttrRawSize, audit.Int); v != nil && v.Int == int64(len(body)) {
		e.used[i] = true
	}
}

func (e *event) putRawHash(digits string) {
	if _, err := hex.DecodeString(digits); err != nil || len(digits) != 2*sha256.Size {
		return
	}
	e.object("raw_data_hash", func() {
		e.text("algorithm", "SHA-256")
		e.int("algorithm_id", 3)
		e.text("value", digits)
	})
	if e.peek(audit.AttrRawHash) == "sha256:"+digits {
		e.drop(audit.AttrRawHash)
	}
}
