package awscloudtrailreceiver

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/otelcol-custody/custody/audit/cloudtrail/digest"
)

// A copy that comes first does not keep the digest in its own place from being believed.
func TestACopiedDigestDoesNotHideTheGenuineOne(t *testing.T) {
	x := newProofsFixture(t)
	d := x.trail.Hour(t)
	moved := d
	moved.Key = strings.Replace(d.Key, "AWSLogs/", "copy/AWSLogs/", 1)
	x.put(t, moved, false)
	x.start(t)
	x.worked(t)
	x.put(t, d, false)
	x.worked(t)
	sameSet(t, "verified", x.outcomes(t, "audit.source.verified"), []string{"digest-verified " + d.Object.String()})
	// And the other way round a copy is nothing new.
	again := d
	again.Key = strings.Replace(d.Key, "AWSLogs/", "backup/AWSLogs/", 1)
	x.put(t, again, false)
	x.worked(t)
	sameSet(t, "failed", x.outcomes(t, "audit.source.failed"), []string{"digest-moved " + moved.Object.String()})
}

// What a digest proves may be refused: its own record is not sealed again for that.
func TestAFileIsNotSealedAgainBecauseOfItsProof(t *testing.T) {
	x := newProofsFixture(t)
	l := x.trail.Log(10)
	x.put(t, l, false)
	x.put(t, x.trail.Hour(t, l), false)
	r := x.start(t)
	p := r.sources[0].(*proofs)
	x.worked(t)
	var fails atomic.Int32
	if err := p.asked.take(t.Context()); err != nil {
		t.Fatal(err)
	}
	renew := p.renew
	p.ahead = true // as after a refusal
	p.renew = func(ctx context.Context) (*digest.Judge, error) {
		if fails.Add(1) < 6 {
			return nil, errors.New("storage: cannot be read")
		}
		return renew(ctx)
	}
	p.asked.free()
	more := x.trail.Log(10)
	x.put(t, more, false)
	x.worked(t)
	seen := map[string]int{}
	for _, body := range x.next.eventBodies() {
		seen[body]++
	}
	for body, n := range seen {
		if n > 1 {
			t.Errorf("sealed %d times: %.80s", n, body)
		}
	}
}

// Shutdown does not wait for a pipeline that refuses, whoever is in its way.
func TestShutdownWhileThePipelineRefusesProofs(t *testing.T) {
	x := newProofsFixture(t)
	var refused atomic.Bool
	x.next.refuse = func(name string) error {
		if name == "audit.source.verified" {
			refused.Store(true)
			return errors.New("the spool is full")
		}
		return nil
	}
	x.put(t, x.trail.Hour(t), false)
	r := x.start(t)
	until(t, "an outcome is refused", refused.Load)
	p := r.sources[0].(*proofs)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- p.tick(ctx) }() // waits for the worker that is refused
	time.Sleep(20 * time.Millisecond)
	stop()
	select {
	case err := <-ended:
		if !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Error("it waits for who waits for it")
	}
}

// A forged digest that speaks of all times does not make the question one that AWS refuses.
func TestForgedTimesDoNotSpoilTheSearchForKeys(t *testing.T) {
	k := &keyring{asking: newLock(), known: map[string]bool{}, wanted: map[string]*keyDemand{}}
	now := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	genuine := &digest.Digest{Start: now.Add(-2 * time.Hour), End: now.Add(-time.Hour), Fingerprint: "g"}
	for _, forged := range []*digest.Digest{
		{Start: time.Time{}, End: now.AddDate(900, 0, 0), Fingerprint: "f"},
		{Start: now.AddDate(900, 0, 0), End: now.AddDate(901, 0, 0), Fingerprint: "f"},
		{Start: time.Time{}, End: time.Time{}, Fingerprint: "f"},
	} {
		for _, order := range [][]*digest.Digest{{forged, genuine}, {genuine, forged}} {
			clear(k.wanted)
			for _, d := range order {
				k.demand("eu-central-1", d, now)
			}
			w := k.wanted["eu-central-1"]
			if w.from.Before(firstDigests) || w.to.After(now) || w.from.After(genuine.Start) || w.to.Before(genuine.End) {
				t.Errorf("forged %v to %v: asks from %v to %v", forged.Start, forged.End, w.from, w.to)
			}
		}
	}
}

