package digest_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	. "github.com/otelcol-custody/custody/audit/cloudtrail/digest"
	"github.com/otelcol-custody/custody/audit/cloudtrail/digest/digesttest"
)

func (c *court) tick(at time.Time) []Outcome {
	c.t.Helper()
	return c.take(c.judge.Tick(at))
}

func hours(n float64) time.Time { return digesttest.Begin.Add(time.Duration(n * float64(time.Hour))) }

// watch is a court that begins with a trail and is restarted before every call.
func watch(t *testing.T, opt Options) (*court, *digesttest.Trail) {
	t.Helper()
	tr := digesttest.NewTrail(t, "acme-trail", "eu-west-1")
	c := newCourt(t, opt, tr.Key)
	c.restart = true
	return c, tr
}

// A log file that a digest lists is waited for, asked for, called missing once, and still
// judged when it comes.
func TestListedLogFileComesLate(t *testing.T) {
	c, tr := watch(t, Options{})
	log := tr.Log(10)
	d := tr.Hour(t, log)
	want(t, c.feed(d), "digest-verified 20260304T110131Z")
	if due := c.judge.Due(d.At.Add(-time.Second)); len(due) != 0 {
		t.Errorf("due at once: %v", due)
	}
	if due := c.judge.Due(d.At); len(due) != 1 || due[0] != (Due{log.Object, d.Object, d.At}) {
		t.Errorf("due: %v", due)
	}
	want(t, c.tick(d.At.Add(59*time.Minute)))
	want(t, c.tick(d.At.Add(time.Hour)), "log-missing Example000000001")
	want(t, c.tick(d.At.Add(90*time.Minute)))
	if due := c.judge.Due(d.At); len(due) != 0 {
		t.Errorf("due after it was given up: %v", due)
	}
	want(t, c.feed(log, log), "log-verified Example000000001")
}

func TestGone(t *testing.T) {
	c, tr := watch(t, Options{})
	first, log := tr.Hour(t), tr.Log(10)
	second := tr.Hour(t, log)
	c.feed(second)
	if due := c.judge.Due(second.At); len(due) != 2 || due[0].Object != log.Object || due[1].Object != first.Object {
		t.Errorf("due: %v", due)
	}
	want(t, c.take(c.judge.Gone(log.Object, second.At)), "log-missing Example000000001")
	want(t, c.take(c.judge.Gone(first.Object, second.At)), "digest-missing 20260304T110131Z")
	want(t, c.take(c.judge.Gone(first.Object, second.At)))
	want(t, c.tick(second.At.Add(time.Hour)))
	want(t, c.feed(first), "digest-verified 20260304T110131Z")
	if len(c.judge.Due(hours(99))) != 0 {
		t.Error("something is due")
	}
}

// The alarm that no more digests come is given once for each end, and the chain goes on.
func TestOverdue(t *testing.T) {
	c, tr := watch(t, Options{Late: 30 * time.Minute})
	c.feed(tr.Hour(t))
	want(t, c.tick(hours(2.49)))
	want(t, c.tick(hours(2.5)), "digest-overdue 111122223333/eu-west-1 trail acme of eu-central-1")
	want(t, c.tick(hours(9)))
	want(t, c.feed(tr.Hour(t)), "digest-verified 20260304T120131Z")
	want(t, c.tick(hours(3.4)))
	want(t, c.tick(hours(3.5)), "digest-overdue 111122223333/eu-west-1 trail acme of eu-central-1")
	tr.Restart(24 * time.Hour)
	want(t, c.feed(tr.Hour(t)), "digest-verified 20260305T130131Z")
	want(t, c.tick(hours(28)), "chain-restarted 20260305T130131Z")
}

func TestUnlisted(t *testing.T) {
	c, tr := watch(t, Options{Unlisted: 3 * time.Hour})
	c.feed(tr.Hour(t))
	forged, late := tr.Log(10), tr.Log(20)
	c.feed(forged, late)
	for range 3 {
		c.feed(tr.Hour(t))
	}
	want(t, c.tick(tr.Now))
	c.feed(tr.Late(t, late))
	c.feed(tr.Hour(t))
	want(t, c.tick(tr.Now), "log-unlisted Example000000001")
	want(t, c.tick(tr.Now.Add(time.Minute)))
	// A backfill digest that comes later still clears it.
	want(t, c.feed(tr.Late(t, forged)), "digest-verified backfill", "log-verified Example000000001")
}

