package wormexport

import (
	"context"
	"errors"
	"testing"

	"github.com/otelcol-custody/custody/ledger/ledgertest"
	"github.com/otelcol-custody/custody/store"
	"github.com/otelcol-custody/custody/store/storetest"
)

// kinds of stores, and what is asked of them.
var benches = map[string]func(*testing.T, *storetest.Memory) *bench{
	"without versions": func(t *testing.T, m *storetest.Memory) *bench { return newBench(t, m, patient) },
	"with versions":    func(t *testing.T, m *storetest.Memory) *bench { return newVersioned(t, m, patient) },
	"retained":         func(t *testing.T, m *storetest.Memory) *bench { return newVersioned(t, m, patient, keepYears(7)) },
}

// sealsOnly is a store into which somebody copied the seals and nothing else.
func sealsOnly(t *testing.T, chain []ledgertest.Segment) *storetest.Memory {
	mem := storetest.NewMemory("test")
	for _, s := range chain {
		plant(t, mem, "test/"+s.Seal.Name(), s.Seal.Bytes())
	}
	return mem
}

// A seal that was met in the store is no reason for a receipt: the segment that
// it names goes there first, however the seal was met.
func TestSeenSealIsNoReceipt(t *testing.T) {
	chain := ledgertest.Chain(t, ledgertest.Signer(t, origin), 65536, 5, 2)
	for kind, start := range benches {
		for met, meet := range map[string]func(*bench){
			"by its delivery": func(*bench) {},
			"by a probe": func(b *bench) {
				if err := b.probe(chain[2]); err != nil {
					b.t.Fatal(err)
				}
			},
			"as a predecessor": func(b *bench) { b.must(chain[2]); b.must(chain[1]) },
			"by replicate": func(b *bench) {
				if err := b.Store(b.t.Context(), objects(chain[1])); err != nil {
					b.t.Fatal(err)
				}
			},
		} {
			t.Run(kind+" "+met, func(t *testing.T) {
				b := start(t, sealsOnly(t, chain))
				meet(b)
				b.must(chain...)
				b.holds(chain...)
				if n := b.puts("segments/"); n != len(chain) {
					t.Errorf("%d uploads of %d segments", n, len(chain))
				}
			})
		}
	}
}

// Store repairs what a seal in the store promises, whatever was seen before, and
// what StoreExpired left out.
func TestStoreRepairsWhatWasOnlySeen(t *testing.T) {
	chain := ledgertest.Chain(t, ledgertest.Signer(t, origin), 3, 5, 2)
	for kind, start := range benches {
		t.Run(kind, func(t *testing.T) {
			b := start(t, sealsOnly(t, chain[:2]))
			if err := b.StoreExpired(t.Context(), objects(chain[1])); err != nil {
				t.Fatal(err)
			}
			for _, i := range []int{2, 1, 0} {
				if err := b.Store(t.Context(), objects(chain[i])); err != nil {
					t.Fatal(err)
				}
			}
			b.holds(chain...)
		})
	}
}

// undigested is a store that does not know the digests of what it holds.
type undigested struct{ *storetest.Faulty }

func (u undigested) Stat(ctx context.Context, name string) (store.Info, error) {
	info, err := u.Faulty.Stat(ctx, name)
	info.SHA256 = [32]byte{}
	return info, err
}

func newUndigested(t *testing.T, mem *storetest.Memory) *bench {
	faulty := storetest.NewFaulty(t, mem)
	return startBench(t, mem, undigested{faulty}, faulty, nil)
}

// A store that knows no digests is read, not written, after a restart; and what
// has the size but not the bytes is not taken for the segment.
func TestStoreWithoutDigestsIsRead(t *testing.T) {
	chain := ledgertest.Chain(t, ledgertest.Signer(t, origin), 65536, 5)
	mem := storetest.NewMemory("test")
	newBench(t, mem).must(chain...)
	b := newUndigested(t, mem)
	b.must(chain...)
	if n := b.puts(""); n != 0 {
		t.Errorf("%d uploads of what was there", n)
	}
	if n := b.requests(0)[storetest.Get]; n < 3 {
		t.Errorf("%d reads of 2 segments and a tile", n)
	}
	mem = sealsOnly(t, chain)
	name := "test/" + chain[1].Seal.SegmentName()
	plant(t, mem, name, make([]byte, len(chain[1].Object)))
	b = newUndigested(t, mem)
	b.must(chain[0])
	var obstructed *ObstructedError
	if err := b.deliver(chain[1]); !errors.As(err, &obstructed) || obstructed.Name != name {
		t.Errorf("other bytes of the same size: %v", err)
	}
}
