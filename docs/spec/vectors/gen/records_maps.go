package main

import (
	"encoding/base64"
	"strings"
)

func repeated(s string, n int) string { return strings.Repeat(s, n) }

// addMaps adds what spec §3.4 says of maps and keys.
func addMaps(s *recordSet) {
	one := func(keys ...string) string {
		var kvs []string
		for i, k := range keys {
			kvs = append(kvs, attribute(k, integer(string(rune('0'+i)))))
		}
		return attributes(kvs...)
	}
	s.ok("key-order", "§3.4 members stand in the order of their keys", one("b", "a", "c"), `{"attributes":{"a":1,"b":0,"c":2}}`)
	s.ok("key-order-prefix", "§3.4 a prefix stands before what it begins", one("aa", "a", "a.b", ""), `{"attributes":{"":3,"a":1,"a.b":2,"aa":0}}`)
	s.ok("key-order-bytes", "§3.4 the order is that of bytes, not of letters", one("ä", "z", "Z", "_", "\U0001F600", "\uffff"),
		"{\"attributes\":{\"Z\":2,\"_\":3,\"z\":1,\"ä\":0,\"\uffff\":5,\"\U0001F600\":4}}")
	s.ok("key-order-escaped", "§3.4 the order is that of emitted keys: escapes begin with a backslash", one(`"`, "A", "Z", "a", "\n", "[", "]", "\\", " "),
		`{"attributes":{" ":8,"A":1,"Z":2,"[":5,"\"":0,"\\":7,"\n":4,"]":6,"a":3}}`)
	s.ok("key-dollar", "§3.4 a key that begins with $ gets another", one("$", "$a", "$$", "a$", "#", "%"),
		`{"attributes":{"#":4,"$$":0,"$$$":2,"$$a":1,"%":5,"a$":3}}`)
	s.ok("key-dup-name", "§3.4 the key $dup is a key", one("$dup", "$$dup"), `{"attributes":{"$$$dup":1,"$$dup":0}}`)
	s.ok("key-otlp-name", "§3.4 the key $otlp is a key", body(kvlist(attribute("$otlp", text("KgA=")))), `{"body":{"$$otlp":"KgA="}}`)
	s.ok("key-empty", "§3.4 the empty key is a key", one(""), `{"attributes":{"":0}}`)
	s.proto("key-invalid", "§3.4 a key is text, UTF-8 or not", attributesProto(entry("\xff", anyInt(1)), entry("\x1aff", anyInt(2)), entry("é", anyInt(3))),
		`{"attributes":{"\u001a\u001aff":2,"\u001aff":1,"é":3}}`)
	s.ok("duplicate", "§3.4 the second occurrence goes into $dup", one("a", "a"), `{"attributes":{"$dup":[["a",1]],"a":0}}`)
	s.ok("duplicate-same-value", "§3.4 equal entries stay two", attributes(attribute("a", text("x")), attribute("a", text("x"))),
		`{"attributes":{"$dup":[["a","x"]],"a":"x"}}`)
	s.ok("duplicates-order", "§3.4 pairs are sorted by key, and those of one key keep their order", one("b", "a", "b", "a", "c", "b"),
		`{"attributes":{"$dup":[["a",3],["b",2],["b",5]],"a":1,"b":0,"c":4}}`)
	s.ok("duplicates-place", "§3.4 $dup takes its place in the order", one("!", "!", "z", "$z", "$z", "z", "\"", "\""),
		`{"attributes":{"!":0,"$$z":3,"$dup":[["!",1],["$$z",4],["\"",7],["z",5]],"\"":6,"z":2}}`)
	s.ok("duplicates-last", "§3.4 $dup may be the last member", one("", ""), `{"attributes":{"":0,"$dup":[["",1]]}}`)
	s.ok("duplicates-nested", "§3.4 duplicates at every depth, within $dup too",
		body(kvlist(attribute("a", `{}`), attribute("a", kvlist(attribute("b", integer("1")), attribute("b", list()))))),
		`{"body":{"$dup":[["a",{"$dup":[["b",[]]],"b":1}]],"a":null}}`)
	s.ok("duplicates-resource", "§3.4 duplicates among attributes of any kind", `{"attributes":[{"key":"k","value":{"stringValue":"1"}},{"key":"k","value":{"intValue":"1"}}]}`,
		`{"attributes":{"$dup":[["k",1]],"k":"1"}}`)
}

