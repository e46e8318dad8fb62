package attacks

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/otelcol-custody/custody/ledger"
	"github.com/otelcol-custody/custody/ledger/ledgertest"
	"github.com/otelcol-custody/custody/ledger/segment"
)

func retainUntil2100(c *segment.Closed) { c.RetainUntil = time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC) }

// A seal that is not valid, with valid ones behind it: the store's reader takes
// it for a squatter and says that the log's own is missing.
func squatted(place int) map[string]string {
	return map[string]string{storeReader: fmt.Sprintf("foreign-object %d, seal-missing %d", place, place)}
}

// sealAttacks change the seals, without the key. The attacked seal is that of
// records 7 to 11.
func sealAttacks() family {
	return family{
		name: "seals", title: "Seals, without the key", set: inStore,
		about: "A seal pins the segment's hash, its place and a commitment for each record; the log's key signs it. The attacked one begins at record 7.",
		all:   slices.Concat(alteredSeals(), strayedSeals()),
	}
}

// alteredSeals change a seal that is there.
func alteredSeals() []attack {
	third := func(change func([]byte) []byte) func(*scene) {
		return func(s *scene) { s.edit(s.seal(2), change) }
	}
	line := func(name, value string) func(*scene) {
		return third(func(b []byte) []byte {
			at := bytes.Index(b, []byte("\n"+name+" ")) + len(name) + 2
			end := at + bytes.IndexByte(b[at:], '\n')
			return slices.Concat(b[:at], []byte(value), b[end:])
		})
	}
	hex := strings.Repeat("0", 64)
	return []attack{
		{name: "flip a bit of a hash in the head", who: writer, want: "seal-signature 7", says: squatted(7), do: third(func(b []byte) []byte {
			b[bytes.Index(b, []byte("segment_sha256 "))+20] ^= 1
			return b
		})},
		{name: "flip a bit of the signature", who: writer, journal: (*journal).flipSeal, want: "seal-signature 7", says: squatted(7), view: (*view).flipSignature, do: third(func(b []byte) []byte {
			at := bytes.Index(b, []byte("\n— ")) + len("\n— ") + len(origin) + 20
			b[at] = "AB"[b[at]&1]
			return b
		})},
		{name: "take the signature away", who: writer, want: "seal-malformed 7", says: squatted(7), do: third(func(b []byte) []byte {
			at := bytes.Index(b, []byte("\n— ")) + 1
			return slices.Concat(b[:at], b[at+bytes.IndexByte(b[at:], '\n')+1:])
		})},
		{name: "flip a bit of a commitment", who: writer, want: "seal-invalid 7", says: squatted(7), do: third(flip(1)), view: (*view).flipTile},
		{name: "cut the seal off", who: writer, want: "seal-malformed 7", says: squatted(7), do: third(func(b []byte) []byte { return b[:len(b)-32] }), view: (*view).cutTile},
		{name: "write a byte behind the seal", who: writer, want: "seal-malformed 7", says: squatted(7), do: third(func(b []byte) []byte { return append(b, '\n') })},
		{name: "empty the seal", who: writer, want: "seal-malformed 7", says: squatted(7), do: third(func([]byte) []byte { return []byte{} })},
		{name: "name another segment in the head", who: writer, want: "seal-signature 7", says: squatted(7), do: line("segment_sha256", hex)},
		{name: "name another link before it in the head", who: writer, want: "seal-signature 7", says: squatted(7), do: line("previous", hex)},
		{name: "name another log in the head", who: writer, want: "seal-signature 7", says: squatted(7), do: line("log", "db")},
		{name: "say in the closed record that nothing was lost", who: writer, want: "seal-invalid 7", says: squatted(7),
			do: func(s *scene) { s.replace(s.seal(2), `"received":4`, `"received":9`) }},
		{name: "shorten retain_until and delete the segment as expired", who: writer, want: "seal-invalid 17",
			says: map[string]string{storeReader: "foreign-object 17"},
			do: func(s *scene) {
				s.log.Extend(s, nil, retainUntil2100)
				s.store = objectsOf(logName, s.log.Segments)
				s.replace(s.seal(5), `"retain_until":"2100`, `"retain_until":"2020`)
				s.remove(s.segment(5))
			}},
		{name: "put the checkpoint of another segment into the seal", who: writer, want: "seal-invalid 7", says: squatted(7),
			do: func(s *scene) {
				now, old := s.log.Segments[2].Seal.Before(), s.log.Segments[1].Seal.Before()
				s.replace(s.seal(2), string(now), string(old)+strings.Repeat("\n", len(now)-len(old)))
			}},
	}
}

