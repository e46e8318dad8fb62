package model

// world is one state of everything. It has no pointers, so equal worlds are
// equal values, and their hash is taken of their bytes.
type world struct {
	writers [2]writer
	callers [2]caller
	stores  [2]store
	left    budget
	acked   [2][letters]uint8 // by the writer that answered
	sent    [letters]uint8    // how often its source handed it over
	bad     violation
	damaged bool // somebody touched the state directory
	copied  bool // a second host has a copy of it
	born    bool // the log exists: nobody says genesis any more
}

// budget is what may still happen in a run beside the regular steps.
type budget struct {
	kills, losses uint8 // of a process, of the power
	faults        uint8 // failing calls to the file system
	timeOuts      uint8 // of callers
	checkpoints   uint8 // to be signed
	heartbeats    uint8 // segments without a record
	copies        uint8 // second hosts
	damages       uint8 // files taken away or cut
}

// caller is a source that sends one event after the other, each as often as its
// bound allows until it is answered.
type caller struct {
	event  uint8 // how many it is done with
	tries  uint8 // of the present one
	status uint8
	at     uint8 // the writer that has its request
	wait   uint8 // 0: in the pool's frame; else 1 + first of the segment whose receipt it waits for
}

// What a caller does.
const (
	offering uint8 = iota
	taken
	done
)

// store is a WORM store behind an exporter: seals by their first position, each
// with the history that it ends.
type store struct {
	seals [positions]history
	head  history // behind the newest of them
}

// writer is one process with its state directory.
type writer struct {
	d      disk
	phase  phase
	signed [positions]history // ghost: the root that was signed for each size
	begun  bool               // ghost: it once continued a log
	ahead  bool               // ghost: at its start a store had what it does not know
	told   bool               // ghost: it heard of a fork
	pool   pool
	load   loading
	press  press
	post   courier
}

type phase uint8

// Phases of a process.
const (
	absent  phase = iota // this host does not exist yet
	down                 // and its disk is there
	opening              // Open has not returned
	running
	refused // Open said no: damage, or no head
	forked  // stopped for good
)

// pool is the state of sealer.pool; open and next are slots of inodes.
type pool struct {
	step   step
	job    job // what createJournal is at work for
	open   uint8
	next   uint8
	made   uint8
	seed   uint8
	groups uint8
	frame  history // behind the frame at work
	start  history
	at     history
	behind history // with the closing record that is being written
	closed uint16  // firsts of closed journals, for the press
	signed history // newest checkpoint
}

// loading is what load decided.
type loading struct {
	remove uint16 // firsts of journals that are sealed or were only prepared
	before uint8  // closed journal to write anew
	open   uint8
}

type press struct {
	step  step
	first uint8
	place history
	seal  history
}

type courier struct {
	step   step
	queue  uint16 // firsts, not delivered
	done   uint16 // firsts, delivered
	left   uint16 // firsts on their way from queue to done
	first  uint8  // at work
	head   history
	ready  bool // callers may enter
	probed bool // all stores have answered
}

// step is where one goroutine stands.
type step uint8

// job is what a new journal file is for.
type job uint8

const (
	jobNone job = iota
	jobGenesis
	jobBefore
	jobOpen
	jobMend
	jobNext
	jobRecovered // next, while Open is still at work
)

// violation is what must never be.
type violation uint8

const (
	fine violation = iota
	badLost
	badTwice
	badReplaced
	badRoots
	badRefused
	badFork
	badAfterFork
	badUnprobed
	badFresh
	badDelivery
	badStuck
)

var violations = map[violation]string{
	badLost:      "I1: a record was acknowledged and is not in the history that the log goes on with",
	badTwice:     "I1: a record is in the log more often than its source handed it over",
	badReplaced:  "I2: a position of a store held two different records",
	badRoots:     "I4: one writer signed two roots for one size",
	badRefused:   "I4: a state that nobody touched is refused",
	badFork:      "I4: a log with one writer met another history",
	badAfterFork: "I5: a writer that knew of a fork acknowledged a record",
	badUnprobed:  "I5: a writer acknowledged a record although a store that it could reach had another history",
	badFresh:     "I6: a second history was begun",
	badDelivery:  "I3: what the spool says it holds cannot be read",
	badStuck:     "liveness: without any further fault this state cannot end with everything delivered",
}

// spool is the folder of sealed segments as the process sees it.
func (w *writer) spool() folder { return w.d.spool.now() }

// collect frees journal files that nobody can reach any more.
func (w *writer) collect() { w.d.collect(w.pool.open, w.pool.next, w.pool.made) }

// exit ends the process: memory is gone, the page cache is not.
func (s *world) exit(i int, to phase) {
	w := &s.writers[i]
	w.pool, w.load, w.press, w.post = pool{}, loading{}, press{}, courier{}
	w.phase, w.ahead = to, false
	w.collect()
	for c := range s.callers {
		if s.callers[c].status == taken && int(s.callers[c].at) == i {
			s.callers[c].status, s.callers[c].wait = offering, 0
		}
	}
}
