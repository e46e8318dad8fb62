package incident

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/otelcol-custody/custody/internal/durable"
	"github.com/otelcol-custody/custody/internal/durable/durabletest"
)

// A desk is a book with a clock that the test sets.
type desk struct {
	t    *testing.T
	fsys *durabletest.FS
	now  time.Time
	*Book
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	d := &desk{t: t, fsys: durabletest.New(), now: time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)}
	d.reopen(d.fsys)
	return d
}

func (d *desk) reopen(fsys *durabletest.FS) {
	d.t.Helper()
	d.fsys = fsys
	var err error
	d.Book, err = Open(Settings{Dir: "/state", FS: fsys, Now: func() time.Time { return d.now }})
	d.must(err)
}

func (d *desk) must(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}

func (d *desk) report(f Finding) {
	d.t.Helper()
	d.must(d.Report(f))
}

// sweep looks at a scope and meets these findings.
func (d *desk) sweep(scope Place, kinds []Kind, met ...Finding) {
	d.t.Helper()
	since := d.now
	d.now = d.now.Add(time.Second)
	for _, f := range met {
		d.report(f)
	}
	d.must(d.Swept(scope, since, kinds...))
}

// told are the events, as "what kind seen".
func (d *desk) told() (all []string) {
	for _, e := range d.Events(0, 1<<20) {
		all = append(all, fmt.Sprintf("%s %s %d", e.What, e.Incident.Kind, e.Incident.Seen))
	}
	return all
}

func (d *desk) wantTold(want ...string) {
	d.t.Helper()
	if got := d.told(); !slices.Equal(got, want) {
		d.t.Fatalf("told %q, want %q", got, want)
	}
}

func (d *desk) one() Incident {
	d.t.Helper()
	all := d.Incidents(Filter{})
	if len(all) != 1 {
		d.t.Fatalf("%d incidents: %+v", len(all), all)
	}
	return all[0]
}

var (
	altered = Finding{Kind: SegmentAltered, Place: Place{Store: "s3", Log: "web", Object: "web/segments/1", First: 10, End: 20}, Message: "altered"}
	away    = Finding{Kind: Unread, Place: Place{Store: "s3", Log: "web"}, Message: "timeout"}
	short   = Finding{Kind: RetentionShort, Place: Place{Store: "s3", Log: "web", Object: "web/seals/1", First: 10, End: 20}}
	forked  = Finding{Kind: Fork, Place: Place{Store: "s3", Log: "web"}, Message: "forked",
		Evidence: []Evidence{{"one", []byte("note 1")}, {"other", []byte("note 2")}}}
	web = Place{Store: "s3", Log: "web"}
)

func TestOneIncidentForACause(t *testing.T) {
	d := newDesk(t)
	for range 50 {
		d.report(altered)
		d.now = d.now.Add(time.Second)
	}
	d.wantTold("opened segment-altered 1")
	if i := d.one(); i.Seen != 50 || i.Severity != Tampering || !i.Open() || i.Updated != d.now.Add(-time.Second) {
		t.Fatalf("got %+v", i)
	}
	d.now = d.now.Add(time.Hour)
	again := altered
	again.Message = "altered again"
	d.report(again)
	d.wantTold("opened segment-altered 1", "updated segment-altered 51")
	d.reopen(d.fsys.Crash())
	if i := d.one(); i.Message != "altered" || i.Latest != "altered again" || i.Seen != 51 {
		t.Fatalf("got %+v", i)
	}
}

