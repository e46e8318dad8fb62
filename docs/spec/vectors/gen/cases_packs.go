package main

import (
	"strings"
)

// packedLog is the log whose records the cases pack.
func packedLog() *log { return grown(2, 3, 2) }

// addPacks adds packs in which there is nothing to find.
func addPacks(s *packSet) {
	s.put("proven-one", "§12.1", "one record", draft(packedLog(), 3), 0)
	s.put("proven-first", "§12.1", "the log's first record, behind its genesis link", draft(packedLog(), 0), 0)
	s.put("proven-some", "§12.1", "records of several segments, a closed record among them", draft(packedLog(), 0, 3, 4, 6), 0)
	s.put("proven-all", "§12.1", "all records of a log", draft(packedLog(), 0, 1, 2, 3, 4, 5, 6), 0)
	s.put("proven-alone", "§12.1", "the only record of a log: its proof has no hash", draft(grown(1), 0), 0)
	s.put("proven-large", "§12.1", "records of a log of more than one tile", draft(grown(100, 500, 3), 0, 255, 256, 511, 599, 602), 0)
	d := draft(packedLog(), 3)
	d.remarks = []string{"Case 7, asked for by the auditor.", "  Größe: 証拠", "record 4", "remark"}
	s.put("proven-remark", "§12.1", "a remark of several lines; some look like other lines of a pack", d, 0)
	d = draft(packedLog(), 1, 5)
	d.note += strangersLine("witness.example/w", 4, 72)
	s.put("proven-cosigned", "§5", "the checkpoint bears a cosignature by a key that the reader does not know", d, 0)
	other := newKey("custody.example/other", "")
	d = draft(packedLog(), 1, 2)
	d.note += signatureOf(other, d.note)
	s.put("proven-other-log", "§5", "a trusted key of another log signed the checkpoint, too", d, 0).trust(other)
	d = draft(packedLog(), 1, 2)
	d.note += signatureOf(other, "something else\n\n")
	s.put("proven-other-log-wrong", "§5", "a trusted key of another log signed something else", d, 0).trust(other)
	d = draft(packedLog(), 1)
	d.note += strangersLines(99)
	s.put("proven-signatures", "§14", "the checkpoint bears as many signature lines as a note may", d, 0)
	s.put("proven-further-key", "§12.1", "the reader trusts a further key of the origin, which did not sign", draft(packedLog(), 1), 0).trust(newKey(defaultOrigin, "second"))
	l := newLog("web", "<the/count>/{the}&\\1$(x)")
	l.add(2, changes{})
	s.put("proven-origin", "§12.1", "an origin of characters that mean something to tools that fill gaps in texts", draft(l, 0), 0)
	l = second(changes{lines: func(lines []string) []string {
		lines[0] = `{"body":"record 2` + "\u2028" + `record 3 ` + "\u202e" + `"}`
		return lines
	}})
	s.put("proven-steering", "§12.1", "a record whose text would be shown out of order", draft(l, 2, 3), 0)
}

func (c *packCase) trust(k key) { c.keys = append(c.keys, k.vkey) }

