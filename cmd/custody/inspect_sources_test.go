package main

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/cloudtrail/digest"
	"github.com/otelcol-custody/custody/audit/cloudtrail/digest/digesttest"
	"github.com/otelcol-custody/custody/ledger/ledgertest"
	"github.com/otelcol-custody/custody/ledger/record"
)

// story is what a receiver says on a bad day.
func story(t *testing.T) *feed {
	f := newFeed(t)
	f.key("0123456789abcdef0123456789abcdef", "eu-west-1")
	f.takes(logFile(1), "", 3)
	f.takes(logFile(2), "?versionId=v%2B1", 1)
	f.takes(logFile(9), "", 2)
	altered := outcome(digest.LogHash, logFile(2))
	altered.Digest, altered.Want, altered.Got = digestFile(2), hash("a"), hash("b")
	f.says(hour(1), hour(2), outcome(digest.LogVerified, logFile(1)), altered)
	f.excluded(logFile(1), 12, "arn:aws:iam::111122223333:role/custody-read")
	missing := outcome(digest.LogMissing, logFile(3))
	missing.Digest, missing.Want = digestFile(3), hash("c")
	f.says(hour(3), missing)
	f.unread("s3://acme-trail/"+logFile(4).Key, "the object does not exist any more")
	late := digest.Outcome{Reason: digest.DigestOverdue, Chain: chain("eu-west-1"), Digest: digestFile(3), From: hour(3).To}
	f.says(late, digest.Outcome{Reason: digest.NoDigests, Chain: digest.Chain{Scope: digest.Scope{Org: "o-example1", Account: "444455556666", Region: "us-east-1"}}, From: digesttest.Begin, To: hour(4).To})
	f.receiver = "aws_cloudtrail/evil\n\x1b[2J"
	f.says(hour(1))
	return f
}

func TestSources(t *testing.T) {
	f := newFixture(t)
	f.putRecords("events", story(t).records...)
	f.sources()
	f.want(exitVerified)
	f.golden("inspect-sources.txt", f.stdout)
	f.sources("--json")
	f.want(exitVerified)
	f.golden("inspect-sources.json", f.stdout)
	if !strings.Contains(f.stdout, `"signatures_checked": false`) {
		t.Error("a signature is said to be checked")
	}
	f.sources("--key", f.key)
	f.want(exitVerified, "each segment against its seal; whether anything is missing, custody verify says")

	// What is listed can be proven.
	failed := f.numbers()[0].Findings[0]
	f.run("prove", f.store, "--log", "events", "--index", fmt.Sprint(failed.Record), "--out", f.path("p"), "--key", f.key)
	f.want(exitVerified)
	f.run("check-proof", f.path("p"), "--key", f.key)
	f.want(exitVerified, failed.Sentence)
}

// Without the flag nothing is read, and nothing said.
func TestNoSources(t *testing.T) {
	f := newFixture(t)
	f.run("inspect", f.store, "--sources")
	f.want(exitVerified, "    none: no record says anything of proofs")
	f.run("inspect", f.store, "--sources", "--json")
	f.want(exitVerified, `"sources": []`)
	f.run("inspect", f.store, "--json")
	f.want(exitVerified)
	if strings.Contains(f.stdout, "sources") {
		t.Errorf("sources that nobody asked for:\n%s", f.stdout)
	}
	f.remove(f.seal(0), f.seal(1), f.seal(2))
	f.run("inspect", f.store, "--sources", "--json")
	f.want(exitUnfinished, `"sources": []`, "no seal yet")

	f = newFixture(t)
	feed := newFeed(t)
	feed.add(&audit.Record{EventName: audit.EventAPIActivity, Body: []byte(`{}`), Resource: audit.Resource{Provider: "aws"}}, "file:///var/log/trail.json#0")
	f.putRecords("events", feed.records...)
	f.sources()
	f.want(exitVerified, "    none: no record says")
}

