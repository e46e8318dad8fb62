package e2e

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/otelcol-custody/custody/store/storetest/servers"
)

// soakTime is how long [TestNobodyIsAccused] lasts: half a minute, or as long as
// CUSTODY_SOAK says. Only then do clocks jump: that takes a build of its own.
func soakTime(t *testing.T) (d time.Duration, clocks bool) {
	t.Helper()
	text := os.Getenv("CUSTODY_SOAK")
	if text == "" {
		return 30 * time.Second, false
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		t.Fatalf("CUSTODY_SOAK=%s is not a duration, such as 1h", text)
	}
	return d, true
}

// A gateway stores in three stores, and it and a judge beside it watch them and
// each other. The ways to the stores flap, a store is killed, both programs are
// killed and stopped and started again, and their clocks jump. They accuse nobody;
// in the end nothing that they said stands, and everything is stored thrice.
func TestNobodyIsAccused(t *testing.T) {
	long, clocks := soakTime(t)
	s := newUnrest(t, clocks)
	l := startPacedLoad(t, s.book, s.gateway.home, "s", 100*time.Millisecond)
	for began := time.Now(); time.Since(began) < long; s.rounds++ {
		s.disturb()
		time.Sleep(time.Duration(2+s.rng.IntN(10)) * time.Second)
		for _, p := range s.parties {
			p.listen(t)
		}
	}
	l.stop()
	s.calm()
	for _, p := range s.parties {
		p.c.stop(t)
		p.said(t)
	}
	s.stored()
	for _, p := range s.parties {
		t.Logf("%s: %d starts, %d clock jumps; incidents, of which none is tampering: %v", p.name, p.starts, p.jumps, p.kinds())
	}
	t.Logf("%d rounds, %d records answered, %v", s.rounds, s.book.answers(), long)
}

// A party is a program that watches, with what it said so far.
type party struct {
	name, bin string
	home      *home
	overlays  []string
	api       string
	clock     clock
	c         *collector
	seen      map[string]incidentSeen

	starts, jumps int
}

type incidentSeen struct {
	ID, Kind, Severity, Message string
	Resolved                    *time.Time
	Place                       struct{ Store, Object string }
}

// launch starts it; the gateway by the quickstart, the judge by its own files alone.
func (p *party) launch(t *testing.T) {
	t.Helper()
	p.starts++
	args := p.home.args(t, p.overlays...)
	if p.name == "judge" {
		args = args[4:] // Without the quickstart, and what lays it over.
	}
	t.Setenv(clockEnv, p.clock.file)
	p.c = launchAs(t, p.home, p.bin, append([]string{"--plain"}, args...))
}

// said wants that it has accused nobody since it was started.
func (p *party) said(t *testing.T) {
	t.Helper()
	for line := range strings.Lines(p.c.log.String()) {
		if strings.Contains(line, "TAMPERING") {
			t.Errorf("%s: %s", p.name, line)
		}
	}
}

// listen takes the incidents.
func (p *party) listen(t *testing.T) (all []incidentSeen) {
	t.Helper()
	var doc struct{ Findings []incidentSeen }
	if !answer(t, p.api, "/v1/findings?limit=1000", &doc) {
		return nil
	}
	for _, i := range doc.Findings {
		if p.seen[i.ID].ID == "" && i.Severity == "tampering" {
			t.Errorf("%s accuses: %+v", p.name, i)
		}
		p.seen[i.ID] = i
	}
	return doc.Findings
}

func (p *party) kinds() map[string]int {
	n := map[string]int{}
	for _, i := range p.seen {
		n[i.Kind]++
	}
	return n
}

// restart ends it, well or not, and starts it again after a while.
func (p *party) restart(t *testing.T, rng *rand.Rand) {
	t.Helper()
	if rng.IntN(2) == 0 {
		p.c.signal(t, syscall.SIGTERM)
		p.c.exit(t) // With a store that hangs it may exit with an error, and says so.
	} else {
		p.c.kill()
	}
	p.said(t)
	time.Sleep(time.Duration(rng.IntN(5000)) * time.Millisecond)
	p.launch(t)
}

