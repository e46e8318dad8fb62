package awscloudtrailreceiver

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"

	"github.com/otelcol-custody/custody/audit"
	parser "github.com/otelcol-custody/custody/audit/cloudtrail"
	"github.com/otelcol-custody/custody/audit/cloudtrail/digest"
	"github.com/otelcol-custody/custody/internal/awsclient"
)

// A keyring gets the public keys with which CloudTrail signs, per region, and remembers
// which are known. It may be used concurrently. Digests whose keys are asked for may be
// forged: nothing that they say makes the demand of others fail, or calls without end.
type keyring struct {
	client *cloudtrail.Client
	file   []foundKey // given by the operator: nothing is asked for then

	asking lock // held while AWS is asked, so that many digests ask once

	mu     sync.Mutex
	known  map[string]bool       // by fingerprint
	wanted map[string]*keyDemand // by region
}

// A keyDemand is what is missing in one region.
type keyDemand struct {
	from, to time.Time
	open     bool      // digests wait
	since    time.Time // when the newest began to
	asked    time.Time
	calls    int   // without a rest between them
	failed   error // what the answer was
}

// Bounds of what is asked for.
const (
	askAgain   = 5 * time.Minute // how long a region is left alone after it was asked
	maxCalls   = 8               // of one region without that rest, for digests of further times
	maxRegions = 64
	giveUp     = 24 * time.Hour // after this no digest of a region is asked for any more
	// margin is how far around the digests' times keys are asked for: a digest is signed
	// when it is delivered.
	margin = 2 * time.Hour
)

// firstDigests is before CloudTrail signed anything.
var firstDigests = time.Date(2015, 1, 1, 0, 0, 0, 0, time.UTC)

// A foundKey is a public key and where it came from.
type foundKey struct {
	key      digest.Key
	region   string
	from, to time.Time // validity, where it is told
	source   string
}

func newKeyring(cfg aws.Config, file string) (*keyring, error) {
	k := &keyring{client: cloudtrail.NewFromConfig(cfg), asking: newLock(), known: map[string]bool{}, wanted: map[string]*keyDemand{}}
	if file == "" {
		return k, nil
	}
	document, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	keys, err := digest.ParseKeys(document)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	for _, key := range keys {
		k.file = append(k.file, foundKey{key: key, source: "file://" + file})
	}
	return k, nil
}

// given are the keys of the operator's file that are not known yet.
func (k *keyring) given() []foundKey {
	k.mu.Lock()
	defer k.mu.Unlock()
	var list []foundKey
	for _, f := range k.file {
		if !k.known[f.key.Fingerprint()] {
			list = append(list, f)
		}
	}
	return list
}

// loaded notes a key of the judge's state.
func (k *keyring) loaded(name string) {
	if fingerprint, ok := strings.CutPrefix(name, "k/"); ok {
		k.mu.Lock()
		defer k.mu.Unlock()
		k.known[fingerprint] = true
	}
}

// keep notes keys that are sealed and known to the judge.
func (k *keyring) keep(list []foundKey) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, f := range list {
		k.known[f.key.Fingerprint()] = true
	}
}

// find returns the keys of a region that are new, if the one that signed d is not known.
func (k *keyring) find(ctx context.Context, region string, d *digest.Digest) ([]foundKey, error) {
	if err := k.asking.take(ctx); err != nil {
		return nil, err
	}
	defer k.asking.free()
	if !k.demand(region, d, time.Now()) {
		return nil, nil
	}
	return k.ask(ctx, region)
}

// demand notes that a digest waits for its key, and reports whether to ask for it now.
func (k *keyring) demand(region string, d *digest.Digest, now time.Time) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.file != nil || k.known[d.Fingerprint] || !regionName.MatchString(region) {
		return false
	}
	w := k.wanted[region]
	if w == nil {
		k.makeRoom()
		w = &keyDemand{}
		k.wanted[region] = w
	}
	from, to := between(d.Start, firstDigests, now), between(d.End, firstDigests, now)
	wider := w.to.IsZero() || from.Before(w.from) || to.After(w.to)
	switch {
	case wider && !w.open:
		w.from, w.to = from, to
	case wider:
		w.from, w.to = between(w.from, firstDigests, from), between(w.to, to, now)
	}
	w.open, w.since = true, now
	return now.Sub(w.asked) >= askAgain || wider && w.calls < maxCalls
}

// between returns the time that is nearest to t and not outside first and last.
func between(t, first, last time.Time) time.Time {
	if t.Before(first) {
		return first
	}
	if t.After(last) {
		return last
	}
	return t
}

