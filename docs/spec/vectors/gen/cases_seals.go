package main

import (
	"bytes"
	"fmt"
	"strings"
)

func at(first uint64) string { return fmt.Sprintf("web/seals/%020d.seal", first) }

func beside(first uint64, n int) string { return fmt.Sprintf("web/seals/%020d.%d.seal", first, n) }

// altered is the log with an object changed in the store.
func (l *log) altered(name string, f func([]byte) []byte) *log {
	l.files[name] = f(bytes.Clone(l.files[name]))
	return l
}

func flipped(at int) func([]byte) []byte {
	return func(b []byte) []byte { b[(at+len(b))%len(b)] ^= 1; return b }
}

// addSealsGone adds logs without some of their seals.
func addSealsGone(s *storeSet) {
	l := grown(2, 3, 2)
	s.tampered("seal-missing-first", "§11.2", "the first seal is gone", l.drop(at(0)), found("seal-missing", 0))
	l = grown(2, 3, 2)
	s.tampered("seal-missing-middle", "§11.2", "the second seal is gone", l.drop(at(2)), found("seal-missing", 2))
	l = grown(2, 3, 2, 2)
	s.tampered("seal-missing-two", "§11.2", "the second and the third seal are gone", l.drop(at(2), at(5)), found("seal-missing", 2))
	l = grown(2, 3, 2, 2)
	s.tampered("seal-missing-apart", "§11.2", "the first and the third seal are gone", l.drop(at(0), at(5)), found("seal-missing", 0), found("seal-missing", 5))
	l = grown(2, 3, 2)
	s.tampered("seal-missing-with-segment", "§11.2", "the second seal is gone, and its segment too", l.drop(at(2), l.sealed[1].object), found("seal-missing", 2))
}

// addSealsMalformed adds seals that do not parse, as they were signed or not.
func addSealsMalformed(s *storeSet) {
	put := func(name, what string, l *log) {
		s.tampered("seal-malformed-"+name, "§8.1", what, l, found("seal-malformed", 2))
	}
	cutTo := func(n int) func([]byte) []byte { return func(b []byte) []byte { return b[:n] } }
	put("empty", "a seal is empty", grown(2, 3, 2).altered(at(2), cutTo(0)))
	put("head-cut", "a seal ends within its head", grown(2, 3, 2).altered(at(2), cutTo(200)))
	put("parts-cut", "a seal ends a byte early", grown(2, 3, 2).altered(at(2), func(b []byte) []byte { return b[:len(b)-1] }))
	put("trailing", "a byte lies behind a seal's last part", grown(2, 3, 2).altered(at(2), func(b []byte) []byte { return append(b, 0) }))
	put("other", "something else lies in a seal's place", grown(2, 3, 2).altered(at(2), func([]byte) []byte { return []byte("not a seal\n") }))
	put("last", "the last seal is something else", grown(2, 3).altered(at(2), func([]byte) []byte { return []byte("not a seal\n") }))
	for _, c := range []struct{ name, what, old, with string }{
		{"leading-zero", "first has a leading zero", "first 2\n", "first 02\n"},
		{"sign", "count has a sign", "count 3\n", "count +3\n"},
		{"white-space", "a line ends in a blank", "count 3\n", "count 3 \n"},
		{"upper-case", "a hash is written in upper case", "\nprevious ", "\nprevious A"},
		{"order", "log and origin change places", "log web\norigin custody.example/web\n", "origin custody.example/web\nlog web\n"},
		{"more-lines", "the head has a further line", "\nparts_sha256 ", "\nfurther x\nparts_sha256 "},
		{"log-name", "the log's name is none", "log web\n", "log Web\n"},
		{"origin", "the vkey is not for the origin", "origin custody.example/web\n", "origin custody.example/db\n"},
		{"vkey", "the vkey is no verifier key", "+", "-"},
		{"count", "the parts do not fit the count", "count 3\n", "count 4\n"},
		{"count-zero", "the count is 0", "count 3\n", "count 0\n"},
		{"segment-size", "the segment is larger than any may be", "segment_size ", "segment_size 99999"},
		{"format", "the head begins otherwise", "custody-seal/v1\n", "custody-seals/v1\n"},
	} {
		put("signed-"+c.name, "signed by the log's key, and yet "+c.what, second(changes{head: replaced(c.old, c.with)}))
	}
	addSealsSigned(put)
	put("base64", "a signature's base64 is not in its one form", grown(2, 3, 2).altered(at(2), func(b []byte) []byte {
		i := bytes.Index(b, []byte("=\n\n"))
		b[i-1]++ // of the last sign two bits are unused
		return b
	}))
}

