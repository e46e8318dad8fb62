package main

// addMembers adds what spec §3.1 says of members.
func addMembers(s *recordSet) {
	s.ok("empty-record", "§3.1 all members are left out", `{}`, `{}`)
	s.ok("all-members", "§3.1 every member, in the order of names", `{"timeUnixNano":"1772360142000000000",`+
		`"observedTimeUnixNano":"1772360143123456789","severityNumber":9,"severityText":"INFO","body":{"stringValue":"b"},`+
		`"attributes":[{"key":"k","value":{"intValue":"1"}}],"droppedAttributesCount":2,"flags":3,`+
		`"traceId":"0123456789abcdef0123456789abcdef","spanId":"fedcba9876543210","eventName":"e"}`,
		`{"attributes":{"k":1},"body":"b","dropped_attributes_count":2,"event_name":"e","flags":3,"observed_time":"2026-03-01T10:15:43.123456789Z",`+
			`"severity_number":9,"severity_text":"INFO","span_id":"fedcba9876543210","time":"2026-03-01T10:15:42.000000000Z",`+
			`"trace_id":"0123456789abcdef0123456789abcdef"}`)
	s.ok("body-unset", "§3.1 a body without a value is left out", body(`{}`), `{}`)
	s.ok("body-empty-text", "§3.1 an empty body is not an unset one", body(text("")), `{"body":""}`)
	s.ok("body-empty-map", "§3.1 an empty body is not an unset one", body(kvlist()), `{"body":{}}`)
	s.ok("body-empty-array", "§3.1 an empty body is not an unset one", body(list()), `{"body":[]}`)
	s.ok("attributes", "§3.1 attributes are a map", attributes(attribute("a", text("b"))), `{"attributes":{"a":"b"}}`)
	s.ok("dropped-attributes", "§3.1 dropped_attributes_count at its greatest", `{"droppedAttributesCount":4294967295}`,
		`{"dropped_attributes_count":4294967295}`)
	s.ok("flags-sampled", "§3.1 flags", `{"flags":1}`, `{"flags":1}`)
	s.ok("flags-all", "§3.1 flags, all 32 bits", `{"flags":4294967295}`, `{"flags":4294967295}`)
	s.ok("event-name", "§3.1 event_name", `{"eventName":"user.login"}`, `{"event_name":"user.login"}`)
	s.ok("severity-text", "§3.1 severity_text", `{"severityText":"WARN"}`, `{"severity_text":"WARN"}`)
	s.proto("severity-negative", "§3.1 severity_number is an integer of 32 bits, known or not", "\x10"+varint(1<<64-1), `{"severity_number":-1}`)
	s.proto("severity-min", "§3.1 severity_number at its least", "\x10"+varint(1<<64-1<<31), `{"severity_number":-2147483648}`)
	s.proto("severity-max", "§3.1 severity_number at its greatest", "\x10"+varint(1<<31-1), `{"severity_number":2147483647}`)
	s.ok("span-id", "§3.1 span_id keeps leading zeros", `{"spanId":"00000000000000ff"}`, `{"span_id":"00000000000000ff"}`)
	s.ok("trace-id", "§3.1 trace_id keeps leading zeros", `{"traceId":"000000000000000000000000000000ff"}`,
		`{"trace_id":"000000000000000000000000000000ff"}`)
	s.ok("ids-zero", "§3.1 ids of zeros are left out", `{"traceId":"00000000000000000000000000000000","spanId":"0000000000000000"}`, `{}`)
	addTimes(s)
	addResources(s)
	s.own("custody-closed", "§3.1 custody is a map and stands among the other members",
		`{"custody":{"closed":{"at":"2026-03-01T10:16:00.000000000Z","count":2,"first":40,"reason":"age"}},`+
			`"observed_time":"2026-03-01T10:16:00.000000000Z","time":"2026-03-01T10:16:00.000000000Z"}`)
	s.own("custody-order", "§3.1 custody stands behind the body", `{"attributes":{"a":1},"body":2,"custody":{"b":3},"event_name":"c"}`)
}