// addDeep adds what spec §3.3 and §3.5 say of deep values.
func addDeep(s *recordSet) {
	deep := func(value string) string {
		return `{"$otlp":"` + base64.StdEncoding.EncodeToString([]byte(value)) + `"}`
	}
	// at wraps a value so that it comes to lie at depth 65, and its line alike.
	at := func(name, rule, value, line string) {
		for range 64 {
			value = anyList(value)
		}
		s.proto(name, rule, bodyProto(value), `{"body":`+repeated("[", 64)+line+repeated("]", 64)+`}`)
	}
	s.put("nest-64", withLine(recordVector{Rule: "§3.3 arrays of depth 64 are natural", Expect: "ok", BodyNest: 64},
		`{"body":`+repeated("[", 64)+repeated("]", 64)+`}`))
	at("nest-65-array", "§3.3 an array of depth 65 is $otlp", anyList(), deep("\x2a\x00"))
	at("nest-65-map", "§3.3 a key-value list of depth 65 is $otlp", anyMap(), deep("\x32\x00"))
	at("nest-65-scalar", "§3.3 scalars are natural at any depth", anyString("x"), `"x"`)
	at("nest-65-none", "§3.3 no value is natural at any depth", "", `null`)
	at("nest-65-bytes", "§3.3 bytes are natural at any depth", anyBytes("\x00"), `{"$bytes":"AA=="}`)
	at("nest-65-nan", "§3.3 doubles are natural at any depth", anyBits(0x7ff8000000000000), `{"$f64":"7ff8000000000000"}`)
	all := anyList("", anyString(""), anyString("x"), "\x10\x00", anyTrue(), anyInt(0), anyInt(-1), anyInt(300), anyDouble(0), anyDouble(-1.5), anyBytes(""),
		anyBytes("\xff"), anyList(), anyMap(), anyList(anyMap(entry("k", ""))))
	at("nest-65-kinds", "§3.5 every kind of value", all, deep(all))
	at("nest-65-keys", "§3.5 entries stand in the order of emitted keys; an empty key is left out, a value never",
		anyMap(entry("z", anyInt(1)), entry(`"`, anyInt(2)), entry("A", ""), entry("", anyInt(3)), entry("$", anyInt(4)), entry("\xff", anyInt(5))),
		deep(anyMap(entry("", anyInt(3)), entry("$", anyInt(4)), entry("A", ""), entry(`"`, anyInt(2)), entry("\xff", anyInt(5)), entry("z", anyInt(1)))))
	at("nest-65-duplicates", "§3.5 entries with equal keys keep their order",
		anyMap(entry("b", anyInt(1)), entry("a", anyInt(2)), entry("b", ""), entry("a", anyString("x"))),
		deep(anyMap(entry("a", anyInt(2)), entry("a", anyString("x")), entry("b", anyInt(1)), entry("b", ""))))
	at("nest-65-unsorted-within", "§3.5 the order holds at every depth",
		anyList(anyMap(entry("a", anyMap(entry("d", ""), entry("c", ""))))), deep(anyList(anyMap(entry("a", anyMap(entry("c", ""), entry("d", "")))))))
	value := anyMap(entry("k", anyInt(1)))
	line := deep(value)
	for range 64 {
		value, line = anyMap(entry("m", value)), `{"m":`+line+`}`
	}
	s.proto("nest-65-in-maps", "§3.3 depth counts maps and arrays alike", attributesProto(entry("a", value)), `{"attributes":{"a":`+line+`}}`)
	value = anyList()
	for range 10_000 - 65 {
		value = anyList(value)
	}
	s.put("nest-10000", long(recordVector{Rule: "§14 values of depth 10,000 are the deepest", Expect: "ok", BodyNest: 10_000},
		`{"body":`+repeated("[", 64)+deep(value)+repeated("]", 64)+`}`))
}
