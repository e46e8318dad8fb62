package incident

import (
	"fmt"
	"testing"
	"time"
)

// TestAcknowledgedIsNotWhatComesLater has something else be met where somebody
// acknowledged what was there.
func TestAcknowledgedIsNotWhatComesLater(t *testing.T) {
	rollback := Finding{Kind: Rollback, Place: Place{Store: "s3", Log: "web", First: 90, End: 100}, Got: "90 records", Evidence: []Evidence{{"head", []byte("90")}}}
	shadow := Finding{Kind: Shadow, Place: Place{Store: "s3", Log: "web", Object: "web/seals/1", Version: "v1"}}
	weaker := Finding{Kind: RetentionShort, Place: short.Place, Got: "until 2027"}
	lost := Finding{Kind: Losses, Place: Place{Store: "s3", Log: "web", First: 1, End: 9}}
	for name, c := range map[string]struct {
		f     Finding
		later func(*Finding)
		news  bool
	}{
		"rolled back further": {rollback, func(f *Finding) { f.Place.First, f.Got, f.Evidence = 1, "1 records", []Evidence{{"head", []byte("1")}} }, true},
		"altered again":       {altered, func(f *Finding) { f.Got = "sha256:2" }, true},
		"another version":     {shadow, func(f *Finding) { f.Place.Version = "v2" }, true},
		"another record":      {altered, func(f *Finding) { f.Place.Record = new(uint64) }, true},
		"shortened again":     {weaker, func(f *Finding) { f.Got = "until 2026" }, true},
		"losses elsewhere":    {lost, func(f *Finding) { f.Place.First, f.Place.End = 9, 12 }, true},
		"the same":            {rollback, func(*Finding) {}, false},
		"in other words":      {rollback, func(f *Finding) { f.Message = "as before" }, false},
		"later":               {Finding{Kind: Late, Place: web, Got: "none by noon"}, func(f *Finding) { f.Got = "none by one" }, false},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			d.report(c.f)
			id := d.one().ID
			d.must(d.Acknowledge(id, "alex", "known"))
			d.now = d.now.Add(time.Second)
			d.reopen(d.fsys.Crash())
			later := c.f
			c.later(&later)
			for range 2 { // both are met from now on
				d.report(c.f)
				d.report(later)
			}
			if _, n := d.Worst(); (n == 1) != c.news {
				t.Fatalf("alarms: %d; %+v", n, d.Incidents(Filter{}))
			}
			if !c.news {
				return
			}
			i := d.Incidents(Filter{State: StateOpen})[0]
			if i.ID == id || i.Got != later.Got || len(i.Evidence) != len(later.Evidence) || len(i.Evidence) > 0 && string(i.Evidence[0].Bytes) != "1" {
				t.Fatalf("got %+v", i)
			}
			old, _ := d.Incident(id)
			if old.Open() || old.Acknowledged.Who != "alex" || old.Got != c.f.Got {
				t.Fatalf("what was acknowledged became %+v", old)
			}
			d.must(d.Acknowledge(i.ID, "alex", "known, too"))
			d.reopen(d.fsys.Crash())
			d.report(c.f)
			d.report(later)
			if _, n := d.Worst(); n != 0 {
				t.Fatal("both were acknowledged, and there is an alarm")
			}
		})
	}
}

// TestAcknowledgedPlacesOutliveTheProcess tells places behind one incident that
// were acknowledged from as many new ones, in another process.
func TestAcknowledgedPlacesOutliveTheProcess(t *testing.T) {
	place := func(n int) Finding {
		return Finding{Kind: SegmentMissing, Place: Place{Store: "s3", Log: "web", Object: fmt.Sprint(n)}}
	}
	d := newDesk(t)
	for n := range maxOfLog + 100 {
		d.report(place(n))
	}
	for _, i := range d.Incidents(Filter{}) {
		d.must(d.Acknowledge(i.ID, "alex", "restored"))
	}
	d.mu.Lock()
	d.must(d.rewrite())
	d.mu.Unlock()
	d.reopen(d.fsys.Crash())
	for n := range maxOfLog + 100 {
		d.report(place(n))
	}
	if _, n := d.Worst(); n != 0 {
		t.Fatal("places that were acknowledged alarm after a restart")
	}
	d.now = d.now.Add(time.Second)
	for n := range 100 {
		d.report(place(5000 + n))
	}
	if _, n := d.Worst(); n != 1 {
		t.Fatal("new places are silent behind what was acknowledged")
	}
	if i := d.Incidents(Filter{})[0]; i.More != 100 || i.Acknowledged != nil {
		t.Fatalf("got %+v", i)
	}
}

// TestMoreClaimsThanAreKept cannot be acknowledged for good.
func TestMoreClaimsThanAreKept(t *testing.T) {
	s := newState()
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	f := altered.clean()
	for n := range maxClaims + 10 {
		f.Got = fmt.Sprint(n)
		s.report(f, now, now)
	}
	h := s.open[f.Cause()]
	if len(h.claims) != maxClaims {
		t.Fatalf("%d claims are kept", len(h.claims))
	}
	s.acknowledge(h, Acknowledgement{"alex", "known", now})
	s.report(f, now, now)
	if again := s.open[f.Cause()]; again == h || again.Acknowledged != nil {
		t.Fatal("what could not be kept was taken for acknowledged")
	}
}

// TestAcknowledgementEndsWithItsIncident: what comes back within the time in which
// a cause is one incident alarms again.
func TestAcknowledgementEndsWithItsIncident(t *testing.T) {
	d := newDesk(t)
	late := Finding{Kind: Late, Place: web}
	d.report(late)
	d.must(d.Acknowledge(d.one().ID, "alex", "maintenance until noon"))
	d.now = d.now.Add(time.Minute)
	d.sweep(web, []Kind{Late})
	if i := d.one(); i.Open() {
		t.Fatalf("got %+v", i)
	}
	d.now = d.now.Add(lately / 2)
	d.report(late)
	if s, n := d.Worst(); s != Concern || n != 1 {
		t.Fatal("it is late again, and nobody is told")
	}
	d.wantTold("opened late 1", "acknowledged late 1", "resolved late 1", "opened late 1")
}
