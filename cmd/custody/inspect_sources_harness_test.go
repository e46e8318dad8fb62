package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/cloudtrail"
	"github.com/otelcol-custody/custody/audit/cloudtrail/digest"
	"github.com/otelcol-custody/custody/audit/cloudtrail/digest/digesttest"
	"github.com/otelcol-custody/custody/internal/eventlog"
	"github.com/otelcol-custody/custody/internal/logrecord"
	"github.com/otelcol-custody/custody/ledger/ledgertest"
	"github.com/otelcol-custody/custody/ledger/record"
	"github.com/otelcol-custody/custody/ledger/seal"
	"github.com/otelcol-custody/custody/ledger/segment"
)

// A feed makes records as a receiver of CloudTrail's does.
type feed struct {
	t        *testing.T
	receiver string
	records  []*record.Record
}

func newFeed(t *testing.T) *feed { return &feed{t: t, receiver: "aws_cloudtrail/acme"} }

// add hands a record over as it is sealed, from a source if that is not empty.
func (f *feed) add(rec *audit.Record, from string) {
	f.t.Helper()
	rec.Resource.Product = cloudtrail.Product
	batch := eventlog.NewBatch(f.receiver, eventlog.Limits{Records: 10, Bytes: 1 << 20})
	batch.Add(rec, eventlog.Origin{Source: from, Observed: ledgertest.Began})
	var c logrecord.Converter
	err := c.Each(batch.Take(), func(line []byte, _ logrecord.Info) error {
		sealed, err := record.ParseLine(line)
		f.records = append(f.records, sealed)
		return err
	})
	if err != nil {
		f.t.Fatal(err)
	}
}

func (f *feed) statement(name string, body any, from string, attributes ...audit.Attribute) {
	f.t.Helper()
	b, err := json.Marshal(body)
	if err != nil {
		f.t.Fatal(err)
	}
	rec := audit.SourceRecord(name, "aws", b)
	rec.Attributes = append(rec.Attributes, attributes...)
	f.add(rec, from)
}

// says seals what a judge says of files.
func (f *feed) says(outcomes ...digest.Outcome) {
	f.t.Helper()
	events := map[digest.Kind]string{digest.Verified: audit.EventSourceVerified, digest.Failed: audit.EventSourceFailed, digest.Gap: audit.EventSourceGap}
	for _, o := range outcomes {
		body := map[string]any{"source": "cloudtrail", "kind": o.Kind(), "reason": o.Reason, "sentence": o.Sentence(), "chain": o.Chain}
		put := func(key string, value any, there bool) {
			if there {
				body[key] = value
			}
		}
		put("object", o.Object.String(), o.Object.Key != "")
		put("digest", o.Digest.String(), o.Digest.Key != "")
		put("want", o.Want, o.Want != "")
		put("got", o.Got, o.Got != "")
		put("from", o.From, !o.From.IsZero())
		put("to", o.To, !o.To.IsZero())
		f.statement(events[o.Kind()], body, "")
	}
}

// takes seals events that were taken from a log file.
func (f *feed) takes(file digest.Object, version string, events int, more ...audit.Attribute) {
	f.t.Helper()
	for i := range events {
		rec := &audit.Record{EventName: audit.EventAPIActivity, Time: ledgertest.Began, Body: fmt.Appendf(nil, `{"eventID":"%s-%d"}`, file.Key, i),
			Resource:   audit.Resource{Provider: "aws", AccountID: "111122223333", Region: "us-east-1"}, // The event's; the file's is another.
			Attributes: append([]audit.Attribute{audit.StringAttr(attrVerified, pendingProof)}, more...)}
		f.add(rec, fmt.Sprintf("%s%s#%d", file, version, i))
	}
}

func (f *feed) unread(file, reason string) {
	f.t.Helper()
	f.statement(audit.EventSourceGap, map[string]any{"gap": map[string]any{"file": file, "reason": reason + ": StatusCode: 404"}}, file, audit.StringAttr(attrGapReason, reason))
}

func (f *feed) key(fingerprint, region string) {
	f.t.Helper()
	f.statement(audit.EventSourceKey, map[string]any{"key": map[string]any{"source": "cloudtrail", "region": region, "fingerprint": fingerprint, "value": "AAAA",
		"validity_start": digesttest.Begin.AddDate(0, -1, 0), "validity_end": digesttest.Begin.AddDate(0, 1, 0)}}, "cloudtrail://"+region+"/ListPublicKeys#0")
}

