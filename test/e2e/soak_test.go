package e2e

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Killed at any moment, in its start, its stop and its reload, too, and started
// again, the collector has lost nothing that it answered, no position of the log
// has ever held two records, and what was passed on is what was sealed.
func TestKill(t *testing.T) {
	kills := torture(t)
	t.Run("ack local", func(t *testing.T) {
		t.Parallel()
		newSoak(t, newHome(t, ""), "").run(kills)
	})
	t.Run("ack stored", func(t *testing.T) {
		t.Parallel()
		newSoak(t, newHome(t, ""), `processors: {hash_chain: {ack: stored}}`).run(1 + kills/4)
	})
	t.Run("emit records", func(t *testing.T) {
		t.Parallel()
		h, siem := newHome(t, ""), newSIEM(t)
		s := newSoak(t, h, siem.overlay())
		s.last = func(b *book) { siem.await(t, b) }
		s.run(1 + kills/4)
	})
}

// A soak is a collector under load that is not left in peace.
type soak struct {
	t       *testing.T
	h       *home
	overlay string
	book    *book
	rng     *rand.Rand
	places  places
	kept    []string // checkpoints
	c       *collector
	last    func(*book) // what the last run waits for

	kills, terms, hups, starts int
}

func newSoak(t *testing.T, h *home, overlay string) *soak {
	return &soak{t: t, h: h, overlay: overlay, book: newBook(), rng: dice(t), last: func(*book) {}}
}

// shocks are what befalls a collector that was just launched, and how often.
var shocks = []struct {
	weight int
	shock  func(*soak)
}{
	{4, func(s *soak) { s.pause(700); s.kill() }}, // in its start
	{6, func(s *soak) { s.works(); s.pause(700); s.kill() }},
	{3, func(s *soak) { s.works(); s.hup(); s.pause(400); s.kill() }},
	{1, func(s *soak) {
		s.works()
		s.hup()
		s.works()
		s.hup()
		s.works()
		s.kill()
	}},
	{3, func(s *soak) { s.works(); s.term(); s.pause(300); s.kill() }},
	{1, func(s *soak) { s.works(); s.term(); s.ends() }},
	{1, func(s *soak) { s.pause(700); s.term(); s.pause(200); s.kill() }},
}

func (s *soak) run(kills int) {
	began := time.Now()
	l := startPacedLoad(s.t, s.book, s.h, "s", 20*time.Millisecond)
	for n := 1; s.kills < kills; n++ {
		s.launch()
		s.shock()
		if s.c.kill(); n%40 == 0 { // It is dead already, or wants to be.
			s.check()
		}
	}
	s.launch()
	s.works()
	l.stop()
	s.last(s.book)
	s.c.stop(s.t)
	s.check()
	s.book.check(s.t, readStore(s.t, s.h.store()))
	verdict := "missing 0, too often 0, forks 0"
	if s.t.Failed() {
		verdict = "FAILED"
	}
	s.t.Logf("%d kills, %d terms, %d hups, %d starts, %d records acknowledged, %d in the log, %d segments; %s; %v",
		s.kills, s.terms, s.hups, s.starts, s.book.answers(), len(s.places.lines), sealCount(s.h.store()), verdict, time.Since(began).Round(time.Second))
}

func (s *soak) shock() {
	all := 0
	for _, c := range shocks {
		all += c.weight
	}
	n := s.rng.IntN(all)
	for _, c := range shocks {
		if n -= c.weight; n < 0 {
			c.shock(s)
			return
		}
	}
}

func (s *soak) launch() {
	s.starts++
	s.c = launch(s.t, s.h, s.overlay)
}

func (s *soak) pause(most int) { time.Sleep(time.Duration(s.rng.IntN(most)) * time.Millisecond) }

// running says whether the collector is there; it never ends unasked.
func (s *soak) running() bool {
	s.t.Helper()
	select {
	case <-s.c.done:
		// A signal that comes before the program listens ends it like any other.
		early := s.c.log.String() == "" && s.c.cmd.ProcessState.Sys().(syscall.WaitStatus).Signal() == syscall.SIGTERM
		if code := s.c.cmd.ProcessState.ExitCode(); code != 0 && !early {
			s.t.Fatalf("start %d: it exited with %d", s.starts, code)
		}
		return false
	default:
		return true
	}
}

// works waits for answers.
func (s *soak) works() {
	s.t.Helper()
	before := s.book.answers()
	eventually(s.t, "answers", func() bool {
		return !s.running() || s.book.answers() > before+20
	})
}

func (s *soak) kill() {
	s.t.Helper()
	if s.running() {
		s.c.kill()
		s.kills++
	}
	for _, word := range []string{"is forked", "the store is ahead", "state is damaged"} {
		if strings.Contains(s.c.log.String(), word) {
			s.t.Errorf("start %d: it said %q", s.starts, word)
		}
	}
}

func (s *soak) term() { s.terms++; s.c.signal(s.t, syscall.SIGTERM) }

func (s *soak) hup() { s.hups++; s.c.signal(s.t, syscall.SIGHUP) }

// ends wants the collector to end well.
func (s *soak) ends() {
	if code := s.c.exit(s.t); code != 0 {
		s.t.Errorf("start %d: exit status %d after SIGTERM", s.starts, code)
	}
}

// check holds the store against what it held before, and against every checkpoint
// that was kept.
func (s *soak) check() {
	s.t.Helper()
	if sealCount(s.h.store()) == 0 {
		return
	}
	s.places.check(s.t, readStore(s.t, s.h.store()))
	file := s.h.path(fmt.Sprintf("kept-%d.checkpoint", len(s.kept)))
	verify(s.t, 0, s.h.store(), s.h.pub(), "--save-checkpoint", file)
	for _, file := range s.kept {
		verify(s.t, 0, s.h.store(), s.h.pub(), "--since", file)
	}
	s.kept = append(s.kept, file)
}
