package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
)

// addSegments adds segment objects that are gone or not the sealed ones.
func addSegments(s *storeSet) {
	l := grown(2, 3, 2)
	s.tampered("segment-missing", "§11.4", "a segment is gone of which nothing says how long it is to be kept", l.drop(l.sealed[1].object), found("segment-missing", 2))
	l = second(changes{retain: future})
	s.tampered("segment-missing-early", "§11.4", "a segment is gone before its retain_until", l.drop(l.sealed[1].object), found("segment-missing", 2))
	l = second(changes{retain: past})
	s.tampered("segment-missing-not-all", "§11.4", "one segment has expired, another one is gone", l.drop(l.sealed[1].object, l.sealed[2].object), found("segment-missing", 5))
	put := func(name, what string, f func([]byte) []byte, record ...uint64) {
		l := grown(2, 3, 2)
		want := found("segment-altered", 2)
		if len(record) > 0 {
			want.Record = &record[0]
		}
		s.tampered("segment-altered-"+name, "§11.3", what, l.altered(l.sealed[1].object, f), want)
	}
	put("record", "a digit of record 3 was changed", func(b []byte) []byte { return bytes.Replace(b, []byte("record 3"), []byte("record 9"), 1) }, 3)
	put("seed", "a digit of the seed was changed", func(b []byte) []byte {
		i := bytes.Index(b, []byte("seed ")) + 5
		b[i] = "10"[b[i]&1]
		return b
	}, 2)
	put("header", "a digit of the header's count was changed", func(b []byte) []byte { return bytes.Replace(b, []byte("count 3"), []byte("count 4"), 1) })
	put("cut", "the object ends a byte early", func(b []byte) []byte { return b[:len(b)-1] })
	put("empty", "the object is empty", func([]byte) []byte { return nil })
	put("longer", "a byte lies behind the object", func(b []byte) []byte { return append(b, 0) })
	put("swapped", "two records changed places", func(b []byte) []byte {
		return []byte(strings.NewReplacer("record 2", "record 3", "record 3", "record 2").Replace(string(b)))
	}, 2)
	l = grown(2, 3, 3)
	a, b := l.sealed[1].object, l.sealed[2].object
	l.files[a], l.files[b] = l.files[b], l.files[a]
	s.tampered("segment-altered-exchanged", "§11.3", "two segment objects changed places", l, found("segment-altered", 2), found("segment-altered", 5))
	size := func(head string) string {
		i := strings.Index(head, "segment_size ") + len("segment_size ")
		return head[:i] + "1" + head[i:]
	}
	s.tampered("segment-altered-size", "§11.3", "the seal's segment_size is not that of the object, its segment_sha256 is", second(changes{head: size}), found("segment-altered", 2))
	another := func(head string) string {
		i := strings.Index(head, "segment_sha256 ") + len("segment_sha256 ")
		return head[:i] + strings.Repeat("0", 64) + head[i+64:]
	}
	s.tampered("segment-missing-other", "§11.4", "the seal names another segment object than the one that is there", second(changes{head: another}),
		found("orphan-segment", 2), found("segment-missing", 2))
	l = grown(2, 3, 2)
	dropped := func(b []byte) []byte { return bytes.Replace(b, []byte("{\"body\":\"record 3\"}\n"), nil, 1) }
	s.tampered("segment-altered-dropped", "§11.3", "record 3 was taken out, and nothing adapted to it", l.altered(l.sealed[1].object, dropped), found("segment-altered", 2))
}