func (f *feed) excluded(file digest.Object, events int, arn string) {
	f.t.Helper()
	f.statement(audit.EventSourceExcluded, map[string]any{"excluded": map[string]any{"file": file.String(), "events": events, "principals": []map[string]any{{"arn": arn, "events": events}}}},
		file.String()+"#9", audit.StringAttr(attrVerified, pendingProof))
}

// chain is a trail of the account in a region, outcome one about a file of it.
func chain(region string) digest.Chain {
	return digest.Chain{Scope: digest.Scope{Account: "111122223333", Region: region}, Trail: "acme", Home: "eu-central-1"}
}

func outcome(reason digest.Reason, o digest.Object) digest.Outcome {
	return digest.Outcome{Reason: reason, Chain: chain("eu-west-1"), Object: o}
}

// logFile and digestFile are files of hours after the trail began.
func logFile(n int) digest.Object {
	at := digesttest.Begin.Add(time.Duration(n) * time.Hour)
	name := digest.LogName{Scope: chain("eu-west-1").Scope, Folder: "CloudTrail", Day: at.Truncate(24 * time.Hour), Minute: at.Truncate(time.Minute), Unique: "Example"}
	return digest.Object{Bucket: "acme-trail", Key: name.String()}
}

func digestFile(n int) digest.Object {
	at := digesttest.Begin.Add(time.Duration(n) * time.Hour)
	name := digest.Name{Chain: chain("eu-west-1"), Day: at.Truncate(24 * time.Hour), End: at}
	return digest.Object{Bucket: "acme-trail", Key: name.String()}
}

// hour is that a digest is verified, which ends so many hours after the trail began.
func hour(n int) digest.Outcome {
	o := outcome(digest.DigestVerified, digestFile(n))
	o.From, o.To = digesttest.Begin.Add(time.Duration(n-1)*time.Hour), digesttest.Begin.Add(time.Duration(n)*time.Hour)
	return o
}

func hash(c string) string { return strings.Repeat(c, 64) }

// sources inspects the log "events", which holds what the feed made.
func (f *fixture) sources(more ...string) {
	f.t.Helper()
	f.run(append([]string{"inspect", f.store, "--log", "events", "--sources"}, more...)...)
}

// numbers are the sources of the log, from the JSON document.
func (f *fixture) numbers() []*sourceView {
	f.t.Helper()
	f.sources("--json")
	var doc struct {
		Logs []struct{ Sources []*sourceView }
	}
	if err := json.Unmarshal([]byte(f.stdout), &doc); err != nil || len(doc.Logs) != 1 {
		f.t.Fatalf("%v: %s%s", err, f.stdout, f.err)
	}
	return doc.Logs[0].Sources
}

// brief is a source in short: what is counted, then what is found, both without what is zero.
func brief(s *sourceView) string {
	var parts []string
	for _, c := range s.Chains {
		for _, n := range []struct {
			name  string
			count int
		}{{"digests", c.Digests}, {"files", c.Files}, {"failed", c.Failed}, {"gaps", c.Gaps}, {"unread", c.Unread}, {"waiting", c.Waiting}} {
			if n.count != 0 {
				parts = append(parts, fmt.Sprintf("%s %d", n.name, n.count))
			}
		}
	}
	for _, f := range s.Findings {
		parts = append(parts, f.Reason)
	}
	return strings.Join(parts, ", ")
}

// twoSegments puts a log of two segments into the store, and returns their seals.
func (f *fixture) twoSegments(first, second []*record.Record, retain time.Time) []*seal.Verified {
	f.t.Helper()
	at := seal.Genesis("events", origin, f.signer.VerifierKey(), [32]byte{2})
	one := f.putSegment(at, segment.Closed{At: ledgertest.Began, Reason: segment.ByAge, RetainUntil: retain}, first...)
	two := f.putSegment(one.Place(), segment.Closed{At: ledgertest.Began.Add(time.Minute), Reason: segment.ByAge}, second...)
	return []*seal.Verified{one, two}
}