func TestResolvedByASweepThatLooked(t *testing.T) {
	unread := []Kind{Unread, RetentionShort}
	other := Place{Store: "gcs", Log: "web"}
	for name, c := range map[string]struct {
		scope Place
		kinds []Kind
		met   []Finding
		open  bool
	}{
		"not met":          {scope: web, kinds: unread},
		"all":              {kinds: unread},
		"object":           {scope: Place{Store: "s3", Object: "web/seals/1"}, kinds: unread},
		"records":          {scope: Place{Store: "s3", Log: "web", First: 5, End: 20}, kinds: unread},
		"from there on":    {scope: Place{Store: "s3", Log: "web", First: 10}, kinds: unread},
		"met":              {scope: web, kinds: unread, met: []Finding{short}, open: true},
		"other store":      {scope: other, kinds: unread, open: true},
		"other kind":       {scope: web, kinds: []Kind{Unread}, open: true},
		"other object":     {scope: Place{Object: "web/seals/2"}, kinds: unread, open: true},
		"part of it":       {scope: Place{First: 0, End: 19}, kinds: unread, open: true},
		"behind its first": {scope: Place{First: 11, End: 99}, kinds: unread, open: true},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			d.report(short)
			d.now = d.now.Add(time.Second)
			d.sweep(c.scope, c.kinds, c.met...)
			if i := d.one(); i.Open() != c.open {
				t.Fatalf("open: %v, want %v: %+v", i.Open(), c.open, i)
			}
			if c.open {
				return
			}
			d.wantTold("opened retention-short 1", "resolved retention-short 1")
			d.reopen(d.fsys.Crash())
			if i := d.one(); i.Open() {
				t.Fatalf("it came back with a restart: %+v", i)
			}
		})
	}
}

func TestTamperingStaysUntilAcknowledged(t *testing.T) {
	d := newDesk(t)
	d.report(forked)
	d.now = d.now.Add(time.Minute)
	d.sweep(web, []Kind{Fork})
	i := d.one()
	if !i.Open() || i.Absent != d.now {
		t.Fatalf("got %+v", i)
	}
	d.now = d.now.Add(2 * time.Minute)
	d.must(d.Tick())
	d.wantTold("opened fork 1", "updated fork 1")
	d.reopen(d.fsys.Crash())
	if i = d.one(); !i.Open() || i.Absent.IsZero() || len(i.Evidence) != 2 || string(i.Evidence[1].Bytes) != "note 2" {
		t.Fatalf("after a restart: %+v", i)
	}
	if err := d.Acknowledge("0123", "alex", "known"); !errors.Is(err, ErrUnknown) {
		t.Fatalf("got %v", err)
	}
	if d.Acknowledge(i.ID, "", "known") == nil || d.Acknowledge(i.ID, "alex", "") == nil {
		t.Fatal("acknowledged by nobody, or for nothing")
	}
	d.must(d.Acknowledge(i.ID, "alex", "a test"))
	d.wantTold("opened fork 1", "updated fork 1", "acknowledged fork 1", "resolved fork 1")
	d.report(forked)
	if all := d.Incidents(Filter{State: StateOpen}); len(all) != 1 || all[0].ID == i.ID || all[0].Acknowledged != nil {
		t.Fatalf("tampering that came back: %+v", all)
	}
}

func TestAcknowledgedWhileItIsThere(t *testing.T) {
	d := newDesk(t)
	d.report(altered)
	d.report(away)
	if s, n := d.Worst(); s != Tampering || n != 1 {
		t.Fatalf("worst: %v, %d", s, n)
	}
	i := d.Incidents(Filter{Kind: SegmentAltered})[0]
	d.must(d.Acknowledge(i.ID, "alex", "known"))
	if s, n := d.Worst(); s != Trouble || n != 1 {
		t.Fatalf("worst: %v, %d", s, n)
	}
	d.now = d.now.Add(48 * time.Hour)
	d.report(altered)
	if i, _ = d.Incident(i.ID); !i.Open() || i.Acknowledged.Who != "alex" {
		t.Fatalf("got %+v", i)
	}
	d.now = d.now.Add(time.Second)
	d.sweep(web, []Kind{SegmentAltered})
	if i, _ = d.Incident(i.ID); i.Open() {
		t.Fatalf("got %+v", i)
	}
	d.wantTold("opened segment-altered 1", "opened unread 1", "acknowledged segment-altered 1", "resolved segment-altered 2")
}

// TestFlapping has a store come and go every few seconds for an hour.
func TestFlapping(t *testing.T) {
	d := newDesk(t)
	for range 360 {
		d.report(away)
		d.now = d.now.Add(5 * time.Second)
		d.sweep(web, []Kind{Unread})
		d.now = d.now.Add(4 * time.Second)
	}
	told := d.told()
	if len(told) > 10 || told[0] != "opened unread 1" || told[1] != "resolved unread 1" {
		t.Fatalf("told %d times: %q", len(told), told)
	}
	d.now = d.now.Add(quiet[Trouble])
	d.must(d.Tick())
	if told = d.told(); told[len(told)-1] != "resolved unread 360" {
		t.Fatalf("the end was not told: %q", told)
	}
	if i := d.one(); i.Open() || i.Seen != 360 {
		t.Fatalf("got %+v", i)
	}
}

