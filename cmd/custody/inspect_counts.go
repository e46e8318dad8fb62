package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/otelcol-custody/custody/ledger/segment"
)

// A tally adds up the counts of one receiver. A sum is known when every closed
// record that names the receiver states it: after a crash some do not (spec §7).
type tally struct {
	named  int            // closed records
	stated map[string]int // closed records, by the count's name
	sums   segment.Counts
}

// count enters the counts of a closed record.
func (l *logView) count(counts map[string]segment.Counts) {
	for receiver, byName := range counts {
		t := l.tallies[receiver]
		if t == nil {
			t = &tally{stated: map[string]int{}, sums: segment.Counts{}}
			l.tallies[receiver] = t
		}
		t.named++
		for name, n := range byName {
			t.stated[name]++
			t.sums[name] += n
		}
	}
}

// sumUp separates the sums that are known from those that are at least so large.
func (l *logView) sumUp() {
	for receiver, t := range l.tallies {
		known := segment.Counts{}
		for name, n := range t.sums {
			if t.stated[name] == t.named {
				known[name] = n
				continue
			}
			if l.AtLeast[receiver] == nil {
				l.AtLeast[receiver] = segment.Counts{}
			}
			l.AtLeast[receiver][name] = n
		}
		l.Receivers[receiver] = known
	}
}

// countNames are the counts of spec §7, in the order of a record's way.
var countNames = []string{"received", "sealed", "duplicate", "quarantined", "refused", "lost"}

func (l *logView) writeReceivers(b *strings.Builder) {
	if len(l.Receivers) == 0 {
		return
	}
	b.WriteString("  receivers\n")
	w := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "    \t%s\n", strings.Join(countNames, "\t"))
	unknown := false
	for _, receiver := range slices.Sorted(maps.Keys(l.Receivers)) {
		fmt.Fprintf(w, "    %s", oneLine(receiver))
		for _, name := range countNames {
			sum, known := l.sum(receiver, name)
			fmt.Fprintf(w, "\t%s", sum)
			unknown = unknown || !known
		}
		fmt.Fprintln(w)
	}
	_ = w.Flush() // A strings.Builder takes everything.
	if unknown {
		b.WriteString("    -: not stated; >=: at least, since not every closed record states it, as after a crash\n")
	}
}

func (l *logView) sum(receiver, name string) (text string, known bool) {
	if n, ok := l.Receivers[receiver][name]; ok {
		return fmt.Sprint(n), true
	}
	if n, ok := l.AtLeast[receiver][name]; ok {
		return fmt.Sprintf(">=%d", n), false
	}
	return "-", false
}