// strayedSeals take seals away, move them, or add some.
func strayedSeals() []attack {
	return []attack{
		{name: "delete a seal in the middle", who: writer, want: "seal-missing 7", do: func(s *scene) { s.remove(s.seal(2)) }, view: (*view).dropTile},
		{name: "delete the first seal", who: writer, want: "seal-missing 0", do: func(s *scene) { s.remove(s.seal(0)) }},
		{name: "delete a segment with its seal", who: writer, want: "seal-missing 7", do: func(s *scene) { s.remove(s.seal(2), s.segment(2)) }},
		{name: "swap two seals", who: writer, want: "seal-chain 7, seal-chain 12", says: map[string]string{storeReader: "foreign-object 7, foreign-object 12, seal-missing 7"}, do: func(s *scene) { s.swap(s.seal(2), s.seal(3)) }},
		{name: "repeat a seal at the log's end", who: writer, want: "seal-chain 17", says: map[string]string{storeReader: "foreign-object 17"},
			do: func(s *scene) { s.store[logName+"/"+ledger.SealName(17)] = s.store[s.seal(2)] }},
		{name: "lay a copy of a seal beside it", who: writer, want: "foreign-object 7",
			do:   func(s *scene) { s.store[logName+"/"+ledger.BesideSealName(7, 1)] = s.store[s.seal(2)] },
			says: map[string]string{storeReader: "not: the same bytes once more say nothing else", guardian: "copy 7"}},
		{name: "lay a seal within a sealed segment", who: writer, want: "foreign-object 9",
			do: func(s *scene) { s.store[logName+"/"+ledger.SealName(9)] = s.store[s.seal(2)] }},
		{name: "take a seal's name and move the seal beside", who: writer, want: "foreign-object 7", says: map[string]string{guardian: "squatter 7"},
			do: func(s *scene) {
				s.store[logName+"/"+ledger.BesideSealName(7, 1)] = s.store[s.seal(2)]
				s.store[s.seal(2)] = bytes.Repeat([]byte("squatter\n"), 100)
			}},
		{name: "take the place of the next seal", who: writer, want: "seal-malformed 17", says: map[string]string{storeReader: "foreign-object 17", guardian: "squatter 17"},
			do: func(s *scene) { s.store[logName+"/"+ledger.SealName(17)] = bytes.Repeat([]byte("squatter\n"), 100) }},
		{name: "put in another log's seal of the same place", who: writer, want: "seal-signature 7", says: squatted(7),
			do: func(s *scene) { s.store[s.seal(2)] = database(s).Segments[2].Seal.Bytes() }},
		{name: "put in another log's seal, whose key the auditor trusts, too", who: writer, want: "seal-chain 7", says: squatted(7),
			do: func(s *scene) {
				l := database(s)
				s.store[s.seal(2)] = l.Segments[2].Seal.Bytes()
				s.trusts = append(s.trusts, ledgertest.Signer(s, other))
			}},
		{name: "sign a seal with a key of one's own", who: writer, want: "seal-signature 7", says: squatted(7),
			do: func(s *scene) {
				s.store[s.seal(2)] = s.forge(2, impostor(s), func(head string, _ [][]byte) string { return head })
			}},
		{name: "seal the whole log again with a key of one's own", who: writer, view: (*view).signAgain,
			journal: (*journal).signAgain, want: "seal-signature 0, seal-signature 3, seal-signature 7, seal-signature 12, seal-signature 15",
			says: map[string]string{
				storeReader: "foreign-object 0, foreign-object 3, foreign-object 7, foreign-object 12, foreign-object 15",
				guardian:    "rollback 0, seal-signature, seal-signature 3, seal-signature 7, seal-signature 12, seal-signature 15",
			},
			do: func(s *scene) {
				l := ledgertest.NewLog(logName, impostor(s))
				l.Add(s, counts...)
				s.store = objectsOf(logName, l.Segments)
			}},
		{name: "plant a file among the seals", who: writer, want: "foreign-object 17",
			says: map[string]string{storeReader: noStrays, pythonReader: "foreign-object", guardian: "foreign-object"},
			do:   func(s *scene) { s.store[logName+"/seals/README.txt"] = []byte("nothing to see here\n") }},
	}
}