func TestManyPlaces(t *testing.T) {
	d := newDesk(t)
	met := make([]Finding, 500)
	for i := range met {
		met[i] = altered
		met[i].Place.Object = fmt.Sprintf("web/segments/%d", i)
		met[i].Place.First, met[i].Place.End = uint64(i), uint64(i+1)
	}
	for range 3 {
		d.sweep(web, []Kind{SegmentAltered}, met...)
	}
	all := d.Incidents(Filter{})
	if len(all) != maxOfLog+1 || len(d.told()) != maxOfLog+1 {
		t.Fatalf("%d incidents, told %d times", len(all), len(d.told()))
	}
	last := all[slices.IndexFunc(all, func(i Incident) bool { return i.More > 0 })]
	if last.More != 500-maxOfLog || last.Place.Object != "" || !strings.Contains(last.Message, "web/segments/16") {
		t.Fatalf("got %+v", last)
	}
	// A sweep of a part has not looked at all that it stands for.
	d.now = d.now.Add(time.Second)
	d.sweep(Place{Store: "s3", Log: "web", First: 0, End: 400}, []Kind{SegmentAltered})
	if i, _ := d.Incident(last.ID); !i.Absent.IsZero() {
		t.Fatalf("got %+v", i)
	}
	d.must(d.Acknowledge(last.ID, "alex", "known"))
	d.now = d.now.Add(time.Hour)
	d.reopen(d.fsys.Crash())
	for _, f := range met {
		d.report(f)
	}
	if i, _ := d.Incident(last.ID); i.More != 500-maxOfLog || i.Acknowledged == nil {
		t.Fatalf("the same places after a restart: %+v", i)
	}
	f := altered
	f.Place.Object = "web/segments/new"
	d.report(f)
	if i, _ := d.Incident(last.ID); i.Open() || i.Acknowledged == nil {
		t.Fatalf("a further place behind an acknowledgement: %+v", i)
	}
	last = d.Incidents(Filter{})[0]
	for _, f := range met {
		d.report(f)
	}
	if i, _ := d.Incident(last.ID); i.More != 501-maxOfLog || i.Acknowledged != nil || !strings.Contains(i.Message, "web/segments/new") {
		t.Fatalf("all places behind the further one: %+v", i)
	}
	d.now = d.now.Add(time.Second)
	d.sweep(web, []Kind{SegmentAltered})
	if i, _ := d.Incident(last.ID); i.Absent.IsZero() {
		t.Fatalf("a sweep of all did not note its absence: %+v", i)
	}
}

func TestManyLogs(t *testing.T) {
	d := newDesk(t)
	for i := range maxOpen + 100 {
		f := forked
		f.Place.Log = fmt.Sprintf("log-%d", i)
		f.Evidence = []Evidence{{"note", make([]byte, 60<<10)}}
		d.report(f)
	}
	all := d.Incidents(Filter{State: StateOpen})
	if len(all) != maxOpen+1 {
		t.Fatalf("%d incidents", len(all))
	}
	if n := d.state.evidence(); n > maxKept {
		t.Fatalf("%d bytes of evidence", n)
	}
	for _, i := range all {
		if i.More > 0 && (i.More != 100 || i.Place.Log != "" || i.Place.Store != "s3") {
			t.Fatalf("got %+v", i)
		}
	}
}

// TestOfAPeer: what a peer has seen is not over because a store was read.
func TestOfAPeer(t *testing.T) {
	d := newDesk(t)
	f := forked
	f.Place.Peer = "b"
	d.report(f)
	d.must(d.Acknowledge(d.one().ID, "alex", "it has an old copy"))
	for _, scope := range []Place{web, {}, {Peer: "c"}} {
		d.now = d.now.Add(time.Second)
		d.sweep(scope, []Kind{Fork})
		if i := d.one(); !i.Open() {
			t.Fatalf("a sweep of %+v ended it", scope)
		}
	}
	d.now = d.now.Add(time.Second)
	d.sweep(Place{Peer: "b"}, []Kind{Fork})
	if i := d.one(); i.Open() {
		t.Fatalf("got %+v", i)
	}
}

