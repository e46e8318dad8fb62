package model

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// when says how large a scenario is.
type when int

const (
	always  when = iota
	regular      // not with -short
	torture      // only where CUSTODY_TORTURE is set
)

// scenarios are the bounds within which everything is explored.
var scenarios = []struct {
	name string
	when when
	m    Model
}{
	{"a genesis, killed and without power", always, Model{Callers: 1, Events: 1, Tries: 2, Stores: 1, Budget: Budget{Kills: 1, PowerLosses: 1}}},
	{"a genesis on a failing disk, killed", always, Model{Callers: 1, Events: 1, Tries: 2, Stores: 1, Budget: Budget{Faults: 1, Kills: 1}}},
	{"two callers, killed, retry", always, Model{Callers: 2, Events: 1, Tries: 2, Stores: 1, Begun: true, Budget: Budget{Kills: 1}}},
	{"two callers, power loss, retry", always, Model{Callers: 2, Events: 1, Tries: 2, Stores: 1, Begun: true, Budget: Budget{PowerLosses: 1}}},
	{"two callers, a time-out, retry", always, Model{Callers: 2, Events: 1, Tries: 2, Stores: 1, Begun: true, Budget: Budget{TimeOuts: 1}}},
	{"two events, killed and without power", always, Model{Callers: 1, Events: 2, Tries: 1, Stores: 1, Begun: true, Budget: Budget{Kills: 1, PowerLosses: 1}}},
	{"a failing disk, power loss", always, Model{Callers: 1, Events: 1, Tries: 2, Stores: 1, Begun: true, Budget: Budget{Faults: 1, PowerLosses: 1}}},
	{"checkpoints and a heartbeat, power loss", always, Model{Callers: 1, Events: 1, Tries: 2, Stores: 1, Begun: true, Budget: Budget{Checkpoints: 1, Heartbeats: 1, PowerLosses: 1}}},
	{"two stores, killed", always, Model{Callers: 1, Events: 2, Tries: 1, Stores: 2, Begun: true, Budget: Budget{Kills: 1}}},
	{"ack: stored, two stores, killed", always, Model{Callers: 1, Events: 1, Tries: 2, Stores: 2, Stored: true, Begun: true, Budget: Budget{Kills: 1, TimeOuts: 1}}},
	{"a copy of the state, one store", regular, Model{Callers: 1, Events: 2, Tries: 1, Stores: 1, Up: true, Begun: true, Budget: Budget{Copies: 1}}},
	{"a copy of the state, two stores", always, Model{Callers: 1, Events: 1, Tries: 1, Stores: 2, Begun: true, Budget: Budget{Copies: 1}}},
	{"damage", always, Model{Callers: 1, Events: 2, Tries: 1, Stores: 1, Begun: true, Budget: Budget{Damages: 1, Kills: 1, Checkpoints: 1}}},

	{"a copy of the state, two events each", torture, Model{Callers: 2, Events: 1, Tries: 1, Stores: 1, Up: true, Begun: true, Budget: Budget{Copies: 1}}},
	{"a copy of the state, two events, two stores", torture, Model{Callers: 1, Events: 2, Tries: 1, Stores: 2, Begun: true, Budget: Budget{Copies: 1}}},
	{"damage after a crash", torture, Model{Callers: 1, Events: 2, Tries: 1, Stores: 1, Budget: Budget{Damages: 1, Kills: 1, PowerLosses: 1, Checkpoints: 1}}},
	{"two callers, killed and without power", torture, Model{Callers: 2, Events: 1, Tries: 2, Stores: 1, Begun: true, Budget: Budget{Kills: 1, PowerLosses: 1}}},
	{"a failing disk, killed and without power", torture, Model{Callers: 1, Events: 1, Tries: 2, Stores: 1, Budget: Budget{Faults: 1, Kills: 1, PowerLosses: 1}}},
	{"killed again and again", torture, Model{Callers: 1, Events: 1, Tries: 2, Stores: 1, Budget: Budget{Kills: 4}}},
	{"two faults, killed", torture, Model{Callers: 1, Events: 1, Tries: 2, Stores: 1, Begun: true, Budget: Budget{Faults: 2, Kills: 1}}},
	{"a copy of the state, killed", torture, Model{Callers: 1, Events: 1, Tries: 2, Stores: 1, Begun: true, Budget: Budget{Copies: 1, Kills: 1}}},
}

// TestModel explores the scenarios and prints how much it saw.
func TestModel(t *testing.T) {
	largest := regular
	if testing.Short() {
		largest = always
	}
	if os.Getenv("CUSTODY_TORTURE") != "" {
		largest = torture
	}
	var table strings.Builder
	states, transitions := 0, 0
	for _, c := range scenarios {
		if c.when > largest {
			continue
		}
		r := c.m.Explore(most)
		if r.Violation != "" {
			t.Errorf("%s: %s\n%s", c.name, r.Violation, strings.Join(r.Trace, "\n"))
		} else if !r.Whole {
			t.Errorf("%s: there are more than %d states", c.name, most)
		}
		fmt.Fprintf(&table, "\n%-46s%9d%13d%6d", c.name, r.States, r.Transitions, r.Depth)
		states, transitions = states+r.States, transitions+r.Transitions
	}
	t.Logf("%-46s%9s%13s%6s%s\n%-46s%9d%13d", "scenario", "states", "transitions", "depth", &table, "all", states, transitions)
}

// most bounds the memory that one exploration takes.
const most = 12_000_000
