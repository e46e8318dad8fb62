package logrecord

import (
	"encoding/binary"
	"math"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/xpdata/entity"
)

// A source builds pdata out of bytes, so that a fuzzer reaches every kind of
// record. Behind its end it yields zeros.
type source struct{ b []byte }

func (s *source) byte() byte {
	if len(s.b) == 0 {
		return 0
	}
	c := s.b[0]
	s.b = s.b[1:]
	return c
}

func (s *source) uint64() uint64 {
	var b [8]byte
	copy(b[:], s.b)
	s.b = s.b[min(8, len(s.b)):]
	return binary.LittleEndian.Uint64(b[:])
}

var awkward = []string{
	"", "a", "b", "$", "$dup", "$$", "\x1a", "\xff", "\xed\xa0\x80", "é", "\n", "\"", "custody.x", "custody.original.custody.x", "custody.original.x",
	"audit.sequence.number", "audit.integrity.value", "custody", "audit.quarantined", "audit.ingest.receiver", "audit.sequence", "1", "null",
}

func (s *source) text() string {
	c := s.byte()
	if c < 200 {
		return awkward[int(c)%len(awkward)]
	}
	n := min(int(c-200), len(s.b))
	t := string(s.b[:n])
	s.b = s.b[n:]
	return t
}

func (s *source) value(v pcommon.Value, depth int) {
	c := s.byte()
	// Lists in lists, down to the natural limit and past it.
	for n := int(c)%80 - 8; c >= 240 && n > 0; n-- {
		v, depth = v.SetEmptySlice().AppendEmpty(), depth+1
	}
	switch c % 8 {
	case 1:
		v.SetStr(s.text())
	case 2:
		v.SetBool(c > 100)
	case 3:
		v.SetInt(int64(s.uint64()))
	case 4:
		v.SetDouble(math.Float64frombits(s.uint64()))
	case 5:
		v.SetEmptyBytes().FromRaw([]byte(s.text()))
	case 6:
		list := v.SetEmptySlice()
		for n := s.byte() % 4; n > 0 && depth < 100; n-- {
			s.value(list.AppendEmpty(), depth+1)
		}
	case 7:
		s.entries(v.SetEmptyMap(), depth+1)
	}
}

func (s *source) entries(m pcommon.Map, depth int) {
	for n := s.byte() % 5; n > 0 && depth < 100; n-- {
		s.value(m.PutEmpty(s.text()), depth)
	}
}

func (s *source) logs() plog.Logs {
	ld := plog.NewLogs()
	for n := s.byte()%3 + 1; n > 0; n-- {
		res := ld.ResourceLogs().AppendEmpty()
		res.SetSchemaUrl(s.text())
		res.Resource().SetDroppedAttributesCount(uint32(s.byte()))
		s.entries(res.Resource().Attributes(), 1)
		for k := s.byte() % 3; k > 0; k-- {
			ref := entity.ResourceEntityRefs(res.Resource()).AppendEmpty()
			ref.SetSchemaUrl(s.text())
			ref.SetType(s.text())
			ref.IdKeys().Append(s.text())
		}
		for k := s.byte()%2 + 1; k > 0; k-- {
			s.scope(res.ScopeLogs().AppendEmpty())
		}
	}
	return ld
}

func (s *source) scope(sc plog.ScopeLogs) {
	sc.SetSchemaUrl(s.text())
	sc.Scope().SetName(s.text())
	sc.Scope().SetVersion(s.text())
	sc.Scope().SetDroppedAttributesCount(uint32(s.byte()))
	s.entries(sc.Scope().Attributes(), 1)
	for n := s.byte() % 4; n > 0; n-- {
		lr := sc.LogRecords().AppendEmpty()
		s.value(lr.Body(), 1)
		s.entries(lr.Attributes(), 1)
		has := s.byte()
		if has&1 != 0 {
			lr.SetTimestamp(pcommon.Timestamp(s.uint64()))
			lr.SetObservedTimestamp(pcommon.Timestamp(s.uint64()))
		}
		if has&2 != 0 {
			lr.SetSeverityNumber(plog.SeverityNumber(int32(s.uint64())))
			lr.SetSeverityText(s.text())
		}
		if has&4 != 0 {
			lr.SetFlags(plog.LogRecordFlags(uint32(s.uint64())))
			lr.SetDroppedAttributesCount(uint32(s.uint64()))
			lr.SetEventName(s.text())
		}
		if has&8 != 0 {
			var id [16]byte
			binary.LittleEndian.PutUint64(id[3:], s.uint64())
			lr.SetTraceID(id)
			lr.SetSpanID([8]byte(id[4:12]))
		}
	}
}