// The last word about a file counts, but what stood against a signature stays.
func TestSourcesSupersede(t *testing.T) {
	is := func(r digest.Reason, n int) digest.Outcome { return outcome(r, logFile(n)) }
	other := func(o digest.Outcome, got string) digest.Outcome { o.Got = got; return o }
	gap := digest.Outcome{Reason: digest.ChainGap, Chain: chain("eu-west-1"), Object: digestFile(3), From: hour(1).To, To: hour(2).To}
	restarted := gap
	restarted.Reason = digest.ChainRestarted
	overdue := digest.Outcome{Reason: digest.DigestOverdue, Chain: chain("eu-west-1"), From: hour(2).To}
	none := digest.Outcome{Reason: digest.NoDigests, Chain: digest.Chain{Scope: chain("eu-west-1").Scope}, From: hour(2).To}
	more := none
	more.To = hour(9).To
	backfill := hour(1)
	backfill.Chain.Backfill, backfill.Object.Key = true, strings.Replace(backfill.Object.Key, ".json.gz", "_backfill.json.gz", 1)
	for name, c := range map[string]struct {
		said []digest.Outcome
		want string
	}{
		"came late":                 {[]digest.Outcome{is(digest.LogMissing, 1), is(digest.LogVerified, 1)}, "files 1"},
		"listed late":               {[]digest.Outcome{is(digest.LogUnlisted, 1), is(digest.LogVerified, 1)}, "files 1"},
		"uncovered, then listed":    {[]digest.Outcome{is(digest.LogUncovered, 1), is(digest.LogVerified, 1)}, "files 1"},
		"key came late":             {[]digest.Outcome{outcome(digest.KeyUnknown, digestFile(1)), hour(1)}, "digests 1"},
		"signature came late":       {[]digest.Outcome{outcome(digest.DigestUnsigned, digestFile(1)), hour(1)}, "digests 1"},
		"digest came late":          {[]digest.Outcome{outcome(digest.DigestMissing, digestFile(1)), hour(1)}, "digests 1"},
		"one gap, then another":     {[]digest.Outcome{is(digest.LogNotDue, 1), is(digest.LogUncovered, 1)}, "gaps 1, log-uncovered"},
		"gap, then altered":         {[]digest.Outcome{is(digest.LogMissing, 1), is(digest.LogHash, 1)}, "failed 1, log-hash"},
		"verified, then gone":       {[]digest.Outcome{is(digest.LogVerified, 1), is(digest.LogMissing, 1)}, "gaps 1, log-missing"},
		"genuine, then altered":     {[]digest.Outcome{is(digest.LogVerified, 1), is(digest.LogHash, 1)}, "failed 1, log-hash"},
		"altered, then genuine":     {[]digest.Outcome{is(digest.LogHash, 1), is(digest.LogVerified, 1)}, "failed 1, log-hash"},
		"altered, then a gap":       {[]digest.Outcome{is(digest.LogHash, 1), is(digest.LogUncovered, 1)}, "failed 1, log-hash, log-uncovered"},
		"altered twice":             {[]digest.Outcome{other(is(digest.LogHash, 1), "a"), other(is(digest.LogHash, 1), "b")}, "failed 1, log-hash, log-hash"},
		"forged digest, then real":  {[]digest.Outcome{outcome(digest.DigestSignature, digestFile(1)), hour(1)}, "failed 1, digest-signature"},
		"says the one before lies":  {[]digest.Outcome{hour(1), outcome(digest.PreviousHash, digestFile(1))}, "failed 1, previous-hash"},
		"all twice, after a crash":  {[]digest.Outcome{hour(1), is(digest.LogVerified, 1), is(digest.LogHash, 2), gap, hour(1), is(digest.LogVerified, 1), is(digest.LogHash, 2), gap}, "digests 1, files 1, failed 1, gaps 1, log-hash, chain-gap"},
		"a gap before a digest":     {[]digest.Outcome{gap, hour(3), hour(4)}, "digests 2, gaps 1, chain-gap"},
		"a restart after one":       {[]digest.Outcome{hour(3), restarted, hour(4)}, "digests 2, gaps 1, chain-restarted"},
		"digests go on":             {[]digest.Outcome{hour(2), overdue, hour(3)}, "digests 2"},
		"an older digest comes":     {[]digest.Outcome{hour(2), overdue, hour(1)}, "digests 2, gaps 1, digest-overdue"},
		"digests begin":             {[]digest.Outcome{none, more, hour(3)}, "digests 1"},
		"none, and still none":      {[]digest.Outcome{none, more}, "gaps 1, no-digests"},
		"backfill settles no delay": {[]digest.Outcome{overdue, backfill}, "gaps 1, digests 1, digest-overdue"},
	} {
		t.Run(name, func(t *testing.T) {
			f, feed := newFixture(t), newFeed(t)
			feed.says(c.said...)
			f.putRecords("events", feed.records...)
			if s := f.numbers(); len(s) != 1 || brief(s[0]) != c.want {
				t.Errorf("got %s, want %s", brief(s[0]), c.want)
			}
			f.want(exitVerified)
		})
	}
}

