package attacks

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/otelcol-custody/custody/ledger"
	"github.com/otelcol-custody/custody/ledger/checkpoint"
	"github.com/otelcol-custody/custody/ledger/ledgertest"
	"github.com/otelcol-custody/custody/ledger/pack"
	"github.com/otelcol-custody/custody/ledger/proof"
	"github.com/otelcol-custody/custody/ledger/tree"
)

// packedRecords are those of the pack that is attacked.
var packedRecords = []uint64{4, 9, 16}

// withPack is the evidence pack of records 4, 9 and 16.
func withPack(t testing.TB) *scene {
	s := inStore(t)
	s.file, s.packed = s.packOf(s.proofs(packedRecords...)), true
	return s
}

func (s *scene) proofs(indexes ...uint64) (all []*proof.Evidence) {
	for _, i := range indexes {
		all = append(all, s.prove(i))
	}
	return all
}

// packOf packs records without proving them: what it makes may lie.
func (s *scene) packOf(records []*proof.Evidence) []byte {
	s.Helper()
	p, err := pack.New(logName, ledgertest.Keys(s, s.signer), ledgertest.Began, []string{"Case 4711."}, records)
	must(s, err)
	return p.Format()
}

// packAttacks change an evidence pack.
func packAttacks() family {
	return family{
		name: "packs", title: "Evidence packs", set: withPack,
		about: "The pack proves records 4, 9 and 16 to someone who has neither store nor log (spec §12.1). malformed: it is not in its one form, or its statement is not that of its figures; signature: no key that the auditor trusts signed its checkpoint; " +
			"key: the key that it names is not trusted, or did not sign; broken: it does not prove that record; unfinished: it is no evidence at all, exit 3.",
		all: slices.Concat(brokenPacks(), foreignPacks(), saidPacks(), packForms(), largePacks()),
	}
}

// lying packs what was proven after a change.
func lying(change func(s *scene, e []*proof.Evidence)) func(*scene) {
	return func(s *scene) {
		e := s.proofs(packedRecords...)
		change(s, e)
		s.file = s.packOf(e)
	}
}

// retext changes a pack's text, in each place.
func retext(old, with string) func(*scene) {
	return func(s *scene) {
		s.Helper()
		if !bytes.Contains(s.file, []byte(old)) {
			s.Fatalf("the pack does not hold %q", old)
		}
		s.file = bytes.ReplaceAll(s.file, []byte(old), []byte(with))
	}
}

