package attacks

import (
	"bytes"
	"slices"

	"github.com/otelcol-custody/custody/ledger"
	"github.com/otelcol-custody/custody/ledger/ledgertest"
)

// Why who reads seals and hashes finds nothing.
const (
	noContent = "not: it holds segments against their hash and does not look into them"
	noStrays  = "not: it goes by seals, and reads no other names"
)

// segmentAttacks change what holds the records. The attacked segment is the
// third one: records 7 to 11, of which 11 is the closed record.
func segmentAttacks() family {
	return family{
		name: "segments", title: "Segments: the records themselves", set: inStore,
		about: "A segment object holds records 7 to 11; its seal names its SHA-256 and a commitment for each record.",
		all:   slices.Concat(alteredSegments(), strayedSegments()),
	}
}

// alteredSegments change an object that is there.
func alteredSegments() []attack {
	third := func(change func([]byte) []byte) func(*scene) {
		return func(s *scene) { s.edit(s.segment(2), change) }
	}
	lines := func(change func([][]byte) [][]byte) func(*scene) {
		return func(s *scene) { s.rewrite(2, change) }
	}
	return []attack{
		{name: "flip a bit in the compressed records", who: writer, journal: (*journal).flip, want: "segment-altered 7", says: map[string]string{verifier: "segment-altered 7/11", guardian: "segment-altered 7/11"}, do: third(flip(0.7)), view: (*view).flipEntry},
		{name: "flip a bit in the header", who: writer, want: "segment-altered 7", do: third(flip(0.05))},
		{name: "flip a bit in the last byte", who: writer, want: "segment-altered 7", do: third(flip(1))},
		{name: "change a record and pack the segment anew", who: writer, journal: (*journal).reword, want: "segment-altered 7/9", view: (*view).flipEntry,
			do: lines(func(l [][]byte) [][]byte { l[2] = reworded(l[2]); return l })},
		{name: "change the closed record: hide what was lost", who: writer, want: "segment-altered 7/11",
			do: lines(func(l [][]byte) [][]byte {
				l[4] = bytes.Replace(l[4], []byte(`"received":4`), []byte(`"received":3`), 1)
				return l
			})},
		{name: "take a record out", who: writer, want: "segment-altered 7", view: (*view).dropEntry,
			do: lines(func(l [][]byte) [][]byte { return slices.Delete(l, 2, 3) })},
		{name: "take a record out and keep the header's count", who: writer, want: "segment-altered 7",
			do: func(s *scene) {
				g := s.log.Segments[2]
				less := joined(slices.Delete(copied(g.Lines), 2, 3))
				s.store[s.segment(2)] = framed(headerText(s.header(g)), rawFrame(less))
			}},
		{name: "put a record in", who: writer, want: "segment-altered 7",
			do: lines(func(l [][]byte) [][]byte { return slices.Insert(l, 2, reworded(l[1])) })},
		{name: "repeat a record in place of another", who: writer, journal: (*journal).repeat, want: "segment-altered 7/10", view: (*view).repeatEntry,
			do: lines(func(l [][]byte) [][]byte { l[3] = l[2]; return l })},
		{name: "swap two records", who: writer, journal: (*journal).swap, want: "segment-altered 7/8", view: (*view).swapEntries,
			do: lines(func(l [][]byte) [][]byte { l[1], l[2] = l[2], l[1]; return l })},
		{name: "reverse the order of all records", who: writer, want: "segment-altered 7/7",
			do: lines(func(l [][]byte) [][]byte { slices.Reverse(l[:4]); return l })},
		{name: "alter the seed, and with it every salt", who: writer, want: "segment-altered 7/7",
			do: func(s *scene) {
				g := s.log.Segments[2]
				h := s.header(g)
				h.Seed[0] ^= 1
				s.store[s.segment(2)] = s.pack(h, g.Lines)
			}},
		{name: "take the seed of another segment", who: writer, want: "segment-altered 7/7",
			do: func(s *scene) {
				h := s.header(s.log.Segments[2])
				h.Seed = s.log.Segments[1].Seed
				s.store[s.segment(2)] = s.pack(h, s.log.Segments[2].Lines)
			}},
		{name: "pack the same records in another way", who: writer, want: "segment-altered 7",
			do: func(s *scene) {
				g := s.log.Segments[2]
				s.store[s.segment(2)] = framed(headerText(s.header(g)), rawFrame(joined(g.Lines)))
			}},
		{name: "cut the object off in the middle", who: writer, journal: (*journal).cut, want: "segment-altered 7", do: third(func(b []byte) []byte { return b[:len(b)/2] }), view: (*view).cutBundle},
		{name: "empty the object", who: writer, want: "segment-altered 7", do: third(func([]byte) []byte { return []byte{} })},
		{name: "write a byte behind the object", who: writer, want: "segment-altered 7", do: third(func(b []byte) []byte { return append(b, 0) })},
		{name: "write a second frame with more records behind the object", who: writer, want: "segment-altered 7",
			do: third(func(b []byte) []byte { return append(b, rawFrame([]byte("{\"body\":\"never happened\"}\n"))...) })},
	}
}

