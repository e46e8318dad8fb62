package main

import "math"

// addValues adds what spec §3.3 says of values other than doubles.
func addValues(s *recordSet) {
	s.ok("value-none", "§3.3 no value is null", attributes(attribute("a", `{}`)), `{"attributes":{"a":null}}`)
	s.ok("value-none-in-array", "§3.3 no value is null", body(list(`{}`, text("null"))), `{"body":[null,"null"]}`)
	s.ok("value-bool", "§3.3 bools", body(list(`{"boolValue":true}`, `{"boolValue":false}`)), `{"body":[true,false]}`)
	s.ok("value-bool-false", "§3.3 a value at its default is a value", attributes(attribute("a", `{"boolValue":false}`)), `{"attributes":{"a":false}}`)
	for _, n := range []struct{ name, rule, digits string }{
		{"max", "the greatest int64", "9223372036854775807"}, {"min", "the least int64", "-9223372036854775808"},
		{"2-53-plus-1", "2^53 + 1, which no double is", "9007199254740993"}, {"2-53", "2^53", "9007199254740992"},
		{"minus-2-53-minus-1", "-2^53 - 1", "-9007199254740993"}, {"zero", "0", "0"}, {"minus-one", "-1", "-1"},
	} {
		s.ok("int-"+n.name, "§3.3 int: "+n.rule, body(integer(n.digits)), `{"body":`+n.digits+`}`)
	}
	s.ok("one-int", "§3.3 1 is an int", body(integer("1")), `{"body":1}`)
	s.ok("one-double", "§3.3 1.0 is a double", body(`{"doubleValue":1}`), `{"body":1.0}`)
	s.ok("one-string", `§3.3 "1" is a string`, body(text("1")), `{"body":"1"}`)
	s.ok("one-bool", "§3.3 true is a bool", body(`{"boolValue":true}`), `{"body":true}`)
	s.ok("one-string-true", `§3.3 "true" is a string`, body(text("true")), `{"body":"true"}`)
	s.ok("bytes-empty", "§3.3 no bytes", body(`{"bytesValue":""}`), `{"body":{"$bytes":""}}`)
	s.ok("bytes-one", "§3.3 bytes with two signs of padding", body(`{"bytesValue":"AA=="}`), `{"body":{"$bytes":"AA=="}}`)
	s.ok("bytes-two", "§3.3 bytes with one sign of padding", body(`{"bytesValue":"+/8="}`), `{"body":{"$bytes":"+/8="}}`)
	s.ok("bytes-three", "§3.3 bytes without padding", body(`{"bytesValue":"AAEC"}`), `{"body":{"$bytes":"AAEC"}}`)
	s.ok("bytes-as-text", "§3.3 base64 text is not bytes", body(text("AAEC")), `{"body":"AAEC"}`)
	s.ok("bytes-as-map", "§3.3 a map with the key $bytes is not bytes", body(kvlist(attribute("$bytes", text("AAEC")))), `{"body":{"$$bytes":"AAEC"}}`)
	s.ok("array", "§3.3 an array keeps its order", body(list(integer("2"), text("a"), integer("1"), list(), kvlist(), text(""))),
		`{"body":[2,"a",1,[],{},""]}`)
	s.ok("map-nested", "§3.3 a key-value list is a map at every depth",
		body(kvlist(attribute("b", kvlist(attribute("d", integer("1")), attribute("c", kvlist()))), attribute("a", list(kvlist(attribute("y", text("")), attribute("x", `{}`)))))),
		`{"body":{"a":[{"x":null,"y":""}],"b":{"c":{},"d":1}}}`)
	const mebibyte = 1 << 20
	for _, r := range []struct{ name, unit, line string }{
		{"body-1mib", "x", "x"}, {"body-1mib-quotes", `"`, `\"`}, {"body-1mib-mark", "\x1a", `\u001a\u001a`}, {"body-1mib-emoji", "😀", "😀"},
	} {
		line := `{"body":"` + repeated(r.line, mebibyte/len(r.unit)) + `"}`
		s.put(r.name, long(recordVector{Rule: "§3.2 a body of 1 MiB", Expect: "ok", BodyRepeat: &repeat{r.unit, mebibyte / len(r.unit)}}, line))
	}
}

// addDoubles adds what spec §3.3 says of doubles.
func addDoubles(s *recordSet) {
	for _, d := range []struct {
		name, rule string
		value      float64
		line       string
	}{
		{"zero", "0", 0, "0.0"},
		{"minus-zero", "negative zero", math.Copysign(0, -1), "-0.0"},
		{"tenth", "a fraction", 0.1, "0.1"},
		{"minus-half", "a negative fraction", -0.5, "-0.5"},
		{"sum", "17 digits", 0.30000000000000004, "0.30000000000000004"},
		{"pi", "16 digits", math.Pi, "3.141592653589793"},
		{"hundred", "an integer with zeros", 100, "100.0"},
		{"2-53", "2^53, a double", 1 << 53, "9007199254740992.0"},
		{"21-digits", "the greatest size without an exponent", 123456789012345680000, "123456789012345680000.0"},
		{"below-1e21", "just below 1e21", 999999999999999900000, "999999999999999900000.0"},
		{"1e21", "the least size with an exponent", 1e21, "1e+21"},
		{"1e-6", "the last without an exponent", 1e-6, "0.000001"},
		{"1e-7", "the first with an exponent", 1e-7, "1e-7"},
		{"small-digits", "small, with several digits", 1.2345e-7, "1.2345e-7"},
		{"small-no-exponent", "small, with several digits and without exponent", 0.0000012345, "0.0000012345"},
		{"max", "the greatest", math.MaxFloat64, "1.7976931348623157e+308"},
		{"lowest", "the least", -math.MaxFloat64, "-1.7976931348623157e+308"},
		{"denormal", "the smallest above 0", math.SmallestNonzeroFloat64, "5e-324"},
		{"normal", "the smallest normal", 0x1p-1022, "2.2250738585072014e-308"},
		{"2-64", "2^64", 1 << 64, "18446744073709552000.0"},
		{"5e-7", "an exponent and one digit", 5e-7, "5e-7"},
		{"1e100", "an exponent of three digits", 1e100, "1e+100"},
	} {
		s.proto("double-"+d.name, "§3.3 double: "+d.rule, bodyProto(anyDouble(d.value)), `{"body":`+d.line+`}`)
	}
	for _, d := range []struct {
		name string
		bits uint64
		hex  string
	}{
		{"infinity", 0x7ff0000000000000, "7ff0000000000000"}, {"minus-infinity", 0xfff0000000000000, "fff0000000000000"},
		{"nan", 0x7ff8000000000000, "7ff8000000000000"}, {"nan-payload", 0x7ff8000000000001, "7ff8000000000001"},
		{"nan-signalling", 0x7ff0000000000001, "7ff0000000000001"}, {"nan-negative", 0xffffffffffffffff, "ffffffffffffffff"},
	} {
		s.proto("double-"+d.name, "§3.3 double: NaN and infinities keep their bits", bodyProto(anyBits(d.bits)), `{"body":{"$f64":"`+d.hex+`"}}`)
	}
	s.ok("double-as-map", "§3.3 a map with the key $f64 is not a double", body(kvlist(attribute("$f64", text("7ff8000000000000")))),
		`{"body":{"$$f64":"7ff8000000000000"}}`)
}