// makeRoom forgets the region of which no digest came for longest, if there are too many;
// mu is held.
func (k *keyring) makeRoom() {
	if len(k.wanted) < maxRegions {
		return
	}
	oldest := slices.MinFunc(slices.Collect(maps.Keys(k.wanted)), func(a, b string) int { return k.wanted[a].since.Compare(k.wanted[b].since) })
	delete(k.wanted, oldest)
}

// overdue asks once more for keys that digests wait for. What could be had is returned
// with the errors of other regions.
func (k *keyring) overdue(ctx context.Context) (all []foundKey, err error) {
	if err := k.asking.take(ctx); err != nil {
		return nil, err
	}
	defer k.asking.free()
	for _, region := range k.due(time.Now()) {
		list, failed := k.ask(ctx, region)
		all, err = append(all, list...), errors.Join(err, failed)
	}
	return all, err
}

// due are the regions to ask now. One of which no digest came for a day is given up: its
// digests have been told of.
func (k *keyring) due(now time.Time) (list []string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, region := range slices.Sorted(maps.Keys(k.wanted)) {
		w := k.wanted[region]
		switch {
		case now.Sub(w.since) > giveUp:
			delete(k.wanted, region)
		case w.open && now.Sub(w.asked) >= askAgain:
			list = append(list, region)
		}
	}
	return list
}

// trouble is why keys that digests wait for could not be had, of all regions.
func (k *keyring) trouble() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	var errs []error
	for _, region := range slices.Sorted(maps.Keys(k.wanted)) {
		errs = append(errs, k.wanted[region].failed)
	}
	return errors.Join(errs...)
}

// ask asks AWS for the keys of a region and notes the outcome; asking is held.
func (k *keyring) ask(ctx context.Context, region string) ([]foundKey, error) {
	k.mu.Lock()
	w, now := k.wanted[region], time.Now()
	if w == nil {
		k.mu.Unlock()
		return nil, nil
	}
	if now.Sub(w.asked) >= askAgain {
		w.calls = 0
	}
	w.asked, w.calls = now, w.calls+1
	from, to := w.from.Add(-margin), w.to.Add(margin)
	k.mu.Unlock()

	list, err := k.list(ctx, region, from, to)

	k.mu.Lock()
	defer k.mu.Unlock()
	w.failed = err
	w.open = err != nil
	return slices.DeleteFunc(list, func(f foundKey) bool { return k.known[f.key.Fingerprint()] }), err
}

func (k *keyring) list(ctx context.Context, region string, from, to time.Time) (list []foundKey, err error) {
	pages := cloudtrail.NewListPublicKeysPaginator(k.client, &cloudtrail.ListPublicKeysInput{StartTime: &from, EndTime: &to})
	var unfit error // A key of a kind to come must not keep the others from being used.
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx, func(o *cloudtrail.Options) { o.Region = region })
		if err != nil {
			return nil, awsclient.Explain(err, "list the public keys of "+region, "cloudtrail:ListPublicKeys")
		}
		for _, p := range page.PublicKeyList {
			key, err := digest.NewKey(p.Value, strings.ToLower(aws.ToString(p.Fingerprint)))
			if err != nil {
				unfit = errors.Join(unfit, fmt.Errorf("public key of %s: %w", region, err))
				continue
			}
			list = append(list, foundKey{key, region, aws.ToTime(p.ValidityStartTime), aws.ToTime(p.ValidityEndTime), "cloudtrail://" + region + "/ListPublicKeys"})
		}
	}
	return list, unfit
}

// record archives the key in the log: AWS keeps it for a while only, and without it no
// digest can be checked.
func (f foundKey) record() *audit.Record {
	body, err := json.Marshal(map[string]any{"key": struct {
		Source      string    `json:"source"`
		Region      string    `json:"region,omitempty"`
		Fingerprint string    `json:"fingerprint"`
		Value       string    `json:"value"` // base64 of the DER, as ListPublicKeys gives it
		From        time.Time `json:"validity_start,omitzero"`
		To          time.Time `json:"validity_end,omitzero"`
	}{"cloudtrail", f.region, f.key.Fingerprint(), base64.StdEncoding.EncodeToString(f.key.DER()), f.from, f.to}})
	if err != nil {
		panic("aws_cloudtrail: key cannot be encoded: " + err.Error())
	}
	rec := audit.SourceRecord(audit.EventSourceKey, "aws", body)
	rec.Resource.Product, rec.Resource.Region = parser.Product, f.region
	rec.Attributes = append(rec.Attributes, audit.StringAttr(audit.AttrTargetID, f.key.Fingerprint()))
	return rec
}
