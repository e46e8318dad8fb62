package main

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"maps"
	"strings"
	"time"
)

// grown is a log of segments with these numbers of records.
func grown(counts ...int) *log {
	l := newLog("web", defaultOrigin)
	for _, n := range counts {
		l.add(n, changes{})
	}
	return l
}

// second is a log whose second segment is made with changes.
func second(c changes) *log {
	l := grown(2)
	l.add(3, c)
	l.add(2, changes{})
	return l
}

// last is a log whose last segment is made with changes.
func last(c changes) *log {
	l := grown(2)
	l.add(3, c)
	return l
}

func (l *log) drop(names ...string) *log {
	for _, name := range names {
		delete(l.files, name)
	}
	return l
}

func replaced(old, with string) func(string) string {
	return func(s string) string {
		if !strings.Contains(s, old) {
			panic(fmt.Sprintf("%q is not in %q", old, s))
		}
		return strings.Replace(s, old, with, 1)
	}
}

const (
	past   = "2026-03-02T00:00:00.000000000Z"
	future = "2554-01-01T00:00:00.000000000Z"
)

func strangersLine(name string, id, n int) string {
	b := append([]byte{0, 0, 0, byte(id)}, bytes.Repeat([]byte{7}, n)...)
	return "— " + name + " " + base64.StdEncoding.EncodeToString(b) + "\n"
}

// strangersLines are many signatures by keys that no reader knows.
func strangersLines(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strangersLine("witness.example/w", i, 72))
	}
	return b.String()
}

// signatureOf is a key's signature line for the text of a note.
func signatureOf(k key, note string) string {
	text, _, _ := strings.Cut(note, "\n\n")
	signed := k.sign(text + "\n")
	return signed[strings.Index(signed, "\n\n")+2:]
}

// addVerified adds stores in which there is nothing to find.
func addVerified(s *storeSet) {
	s.verified("clean-one-record", "§7", "a log of one segment, which holds its closed record alone", grown(1))
	s.verified("clean-three-segments", "§11.1", "a log of three segments", grown(2, 3, 2))
	s.verified("clean-anchors", "§4", "segments that end before, at and behind a multiple of 256", grown(255, 1, 3))
	s.verified("clean-large-segment", "§4", "a segment with three anchors, from within one tile of level 0 into the third", grown(100, 500))
	s.verified("clean-ended", "§7", "the last closed record says that the log has ended: it has no next_by", last(changes{ended: true, reason: "ended"}))
	s.verified("closed-further-members", "§7", "a closed record has a member and a reason that this version does not know",
		second(changes{reason: "of a later version", closed: replaced(`,"key":`, `,"gaps":[1,{"of":"later"}],"key":`)}))
	s.verified("closed-unfenced", "§7", "a closed record says that no store had confirmed the log's place", second(changes{closed: replaced(`"software":"vectors"`, `"software":"vectors","unfenced":true`)}))
	s.verified("clock-backwards", "§7", "a segment was closed an hour before the one before it; that is reported and no finding", second(changes{back: time.Hour}))
	k := newKey(defaultOrigin, "second")
	s.verified("second-key", "§8.2", "the second segment is signed by another trusted key of the origin", second(changes{key: &k})).trust(k)
	cosigned := changes{after: func(note string) string { return note + strangersLine("witness.example/w", 4, 72) }}
	s.verified("cosigned-checkpoint", "§5", "a checkpoint bears a cosignature by a key that the verifier does not know", second(cosigned))
	stranger := changes{signatures: func(_, lines string) string { return lines + strangersLine("witness.example/w", 4, 72) }}
	s.verified("cosigned-head", "§5", "a seal's head bears a signature by a key that the verifier does not know", second(stranger))
	unknown := changes{signatures: func(_, lines string) string { return strangersLine(defaultOrigin, 9, 64) + lines }}
	s.verified("unknown-key-of-origin", "§5", "a seal's head bears a signature by an unknown key of the log's own name", second(unknown))
	most := changes{signatures: func(_, lines string) string { return lines + strangersLines(99) }}
	s.verified("signatures-most", "§14", "a seal's head bears as many signature lines as a note may", second(most))
	db := newKey("custody.example/db", "")
	byDB := changes{
		after:      func(note string) string { return note + signatureOf(db, note) },
		signatures: func(text, lines string) string { return lines + signatureOf(db, text+"\n") },
	}
	s.verified("signed-by-another-log", "§5", "a seal's head and a checkpoint bear signatures by a trusted key of another log, too", second(byDB)).trust(db)
	wrong := changes{signatures: func(_, lines string) string { return lines + signatureOf(db, "something else\n\n") }}
	s.verified("signed-wrongly-by-another-log", "§5", "a seal's head bears a wrong signature by a trusted key of another log", second(wrong)).trust(db)
	l, other := grown(2, 2), newLog("db", "custody.example/db")
	other.add(2, changes{})
	maps.Copy(l.files, other.files)
	s.verified("two-logs", "§11", "a store of two logs, each with a key of its own", l).trust(other.key)
	addVerifiedObjects(s)
}

