package awscloudtrailreceiver

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"go.opentelemetry.io/collector/component"

	"github.com/otelcol-custody/custody/internal/awstest"
	"github.com/otelcol-custody/custody/internal/contents"
)

// startLookup runs a receiver against a server, as a configuration would.
func (x *fixture) startLookup(t *testing.T, server *awstest.CloudTrail, lookup string) *cloudTrail {
	t.Helper()
	cfg, err := configFrom(fmt.Sprintf("storage: file_storage/positions\nregion: %s\nendpoint: %s\naccess_key_id: %s\nsecret_access_key: %s\nlookup: %s\n",
		awstest.Region, server.Endpoint, awstest.AccessKey, awstest.SecretKey, lookup))
	if err != nil {
		t.Fatal(err)
	}
	r, err := newReceiver(cfg, x.set, x.next)
	if err != nil {
		t.Fatal(err)
	}
	r.retry = contents.Backoff{Initial: 10 * time.Millisecond, Max: 50 * time.Millisecond}
	x.host = &testHost{extensions: map[component.ID]component.Component{storageID: x.store}}
	if err := r.Start(context.Background(), x.host); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { shutdown(t, r) })
	return r
}

// The wire: pages, tokens, a server that throttles and one that breaks.
func TestLookupFromServer(t *testing.T) {
	server := awstest.NewCloudTrail(t, awstest.CloudTrailOptions{PerSecond: callsPerSecond})
	var want []string
	for i, e := range happened("e", 120, time.Now().Add(-30*time.Minute), 10*time.Second) {
		// What JSON has to escape on the wire is the event's own all the same.
		e.body = strings.Replace(e.body, `"unknown":1`, "\"unknown\":\"\u2028 \\u00e9 é <&> \\\\\"", 1)
		server.AddEvents(types.Event{EventId: &e.id, EventTime: &e.at, CloudTrailEvent: aws.String(e.body)})
		if i >= 60 {
			want = append(want, e.body)
		}
	}
	server.SetFault(func(c awstest.Call) error {
		switch c.Number {
		case 1:
			return awstest.Unavailable()
		case 3:
			return awstest.ErrAnswerLost
		}
		return nil
	})
	x := newFixture(t)
	x.startLookup(t, server, fmt.Sprintf("{from: %q, poll_interval: 10ms}", time.Now().Add(-20*time.Minute-time.Second).Format(time.RFC3339)))
	settles(t, "bodies", x.next.bodies, want)
	if got, want := server.Actions(), []string{"cloudtrail:LookupEvents"}; !slices.Equal(got, want) {
		t.Errorf("calls are %q, want %q", got, want)
	}
}

// `lookup: {}` is all that it takes.
func TestLookupAlone(t *testing.T) {
	server := awstest.NewCloudTrail(t, awstest.CloudTrailOptions{})
	x := newFixture(t)
	r := x.startLookup(t, server, "{}")
	until(t, "two calls", func() bool { return len(server.Calls()) > 1 })
	if len(r.sources) == 0 {
		t.Error("no source")
	}
}

func TestLookupRegions(t *testing.T) {
	cfg, err := configFrom("storage: file_storage/positions\nlookup: {regions: [us-east-1, eu-central-1, us-east-1]}\naccess_key_id: a\nsecret_access_key: b\n")
	if err != nil {
		t.Fatal(err)
	}
	x := newFixture(t)
	r, err := newReceiver(cfg, x.set, x.next)
	if err != nil {
		t.Fatal(err)
	}
	r.positions = x.store
	t.Setenv("AWS_REGION", "")
	sources, err := r.newSources(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	var regions []string
	for _, s := range sources {
		if l, ok := s.(*lookup); ok {
			for _, h := range l.histories {
				regions = append(regions, h.region)
			}
		}
	}
	if want := []string{"eu-central-1", "us-east-1"}; !slices.Equal(regions, want) {
		t.Errorf("regions are %q, want %q", regions, want)
	}
}

func TestLookupConfig(t *testing.T) {
	cfg, err := configFrom("storage: file_storage\nlookup: {}\n")
	if err != nil || !cfg.Lookup.HasValue() || cfg.Lookup.Get().PollInterval != time.Minute {
		t.Errorf("lookup: {}: %+v: %v", cfg, err)
	}
	for _, from := range []string{"2026-11-01", "2026-11-01T12:00:00+02:00"} {
		if _, err := configFrom("storage: file_storage\nlookup: {from: '" + from + "'}\n"); err != nil {
			t.Error(err)
		}
	}
	_, err = configFrom("storage: file_storage\nlookup: {regions: [Frankfurt], from: yesterday, poll_interval: 0s}\n")
	for _, want := range []string{`lookup: regions: want the name of a region such as eu-central-1, got "Frankfurt"`, "from: want", "poll_interval: must be positive, got 0s"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error does not say %q: %v", want, err)
		}
	}
}
