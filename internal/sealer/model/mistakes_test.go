package model

import (
	"strings"
	"testing"
)

// one is the smallest run: a caller with one event, one store.
func one(b Budget, with ...func(*Model)) Model {
	m := Model{Callers: 1, Events: 1, Tries: 2, Stores: 1, Begun: true, Budget: b}
	for _, f := range with {
		f(&m)
	}
	return m
}

func events(n int) func(*Model) { return func(m *Model) { m.Events = n } }
func tries(n int) func(*Model)  { return func(m *Model) { m.Tries = n } }
func stores(n int) func(*Model) { return func(m *Model) { m.Stores = n } }
func up(m *Model)               { m.Up = true }
func unborn(m *Model)           { m.Begun = false }

// Each mistake is found, and the shortest way to it is told. A model that finds
// nothing proves nothing.
func TestMistakesAreFound(t *testing.T) {
	for _, c := range []struct {
		mistake Mistake
		m       Model
		want    violation
	}{
		{AnswerBeforeWrite, one(Budget{Kills: 1}), badLost},
		{AnswerBeforeSync, one(Budget{PowerLosses: 1}), badLost},
		{MarkBeforeSync, one(Budget{PowerLosses: 1}), badRefused},
		{SameFileAfterFault, one(Budget{Faults: 1, PowerLosses: 1}), badRefused},
		{CloseBeforeNext, one(Budget{Kills: 1}), badRefused},
		{SealBeforeSync, one(Budget{PowerLosses: 1}), badRoots},
		{RemoveJournalEarly, one(Budget{PowerLosses: 1}), badRefused},
		{NoSyncOnStart, one(Budget{Kills: 1, PowerLosses: 1}), badRefused},
		{NoRenew, one(Budget{Kills: 1, PowerLosses: 1}, events(2), tries(1)), badRefused},
		{DropLast, one(Budget{Kills: 1}), badLost},
		{DropAnswered, one(Budget{Damages: 1, Kills: 1}, tries(1)), badLost},
		{ForgetCheckpoint, one(Budget{Damages: 1, Kills: 1, Checkpoints: 1}), badLost},
		{IdentityFirst, one(Budget{Kills: 1}, unborn), badRefused},
		{FreshStart, one(Budget{Damages: 1, Kills: 1}), badFresh},
		{NoProbe, one(Budget{Copies: 1, Kills: 1}, events(2), tries(1), up), badUnprobed},
		{IgnoreFork, one(Budget{Copies: 1}, events(2), tries(1), up), badAfterFork},
		{Overwrite, one(Budget{Copies: 1}, tries(1)), badReplaced},
		{LeaveOnOneReceipt, one(Budget{}, stores(2)), badStuck},
		{RemoveBeforeRename, one(Budget{Kills: 1}), badRefused},
		{ReadAgain, one(Budget{Faults: 1}), badStuck},
		{ForgetHead, one(Budget{Kills: 1}), badRefused},
		{ForgetDelivered, one(Budget{Kills: 1}, events(2), tries(1)), badRefused},
		{TakeHole, one(Budget{Damages: 1, Kills: 1}, events(2), tries(1)), badStuck},
	} {
		t.Run(string(c.mistake), func(t *testing.T) {
			c.m.Mistake = c.mistake
			r := c.m.Explore(2_000_000)
			t.Logf("%d states, %d transitions\n%s\n%s", r.States, r.Transitions, r.Violation, strings.Join(r.Trace, "\n"))
			if r.Violation != violations[c.want] {
				t.Errorf("found %q, want %q", r.Violation, violations[c.want])
			}
			if r.Violation != "" && len(r.Trace) != r.Depth+1 && c.want != badStuck {
				t.Errorf("a trace of %d steps at depth %d", len(r.Trace), r.Depth)
			}
		})
	}
}