func addVerifiedObjects(s *storeSet) {
	l := grown(2, 3, 2)
	s.verified("tail-cut-unseen", "§11", "the last segment and its seal were cut off; without a kept checkpoint that cannot be seen", l.drop(l.sealed[2].seal, l.sealed[2].object))
	l = grown(2, 3, 2)
	s.verified("segment-on-its-way", "§11.5", "a segment object at the head, which no seal names yet", l.drop(l.sealed[2].seal))
	l = last(changes{retain: past})
	s.verified("expired", "§11.4", "a segment is missing whose closed record names a retain_until that has passed", l.drop(l.sealed[1].object))
	l = grown(2, 3)
	l.files["web/readme.txt"], l.files["web/tiles/readme.txt"], l.files["readme.txt"] = []byte("hello\n"), []byte("hello\n"), []byte("hello\n")
	s.verified("foreign-elsewhere", "§11.5", "other objects than the log's own, not below segments/ and seals/", l)
	l = grown(2, 3)
	l.files["web/segments/.part"], l.files["web/seals/.part"], l.files[".part"] = []byte("x"), []byte("x"), []byte("x")
	s.verified("dot-names", "§10", "names that begin with a dot are not part of a store", l)
	windowed := changes{frame: func(frame []byte) []byte { return windowFrame(frame[12:]) }}
	s.verified("frame-window", "§6", "the zstd frame has a window, two blocks, and its size in 8 bytes", second(windowed))
	repeats := changes{lines: func(lines []string) []string {
		lines[0] = `{"body":"` + strings.Repeat("x", runLength) + `"}`
		return lines
	}, frame: runFrame}
	s.verified("frame-run", "§6", "the zstd frame has a block that repeats one byte, and its size in 2 bytes", second(repeats))
}

// windowFrame holds content in two raw blocks.
func windowFrame(content []byte) []byte {
	b := []byte{0x28, 0xB5, 0x2F, 0xFD, 0xC0, 0x08, byte(len(content)), byte(len(content) >> 8), 0, 0, 0, 0, 0, 0}
	const cut = 10
	b = append(b, cut<<3, 0, 0)
	b = append(b, content[:cut]...)
	b = append(b, blockHead(len(content)-cut)...)
	return append(b, content[cut:]...)
}

const runLength = 300

// runFrame writes a raw frame anew, its run of x as one block.
func runFrame(frame []byte) []byte {
	content := frame[12:]
	begin := bytes.IndexByte(content, 'x')
	b := []byte{0x28, 0xB5, 0x2F, 0xFD, 0x60, byte(len(content) - 256), byte((len(content) - 256) >> 8)}
	b = append(append(b, byte(begin<<3), byte(begin>>5), 0), content[:begin]...)
	b = append(b, byte(runLength&31<<3|2), byte(runLength>>5), 0, 'x')
	return append(append(b, blockHead(len(content)-begin-runLength)...), content[begin+runLength:]...)
}
