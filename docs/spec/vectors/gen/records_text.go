package main

// addText adds what spec §3.2 says of text.
func addText(s *recordSet) {
	s.ok("text-quote-backslash", "§3.2 quotation mark and backslash", body(text(`a"b\c`)), `{"body":"a\"b\\c"}`)
	s.ok("text-json", "§3.2 JSON in text", body(text(`{"a":"b\n"}`)), `{"body":"{\"a\":\"b\\n\"}"}`)
	s.ok("text-controls", "§3.2 all C0 controls", body(text("\x00\x01\x02\x03\x04\x05\x06\x07\b\t\n\v\f\r\x0e\x0f\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f")),
		`{"body":"\u0000\u0001\u0002\u0003\u0004\u0005\u0006\u0007\b\t\n\u000b\f\r\u000e\u000f\u0010\u0011\u0012\u0013\u0014\u0015\u0016\u0017\u0018\u0019\u001a\u001a\u001b\u001c\u001d\u001e\u001f"}`)
	s.ok("text-raw", "§3.2 everything else stands raw", body(text("\x7f \u0080 é € \u2028\u2029 \ud7ff \ue000 \ufeff \ufffd \uffff 😀 \U0010ffff / < > &")),
		"{\"body\":\"\x7f \u0080 é € \u2028\u2029 \ud7ff \ue000 \ufeff \ufffd \uffff 😀 \U0010ffff / < > &\"}")
	s.ok("text-composed", "§3.2 text is not normalised: composed", body(text("\u00e9")), "{\"body\":\"\u00e9\"}")
	s.ok("text-decomposed", "§3.2 text is not normalised: decomposed", body(text("e\u0301")), "{\"body\":\"e\u0301\"}")
	s.ok("text-mark", "§3.2 a real U+001A is doubled", body(text("\x1a")), `{"body":"\u001a\u001a"}`)
	s.ok("text-mark-hex", "§3.2 a real U+001A before hex digits", body(text("\x1aff")), `{"body":"\u001a\u001aff"}`)
	for _, c := range []struct{ name, rule, text, line string }{
		{"invalid-byte", "a byte that begins nothing", "a\xffb", `a\u001affb`},
		{"invalid-continuation", "a continuation byte alone", "\x80", `\u001a80`},
		{"invalid-truncated", "a sequence that ends early", "\xe2\x82", `\u001ae2\u001a82`},
		{"invalid-interrupted", "a sequence that another one interrupts", "\xf0\x9f\x98€", `\u001af0\u001a9f\u001a98€`},
		{"invalid-overlong", "an overlong form", "\xc0\x80", `\u001ac0\u001a80`},
		{"invalid-overlong-slash", "an overlong form", "\xe0\x80\xaf", `\u001ae0\u001a80\u001aaf`},
		{"invalid-surrogate", "a lone surrogate", "\xed\xa0\x80", `\u001aed\u001aa0\u001a80`},
		{"invalid-surrogate-low", "another lone surrogate", "\xed\xbf\xbf", `\u001aed\u001abf\u001abf`},
		{"invalid-surrogate-pair", "a pair of surrogates", "\xed\xa0\xbd\xed\xb8\x80", `\u001aed\u001aa0\u001abd\u001aed\u001ab8\u001a80`},
		{"invalid-above", "above U+10FFFF", "\xf4\x90\x80\x80", `\u001af4\u001a90\u001a80\u001a80`},
		{"invalid-then-mark", "an invalid byte before a real U+001A", "\xff\x1a\xff", `\u001aff\u001a\u001a\u001aff`},
		{"invalid-latin1", "ISO 8859-1", "caf\xe9", `caf\u001ae9`},
	} {
		s.proto("text-"+c.name, "§3.2 not UTF-8: "+c.rule, bodyProto(anyString(c.text)), `{"body":"`+c.line+`"}`)
	}
	s.proto("text-invalid-member", "§3.2 not UTF-8 in a member that is text", field(3, "\xfe")+field(12, "\xff"),
		`{"event_name":"\u001aff","severity_text":"\u001afe"}`)
}
