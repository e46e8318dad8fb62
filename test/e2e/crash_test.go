package e2e

import (
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Killed at any moment and started again, the collector has lost nothing that it
// answered, and no position of the log has ever held two records.
func TestKill(t *testing.T) {
	t.Parallel()
	h := newHome(t, "")
	b := newBook()
	places := &places{}
	var kept []string
	rounds := torture(t)
	for round := range rounds {
		c := start(t, h)
		l := startLoad(t, b, h, fmt.Sprintf("r%d", round))
		seals, answers := sealCount(h.store()), b.answers()
		eventually(t, "answers and a seal", func() bool { return b.answers() > answers+50 && sealCount(h.store()) > seals })
		time.Sleep(time.Duration(rand.IntN(1000)) * time.Millisecond)
		c.kill()
		l.stop()

		places.check(t, readStore(t, h.store()))
		for _, file := range kept {
			verify(t, 0, h.store(), h.pub(), "--since", file)
		}
		file := h.path(fmt.Sprintf("kept-%d.checkpoint", round))
		verify(t, 0, h.store(), h.pub(), "--save-checkpoint", file)
		kept = append(kept, file)
	}
	start(t, h).stop(t)
	records := readStore(t, h.store())
	places.check(t, records)
	b.check(t, records)
	for _, file := range kept {
		verify(t, 0, h.store(), h.pub(), "--since", file)
	}
	t.Logf("%d rounds, %d records", rounds, len(records))
}

func torture(t *testing.T) int {
	t.Helper()
	text := os.Getenv("CUSTODY_TORTURE")
	if text == "" {
		return 8
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("CUSTODY_TORTURE=%s is not a number of rounds", text)
	}
	return n
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
