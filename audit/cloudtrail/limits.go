package cloudtrail

const (
	// maxDepth bounds how deep an event may nest. Real events stay below 20;
	// the bound keeps a hostile one from exhausting the stack.
	maxDepth = 512

	// maxTargets bounds how many of an event's resources become attributes.
	// The body keeps them all.
	maxTargets = 64

	// recoveryBudget bounds, in multiples of the input, how many bytes the
	// search for the end of malformed events may read, so that a file full
	// of them takes linear time.
	recoveryBudget = 4
)
