package main

import "encoding/base64"

// addRejects adds lines that no record has (spec §3.8).
func addRejects(s *recordSet) {
	rejectForm(s)
	rejectMembers(s)
	rejectText(s)
	rejectValues(s)
	rejectMaps(s)
	rejectDeep(s)
}

func rejectForm(s *recordSet) {
	for _, c := range []struct{ name, why, line string }{
		{"nothing", "no object", ``}, {"array", "no object", `[]`}, {"unfinished", "the object does not end", `{"body":1`},
		{"unfinished-text", "the text does not end", `{"body":"a`}, {"white-space", "white space between tokens", `{"body": 1}`},
		{"white-space-before", "white space before the object", ` {}`}, {"line-feed", "the line feed is not part of the line", "{}\n"},
		{"trailing", "bytes behind the object", `{}{}`}, {"trailing-comma", "a comma before the bracket", `{"body":1,}`},
		{"byte-order-mark", "a byte order mark", "\ufeff{}"}, {"missing-colon", "no colon", `{"body"1}`}, {"nul", "a NUL behind the object", "{}\x00"},
		{"literal", "no literal of JSON", `{"body":True}`}, {"comma-in-array", "an element is missing", `{"body":[1,,2]}`},
	} {
		s.reject(c.name, "§3 a line is one JSON object without white space", c.why, c.line)
	}
}

func rejectMembers(s *recordSet) {
	for _, c := range []struct{ name, why, line string }{
		{"unknown-member", "there is no such member", `{"bodies":1}`}, {"member-escaped", "the name of a member has an escape", `{"\u0062ody":1}`},
		{"member-order", "body stands before attributes", `{"body":1,"attributes":{"a":1}}`}, {"member-twice", "body occurs twice", `{"body":1,"body":1}`},
		{"member-case", "names have lower case", `{"Body":1}`}, {"body-null", "an unset body is left out", `{"body":null}`},
		{"attributes-empty", "an empty map is left out", `{"attributes":{}}`}, {"attributes-array", "attributes are a map", `{"attributes":[]}`},
		{"custody-empty", "an empty map is left out", `{"custody":{}}`}, {"resource-empty", "an empty resource is left out", `{"resource":{}}`},
		{"scope-empty", "an empty scope is left out", `{"scope":{}}`}, {"resource-unknown-member", "a resource has no name", `{"resource":{"name":"n"}}`},
		{"scope-member-order", "name stands before version", `{"scope":{"version":"v","name":"n"}}`},
		{"entity-refs-empty", "an empty array is left out", `{"resource":{"entity_refs":[]}}`},
		{"entity-ref-keys-empty", "an empty array is left out", `{"resource":{"entity_refs":[{"id_keys":[]}]}}`},
		{"entity-ref-keys-int", "keys are text", `{"resource":{"entity_refs":[{"id_keys":[1]}]}}`},
		{"event-name-empty", "empty text is left out", `{"event_name":""}`}, {"severity-text-empty", "empty text is left out", `{"severity_text":""}`},
		{"event-name-int", "event_name is text", `{"event_name":1}`}, {"flags-zero", "0 is left out", `{"flags":0}`},
		{"flags-33-bits", "flags have 32 bits", `{"flags":4294967296}`}, {"flags-negative", "flags have no sign", `{"flags":-1}`},
		{"flags-leading-zero", "a leading zero", `{"flags":01}`}, {"flags-fraction", "no integer", `{"flags":1.0}`},
		{"dropped-33-bits", "the count has 32 bits", `{"dropped_attributes_count":4294967296}`},
		{"severity-zero", "0 is left out", `{"severity_number":0}`}, {"severity-33-bits", "the number has 32 bits", `{"severity_number":2147483648}`},
		{"severity-minus-zero", "there is no -0", `{"severity_number":-0}`}, {"span-id-upper-case", "upper case", `{"span_id":"00000000000000FF"}`},
		{"span-id-short", "an id has 16 digits", `{"span_id":"ff"}`}, {"span-id-zero", "an id of zeros is left out", `{"span_id":"0000000000000000"}`},
		{"trace-id-short", "an id has 32 digits", `{"trace_id":"00000000000000ff"}`}, {"trace-id-zero", "an id of zeros is left out", `{"trace_id":"00000000000000000000000000000000"}`},
	} {
		s.reject(c.name, "§3.1 members", c.why, c.line)
	}
	for _, c := range []struct{ name, why, time string }{
		{"zero", "a time of 0 is left out", "1970-01-01T00:00:00.000000000Z"}, {"past-64-bits", "past the last time", "2554-07-21T23:34:33.709551616Z"},
		{"before-1970", "before the first time", "1969-12-31T23:59:59.999999999Z"}, {"few-digits", "fewer than nine digits", "2026-03-01T10:15:43.123Z"},
		{"no-fraction", "no fraction", "2026-03-01T10:15:43Z"}, {"offset", "not in UTC by name", "2026-03-01T10:15:43.000000000+00:00"},
		{"lower-case", "lower case", "2026-03-01t10:15:43.000000000z"}, {"leap-second", "the clock of OTLP knows none", "2016-12-31T23:59:60.000000000Z"},
		{"hour-24", "no such hour", "2026-03-01T24:00:00.000000000Z"}, {"day", "no such day", "2026-02-29T00:00:00.000000000Z"},
		{"day-century", "2100 is no leap year", "2100-02-29T00:00:00.000000000Z"}, {"month", "no such month", "2026-13-01T00:00:00.000000000Z"},
		{"day-zero", "no such day", "2026-03-00T00:00:00.000000000Z"}, {"comma", "a comma before the fraction", "2026-03-01T10:15:43,000000000Z"},
	} {
		s.reject("time-"+c.name, "§3.1 time", c.why, `{"time":"`+c.time+`"}`)
	}
	s.reject("time-int", "§3.1 time", "a time is text", `{"time":1772360143123456789}`)
}