// brokenPacks change what is proven.
func brokenPacks() []attack {
	return []attack{
		{name: "alter a record", who: hander, want: "broken 9", do: lying(func(_ *scene, e []*proof.Evidence) { e[1].Line = reworded(e[1].Line) })},
		{name: "alter two records", who: hander, want: "broken 4, broken 16", do: lying(func(_ *scene, e []*proof.Evidence) {
			e[0].Line, e[2].Line = reworded(e[0].Line), []byte(`{"body":"nothing happened"}`)
		})},
		{name: "put a record of another log in", who: hander, want: "broken 9", do: lying(func(s *scene, e []*proof.Evidence) {
			l := ledgertest.NewLog(logName, ledgertest.Signer(s, other))
			l.Add(s, counts...)
			o := &scene{TB: s, signer: ledgertest.Signer(s, other), store: objectsOf(logName, l.Segments)}
			theirs := o.prove(9)
			theirs.Checkpoint = e[1].Checkpoint
			e[1] = theirs
		})},
		{name: "put a record of another history of the log in", who: keeper, want: "broken 9", do: lying(func(s *scene, e []*proof.Evidence) {
			o := &scene{TB: s, signer: s.signer, store: objectsOf(logName, parted(s, 2, counts[2:]...).Segments)}
			theirs := o.prove(9)
			theirs.Checkpoint = e[1].Checkpoint
			e[1] = theirs
		})},
		{name: "alter a salt", who: hander, want: "broken 9", do: lying(func(_ *scene, e []*proof.Evidence) { e[1].Salt[0] ^= 1 })},
		{name: "alter the link before a record", who: hander, want: "broken 9", do: lying(func(_ *scene, e []*proof.Evidence) { e[1].Previous[0] ^= 1 })},
		{name: "give a record another index", who: hander, want: "broken 10", do: lying(func(_ *scene, e []*proof.Evidence) { e[1].Index = 10 })},
		{name: "give a record an index behind the log's end", who: hander, want: "broken 17", do: lying(func(_ *scene, e []*proof.Evidence) { e[2].Index = 17 })},
		{name: "swap the proofs of two records", who: hander, want: "broken 4, broken 9", do: lying(func(_ *scene, e []*proof.Evidence) { e[0].Proof, e[1].Proof = e[1].Proof, e[0].Proof })},
		{name: "let two records change places", who: hander, want: "broken 4, broken 9", do: lying(func(_ *scene, e []*proof.Evidence) { e[0].Index, e[1].Index = e[1].Index, e[0].Index })},
		{name: "alter a hash of a proof", who: hander, want: "broken 9", do: lying(func(_ *scene, e []*proof.Evidence) { e[1].Proof[1][0] ^= 1 })},
		{name: "cut a proof", who: hander, want: "broken 9", do: lying(func(_ *scene, e []*proof.Evidence) { e[1].Proof = e[1].Proof[:len(e[1].Proof)-1] })},
		{name: "take a whole proof away", who: hander, want: "broken 9", do: lying(func(_ *scene, e []*proof.Evidence) { e[1].Proof = nil })},
		{name: "lengthen a proof", who: hander, want: "broken 9", do: lying(func(_ *scene, e []*proof.Evidence) { e[1].Proof = append(e[1].Proof, tree.Hash{}) })},
		{name: "show a record twice, under another index", who: hander, want: "broken 10", do: func(s *scene) {
			e := s.proofs(packedRecords...)
			again := *e[1]
			again.Index = 10
			s.file = s.packOf(append(e, &again))
		}},
		{name: "pack a line that two tools read differently (a key twice)", who: keeper, want: "broken 9",
			says: map[string]string{shellPack: noCanonical}, do: func(s *scene) {
				s.retell(2, doubled)
				s.file = s.packOf(s.proofs(packedRecords...))
			}},
	}
}

// foreignPacks change who vouches for it.
func foreignPacks() []attack {
	note := func(make func(s *scene) []byte) func(*scene) {
		return func(s *scene) {
			now := s.log.Segments[4].Seal.After().Note()
			s.file = []byte(replaceOnce(s, string(s.file), string(now), string(make(s))))
		}
	}
	// named has the pack name another key, in its first lines and its statement.
	named := func(s *scene, k *checkpoint.Signer) {
		retext(s.signer.VerifierKey(), k.VerifierKey())(s)
		s.file = []byte(replaceOnce(s, string(s.file), s.signer.ID()+"\n", k.ID()+"\n"))
	}
	return []attack{
		{name: "sign the checkpoint with a key of one's own", who: hander, want: "signature", do: note(func(s *scene) []byte {
			return s.checkpointNote(impostor(s), 17, s.log.Segments[4].Seal.After().Root)
		})},
		{name: "the same, and name this key in the pack", who: hander, want: "signature", do: func(s *scene) {
			note(func(s *scene) []byte {
				return s.checkpointNote(impostor(s), 17, s.log.Segments[4].Seal.After().Root)
			})(s)
			named(s, impostor(s))
		}},
		{name: "pack a log of one's own, with a key of one's own", who: hander, want: "signature", do: func(s *scene) {
			l := ledgertest.NewLog(logName, impostor(s))
			l.Add(s, counts...)
			o := &scene{TB: s, signer: impostor(s), log: l, store: objectsOf(logName, l.Segments)}
			s.file = o.packOf(o.proofs(packedRecords...))
		}},
		{name: "name a key of one's own beside the log's checkpoint", who: hander, want: "key", do: func(s *scene) { named(s, impostor(s)) }},
		{name: "name another key that the auditor trusts", who: hander, want: "key", do: func(s *scene) {
			s.trusts = append(s.trusts, impostor(s))
			named(s, impostor(s))
		}},
		{name: "alter the checkpoint's size, in all places", who: hander, want: "signature", do: func(s *scene) {
			retext("\nsize 17\n", "\nsize 18\n")(s)
			retext("in the log    17,", "in the log    18,")(s)
			retext("\n17\n", "\n18\n")(s)
		}},
		{name: "alter the checkpoint's root", who: hander, want: "signature", do: note(func(s *scene) []byte {
			c := s.log.Segments[4].Seal.After()
			return bytes.Replace(c.Note(), []byte(c.Root.String()), []byte(tree.Hash{1}.String()), 1)
		})},
		{name: "take the signature away", who: hander, want: "malformed", do: note(func(s *scene) []byte {
			b := s.log.Segments[4].Seal.After().Note()
			return b[:bytes.Index(b, []byte("— "))]
		})},
		{name: "put an older checkpoint in", who: hander, want: "malformed", do: note(func(s *scene) []byte { return s.log.Segments[1].Seal.After().Note() })},
		{name: "the same, with the figures that belong to it", who: hander, want: "broken 4, broken 9, broken 16", do: lying(func(s *scene, e []*proof.Evidence) {
			for i := range e {
				e[i].Checkpoint = s.log.Segments[1].Seal.After().Note()
			}
		})},
		{name: "put another log's checkpoint in, whose key is trusted, too", who: hander, want: "malformed", do: func(s *scene) {
			s.trusts = append(s.trusts, ledgertest.Signer(s, other))
			note(func(s *scene) []byte { return database(s).Segments[4].Seal.After().Note() })(s)
		}},
		{name: "the same, with its origin, key and figures", who: hander, want: "broken 4, broken 9, broken 16", do: func(s *scene) {
			s.trusts = append(s.trusts, ledgertest.Signer(s, other))
			e := s.proofs(packedRecords...)
			for i := range e {
				e[i].Checkpoint = database(s).Segments[4].Seal.After().Note()
			}
			s.signer = ledgertest.Signer(s, other)
			s.file = s.packOf(e)
		}},
	}
}

