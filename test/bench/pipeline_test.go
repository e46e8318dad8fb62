package bench

import (
	"context"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/processor/processortest"
	"go.opentelemetry.io/collector/receiver/otlpreceiver"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/otelcol-custody/custody/exporter/filewormexporter"
	"github.com/otelcol-custody/custody/ledger/checkpoint"
	"github.com/otelcol-custody/custody/processor/hashchainprocessor"
)

// Batches of 512 records, as OTLP senders make them.
const perRequest = 512

// BenchmarkWholePath measures records from OTLP/gRPC requests on loopback until
// the sender is answered, which is after the journal's fsync; sealing, storing in a
// directory, and the sender's own work run beside it on the same machine.
func BenchmarkWholePath(b *testing.B) {
	client := connect(b, nil)
	requests, size := requestsOf(b, perRequest)
	b.SetBytes(int64(size / perRequest))
	b.ReportAllocs()
	b.ResetTimer()
	var next atomic.Int64
	var senders sync.WaitGroup
	for range 4 {
		senders.Go(func() {
			for i := next.Add(1); i*perRequest <= int64(max(b.N, perRequest)); i = next.Add(1) {
				if _, err := client.Export(b.Context(), requests[int(i)%len(requests)]); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	senders.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
}

// requestsOf are a few different requests of so many records, and the size of one.
func requestsOf(b *testing.B, records int) (requests []plogotlp.ExportRequest, size int) {
	b.Helper()
	for i := range uint64(16) {
		proto, n, err := request(rand.New(rand.NewPCG(1, i)), records)
		if err != nil {
			b.Fatal(err)
		}
		r := plogotlp.NewExportRequest()
		if err := r.UnmarshalProto(proto); err != nil {
			b.Fatal(err)
		}
		requests, size = append(requests, r), n
	}
	return requests, size
}

// connect starts a pipeline, with settings of hash_chain, and returns a client of
// its receiver.
func connect(b *testing.B, settings map[string]any) plogotlp.GRPCClient {
	b.Helper()
	endpoint := startPipeline(b, settings)
	conn, err := grpc.NewClient(endpoint, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = conn.Close() })
	return plogotlp.NewGRPCClient(conn)
}

// startPipeline runs otlp, hash_chain and file_worm until the benchmark ends, and
// returns the receiver's address.
func startPipeline(b *testing.B, settings map[string]any) string {
	b.Helper()
	dir := b.TempDir()
	key, pub := filepath.Join(dir, "log.key"), filepath.Join(dir, "log.pub")
	skey, vkey, err := checkpoint.GenerateKey(strings.NewReader(strings.Repeat("k", 64)), "custody.example/bench")
	if err != nil {
		b.Fatal(err)
	}
	write(b, key, skey)
	write(b, pub, vkey)

	ef := filewormexporter.NewFactory()
	ec := configure(b, ef.CreateDefaultConfig(), map[string]any{"path": filepath.Join(dir, "store"), "log_keys": []any{pub}, "immutable": "off"})
	exporter, err := ef.CreateLogs(b.Context(), exportertest.NewNopSettings(ef.Type()), ec)
	run(b, exporter, err)

	pf := hashchainprocessor.NewFactory()
	pc := configure(b, pf.CreateDefaultConfig(), map[string]any{
		"log": "bench", "state_dir": filepath.Join(dir, "state"), "key": map[string]any{"file": key}, "on_missing_head": "genesis"})
	pc = configure(b, pc, settings)
	processor, err := pf.CreateLogs(b.Context(), processortest.NewNopSettings(pf.Type()), pc, exporter)
	run(b, processor, err)

	endpoint := freePort(b)
	rf := otlpreceiver.NewFactory()
	rc := configure(b, rf.CreateDefaultConfig(), map[string]any{"protocols": map[string]any{"grpc": map[string]any{"endpoint": endpoint}}})
	receiver, err := rf.CreateLogs(b.Context(), receivertest.NewNopSettings(rf.Type()), rc, processor)
	run(b, receiver, err)
	return endpoint
}

func write(b *testing.B, path, text string) {
	b.Helper()
	if err := os.WriteFile(path, []byte(text+"\n"), 0o600); err != nil {
		b.Fatal(err)
	}
}

func configure(b *testing.B, cfg component.Config, settings map[string]any) component.Config {
	b.Helper()
	if err := confmap.NewFromStringMap(settings).Unmarshal(cfg); err != nil {
		b.Fatal(err)
	}
	return cfg
}

// run starts a component and stops it when the benchmark ends, in the collector's
// order: the last one started is stopped first.
func run(b *testing.B, c component.Component, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
	if err := c.Start(b.Context(), componenttest.NewNopHost()); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := c.Shutdown(ctx); err != nil {
			b.Error(err)
		}
	})
}

func freePort(b *testing.B) string {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}
