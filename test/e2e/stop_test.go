package e2e

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/otelcol-custody/custody/store/storetest/servers"
	"github.com/otelcol-custody/custody/store/storetest/wire"
)

// hung is what the collector says when its stop does not end by itself.
const hung = "something still hangs"

// stopIn sends SIGTERM, wants this exit status, and says how long it took.
func (c *collector) stopIn(t *testing.T, want int) time.Duration {
	t.Helper()
	begin := time.Now()
	c.signal(t, syscall.SIGTERM)
	if code := c.exit(t); code != want {
		t.Fatalf("exit status %d after SIGTERM, want %d", code, want)
	}
	t.Logf("stopped in %v", time.Since(begin))
	return time.Since(begin)
}

// A store that takes connections and never answers does not keep the collector,
// nor those who wait for what is stored there. The next start delivers the rest.
func TestStopWhileAStoreHangs(t *testing.T) {
	h := newHome(t, "")
	c := &clouds{s3: servers.Versity(t)}
	c.s3.Bucket(t, container, true)
	direct := c.s3.Endpoint
	proxy := wire.NewProxy(t, direct)
	c.s3.Endpoint = proxy.URL
	overlay := c.s3Exporter(h) + `
processors: {hash_chain: {ack: stored, min_stores: 2}}
service: {pipelines: {logs: {exporters: [file_worm, s3_worm]}}}
`
	col := start(t, h, overlay)
	b, s := newBook(), byGRPC(t, h.grpc)
	if err := b.deliver(t.Context(), s, []string{"well"}, 400); err != nil {
		t.Fatal(err)
	}
	proxy.Inject(wire.Fault{Action: wire.Hang()})
	asked := len(proxy.Requests())
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			defer cancel()
			id := fmt.Sprintf("waits-%d", i)
			b.note([]string{id}, false)
			if err := s(ctx, request([]string{id}, 400)); status.Code(err) != codes.Unavailable {
				t.Errorf("%s was answered: %v", id, err)
			}
		})
	}
	eventually(t, "a request that hangs", func() bool { return len(proxy.Requests()) > asked })
	col.stopIn(t, 0)
	wg.Wait()
	if said := col.log.String(); strings.Contains(said, hung) {
		t.Error("the stop did not end by itself")
	}

	proxy.Heal()
	start(t, h, overlay).stop(t)
	verify(t, 0, h.store(), h.pub())
	b.check(t, readStore(t, h.store()))
	c.s3.Endpoint = direct
	c.fetch(t, "s3", h.path("fetched")).want(t, 0)
	if !maps.Equal(objectSums(t, h.store()), objectSums(t, h.path("fetched"))) {
		t.Error("the stores hold different objects")
	}
}

// A client that never ends its request would keep the collector for ever: it is
// ended in time, says so, and nothing that was answered is lost.
func TestStopWhileAClientHangs(t *testing.T) {
	t.Parallel()
	h := newHome(t, "")
	col := start(t, h)
	b, s := newBook(), byGRPC(t, h.grpc)
	for i := range 20 {
		if err := b.deliver(t.Context(), s, []string{fmt.Sprintf("a-%d", i)}, 400); err != nil {
			t.Fatal(err)
		}
	}
	conn, err := net.Dial("tcp", h.http)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "POST /v1/logs HTTP/1.1\r\nHost: custody\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Second) // Until the request is being read.
	took := col.stopIn(t, 1)
	if said := col.log.String(); !strings.Contains(said, hung) || !strings.Contains(said, "Nothing that was answered is lost") {
		t.Errorf("ended after %v, and it does not say why", took)
	}
	start(t, h).stop(t)
	verify(t, 0, h.store(), h.pub())
	b.check(t, readStore(t, h.store()))
}