// addPackForms adds what is not of the form.
func addPackForms(s *packSet) {
	malformed := func(name, what string, change func(*drafted)) {
		d := draft(packedLog(), 2, 3, 5)
		d.remarks = []string{"a remark"}
		change(d)
		s.put("form-"+name, "§12.1, 1", what, d, 1)
	}
	malformed("count", "there are fewer records than the first lines and the statement say", func(d *drafted) { d.claims = []uint64{4, 2, 5} })
	malformed("count-more", "there are more records than the first lines and the statement say", func(d *drafted) { d.claims = []uint64{2, 2, 5} })
	malformed("count-many", "it says that it holds more records than a pack can", func(d *drafted) { d.claims = []uint64{65537, 2, 5} })
	malformed("size", "the size is not the checkpoint's", func(d *drafted) { d.size++ })
	malformed("origin", "the origin is not the checkpoint's", func(d *drafted) { d.head = replaced("\norigin "+defaultOrigin, "\norigin custody.example/other") })
	malformed("first", "the first index is not that of the first record", func(d *drafted) { d.claims = []uint64{3, 1, 5} })
	malformed("last", "the last index is not that of the last record", func(d *drafted) { d.claims = []uint64{3, 2, 6} })
	malformed("figures", "the statement's figures are not those of the first lines", func(d *drafted) { d.head = replaced("\nlast 5\n", "\nlast 6\n") })
	malformed("number", "a number has a leading zero", func(d *drafted) { d.head = replaced("\nsize 7\n", "\nsize 07\n") })
	malformed("log", "the log's name is not one", func(d *drafted) { d.log = "Web" })
	malformed("made", "there is no such day", func(d *drafted) { d.made = "2026-02-30T08:00:00Z" })
	malformed("made-fraction", "the time has a fraction", func(d *drafted) { d.made = "2026-03-02T08:00:00.5Z" })
	malformed("made-early", "the time is before 1970", func(d *drafted) { d.made = "1969-12-31T23:59:59Z" })
	malformed("key-name", "the key is for another origin", func(d *drafted) { d.key = newKey("custody.example/other", "").vkey })
	malformed("line-missing", "a line of the head is missing", func(d *drafted) { d.head = replaced("log web\n", "") })
	malformed("line-further", "the head has one more line", func(d *drafted) { d.head = replaced("\nsize", "\nby Mallory\nsize") })
	malformed("crlf", "a line ends with CR and LF", func(d *drafted) { d.head = replaced("\nsize 7\n", "\nsize 7\r\n") })
	malformed("statement-word", "a word of the statement was changed", func(d *drafted) { d.statement = replaced("What it does not prove:", "What it also proves:") })
	malformed("statement-figure", "a figure of the statement was changed", func(d *drafted) { d.statement = replaced("3, from number 2", "4, from number 2") })
	malformed("statement-more", "something was added to the statement", func(d *drafted) { d.statement = func(t string) string { return t + "\nThis is a complete list.\n" } })
	malformed("statement-none", "the statement was left out", func(d *drafted) { d.statement = func(string) string { return "" } })
	malformed("remark-empty", "a line of the remark is empty", func(d *drafted) { d.remarks = []string{""} })
	malformed("remark-control", "the remark has a control character", func(d *drafted) { d.remarks = []string{"a\x1b[2J"} })
	malformed("remark-c1", "the remark has a control character above U+007F", func(d *drafted) { d.remarks = []string{"a\u009b2J"} })
	malformed("remark-direction", "the remark turns the direction of reading", func(d *drafted) { d.remarks = []string{"a\u202eb"} })
	malformed("remark-separator", "the remark has a line separator", func(d *drafted) { d.remarks = []string{"a\u2028record 9"} })
	malformed("remark-isolate", "the remark has a directional isolate", func(d *drafted) { d.remarks = []string{"a\u2067b"} })
	malformed("remark-utf8", "the remark is not UTF-8", func(d *drafted) { d.remarks = []string{"a\xffb"} })
	malformed("remark-long", "a line of the remark is too long", func(d *drafted) { d.remarks = []string{strings.Repeat("x", 1001)} })
	malformed("remark-lines", "the remark has too many lines", func(d *drafted) { d.remarks = strings.Split(strings.Repeat("x", 101), "") })
	addPackRecordForms(s, malformed)
	d := draft(packedLog(), 3)
	d.version = "custody-pack/v2"
	s.put("version", "§15", "a version that the reader does not know", d, 3)
	d = draft(packedLog(), 3)
	d.version = "custody-seal/v1"
	s.put("no-pack", "§12.1", "another file than a pack", d, 3)
}

