package attacks

import (
	"bytes"
	"slices"
	"strings"
	"time"

	"github.com/otelcol-custody/custody/ledger/ledgertest"
	"github.com/otelcol-custody/custody/ledger/segment"
	"github.com/otelcol-custody/custody/ledger/tree"
)

// lieAttacks are what the holder of the key signs although it is not so. The
// lie is in the segment of records 7 to 11.
func lieAttacks() family {
	return family{
		name: "lies", title: "Lies that the log's own key signed", set: inStore,
		about: "Everything here bears valid signatures. What contradicts itself is found without any memory; a consistent new history is not: see the family before.",
		all:   slices.Concat(segmentLies(), sealLies()),
	}
}

// segmentLies are about what a segment holds.
func segmentLies() []attack {
	told := func(tell func(*lie)) func(*scene) { return func(s *scene) { s.retell(2, tell) } }
	text := func(from, to string) func(*lie) {
		return func(l *lie) {
			l.object = func(b []byte) []byte {
				return framed(strings.Replace(headerText(l.header), from, to, 1), body(b))
			}
		}
	}
	each := "record-altered 7/7, record-altered 7/8, record-altered 7/9, record-altered 7/10, record-altered 7/11"
	allRecords := map[string]string{storeReader: noContent, shellReader: each, pythonReader: each}
	inside := map[string]string{storeReader: noContent}
	return []attack{
		{name: "seal another record than is stored", who: keeper, want: "record-altered 7/9", says: inside,
			do: told(func(l *lie) { l.stored[2] = reworded(l.stored[2]) })},
		{name: "seal with other salts than are stored", who: keeper, want: "record-altered 7/7", says: allRecords,
			do: told(func(l *lie) { l.header.Seed[0] ^= 1 })},
		{name: "lie in the header: another origin", who: keeper, want: "segment-malformed 7", says: inside, do: told(text(origin, other))},
		{name: "lie in the header: another first record", who: keeper, want: "segment-malformed 7", says: inside, do: told(text("first 7", "first 8"))},
		{name: "lie in the header: another count", who: keeper, want: "segment-malformed 7", says: inside, do: told(text("count 5", "count 4"))},
		{name: "hide records in a second frame", who: keeper, want: "segment-malformed 7", says: inside,
			do: told(func(l *lie) {
				l.object = func(b []byte) []byte { return append(b, rawFrame([]byte("{\"body\":\"hidden\"}\n"))...) }
			})},
		{name: "hide content in a skippable frame", who: keeper, want: "segment-malformed 7", says: inside,
			do: told(func(l *lie) {
				l.object = func(b []byte) []byte {
					return slices.Concat(b, []byte{0x50, 0x2A, 0x4D, 0x18, 6, 0, 0, 0}, []byte("hidden"))
				}
			})},
		{name: "end the segment in its middle with a second closed record", who: keeper, want: "segment-malformed 7/9", says: inside,
			do: told(func(l *lie) {
				l.stored[2] = l.stored[4]
				l.sealed[2] = l.sealed[4]
				l.header.Bytes = len(joined(l.stored))
			})},
		{name: "seal a line that two tools read differently (a key twice)", who: keeper, want: "record-malformed 7/9",
			says: map[string]string{storeReader: noContent, shellReader: noCanonical}, do: told(doubled)},
	}
}

const noCanonical = "not: it does not check the canonical form (spec §3.8), and says so"

// doubled has a line with a key that is there twice.
func doubled(l *lie) {
	l.stored[2] = bytes.Replace(l.stored[2], []byte(`"event_name":"test"`), []byte(`"event_name":"test","event_name":"best"`), 1)
	l.sealed[2] = l.stored[2]
	l.header.Bytes = len(joined(l.stored))
}

// sealLies are about its place.
func sealLies() []attack {
	forged := func(change func(s *scene, head string, parts [][]byte) string) func(*scene) {
		return func(s *scene) {
			s.store[s.seal(2)] = s.forge(2, s.signer, func(head string, parts [][]byte) string { return change(s, head, parts) })
		}
	}
	return []attack{
		{name: "sign a seal with another link before it", who: keeper, want: "seal-invalid 7", says: squatted(7),
			do: forged(func(_ *scene, head string, _ [][]byte) string {
				at := strings.Index(head, "previous ") + len("previous ")
				return head[:at] + strings.Repeat("0", 64) + head[at+64:]
			})},
		{name: "sign a seal with an edge that is not its tree's", who: keeper, want: "seal-invalid 7", says: squatted(7),
			do: forged(func(_ *scene, head string, parts [][]byte) string { parts[edgePart][0] ^= 1; return head })},
		{name: "sign a root that is not the tree's", who: keeper, want: "seal-invalid 7", says: squatted(7), view: (*view).wrongRoot,
			do: forged(func(s *scene, head string, parts [][]byte) string {
				parts[after] = s.checkpointNote(s.signer, 12, tree.Hash{1})
				return head
			})},
		{name: "sign a checkpoint of another size into a seal", who: keeper, want: "seal-invalid 7", says: squatted(7),
			do: forged(func(s *scene, head string, parts [][]byte) string {
				parts[after] = s.checkpointNote(s.signer, 11, s.log.Segments[2].Seal.After().Root)
				return head
			})},
		{name: "put another log's checkpoint into a signed seal", who: keeper, want: "seal-signature 7", says: squatted(7),
			do: forged(func(s *scene, head string, parts [][]byte) string {
				parts[after] = s.checkpointNote(ledgertest.Signer(s, other), 12, s.log.Segments[2].Seal.After().Root)
				return head
			})},
		{name: "sign a closed record of another position", who: keeper, want: "seal-invalid 7", says: squatted(7),
			do: forged(func(_ *scene, head string, parts [][]byte) string {
				parts[closedPart] = bytes.Replace(parts[closedPart], []byte(`"first":7`), []byte(`"first":8`), 1)
				return head
			})},
		{name: "sign two roots for one size: the next seal builds on another", who: keeper, want: "seal-chain 7", says: map[string]string{storeReader: "fork 7"},
			do: forged(func(s *scene, head string, parts [][]byte) string {
				parts[before] = s.checkpointNote(s.signer, 7, tree.Hash{7})
				return head
			})},
		{name: "go on behind the record that ended the log", who: keeper, want: "after-end 20", says: map[string]string{storeReader: "not: it reads seals, not what closed records say"},
			do: func(s *scene) {
				s.log.Extend(s, s.log.Segments[0].Lines[:2], func(c *segment.Closed) { c.Reason, c.NextBy = segment.Ended, time.Time{} })
				s.log.Add(s, 2)
				s.store = objectsOf(logName, s.log.Segments)
			}},
	}
}
