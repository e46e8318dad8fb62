package model

import (
	"fmt"
	"hash/maphash"
	"slices"
	"strings"
)

// Result is what an exploration found.
type Result struct {
	States, Transitions, Depth int
	Whole                      bool   // every reachable state was visited
	Violation                  string // empty: none
	Trace                      []string
}

// explorer visits worlds breadth first, so its first counterexample is a
// shortest one. A world that was visited is kept as a 64-bit hash; ways back are
// found by making the same moves again.
type explorer struct {
	m     *Model
	seed  maphash.Seed
	known map[uint64]uint32
	from  []origin
	// Fault-free transitions, and where they can end, for the liveness check.
	edges [][2]uint32
	rest  []uint32
}

type origin struct {
	parent uint32
	choice uint16
}

// Explore visits at most limit states and reports the first violation on a
// shortest way to it.
func (m *Model) Explore(limit int) Result {
	e := &explorer{m: m, seed: maphash.MakeSeed(), known: map[uint64]uint32{}}
	start := m.initial()
	frontier := []world{start}
	ids := []uint32{0}
	e.known[maphash.Comparable(e.seed, start)] = 0
	e.from = []origin{{}}
	r := Result{Whole: true}
	for len(frontier) > 0 {
		var next []world
		var nextIDs []uint32
		for k := range frontier {
			bad := e.visit(&frontier[k], ids[k], &r, &next, &nextIDs)
			if bad != fine {
				return e.report(r, bad, uint32(len(e.from)-1))
			}
		}
		if len(e.from) > limit {
			r.Whole = false
			break
		}
		frontier, ids = next, nextIDs
		r.Depth++
	}
	r.States = len(e.from)
	if id, stuck := e.stuck(); stuck && r.Whole {
		return e.report(r, badStuck, id)
	}
	return r
}

// visit enters what a world leads to, and stops at a violation, which is then
// the newest world.
func (e *explorer) visit(s *world, id uint32, r *Result, next *[]world, ids *[]uint32) (bad violation) {
	if e.m.rests(s) {
		e.rest = append(e.rest, id)
	}
	choice := uint16(0)
	e.m.next(s, func(mv move, to *world) {
		if bad != fine {
			return
		}
		r.Transitions++
		hash := maphash.Comparable(e.seed, *to)
		there, old := e.known[hash]
		if !old {
			there = uint32(len(e.from))
			e.known[hash] = there
			e.from = append(e.from, origin{id, choice})
			*next, *ids = append(*next, *to), append(*ids, there)
			bad = to.bad
		}
		if !mv.fault && there != id {
			e.edges = append(e.edges, [2]uint32{id, there})
		}
		choice++
	})
	return bad
}

// stuck finds a state that no fault-free continuation leads to rest.
func (e *explorer) stuck() (id uint32, found bool) {
	slices.SortFunc(e.edges, func(a, b [2]uint32) int { return int(a[1]) - int(b[1]) })
	alive := make([]bool, len(e.from))
	todo := slices.Clone(e.rest)
	for _, id := range todo {
		alive[id] = true
	}
	for len(todo) > 0 {
		id := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		at, _ := slices.BinarySearchFunc(e.edges, id, func(a [2]uint32, id uint32) int { return int(a[1]) - int(id) })
		for ; at < len(e.edges) && e.edges[at][1] == id; at++ {
			if before := e.edges[at][0]; !alive[before] {
				alive[before] = true
				todo = append(todo, before)
			}
		}
	}
	at := slices.Index(alive, false)
	return uint32(max(at, 0)), at >= 0
}

// report walks back from a world and then makes its moves again.
func (e *explorer) report(r Result, bad violation, id uint32) Result {
	r.States, r.Whole, r.Violation = len(e.from), false, violations[bad]
	var choices []uint16
	for ; id != 0; id = e.from[id].parent {
		choices = append(choices, e.from[id].choice)
	}
	slices.Reverse(choices)
	// The histories' numbers stay as they were drawn: replaying draws no new ones.
	t := e.m.t
	s := e.m.initial()
	e.m.t = t
	for n, c := range choices {
		at := uint16(0)
		var then world
		e.m.next(&s, func(mv move, to *world) {
			if at == c {
				then = *to
				r.Trace = append(r.Trace, fmt.Sprintf("%3d  %s", n+1, e.m.line(mv, &s, to)))
			}
			at++
		})
		s = then
	}
	return r
}

// line tells a move and what it changed.
func (m *Model) line(mv move, before, after *world) string {
	var b strings.Builder
	who := "        "
	if mv.writer >= 0 {
		who = fmt.Sprintf("writer %d", mv.writer+1)
	}
	fmt.Fprintf(&b, "%s  %-58s", who, mv.what)
	for i := range after.writers {
		if x, y := &before.writers[i], &after.writers[i]; x.phase != y.phase {
			fmt.Fprintf(&b, "  writer %d is %s", i+1, [...]string{"absent", "down", "opening", "running", "refused", "stopped by a fork"}[y.phase])
		}
		if after.acked[i] != before.acked[i] && before.writers[i].phase != absent {
			fmt.Fprintf(&b, "  ACKNOWLEDGED %v", after.acked[i])
		}
	}
	for k := range after.stores {
		if h := after.stores[k].head; h != before.stores[k].head {
			fmt.Fprintf(&b, "  store %d has %s", k+1, m.t.text(h))
		}
	}
	return strings.TrimRight(b.String(), " ")
}
