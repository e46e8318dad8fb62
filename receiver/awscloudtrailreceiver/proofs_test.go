package awscloudtrailreceiver

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"go.opentelemetry.io/collector/consumer/consumererror"

	"github.com/otelcol-custody/custody/audit/cloudtrail/digest/digesttest"
	"github.com/otelcol-custody/custody/internal/awstest"
)

// proofsFixture is a trail whose files lie in the bucket and are told of on the queue.
type proofsFixture struct {
	*awsFixture
	trail *digesttest.Trail
}

func newProofsFixture(t *testing.T) *proofsFixture {
	t.Helper()
	x := &proofsFixture{awsFixture: newAWSFixture(t), trail: digesttest.NewTrail(t, trailBucket, "eu-central-1")}
	x.trail.Now = time.Now().UTC().Add(-time.Hour).Truncate(time.Second)
	since, err := x.trail.Now.Add(-24 * time.Hour).MarshalJSON() // as if it had run since
	if err != nil {
		t.Fatal(err)
	}
	x.store.data[sinceKey] = since
	x.giveKey()
	return x
}

func (x *proofsFixture) giveKey() {
	x.cloudtrail.AddKeys(types.PublicKey{Value: x509.MarshalPKCS1PublicKey(&x.trail.Key.PublicKey), Fingerprint: aws.String(digesttest.Fingerprint(&x.trail.Key.PublicKey)),
		ValidityStartTime: aws.Time(x.trail.Now.Add(-time.Hour)), ValidityEndTime: aws.Time(x.trail.Now.Add(1000 * time.Hour))})
}

// put stores a file, and tells of it on the queue unless it is to be silent.
func (x *proofsFixture) put(t *testing.T, f digesttest.File, silent bool) {
	t.Helper()
	meta := map[string]string{}
	for k, v := range f.Metadata() {
		meta[strings.TrimPrefix(k, "x-amz-meta-")] = v
	}
	version, etag := x.s3.Put(f.Bucket, f.Key, f.Gzip(t), meta)
	if !silent {
		x.sqs.Send(queueName, created(f.Key, version, etag))
	}
}