// settled says that it has verified all that it sees, in every store, has read it
// again since that time, and that nothing stands but what the log says of itself.
func (p *party) settled(t *testing.T, since time.Time) error {
	t.Helper()
	var doc struct {
		Coverage []struct {
			Store, Log  string
			OldestRead  time.Time  `json:"oldest_read"`
			UnreadSince *time.Time `json:"unread_since"`
		}
	}
	if !answer(t, p.api, "/v1/coverage", &doc) || len(doc.Coverage) != 3 {
		return fmt.Errorf("it does not tell of three stores: %+v", doc)
	}
	for _, c := range doc.Coverage {
		if c.UnreadSince != nil || c.OldestRead.Before(since) {
			return fmt.Errorf("not everything was read again since %v: %+v", since, c)
		}
	}
	for _, i := range p.listen(t) {
		if i.Resolved == nil && i.Kind != "clock-back" && i.Kind != "unfenced" {
			return fmt.Errorf("it still says %s, since there is %s at %+v", i.Kind, i.Message, i.Place)
		}
	}
	return nil
}

// unrest is a gateway and a judge that are not left in peace.
type unrest struct {
	t              *testing.T
	rng            *rand.Rand
	book           *book
	clouds         *clouds
	flaps          []*flap
	gateway, judge *party
	parties        []*party
	clocks         bool
	pass           time.Duration // of the rolling schedule

	rounds int
}

func newUnrest(t *testing.T, clocks bool) *unrest {
	t.Helper()
	s := &unrest{t: t, rng: dice(t), book: newBook(), clouds: newClouds(t), clocks: clocks, pass: 20 * time.Second}
	bin := collectorBin
	if clocks {
		bin, s.pass = withClock(t), 3*time.Minute
	}
	s.gateway = &party{name: "gateway", home: newHome(t, ""), api: freeEndpoint(t)}
	s.judge = &party{name: "judge", home: newHome(t, ""), api: freeEndpoint(t)}
	s.parties = []*party{s.gateway, s.judge}
	s.gateway.overlays = []string{
		s.ways().overlay(s.gateway.home), // The exporters go another way than those who watch.
		s.watching(s.gateway, s.judge),
		`
processors: {hash_chain: {min_stores: 1, segment: {max_age: 2s}}}
service:
  extensions: [health_check, file_storage/positions, integrity]
  pipelines: {logs: {receivers: [aws_cloudtrail, otlp, integrity_events]}}
`}
	s.judge.overlays = []string{s.watching(s.judge, s.gateway), fmt.Sprintf(`
exporters: {otlp_http: {endpoint: %q, compression: none, sending_queue: {enabled: false}}}
service:
  extensions: [integrity]
  telemetry: {metrics: {readers: [{pull: {exporter: {prometheus: {host: 127.0.0.1, port: %s}}}}]}}
  pipelines: {logs: {receivers: [integrity_events], exporters: [otlp_http]}}
`, newSIEM(t).endpoint, s.judge.home.metricsPort)}
	for _, p := range s.parties {
		p.bin, p.clock, p.seen = bin, newClock(t, p.home.dir), map[string]incidentSeen{}
		p.launch(t)
	}
	return s
}

// ways opens a new way to each store.
func (s *unrest) ways() *clouds {
	s3, gcs, azure := newFlap(s.t, s.clouds.s3.Endpoint), newFlap(s.t, byName(s.t, s.clouds.gcs.Endpoint)), newFlap(s.t, s.clouds.azure.AccountURL)
	s.flaps = append(s.flaps, s3, gcs, azure)
	c := clouds{new(servers.S3), new(servers.GCS), new(servers.Azure)}
	*c.s3, *c.gcs, *c.azure = *s.clouds.s3, *s.clouds.gcs, *s.clouds.azure
	c.s3.Endpoint, c.gcs.Endpoint, c.azure.AccountURL = s3.url, gcs.url, azure.url
	return &c
}