// saidPacks change what the pack says in words and figures.
func saidPacks() []attack {
	return []attack{
		{name: "change a word of the statement", who: hander, want: "malformed", do: retext("That a record is true. It is", "That a record is false. It is")},
		{name: "put a sentence into the statement", who: hander, want: "malformed", do: retext("What it does not prove:\n", "It also proves that nothing else happened.\n\nWhat it does not prove:\n")},
		{name: "leave out what it does not prove", who: hander, want: "malformed", do: func(s *scene) {
			a, b := bytes.Index(s.file, []byte("What it does not prove:")), bytes.Index(s.file, []byte("A program that shows"))
			s.file = slices.Concat(s.file[:a], s.file[b:])
		}},
		{name: "leave the statement out", who: hander, want: "malformed", do: func(s *scene) {
			a, b := bytes.Index(s.file, []byte("EVIDENCE FROM")), bytes.Index(s.file, []byte("remark "))
			s.file = slices.Concat(s.file[:a], s.file[b:])
		}},
		{name: "have the statement count more records than there are", who: hander, want: "malformed", do: retext("3, from number 4", "5, from number 4")},
		{name: "the same in the first lines, too", who: hander, want: "malformed", do: func(s *scene) {
			retext("3, from number 4", "5, from number 4")(s)
			retext("\ncount 3\n", "\ncount 5\n")(s)
		}},
		{name: "take a record out and leave the figures", who: hander, want: "malformed", do: blocks(func(b []string) []string { return slices.Delete(b, 2, 3) })},
		{name: "take a record out and change all figures with it", who: hander,
			later: "nothing: choosing among records is what a pack is for, and its statement says that others may matter: ask for them",
			do:    func(s *scene) { s.file = s.packOf(s.proofs(4, 16)) }},
		{name: "say in log name, time and remark what one likes", who: hander,
			later: "nothing: they are the words of whoever made the pack; statement and readers say so",
			do: func(s *scene) {
				retext("\nlog web\n", "\nlog payroll\n")(s)
				retext("2026-03-01T12:00:00Z", "2019-03-01T12:00:00Z")(s)
				retext("remark Case 4711.", "remark These are all records of the day.")(s)
			}},
		{name: "turn the direction of reading in a remark", who: hander, want: "malformed", do: retext("Case 4711.", "Case \u202e4711.")},
		{name: "move the cursor in a remark", who: hander, want: "malformed", do: retext("Case 4711.", "Case \u009b2J4711.")},
		{name: "end the remark and go on with words of one's own", who: hander, want: "malformed", do: retext("Case 4711.\n", "Case 4711.\n\nThe auditor has checked this file.\n")},
	}
}

