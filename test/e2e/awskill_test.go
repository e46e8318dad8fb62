package e2e

import (
	"crypto/x509"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"

	"github.com/otelcol-custody/custody/audit/cloudtrail/digest/digesttest"
	"github.com/otelcol-custody/custody/internal/awstest"
)

// An instant is one at which a collector is struck that works off a file.
type instant struct {
	name   string
	events int
	// hooks call strike at the instant; tell sends the message about the file.
	hooks func(a *trail, f *logFile, strike, tell func()) hooks
	// effect is what the call that was struck does nevertheless; nil for none.
	effect func(*trail) bool
}

// instants lie between each two steps of a file's way. At a hook of a server the place is
// exact; where only files show what was done, strike follows within a fraction of a
// millisecond, and the stage that was hit is looked up afterwards.
var instants = []instant{
	{"message taken, its answer lost", 3, func(_ *trail, _ *logFile, strike, tell func()) hooks {
		return hooks{received: func() { tell(); strike() }}
	}, func(a *trail) bool { return a.sqs.Count(trailQueue)[awstest.InFlight] > 0 }},
	{"message received", 3, func(_ *trail, _ *logFile, strike, _ func()) hooks {
		return hooks{asked: func(string) { strike(); panic(http.ErrAbortHandler) }}
	}, nil},
	{"half of the object read", 400, func(a *trail, f *logFile, strike, _ func()) hooks {
		a.s3.Fault(func(c awstest.S3Call) *awstest.S3Fault {
			if c.Number == 1 {
				return &awstest.S3Fault{Cut: 1000}
			}
			strike()
			return nil
		})
		return hooks{}
	}, nil},
	{"object read", 400, func(_ *trail, _ *logFile, strike, _ func()) hooks {
		return hooks{given: func(string) { strike() }}
	}, nil},
	{"one batch of three sealed", 2500, func(a *trail, f *logFile, strike, _ func()) hooks {
		return hooks{given: func(string) { a.awaitJournal(f.id(1000)); strike() }}
	}, nil},
	{"sealed", 30, func(a *trail, f *logFile, strike, _ func()) hooks {
		return hooks{given: func(string) { a.awaitJournal(f.id(29)); strike() }}
	}, nil},
	{"position saved", 30, func(_ *trail, _ *logFile, strike, _ func()) hooks {
		return hooks{deleting: func() error { strike(); return awstest.Unavailable() }}
	}, nil},
	{"message deleted", 30, func(_ *trail, _ *logFile, strike, _ func()) hooks {
		return hooks{deleting: func() error { strike(); return awstest.ErrAnswerLost }}
	}, func(a *trail) bool { return a.left() == 0 }},
}

// awaitJournal waits until a text is in the journal, or was there before anybody saw it.
func (a *trail) awaitJournal(text string) {
	for a.left() > 0 && !a.journalled(text) {
		time.Sleep(50 * time.Microsecond)
	}
}

// A struck collector is one that is struck at instants and started again.
type struck struct {
	*trail
	c      *collector
	blow   func(*collector)
	stages map[string]int
}

func newStruck(t *testing.T, a *trail, blow func(*collector)) *struck {
	t.Helper()
	s := &struck{trail: a, blow: blow, stages: map[string]int{}}
	s.c = a.start(t, a.overlay("max_in_flight: 2"))
	return s
}

// at strikes at an instant, starts the collector again, and waits until the file is done.
// It returns the stage that was hit.
func (s *struck) at(t *testing.T, m instant) string {
	t.Helper()
	f := s.put(t, m.events)
	hit := make(chan struct{})
	strike := sync.OnceFunc(func() { s.blow(s.c); close(hit) })
	tell := sync.OnceFunc(func() { s.tell(f.told) })
	h := m.hooks(s.trail, f, strike, tell)
	s.hook(h)
	if h.received == nil {
		tell()
	}
	select {
	case <-hit:
	case <-time.After(patience):
		t.Fatalf("%s: waited %v in vain for the instant", m.name, patience)
	}
	s.c.exit(t)
	if m.effect != nil {
		eventually(t, "the effect of the call", func() bool { return m.effect(s.trail) })
	}
	s.hook(hooks{})
	s.s3.Fault(nil)

	reads, deleted := s.s3.Gets(trailBucket, f.key), s.left() == 0
	sealed := s.journalled(f.id(m.events-1)) || s.tally(t).copies[f.id(m.events-1)] > 0
	s.sqs.Redeliver(trailQueue, false) // As if the visibility timeout had passed.
	s.c = s.start(t, s.overlay("max_in_flight: 2"))
	s.worked(t)
	stage := stageOf(reads, sealed, s.s3.Gets(trailBucket, f.key) > reads, deleted)
	s.stages[stage]++
	return stage
}

// stages are what a file can have behind it when its collector dies.
var stages = []string{"received", "read", "sealed", "position saved", "deleted"}

// stageOf says what the last of them was. A position was saved if the next collector did
// not read the object again.
func stageOf(reads int, sealed, readAgain, deleted bool) string {
	switch {
	case deleted:
		return stages[4]
	case reads == 0:
		return stages[0]
	case !sealed:
		return stages[1]
	case readAgain:
		return stages[2]
	}
	return stages[3]
}

