package segment_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/otelcol-custody/custody/ledger"
	"github.com/otelcol-custody/custody/ledger/segment"
	"github.com/otelcol-custody/custody/ledger/tree"
)

const origin = "custody.example/web-1"

var seed = tree.Seed{1, 2, 3}

// headerFrame is a skippable frame with any text.
func headerFrame(text string) []byte {
	b := binary.LittleEndian.AppendUint32(nil, 0x184D2A5C)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(text)))
	return append(b, text...)
}

func headerText(first uint64, count, size int) string {
	return fmt.Sprintf("custody-segment/v1\norigin %s\nfirst %d\ncount %d\nbytes %d\nseed %x\n", origin, first, count, size, seed)
}

// compress makes one zstd frame.
func compress(t testing.TB, b []byte, opts ...zstd.EOption) []byte {
	t.Helper()
	enc, err := zstd.NewWriter(nil, append([]zstd.EOption{zstd.WithEncoderConcurrency(1), zstd.WithSingleSegment(true)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	return enc.EncodeAll(b, nil)
}

// text has n bytes in lines.
func text(n int, compressible bool) []byte {
	rng := rand.New(rand.NewPCG(uint64(n), 1))
	b := make([]byte, n)
	for i := range b {
		b[i] = 'a'
		if !compressible {
			b[i] = byte(32 + rng.Uint32N(90))
		}
		if rng.Uint32N(40) == 0 {
			b[i] = '\n'
		}
	}
	b[n-1] = '\n'
	return b
}

func object(t testing.TB, enc *segment.Encoder, lines []byte) []byte {
	t.Helper()
	h := segment.Header{Origin: origin, First: 7, Count: bytes.Count(lines, []byte("\n")), Bytes: len(lines), Seed: seed}
	b, err := enc.Append(nil, h, lines)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func read(dec *segment.Decoder, obj []byte) ([]byte, error) {
	s, err := segment.Parse(obj)
	if err != nil {
		return nil, err
	}
	return dec.Inflate(s)
}

func TestEverySize(t *testing.T) {
	enc, dec := segment.NewEncoder(), segment.NewDecoder()
	defer dec.Close()
	sizes := []int{65_791, 65_792, 100_000, 131_072, 131_073, 300_000, 4 << 20}
	for n := 1; n <= 600; n++ {
		sizes = append(sizes, n)
	}
	for _, n := range sizes {
		for _, compressible := range []bool{true, false} {
			lines := text(n, compressible)
			obj := object(t, enc, lines)
			if again := object(t, segment.NewEncoder(), lines); !bytes.Equal(obj, again) {
				t.Fatalf("%d bytes: two encoders give different bytes", n)
			}
			got, err := read(dec, obj)
			if err != nil || !bytes.Equal(got, lines) {
				t.Fatalf("%d bytes: %v", n, err)
			}
			s, _ := segment.Parse(obj)
			if s.First != 7 || s.Origin != origin || s.Seed != seed || s.Bytes != n {
				t.Fatalf("%d bytes: header %+v", n, s.Header)
			}
		}
	}
}

func TestAppendRefuses(t *testing.T) {
	enc := segment.NewEncoder()
	good := segment.Header{Origin: origin, First: 0, Count: 2, Bytes: 4, Seed: seed}
	for name, change := range map[string]func(*segment.Header) string{
		"count":           func(h *segment.Header) string { h.Count = 1; return "a\nb\n" },
		"no count":        func(h *segment.Header) string { h.Count, h.Bytes = 0, 0; return "" },
		"bytes":           func(h *segment.Header) string { h.Bytes = 5; return "a\nb\n" },
		"no last LF":      func(h *segment.Header) string { return "a\n\nb" },
		"origin":          func(h *segment.Header) string { h.Origin = "a b"; return "a\nb\n" },
		"too many":        func(h *segment.Header) string { h.Count = ledger.MaxRecords + 1; return "a\nb\n" },
		"too long":        func(h *segment.Header) string { h.Bytes = ledger.MaxLines + 1; return "a\nb\n" },
		"beyond log size": func(h *segment.Header) string { h.First = 1<<63 - 2; return "a\nb\n" },
	} {
		h := good
		lines := change(&h)
		if b, err := enc.Append(nil, h, []byte(lines)); !errors.Is(err, segment.ErrMalformed) {
			t.Errorf("%s: got %d bytes, %v", name, len(b), err)
		}
	}
}

func TestParseHeaderIsStrict(t *testing.T) {
	good := headerText(7, 1, 2)
	frame := compress(t, []byte("a\n"))
	if _, err := segment.Parse(append(headerFrame(good), frame...)); err != nil {
		t.Fatal(err)
	}
	replace := func(old, with string) string { return strings.Replace(good, old, with, 1) }
	for _, bad := range []string{
		"", "\n", good + "\n", good + "more x\n", strings.TrimSuffix(good, "\n"), "\n" + good, strings.ReplaceAll(good, "\n", "\r\n"),
		replace("first 7", "first 07"), replace("first 7", "first +7"), replace("first 7", "first  7"), replace("first 7", "first -7"),
		replace("first 7", "first 9223372036854775807"), replace("first 7", "first 18446744073709551615"), replace("first 7\n", ""),
		replace("count 1", "count 0"), replace("count 1", "count 262145"), replace("bytes 2", "bytes 0"), replace("bytes 2", "bytes 67108865"),
		replace("bytes 2", "bytes 3"), replace("seed 01", "seed 1"), replace("seed 01", "seed 0X01"), replace("seed 010203", "seed 0A0203"),
		replace("origin "+origin, "origin "), replace("origin "+origin, "origin a b"), replace(origin, strings.Repeat("x", 256)), replace(origin, "a\xff"),
		replace("custody-segment/v1", "custody-segment"), replace("custody-segment/v1", "custody-seal/v1"), replace("origin", "Origin"),
		good + strings.Repeat("x", 1024),
	} {
		if s, err := segment.Parse(append(headerFrame(bad), frame...)); !errors.Is(err, segment.ErrMalformed) {
			t.Errorf("%q: got %+v, %v", bad, s, err)
		}
	}
	later := append(headerFrame(replace("/v1", "/v2")), frame...)
	if _, err := segment.Parse(later); !errors.Is(err, segment.ErrVersion) || errors.Is(err, segment.ErrMalformed) {
		t.Errorf("a later version: %v", err)
	}
	for _, magic := range []uint32{0x184D2A50, 0x184D2A5B, 0x184D2A5D, 0xFD2FB528, 0} {
		obj := append(headerFrame(good), frame...)
		binary.LittleEndian.PutUint32(obj, magic)
		if _, err := segment.Parse(obj); !errors.Is(err, segment.ErrMalformed) {
			t.Errorf("magic number %x: %v", magic, err)
		}
	}
	for _, size := range []uint32{0, 1 << 31, 0xFFFFFFFF, uint32(len(good)) - 1, uint32(len(good)) + 1} {
		obj := append(headerFrame(good), frame...)
		binary.LittleEndian.PutUint32(obj[4:], size)
		if _, err := segment.Parse(obj); !errors.Is(err, segment.ErrMalformed) {
			t.Errorf("header size %d: %v", size, err)
		}
	}
}

func TestFrames(t *testing.T) {
	lines := []byte("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\nb\n")
	header := headerFrame(headerText(7, 2, len(lines)))
	frame := compress(t, lines)
	unchecked := compress(t, lines, zstd.WithEncoderCRC(false))
	windowed := compress(t, lines, zstd.WithSingleSegment(false), zstd.WithWindowSize(1<<10))
	hole := func(at int, b byte) []byte { f := bytes.Clone(frame); f[at] = b; return f }
	skippable := []byte{0x5C, 0x2A, 0x4D, 0x18, 1, 0, 0, 0, 'x'}
	raw := func(flags byte, size, lines []byte) []byte { // one raw block
		f := append([]byte{0x28, 0xB5, 0x2F, 0xFD, flags}, size...)
		n := uint32(len(lines))<<3 | 1
		return append(append(f, byte(n), byte(n>>8), byte(n>>16)), lines...)
	}
	n := byte(len(lines))
	for _, test := range []struct {
		name  string
		frame []byte
		good  bool
	}{
		{"plain", frame, true},
		{"without a checksum", unchecked, true},
		{"raw block", raw(0x20, []byte{n}, lines), true},
		{"size in 4 bytes", raw(0xA0, []byte{n, 0, 0, 0}, lines), true},
		{"size in 8 bytes", raw(0xE0, []byte{n, 0, 0, 0, 0, 0, 0, 0}, lines), true},
		{"window", raw(0x80, append([]byte{0x08}, n, 0, 0, 0), lines), true},
		{"window of 64 MiB", raw(0x80, append([]byte{16 << 3}, n, 0, 0, 0), lines), true},
		{"larger window", raw(0x80, append([]byte{16<<3 | 1}, n, 0, 0, 0), lines), false},
		{"huge window", raw(0x80, append([]byte{0xFF}, n, 0, 0, 0), lines), false},
		{"no size", raw(0x00, []byte{0x08}, lines), false},
		{"dictionary", raw(0x21, []byte{5, n}, lines), false},
		{"dictionary 0", raw(0x21, []byte{0, n}, lines), false},
		{"dictionary in 2 bytes", raw(0x22, []byte{5, 0, n}, lines), false},
		{"dictionary in 4 bytes", raw(0x23, []byte{5, 0, 0, 0, n}, lines), false},
		{"reserved bit", raw(0x28, []byte{n}, lines), false},
		{"size too small", raw(0x20, []byte{n - 1}, lines), false},
		{"size too large", raw(0x20, []byte{n + 1}, lines), false},
		{"block too short", raw(0x20, []byte{n}, lines[:n-1]), false},
		{"block too long", raw(0x20, []byte{n}, append(bytes.Clone(lines), '\n')), false},
		{"nothing", nil, false},
		{"magic number only", frame[:4], false},
		{"a byte behind", append(bytes.Clone(frame), 0), false},
		{"a line feed behind", append(bytes.Clone(frame), '\n'), false},
		{"a second frame", append(bytes.Clone(frame), frame...), false},
		{"an empty second frame", append(bytes.Clone(frame), compress(t, nil, zstd.WithZeroFrames(true))...), false},
		{"a skippable frame behind", append(bytes.Clone(frame), skippable...), false},
		{"a skippable frame before", append(bytes.Clone(skippable), frame...), false},
		{"checksum", hole(len(frame)-1, frame[len(frame)-1]^1), false},
		{"reserved block type", hole(6, frame[6]|6), false},
		{"windowed", windowed, bytes.Equal(windowed[4:5], []byte{0x80})},
	} {
		dec := segment.NewDecoder()
		got, err := read(dec, append(bytes.Clone(header), test.frame...))
		dec.Close()
		if test.good && (err != nil || !bytes.Equal(got, lines)) {
			t.Errorf("%s: %v", test.name, err)
		}
		if !test.good && !errors.Is(err, segment.ErrMalformed) {
			t.Errorf("%s: accepted as %q, %v", test.name, got, err)
		}
	}
	for i := range frame {
		if _, err := segment.Parse(append(bytes.Clone(header), frame[:i]...)); !errors.Is(err, segment.ErrMalformed) {
			t.Errorf("cut off at %d of %d: %v", i, len(frame), err)
		}
	}
}

// TestLinesAreCounted has frames in order whose header lies.
func TestLinesAreCounted(t *testing.T) {
	dec := segment.NewDecoder()
	defer dec.Close()
	for _, test := range []struct {
		count int
		lines string
	}{{1, "a\nb\n"}, {3, "a\nb\n"}, {2, "a\nb"}, {2, "a\nb\nc"}} {
		obj := append(headerFrame(headerText(0, test.count, len(test.lines))), compress(t, []byte(test.lines))...)
		if got, err := read(dec, obj); !errors.Is(err, segment.ErrMalformed) || string(got) != "" {
			if string(got) != test.lines || err == nil {
				t.Errorf("%d lines in %q: got %q, %v", test.count, test.lines, got, err)
			}
		}
	}
}

// TestBombs has objects of a few bytes that would inflate to much more than they
// say.
func TestBombs(t *testing.T) {
	rle := func(blocks int, size byte) []byte { // blocks of 128 KiB that repeat one byte
		f := []byte{0x28, 0xB5, 0x2F, 0xFD, 0x20, size}
		for i := range blocks {
			n := uint32(128<<10)<<3 | 1<<1
			if i == blocks-1 {
				n |= 1
			}
			f = append(f, byte(n), byte(n>>8), byte(n>>16), '\n')
		}
		return f
	}
	bomb := append(headerFrame(headerText(0, 1, 2)), rle(100_000, 2)...) // 12 GiB
	honest := append(headerFrame(headerText(0, 1, ledger.MaxLines)), 0x28, 0xB5, 0x2F, 0xFD, 0xA0, 0, 0, 0, 4, 1, 0, 0)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for _, obj := range [][]byte{bomb, honest} {
		dec := segment.NewDecoder()
		if got, err := read(dec, obj); !errors.Is(err, segment.ErrMalformed) {
			t.Errorf("got %d bytes, %v", len(got), err)
		}
		dec.Close()
	}
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got > 3*ledger.MaxLines {
		t.Errorf("%d bytes were allocated", got)
	}
	if _, err := segment.Parse(make([]byte, ledger.MaxSegment+1)); !errors.Is(err, segment.ErrMalformed) {
		t.Errorf("a large object: %v", err)
	}
}

func TestLines(t *testing.T) {
	for _, test := range []struct {
		in   string
		want []string
	}{{"", nil}, {"a\n", []string{"a"}}, {"a\n\nb\n", []string{"a", "", "b"}}, {"a\nb", []string{"a", "b"}}, {"\n", []string{""}}} {
		var got []string
		for i, line := range segment.Lines([]byte(test.in)) {
			if i != len(got) {
				t.Errorf("%q: index %d", test.in, i)
			}
			got = append(got, string(line))
		}
		if fmt.Sprint(got) != fmt.Sprint(test.want) {
			t.Errorf("%q: got %q", test.in, got)
		}
	}
	for range segment.Lines([]byte("a\nb\n")) {
		break
	}
}

func FuzzParse(f *testing.F) {
	enc := segment.NewEncoder()
	for _, n := range []int{1, 2, 60, 300, 2000} {
		f.Add(object(f, enc, text(n, true)))
		f.Add(object(f, enc, text(n, false)))
	}
	dec := segment.NewDecoder()
	f.Fuzz(func(t *testing.T, obj []byte) {
		s, err := segment.Parse(obj)
		if err != nil {
			if !errors.Is(err, segment.ErrMalformed) && !errors.Is(err, segment.ErrVersion) {
				t.Fatalf("%v", err)
			}
			return
		}
		lines, err := dec.Inflate(s)
		if err != nil {
			if !errors.Is(err, segment.ErrMalformed) {
				t.Fatalf("%v", err)
			}
			return
		}
		if _, err := enc.Append(nil, s.Header, lines); err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		if !bytes.HasPrefix(obj, headerFrame(headerOf(s.Header))) {
			t.Fatalf("header %+v has another encoding", s.Header)
		}
	})
}

func headerOf(h segment.Header) string {
	return fmt.Sprintf("custody-segment/v1\norigin %s\nfirst %d\ncount %d\nbytes %d\nseed %x\n", h.Origin, h.First, h.Count, h.Bytes, h.Seed)
}
