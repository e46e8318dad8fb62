package ledger_test

import (
	"strings"
	"testing"

	"github.com/otelcol-custody/custody/ledger"
)

func TestSegmentNames(t *testing.T) {
	sum := [32]byte{0xAB, 15: 0x0F, 16: 0xFF}
	for _, first := range []uint64{0, 1, 1<<63 - 1} {
		name := ledger.SegmentName(first, sum)
		base, ok := strings.CutPrefix(name, "segments/")
		got, prefix, parsed := ledger.ParseSegmentName(base)
		if !ok || !parsed || got != first || prefix != [16]byte(sum[:16]) {
			t.Errorf("%s: got %d, %x, %v", name, got, prefix, parsed)
		}
	}
	good := "00000000000000000017-ab00000000000000000000000000000f.jsonl.zst"
	if _, _, ok := ledger.ParseSegmentName(good); !ok {
		t.Fatal(good)
	}
	for _, bad := range []string{
		"", ".jsonl.zst", strings.Replace(good, "ab", "AB", 1), strings.Replace(good, "0017", "017", 1), strings.Replace(good, "-", "_", 1), good + ".tmp",
		strings.Replace(good, "0000000000000000001", "-000000000000000001", 1), strings.Replace(good, "0000000000000000001", "+000000000000000001", 1),
		strings.Replace(good, "00000000000000000017", "99999999999999999999", 1), strings.Replace(good, "00000000000000000017", "09223372036854775808", 1),
		strings.Replace(good, "ab", "zz", 1), strings.Replace(good, "ab", "a", 1),
	} {
		if first, _, ok := ledger.ParseSegmentName(bad); ok {
			t.Errorf("%q is a segment's name, of %d", bad, first)
		}
	}
}

func TestSealNames(t *testing.T) {
	for _, first := range []uint64{0, 17, 1<<63 - 1} {
		for n := range 12 {
			name := ledger.SealName(first)
			if n > 0 {
				name = ledger.BesideSealName(first, n)
			}
			got, m, ok := ledger.ParseSealName(strings.TrimPrefix(name, "seals/"))
			if !ok || got != first || m != n {
				t.Errorf("%s: got %d, %d, %v", name, got, m, ok)
			}
		}
	}
	for _, bad := range []string{
		"", ".seal", "17.seal", "00000000000000000017.0.seal", "00000000000000000017.01.seal", "00000000000000000017..seal", "00000000000000000017.-1.seal", "00000000000000000017.+1.seal",
		"00000000000000000017.1.2.seal", "000000000000000000171.seal", "00000000000000000017.seal.1", "09223372036854775808.seal", "+0000000000000000017.seal", "00000000000000000017.1.seal.tmp",
		"00000000000000000017.99999999999999999999.seal",
	} {
		if first, n, ok := ledger.ParseSealName(bad); ok {
			t.Errorf("%q is a seal's name, of %d, %d", bad, first, n)
		}
	}
}

func TestLogNames(t *testing.T) {
	for _, good := range []string{"a", "0", "web-1", "a.b_c", strings.Repeat("x", 63)} {
		if err := ledger.CheckLogName(good); err != nil {
			t.Error(err)
		}
	}
	for _, bad := range []string{"", ".", "..", ".a", "-a", "_a", "A", "a/b", "a b", "ä", strings.Repeat("x", 64), "a\n"} {
		if ledger.CheckLogName(bad) == nil {
			t.Errorf("%q is a log's name", bad)
		}
	}
}

func TestVersions(t *testing.T) {
	for _, good := range []string{"custody-seal/v1", "custody-seal/v20"} {
		if !ledger.IsVersion(good, "custody-seal") {
			t.Error(good)
		}
	}
	for _, bad := range []string{"", "custody-seal/v", "custody-seal/v1\r", "custody-seal/v-1", "custody-segment/v1", "custody-seal/1"} {
		if ledger.IsVersion(bad, "custody-seal") {
			t.Error(bad)
		}
	}
}
