package attacks

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/otelcol-custody/custody/ledger/segment"
	"github.com/otelcol-custody/custody/store"
)

// atPost is a living log in two stores, which a guard watches.
func atPost(t testing.TB) *scene { return &scene{TB: t, watch: &watching{}} }

// alone does something to a guard that asks nobody else, peered to one that does.
func alone(then func(*post)) func(*scene) {
	return func(s *scene) { s.watch.alone, s.watch.then = true, then }
}

func peered(then func(*post)) func(*scene) {
	return func(s *scene) { s.watch.then = then }
}

// watchAttacks are those that only somebody finds who was there before.
func watchAttacks() family {
	return family{
		name: "watch", title: "What only a guard finds: silence, two stores, and itself", set: atPost,
		about: "A collector seals a closed record a minute into two stores, and the guard watches both; when it is attacked after 15 minutes, there are 32 records. " +
			"Where a second judge is named, it watches a third store, and the two ask each other. What is left in each store is a valid log. damaged: the integrity extension refuses to start, and names the file.",
		all: append(append(silences(), splitStores()...), append(weakLocks(), blindGuards()...)...),
	}
}

// silences end or bend what the log says of itself.
func silences() []attack {
	next := func(edit func(p *post, c *segment.Closed)) func(*scene) {
		return alone(func(p *post) {
			for _, o := range p.all() {
				o.edit = func(c *segment.Closed) { edit(p, c) }
			}
		})
	}
	return []attack{
		{name: "kill the collector", who: root, want: "late 31/31", do: alone(func(p *post) { quiet(p.all()...) })},
		{name: "keep everything new from the stores, before anybody saw it", who: provider, want: "late 31/31", do: alone(func(p *post) { quiet(p.near, p.far) })},
		{name: "kill the collector, and cut the end off", who: writer, want: "late 30/30, rollback 31", do: alone(func(p *post) {
			p.near.rollBack(19)
			p.far.rollBack(19)
		})},
		{name: "set the collector's clock back by a day", who: root, want: "clock-back 32/32, late 32/32",
			do: next(func(_ *post, c *segment.Closed) {
				c.At, c.NextBy = c.At.AddDate(0, 0, -1), c.NextBy.AddDate(0, 0, -1)
			})},
		{name: "start the collector where it can ask no store for another history", who: root, want: "unfenced 32/32",
			do: next(func(_ *post, c *segment.Closed) { c.Unfenced = true })},
	}
}

// quiet lets nothing more arrive.
func quiet(all ...*outpost) {
	for _, o := range all {
		o.cut = true
	}
}

// splitStores show another log in one of several stores.
func splitStores() []attack {
	return []attack{
		{name: "keep everything new from one of two stores", who: provider, want: "late 31/31, store-behind 32", do: alone(func(p *post) { quiet(p.far) })},
		{name: "go on with another history in one of two stores", who: keeper, want: "stores-differ 0", do: alone(func(p *post) { p.far.log = p.far.log.Branch("another") })},
		{name: "go on with another history where the second judge looks", who: keeper, want: "fork", do: peered(func(p *post) { p.away.log = p.away.log.Branch("another") })},
		{name: "stop both stores where they are, and go on where the second judge looks", who: keeper, want: "late 31/31, peer-ahead 32", do: peered(func(p *post) { quiet(p.near, p.far) })},
	}
}

// weakLocks change what a bucket does by itself.
func weakLocks() []attack {
	rules := func(change func(v *vault)) func(*scene) {
		return func(s *scene) {
			alone(func(p *post) { change(p.far.vault) })(s)
			s.watch.long = 75 * time.Minute // It asks once an hour.
		}
	}
	return []attack{
		{name: "shorten the bucket's default retention", who: admin, want: "lock-config", do: rules(func(v *vault) { v.rules.For = 24 * time.Hour })},
		{name: "take the bucket's default retention away", who: admin, want: "lock-config", do: rules(func(v *vault) { v.rules = store.Default{} })},
		{name: "weaken it from compliance to governance", who: admin, want: "lock-config", do: rules(func(v *vault) { v.rules.Mode = store.ModeGovernance })},
		{name: "switch the bucket's lock off", who: admin, want: "lock-config", do: rules(func(v *vault) { v.unlocked = fmt.Errorf("object lock is off: %w", store.ErrRetention) })},
	}
}

// blindGuards attack a guard that is off, or what it remembers.
func blindGuards() []attack {
	// off is done while the guard is down; the stores are rolled back to 17 records.
	off := func(then func(*post)) func(*post) {
		return func(p *post) {
			p.stop()
			p.near.rollBack(5)
			p.far.rollBack(5)
			then(p)
			p.start()
		}
	}
	const onlyLate = "late 15/16"
	heads := func(change func([]byte) []byte) func(*post) {
		return off(func(p *post) { p.edit("heads", change) })
	}
	older := off(func(p *post) { p.edit("heads", oldest) })
	forgotten := off(func(p *post) { p.remove("heads") })
	blank := off(func(p *post) { p.remove("heads"); p.remove("progress") })
	return []attack{
		{name: "roll every store back while the guard is off", who: provider, want: "late 15/16, rollback 17", do: alone(off(func(*post) {}))},
		{name: "the same, and delete how far it had read", who: root, want: "late 15/16, rollback 17", do: alone(off(func(p *post) { p.remove("progress") }))},
		{name: "the same, and flip a bit of its memory of heads", who: root, want: "damaged heads", do: alone(heads(flip(0.5)))},
		{name: "the same, and take a line out of its memory of heads", who: root, want: "damaged heads", do: alone(heads(func(b []byte) []byte {
			lines := bytes.SplitAfter(b, []byte("\n"))
			return bytes.Join(append(lines[:2:2], lines[3:]...), nil)
		}))},
		{name: "the same, and put another log's heads in their place", who: root, want: "damaged heads", do: alone(heads(func([]byte) []byte { return []byte("custody-heads/1\nrubbish\n\n") }))},
		{name: "the same, and delete its memory of heads", who: root, want: onlyLate + ", rollback 17, state-damaged", do: alone(forgotten)},
		{name: "the same, and put a backup of its memory in place", who: root, want: onlyLate + ", rollback 17, state-damaged", do: alone(older)},
		{name: "the same, and delete both its memory and how far it had read", who: root, want: onlyLate, do: alone(blank)},
		{name: "the same, asked by a second judge", who: root, want: onlyLate + ", peer-ahead 17", do: peered(blank)},
		{name: "flip a bit of the guard's book of incidents", who: root, want: "state-damaged", do: alone(between(func(p *post) { p.edit("incidents", flip(0.5)) }))},
		{name: "flip a bit of how far it has read", who: root, want: "state-damaged", do: alone(between(func(p *post) { p.edit("progress/"+logName+"-*.json", flip(0.5)) }))},
		{name: "alter a segment, and delete the book that says so", who: root, want: "segment-altered 7/11", do: alone(func(p *post) {
			name := logName + "/" + p.far.log.Segments[2].Seal.SegmentName()
			p.far.Erase(name)
			p.far.Shadow(name, flip(0.7)(bytes.Clone(p.far.log.Segments[2].Object)))
			p.live(watch)
			between(func(p *post) { p.remove("incidents") })(p)
		})},
	}
}

// between stops the guard for a moment.
func between(then func(*post)) func(*post) {
	return func(p *post) {
		p.stop()
		then(p)
		p.start()
	}
}

// oldest is the memory of heads as it was when both stores had been seen first.
func oldest(b []byte) []byte {
	return bytes.Join(bytes.SplitAfter(b, []byte("\n"))[:3], nil)
}