// strayedSegments take objects away, move them, or add some.
func strayedSegments() []attack {
	return []attack{
		{name: "delete a segment in the middle", who: writer, want: "segment-missing 7", do: func(s *scene) { s.remove(s.segment(2)) }, view: (*view).dropBundle},
		{name: "delete the first segment", who: writer, want: "segment-missing 0", do: func(s *scene) { s.remove(s.segment(0)) }},
		{name: "delete the last segment and leave its seal", who: writer, want: "segment-missing 15", do: func(s *scene) { s.remove(s.segment(4)) }},
		{name: "delete a segment before its retain_until", who: writer, want: "segment-missing 17",
			do: func(s *scene) {
				s.log.Extend(s, nil, retainUntil2100)
				s.store = objectsOf(logName, s.log.Segments)
				s.remove(s.segment(5))
			}},
		{name: "delete all segments and leave the seals", who: writer, want: "segment-missing 0, segment-missing 3, segment-missing 7, segment-missing 12, segment-missing 15",
			do: func(s *scene) {
				for i := range s.log.Segments {
					s.remove(s.segment(i))
				}
			}},
		{name: "swap two segments", who: writer, want: "segment-altered 7, segment-altered 12", do: func(s *scene) { s.swap(s.segment(2), s.segment(3)) }},
		{name: "repeat a segment in place of the next", who: writer, want: "segment-altered 12",
			do: func(s *scene) { s.store[s.segment(3)] = s.store[s.segment(2)] }},
		{name: "put another log's segment in its place", who: writer, want: "segment-altered 7",
			do: func(s *scene) { s.store[s.segment(2)] = database(s).Segments[2].Object }},
		{name: "move a segment to another position's name", who: writer, want: "orphan-segment 3, segment-missing 7",
			says: map[string]string{storeReader: "segment-missing 7"},
			do: func(s *scene) {
				s.store[logName+"/"+ledger.SegmentName(3, s.log.Segments[2].Seal.Segment)] = s.store[s.segment(2)]
				s.remove(s.segment(2))
			}},
		{name: "plant a segment within the log", who: writer, want: "orphan-segment 8", says: map[string]string{storeReader: noStrays},
			do: func(s *scene) {
				s.store[logName+"/"+ledger.SegmentName(8, [32]byte{1})] = s.store[s.segment(2)]
			}},
		{name: "plant a copy of a segment under another hash", who: writer, want: "orphan-segment 7", says: map[string]string{storeReader: noStrays},
			do: func(s *scene) {
				s.store[logName+"/"+ledger.SegmentName(7, [32]byte{1})] = s.store[s.segment(2)]
			}},
		{name: "plant a file among the segments", who: writer, want: "foreign-object 17", says: map[string]string{storeReader: noStrays, pythonReader: "foreign-object", guardian: "foreign-object"},
			do: func(s *scene) { s.store[logName+"/segments/README.txt"] = []byte("nothing to see here\n") }},
	}
}

// database is another log of the same shape, with another origin and key.
func database(s *scene) *ledgertest.Log {
	l := ledgertest.NewLog("db", ledgertest.Signer(s, other))
	l.Add(s, counts...)
	return l
}
