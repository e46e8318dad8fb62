package attacks

import (
	"testing"
	"testing/synctest"
	"time"
)

// postJudge is the guard again, with all that it has: a book and a memory that
// outlive it, two stores to hold against each other, and another judge to ask.
type postJudge struct{}

func (postJudge) name() string                 { return guardian }
func (postJudge) takes(_ trial, s *scene) bool { return s.watch != nil }
func (postJudge) due(tr trial) (string, bool)  { return tr.want, true }

func (postJudge) judge(t testing.TB, tr trial, s *scene) (all []finding, took time.Duration) {
	synctest.Test(t.(*testing.T), func(t *testing.T) { all, took = s.watch.run(t, tr.id) })
	return all, took
}

// A watching is what is done to a guard and to what it watches, when it has seen
// a log live for a while.
type watching struct {
	alone bool        // no other judge is asked
	then  func(*post) // nil: nothing
	long  time.Duration
}

func (w *watching) run(t *testing.T, id string) ([]finding, time.Duration) {
	p := newPost(t, !w.alone)
	p.start()
	p.live(watch)
	time.Sleep(30 * time.Second) // It has seen all of it.
	if all, _ := p.said(true); len(all) > 0 {
		t.Errorf("%s: the guard accuses before anything was done: %v", id, all)
	}
	attacked := p.now()
	if w.then != nil {
		w.then(p)
	}
	p.live(max(w.long, 2*watch))
	all, first := p.said(w.then == nil)
	p.stop()
	if len(all) == 0 {
		return nil, 0
	}
	return all, first.Sub(attacked)
}
