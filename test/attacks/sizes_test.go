package attacks

import (
	"bytes"
	"slices"
	"strings"

	"github.com/otelcol-custody/custody/ledger"
)

// sizeAttacks try to exhaust who verifies.
func sizeAttacks() family {
	return family{
		name: "sizes", title: "Sizes: exhausting who verifies", set: inStore,
		about: "Every length is held against the limits of spec §14 before anything is allocated. The commands run with an address space of 4 GiB.",
		all:   slices.Concat(largeSegments(), largeSeals()),
	}
}

// largeSegments are segments that claim, or are, too much.
func largeSegments() []attack {
	head := func(change func(text string) string) func(*scene) {
		return func(s *scene) {
			g := s.log.Segments[2]
			s.store[s.segment(2)] = framed(change(headerText(s.header(g))), body(g.Object))
		}
	}
	return []attack{
		{name: "a segment's header that claims 2^62 bytes", who: writer, want: "segment-altered 7", do: head(withLine("bytes", "4611686018427387904"))},
		{name: "a segment's header that claims 2^40 records", who: writer, want: "segment-altered 7", do: head(withLine("count", "1099511627776"))},
		{name: "a segment's header of 4 GiB", who: writer, want: "segment-altered 7",
			do: func(s *scene) {
				s.edit(s.segment(2), func(b []byte) []byte { return append([]byte{0x5C, 0x2A, 0x4D, 0x18, 0xFF, 0xFF, 0xFF, 0xFF}, b[8:]...) })
			}},
		{name: "a zip bomb: 16 KiB that inflate to 512 MiB, honestly declared", who: writer, want: "segment-altered 7",
			do: func(s *scene) {
				s.store[s.segment(2)] = framed(withLine("bytes", "536870912")(headerText(s.header(s.log.Segments[2]))), bomb(512<<20, 4096))
			}},
		{name: "a zip bomb that claims to be as small as the segment", who: writer, want: "segment-altered 7", says: map[string]string{verifier: "segment-altered 7/7", guardian: "segment-altered 7/7"},
			do: func(s *scene) {
				h := s.header(s.log.Segments[2])
				s.store[s.segment(2)] = framed(headerText(h), bomb(uint64(h.Bytes), 4096))
			}},
		{name: "a zip bomb that the log itself sealed", who: keeper, want: "segment-malformed 7", says: map[string]string{storeReader: noContent, verifier: "segment-malformed 7/7", guardian: "segment-malformed 7/7, fork 0"},
			do: func(s *scene) {
				s.retell(2, func(l *lie) {
					l.object = func([]byte) []byte { return framed(headerText(l.header), bomb(uint64(l.header.Bytes), 4096)) }
				})
			}},
		{name: "a segment larger than the format allows", who: writer, want: "segment-altered 7",
			do: func(s *scene) { s.store[s.segment(2)] = make([]byte, ledger.MaxSegment+1) }},
	}
}

// largeSeals are seals that do.
func largeSeals() []attack {
	return []attack{
		{name: "a seal larger than the format allows", who: writer, want: "seal-malformed 7",
			says: squatted(7),
			do: func(s *scene) {
				s.edit(s.seal(2), func(b []byte) []byte { return append(b, make([]byte, ledger.MaxSeal)...) })
			}},
		{name: "a seal whose parts claim 2^60 bytes", who: writer, want: "seal-malformed 7", says: squatted(7),
			do: func(s *scene) {
				s.edit(s.seal(2), func(b []byte) []byte {
					return bytes.Replace(b, []byte("\nparts "), []byte("\nparts 1152921504606846976"), 1)
				})
			}},
		{name: "a seal whose count is 2^40, signed", who: keeper, want: "seal-malformed 7", says: squatted(7),
			do: func(s *scene) {
				s.store[s.seal(2)] = s.forge(2, s.signer, func(head string, _ [][]byte) string { return withLine("count", "1099511627776")(head) })
			}},
		{name: "a seal whose head never ends", who: writer, want: "seal-malformed 7", says: squatted(7),
			do: func(s *scene) { s.store[s.seal(2)] = bytes.Repeat([]byte("custody-seal/v1 "), 1<<16) }},
	}
}

// withLine changes the value in a line of a header.
func withLine(name, value string) func(string) string {
	return func(text string) string {
		lines := strings.Split(text, "\n")
		for i := range lines {
			if strings.HasPrefix(lines[i], name+" ") {
				lines[i] = name + " " + value
			}
		}
		return strings.Join(lines, "\n")
	}
}
