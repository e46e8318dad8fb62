package seal_test

import (
	"errors"
	"testing"

	"github.com/otelcol-custody/custody/ledger/ledgertest"
	"github.com/otelcol-custody/custody/ledger/seal"
)

func TestInspectUnverified(t *testing.T) {
	signer := ledgertest.Signer(t, "custody.example/test")
	for _, s := range ledgertest.Chain(t, signer, 1, 3, 300) {
		u, err := seal.InspectUnverified(s.Seal.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		if u.Head != s.Seal.Head || u.After != s.Seal.After().Checkpoint || len(u.Keys) != 1 || u.Keys[0] != signer.ID() || u.Closed.Count != s.Seal.Count {
			t.Errorf("seal %d: got %+v", s.Seal.First, u)
		}
		b := s.Seal.Bytes()
		for _, n := range []int{0, 1, 100, len(b) / 2, len(b) - 1} {
			if _, err := seal.InspectUnverified(b[:n]); !errors.Is(err, seal.ErrMalformed) {
				t.Errorf("cut off at %d of %d: %v, want %v", n, len(b), err, seal.ErrMalformed)
			}
		}
	}
}

// It must never panic, whatever it is given.
func TestInspectUnverifiedFlips(t *testing.T) {
	good := ledgertest.Chain(t, ledgertest.Signer(t, "custody.example/test"), 1, 3)[1].Seal.Bytes()
	for i := range good {
		for _, bit := range []byte{1, 0x80} {
			b := append([]byte(nil), good...)
			b[i] ^= bit
			_, _ = seal.InspectUnverified(b)
		}
	}
}