func rejectText(s *recordSet) {
	for _, c := range []struct{ name, why, text string }{
		{"control-raw", "a control stands raw", "\x01"}, {"tab-raw", "a tab stands raw", "\t"}, {"line-feed-raw", "a line feed stands raw", "\n"},
		{"slash-escaped", "the slash needs no escape", `\/`}, {"ascii-escaped", "the letter needs no escape", `\u0061`},
		{"non-ascii-escaped", "é stands raw", `\u00e9`}, {"del-escaped", "U+007F stands raw", `\u007f`}, {"tab-long", "the short escape is the one", `\u0009`},
		{"quote-long", "the short escape is the one", `\u0022`}, {"upper-case-hex", "hex digits have lower case", `\u001F`},
		{"surrogates-escaped", "characters stand raw", `\ud83d\ude00`}, {"lone-surrogate-escaped", "a surrogate is no character", `\ud800`},
		{"unknown-escape", "no escape of JSON", `\x`}, {"unfinished-escape", "the escape does not end", `\u00`},
		{"separator-escaped", "U+2028 stands raw", `\u2028`}, {"not-utf8", "not UTF-8", "\xff"}, {"surrogate-raw", "not UTF-8", "\xed\xa0\x80"},
		{"overlong-raw", "not UTF-8", "\xc0\x80"}, {"above-raw", "not UTF-8", "\xf4\x90\x80\x80"},
		{"mark-alone", "U+001A stands alone", `\u001a`}, {"mark-text", "U+001A is followed by other text", `\u001axx`},
		{"mark-ascii", "an ASCII byte is never invalid", `\u001a41`}, {"mark-upper-case", "hex digits have lower case", `\u001aFF`},
		{"mark-one-digit", "one digit is missing", `\u001af`}, {"mark-valid-2", "the bytes are UTF-8", `\u001ac3\u001aa9`},
		{"mark-valid-3", "the bytes are UTF-8", `\u001ae2\u001a82\u001aac`}, {"mark-valid-4", "the bytes are UTF-8", `\u001af0\u001a9f\u001a98\u001a80`},
		{"mark-valid-within", "some of the bytes are UTF-8", `\u001aff\u001ac3\u001aa9\u001a80`}, {"mark-odd", "the third U+001A stands alone", `\u001a\u001a\u001a`},
	} {
		s.reject("text-"+c.name, "§3.2 text", c.why, `{"body":"`+c.text+`"}`)
	}
}