func TestNoDigests(t *testing.T) {
	c, tr := watch(t, Options{})
	c.feed(tr.Log(0))
	want(t, c.tick(hours(2.9)))
	want(t, c.tick(hours(3)), "no-digests 111122223333/eu-west-1")
	want(t, c.tick(hours(4)))
}

// Keys that come after the digests: nothing is said before the grace is over, and all is
// judged when they come.
func TestKeysComeLater(t *testing.T) {
	c, tr := watch(t, Options{})
	key := tr.Key
	tr.Key = digesttest.PrivateKey(t, "next", 2048)
	log := tr.Log(10)
	d := tr.Hour(t, log)
	want(t, c.feed(log, d))
	want(t, c.tick(d.At.Add(time.Minute)))
	want(t, c.tick(d.At.Add(time.Hour)), "key-unknown 20260304T110131Z")
	c.keys(tr.Key)
	want(t, c.said[1:], "digest-verified 20260304T110131Z", "log-verified Example000000001")
	tr.Key = key
	want(t, c.feed(tr.Hour(t)), "digest-verified 20260304T120131Z")
	if n := len(verdicts(c.said)); n != 1 {
		t.Errorf("%d findings: %v", n, briefs(c.said))
	}
}

// Who begins to watch a trail in its middle asks for nothing older.
func TestStart(t *testing.T) {
	c, tr := watch(t, Options{Start: hours(2)})
	tr.Hour(t)
	tr.Hour(t)
	old := tr.Log(-70)
	ours, lost := tr.Log(10), tr.Log(20)
	d := tr.Hour(t, old, ours, lost)
	want(t, c.feed(d, ours), "digest-verified 20260304T130131Z", "log-verified Example000000002")
	if due := c.judge.Due(d.At); len(due) != 1 || due[0].Object != lost.Object {
		t.Errorf("due: %v", due)
	}
	want(t, c.tick(hours(4.2)), "log-missing Example000000003")
	want(t, c.feed(old), "log-verified Example000000001")
	c.feed(tr.Log(-600))
	c.feed(tr.Hour(t))
	want(t, c.tick(hours(4.3)))
	want(t, c.take(c.judge.Finish(time.Time{})))
}

// A digest whose signature was wrong, or missing, when it first came.
func TestSignatureComesLater(t *testing.T) {
	c, tr := watch(t, Options{})
	log := tr.Log(10)
	d := tr.Hour(t, log)
	bare, wrong := d, d
	bare.Signature, wrong.Signature = "", "00ff"
	want(t, c.feed(log, bare))
	want(t, c.feed(wrong, wrong, bare), "digest-signature 20260304T110131Z")
	want(t, c.feed(d, wrong, bare, d), "digest-verified 20260304T110131Z", "log-verified Example000000001")
}

// Whoever overwrites a digest is named, once, and does not take away what is known of the
// genuine one.
func TestOverwrittenDigest(t *testing.T) {
	c, tr := watch(t, Options{})
	key := tr.Key
	log := tr.Log(10)
	d := tr.Hour(t, log)
	forged, strange, bare := d, d, d
	body(&forged)
	tr.Now = digesttest.Begin
	delete(tr.Newest, false)
	tr.Key = digesttest.PrivateKey(t, "next", 2048)
	strange = tr.Hour(t)
	bare.Inflated, bare.Signature = append([]byte(" "), d.Inflated...), ""
	waits := newCourt(t, Options{}) // Its keys come later.
	waits.restart = true
	want(t, waits.feed(log, d))
	want(t, waits.feed(strange, bare, strange, bare), "key-unknown 20260304T110131Z", "digest-unsigned 20260304T110131Z")
	waits.said = nil
	waits.keys(key)
	want(t, waits.said, "digest-verified 20260304T110131Z", "log-verified Example000000001")

	want(t, c.feed(log, d), "digest-verified 20260304T110131Z", "log-verified Example000000001")
	want(t, c.feed(forged, strange, bare, forged, d, strange, bare, d),
		"digest-signature 20260304T110131Z", "key-unknown 20260304T110131Z", "digest-unsigned 20260304T110131Z")
}

