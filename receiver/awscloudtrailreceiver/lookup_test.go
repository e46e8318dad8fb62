package awscloudtrailreceiver

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/aws/smithy-go"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/consumer/consumererror"
)

func wantBodies(t *testing.T, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Fatalf("%d bodies instead of %d\ngot  %.1500q\nwant %.1500q", len(got), len(want), got, want)
	}
}

func wantSame(t *testing.T, got, want []string) {
	t.Helper()
	wantBodies(t, slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(want)))
}

func TestHistoryOldestFirst(t *testing.T) {
	inBubble(t, func(t *testing.T, x *fixture, f *eventHistory) {
		all := happened("old", 300, time.Now().Add(-89*24*time.Hour), 7*time.Hour)
		f.add(all...)
		x.lookUp(t, f, "", nil)
		pass(time.Hour)
		wantBodies(t, x.next.bodies(), bodiesOf(all))
		if got, want := x.next.sources()[0], "lookup://eu-central-1#old-00000"; got != want {
			t.Errorf("source is %s, want %s", got, want)
		}
		// Idle days are read in long windows: 90 of them, and some to find out.
		if n := f.count(); n > 250 {
			t.Errorf("%d calls", n)
		}
	})
}

func TestHistoryPace(t *testing.T) {
	inBubble(t, func(t *testing.T, x *fixture, f *eventHistory) {
		f.add(happened("e", 3000, time.Now().Add(-time.Hour), time.Second)...)
		began := time.Now()
		f.fault = func(call int, _ *cloudtrail.LookupEventsInput) error {
			if least := time.Duration(call) * time.Second / callsPerSecond; time.Since(began) < least {
				t.Errorf("call %d after %v", call, time.Since(began))
			}
			return nil
		}
		x.lookUp(t, f, "", nil)
		pass(10 * time.Minute)
		if n := len(x.next.bodies()); n != 3000 {
			t.Errorf("%d events", n)
		}
	})
}

// Events show late. What is late by minutes a poll finds, what is late by up to an hour
// one that goes all the way back.
func TestHistoryLateEvents(t *testing.T) {
	inBubble(t, func(t *testing.T, x *fixture, f *eventHistory) {
		now := time.Now().UTC().Truncate(time.Second)
		late := func(id string, by time.Duration) shown {
			return shown{id: id, body: event(id), at: now.Add(time.Minute), from: now.Add(time.Minute + by)}
		}
		list := []shown{late("a", 0), late("b", 8*time.Minute), late("c", 25*time.Minute), late("d", 58*time.Minute)}
		f.add(list...)
		x.lookUp(t, f, "", nil)
		for i, e := range list {
			wait := 2 * time.Minute
			if i > 1 {
				wait += deepEvery
			}
			pass(time.Until(e.from) + wait)
			wantBodies(t, x.next.bodies(), bodiesOf(list[:i+1]))
		}
		pass(3 * time.Hour)
		wantBodies(t, x.next.bodies(), bodiesOf(list))
	})
}

// An outage in the middle of a pass settles nothing that was read before it.
func TestHistoryLateAfterOutage(t *testing.T) {
	inBubble(t, func(t *testing.T, x *fixture, f *eventHistory) {
		now := time.Now().UTC()
		late := shown{id: "late", body: event("late"), at: now.Add(-35 * time.Minute), from: now.Add(23 * time.Minute)}
		f.add(late)
		f.fault = func(call int, in *cloudtrail.LookupEventsInput) error {
			if call > 0 && time.Since(now) < 50*time.Minute {
				return errors.New("connection refused")
			}
			return nil
		}
		x.lookUp(t, f, "", func(h *history) { h.from = now.Add(-90 * time.Minute) })
		pass(2 * time.Hour)
		wantBodies(t, x.next.bodies(), []string{late.body})
	})
}

