package attacks

import (
	"fmt"
	"slices"

	"github.com/otelcol-custody/custody/ledger"
	"github.com/otelcol-custody/custody/ledger/ledgertest"
	"github.com/otelcol-custody/custody/ledger/seal"
)

// parted is the log as it was up to the i-th segment, and goes on otherwise.
func parted(s *scene, i int, rest ...int) *ledgertest.Log {
	l := ledgertest.NewLog(logName, s.signer)
	l.Add(s, counts[:i]...)
	b := l.Branch("another history")
	b.Add(s, rest...)
	return b
}

// anew is the same log, begun once more with another genesis.
func anew(s *scene) []ledgertest.Segment {
	at := seal.Genesis(logName, origin, s.signer.VerifierKey(), [32]byte{9})
	b := &scene{TB: s, signer: s.signer, store: objects{}}
	var again []ledgertest.Segment
	for _, g := range s.log.Segments {
		l := &lie{header: s.header(g), stored: g.Lines, sealed: g.Lines, seed: g.Seed, object: func(b []byte) []byte { return b }}
		first := at.Edge.Size()
		at = b.tell(at, l)
		v, err := seal.Open(b.store[logName+"/"+ledger.SealName(first)], ledgertest.Keys(s, s.signer))
		must(s, err)
		again = append(again, ledgertest.Segment{Seal: v, Object: b.store[logName+"/"+v.SegmentName()], Lines: g.Lines, Seed: g.Seed})
	}
	return again
}

// With the kept checkpoint, which has 17 records. The Python reader does not say
// where a rollback begins, and names the segment in which a fork shows.
func lost(at int) map[string]string {
	return map[string]string{storeReader: noMemoryOfIts, pythonReader: "rollback", shellReader: fmt.Sprintf("rollback %d", at)}
}

func otherRoot(segment int) map[string]string {
	return map[string]string{storeReader: noMemoryOfIts, pythonReader: fmt.Sprintf("fork %d", segment), guardian: "fork 0, seal-chain 17"}
}

// staleMemory: the kept checkpoint is older than what was changed.
var staleMemory = map[string]string{
	verifier: tooOld, shellReader: tooOld, pythonReader: tooOld, storeReader: noMemoryOfIts,
}

const tooOld = "not: the checkpoint that it is given is older than the attack"

const noMemoryOfIts = "not: it keeps nothing between two reads"

// historyAttacks leave what is, or could be, a valid log.
func historyAttacks() family {
	return family{
		name: "histories", title: "Histories: cut off, rolled back, forked, spliced", set: inStore,
		about: "Every prefix of a log that ends with a seal is a valid log, and the holder of the key can write any. So these are done twice: without a checkpoint that the auditor kept, and with one of all 17 records.",
		all:   slices.Concat(cutHistories(), otherHistories(), splicedHistories()),
	}
}

// cutHistories leave the beginning of a log.
func cutHistories() []attack {
	return []attack{
		{name: "cut off the last segment with its seal", who: writer, memory: true, want: "rollback 15", says: lost(15),
			do: func(s *scene) { s.cut(4) }, view: (*view).exported},
		{name: "cut off the last seal and leave its segment", who: writer, memory: true, want: "rollback 15", says: lost(15),
			do: func(s *scene) { s.remove(s.seal(4)) }},
		{name: "cut off all but the first segment", who: writer, memory: true, want: "rollback 3", says: lost(3), do: func(s *scene) { s.cut(1) }},
		{name: "roll back one of two stores (kept: the other one's head)", who: admin, memory: true, want: "rollback 12", says: lost(12),
			do: func(s *scene) { s.cut(3) }},
		{name: "roll back all stores", who: admin, memory: true, want: "rollback 12", says: lost(12), do: func(s *scene) { s.cut(3) }},
		{name: "show a state of last week", who: provider, memory: true, journal: (*journal).earlier, want: "rollback 7", says: lost(7), do: func(s *scene) { s.cut(2) }},
		{name: "delete the log and leave another one", who: writer, memory: true, bareSays: map[string]string{storeReader: "unfinished"}, want: "rollback",
			says: map[string]string{storeReader: "unfinished", guardian: "rollback 0"},
			do: func(s *scene) {
				s.store = objectsOf("db", database(s).Segments)
				s.trusts = append(s.trusts, ledgertest.Signer(s, other))
			}},
		{name: "delete everything", who: writer, memory: true, bare: "unfinished", want: "rollback",
			says: map[string]string{storeReader: "unfinished", guardian: "rollback 0"},
			do:   func(s *scene) { s.store = objects{} }},
	}
}