// addSealsSigned adds seals with signature lines that no note may have.
func addSealsSigned(put func(name, what string, l *log)) {
	for _, c := range []struct{ name, what, lines string }{
		{"signatures", "a head bears more signature lines than a note may", strangersLines(100)},
		{"signer-white-space", "a signature line's name has white space that is not ASCII", strangersLine("a\u00a0b", 4, 72)},
		{"signer-control", "a signature line's name has a control character", strangersLine("a\u009bb", 4, 72)},
		{"signer-delete", "a signature line's name has the control character U+007F", strangersLine("a\x7fb", 4, 72)},
		{"signer-replacement", "a signature line's name has the character U+FFFD", strangersLine("a\ufffdb", 4, 72)},
		{"signer-utf8", "a signature line's name is not UTF-8", strangersLine("a\xe2\x82b", 4, 72)},
		{"signer-long", "a signature line's name is longer than an origin may be", strangersLine(strings.Repeat("ä", 128), 4, 72)},
		{"head-long", "a head is longer than a head may be", strangersLine("witness.example/w", 4, 49000)},
	} {
		put(c.name, c.what, second(changes{signatures: func(_, lines string) string { return lines + c.lines }}))
	}
}

// addSealsUnsigned adds seals whose signature is not a trusted key's, or wrong.
func addSealsUnsigned(s *storeSet) {
	put := func(name, what string, l *log) *storeCase {
		return s.tampered("seal-signature-"+name, "§8.2", what, l, found("seal-signature", 2))
	}
	put("head", "a digit of a head was changed", grown(2, 3, 2).altered(at(2), func(b []byte) []byte {
		i := bytes.Index(b, []byte("segment_sha256 ")) + len("segment_sha256 ")
		b[i] = "10"[b[i]&1]
		return b
	}))
	put("wrong", "a signature is wrong", second(changes{signatures: func(_, lines string) string {
		return strings.Replace(lines, lines[len(lines)-12:len(lines)-8], "AAAA", 1)
	}}))
	k := newKey(defaultOrigin, "impostor")
	put("impostor", "the second segment is signed by an unknown key of the same name", last(changes{key: &k}))
	put("twice", "a head bears two signatures by one key", second(changes{signatures: func(_, lines string) string { return lines + lines }}))
	other := newKey("custody.example/db", "")
	put("another-origin", "a head is signed by a trusted key of another origin", second(changes{signatures: func(text, _ string) string {
		_, lines, _ := strings.Cut(other.sign(text), "\n\n")
		return lines
	}})).trust(other)
	l := newLog("web", defaultOrigin)
	l.key, l.genesis = k, k
	l.add(2, changes{})
	l.add(3, changes{})
	c := s.tampered("seal-signature-everything", "§8.2", "the whole log was made anew with another key of the same name", l, found("seal-signature", 0), found("seal-signature", 2))
	c.keys = []string{newKey(defaultOrigin, "").vkey}
}

