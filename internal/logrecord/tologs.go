package logrecord

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-custody/custody/ledger/record"
)

// ToLogs returns the records as pdata, in their order; neighbours with the same
// resource and scope share them. What the log itself states of a record becomes
// attributes whose keys begin with "custody.", which no producer can set (spec
// §3.7). It fails with [record.ErrTooDeep], [record.ErrTooLong] or
// [record.ErrKind] for records that have no line.
func ToLogs(records ...*record.Record) (plog.Logs, error) {
	var w protoWriter
	for _, r := range records {
		w.add(r)
	}
	w.flush()
	if w.err != nil {
		return plog.Logs{}, fmt.Errorf("write record as OTLP: %w", w.err)
	}
	// pcommon.Map cannot be told to hold a key twice, but it reads it so.
	var u plog.ProtoUnmarshaler
	ld, err := u.UnmarshalLogs(w.data)
	if err != nil {
		return plog.Logs{}, fmt.Errorf("read record as OTLP: %w", err)
	}
	return ld, nil
}

// A protoWriter writes records as one LogsData message.
type protoWriter struct {
	enc  record.Encoder
	data []byte // the groups that are finished
	err  error

	// The group that is being written: neighbours of equal resource and scope.
	resource, scope      []byte
	resourceURL          string
	scopeURL             string
	records, tmp, values []byte
}

// Field numbers of opentelemetry.proto.{logs,common,resource}.v1 are beside
// each call that writes one.
func (w *protoWriter) add(r *record.Record) {
	resource := w.appendResource(nil, &r.Resource)
	scope := w.appendScope(nil, &r.Scope)
	same := bytes.Equal(resource, w.resource) && bytes.Equal(scope, w.scope) &&
		r.Resource.SchemaURL == w.resourceURL && r.Scope.SchemaURL == w.scopeURL
	if !same {
		w.flush()
		w.resource, w.scope = resource, scope
		w.resourceURL, w.scopeURL = r.Resource.SchemaURL, r.Scope.SchemaURL
	}
	w.tmp = w.appendRecord(w.tmp[:0], r)
	w.records = appendField(w.records, 2, w.tmp) // ScopeLogs.log_records
}

// flush ends the group.
func (w *protoWriter) flush() {
	if len(w.records) == 0 {
		return
	}
	scopeLogs := appendField(nil, 1, w.scope)        // ScopeLogs.scope
	scopeLogs = append(scopeLogs, w.records...)      // ScopeLogs.log_records
	scopeLogs = appendText(scopeLogs, 3, w.scopeURL) // ScopeLogs.schema_url
	resLogs := appendField(nil, 1, w.resource)       // ResourceLogs.resource
	resLogs = appendField(resLogs, 2, scopeLogs)     // ResourceLogs.scope_logs
	resLogs = appendText(resLogs, 3, w.resourceURL)  // ResourceLogs.schema_url
	w.data = appendField(w.data, 1, resLogs)         // LogsData.resource_logs
	w.records, w.resource, w.scope = w.records[:0], nil, nil
}

func (w *protoWriter) appendResource(dst []byte, r *record.Resource) []byte {
	dst = w.appendAttributes(dst, 1, "", r.Attributes)
	dst = appendNumber(dst, 2, uint64(r.Dropped))
	for _, ref := range r.EntityRefs {
		b := appendText(nil, 1, ref.SchemaURL)
		b = appendText(b, 2, ref.Type)
		for _, k := range ref.IDKeys {
			b = appendField(b, 3, []byte(k))
		}
		for _, k := range ref.DescriptionKeys {
			b = appendField(b, 4, []byte(k))
		}
		dst = appendField(dst, 3, b)
	}
	return dst
}

func (w *protoWriter) appendScope(dst []byte, s *record.Scope) []byte {
	dst = appendText(dst, 1, s.Name)
	dst = appendText(dst, 2, s.Version)
	dst = w.appendAttributes(dst, 3, "", s.Attributes)
	return appendNumber(dst, 4, uint64(s.Dropped))
}

func (w *protoWriter) appendRecord(dst []byte, r *record.Record) []byte {
	dst = appendFixed64(dst, 1, r.Time)
	dst = appendNumber(dst, 2, uint64(int64(r.SeverityNumber)))
	dst = appendText(dst, 3, r.SeverityText)
	if r.Body.Kind != record.Empty {
		dst = appendField(dst, 5, w.value(&r.Body))
	}
	dst = w.appendAttributes(dst, 6, "", r.Attributes)
	dst = w.appendAttributes(dst, 6, "custody.", r.Custody)
	dst = appendNumber(dst, 7, uint64(r.Dropped))
	if r.Flags != 0 {
		dst = binary.LittleEndian.AppendUint32(append(dst, 8<<3|5), r.Flags)
	}
	if r.TraceID != [16]byte{} {
		dst = appendField(dst, 9, r.TraceID[:])
	}
	if r.SpanID != [8]byte{} {
		dst = appendField(dst, 10, r.SpanID[:])
	}
	dst = appendFixed64(dst, 11, r.ObservedTime)
	return appendText(dst, 12, r.EventName)
}

// appendAttributes appends each entry as a field, with prefix before its key.
func (w *protoWriter) appendAttributes(dst []byte, field byte, prefix string, kvs []record.KeyValue) []byte {
	for i := range kvs {
		b := appendText(nil, 1, prefix+kvs[i].Key)
		b = appendField(b, 2, w.value(&kvs[i].Value))
		dst = appendField(dst, field, b)
	}
	return dst
}

// value returns v as an AnyValue, valid until the next call.
func (w *protoWriter) value(v *record.Value) []byte {
	b, err := w.enc.AppendProto(w.values[:0], v)
	if err != nil && w.err == nil {
		w.err = err
	}
	w.values = b
	return b
}

// appendField appends a length-delimited field, even when it is empty.
func appendField(dst []byte, field byte, content []byte) []byte {
	dst = binary.AppendUvarint(append(dst, field<<3|2), uint64(len(content)))
	return append(dst, content...)
}

func appendText(dst []byte, field byte, s string) []byte {
	if s == "" {
		return dst
	}
	return appendField(dst, field, []byte(s))
}

func appendNumber(dst []byte, field byte, n uint64) []byte {
	if n == 0 {
		return dst
	}
	return binary.AppendUvarint(append(dst, field<<3), n)
}

func appendFixed64(dst []byte, field byte, n uint64) []byte {
	if n == 0 {
		return dst
	}
	return binary.LittleEndian.AppendUint64(append(dst, field<<3|1), n)
}