func rejectValues(s *recordSet) {
	for _, c := range []struct{ name, why, value string }{
		{"int-plus", "a sign", `+1`}, {"int-leading-zero", "a leading zero", `01`}, {"int-minus-zero", "there is no -0", `-0`}, {"int-minus", "no digits", `-`},
		{"int-65-bits", "past int64", `9223372036854775808`}, {"int-below", "below int64", `-9223372036854775809`}, {"int-hex", "no decimal", `0x1`},
		{"double-trailing-zero", "a zero too many", `1.50`}, {"double-two-zeros", "a zero too many", `1.00`}, {"double-no-fraction", "no digit behind the point", `1.`},
		{"double-no-integer", "no digit before the point", `.5`}, {"double-upper-case", "upper case", `1E+21`}, {"double-no-sign", "no sign in the exponent", `1e21`},
		{"double-exponent-zero", "a zero in the exponent", `1e-07`}, {"double-exponent-early", "no exponent at this size", `1e+20`},
		{"double-exponent-late", "an exponent at this size", `1000000000000000000000.0`}, {"double-small-plain", "an exponent at this size", `0.0000001`},
		{"double-small-exponent", "no exponent at this size", `1e-6`}, {"double-digits", "more digits than needed", `0.1000000000000000055`},
		{"double-17-digits", "a shorter form is the same double", `0.10000000000000001`}, {"double-not-nearest", "no double is written like this", `9007199254740993.0`},
		{"double-mantissa-zero", "a point that says nothing", `1.0e+21`}, {"double-infinite", "too large for a double", `1e+309`}, {"double-tiny", "a 0 in disguise", `1e-400`},
		{"double-nan", "JSON has no NaN", `NaN`}, {"f64-finite", "a finite double is a number", `{"$f64":"3ff0000000000000"}`},
		{"f64-upper-case", "upper case", `{"$f64":"7FF8000000000000"}`}, {"f64-short", "16 digits", `{"$f64":"7ff8"}`}, {"f64-number", "the bits are text", `{"$f64":1}`},
		{"f64-member", "another member", `{"$f64":"7ff8000000000000","a":1}`}, {"bytes-no-padding", "no padding", `{"$bytes":"AA"}`},
		{"bytes-bits", "unused bits are not 0", `{"$bytes":"AB=="}`}, {"bytes-bits-3", "unused bits are not 0", `{"$bytes":"AAB="}`},
		{"bytes-url", "another alphabet", `{"$bytes":"-_8="}`}, {"bytes-padding", "too much padding", `{"$bytes":"A==="}`}, {"bytes-padding-only", "nothing but padding", `{"$bytes":"===="}`},
		{"bytes-padding-within", "padding within", `{"$bytes":"AA==AAAA"}`}, {"bytes-line-break", "a line break", `{"$bytes":"AA\n=="}`},
		{"bytes-array", "base64 is text", `{"$bytes":[0]}`}, {"bytes-member", "another member", `{"$bytes":"AA==","a":1}`},
	} {
		s.reject(c.name, "§3.3 values", c.why, `{"body":`+c.value+`}`)
	}
}

