package follow

const (
	// maxCandidates bounds the list of files that one look through the tree
	// collects, and so the memory for a first start on a huge tree. More files
	// wait for the next look.
	maxCandidates = 10_000

	// restPerScan is how many times as long as a look through the tree took the
	// follower rests before the next, so that an idle follower of a huge tree
	// uses at most a tenth of one core.
	restPerScan = 9

	// readChunk is what is read between two looks at the context.
	readChunk = 1 << 20
)