func TestKeysAreNotAskedForWithoutEnd(t *testing.T) {
	k := &keyring{asking: newLock(), known: map[string]bool{}, wanted: map[string]*keyDemand{}}
	now := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	asks := 0
	for n := range 100 {
		end := now.Add(-time.Duration(n) * time.Hour)
		if k.demand("eu-central-1", &digest.Digest{Start: end.Add(-time.Hour), End: end, Fingerprint: fmt.Sprint(n)}, now) {
			asks++
			k.wanted["eu-central-1"].asked = now
			k.wanted["eu-central-1"].calls++
		}
	}
	if asks != maxCalls {
		t.Errorf("asked %d times at once, want %d", asks, maxCalls)
	}
	for n := range 3 * maxRegions {
		k.demand(fmt.Sprintf("xx-none-%d", n), &digest.Digest{Start: now, End: now, Fingerprint: "f"}, now.Add(time.Duration(n)))
	}
	if k.demand("evil.example/", &digest.Digest{Start: now, End: now, Fingerprint: "f"}, now) || len(k.wanted) != maxRegions {
		t.Errorf("%d regions", len(k.wanted))
	}
	if list := k.due(now.Add(giveUp + time.Minute)); len(list) != 0 || len(k.wanted) != 0 {
		t.Errorf("after a day %d regions are asked still", len(list))
	}
}

// However short the wait, a file is fetched before it is called missing.
func TestFetchedBeforeItIsCalledMissing(t *testing.T) {
	x := newProofsFixture(t)
	x.yaml = "digests: {late: 4m}"
	l := x.trail.Log(10)
	x.put(t, l, true)
	x.put(t, x.trail.Hour(t, l), false)
	r := x.start(t)
	x.worked(t)
	tick(t, r, 5*time.Minute)
	if got := x.outcomes(t, "audit.source.verified"); !slices.Contains(got, "log-verified "+l.Object.String()) {
		t.Errorf("verified %q, gaps %q", got, x.outcomes(t, "audit.source.gap"))
	}
}

// A message that names a digest or version that was never written makes nothing of
// CloudTrail's missing.
func TestMessagesCallNothingMissing(t *testing.T) {
	x := newProofsFixture(t)
	l := x.trail.Log(10)
	d := x.trail.Hour(t, l)
	later := x.trail.Hour(t)
	x.put(t, d, false)
	x.put(t, l, true)
	x.sqs.Send(queueName, created(l.Key, "v9", "bogus"), created(later.Key, "v9", "bogus"),
		fmt.Sprintf(`{"s3Bucket":%q,"s3ObjectKey":[%q]}`, trailBucket, later.Key))
	x.start(t)
	x.worked(t)
	for _, name := range []string{"audit.source.failed", "audit.source.gap"} {
		if got := x.outcomes(t, name); len(got) != 0 {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// One key that cannot be used keeps no other from being used.
func TestAnUnfitKeyIsPassedOver(t *testing.T) {
	x := newProofsFixture(t)
	x.cloudtrail.AddKeys(types.PublicKey{Value: []byte("of another kind"), Fingerprint: aws.String(""),
		ValidityStartTime: aws.Time(x.trail.Now.Add(-time.Hour)), ValidityEndTime: aws.Time(x.trail.Now.Add(time.Hour))})
	d := x.trail.Hour(t)
	x.put(t, d, false)
	x.start(t)
	x.worked(t)
	sameSet(t, "verified", x.outcomes(t, "audit.source.verified"), []string{"digest-verified " + d.Object.String()})
}