// Every call is an event itself. They must not make ever more calls.
func TestHistoryDoesNotFeedItself(t *testing.T) {
	inBubble(t, func(t *testing.T, x *fixture, f *eventHistory) {
		now := time.Now()
		f.add(happened("work", 12*1000, now, 3600*time.Millisecond)...) // 1,000 an hour
		for i := range f.events {
			f.events[i].from = f.events[i].at.Add(5 * time.Minute)
		}
		f.during = func(call int) []shown {
			own := happened(fmt.Sprintf("own-%d", call), 1, time.Now(), 0)
			own[0].from = time.Now().Add(5 * time.Minute)
			return own
		}
		x.lookUp(t, f, "", nil)
		pass(6 * time.Hour)
		before := f.count()
		pass(6 * time.Hour)
		if perHour := (f.count() - before) / 6; perHour > 500 {
			t.Errorf("%d calls an hour for 1,000 events an hour", perHour)
		}
		if got, least := len(x.next.bodies()), 11*1000; got < least {
			t.Errorf("%d events, want %d at least", got, least)
		}
	})
}

// A crash between the pipeline's answer and the position repeats one batch, and says so.
func TestHistoryKilled(t *testing.T) {
	for _, at := range []int{0, 1, 7, 19} { // batches
		t.Run(fmt.Sprint(at), func(t *testing.T) {
			inBubble(t, func(t *testing.T, x *fixture, f *eventHistory) {
				all := happened("e", 98, time.Now().Add(-20*time.Minute), 10*time.Second)
				f.add(all...)
				var after *memoryStorage
				x.next.answer = func(attempt int) (bool, error) {
					if attempt == at {
						after = x.store.kill()
					}
					return true, nil
				}
				stop := x.lookUp(t, f, "", nil)
				pass(2 * time.Minute)
				stop()
				before := len(x.next.bodies())
				if want := min(5*(at+1), 98); before != want {
					t.Fatalf("%d events before the crash, want %d", before, want)
				}
				// Events that showed meanwhile change what the next batches are made of.
				late := happened("late", 3, time.Now().Add(-30*time.Minute), 0)
				f.add(late...)
				x.store, x.next.answer = after, nil
				x.lookUp(t, f, "", nil)
				pass(5 * time.Minute)
				repeated := bodiesOf(all)[5*at : before]
				wantSame(t, x.next.bodies(), slices.Concat(bodiesOf(all), bodiesOf(late), repeated))
				wantSame(t, x.next.marked(), repeated)
			})
		})
	}
}

// What was in doubt after one crash still is after another.
func TestHistoryKilledTwice(t *testing.T) {
	inBubble(t, func(t *testing.T, x *fixture, f *eventHistory) {
		all := happened("e", 5, time.Now().Add(-10*time.Minute), time.Second)
		late := happened("late", 5, time.Now().Add(-20*time.Minute), time.Second)
		for _, list := range [][]shown{all, late} {
			f.add(list...)
			var after *memoryStorage
			x.next.answer = func(int) (bool, error) {
				after = x.store.kill()
				return true, nil
			}
			stop := x.lookUp(t, f, "", nil)
			pass(2 * time.Minute)
			stop()
			x.store, x.next.answer = after, nil
		}
		x.lookUp(t, f, "", nil)
		pass(2 * time.Minute)
		want := bodiesOf(slices.Concat(all, late))
		wantSame(t, x.next.bodies(), slices.Concat(want, want))
		wantSame(t, x.next.marked(), want)
	})
}

// While the pipeline refuses what another source sends, nothing is asked for.
func TestHistoryWaitsForOthers(t *testing.T) {
	inBubble(t, func(t *testing.T, x *fixture, f *eventHistory) {
		var refusals *atomic.Int32
		x.lookUp(t, f, "", func(h *history) {
			refusals = &h.sink.refusals
			refusals.Add(1)
		})
		pass(time.Hour)
		if n := f.count(); n > 0 {
			t.Errorf("%d calls", n)
		}
		refusals.Add(-1)
		pass(time.Hour)
		if f.count() == 0 {
			t.Error("no calls")
		}
	})
}

func TestEventKey(t *testing.T) {
	if keyOfEvent("a", []byte("bc")) == keyOfEvent("ab", []byte("c")) ||
		keyOfEvent("a", []byte("b")) == keyOfEvent("a", []byte("c")) || keyOfEvent("a", []byte("c")) == keyOfEvent("b", []byte("c")) {
		t.Error("two events have one key")
	}
}