func rejectMaps(s *recordSet) {
	for _, c := range []struct{ name, why, m string }{
		{"unsorted-keys", "b stands before a", `{"b":1,"a":2}`}, {"repeated-key", "a occurs twice", `{"a":1,"a":2}`},
		{"unsorted-escape", "the order is that of emitted keys", `{"\"":1,"A":2}`}, {"unsorted-prefix", "a prefix stands before what it begins", `{"aa":1,"a":2}`},
		{"unsorted-nested", "the order holds at every depth", `{"a":{"c":1,"b":2}}`}, {"single-dollar", "no key is emitted like this", `{"$a":1}`},
		{"lone-dollar", "no key is emitted like this", `{"$":1}`}, {"dollar-between", "no key is emitted like this", `{"a":1,"$b":2}`},
		{"dup-empty", "no pairs", `{"$dup":[],"a":1}`}, {"dup-alone", "no natural member", `{"$dup":[["a",1]]}`},
		{"dup-foreign", "no natural member b", `{"$dup":[["b",1]],"a":1}`}, {"dup-foreign-early", "no natural member !", `{"#":1,"$dup":[["!",1]],"a":1}`},
		{"dup-foreign-last", "no natural member z", `{"$dup":[["a",1],["z",1]],"a":1}`}, {"dup-unsorted", "pairs are sorted", `{"$dup":[["b",1],["a",1]],"a":1,"b":2}`},
		{"dup-place", "$dup stands before a", `{"a":1,"$dup":[["a",1]]}`}, {"dup-twice", "$dup occurs twice", `{"$dup":[["a",1]],"$dup":[["a",2]],"a":1}`},
		{"dup-triple", "a pair has two elements", `{"$dup":[["a",1,2]],"a":1}`}, {"dup-single", "a pair has two elements", `{"$dup":[["a"]],"a":1}`},
		{"dup-map", "$dup is an array", `{"$dup":{"a":1},"a":1}`}, {"dup-key-dollar", "keys of pairs are emitted keys", `{"$$a":1,"$dup":[["$a",1]]}`},
		{"dup-key-int", "keys are text", `{"$dup":[[1,1]],"a":1}`}, {"key-int", "keys are text", `{1:1}`},
		{"f64-in-attributes", "attributes are a map", `{"$f64":"7ff8000000000000"}`},
	} {
		s.reject(c.name, "§3.4 maps", c.why, `{"attributes":`+c.m+`}`)
	}
}

func rejectDeep(s *recordSet) {
	at := func(depth int, name, why, value string) {
		s.reject(name, "§3.3 and §3.5 deep values", why, `{"body":`+repeated("[", depth-1)+value+repeated("]", depth-1)+`}`)
	}
	deep := func(name, why, value string) {
		at(65, "otlp-"+name, why, `{"$otlp":"`+base64.StdEncoding.EncodeToString([]byte(value))+`"}`)
	}
	at(65, "deep-array", "an array of depth 65 is $otlp", `[]`)
	at(65, "deep-map", "a map of depth 65 is $otlp", `{}`)
	at(64, "shallow-otlp", "an array of depth 64 is natural", `{"$otlp":"KgA="}`)
	at(1, "shallow-otlp-body", "an array of depth 1 is natural", `{"$otlp":"KgA="}`)
	at(65, "otlp-base64", "no padding", `{"$otlp":"KgA"}`)
	at(65, "otlp-member", "another member", `{"$otlp":"KgA=","a":1}`)
	deep("nothing", "no value is natural at any depth", "")
	deep("scalar", "scalars are natural at any depth", anyInt(1))
	deep("trailing", "bytes behind the value", anyList()+"\x00")
	deep("two-values", "two values are set", anyList()+anyList())
	deep("unknown-field", "an unknown field", anyList()+field(9, "x"))
	deep("length", "a length past the end", "\x2a\x05")
	deep("long-varint", "a varint with a byte too many", "\x2a\x80\x00")
	deep("long-int", "a varint with a byte too many", anyList("\x18\x81\x00"))
	deep("int-65-bits", "a varint past 64 bits", anyList("\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"))
	deep("bool-two", "a bool is 0 or 1", anyList("\x10\x02"))
	deep("double-short", "a double has 8 bytes", anyList("\x21\x00"))
	deep("empty-key", "an empty key is left out", anyMap("\x0a\x00\x12\x00"))
	deep("no-value", "a value is always present", anyMap("\x0a\x01k"))
	deep("field-order", "the key stands before the value", anyMap("\x12\x00\x0a\x01k"))
	deep("unsorted", "entries are sorted", anyMap(entry("b", ""), entry("a", "")))
	deep("unsorted-emitted", "entries are sorted by emitted key", anyMap(entry(`"`, ""), entry("A", "")))
	deep("unsorted-nested", "entries are sorted at every depth", anyList(anyMap(entry("b", ""), entry("a", ""))))
	deep("wire-type", "a field of the wrong wire type", "\x28\x00")
	value := anyList()
	for range 10_001 - 65 {
		value = anyList(value)
	}
	v := recordVector{Rule: "§14 nesting", Expect: "reject", Why: "a value lies at depth 10,001"}
	s.put("reject-otlp-depth", withLine(v, `{"body":`+repeated("[", 64)+`{"$otlp":"`+base64.StdEncoding.EncodeToString([]byte(value))+`"}`+repeated("]", 64)+`}`))
}