// watching is the extension, which watches the stores and another one.
func (s *unrest) watching(p, peer *party) string {
	c := s.ways()
	return fmt.Sprintf(`
receivers: {integrity_events: {}}
extensions:
  integrity:
    state_dir: %q
    log_keys: [%q]
    poll_interval: 1s
    full_pass_every: %[13]v
    behind_after: 1m
    stores:
      s3: {endpoint: %[3]q, path_style: true, region: us-east-1, bucket: %[4]s, prefix: custody, access_key_id: %[5]q, secret_access_key: %[6]q, retention: {mode: compliance, days: 1}}
      gcs: {endpoint: %[7]q, anonymous: true, bucket: %[4]s, prefix: custody, require_lock: false}
      azureblob: {account_url: %[8]q, auth: {shared_key: {account: %[9]q, key: %[10]q}}, container: %[4]s, prefix: custody, require_lock: false}
    http: {endpoint: %[11]q}
    peers: [{endpoint: "http://%[12]s"}]
`, p.home.path("integrity"), s.gateway.home.pub(), c.s3.Endpoint, container, c.s3.AccessKey, c.s3.SecretKey,
		c.gcs.Endpoint, c.azure.AccountURL, c.azure.Account, c.azure.Key, p.api, peer.api, s.pass)
}

// disturb does one thing or another.
func (s *unrest) disturb() {
	for _, f := range s.flaps {
		f.any(s.rng)
	}
	p := s.parties[s.rng.IntN(len(s.parties))]
	switch s.rng.IntN(8) {
	case 0, 1:
		p.restart(s.t, s.rng)
	case 2, 3:
		if s.clocks {
			p.jumps++
			p.clock.set(s.t, time.Duration(s.rng.IntN(3600)-1800)*time.Second)
		}
	case 4:
		s.clouds.s3.Kill()
		time.Sleep(time.Duration(s.rng.IntN(5000)) * time.Millisecond)
		s.clouds.s3.Restart()
	}
	for _, p := range s.parties {
		select {
		case <-p.c.done:
			s.t.Fatalf("the %s ended by itself, with %d: %s", p.name, p.c.cmd.ProcessState.ExitCode(), crash(p.c.log.String()))
		default:
		}
	}
}

// crash is how the report of a crash begins, of which a log shows only the end.
func crash(log string) string {
	for _, word := range []string{"fatal error:", "panic:", "SIGQUIT"} {
		if _, report, found := strings.Cut(log, word); found {
			return word + report[:min(len(report), 4000)]
		}
	}
	return tail(log)
}

// calm ends the unrest, and waits until both have seen everything again.
func (s *unrest) calm() {
	s.t.Helper()
	for _, f := range s.flaps {
		f.is(well)
	}
	for _, p := range s.parties {
		p.clock.set(s.t, 0)
	}
	began := time.Now()
	var last error
	for time.Since(began) < 20*s.pass {
		last = nil
		for _, p := range s.parties {
			if err := p.settled(s.t, began); err != nil {
				last = fmt.Errorf("%s: %w", p.name, err)
			}
		}
		if last == nil {
			return
		}
		time.Sleep(time.Second)
	}
	s.t.Errorf("not settled after %v of peace: %v", 20*s.pass, last)
}

// stored wants every answered record in every store, and the same bytes in all.
func (s *unrest) stored() {
	s.t.Helper()
	h := s.gateway.home
	dirs := s.clouds.fetched(s.t, h)
	want := objectSums(s.t, dirs["s3"])
	for name, dir := range dirs {
		verify(s.t, 0, dir, h.pub())
		if got := objectSums(s.t, dir); !maps.Equal(got, want) {
			s.t.Errorf("%s holds %d objects and s3 %d, and they are not the same", name, len(got), len(want))
		}
	}
	s.book.check(s.t, readStore(s.t, dirs["s3"]))
	s.t.Logf("%d objects in each store", len(want))
}