// A stop in between repeats nothing, however often.
func TestHistoryStopped(t *testing.T) {
	inBubble(t, func(t *testing.T, x *fixture, f *eventHistory) {
		all := happened("e", 700, time.Now().Add(-2*time.Hour), 10*time.Second)
		f.add(all...)
		for range 12 {
			stop := x.lookUp(t, f, "", nil)
			pass(2 * time.Second)
			stop()
		}
		x.lookUp(t, f, "", nil)
		pass(2 * time.Hour)
		wantBodies(t, x.next.bodies(), bodiesOf(all))
		if list := x.next.marked(); len(list) > 0 {
			t.Errorf("marked: %q", list)
		}
	})
}

// A window holds what there is room for; a second that holds more is read page by page.
func TestHistoryBursts(t *testing.T) {
	inBubble(t, func(t *testing.T, x *fixture, f *eventHistory) {
		at := time.Now().Add(-26 * time.Hour)
		calm := happened("calm", 300, at, 5*time.Minute)
		burst := happened("burst", 500, at.Add(12*time.Hour), 50*time.Millisecond)
		second := happened("second", 400, at.Add(20*time.Hour), 0)
		all := slices.Concat(calm, burst, second)
		f.add(all...)
		x.lookUp(t, f, "", func(h *history) { h.capacity = capacity{events: 100, bytes: 1 << 20} })
		pass(time.Hour)
		wantSame(t, x.next.bodies(), bodiesOf(all))
		pass(3 * time.Hour)
		wantSame(t, x.next.bodies(), bodiesOf(all))
		if n := len(x.store.data); n > 60 {
			t.Errorf("%d values are stored", n)
		}
	})
}

// What is stored is bounded: sets of settled events are deleted.
func TestHistoryForgets(t *testing.T) {
	inBubble(t, func(t *testing.T, x *fixture, f *eventHistory) {
		f.add(happened("e", 24*60, time.Now().Add(-24*time.Hour), time.Minute)...)
		x.lookUp(t, f, "", nil)
		pass(3 * time.Hour)
		if len(x.next.bodies()) != 24*60 {
			t.Fatalf("%d events", len(x.next.bodies()))
		}
		if len(x.store.data) > 1 {
			t.Errorf("still stored: %d values", len(x.store.data))
		}
	})
}

func TestHistoryTroubles(t *testing.T) {
	pages := 0 // behind a first one
	throttled := &smithy.GenericAPIError{Code: "ThrottlingException", Message: "Rate exceeded"}
	for name, fault := range map[string]func(call int, in *cloudtrail.LookupEventsInput) error{
		"throttled": func(call int, _ *cloudtrail.LookupEventsInput) error {
			if call%3 != 0 {
				return throttled
			}
			return nil
		},
		"no connection": func(call int, _ *cloudtrail.LookupEventsInput) error {
			if call < 30 {
				return errors.New("connection refused")
			}
			return nil
		},
		"tokens expire": func(call int, in *cloudtrail.LookupEventsInput) error {
			if in.NextToken != nil {
				pages++
			}
			if in.NextToken != nil && pages%3 == 0 && pages < 10 {
				return &types.InvalidNextTokenException{Message: aws.String("expired")}
			}
			return nil
		},
		"tokens stop working": func(call int, in *cloudtrail.LookupEventsInput) error {
			if in.NextToken != nil {
				pages++
			}
			if in.NextToken != nil && pages < 2*pageTries {
				return &smithy.GenericAPIError{Code: "InternalFailure"}
			}
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, x *fixture, f *eventHistory) {
				all := happened("e", 400, time.Now().Add(-50*time.Minute), 7*time.Second)
				f.add(all...)
				f.fault, pages = fault, 0
				x.lookUp(t, f, "", nil)
				pass(12 * time.Minute) // Before what is read again would mend it.
				wantBodies(t, x.next.bodies(), bodiesOf(all))
			})
		})
	}
}

