package main

import (
	"crypto/sha256"
	"fmt"
)

// addOversize adds what spec §3.6 says of records that are too large.
func addOversize(s *recordSet) {
	const limit = 16_777_216
	frame := len(`{"body":""}`)
	s.put("length-limit", long(recordVector{Rule: "§14 a line of 16,777,216 bytes is the longest", Expect: "ok", BodyRepeat: &repeat{"x", limit - frame}},
		`{"body":"`+repeated("x", limit-frame)+`"}`))
	oversize := func(reason, data string) string {
		return fmt.Sprintf(`{"custody":{"oversize":{"encoding":"otlp-logsdata-protobuf","reason":"%s","sha256":"%x","size":%d}}}`,
			reason, sha256.Sum256([]byte(data)), len(data))
	}
	v := recordVector{Rule: "§3.6 a longer line gives way to what is known of the record", Expect: "ok", BodyRepeat: &repeat{"x", limit - frame + 1}}
	s.put("oversize-length", withLine(v, oversize("length", logsProto(bodyProto(anyString(repeated("x", limit-frame+1)))))))
	v = recordVector{Rule: "§3.6 escapes count", Expect: "ok", BodyRepeat: &repeat{`"`, limit / 2}}
	s.put("oversize-escapes", withLine(v, oversize("length", logsProto(bodyProto(anyString(repeated(`"`, limit/2)))))))
	value := anyList()
	for range 10_000 {
		value = anyList(value)
	}
	v = recordVector{Rule: "§3.6 values deeper than 10,000 give way to what is known of the record", Expect: "ok", BodyNest: 10_001}
	s.put("oversize-nesting", withLine(v, oversize("nesting", logsProto(bodyProto(value)))))
	line := `{"body":"` + repeated("x", limit-frame+1) + `"}`
	v = recordVector{Rule: "§14 a line of 16,777,217 bytes", Expect: "reject", Why: "longer than a line may be",
		LineRepeat: &lineRepeat{`{"body":"`, "x", limit - frame + 1, `"}`}}
	s.put("reject-length", long(v, line))
}

// addReserved adds what spec §3.7 says of names that only the log may use.
func addReserved(s *recordSet) {
	s.ok("reserved-custody", "§3.7 custody.* is renamed", attributes(attribute("custody.closed", text("x"))), `{"attributes":{"custody.original.custody.closed":"x"}}`)
	s.ok("reserved-audit", "§3.7 audit.sequence.* and audit.integrity.* are renamed",
		attributes(attribute("audit.sequence.number", integer("1")), attribute("audit.integrity.value", integer("2"))),
		`{"attributes":{"custody.original.audit.integrity.value":2,"custody.original.audit.sequence.number":1}}`)
	s.ok("reserved-again", "§3.7 a name that looks renamed is renamed, so that no two meet",
		attributes(attribute("custody.original.custody.a", integer("1")), attribute("custody.a", integer("2"))),
		`{"attributes":{"custody.original.custody.a":2,"custody.original.custody.original.custody.a":1}}`)
	s.ok("reserved-not", "§3.7 other names are kept: without the dot, in other letters, further in, in nested maps",
		`{"attributes":[{"key":"custody","value":{"intValue":"1"}},{"key":"Custody.a","value":{"intValue":"2"}},{"key":"x.custody.a","value":{"intValue":"3"}},`+
			`{"key":"audit.sequence","value":{"kvlistValue":{"values":[{"key":"custody.a","value":{"intValue":"4"}}]}}}],`+
			`"body":{"kvlistValue":{"values":[{"key":"custody.a","value":{"intValue":"5"}}]}}}`,
		`{"attributes":{"Custody.a":2,"audit.sequence":{"custody.a":4},"custody":1,"x.custody.a":3},"body":{"custody.a":5}}`)
	v := recordVector{Rule: "§3.7 attributes of resource and scope are renamed too", Expect: "ok",
		OTLP: []byte(`{"resourceLogs":[{"resource":{"attributes":[{"key":"custody.a","value":{"intValue":"1"}}]},"scopeLogs":[{"scope":{"attributes":` +
			`[{"key":"audit.integrity.b","value":{"intValue":"2"}}]},"logRecords":[{}]}]}]}`)}
	s.put("reserved-resource-scope", withLine(v, `{"resource":{"attributes":{"custody.original.custody.a":1}},"scope":{"attributes":{"custody.original.audit.integrity.b":2}}}`))
	s.ok("reserved-duplicate", "§3.7 renaming keeps duplicates", attributes(attribute("custody.a", integer("1")), attribute("custody.a", integer("2"))),
		`{"attributes":{"$dup":[["custody.original.custody.a",2]],"custody.original.custody.a":1}}`)
}
