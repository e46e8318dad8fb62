package integrity

import (
	"testing"

	"github.com/otelcol-custody/custody/ledger"
	"github.com/otelcol-custody/custody/ledger/ledgertest"
	"github.com/otelcol-custody/custody/store/storetest"
)

type attack struct {
	name  string
	do    func(m *storetest.Memory)
	want  []string
	later []string // what only memory finds
}

func attacks(t *testing.T, l []ledgertest.Segment) []attack {
	seg1, seal1, seal2 := segmentOf(l[1]), sealOf(l[1]), sealOf(l[2])
	beside1, within, end, far := "test/"+ledger.BesideSealName(3, 1), "test/"+ledger.SealName(4), "test/"+ledger.SealName(12), "test/"+ledger.SealName(99)
	orphan := "test/" + ledger.SegmentName(4, [32]byte{1})
	ahead := "test/" + ledger.SegmentName(12, [32]byte{1})
	forked, spliced, impostor := others(t)
	fork := forked[0]
	return []attack{
		{"nothing", func(*storetest.Memory) {}, nil, nil},
		{"segment flipped", func(m *storetest.Memory) { replace(m, seg1, flipped(l[1].Object, len(l[1].Object)-5)) },
			[]string{"segment-altered a " + seg1 + " 3-8 record 3"}, nil},
		{"segment erased", func(m *storetest.Memory) { m.Erase(seg1) }, []string{"segment-missing a " + seg1 + " 3-8"}, nil},
		{"segment hidden", func(m *storetest.Memory) { m.Hide(seg1) }, []string{"delete-marker a " + seg1 + "@2 3-8"}, nil},
		{"segment shadowed", func(m *storetest.Memory) { m.Shadow(seg1, []byte("x")) }, []string{"shadow a " + seg1 + "@2 3-8"}, nil},
		{"segment truncated", func(m *storetest.Memory) { replace(m, seg1, l[1].Object[:100]) }, []string{"segment-altered a " + seg1 + " 3-8"}, nil},
		{"seal erased", func(m *storetest.Memory) { m.Erase(seal1) }, []string{"seal-missing a " + seal1 + " 3-8"}, nil},
		{"seal flipped", func(m *storetest.Memory) { replace(m, seal1, flipped(l[1].Seal.Bytes(), len(l[1].Seal.Bytes())-3)) },
			[]string{"seal-invalid a " + seal1 + " 3-8"}, nil},
		{"seal shadowed", func(m *storetest.Memory) { m.Shadow(seal1, []byte("x")) }, []string{"shadow a " + seal1 + "@2 3-8"}, nil},
		{"seal hidden", func(m *storetest.Memory) { m.Hide(seal1) }, []string{"delete-marker a " + seal1 + "@2 3-8"}, nil},
		{"last seal hidden", func(m *storetest.Memory) { m.Hide(seal2) }, []string{"delete-marker a " + seal2 + "@2 8-12"}, nil},
		{"tail cut off", func(m *storetest.Memory) { m.Erase(seal2); m.Erase(segmentOf(l[2])) }, nil, []string{"rollback a  8-12"}},
		{"orphan", func(m *storetest.Memory) { m.Shadow(orphan, []byte("x")) }, []string{"orphan-segment a " + orphan + "@1 4-8"}, nil},
		{"on its way", func(m *storetest.Memory) { m.Shadow(ahead, []byte("x")) }, nil, nil},
		{"foreign", func(m *storetest.Memory) {
			for _, name := range []string{"test/readme", "test/segments/readme", "test/segments/a/b", "test/seals/x.seal", "test/tiles/9/00000000000000000000.tile", "test/tiles/x"} {
				m.Shadow(name, nil)
			}
			m.Shadow("test/.hidden", nil)
			m.Shadow("other", nil)
			m.Shadow("other/segments/x", nil)
		}, []string{"foreign-object a test/readme@1 0-0", "foreign-object a test/segments/readme@1 0-0", "foreign-object a test/segments/a/b@1 0-0",
			"foreign-object a test/seals/x.seal@1 0-0", "foreign-object a test/tiles/9/00000000000000000000.tile@1 0-0", "foreign-object a test/tiles/x@1 0-0"}, nil},
		{"squatter beside", func(m *storetest.Memory) { m.Shadow(beside1, make([]byte, 1000)) }, []string{"squatter a " + beside1 + "@1 3-8"}, nil},
		{"squatter below", func(m *storetest.Memory) {
			m.Erase(seal1)
			m.Shadow(seal1, []byte("x"))
			m.Shadow(seal1, l[1].Seal.Bytes())
		},
			[]string{"squatter a " + seal1 + "@1 3-8"}, nil},
		{"squatter within", func(m *storetest.Memory) { m.Shadow(within, make([]byte, 1000)) }, []string{"foreign-object a " + within + "@1 4-0"}, nil},
		{"squatter within the last", func(m *storetest.Memory) { m.Shadow("test/"+ledger.SealName(11), make([]byte, 1000)) },
			[]string{"foreign-object a test/" + ledger.SealName(11) + "@1 11-0"}, nil},
		{"seal of elsewhere within", func(m *storetest.Memory) { m.Shadow(within, l[1].Seal.Bytes()) }, []string{"foreign-object a " + within + "@1 4-0"}, nil},
		{"seal of another history within", func(m *storetest.Memory) { m.Shadow(sealOf(forked[1]), forked[1].Seal.Bytes()) },
			[]string{"foreign-object a " + sealOf(forked[1]) + "@1 6-0"}, nil},
		{"seal too long", func(m *storetest.Memory) { replace(m, seal1, make([]byte, ledger.MaxSeal+1)) }, []string{"seal-malformed a " + seal1 + " 3-8"}, nil},
		{"squatter at the end", func(m *storetest.Memory) { m.Shadow(end, make([]byte, 1000)) }, []string{"squatter a " + end + "@1 12-0"}, nil},
		{"squatter far ahead", func(m *storetest.Memory) { m.Shadow(far, make([]byte, 1000)) }, []string{"squatter a " + far + "@1 99-0"}, nil},
		{"copy beside", func(m *storetest.Memory) { m.Shadow(beside1, l[1].Seal.Bytes()) }, []string{"copy a " + beside1 + "@1 3-8"}, nil},
		{"copy of a segment", func(m *storetest.Memory) { m.Shadow(seg1, l[1].Object) }, []string{"copy a " + seg1 + "@1 3-8"}, nil},
		{"junk below a segment", func(m *storetest.Memory) { m.Erase(seg1); m.Shadow(seg1, []byte("x")); m.Shadow(seg1, l[1].Object) },
			[]string{"squatter a " + seg1 + "@1 3-8"}, nil},
		{"seals swapped", func(m *storetest.Memory) { replace(m, seal1, l[2].Seal.Bytes()); replace(m, seal2, l[1].Seal.Bytes()) },
			[]string{"seal-chain a " + seal1 + "@1 3-0", "seal-chain a " + seal2 + "@1 8-0"}, []string{"rollback a  3-12"}},
		{"segments swapped", func(m *storetest.Memory) { replace(m, seg1, l[2].Object); replace(m, segmentOf(l[2]), l[1].Object) },
			[]string{"segment-altered a " + seg1 + " 3-8", "segment-altered a " + segmentOf(l[2]) + " 8-12"}, nil},
		{"fork beside", func(m *storetest.Memory) { m.Shadow(beside1, fork.Seal.Bytes()) }, []string{"fork a " + beside1 + "@1 3-6"}, nil},
		{"fork beside, with its segment", func(m *storetest.Memory) {
			m.Shadow(beside1, fork.Seal.Bytes())
			m.Shadow(segmentOf(fork), fork.Object)
		},
			[]string{"fork a " + beside1 + "@1 3-6"}, nil},
		{"another history", func(m *storetest.Memory) {
			for _, g := range l[1:] {
				m.Erase(sealOf(g))
				m.Erase(segmentOf(g))
			}
			for _, g := range forked {
				m.Shadow(sealOf(g), g.Seal.Bytes())
				m.Shadow(segmentOf(g), g.Object)
			}
		}, nil, []string{"fork a  0-12"}},
		{"spliced", func(m *storetest.Memory) {
			replace(m, seal2, spliced.Seal.Bytes())
			m.Shadow(segmentOf(spliced), spliced.Object)
			m.Erase(segmentOf(l[2]))
		},
			[]string{"seal-chain a " + seal2 + "@1 8-12"}, []string{"fork a  0-12"}},
		{"signed by another key", func(m *storetest.Memory) {
			for i, g := range impostor {
				replace(m, sealOf(l[i]), g.Seal.Bytes())
			}
		}, []string{"seal-signature a " + sealOf(l[0]) + "@1 0-0", "seal-signature a " + seal1 + "@1 3-0", "seal-signature a " + seal2 + "@1 8-0"}, []string{"rollback a  0-12", "unread a  0-0"}},
		{"everything erased", func(m *storetest.Memory) {
			for _, g := range l {
				m.Erase(sealOf(g))
				m.Erase(segmentOf(g))
			}
		}, nil, []string{"rollback a  0-12", "unread a  0-0"}},
		{"last seal cut off", func(m *storetest.Memory) { m.Erase(seal2) }, nil, []string{"rollback a  8-12"}},
	}
}

// others are segments of other histories than that of 3 + 5 + 4 records: a branch
// behind the first, the third of another log under the same name, and a whole one
// by another key.
func others(t *testing.T) (forked []ledgertest.Segment, spliced ledgertest.Segment, impostor []ledgertest.Segment) {
	s := ledgertest.Signer(t, origin)
	l := ledgertest.NewLog("test", s)
	l.Add(t, 3)
	b := l.Branch("fork")
	b.Add(t, 3, 7)
	c := ledgertest.NewLog("test", s).Branch("splice")
	c.Add(t, 3, 5, 4)
	return b.Segments[1:], c.Segments[2], ledgertest.Chain(t, ledgertest.ImpostorOf(t, origin, "x"), 3, 5, 4)
}