func TestHistoryDenied(t *testing.T) {
	inBubble(t, func(t *testing.T, x *fixture, f *eventHistory) {
		f.add(happened("e", 1, time.Now().Add(-time.Minute), 0)...)
		f.fault = func(call int, _ *cloudtrail.LookupEventsInput) error {
			if call < 20 {
				return &smithy.GenericAPIError{Code: "AccessDeniedException", Message: "not authorized"}
			}
			return nil
		}
		x.lookUp(t, f, "", nil)
		pass(time.Second)
		status, err := x.host.status()
		if status != componentstatus.StatusRecoverableError || !strings.Contains(err.Error(), "lookup eu-central-1") ||
			!strings.Contains(err.Error(), "does not allow cloudtrail:LookupEvents") {
			t.Fatalf("status %v: %v", status, err)
		}
		pass(time.Hour)
		if status, err := x.host.status(); status != componentstatus.StatusOK || len(x.next.bodies()) != 1 {
			t.Fatalf("status %v: %v; %d events", status, err, len(x.next.bodies()))
		}
	})
}

// While the pipeline refuses nothing more is asked for, and nothing is lost.
func TestHistoryRefused(t *testing.T) {
	inBubble(t, func(t *testing.T, x *fixture, f *eventHistory) {
		all := happened("e", 40, time.Now().Add(-30*time.Minute), 30*time.Second)
		f.add(all...)
		recovers := time.Now().Add(time.Hour)
		x.next.answer = func(int) (bool, error) {
			if time.Now().Before(recovers) {
				return false, errors.New("spool is full")
			}
			return true, nil
		}
		x.lookUp(t, f, "", nil)
		pass(time.Minute)
		asked := f.count()
		pass(58 * time.Minute)
		if n := f.count(); n != asked {
			t.Errorf("%d calls while the pipeline refused", n-asked)
		}
		pass(2 * time.Hour)
		wantBodies(t, x.next.bodies(), bodiesOf(all))
	})
}

// What is refused for good stays where it is, and is tried after a restart.
func TestHistoryRefusedForGood(t *testing.T) {
	inBubble(t, func(t *testing.T, x *fixture, f *eventHistory) {
		all := happened("e", 13, time.Now().Add(-30*time.Minute), 30*time.Second)
		f.add(all...)
		x.next.answer = func(attempt int) (bool, error) {
			return attempt == 0, map[bool]error{false: consumererror.NewPermanent(errors.New("no"))}[attempt == 0]
		}
		stop := x.lookUp(t, f, "", nil)
		pass(time.Hour)
		if status, err := x.host.status(); status != componentstatus.StatusPermanentError || !strings.Contains(err.Error(), "lookup eu-central-1") {
			t.Fatalf("status %v: %v", status, err)
		}
		stop()
		x.next.answer = nil
		x.lookUp(t, f, "", nil)
		pass(time.Minute)
		wantBodies(t, x.next.bodies(), bodiesOf(all))
	})
}

// An id alone silences nothing.
func TestHistorySameID(t *testing.T) {
	inBubble(t, func(t *testing.T, x *fixture, f *eventHistory) {
		at := time.Now().UTC().Add(-time.Minute).Truncate(time.Second)
		first := shown{id: "id", body: event("id"), at: at}
		other := shown{id: "id", body: event("id") + " ", at: at}
		f.add(first, first, other)
		x.lookUp(t, f, "", nil)
		pass(10 * time.Minute)
		// The space is none of the event's: the record is the same, and yet it is kept.
		wantBodies(t, x.next.bodies(), []string{first.body, first.body})
		other.body = strings.Replace(first.body, "GetObject", "PutObject", 1)
		f.add(other)
		pass(20 * time.Minute)
		wantBodies(t, x.next.bodies(), []string{first.body, first.body, other.body})
	})
}

func TestHistoryWhatIsNoEvent(t *testing.T) {
	inBubble(t, func(t *testing.T, x *fixture, f *eventHistory) {
		at := time.Now().UTC().Add(-time.Minute).Truncate(time.Second)
		f.add(shown{id: "a", body: "{broken", at: at}, shown{id: "b", body: " ", at: at.Add(time.Second)},
			shown{id: "c", body: "", at: at.Add(2 * time.Second)},
			shown{id: "d", body: `{"Records":[]}`, at: at.Add(3 * time.Second)}, shown{id: "e", body: event("e"), at: at.Add(4 * time.Second)})
		x.lookUp(t, f, "", nil)
		pass(5 * time.Minute)
		got := x.next.bodies()
		if len(got) != 5 || got[0] != "{broken" || got[1] != " " || !strings.Contains(got[2], `"EventId":"c"`) || !strings.Contains(got[3], "Records") || got[4] != event("e") {
			t.Errorf("%q", got)
		}
	})
}