func TestTwoDigestsDiffer(t *testing.T) {
	c, tr := watch(t, Options{})
	log := tr.Log(10)
	c.feed(log, tr.Hour(t, log))
	log.Inflated = []byte("{}")
	late := tr.Late(t, log)
	got := c.feed(late)
	want(t, got, "digest-verified backfill", "log-hash Example000000001")
	if o := got[1]; o.Want != Hash(log.Inflated) || o.Digest != late.Object || !strings.Contains(o.Sentence(), "another digest, s3://acme-trail/") {
		t.Errorf("%+v", o)
	}
}

// Backfill digests come when they come: none is overdue, and none covers its time.
func TestBackfillIsNoCover(t *testing.T) {
	c, tr := watch(t, Options{Unlisted: 3 * time.Hour})
	c.feed(tr.Hour(t))
	tr.Restart(3 * time.Hour)
	late := tr.Log(-10)
	c.feed(late, tr.Log(-50), tr.Late(t, late))
	tr.Restart(time.Hour)
	c.feed(tr.Late(t))
	for range 3 {
		c.feed(tr.Hour(t))
	}
	want(t, c.tick(tr.Now.Add(30*time.Minute)), "chain-restarted 20260304T160131Z", "log-uncovered Example000000002")
	want(t, c.tick(tr.Now.Add(99*time.Hour)), "digest-overdue 111122223333/eu-west-1 trail acme of eu-central-1")
}

// A digest that lists what was forgotten says so, and one that was forgotten and comes
// again changes nothing.
func TestForgottenBackfill(t *testing.T) {
	c, tr := watch(t, Options{Remember: 24 * time.Hour})
	log := tr.Log(10)
	first := tr.Hour(t, log)
	late := tr.Late(t, log)
	c.feed(log, first, late)
	for range 60 {
		c.feed(tr.Hour(t))
		c.tick(tr.Now)
	}
	want(t, verdicts(c.said))
	late.At = tr.Now
	want(t, c.feed(late), "digest-verified backfill")
	tr.Newest[true] = &late
	again := tr.Late(t, log)
	again.At = tr.Now
	want(t, c.feed(again), "digest-verified backfill", "forgotten Example000000001")
}

func TestInventedAccounts(t *testing.T) {
	c, tr := watch(t, Options{})
	c.restart = false
	for i := range 10050 {
		tr.Account = fmt.Sprintf("%012d", i)
		c.feed(tr.Log(0))
	}
	if n := len(c.tick(hours(9))); n != 10000 {
		t.Errorf("%d scopes are known to have no digests", n)
	}
}

// What is remembered is forgotten in time, and nobody is accused because of it.
func TestForget(t *testing.T) {
	c, tr := watch(t, Options{Remember: 48 * time.Hour})
	log := tr.Log(10)
	list := []digesttest.File{log, tr.Hour(t, log)}
	c.feed(list...)
	most := 0
	for i := range 200 {
		l := tr.Log(5)
		c.feed(l, tr.Hour(t, l))
		if got := c.tick(tr.Now.Add(10 * time.Minute)); len(got) > 0 {
			t.Fatalf("hour %d: %v", i, briefs(got))
		}
		most = max(most, len(c.state))
	}
	if most > 110 {
		t.Errorf("%d values are kept", most)
	}
	// Both come once more, long after.
	for i := range list {
		list[i].At = tr.Now
	}
	got := c.feed(list...)
	for range 30 {
		got = append(got, c.feed(tr.Hour(t))...)
	}
	got = append(got, c.tick(tr.Now)...)
	if bad := verdicts(got); len(bad) != 1 || bad[0].Reason != Forgotten {
		t.Errorf("%v", briefs(bad))
	}
}

// A forged name of the far future does not make the judge forget the present.
func TestForgedMinute(t *testing.T) {
	c, tr := watch(t, Options{Remember: 48 * time.Hour})
	c.feed(tr.Hour(t))
	n, err := ParseLogName(tr.Log(5).Key)
	if err != nil {
		t.Fatal(err)
	}
	n.Minute = hours(1e6)
	c.take(c.judge.Log(Delivery{Object: Object{Bucket: tr.Bucket, Key: n.String()}, Hash: Hash(nil), At: tr.Now}))
	for range 60 {
		c.feed(tr.Hour(t))
		c.tick(tr.Now)
	}
	forged := tr.Log(5)
	c.feed(forged)
	for range 30 {
		c.feed(tr.Hour(t))
		c.tick(tr.Now)
	}
	want(t, verdicts(c.said), "log-not-due Example000000001", "log-unlisted Example000000002")
}

