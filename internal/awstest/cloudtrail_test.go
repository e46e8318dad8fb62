package awstest

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
)

func event(id int, at time.Time) types.Event {
	return types.Event{
		EventId: aws.String(fmt.Sprintf("%04d", id)), EventTime: &at, EventName: aws.String([]string{"PutObject", "GetObject"}[id%2]),
		EventSource: aws.String("s3.amazonaws.com"), CloudTrailEvent: aws.String(fmt.Sprintf(`{"eventID":"%04d"}`, id)),
	}
}

func ids(events []types.Event) (all []string) {
	for _, e := range events {
		all = append(all, *e.EventId)
	}
	return all
}

func TestLookupEvents(t *testing.T) {
	clock := NewClock(noon)
	c := NewCloudTrail(t, CloudTrailOptions{Clock: clock})
	client := c.Client()
	for i := range 120 { // Two of each second: the oldest first.
		c.AddEvents(event(i, noon.Add(time.Duration(i/2-1000)*time.Second)))
	}
	c.AddEvents(event(9999, noon.Add(-historyKept-time.Second)))
	in := &cloudtrail.LookupEventsInput{StartTime: aws.Time(noon.Add(-200 * 24 * time.Hour)), EndTime: &noon}
	var all []types.Event
	pages := 0
	for {
		out, err := client.LookupEvents(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		all, pages = append(all, out.Events...), pages+1
		if in.NextToken = out.NextToken; in.NextToken == nil {
			break
		}
		c.AddEvents(event(5000+pages, noon)) // What comes meanwhile moves no page.
	}
	if pages != 3 || len(all) != 120 {
		t.Errorf("%d pages, %d events", pages, len(all))
	}
	got := ids(all)
	slices.Sort(got)
	if len(slices.Compact(got)) != 120 || got[0] != "0000" || !slices.IsSortedFunc(all, newestFirst) {
		t.Errorf("%v", got)
	}
	if *all[0].CloudTrailEvent != `{"eventID":"0118"}` || !all[0].EventTime.Equal(noon.Add(-941*time.Second)) {
		t.Errorf("newest: %s %v", *all[0].CloudTrailEvent, all[0].EventTime)
	}

	few, err := client.LookupEvents(t.Context(), &cloudtrail.LookupEventsInput{
		StartTime: aws.Time(noon.Add(-1000 * time.Second)), EndTime: aws.Time(noon.Add(-999 * time.Second)), MaxResults: aws.Int32(3),
	})
	if err != nil || fmt.Sprint(ids(few.Events)) != "[0002 0003 0000]" {
		t.Errorf("both ends are within: %v, %v", ids(few.Events), err)
	}
	named, err := client.LookupEvents(t.Context(), &cloudtrail.LookupEventsInput{
		EndTime:          aws.Time(noon.Add(-time.Second)),
		LookupAttributes: []types.LookupAttribute{{AttributeKey: types.LookupAttributeKeyEventName, AttributeValue: aws.String("PutObject")}},
	})
	if err != nil || len(named.Events) != 50 || *named.Events[0].EventName != "PutObject" || *named.Events[1].EventName != "PutObject" {
		t.Errorf("by name: %v, %v", ids(named.Events), err)
	}
	var token *types.InvalidNextTokenException
	if _, err := client.LookupEvents(t.Context(), &cloudtrail.LookupEventsInput{NextToken: named.NextToken}); !errors.As(err, &token) {
		t.Errorf("another's token: %v", err)
	}
	var turned *types.InvalidTimeRangeException
	if _, err := client.LookupEvents(t.Context(), &cloudtrail.LookupEventsInput{StartTime: &noon, EndTime: aws.Time(noon.Add(-time.Second))}); !errors.As(err, &turned) {
		t.Errorf("turned around: %v", err)
	}
	var much *types.InvalidMaxResultsException
	if _, err := client.LookupEvents(t.Context(), &cloudtrail.LookupEventsInput{MaxResults: aws.Int32(51)}); !errors.As(err, &much) {
		t.Errorf("51 results: %v", err)
	}
}

func TestLookupRate(t *testing.T) {
	clock := NewClock(noon)
	c := NewCloudTrail(t, CloudTrailOptions{Clock: clock, PerSecond: 2})
	client := c.Client()
	var got []string
	for _, wait := range []time.Duration{0, 0, 0, 999 * time.Millisecond, time.Millisecond, 0, 0} {
		clock.Advance(wait)
		_, err := client.LookupEvents(t.Context(), &cloudtrail.LookupEventsInput{})
		got = append(got, code(err))
	}
	want := "[<nil> <nil> ThrottlingException ThrottlingException <nil> <nil> ThrottlingException]"
	if fmt.Sprint(got) != want {
		t.Errorf("got %v", got)
	}
	c.SetFault(func(call Call) error { return AccessDenied() })
	if _, err := client.ListPublicKeys(t.Context(), &cloudtrail.ListPublicKeysInput{}); code(err) != "AccessDenied" {
		t.Error(err)
	}
	if fmt.Sprint(c.Actions()) != "[cloudtrail:ListPublicKeys cloudtrail:LookupEvents]" {
		t.Error(c.Actions())
	}
}

func TestListPublicKeys(t *testing.T) {
	c := NewCloudTrail(t, CloudTrailOptions{Clock: NewClock(noon)})
	day := 24 * time.Hour
	for i, name := range []string{"old", "both", "new"} {
		from := noon.Add(time.Duration(i-2) * 10 * day)
		c.AddKeys(types.PublicKey{
			Fingerprint: aws.String(name), Value: []byte{0, byte(i), 255},
			ValidityStartTime: aws.Time(from), ValidityEndTime: aws.Time(from.Add(15 * day)),
		})
	}
	for want, in := range map[string]*cloudtrail.ListPublicKeysInput{
		"[both new]":     {},
		"[old]":          {StartTime: aws.Time(noon.Add(-30 * day)), EndTime: aws.Time(noon.Add(-15 * day))},
		"[old both]":     {StartTime: aws.Time(noon.Add(-7 * day)), EndTime: aws.Time(noon.Add(-6 * day))},
		"[old both new]": {StartTime: aws.Time(noon.Add(-7 * day))},
		"[]":             {StartTime: aws.Time(noon.Add(-40 * day)), EndTime: aws.Time(noon.Add(-30 * day))},
	} {
		out, err := c.Client().ListPublicKeys(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, k := range out.PublicKeyList {
			got = append(got, *k.Fingerprint)
			if len(k.Value) != 3 || k.Value[2] != 255 || k.ValidityEndTime.Sub(*k.ValidityStartTime) != 15*day {
				t.Errorf("%+v", k)
			}
		}
		if fmt.Sprint(got) != want {
			t.Errorf("got %v, want %s", got, want)
		}
	}
}