// blocks changes the parts of a pack that stand before, between and behind its
// records' first lines: the first holds everything up to the checkpoint.
func blocks(change func([]string) []string) func(*scene) {
	return func(s *scene) {
		const gap = "\n\nrecord "
		text := strings.TrimSuffix(string(s.file), "\n")
		s.file = []byte(strings.Join(change(strings.Split(text, gap)), gap) + "\n")
	}
}

// packForms change the file.
func packForms() []attack {
	return []attack{
		{name: "show a record twice", who: hander, want: "malformed", do: func(s *scene) {
			blocks(func(b []string) []string { return slices.Insert(b, 2, b[2]) })(s)
			retext("3, from number 4", "4, from number 4")(s)
			retext("\ncount 3\n", "\ncount 4\n")(s)
		}},
		{name: "change the order of the records", who: hander, want: "malformed", do: blocks(func(b []string) []string { b[1], b[2] = b[2], b[1]; return b })},
		{name: "write bytes behind it", who: hander, want: "malformed", do: func(s *scene) { s.file = append(s.file, "more\n"...) }},
		{name: "write a second pack behind it", who: hander, want: "malformed", do: func(s *scene) { s.file = append(s.file, s.file...) }},
		{name: "cut it off within a proof", who: hander, want: "malformed", do: func(s *scene) { s.file = s.file[:len(s.file)-10] }},
		{name: "cut it off behind a record", who: hander, want: "malformed", do: blocks(func(b []string) []string { return b[:3] })},
		{name: "end its lines in another way (CR LF)", who: hander, want: "malformed", do: func(s *scene) {
			head := []byte(pack.Start)
			s.file = append(head, bytes.ReplaceAll(s.file[len(head):], []byte("\n"), []byte("\r\n"))...)
		}},
		{name: "put a line into a record", who: hander, want: "malformed", do: retext(`"event_name":"test"`, "\"event_name\":\n\"test\"")},
		{name: "put a zero byte into a record", who: hander, want: "broken 9", says: map[string]string{shellPack: "malformed"}, do: lying(func(_ *scene, e []*proof.Evidence) {
			e[1].Line = bytes.Replace(e[1].Line, []byte(`"test"`), []byte("\"te\x00st\""), 1)
		})},
		{name: "write an index in another form", who: hander, want: "malformed", do: retext("\nrecord 9\n", "\nrecord 09\n")},
		{name: "write a salt in another form", who: hander, want: "malformed", do: func(s *scene) {
			at := regexp.MustCompile(`\nsalt [0-9a-f]*[a-f]`).FindIndex(s.file)
			s.file[at[1]-1] -= 'a' - 'A'
		}},
		{name: "say that it is of a version to come", who: hander, want: "unfinished", do: retext("custody-pack/v1\n", "custody-pack/v2\n")},
		{name: "hand over something else", who: hander, want: "unfinished", do: func(s *scene) { s.file = s.log.Segments[2].Seal.Bytes() }},
	}
}

// largePacks try to exhaust who checks.
func largePacks() []attack {
	figure := func(name string, value uint64) func(*scene) {
		return func(s *scene) {
			line := regexp.MustCompile(`\n` + name + ` \d+\n`)
			s.file = line.ReplaceAll(s.file, fmt.Appendf(nil, "\n%s %d\n", name, value))
		}
	}
	return []attack{
		{name: "count 2^62 records", who: hander, want: "malformed", do: figure("count", 1<<62)},
		{name: "claim a log of 2^63 records", who: hander, want: "malformed", do: figure("size", 1<<63)},
		{name: "an index of 2^63", who: hander, want: "malformed", do: figure("record", 1<<63)},
		{name: "a proof of a hundred hashes", who: hander, want: "malformed", do: lying(func(_ *scene, e []*proof.Evidence) { e[1].Proof = make([]tree.Hash, 100) })},
		{name: "a hundred thousand remarks", who: hander, want: "malformed", do: retext("remark Case 4711.\n", strings.Repeat("remark Case 4711.\n", 100_000))},
		{name: "a pack larger than the format allows", who: hander, want: "malformed", says: map[string]string{shellPack: "unfinished"}, do: func(s *scene) {
			s.file = append(s.file, make([]byte, ledger.MaxPack)...)
		}},
		{name: "a zip bomb in its place", who: hander, want: "unfinished", do: func(s *scene) { s.file = framed("custody-pack/v1\n", bomb(512<<20, 4096)) }},
	}
}