func addPackRecordForms(s *packSet, malformed func(name, what string, change func(*drafted))) {
	malformed("order", "the records are not in order", func(d *drafted) { d.records[0], d.records[1] = d.records[1], d.records[0] })
	malformed("twice", "a record is there twice", func(d *drafted) { d.records[1] = d.records[0] })
	malformed("none", "the pack has no records", func(d *drafted) { d.records = nil })
	malformed("hashes", "a proof has more hashes than any tree is deep", func(d *drafted) {
		for len(d.records[2].proof) < 65 {
			d.records[2].proof = append(d.records[2].proof, hash{})
		}
	})
	malformed("salt", "a salt is too short", func(d *drafted) { d.records[1].salt = d.records[1].salt[:15] })
	malformed("previous", "a link is too long", func(d *drafted) { d.records[1].previous = append(d.records[1].previous[:32:32], 0) })
	malformed("line-empty", "a record was emptied", func(d *drafted) { d.records[1].line = "" })
	malformed("line-feed", "a record has a line feed in it", func(d *drafted) { d.records[1].line += "\n" })
	malformed("signatures", "the checkpoint bears more signature lines than a note may", func(d *drafted) { d.note += strangersLines(100) })
	malformed("signer", "a signature line's name has white space that is not ASCII", func(d *drafted) { d.note += strangersLine("a\u2003b", 4, 72) })
	malformed("checkpoint", "the checkpoint has an extension line", func(d *drafted) {
		d.note = newKey(defaultOrigin, "").sign(checkpointText(defaultOrigin, 7, hash{}) + "more\n")
	})
	cut := func(name, what string, change func(string) string) {
		s.put("form-"+name, "§12.1, 1", what, draft(packedLog(), 2, 3, 5), 1)
		c := &s.cases[len(s.cases)-1]
		c.file = change(c.file)
	}
	cut("cut-record", "the last record was cut off", func(t string) string { return t[:strings.LastIndex(t, "\n\nrecord ")+1] })
	cut("cut-hash", "the last byte was cut off", func(t string) string { return t[:len(t)-1] })
	cut("cut-statement", "the file ends within the statement", func(t string) string { return t[:strings.Index(t, "What it does")] })
	cut("empty-line", "there is an empty line at the end", func(t string) string { return t + "\n" })
	cut("nul", "there is a zero byte", func(t string) string { return strings.Replace(t, "\nsalt ", "\nsalt \x00", 1) })
	cut("upper-case", "hex digits are in upper case", func(t string) string {
		i := strings.LastIndex(t, "previous ") + len("previous ")
		return t[:i] + strings.ToUpper(t[i:i+64]) + t[i+64:]
	})
	cut("base64", "a hash has spare bits", func(t string) string {
		i := len(t) - 3
		return t[:i] + string(spare(t[i])) + t[i+1:]
	})
}

// spare is the next letter of base64: behind 32 bytes it differs in bits that mean
// nothing.
func spare(letter byte) byte {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	return letters[strings.IndexByte(letters, letter)|1]
}

