package ledgertest

import (
	"bytes"
	"testing"

	"github.com/otelcol-custody/custody/ledger/seal"
	"github.com/otelcol-custody/custody/ledger/segment"
)

func TestChain(t *testing.T) {
	signer := Signer(t, "custody.example/test")
	chain := Chain(t, signer, 1, 3, 300, 65600)
	again := Chain(t, signer, 1, 3, 300, 65600)
	dec := segment.NewDecoder()
	defer dec.Close()
	var prev *seal.Verified
	for i, s := range chain {
		if !bytes.Equal(s.Object, again[i].Object) || !bytes.Equal(s.Seal.Bytes(), again[i].Seal.Bytes()) {
			t.Errorf("segment %d is not the same on every run", i)
		}
		if _, err := s.Seal.Follows(prev); err != nil {
			t.Errorf("segment %d: %v", i, err)
		}
		prev = s.Seal
		parsed, err := segment.Parse(s.Object)
		if err != nil {
			t.Fatal(err)
		}
		lines, err := dec.Inflate(parsed)
		if err != nil {
			t.Fatal(err)
		}
		s.Seal.Check(&s.Seed, lines, func(index uint64, err error) { t.Errorf("record %d: %v", index, err) })
	}
	if n := len(chain[3].Tiles); n != 1 {
		t.Errorf("the last segment completes %d tiles, want 1", n)
	}
}

func TestBranch(t *testing.T) {
	l := NewLog("test", Signer(t, "custody.example/test"))
	l.Add(t, 2)
	b := l.Branch("b")
	ours, theirs := l.Add(t, 2), b.Add(t, 2)
	if ours.Seal.First != theirs.Seal.First || bytes.Equal(ours.Seal.Bytes(), theirs.Seal.Bytes()) {
		t.Error("a branch does not part from its log")
	}
	if _, err := theirs.Seal.Follows(l.Segments[0].Seal); err != nil {
		t.Errorf("a branch does not share the history: %v", err)
	}
}