// addSealsInvalid adds seals that the log's own key signed and that contradict
// themselves.
func addSealsInvalid(s *storeSet) {
	put := func(rule, name, what string, l *log) {
		s.tampered("seal-invalid-"+name, rule, what, l, found("seal-invalid", l.sealed[1].first))
	}
	zeros := strings.Repeat("0", 64)
	hexOf := func(name, digits string) func(string) string {
		return func(head string) string {
			i := strings.Index(head, "\n"+name+" ") + len(name) + 2
			return head[:i] + digits + head[i+len(digits):]
		}
	}
	put("§8.3", "parts", "a byte of the commitments was changed in the store", grown(2, 3, 2).altered(at(2), flipped(-1)))
	put("§8.3", "parts-closed", "a byte of the closed line was changed in the store", grown(2, 3, 2).altered(at(2), func(b []byte) []byte {
		return bytes.Replace(b, []byte(`"received":2`), []byte(`"received":3`), 1)
	}))
	put("§8.3", "parts-checkpoint", "a byte of the checkpoint after was changed in the store", grown(2, 3, 2).altered(at(2), func(b []byte) []byte {
		return bytes.Replace(b, []byte("\n5\n"), []byte("\n6\n"), 1)
	}))
	put("§8.3", "parts-hash", "parts_sha256 is not that of the parts", second(changes{head: hexOf("parts_sha256", zeros)}))
	put("§8.3", "after-size", "the checkpoint after has another size", last(changes{afterText: replaced("\n5\n", "\n6\n")}))
	put("§8.3", "before-size", "the checkpoint before has another size", second(changes{before: func(string) string { return newKey(defaultOrigin, "").sign(checkpointText(defaultOrigin, 1, hash{})) }}))
	put("§8.3", "after-extension", "the checkpoint after has an extension line", last(changes{afterText: func(text string) string { return text + "more\n" }}))
	put("§8.3", "after-base64", "the root of the checkpoint after is not in its one form", last(changes{afterText: replaced("=\n", "\n")}))
	put("§8.3", "after-origin", "the checkpoint after, signed by the log's key, is of another origin", last(changes{afterText: replaced(defaultOrigin, "custody.example/db")}))
	put("§8.5", "previous", "previous is not the link before", second(changes{head: hexOf("previous", zeros)}))
	put("§8.5", "anchors", "the anchor is another one", lastOf256(changes{anchors: func(b []byte) []byte { return flipped(0)(b) }}))
	put("§8.5", "edge", "a hash of the edge, and with it the root, is not that of the commitments", last(changes{edge: func(e []hash) { e[3][0] ^= 1 }}))
	put("§8.5", "edge-above", "a hash of the edge's level 1 is not that of the segment's records", lastOf(300, changes{edge: func(e []hash) { e[len(e)-1][0] ^= 1 }}))
	put("§8.6", "root", "the checkpoint after has another root", last(changes{afterText: func(string) string { return checkpointText(defaultOrigin, 5, hash{1}) }}))
	put("§8.7", "closed-salt", "closed_salt is not the closed record's", second(changes{head: hexOf("closed_salt", zeros[:32])}))
	put("§8.7", "closed-first", "the closed record speaks of another position", second(changes{closed: replaced(`"first":2`, `"first":3`)}))
	put("§8.7", "closed-count", "the closed record speaks of another number of records", second(changes{closed: replaced(`"count":3`, `"count":2`)}))
	put("§8.7", "closed-canonical", "the closed record is not canonical", second(changes{closed: replaced(`{"custody"`, `{ "custody"`)}))
	put("§8.7", "closed-time", "the closed record's time is not its at", second(changes{closed: replaced(`"time":"2026-03-01T12:02`, `"time":"2026-03-01T12:03`)}))
	put("§8.7", "closed-more", "the closed record has a body", second(changes{closed: replaced(`{"custody"`, `{"body":1,"custody"`)}))
	put("§8.7", "closed-member", "the closed record lacks its reason", second(changes{closed: replaced(`"reason":"age",`, ``)}))
	put("§8.7", "closed-retain", "the closed record's retain_until is later than any time of the format", second(changes{retain: "9999-12-31T23:59:59.000000000Z"}))
	put("§8.7", "closed-next", "the closed record's next_by has no fraction", second(changes{closed: replaced(`"next_by":"2026-03-01T12:04:00.000000000Z"`, `"next_by":"2026-03-01T12:04:00Z"`)}))
	put("§8.7", "not-closed", "the last record is not a closed one", second(changes{closed: func(string) string { return `{"body":"not closed"}` }}))
	l := newLog("web", defaultOrigin)
	l.add(2, changes{head: hexOf("nonce", zeros)})
	s.tampered("seal-invalid-nonce", "§8.4", "the first link does not come from the nonce", l, found("seal-invalid", 0))
	k := newKey(defaultOrigin, "second")
	l = newLog("web", defaultOrigin)
	l.add(2, changes{head: replaced(l.genesis.vkey, k.vkey)})
	s.tampered("seal-invalid-vkey", "§8.4", "the first link does not come from the vkey", l, found("seal-invalid", 0))
	s.tampered("seal-signature-checkpoint", "§8.3", "the checkpoint after is signed by an unknown key, the head by the log's",
		last(changes{after: byAnother(newKey(defaultOrigin, "impostor"))}), found("seal-signature", 2))
	db := newKey("custody.example/db", "")
	s.tampered("seal-signature-checkpoint-origin", "§8.3", "the checkpoint after is signed by a trusted key of another origin",
		last(changes{after: byAnother(db)}), found("seal-signature", 2)).trust(db)
}