// Files wait from the first record that is taken from them until their outcome; what an
// object could not be read for ends when it is.
func TestSourcesWait(t *testing.T) {
	read := outcome(digest.LogVerified, logFile(1))
	for name, c := range map[string]struct {
		do   func(f *feed)
		want string
	}{
		"taken":             {func(f *feed) { f.takes(logFile(1), "", 3); f.takes(logFile(2), "", 1) }, "waiting 2"},
		"two versions":      {func(f *feed) { f.takes(logFile(1), "?versionId=a", 1); f.takes(logFile(1), "?versionId=b", 1) }, "waiting 1"},
		"between others":    {func(f *feed) { f.takes(logFile(1), "", 1); f.takes(logFile(2), "", 1); f.takes(logFile(1), "", 1) }, "waiting 2"},
		"judged":            {func(f *feed) { f.takes(logFile(1), "?versionId=a", 1); f.says(read) }, "files 1"},
		"repeated":          {func(f *feed) { f.takes(logFile(1), "", 2); f.says(read); f.takes(logFile(1), "", 2) }, "files 1"},
		"missing, then not": {func(f *feed) { f.says(outcome(digest.LogMissing, logFile(1))); f.takes(logFile(1), "", 1) }, "gaps 1, log-missing"},
		"only excluded":     {func(f *feed) { f.excluded(logFile(1), 2, "arn:aws:iam::111122223333:user/a") }, "waiting 1"},
		"no proof to come": {func(f *feed) {
			f.add(&audit.Record{Body: []byte("{}"), Resource: audit.Resource{Provider: "aws"}}, logFile(1).String()+"#0")
			f.says(hour(1))
		}, "digests 1"},
		"denied": {func(f *feed) { f.unread(logFile(1).String(), "the object must not be read") }, "unread 1, the object must not be read"},
		"denied, then another way": {func(f *feed) {
			f.unread(logFile(1).String(), "the object must not be read")
			f.unread(logFile(1).String(), "the object lies in an archive")
		}, "unread 1, the object lies in an archive"},
		"denied, then granted":      {func(f *feed) { f.unread(logFile(1).String(), "no"); f.takes(logFile(1), "?versionId=a", 1) }, "waiting 1"},
		"denied digest, then taken": {func(f *feed) { f.unread(digestFile(1).String(), "no"); f.says(hour(1)) }, "digests 1"},
		"taken, denied, taken": {func(f *feed) {
			f.takes(logFile(1), "", 1)
			f.unread(logFile(1).String(), "no")
			f.takes(logFile(1), "", 1)
		}, "waiting 1"},
		"another version": {func(f *feed) {
			f.unread(logFile(1).String()+"?versionId=a", "gone")
			f.takes(logFile(1), "?versionId=b", 1)
		}, "unread 1, waiting 1, gone"},
		"this version": {func(f *feed) {
			f.unread(logFile(1).String()+"?versionId=a", "no")
			f.takes(logFile(1), "?versionId=a", 1)
		}, "waiting 1"},
		"read in part": {func(f *feed) {
			rec := audit.Quarantine([]byte(`{"gap":{"file":"x"}}`), "aws", fmt.Errorf("unexpected EOF"))
			rec.Attributes = append(rec.Attributes, audit.StringAttr(attrGapReason, "unexpected EOF"), audit.StringAttr(attrVerified, pendingProof))
			f.takes(logFile(1), "", 1)
			f.add(rec, logFile(1).String()+"#1")
			f.add(&audit.Record{Body: []byte("{}"), Resource: audit.Resource{Provider: "aws"}}, logFile(1).String()+"#2")
		}, "unread 1, waiting 1, unexpected EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			f, feed := newFixture(t), newFeed(t)
			c.do(feed)
			f.putRecords("events", feed.records...)
			if s := f.numbers(); len(s) != 1 || brief(s[0]) != c.want {
				t.Errorf("got %s, want %s", brief(s[0]), c.want)
			}
		})
	}
}