// tick has the proofs of a running receiver look after what is due at a time from now.
func tick(t *testing.T, r *cloudTrail, later time.Duration) {
	t.Helper()
	p := r.sources[0].(*proofs)
	if err := p.asked.take(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.now = func() time.Time { return time.Now().Add(later) }
	p.asked.free()
	if err := p.tick(context.Background()); err != nil {
		t.Fatal(err)
	}
}

// outcomes are "reason object" of the records of one event name, sorted.
func (x *proofsFixture) outcomes(t *testing.T, name string) (list []string) {
	t.Helper()
	for _, body := range x.next.own(name) {
		var b outcomeBody
		if err := json.Unmarshal([]byte(body), &b); err != nil {
			t.Fatal(err)
		}
		if b.Reason != "" {
			list = append(list, string(b.Reason)+" "+b.Object)
		}
	}
	slices.Sort(list)
	return list
}

func TestDigestsAreCheckedAsTheyArrive(t *testing.T) {
	x := newProofsFixture(t)
	one, two := x.trail.Log(10), x.trail.Log(20)
	d := x.trail.Hour(t, one, two)
	x.put(t, one, false)
	x.put(t, d, false) // before the second log file
	r := x.start(t)
	x.worked(t)
	x.put(t, two, false)
	x.worked(t)
	sameSet(t, "verified", x.outcomes(t, "audit.source.verified"),
		[]string{"digest-verified " + d.Object.String(), "log-verified " + one.Object.String(), "log-verified " + two.Object.String()})
	tick(t, r, 30*time.Minute)
	if got := append(x.outcomes(t, "audit.source.failed"), x.outcomes(t, "audit.source.gap")...); len(got) != 0 {
		t.Errorf("found %q", got)
	}
	keys := x.next.own("audit.source.key")
	if len(keys) != 1 || !strings.Contains(keys[0], digesttest.Fingerprint(&x.trail.Key.PublicKey)) {
		t.Errorf("archived keys %q", keys)
	}
	// The digest itself is sealed, with its signature.
	i := slices.IndexFunc(x.next.bodies(), func(body string) bool { return body == string(d.Inflated) })
	if i < 0 {
		t.Fatal("the digest was not delivered")
	}
	attrs := x.next.records[i].Attributes().AsRaw()
	if attrs[attrSignature] != d.Signature || attrs[attrSignatureAlgorithm] != "SHA256withRSA" || attrs[attrVerified] != nil {
		t.Errorf("attributes of the digest %v", attrs)
	}
}

func TestAnAlteredLogFileIsNamed(t *testing.T) {
	x := newProofsFixture(t)
	l := x.trail.Log(10)
	d := x.trail.Hour(t, l)
	l.Inflated = []byte(strings.Replace(string(l.Inflated), "1.11", "1.10", 1))
	x.put(t, l, false)
	x.put(t, d, false)
	x.start(t)
	x.worked(t)
	sameSet(t, "failed", x.outcomes(t, "audit.source.failed"), []string{"log-hash " + l.Object.String()})
	_, err := x.host.status()
	if err == nil || !strings.Contains(err.Error(), "not what CloudTrail delivered") {
		t.Errorf("status: %v", err)
	}
}

// A log file of which nobody was told is fetched; one that is gone is a gap.
func TestWhatDigestsListIsFetched(t *testing.T) {
	x := newProofsFixture(t)
	silent, gone := x.trail.Log(10), x.trail.Log(20)
	x.put(t, silent, true)
	x.put(t, x.trail.Hour(t, silent, gone), false)
	r := x.start(t)
	x.worked(t)
	tick(t, r, 20*time.Minute)
	if got := x.outcomes(t, "audit.source.verified"); !slices.Contains(got, "log-verified "+silent.Object.String()) {
		t.Errorf("verified %q", got)
	}
	if got := x.next.eventBodies(); !slices.ContainsFunc(got, func(b string) bool { return strings.Contains(string(silent.Inflated), b) }) {
		t.Errorf("its events were not delivered: %q", got)
	}
	tick(t, r, 2*time.Hour)
	if got := x.outcomes(t, "audit.source.gap"); !slices.Contains(got, "log-missing "+gone.Object.String()) {
		t.Errorf("gaps %q", got)
	}
}

// What is known outlives the process: a file is not proven twice, and one that waits for
// its digest is not forgotten.
func TestProofsOutliveARestart(t *testing.T) {
	x := newProofsFixture(t)
	l := x.trail.Log(10)
	x.put(t, l, false)
	first := x.start(t)
	x.worked(t)
	shutdown(t, first)
	before := x.next
	x.next = &pipeline{}
	d := x.trail.Hour(t, l)
	x.put(t, d, false)
	second := x.start(t)
	x.worked(t)
	sameSet(t, "verified", x.outcomes(t, "audit.source.verified"), []string{"digest-verified " + d.Object.String(), "log-verified " + l.Object.String()})
	shutdown(t, second)
	x.next = &pipeline{}
	third := x.start(t)
	x.sqs.Redeliver(queueName, true)
	x.worked(t)
	tick(t, third, time.Minute)
	if got := append(x.next.bodies(), before.own("audit.source.verified")...); len(got) != 0 {
		t.Errorf("again: %q", got)
	}
}

// Digests are held while the keys cannot be had, and judged when they can.
func TestKeysMayComeLater(t *testing.T) {
	x := newProofsFixture(t)
	x.cloudtrail.SetFault(func(c awstest.Call) error { return awstest.AccessDenied() })
	d := x.trail.Hour(t)
	x.put(t, d, false)
	r := x.start(t)
	x.worked(t)
	if _, err := x.host.status(); err == nil || !strings.Contains(err.Error(), "cloudtrail:ListPublicKeys") {
		t.Errorf("status: %v", err)
	}
	if got := x.outcomes(t, "audit.source.verified"); len(got) != 0 {
		t.Errorf("verified without a key: %q", got)
	}
	x.cloudtrail.SetFault(nil)
	r.sources[0].(*proofs).keys.forgetAsked()
	tick(t, r, time.Minute)
	sameSet(t, "verified", x.outcomes(t, "audit.source.verified"), []string{"digest-verified " + d.Object.String()})
	if status, err := x.host.status(); err != nil {
		t.Errorf("status %v: %v", status, err)
	}
}

func (k *keyring) forgetAsked() {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, w := range k.wanted {
		w.asked = time.Time{}
	}
}

// Keys of the operator's own file are used without asking AWS.
func TestKeysFromAFile(t *testing.T) {
	x := newProofsFixture(t)
	file := filepath.Join(t.TempDir(), "keys.json")
	if err := os.WriteFile(file, digesttest.KeyList(t, x.trail.Key), 0o600); err != nil {
		t.Fatal(err)
	}
	x.yaml = "digests: {keys_file: " + file + "}"
	d := x.trail.Hour(t)
	x.put(t, d, false)
	x.start(t)
	x.worked(t)
	until(t, "the digest is verified", func() bool { return len(x.outcomes(t, "audit.source.verified")) == 1 })
	if calls := x.cloudtrail.Calls(); len(calls) != 0 {
		t.Errorf("asked %v", calls)
	}
}

// A digest whose log file must not be read says so as a gap of the log file.
func TestDeniedFetchIsTried(t *testing.T) {
	x := newProofsFixture(t)
	l := x.trail.Log(10)
	x.put(t, l, true)
	x.put(t, x.trail.Hour(t, l), false)
	x.s3.Fault(func(c awstest.S3Call) *awstest.S3Fault {
		if c.Key == l.Key {
			return &awstest.S3Fault{Status: http.StatusForbidden, Code: "AccessDenied"}
		}
		return nil
	})
	r := x.start(t)
	x.worked(t)
	tick(t, r, 20*time.Minute)
	tick(t, r, 30*time.Minute)
	if got := x.gaps(t); len(got) != 1 || !strings.HasPrefix(got[0], "the object must not be read") {
		t.Errorf("gaps %q", got)
	}
}

// What the judge found and the pipeline refused for good is found again.
func TestRefusedOutcomesAreNotForgotten(t *testing.T) {
	x := newProofsFixture(t)
	l := x.trail.Log(10)
	d := x.trail.Hour(t, l)
	x.put(t, l, false)
	var refused atomic.Bool
	x.next.refuse = func(name string) error {
		if name == "audit.source.verified" && !refused.Swap(true) {
			return consumererror.NewPermanent(errors.New("not this"))
		}
		return nil
	}
	x.start(t)
	x.worked(t)
	x.put(t, d, false)
	until(t, "the message waits", func() bool { return refused.Load() && countOf(x.sqs, "ChangeMessageVisibility") > 0 })
	x.sqs.Redeliver(queueName, false)
	x.worked(t)
	sameSet(t, "verified", x.outcomes(t, "audit.source.verified"), []string{"digest-verified " + d.Object.String(), "log-verified " + l.Object.String()})
}