// TestRestartWithinASweep must not end what the sweep met before the restart.
func TestRestartWithinASweep(t *testing.T) {
	d := newDesk(t)
	since := d.now
	d.now = d.now.Add(time.Second)
	d.report(short)
	d.now = d.now.Add(time.Second)
	d.reopen(d.fsys.Restart())
	d.now = d.now.Add(time.Second)
	d.must(d.Swept(web, since, RetentionShort))
	if i := d.one(); !i.Open() {
		t.Fatalf("got %+v", i)
	}
	d.must(d.Swept(web, d.now, RetentionShort))
	if i := d.one(); i.Open() {
		t.Fatalf("a sweep behind the restart: %+v", i)
	}
}

func TestClockJumps(t *testing.T) {
	d := newDesk(t)
	d.report(altered)
	d.now = d.now.Add(-24 * time.Hour)
	d.report(altered)
	d.now = d.now.Add(2 * remind[Tampering])
	d.report(altered)
	if told := d.told(); len(told) > 3 || told[len(told)-1] != "updated segment-altered 3" {
		t.Fatalf("told %q", told)
	}
}

func TestDamagedBook(t *testing.T) {
	d := newDesk(t)
	d.report(altered)
	d.report(forked)
	d.report(away)
	last := d.Events(0, 99)[2].Seq
	b := content(t, d.fsys, "/state/incidents")
	lines := bytes.SplitAfter(b, []byte("\n"))
	lines[2][40] ^= 1 // the second opening
	d.must(durable.WriteFile(d.fsys, "/state/incidents", bytes.Join(lines, nil), 0o600))
	d.reopen(d.fsys.Crash())
	var kinds []Kind
	for _, i := range d.Incidents(Filter{State: StateOpen}) {
		kinds = append(kinds, i.Kind)
	}
	if !slices.Equal(kinds, []Kind{StateDamaged, SegmentAltered}) && !slices.Equal(kinds, []Kind{SegmentAltered, StateDamaged}) {
		t.Fatalf("open: %q", kinds)
	}
	i := d.Incidents(Filter{Kind: StateDamaged})[0]
	if !strings.Contains(i.Message, i.Place.Object) || !bytes.Equal(content(t, d.fsys, i.Place.Object), bytes.Join(lines, nil)) {
		t.Fatalf("got %+v", i)
	}
	if e := d.Events(last, 99); len(e) != 1 || e[0].Incident.Kind != StateDamaged {
		t.Fatalf("followers are told %+v", e)
	}
	d.reopen(d.fsys.Crash())
	d.must(d.Acknowledge(i.ID, "alex", "a disk was exchanged"))
	if i, _ = d.Incident(i.ID); i.Open() {
		t.Fatalf("got %+v", i)
	}
}

// TestCrashWhileDamageIsKept: however often the power goes meanwhile, the damage
// is an incident in the end, and its file is kept.
func TestCrashWhileDamageIsKept(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 12))
	for n := 1; ; n++ {
		d := newDesk(t)
		d.report(altered)
		d.must(durable.WriteFile(d.fsys, "/state/incidents", []byte("custody-incidents/1\nrubbish\nmore\n"), 0o600))
		fsys := d.fsys.Crash()
		fsys.Inject(durabletest.Fault{N: n, Crash: true})
		_, err := Open(Settings{Dir: "/state", FS: fsys, Now: func() time.Time { return d.now }})
		d.now = d.now.Add(time.Second)
		d.reopen(fsys.CrashRandom(rng))
		i := d.one()
		if i.Kind != StateDamaged || !bytes.Contains(content(t, d.fsys, i.Place.Object), []byte("rubbish")) {
			t.Fatalf("crash at call %d: %+v", n, i)
		}
		if err == nil {
			return
		}
	}
}