func addTimes(s *recordSet) {
	for _, t := range []struct{ name, rule, ns, text string }{
		{"time-first", "the first time", "1", "1970-01-01T00:00:00.000000001Z"},
		{"time-last", "the last time", "18446744073709551615", "2554-07-21T23:34:33.709551615Z"},
		{"time-exact", "nine digits, however many are zero", "1000000000", "1970-01-01T00:00:01.000000000Z"},
		{"time-int64-max", "past 63 bits", "9223372036854775808", "2262-04-11T23:47:16.854775808Z"},
		{"time-leap-day", "a leap day", "1709164800000000000", "2024-02-29T00:00:00.000000000Z"},
		{"time-leap-century", "2000 is a leap year", "951782400000000000", "2000-02-29T00:00:00.000000000Z"},
		{"time-no-leap-century", "2100 is none", "4107542400000000000", "2100-03-01T00:00:00.000000000Z"},
		{"time-year-end", "the last nanosecond of a year", "1798761599999999999", "2026-12-31T23:59:59.999999999Z"},
	} {
		s.ok(t.name, "§3.1 time: "+t.rule, `{"timeUnixNano":"`+t.ns+`"}`, `{"time":"`+t.text+`"}`)
	}
	s.ok("time-unset", "§3.1 a time of 0 is left out", `{"timeUnixNano":"0","observedTimeUnixNano":"0"}`, `{}`)
	s.ok("observed-time", "§3.1 observed_time", `{"observedTimeUnixNano":"1772360143123456789"}`, `{"observed_time":"2026-03-01T10:15:43.123456789Z"}`)
	s.ok("time-neighbours", "§3.1 times that a double cannot tell apart", `{"timeUnixNano":"1772360143123456789","observedTimeUnixNano":"1772360143123456788"}`,
		`{"observed_time":"2026-03-01T10:15:43.123456788Z","time":"2026-03-01T10:15:43.123456789Z"}`)
}

// addResources adds resources, scopes and entity references.
func addResources(s *recordSet) {
	wrap := func(name, rule, res, sc, line string) {
		v := recordVector{Rule: rule, Expect: "ok", OTLP: []byte(`{"resourceLogs":[{` + res + `"scopeLogs":[{` + sc + `"logRecords":[{}]}]}]}`)}
		s.put(name, withLine(v, line))
	}
	wrap("resource-scope-full", "§3.1 resource and scope, every member",
		`"resource":{"attributes":[{"key":"r","value":{"boolValue":true}}],"droppedAttributesCount":1,`+
			`"entityRefs":[{"schemaUrl":"u","type":"host","idKeys":["host.id"],"descriptionKeys":["host.name","os"]}]},"schemaUrl":"https://example.com/r",`,
		`"scope":{"name":"n","version":"v","attributes":[{"key":"s","value":{"boolValue":false}}],"droppedAttributesCount":2},"schemaUrl":"https://example.com/s",`,
		`{"resource":{"attributes":{"r":true},"dropped_attributes_count":1,"entity_refs":[{"description_keys":["host.name","os"],"id_keys":["host.id"],`+
			`"schema_url":"u","type":"host"}],"schema_url":"https://example.com/r"},"scope":{"attributes":{"s":false},"dropped_attributes_count":2,"name":"n",`+
			`"schema_url":"https://example.com/s","version":"v"}}`)
	wrap("resource-empty", "§3.1 an empty resource and an empty scope are left out", `"resource":{},`, `"scope":{},`, `{}`)
	wrap("resource-schema-url", "§3.1 a resource may have nothing but its schema URL", `"schemaUrl":"u",`, "", `{"resource":{"schema_url":"u"}}`)
	wrap("resource-dropped", "§3.1 a resource may have nothing but its dropped count", `"resource":{"droppedAttributesCount":7},`, "",
		`{"resource":{"dropped_attributes_count":7}}`)
	wrap("scope-schema-url", "§3.1 a scope may have nothing but its schema URL", "", `"schemaUrl":"u",`, `{"scope":{"schema_url":"u"}}`)
	wrap("scope-name", "§3.1 a scope may have nothing but its name", "", `"scope":{"name":"n"},`, `{"scope":{"name":"n"}}`)
	wrap("scope-version", "§3.1 a scope may have nothing but its version", "", `"scope":{"version":"1.0"},`, `{"scope":{"version":"1.0"}}`)
	wrap("scope-dropped", "§3.1 a scope may have nothing but its dropped count", "", `"scope":{"droppedAttributesCount":7},`,
		`{"scope":{"dropped_attributes_count":7}}`)
	wrap("entity-ref-empty", "§3.1 an entity reference may be empty; the array is not", `"resource":{"entityRefs":[{}]},`, "",
		`{"resource":{"entity_refs":[{}]}}`)
	wrap("entity-refs-order", "§3.1 entity references and their keys keep their order",
		`"resource":{"entityRefs":[{"type":"b","idKeys":["z","a","z"]},{"type":"a"},{"type":"b","descriptionKeys":["$x",""]}]},`, "",
		`{"resource":{"entity_refs":[{"id_keys":["z","a","z"],"type":"b"},{"type":"a"},{"description_keys":["$x",""],"type":"b"}]}}`)
}