func TestHistoryExcluded(t *testing.T) {
	inBubble(t, func(t *testing.T, x *fixture, f *eventHistory) {
		alice := happened("alice", 7, time.Now().Add(-10*time.Minute), time.Second)
		bob := shown{id: "bob", body: strings.ReplaceAll(event("bob"), `user\/alice`, `user\/bob`), at: time.Now().UTC().Add(-5 * time.Minute).Truncate(time.Second)}
		f.add(append(alice, bob)...)
		x.lookUp(t, f, "exclude_principals: ['arn:aws:iam::111122223333:user/alice']\n", nil)
		pass(2 * time.Hour)
		wantBodies(t, x.next.bodies(), []string{bob.body,
			`{"excluded":{"events":7,"file":"lookup://eu-central-1","principals":[{"arn":"arn:aws:iam::111122223333:user/alice","events":7}]}}`})
	})
}

// Whoever was away for longer than CloudTrail keeps events says so.
func TestHistoryExpired(t *testing.T) {
	inBubble(t, func(t *testing.T, x *fixture, f *eventHistory) {
		stop := x.lookUp(t, f, "", nil)
		pass(2 * time.Hour)
		stop()
		f.add(happened("lost", 1, time.Now(), 0)...)
		pass(100 * 24 * time.Hour)
		f.mu.Lock()
		f.events = nil
		f.mu.Unlock()
		kept := happened("kept", 3, time.Now().Add(-80*24*time.Hour), time.Hour)
		f.add(kept...)
		x.lookUp(t, f, "", nil)
		pass(time.Hour)
		got := x.next.bodies()
		if len(got) != 4 || !strings.HasPrefix(got[0], `{"gap":{"file":"lookup://eu-central-1","from":"2000-`) ||
			!strings.Contains(got[0], "does not hold these days any more") {
			t.Fatalf("%q", got)
		}
		wantBodies(t, got[1:], bodiesOf(kept))
		if lost := x.next.counted().Lost; lost != 1 {
			t.Errorf("lost: %d", lost)
		}
	})
}

func TestHistoryFrom(t *testing.T) {
	inBubble(t, func(t *testing.T, x *fixture, f *eventHistory) {
		all := happened("e", 10, time.Now().Add(-10*24*time.Hour), 24*time.Hour)
		f.add(all...)
		from := time.Now().Add(-5 * 24 * time.Hour)
		stop := x.lookUp(t, f, "", func(h *history) { h.from = from })
		pass(time.Hour)
		wantBodies(t, x.next.bodies(), bodiesOf(all[5:]))
		stop()
		x.lookUp(t, f, "", nil) // The position counts, once there is one.
		pass(time.Hour)
		wantBodies(t, x.next.bodies(), bodiesOf(all[5:]))
	})
}

// Damaged positions cost a second reading, not an event.
func TestHistoryDamagedPositions(t *testing.T) {
	for _, key := range []string{"lookup/1/eu-central-1", "lookup/1/eu-central-1/open", "bucket"} {
		t.Run(key, func(t *testing.T) {
			inBubble(t, func(t *testing.T, x *fixture, f *eventHistory) {
				all := happened("e", 12, time.Now().Add(-30*time.Minute), time.Minute)
				f.add(all...)
				stop := x.lookUp(t, f, "", nil)
				pass(5 * time.Minute)
				stop()
				for stored := range x.store.data {
					if key == "bucket" && strings.Count(stored, "/") == 3 {
						x.store.data[stored] = []byte("short")
					}
				}
				if key != "bucket" {
					x.store.data[key] = []byte("{")
				}
				more := happened("more", 3, time.Now().Add(-time.Minute), time.Second)
				f.add(more...)
				x.lookUp(t, f, "", nil)
				pass(time.Hour)
				for _, want := range bodiesOf(slices.Concat(all, more)) {
					if !slices.Contains(x.next.bodies(), want) {
						t.Errorf("lost: %s", want)
					}
				}
			})
		})
	}
}