func content(t *testing.T, fsys durable.FS, name string) []byte {
	t.Helper()
	f, err := fsys.OpenFile(name, os.O_RDONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if _, err := b.ReadFrom(f); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestFailingDiskHoldsNoAlarmBack(t *testing.T) {
	d := newDesk(t)
	d.fsys.Inject(durabletest.Fault{Op: durabletest.OpWrite, UntilRestart: true})
	if err := d.Report(altered); err == nil || d.Err() == nil {
		t.Fatalf("got %v", err)
	}
	d.wantTold("opened segment-altered 1")
	if err := d.Report(forked); err == nil {
		t.Fatal("the disk failed and nobody was told")
	}
	d.fsys.Heal()
	d.must(d.Tick())
	if d.Err() != nil {
		t.Fatal(d.Err())
	}
	d.reopen(d.fsys.Crash())
	d.wantTold("opened segment-altered 1", "opened fork 1")
	if n := len(d.Incidents(Filter{State: StateOpen})); n != 2 {
		t.Fatalf("%d are open", n)
	}
}

func TestFollowers(t *testing.T) {
	d := newDesk(t)
	wake, stop := d.Follow()
	<-wake
	d.report(altered)
	<-wake
	d.report(forked)
	<-wake
	e := d.Events(d.Cursor("x"), 1)
	if len(e) != 1 || e[0].Incident.Kind != SegmentAltered {
		t.Fatalf("got %+v", e)
	}
	d.must(d.Advance("x", e[0].Seq))
	d.must(d.Advance("x", e[0].Seq-1))
	d.reopen(d.fsys.Crash())
	e = d.Events(d.Cursor("x"), 9)
	if len(e) != 1 || e[0].Incident.Kind != Fork || len(e[0].Incident.Evidence) != 2 {
		t.Fatalf("after a restart: %+v", e)
	}
	stop()
}

func TestEventsAreBounded(t *testing.T) {
	d := newDesk(t)
	d.report(forked)
	for range maxEvents * 8 {
		d.now = d.now.Add(remind[Tampering])
		d.report(forked)
	}
	told := d.told()
	if len(told) != maxEvents || told[0] != "opened fork 1" {
		t.Fatalf("%d events, the first %q", len(told), told[0])
	}
	if size := d.file.Size(); size > 2*minCompact {
		t.Fatalf("the file has %d bytes", size)
	}
	d.reopen(d.fsys.Crash())
	if got := d.told(); !slices.Equal(got, told) {
		t.Fatal("other events after a restart")
	}
}

// TestRewritten has followers told once of what a file holds that was written
// anew, and of what they were not told yet.
func TestRewritten(t *testing.T) {
	d := newDesk(t)
	d.report(altered)
	d.report(short)
	d.now = d.now.Add(time.Second)
	d.sweep(web, []Kind{SegmentAltered, RetentionShort}) // the altered one: absent, and not told yet
	d.mu.Lock()
	d.must(d.rewrite())
	d.mu.Unlock()
	d.reopen(d.fsys.Crash())
	d.wantTold("opened segment-altered 1", "opened retention-short 1", "resolved retention-short 1")
	for range 3 {
		d.now = d.now.Add(time.Hour)
		d.must(d.Tick())
	}
	d.wantTold("opened segment-altered 1", "opened retention-short 1", "resolved retention-short 1", "updated segment-altered 1")
}

func TestResolvedAreBounded(t *testing.T) {
	d := newDesk(t)
	for i := range maxResolved + 50 {
		f := short
		f.Place.Object = fmt.Sprint(i)
		d.report(f)
		d.now = d.now.Add(time.Second)
		d.sweep(web, []Kind{RetentionShort})
	}
	all := d.Incidents(Filter{State: StateResolved})
	if len(all) != maxResolved || all[0].Place.Object != fmt.Sprint(maxResolved+49) {
		t.Fatalf("%d are resolved", len(all))
	}
}

// TestHostileNames reads back what it wrote, whatever a store's names are.
func TestHostileNames(t *testing.T) {
	d := newDesk(t)
	for _, name := range []string{"a\nb", "\xff\xfe", "\xff\xfd", strings.Repeat("x", 5000), strings.Repeat("x", 5001), "<&>\u2028", "\x00"} {
		f := Finding{Kind: ForeignObject, Place: Place{Store: "s3", Log: "web", Object: name}, Message: strings.Repeat("\x01", 9000)}
		d.report(f)
		d.report(f)
	}
	before := d.Incidents(Filter{})
	if len(before) != 7 {
		t.Fatalf("%d incidents", len(before))
	}
	d.reopen(d.fsys.Crash())
	after := d.Incidents(Filter{})
	for i := range before {
		if len(before[i].Message) > maxMessage+100 || len(before[i].Place.Object) > maxName+100 {
			t.Fatalf("not cut: %+v", before[i])
		}
		if before[i].Cause() != after[i].Cause() || before[i].Message != after[i].Message {
			t.Fatalf("%+v read back as %+v", before[i], after[i])
		}
	}
}

// TestCrash does random things and cuts the power at random. What was
// acknowledged is there, and the last call has happened, or not, or in part.
func TestCrash(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 9))
	for run := range 100 {
		d := newDesk(t)
		d.fsys.Inject(durabletest.Fault{N: 10 + rng.IntN(150), Crash: true})
		var acked facts
		for {
			d.now = d.now.Add(time.Duration(rng.IntN(400)) * time.Second)
			if err := d.random(rng); err != nil {
				break
			}
			acked = known(d.state)
		}
		unacked := known(d.state)
		d.reopen(d.fsys.CrashRandom(rng))
		got := known(d.state)
		for key, is := range got {
			if _, was := acked[key]; !was && unacked[key] == "" {
				t.Fatalf("run %d: %s came from nowhere: %s", run, key, is)
			}
		}
		for key, was := range acked {
			if is := got[key]; is != was && unacked[key] == was {
				t.Fatalf("run %d: %s\nwas %s\nis  %s", run, key, was, is)
			}
		}
	}
}