// addPackLies adds packs of the right form that say what is not so.
func addPackLies(s *packSet) {
	lie := func(name, rule, what string, change func(*log, *drafted), unproven ...uint64) {
		l := packedLog()
		d := draft(l, 2, 3, 5)
		change(l, d)
		s.put("lie-"+name, rule, what, d, 1, unproven...)
	}
	const each = "§12.1, 4"
	lie("line", each, "a record was altered", func(_ *log, d *drafted) { d.records[1].line = `{"body":"record 4"}` }, 3)
	lie("lines", each, "two records were altered", func(_ *log, d *drafted) { d.records[0].line, d.records[2].line = `{"body":"x"}`, `{"body":"y"}` }, 2, 5)
	lie("index", each, "a record stands at another index", func(_ *log, d *drafted) { d.records[1].index = 4 }, 4)
	lie("index-behind", each, "a record stands behind the log's end", func(_ *log, d *drafted) { d.records[2].index = 7 }, 7)
	lie("swapped", each, "two records have changed places", func(_ *log, d *drafted) {
		d.records[0].line, d.records[1].line = d.records[1].line, d.records[0].line
	}, 2, 3)
	lie("salt", each, "a salt was altered", func(_ *log, d *drafted) { d.records[1].salt = append([]byte{1}, d.records[1].salt[1:]...) }, 3)
	lie("previous", each, "the link before a record was altered", func(_ *log, d *drafted) { d.records[1].previous = append([]byte{1}, d.records[1].previous[1:]...) }, 3)
	lie("proof-hash", each, "a hash of a proof was altered", func(_ *log, d *drafted) { d.records[1].proof[0][0] ^= 1 }, 3)
	lie("proof-shorter", each, "a proof lacks its last hash", func(_ *log, d *drafted) { d.records[1].proof = d.records[1].proof[:2] }, 3)
	lie("proof-longer", each, "a proof has one hash more", func(_ *log, d *drafted) { d.records[1].proof = append(d.records[1].proof, hash{}) }, 3)
	lie("proof-swapped", each, "two records have each other's proof", func(_ *log, d *drafted) {
		d.records[0].proof, d.records[2].proof = d.records[2].proof, d.records[0].proof
	}, 2, 5)
	lie("other-log", each, "a record of another history of the log", func(l *log, d *drafted) {
		f := grown(2).fork()
		f.add(3, changes{})
		f.add(2, changes{})
		d.records[1] = draft(f, 3).records[0]
	}, 3)
	lie("earlier-checkpoint", each, "the proofs are for a later checkpoint than that of the pack", func(l *log, d *drafted) {
		d.note, d.size, d.records = l.sealed[1].note, 5, d.records[:2]
	}, 2, 3)
	malformed := func(lines []string) []string { lines[0] = `{"body": "record 2"}`; return lines }
	s.put("lie-not-canonical", "§3.8", "a line that was sealed and is not canonical", draft(second(changes{lines: malformed}), 2, 3), 1, 2)
}

// addPackKeys adds packs with the wrong keys or signatures.
func addPackKeys(s *packSet) {
	impostor := newKey(defaultOrigin, "impostor")
	root := rootOf(packedLog().links)
	text := checkpointText(defaultOrigin, 7, root)
	s.put("key-untrusted", "§12.1, 2", "the reader trusts another key of the origin", draft(packedLog(), 3), 1).keys = []string{impostor.vkey}
	d := draft(packedLog(), 3)
	d.note, d.key = impostor.sign(text), impostor.vkey
	s.put("key-impostor", "§12.1, 2", "somebody else signed the checkpoint and put their own key into the pack", d, 1).keys = []string{packedLog().key.vkey}
	d = draft(packedLog(), 3)
	d.note = impostor.sign(text)
	s.put("key-not-signer", "§12.1, 2", "the key in the pack did not sign the checkpoint", d, 1)
	d = draft(packedLog(), 3)
	d.key = impostor.vkey
	s.put("key-named", "§12.1, 3", "a trusted key signed the checkpoint, and the pack names another one", d, 1).keys = []string{packedLog().key.vkey}
	d = draft(packedLog(), 3)
	d.key = impostor.vkey
	s.put("key-other-signed", "§12.1, 3", "the pack names a trusted key, and another trusted key signed the checkpoint", d, 1).trust(packedLog().key)
	d = draft(packedLog(), 3)
	d.note = strings.Replace(d.note, "\n7\n", "\n8\n", 1)
	d.size = 8
	s.put("signature-size", "§5", "the checkpoint's size was altered after it was signed", d, 1)
	d = draft(packedLog(), 3)
	d.note = d.note[:strings.LastIndex(d.note, "\n— ")+1]
	s.put("signature-none", "§12.1, 1", "the checkpoint's signature was taken away", d, 1)
	d = draft(packedLog(), 3)
	signature := d.note[strings.LastIndex(d.note, "— "):]
	d.note += signature
	s.put("signature-twice", "§5", "the checkpoint bears a trusted key's signature twice", d, 1)
}