// byAnother signs the text of a note with another key.
func byAnother(k key) func(string) string {
	return func(note string) string {
		text, _, _ := strings.Cut(note, "\n\n")
		return k.sign(text + "\n")
	}
}

// lastOf256 is a log whose second segment begins at record 256.
func lastOf256(c changes) *log {
	l := grown(256)
	l.add(2, c)
	return l
}

// lastOf is a log whose second segment has n records.
func lastOf(n int, c changes) *log {
	l := grown(256)
	l.add(n, c)
	return l
}

// addSealsApart adds seals that are valid and do not follow each other.
func addSealsApart(s *storeSet) {
	put := func(name, what string, l *log, first ...uint64) {
		var all []finding
		for _, n := range first {
			all = append(all, found("seal-chain", n))
		}
		s.tampered("seal-chain-"+name, "§8", what, l, all...)
	}
	l := grown(2, 3, 3)
	l.files[at(2)], l.files[at(5)] = l.files[at(5)], l.files[at(2)]
	put("swapped", "two seals changed places", l, 2, 5)
	l = grown(2, 3)
	l.files[at(5)] = l.files[at(2)]
	put("repeated", "a seal lies once more at the log's end", l, 5)
	l = grown(2)
	f := l.fork()
	f.branch = "y"
	l.add(3, changes{})
	f.add(3, changes{})
	f.add(2, changes{})
	l.files[f.sealed[2].seal], l.files[f.sealed[2].object] = f.files[f.sealed[2].seal], f.files[f.sealed[2].object]
	put("spliced", "the third segment is that of another history", l, 5)
	l = grown(2)
	l.nonce = h([]byte("another nonce"))
	l.add(3, changes{})
	put("nonce", "the second seal names another genesis", l, 2)
	l = grown(2)
	before := l.key.sign(checkpointText(defaultOrigin, 2, hash{5}))
	l.add(3, changes{before: func(string) string { return before }})
	put("before", "the log signed another root for the size at which the second segment begins", l, 2)
	l = grown(2)
	l.add(3, changes{edge: func(e []hash) { e[0][0] ^= 1 }})
	put("edge", "the edge, and with it the root, has another first record than the log", l, 2)
	l = grown(2)
	l.last = hash{9}
	l.add(3, changes{})
	put("previous", "the second segment continues another link", l, 2)
	l = grown(2, 3)
	other := newLog("db", defaultOrigin)
	other.add(2, changes{})
	other.add(3, changes{})
	l.files[at(2)] = other.files["db/seals/00000000000000000002.seal"]
	put("log-name", "the second seal is that of another log with the same key", l, 2)
	l = grown(2, 3)
	again := newLog("web", defaultOrigin)
	again.nonce = h([]byte("another nonce"))
	again.last = h([]byte("custody/genesis/v1\n"), []byte(again.origin+"\n"+again.key.vkey+"\n"), fmt.Appendf(nil, "%x\n", again.nonce))
	again.add(2, changes{})
	again.add(3, changes{})
	again.add(2, changes{})
	l.drop(l.sealed[1].seal, l.sealed[1].object)
	l.files[again.sealed[2].seal], l.files[again.sealed[2].object] = again.files[again.sealed[2].seal], again.files[again.sealed[2].object]
	s.tampered("seal-chain-behind-gap", "§11.2", "behind a gap the log goes on from another genesis", l, found("seal-missing", 2), found("seal-chain", 5))
}
