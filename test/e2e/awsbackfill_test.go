package e2e

import (
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// A backfill that is interrupted again and again, by Ctrl-C or for good, goes on where it
// was: nothing is missing, and what had to be sealed again is marked.
func TestBackfillInterrupted(t *testing.T) {
	t.Parallel()
	a, dice := newTrail(t), dice(t)
	for range 200 {
		a.put(t, 1+dice.IntN(200))
	}
	a.put(t, 2500)
	var read atomic.Int64
	a.hook(hooks{given: func(key string) {
		if strings.HasSuffix(key, ".json.gz") {
			read.Add(1)
		}
	}})
	args := append(a.endpoints(collectorBin, "backfill", "aws", "--bucket", trailBucket), a.args(t, a.overlay(""))...)
	for n := range 10 {
		until := read.Load() + int64(3+dice.IntN(10))
		c := launchAs(t, a.home, "/usr/bin/env", args)
		eventually(t, "some objects to be read", func() bool { return read.Load() >= until })
		if time.Sleep(time.Duration(dice.IntN(10)) * time.Millisecond); n%2 == 0 {
			c.kill()
			continue
		}
		c.signal(t, syscall.SIGINT)
		if code := c.exit(t); code != 3 || !strings.Contains(c.log.String(), "run the same command again") {
			t.Errorf("run %d: exit status %d after Ctrl-C:\n%s", n, code, c.log)
		}
	}
	c := launchAs(t, a.home, "/usr/bin/env", args)
	if code := c.exit(t); code != 0 {
		t.Errorf("the last run: exit status %d", code)
	}
	_, repeated := a.check(t)
	t.Logf("10 interruptions, %d reads of %d objects, %d events repeated\n%s", read.Load(), a.files, repeated, tail(c.log.String()))
}