func (d *desk) random(rng *rand.Rand) error {
	all := []Finding{altered, away, short, forked}
	f := all[rng.IntN(len(all))]
	switch rng.IntN(5) {
	case 0:
		return d.Swept(web, d.now, f.Kind)
	case 1:
		for _, i := range d.Incidents(Filter{State: StateOpen}) {
			return d.Acknowledge(i.ID, "alex", "why not")
		}
	case 2:
		return d.Advance("x", d.state.seq)
	}
	return d.Report(f)
}

// facts are what of a state must outlive the process, as text.
type facts map[string]string

func known(s *state) facts {
	all := facts{}
	for _, e := range s.entries() {
		switch {
		case e.Incident != nil:
			i := *e.Incident
			i.Seen, i.Updated = 0, time.Time{} // written with the next change
			all["incident "+i.ID] = string(marshal(entry{Incident: &i}))
		case e.Past != nil:
			all[fmt.Sprint("event ", e.Past.Seq)] = string(marshal(e))
		case e.Cursor != nil:
			all["cursor "+e.Cursor.Name] = fmt.Sprint(e.Cursor.Seq)
		}
	}
	return all
}

func FuzzLoad(f *testing.F) {
	d := newDeskForFuzz(f)
	f.Add(d)
	f.Add([]byte(`[{"event":{"incident":{"id":"1","opened":"2026-01-01T00:00:00Z"}}},{"past":{}},{"incident":{}},{"cursor":{}},{"seq":7}]`))
	f.Fuzz(func(t *testing.T, frame []byte) {
		var all []entry
		if json.Unmarshal(frame, &all) != nil {
			return
		}
		s := newState()
		for _, e := range all {
			s.apply(e)
		}
		now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
		s.report(altered.clean(), now, now)
		s.swept(Place{}, []Kind{SegmentAltered}, func(*held) bool { return true }, now)
		s.due(now)
		again := newState()
		for _, e := range s.entries() {
			again.apply(e)
		}
		if a, b := len(s.byID), len(again.byID); a != b {
			t.Fatalf("%d incidents read back as %d", a, b)
		}
	})
}

func newDeskForFuzz(f *testing.F) []byte {
	s := newState()
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	b, err := json.Marshal(s.report(altered.clean(), now, now))
	if err != nil {
		f.Fatal(err)
	}
	return b
}

func TestOpenFailsWithTheDisk(t *testing.T) {
	fsys := durabletest.New()
	fsys.Inject(durabletest.Fault{Op: durabletest.OpOpen, Path: "incidents", Err: fs.ErrPermission})
	if _, err := Open(Settings{Dir: "/state", FS: fsys}); !errors.Is(err, fs.ErrPermission) {
		t.Fatalf("got %v", err)
	}
}