// Two receivers that read the same each have their own word.
func TestSourcesOfTwoReceivers(t *testing.T) {
	f, feed := newFixture(t), newFeed(t)
	for _, feed.receiver = range []string{"aws_cloudtrail/b", "aws_cloudtrail/a"} {
		feed.takes(logFile(1), "", 1)
	}
	feed.says(outcome(digest.LogVerified, logFile(1)))
	f.putRecords("events", feed.records...)
	s := f.numbers()
	if len(s) != 2 || s[0].Receiver != "aws_cloudtrail/a" || brief(s[0]) != "files 1" || brief(s[1]) != "waiting 1" {
		t.Errorf("got %s", f.stdout)
	}
}

// What a judge says of a real trail is what is shown, whatever it says.
func TestSourcesOfATrail(t *testing.T) {
	tr := digesttest.NewTrail(t, "acme-trail", "eu-west-1")
	key, err := digest.ParseKeys(digesttest.KeyList(t, tr.Key))
	if err != nil {
		t.Fatal(err)
	}
	first := tr.Hour(t)
	a, b, c, d := tr.Log(10), tr.Log(20), tr.Log(30), tr.Log(40)
	second := tr.Hour(t, a, b, c)
	b.Inflated = append(b.Inflated, ' ')
	late := tr.Late(t, d)
	judge, feed := digest.NewJudge(digest.Options{}), newFeed(t)
	feed.says(judge.AddKeys(key...).Outcomes...)
	for _, file := range []digesttest.File{a, b, d, first, second, late} { // c does not come.
		if file.Digest {
			feed.says(judge.Digest(file.Arrival()).Outcomes...)
			continue
		}
		feed.takes(file.Object, "", 2)
		feed.says(judge.Log(file.Delivery()).Outcomes...)
	}
	feed.says(judge.Tick(late.At.Add(2 * time.Hour)).Outcomes...)
	f := newFixture(t)
	f.putRecords("events", feed.records...)
	s := f.numbers()
	if len(s) != 1 || len(s[0].Chains) != 2 || len(s[0].Waiting) != 0 {
		t.Fatalf("got %s", f.stdout)
	}
	trail, backfill := s[0].Chains[0], s[0].Chains[1]
	if trail.Chain != tr.Chain.String() || trail.Digests != 2 || trail.Files != 1 || trail.Failed != 1 || trail.Gaps != 2 || backfill.Digests != 1 || backfill.Files != 1 {
		t.Errorf("got %s", f.stdout)
	}
	if !trail.From.Equal(digesttest.Begin) || !trail.Until.Equal(tr.Now) {
		t.Errorf("proven %v to %v", trail.From, trail.Until)
	}
	for reason, file := range map[digest.Reason]digest.Object{digest.LogHash: b.Object, digest.LogMissing: c.Object, digest.DigestOverdue: {}} {
		if !slices.ContainsFunc(s[0].Findings, func(f *sourceFinding) bool {
			return f.Reason == string(reason) && (file.Key == "" || f.Object == file.String())
		}) {
			t.Errorf("%s is not said", reason)
		}
	}
}

