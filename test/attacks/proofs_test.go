package attacks

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/otelcol-custody/custody/ledger/archive"
	"github.com/otelcol-custody/custody/ledger/ledgertest"
	"github.com/otelcol-custody/custody/ledger/proof"
	"github.com/otelcol-custody/custody/ledger/tree"
)

// withProof is the evidence file of record 9.
func withProof(t testing.TB) *scene {
	s := inStore(t)
	s.file = s.prove(9).Format()
	return s
}

func (s *scene) prove(index uint64) *proof.Evidence {
	s.Helper()
	fsys := fstest.MapFS{}
	for name, b := range s.store {
		fsys[name] = &fstest.MapFile{Data: b}
	}
	l, err := archive.Open(fsys, logName, ledgertest.Keys(s, s.signer))
	must(s, err)
	e, err := l.Prove(index)
	must(s, err)
	return e
}

// proofAttacks change an evidence file. Its verdict has no codes: proven or not,
// and of which record. Files that are not evidence at all are told apart.
func proofAttacks() family {
	return family{
		name: "proofs", title: "Evidence files", set: withProof,
		about: "The file proves record 9 to someone who has neither store nor log (spec §12). broken: it does not prove what it claims; malformed: it is not in its one form; signature: no trusted key vouches for its checkpoint.",
		all:   slices.Concat(brokenProofs(), foreignProofs()),
	}
}

// brokenProofs change what is proven, or by what.
func brokenProofs() []attack {
	change := func(edit func(s *scene, e *proof.Evidence)) func(*scene) {
		return func(s *scene) {
			e := s.prove(9)
			edit(s, e)
			s.file = e.Format()
		}
	}
	return []attack{
		{name: "change the record", who: hander, want: "broken 9", do: change(func(_ *scene, e *proof.Evidence) { e.Line = reworded(e.Line) })},
		{name: "give it another index", who: hander, want: "broken 8", do: change(func(_ *scene, e *proof.Evidence) { e.Index = 8 })},
		{name: "give another record the proof of this one", who: hander, want: "broken 9", do: change(func(s *scene, e *proof.Evidence) {
			o := s.prove(8)
			e.Line, e.Salt, e.Previous = o.Line, o.Salt, o.Previous
		})},
		{name: "alter the salt", who: hander, want: "broken 9", do: change(func(_ *scene, e *proof.Evidence) { e.Salt[0] ^= 1 })},
		{name: "alter the link before it", who: hander, want: "broken 9", do: change(func(_ *scene, e *proof.Evidence) { e.Previous[0] ^= 1 })},
		{name: "alter a hash of the path", who: hander, want: "broken 9", do: change(func(_ *scene, e *proof.Evidence) { e.Proof[1][0] ^= 1 })},
		{name: "swap two hashes of the path", who: hander, want: "broken 9", do: change(func(_ *scene, e *proof.Evidence) { e.Proof[0], e.Proof[1] = e.Proof[1], e.Proof[0] })},
		{name: "take a hash out of the path", who: hander, want: "broken 9", do: change(func(_ *scene, e *proof.Evidence) { e.Proof = e.Proof[1:] })},
		{name: "add a hash to the path", who: hander, want: "broken 9", do: change(func(_ *scene, e *proof.Evidence) { e.Proof = append(e.Proof, tree.Hash{}) })},
		{name: "a path of a thousand hashes", who: hander, want: "malformed", do: change(func(_ *scene, e *proof.Evidence) {
			e.Proof = make([]tree.Hash, 1000)
		})},
		{name: "claim a place higher up in the tree", who: hander, want: "broken 2", do: change(func(s *scene, e *proof.Evidence) {
			e.Index, e.Proof = 2, e.Proof[2:]
		})},
	}
}

// foreignProofs change who vouches for it, or the file around it.
func foreignProofs() []attack {
	change := func(edit func(s *scene, e *proof.Evidence)) func(*scene) {
		return func(s *scene) {
			e := s.prove(9)
			edit(s, e)
			s.file = e.Format()
		}
	}
	text := func(old, new string) func(*scene) {
		return func(s *scene) { s.file = []byte(replaceOnce(s, string(s.file), old, new)) }
	}
	return []attack{
		{name: "give it an older checkpoint", who: hander, want: "broken 9", do: change(func(s *scene, e *proof.Evidence) {
			e.Checkpoint = s.log.Segments[1].Seal.After().Note()
		})},
		{name: "give it a later checkpoint", who: hander, want: "broken 9", do: change(func(s *scene, e *proof.Evidence) {
			s.log.Add(s, 9)
			e.Checkpoint = s.log.Segments[5].Seal.After().Note()
		})},
		{name: "give it another log's checkpoint", who: hander, want: "signature", do: change(func(s *scene, e *proof.Evidence) {
			e.Checkpoint = database(s).Segments[4].Seal.After().Note()
		})},
		{name: "give it another log's checkpoint, whose key is trusted, too", who: hander, want: "broken 9", do: change(func(s *scene, e *proof.Evidence) {
			e.Checkpoint = database(s).Segments[4].Seal.After().Note()
			s.trusts = append(s.trusts, ledgertest.Signer(s, other))
		})},
		{name: "sign the checkpoint with a key of one's own", who: hander, want: "signature", do: change(func(s *scene, e *proof.Evidence) {
			e.Checkpoint = s.checkpointNote(impostor(s), 17, s.log.Segments[4].Seal.After().Root)
		})},
		{name: "alter the checkpoint's size", who: hander, want: "signature", do: text("\n17\n", "\n18\n")},
		{name: "take the signature away", who: hander, want: "malformed", do: func(s *scene) { s.file = s.file[:bytes.LastIndex(s.file, []byte("— "))] }},
		{name: "write the index in another form", who: hander, want: "malformed", do: text("\nindex 9\n", "\nindex 09\n")},
		{name: "write bytes behind it", who: hander, want: "malformed", do: func(s *scene) { s.file = append(s.file, "more\n"...) }},
		{name: "alter a line, and with it every salt and link, as a log of one's own", who: hander, want: "signature", do: func(s *scene) {
			l := ledgertest.NewLog(logName, impostor(s))
			l.Add(s, counts...)
			o := &scene{TB: s, signer: impostor(s), log: l, store: objectsOf(logName, l.Segments)}
			s.file = o.prove(9).Format()
		}},
		{name: "prove a line that two tools read differently (a key twice)", who: keeper, want: "broken 9", do: func(s *scene) {
			s.retell(2, doubled)
			s.file = s.prove(9).Format()
		}},
		{name: "an evidence file of 64 MiB", who: hander, want: "malformed", do: func(s *scene) {
			extra := base64.StdEncoding.EncodeToString(make([]byte, 48<<20))
			s.file = fmt.Appendf(nil, "c2sp.org/tlog-proof@v1\nextra %s\nindex 9\n\n%s", extra, strings.SplitN(string(s.file), "\n\n", 2)[1])
		}},
	}
}
