package record

import (
	"bytes"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"testing"
)

// checkRecord demands that r and its line are each other's image.
func checkRecord(t *testing.T, r *Record) []byte {
	t.Helper()
	line, err := AppendLine(nil, r)
	if errors.Is(err, ErrTooLong) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	if !json.Valid(line) || bytes.IndexByte(line, '\n') >= 0 {
		t.Fatalf("not one line of JSON: %q", line)
	}
	if err := CheckLine(line); err != nil {
		t.Fatalf("CheckLine: %v\n%q", err, line)
	}
	back, err := ParseLine(line)
	if err != nil {
		t.Fatalf("ParseLine: %v\n%q", err, line)
	}
	if !Equal(r, back) {
		t.Fatalf("another record came back from %q:\n%+v\n%+v", line, r, back)
	}
	return line
}

// checkBytes demands that CheckLine and ParseLine judge alike, and that what
// they accept is what the encoder writes.
func checkBytes(t *testing.T, line []byte) {
	t.Helper()
	quick := CheckLine(line)
	r, err := ParseLine(line)
	if (quick == nil) != (err == nil) {
		t.Fatalf("CheckLine says %v, ParseLine %v\n%q", quick, err, line)
	}
	if err != nil {
		var f *FormError
		if !errors.As(err, &f) || !errors.Is(err, ErrNotCanonical) || f.Offset > len(line) || f.Fault == "" {
			t.Fatalf("poor error %v", err)
		}
		return
	}
	if !json.Valid(line) {
		t.Fatalf("accepted what is not JSON: %q", line)
	}
	again, err := AppendLine(nil, r)
	if err != nil || !bytes.Equal(again, line) {
		t.Fatalf("%v: accepted %q, writes %q", err, line, again)
	}
}

// disturb changes a line a little, mostly so that it stays JSON.
func disturb(rnd *rand.Rand, line []byte) []byte {
	line = bytes.Clone(line)
	if len(line) == 0 {
		return line
	}
	pieces := []string{
		`"`, `\u001a`, `\u001aff`, `\u001ac3\u001aa9`, `,`, `{}`, `[]`, `null`, `0`, `-`, `1.0`, `"$dup":[["a",1]],`, `"a":1,`, `:`, `\/`, ` `, `\u0041`,
		`$`, `e+21`, `{"$f64":"7ff0000000000000"}`, `{"$bytes":"AA=="}`, `{"$otlp":"KgA="}`, "\xff", "\x7f", `"":0,`,
	}
	i, j := rnd.IntN(len(line)), rnd.IntN(len(line))
	switch rnd.IntN(5) {
	case 0:
		line[i] ^= 1 << rnd.IntN(8)
	case 1:
		line = append(line[:i], line[i+1:]...)
	case 2:
		line = append(line[:i:i], append([]byte(pieces[rnd.IntN(len(pieces))]), line[i:]...)...)
	case 3:
		line[i], line[j] = line[j], line[i]
	case 4:
		i, j = min(i, j), max(i, j)
		line = append(line[:j:j], line[i:]...)
	}
	return line
}

func FuzzRecord(f *testing.F) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		f.Add(randomBytes(rnd, 300))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		s := source{b}
		line := checkRecord(t, s.record())
		rnd := rand.New(rand.NewPCG(uint64(len(b)), s.uint64()))
		for range 8 {
			checkBytes(t, disturb(rnd, line))
		}
	})
}

func FuzzLine(f *testing.F) {
	rnd := rand.New(rand.NewPCG(3, 4))
	for range 100 {
		s := source{randomBytes(rnd, 200)}
		line, err := AppendLine(nil, s.record())
		if err != nil {
			f.Fatal(err)
		}
		f.Add(line)
	}
	f.Fuzz(checkBytes)
}

func randomBytes(rnd *rand.Rand, n int) []byte {
	b := make([]byte, rnd.IntN(n)+1)
	for i := range b {
		b[i] = byte(rnd.Uint32())
	}
	return b
}

func TestRandomRecords(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 6))
	for range 20_000 {
		s := source{randomBytes(rnd, 250)}
		line := checkRecord(t, s.record())
		for range 4 {
			checkBytes(t, disturb(rnd, line))
		}
	}
}