// addSegmentLies adds objects that are the sealed ones and yet wrong: the log
// itself was made to lie.
func addSegmentLies(s *storeSet) {
	put := func(rule, name, what string, c changes) {
		s.tampered("segment-malformed-"+name, rule, what, second(c), found("segment-malformed", 2))
	}
	put("§6", "origin", "the header names another origin", changes{header: replaced(defaultOrigin, "custody.example/db")})
	put("§6", "first", "the header names another position", changes{header: replaced("first 2", "first 3")})
	put("§6", "count", "the header names another number of records", changes{header: replaced("count 3", "count 2")})
	put("§6", "bytes", "the header names another number of bytes", changes{header: replaced("bytes ", "bytes 1")})
	put("§6", "bytes-form", "the header's bytes have a leading zero", changes{header: replaced("bytes ", "bytes 0")})
	put("§6", "lines", "the header has a further line", changes{header: func(h string) string { return h + "more\n" }})
	put("§6", "magic", "the header stands in another kind of skippable frame", changes{object: func(b []byte) []byte { b[0] = 0x50; return b }})
	put("§6", "no-header", "there is no header", changes{object: func(b []byte) []byte { return b[8+binary.LittleEndian.Uint32(b[4:]):] }})
	behind := func(more ...byte) func([]byte) []byte { return func(b []byte) []byte { return append(b, more...) } }
	put("§6", "trailing", "a byte lies behind the frame", changes{frame: behind('\n')})
	put("§6", "second-frame", "a second, empty zstd frame lies behind the first", changes{frame: behind(rawFrame(nil)...)})
	put("§6", "second-frame-full", "a second zstd frame holds a further line", changes{frame: behind(rawFrame([]byte("{}\n"))...)})
	put("§6", "skippable-behind", "a skippable frame lies behind the zstd frame", changes{frame: behind(0x5C, 0x2A, 0x4D, 0x18, 0, 0, 0, 0)})
	put("§6", "skippable-between", "a skippable frame lies before the zstd frame", changes{frame: func(b []byte) []byte {
		return append([]byte{0x50, 0x2A, 0x4D, 0x18, 0, 0, 0, 0}, b...)
	}})
	put("§6", "no-size", "the zstd frame does not state its size", changes{frame: func(b []byte) []byte {
		return append([]byte{0x28, 0xB5, 0x2F, 0xFD, 0x00, 0x08}, b[9:]...)
	}})
	put("§6", "dictionary", "the zstd frame names a dictionary", changes{frame: func(b []byte) []byte {
		return append([]byte{0x28, 0xB5, 0x2F, 0xFD, 0xA1, 7}, b[5:]...)
	}})
	put("§6", "reserved-bit", "the zstd frame has the reserved bit set", changes{frame: func(b []byte) []byte { b[4] |= 8; return b }})
	put("§6", "frame-cut", "the zstd frame ends early", changes{frame: func(b []byte) []byte { return b[:len(b)-1] }})
	put("§6", "frame-short", "the zstd frame states more than it holds", changes{frame: func(b []byte) []byte { b[5]++; return b }, header: more(1)})
	s.tampered("segment-malformed-line-count", "§6", "there is a line more than the header says", second(changes{content: func(b []byte) []byte {
		return bytes.Replace(b, []byte("\n"), []byte("\n\n"), 1)
	}}), foundRecord("segment-malformed", 2, 3))
	put("§6", "no-last-line-feed", "the last line has no line feed", changes{content: func(b []byte) []byte { return b[:len(b)-1] }})
	addRecordLies(s)
}

// more adds n to the bytes of a header.
func more(n int) func(string) string {
	return func(text string) string {
		i := strings.Index(text, "bytes ")
		var bytes int
		if _, err := fmt.Sscanf(text[i:], "bytes %d", &bytes); err != nil {
			panic(err)
		}
		return replaced(fmt.Sprintf("bytes %d\n", bytes), fmt.Sprintf("bytes %d\n", bytes+n))(text)
	}
}

func addRecordLies(s *storeSet) {
	early := `{"custody":{"closed":{"at":"2026-03-01T12:01:30.000000000Z","count":1,"counts":{},"first":2,"key":"k","reason":"age","software":"s"}},` +
		`"observed_time":"2026-03-01T12:01:30.000000000Z","time":"2026-03-01T12:01:30.000000000Z"}`
	line := func(i int, line string) func([]string) []string {
		return func(lines []string) []string { lines[i] = line; return lines }
	}
	s.tampered("segment-malformed-closed-early", "§6", "a closed record stands in the middle of a segment", second(changes{lines: line(0, early)}), foundRecord("segment-malformed", 2, 2))
	s.tampered("record-altered-sealed", "§11.3", "the log sealed another record than it stored: the object is the one that the seal names",
		second(changes{content: func(b []byte) []byte { return bytes.Replace(b, []byte("record 3"), []byte("record 9"), 1) }}), foundRecord("record-altered", 2, 3))
	s.tampered("record-altered-seed", "§4", "the object's seed is not the one that the commitments were made with",
		second(changes{header: func(text string) string {
			i := strings.Index(text, "seed ") + 5
			return text[:i] + strings.Repeat("0", 64) + "\n"
		}}), foundRecord("record-altered", 2, 2))
	for _, c := range []struct{ name, what, line string }{
		{"white-space", "a sealed line has white space between tokens", `{"body": "record 3"}`},
		{"order", "the members of a sealed line stand in another order", `{"event_name":"e","body":"record 3"}`},
		{"duplicate", "a sealed line has a member twice", `{"body":"record 3","body":"record 4"}`},
		{"escape", "a sealed line escapes what stands raw", `{"body":"\/"}`},
		{"utf8", "a sealed line is not UTF-8", "{\"body\":\"\xff\"}"},
		{"empty", "a sealed line is empty", ``},
		{"json", "a sealed line is no JSON", `record 3`},
		{"unknown", "a sealed line has a member that no record has", `{"message":"record 3"}`},
	} {
		s.tampered("record-malformed-"+c.name, "§3.8", c.what, second(changes{lines: line(1, c.line)}), foundRecord("record-malformed", 2, 3))
	}
}
