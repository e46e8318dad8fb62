package e2e

import (
	"crypto/sha256"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// torture is how often the collector is killed: some times, or as often as
// CUSTODY_TORTURE says.
func torture(t *testing.T) int {
	t.Helper()
	text := os.Getenv("CUSTODY_TORTURE")
	if text == "" {
		return 20
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("CUSTODY_TORTURE=%s is not a number of kills", text)
	}
	return n
}

// dice decide what a test does at random; CUSTODY_SEED does it again.
func dice(t *testing.T) *rand.Rand {
	t.Helper()
	seed := rand.Uint64()
	if text := os.Getenv("CUSTODY_SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatalf("CUSTODY_SEED=%s is not a number", text)
		}
	}
	t.Logf("CUSTODY_SEED=%d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

// places remembers what each position of the log held.
type places struct{ lines [][sha256.Size]byte }

func (p *places) check(t *testing.T, records []stored) {
	t.Helper()
	if len(records) < len(p.lines) {
		t.Errorf("the log had %d records and now has %d", len(p.lines), len(records))
	}
	for i := range records {
		sum := sha256.Sum256([]byte(records[i].Line))
		if i == len(p.lines) {
			p.lines = append(p.lines, sum)
		} else if p.lines[i] != sum {
			t.Fatalf("position %d holds another record than before: %s", i, records[i].Line)
		}
	}
}

// Reloads under load lose nothing that was answered.
func TestReload(t *testing.T) {
	t.Parallel()
	h := newHome(t, "")
	c := start(t, h)
	b := newBook()
	l := startLoad(t, b, h, "s")
	for n := range 4 {
		answers := b.answers()
		eventually(t, "answers", func() bool { return b.answers() > answers+200 })
		c.signal(t, syscall.SIGHUP)
		eventually(t, "a reload", func() bool { return strings.Count(c.log.String(), "sealing log "+logName) == n+2 })
	}
	answers := b.answers()
	eventually(t, "answers after the last reload", func() bool { return b.answers() > answers+200 })
	l.stop()
	c.stop(t)
	verify(t, 0, h.store(), h.pub())
	b.check(t, readStore(t, h.store()))
}
