package incident

import "time"

// Followers are told of an opening, of a first end and of an acknowledgement at
// once. Other changes of one incident wait until it was quiet for that long.
var quiet = map[Severity]time.Duration{
	Tampering: time.Minute,
	Concern:   10 * time.Minute,
	Trouble:   10 * time.Minute,
}

// remind is how often followers are told that an incident that nobody has
// acknowledged is still there, with its count.
var remind = map[Severity]time.Duration{
	Tampering: time.Hour,
	Concern:   24 * time.Hour,
	Trouble:   24 * time.Hour,
}

// lately is for how long after its end a cause that is met again is the same
// incident.
const lately = time.Hour

// lasting says of a kind that its incidents end only once they are acknowledged.
func (k Kind) lasting() bool { return k == StateDamaged || k.Severity() == Tampering }