// otherHistories write another one.
func otherHistories() []attack {
	return []attack{
		{name: "begin the log anew under its name", who: keeper, memory: true, want: "fork 0", says: otherRoot(15),
			do: func(s *scene) { s.store = objectsOf(logName, anew(s)) }},
		{name: "change a record and seal everything behind it again", who: keeper, memory: true, want: "fork 0", says: otherRoot(15),
			do: func(s *scene) { s.store = objectsOf(logName, parted(s, 2, counts[2:]...).Segments) }, view: (*view).exported},
		{name: "the same, and make the log longer", who: keeper, memory: true, want: "fork 0", says: otherRoot(15),
			do: func(s *scene) { s.store = objectsOf(logName, parted(s, 2, 5, 3, 2, 4, 4).Segments) }},
		{name: "the same, and make the log shorter", who: keeper, memory: true, want: "rollback 10", says: lost(10),
			do: func(s *scene) { s.store = objectsOf(logName, parted(s, 2, 3).Segments) }},
		{name: "erase one record and seal everything behind it again", who: keeper, memory: true, want: "rollback 16", says: lost(16),
			do: func(s *scene) {
				l := ledgertest.NewLog(logName, s.signer)
				l.Add(s, counts[:2]...)
				lines := s.log.Segments[2].Lines
				l.Extend(s, slices.Concat(lines[:2], lines[3:4]), nil)
				l.Add(s, counts[3:]...)
				s.store = objectsOf(logName, l.Segments)
			}},
		{name: "show another history in the second store (kept: the first one's head)", who: keeper, memory: true, want: "fork 0", says: otherRoot(15),
			do: func(s *scene) { s.store = objectsOf(logName, parted(s, 3, counts[3:]...).Segments) }},
	}
}

// splicedHistories show parts of several, or leave something out.
func splicedHistories() []attack {
	return []attack{
		{name: "fork behind the checkpoint that was kept", who: keeper, keptStale: true, want: "fork 0", says: staleMemory,
			do: func(s *scene) {
				s.kept = s.log.Segments[2].Seal.After().Note()
				s.store = objectsOf(logName, parted(s, 3, counts[3:]...).Segments)
			}},
		{name: "drop a record before it is sealed", who: root, later: "nothing: what never was sealed is no record (threat model)",
			do: func(s *scene) {
				s.log.Add(s, 3) // One record less than came.
				s.store = objectsOf(logName, s.log.Segments)
			}},
		// The shell reader does not know the second one's segment as sealed.
		{name: "lay two histories into one store", who: keeper, want: "fork 7", says: map[string]string{shellReader: "fork 7, orphan-segment 7"},
			do: func(s *scene) {
				b := parted(s, 2, counts[2:]...).Segments[2]
				s.store[logName+"/"+ledger.BesideSealName(7, 1)] = b.Seal.Bytes()
				s.store[logName+"/"+b.Seal.SegmentName()] = b.Object
			}},
		{name: "splice: go on with the end of another history", who: keeper, want: "seal-chain 12", says: map[string]string{storeReader: "fork 12"},
			do: func(s *scene) {
				b := parted(s, 2, counts[2:]...)
				s.cut(3)
				s.add(objectsOf(logName, b.Segments[3:]))
			}},
		{name: "splice: go on with a log begun anew, behind a hole", who: keeper, want: "seal-missing 7, seal-chain 12",
			do: func(s *scene) {
				s.cut(2)
				s.add(objectsOf(logName, anew(s)[3:]))
			}},
		{name: "splice: put the middle of another history in", who: keeper, want: "seal-chain 12", says: map[string]string{storeReader: "fork 12"},
			do: func(s *scene) {
				b := parted(s, 2, counts[2:]...)
				s.remove(s.seal(2), s.segment(2))
				s.add(objectsOf(logName, b.Segments[2:3]))
			}},
	}
}

// checkpointAttacks change what the auditor remembers. The judges get it in any
// case.
func checkpointAttacks() family {
	elsewhere := map[string]string{storeReader: noMemoryOfIts, guardian: "not: the store is untouched, and it has a memory of its own"}
	cutToo := map[string]string{storeReader: noMemoryOfIts, guardian: "rollback 15"}
	return family{
		name: "checkpoints", title: "The kept checkpoint itself", set: inStore,
		about: "What the auditor remembers is a signed note in a file. Refused means: wrong usage, exit 2, and no verdict.",
		all: []attack{
			{name: "lower its size and cut the log to fit", who: hanger, keptStale: true, want: "refused", says: cutToo,
				do: func(s *scene) {
					s.cut(4)
					s.kept = []byte(replaceOnce(s, string(s.kept), "\n17\n", "\n15\n"))
				}},
			{name: "sign it with a key of one's own", who: hanger, keptStale: true, want: "refused", says: elsewhere,
				do: func(s *scene) { s.kept = s.checkpointNote(impostor(s), 15, s.log.Segments[3].Seal.After().Root) }},
			{name: "empty the file", who: hanger, keptStale: true, want: "refused", says: cutToo, do: func(s *scene) { s.cut(4); s.kept = nil }},
			{name: "put another log's checkpoint in its place", who: hanger, keptStale: true, want: "rollback", says: elsewhere,
				do: func(s *scene) {
					s.kept = database(s).Segments[4].Seal.After().Note()
					s.trusts = append(s.trusts, ledgertest.Signer(s, other))
				}},
			{name: "put an older one in its place and roll the store back to it", who: hanger, keptStale: true, want: "rollback 15", says: staleMemory,
				do: func(s *scene) {
					s.cut(4)
					s.kept = s.log.Segments[3].Seal.After().Note()
				}},
		},
	}
}