// The reasons that are treated apart are those that the digests' judge has, and every other
// failure stays.
func TestSourceReasons(t *testing.T) {
	for _, reason := range []digest.Reason{
		digest.DigestMalformed, digest.DigestMoved, digest.DigestSignature, digest.KeyWeak, digest.KeyUnknown, digest.PreviousHash,
		digest.PreviousSignature, digest.LogHash, digest.LogUnlisted, digest.DigestMissing, digest.LogMissing, digest.DigestOverdue, digest.DigestUnsigned,
		digest.NoDigests, digest.ChainRestarted, digest.ChainGap, digest.LogUncovered, digest.LogNotListed, digest.LogNotDue, digest.LogOfOtherKind, digest.Forgotten,
	} {
		f := newFinding(0, reason.Kind() == digest.Failed, &sourceBody{Reason: string(reason), Object: "s3://b/k"})
		settled := reason.Kind() == digest.Gap || reason == digest.KeyUnknown || reason == digest.LogUnlisted
		if f.lasting() == settled || f.ofTime() != (reason == digest.ChainGap || reason == digest.ChainRestarted) {
			t.Errorf("%s: lasting %v, of a time %v", reason, f.lasting(), f.ofTime())
		}
	}
	for _, c := range []digest.Chain{chain("eu-west-1"), chain("eu-central-1"), {Scope: digest.Scope{Org: "o-example1", Account: "1", Region: "r"}, Trail: "t", Home: "h", Backfill: true}} {
		b, err := json.Marshal(c)
		var id chainID
		if err == nil {
			err = json.Unmarshal(b, &id)
		}
		if err != nil || id.String() != c.String() {
			t.Errorf("%s is shown as %s: %v", c, id, err)
		}
	}
}