// Killed between each two steps from the message to its deletion, and started again, the
// collector has lost no event, and what it had to seal again is marked.
func TestTrailKill(t *testing.T) {
	t.Parallel()
	began := time.Now()
	s := newStruck(t, newTrail(t), func(c *collector) { c.kill() })
	rounds := 1 + torture(t)/20
	for _, m := range instants {
		for range rounds {
			t.Logf("%s: hit %s", m.name, s.at(t, m))
		}
	}
	sealed := instants[5]
	for n := 0; s.stages["sealed"] < rounds && n < 20; n++ { // The next step may have been faster.
		s.at(t, sealed)
	}
	s.c.stop(t)
	for _, stage := range stages {
		if s.stages[stage] == 0 {
			t.Errorf("no kill hit the stage %q: %v", stage, s.stages)
		}
	}
	if _, repeated := s.check(t); repeated == 0 {
		t.Error("no event was sealed twice: no kill came between its sealing and its position")
	}
	t.Logf("kills by stage: %v; %v", s.stages, time.Since(began).Round(time.Second))
}

// Stopped at the same instants as an operator stops it, it seals everything once.
func TestTrailStop(t *testing.T) {
	t.Parallel()
	s := newStruck(t, newTrail(t), func(c *collector) { _ = c.cmd.Process.Signal(syscall.SIGTERM) })
	for _, m := range instants {
		last := s.c
		t.Logf("%s: hit %s", m.name, s.at(t, m))
		if code := last.exit(t); code != 0 {
			t.Errorf("%s: exit status %d after SIGTERM", m.name, code)
		}
	}
	s.c.stop(t)
	c, repeated := s.check(t)
	if repeated > 0 {
		t.Errorf("%d events were sealed twice", repeated)
	}
	t.Logf("%d are marked as if they might be", c.marked())
}

// Killed at random, in its start, too, and with many files in hand, among them those of a
// chain of digests: nothing is lost, and every file is proven.
func TestTrailKillAtRandom(t *testing.T) {
	t.Parallel()
	a, dice, kills := newTrail(t), dice(t), torture(t)/2+1
	d := newDigests(t, a)
	for range kills {
		a.some(t, dice)
		d.hour(t, dice.IntN(2) == 0)
		a.killSoon(t, dice)
		a.sqs.Redeliver(trailQueue, dice.IntN(4) == 0) // Deleted ones, too: SQS may.
	}
	c := a.start(t, a.overlay("max_in_flight: 4"))
	a.worked(t)
	c.stop(t)
	got, repeated := a.check(t)
	twice := 0
	for _, object := range d.files {
		if n := got.verified[object]; n == 0 {
			t.Errorf("%s was not proven", object)
		} else if n > 1 {
			twice++
		}
	}
	if delete(got.other, ""); len(got.other) != 1 || got.other["digest-verified"] < kills {
		t.Errorf("of %d digests the log says %v", kills, got.other)
	}
	t.Logf("%d kills, %d events repeated; %d log files proven, %d of them twice; %d digests said to be proven, of %d", kills, repeated, len(d.files), twice, got.other["digest-verified"], kills)
}

// some tells of some files, and of one of them twice.
func (a *trail) some(t *testing.T, dice *rand.Rand) {
	t.Helper()
	var told []string
	for range 2 + dice.IntN(8) {
		told = append(told, a.put(t, 1+dice.IntN(1500)).told)
	}
	a.tell(told...)
	a.tell(told[0], a.put(t, 2000).told)
}

// killSoon runs the collector for a short time, most often with files in hand.
func (a *trail) killSoon(t *testing.T, dice *rand.Rand) {
	t.Helper()
	begun := make(chan struct{})
	begin := sync.OnceFunc(func() { close(begun) })
	a.hook(hooks{asked: func(string) { begin() }})
	c := a.launch(t, a.overlay("max_in_flight: 4"))
	if dice.IntN(5) > 0 { // The others die in their start.
		select {
		case <-begun:
		case <-time.After(patience):
			t.Fatalf("waited %v in vain for an object to be asked for", patience)
		}
	}
	time.Sleep(time.Duration(dice.IntN(200)) * time.Millisecond)
	c.kill()
}

// digests is CloudTrail's chain of digests for files of a trail.
type digests struct {
	*trail
	chain *digesttest.Trail
	files []string // log files that they list
}

func newDigests(t *testing.T, a *trail) *digests {
	t.Helper()
	d := &digests{trail: a, chain: digesttest.NewTrail(t, trailBucket, awstest.Region)}
	d.chain.Now = time.Now().UTC().Add(-time.Hour).Truncate(time.Second)
	a.cloudtrail.AddKeys(types.PublicKey{
		Value: x509.MarshalPKCS1PublicKey(&d.chain.Key.PublicKey), Fingerprint: aws.String(digesttest.Fingerprint(&d.chain.Key.PublicKey)),
		ValidityStartTime: aws.Time(d.chain.Now.Add(-time.Hour)), ValidityEndTime: aws.Time(d.chain.Now.Add(1000 * time.Hour)),
	})
	return d
}

// hour delivers two log files and the digest that lists them, before or after them.
func (d *digests) hour(t *testing.T, before bool) {
	t.Helper()
	one, two := d.chain.Log(10), d.chain.Log(20)
	all := []digesttest.File{one, two, d.chain.Hour(t, one, two)}
	if before {
		all[0], all[2] = all[2], all[0]
	}
	for _, f := range all {
		meta := map[string]string{}
		for k, v := range f.Metadata() {
			meta[strings.TrimPrefix(k, "x-amz-meta-")] = v
		}
		d.tell(d.store(f.Key, f.Gzip(t), meta))
	}
	for _, f := range []digesttest.File{one, two} {
		d.files = append(d.files, f.Object.String())
		d.sent[string(f.Inflated[strings.Index(string(f.Inflated), `"eventID":"`)+len(`"eventID":"`):][:36])] = true
	}
}