func TestMemoryIsBounded(t *testing.T) {
	c, tr := watch(t, Options{MaxBytes: 10000})
	c.restart = false
	for i := range 200 {
		l := tr.Log(i)
		l.At = l.At.Add(time.Duration(i) * time.Second)
		c.feed(l)
	}
	if n := len(c.state); n > 30 {
		t.Errorf("%d values are kept", n)
	}
	if n := len(c.said); n < 170 || n > 200 || c.said[0].Reason != Forgotten || brief(c.said[0]) != "forgotten Example000000001" {
		t.Errorf("%d are given up, the first is %v", n, c.said[0])
	}
}

func TestLoadRefuses(t *testing.T) {
	for key, value := range map[string]string{"": "", "x": "{}", "q/1": "{}", "c/1": "{", "d/1": "[]", "l/1": "", "k/1": "{}", "s/1": "", "m": ""} {
		if err := NewJudge(Options{}).Load(key, []byte(value)); err == nil {
			t.Errorf("%q: %q is taken", key, value)
		}
	}
}

// TestDetails: an outcome holds the evidence, the right way round.
func TestDetails(t *testing.T) {
	tr := digesttest.NewTrail(t, "acme-trail", "eu-west-1")
	list := bucket(t, tr)
	genuine := list[1]
	body(&list[1])
	c := newCourt(t, Options{}, tr.Key)
	c.feed(without(list, 5)...)
	c.take(c.judge.Finish(time.Time{}))
	bad := verdicts(c.said)
	if len(bad) != 3 {
		t.Fatalf("%v", briefs(bad))
	}
	if o := bad[0]; o.Object != genuine.Object || o.Digest != list[3].Object || o.Want != Hash(genuine.Inflated) || o.Got != Hash(list[1].Inflated) ||
		o.Kind() != Failed || !o.Reason.Contradicts() || o.Chain != tr.Chain {
		t.Errorf("%+v", o)
	}
	if o := bad[1]; o.Object != list[5].Object || o.Digest != list[6].Object || !o.From.Equal(hours(2)) || !o.To.Equal(hours(3)) || o.Want != Hash(list[5].Inflated) ||
		o.Kind() != Gap || !o.Reason.Contradicts() || o.Sentence() != "the digest that the next one names is not there, nothing vouches for what was delivered from 2026-03-04T12:01:31Z to 2026-03-04T13:01:31Z" {
		t.Errorf("%+v: %s", o, o.Sentence())
	}
	if o := bad[2]; o.Reason != LogUncovered || o.Reason.Contradicts() {
		t.Errorf("%+v", o)
	}
}

func BenchmarkJudge(b *testing.B) {
	for _, logs := range []int{0, 12, 100} {
		b.Run(fmt.Sprintf("logs=%d", logs), func(b *testing.B) {
			tr := digesttest.NewTrail(b, "acme-trail", "eu-west-1")
			var hours [][]digesttest.File
			for range 200 {
				var hour []digesttest.File
				for i := range logs {
					hour = append(hour, tr.Log(i%60))
				}
				hours = append(hours, append(hour, tr.Hour(b, hour...)))
			}
			keys := digesttest.KeyList(b, tr.Key)
			n := 0
			b.ReportAllocs()
			for b.Loop() {
				n += judgeAll(b, keys, hours)
			}
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "digests/s")
		})
	}
}

func judgeAll(b *testing.B, document []byte, hours [][]digesttest.File) int {
	b.Helper()
	keys, err := ParseKeys(document)
	if err != nil {
		b.Fatal(err)
	}
	j := NewJudge(Options{})
	j.AddKeys(keys...)
	verified := 0
	for _, hour := range hours {
		for _, f := range hour {
			if !f.Digest {
				j.Log(f.Delivery())
				continue
			}
			if r := j.Digest(f.Arrival()); len(verdicts(r.Outcomes)) > 0 || len(r.Outcomes) != len(hour) {
				b.Fatal(briefs(r.Outcomes))
			}
			verified++
		}
	}
	return verified
}

func BenchmarkVerify(b *testing.B) {
	tr := digesttest.NewTrail(b, "acme-trail", "eu-west-1")
	f := tr.Hour(b)
	keys := keysOf(b, tr.Key)
	d, err := Parse(f.Inflated)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if err := Verify(d, f.Object, f.Inflated, f.Signature, keys); err != nil {
			b.Fatal(err)
		}
	}
}