func TestScopeOfFile(t *testing.T) {
	for name, want := range map[string]chainID{
		logFile(1).String(): {Account: "111122223333", Region: "eu-west-1"},
		"s3://b/a/AWSLogs/AWSLogs/o-1/111122223333/CloudTrail/eu-west-1/2026/03/04/x": {Org: "o-1", Account: "111122223333", Region: "eu-west-1"},
		"s3://b/elsewhere/111122223333/CloudTrail/eu-west-1/2026/03/04/x":             {},
		"111122223333/CloudTrail/eu-west-1/2026/03/04/x":                              {},
		"": {},
	} {
		if got := scopeOfFile(name); got != want {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if got := plainName("s3://b/a?versionId=x/y.json"); got != "s3://b/a?versionId=x/y.json" {
		t.Errorf("a name that only looks like one with a version becomes %s", got)
	}
}

// What cannot be read is a problem; the rest is shown.
func TestSourcesDamaged(t *testing.T) {
	one, two := newFeed(t), newFeed(t)
	one.says(hour(1))
	two.says(hour(2))
	fresh := func(retain time.Time) (*fixture, func(i int) string) {
		f := newFixture(t)
		seals := f.twoSegments(one.records, two.records, retain)
		return f, func(i int) string { return filepath.Join(f.store, "events", seals[i].SegmentName()) }
	}
	f, path := fresh(time.Time{})
	f.flip(path(0))
	if s := f.numbers(); len(s) != 1 || brief(s[0]) != "digests 1" || !s[0].Chains[0].From.Equal(hour(2).From) {
		t.Errorf("got %s", f.stdout)
	}
	f.want(exitUnfinished, "sources: records 0 to 1: ", "is not what was sealed")
	f.sources("--key", f.key)
	f.want(exitTampered, "problem    sources: records 0 to 1: ")
	f.run("inspect", f.store, "--log", "events", "--key", f.key)
	f.want(exitVerified) // Nobody looked.

	f, path = fresh(time.Time{})
	f.remove(path(1))
	f.sources()
	f.want(exitUnfinished, "sources: records 2 to 3: ", "is gone")
	f.sources("--key", f.key)
	f.want(exitTampered)

	f, path = fresh(ledgertest.Began.Add(time.Hour))
	f.remove(path(0))
	f.now = ledgertest.Began.Add(2 * time.Hour)
	f.sources("--key", f.key)
	f.want(exitVerified, "remark   1 segment expired; what was in it is not shown")

	f, _ = fresh(time.Time{})
	for _, i := range []string{"00000000000000000000", "00000000000000000002"} {
		f.write(filepath.Join(f.store, "events/seals", i+".seal"), []byte("junk"))
	}
	f.sources()
	f.want(exitUnfinished, "problem    seal of record 0:", "none: no record")

	f, _ = fresh(time.Time{})
	f.write(filepath.Join(f.store, "events/seals/00000000000000000000.seal"), []byte("junk"))
	f.sources()
	f.want(exitUnfinished, "problem    sources: records from 0 on were not read: ")

	f, _ = fresh(time.Time{})
	ctx, cancel := context.WithCancel(context.Background())
	f.clock = cancel // Called when everything is about to begin.
	f.ctx = ctx
	f.sources()
	f.want(exitUnfinished, "interrupted")
}

// A sealed line that is no record's, which only a key holder can make, names itself.
func TestSourcesBadLine(t *testing.T) {
	f := newFixture(t)
	f.log.Extend(t, [][]byte{[]byte(`{"event_name":"audit.source.failed","time":"x"}`)}, nil)
	f.put(f.store, f.log)
	f.run("inspect", f.store, "--sources", "--key", f.key)
	f.want(exitTampered, "sources: records 10 to 11: ", "record 10: the sealed line cannot be read")
}

// A record with the name of a statement that says something else is told, and is nobody's fault.
func TestSourcesUnclear(t *testing.T) {
	f, feed := newFixture(t), newFeed(t)
	feed.says(hour(1))
	for _, name := range []string{audit.EventSourceVerified, audit.EventSourceFailed, audit.EventSourceGap, audit.EventSourceKey, audit.EventSourceExcluded} {
		feed.statement(name, map[string]any{}, "")
	}
	feed.add(audit.SourceRecord(audit.EventSourceFailed, "aws", []byte("no JSON")), "")
	feed.add(audit.SourceRecord(audit.EventSourceFailed, "aws", []byte{0xff}), "")
	f.putRecords("events", feed.records...)
	f.sources()
	f.want(exitVerified, "remark   7 records with the name of one about a source cannot be read as such; the first one is record 1")
}

// Whatever comes, what is held is bounded, and what is not listed is said.
func TestSourcesMemory(t *testing.T) {
	feed := newFeed(t)
	for i := range 100 {
		feed.takes(logFile(i), "", 1)
	}
	feed.says(outcome(digest.LogVerified, logFile(0)))
	for i := range 50 {
		feed.says(outcome(digest.LogHash, logFile(200+i)))
		feed.says(digest.Outcome{Reason: digest.ChainGap, Chain: chain("eu-west-1"), From: hour(i).From, To: hour(i).To})
		feed.unread(logFile(300+i).String(), "no")
		feed.key(fmt.Sprint(i), "eu-west-1")
		feed.excluded(logFile(400+i), 1, fmt.Sprint("arn", i))
		feed.receiver = fmt.Sprint("other/", i)
		feed.takes(logFile(1), "", 1)
		feed.receiver = "aws_cloudtrail/acme"
	}
	lookAll := func(room int) (*sourceReader, []*sourceView) {
		r := newSourceReader(room, 10)
		for i, rec := range feed.records {
			r.look(uint64(i), rec)
			if r.room < 0 || r.room > room {
				t.Fatalf("record %d: room for %d bytes of %d", i, r.room, room)
			}
		}
		return r, r.views()
	}
	r, views := lookAll(sourceMemory)
	if len(r.remarks()) > 0 || len(views) != 51 || brief(views[0])[:len("unread 50, waiting 149, files 1, failed 50, gaps 50")] != "unread 50, waiting 149, files 1, failed 50, gaps 50" {
		t.Fatalf("with room for all: %v, %d sources, %s", r.remarks(), len(views), brief(views[0]))
	}
	most := sourceMemory - r.room
	for room := range 60 {
		r, views := lookAll(most * room / 60)
		remarks := r.remarks()
		if len(remarks) != 1 || !strings.Contains(remarks[0], "more is open than this command holds in memory: from record ") {
			t.Fatalf("with %d bytes: %q", most*room/60, remarks)
		}
		failed := 0
		for _, v := range views {
			for _, c := range v.Chains {
				failed += c.Failed
			}
		}
		if len(views) > 0 && len(views[0].Chains) > 1 && failed != 50 {
			t.Errorf("with %d bytes: %d of 50 failures are counted", most*room/60, failed)
		}
	}
}

// A file of which a finding finds no room counts once, and does not wait.
func TestSourcesNoRoomForOne(t *testing.T) {
	feed := newFeed(t)
	feed.takes(logFile(1), "", 1)
	feed.says(outcome(digest.LogMissing, logFile(1)))
	counted := map[string]int{}
	for room := 0; room < 5000; room += 10 {
		r := newSourceReader(room, 10)
		for i, rec := range feed.records {
			r.look(uint64(i), rec)
		}
		for _, v := range r.views() {
			counted[brief(v)]++
		}
	}
	if counted["gaps 1"] == 0 || counted["gaps 1, log-missing"] == 0 || counted["waiting 1"] == 0 || len(counted) > 4 || counted["gaps 1, waiting 1"] > 0 || counted["waiting 1, gaps 1"] > 0 {
		t.Errorf("with more and more room: %v", counted)
	}
}

// Of one file only so many findings are held against each other.
func TestSourcesFindingsOfOne(t *testing.T) {
	feed, r := newFeed(t), newSourceReader(sourceMemory, 10)
	for i := range maxFindings + 5 {
		feed.says(digest.Outcome{Reason: digest.ChainGap, Chain: chain("eu-west-1"), Object: digestFile(i), From: hour(i).From, To: hour(i).To})
	}
	for i, rec := range feed.records {
		r.look(uint64(i), rec)
	}
	v := r.views()[0]
	if len(v.Findings) != maxFindings || v.Chains[0].Gaps != maxFindings+5 || !strings.Contains(fmt.Sprint(r.remarks()), "from record 1000 on, 5 findings counted but not listed") {
		t.Errorf("%d listed, %d counted, %v", len(v.Findings), v.Chains[0].Gaps, r.remarks())
	}
}

// Of verified files the latest are known again.
func TestRecent(t *testing.T) {
	r, src := &newSourceReader(0, 4).recent, &source{}
	for i := range 100 {
		name := fmt.Sprint(i)
		if r.has(src, name) || !r.add(src, name, verifiedFile{}) || r.add(src, name, verifiedFile{}) {
			t.Fatalf("file %d", i)
		}
		for j := max(0, i-4); j <= i; j++ {
			if !r.has(src, fmt.Sprint(j)) {
				t.Fatalf("file %d is forgotten at %d", j, i)
			}
		}
		if n := len(r.now) + len(r.past); n > 8 {
			t.Fatalf("%d are known", n)
		}
	}
	if r.has(src, "0") || r.has(&source{sourceID: sourceID{receiver: "b"}}, "99") {
		t.Error("a file is known that should not be")
	}
	if _, ok := r.take(src, "99"); !ok || r.has(src, "99") {
		t.Error("a file that was taken is known")
	}
	if _, ok := r.take(src, "99"); ok {
		t.Error("a file was taken twice")
	}
}

// Of many findings that are alike the text lists some, the document all.
func TestManyFindings(t *testing.T) {
	f, feed := newFixture(t), newFeed(t)
	for i := range 25 {
		feed.says(outcome(digest.LogUncovered, logFile(i)))
		feed.takes(logFile(100+i), "", 1)
	}
	f.putRecords("events", feed.records...)
	f.sources()
	f.want(exitVerified, "and 5 like these, see --json", "and 5 more, see --json")
	if n := strings.Count(f.stdout, "log-uncovered: "); n != 20 {
		t.Errorf("%d are listed", n)
	}
	if s := f.numbers(); len(s[0].Findings) != 25 || len(s[0].Waiting) != 25 {
		t.Errorf("%d findings, %d files wait", len(s[0].Findings), len(s[0].Waiting))
	}
}

// Lines that are passed over unparsed say nothing.
func TestSourcesConcern(t *testing.T) {
	feed := story(t)
	feed.takes(logFile(1), "", 2)
	feed.receiver = "other"
	feed.takes(logFile(1), "", 2)
	all, some := newSourceReader(sourceMemory, 10), newSourceReader(sourceMemory, 10)
	passed := 0
	for i, rec := range feed.records {
		all.look(uint64(i), rec)
		line, err := record.AppendLine(nil, rec)
		if err != nil {
			t.Fatal(err)
		}
		if some.concerns(line) {
			some.look(uint64(i), rec)
		} else {
			passed++
		}
	}
	one, err := json.Marshal(all.views())
	two, err2 := json.Marshal(some.views())
	if err != nil || err2 != nil || string(one) != string(two) || passed != 5 {
		t.Errorf("%d passed over; all:\n%s\nsome:\n%s", passed, one, two)
	}
}
