package integrity

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/otelcol-custody/custody/internal/durable"
	"github.com/otelcol-custody/custody/internal/integrity/incident"
	mem "github.com/otelcol-custody/custody/internal/integrity/memory"
	"github.com/otelcol-custody/custody/ledger/ledgertest"
	"github.com/otelcol-custody/custody/ledger/record"
	"github.com/otelcol-custody/custody/ledger/seal"
	"github.com/otelcol-custody/custody/store"
	"github.com/otelcol-custody/custody/store/storetest"
)

// enough is an Observer that waits for a number of records.
type enough struct {
	nobody
	left chan int
}

func (e enough) Checked(_ string, v *seal.Verified, _ []byte, _ bool) { e.left <- v.Count }

// BenchmarkGuard reads a log of records as large as a common audit event, from a
// store that takes no time.
func BenchmarkGuard(b *testing.B) {
	const segments, perSegment = 8, 10_000
	l := ledgertest.NewLog("test", ledgertest.Signer(b, origin))
	m, total := storetest.NewMemory("bench"), 0
	for range segments {
		s := l.Extend(b, events(b, l.Size(), perSegment-1), nil)
		m.Shadow(segmentOf(s), s.Object)
		for _, tile := range s.Tiles {
			if tile.Level > 0 {
				m.Shadow(fmt.Sprintf("test/tiles/%d/%020d.tile", tile.Level, tile.Index), tile.Bytes())
			}
		}
		m.Shadow(sealOf(s), s.Seal.Bytes())
		for _, line := range s.Lines {
			total += len(line) + 1
		}
	}
	for _, workers := range []int{1, runtime.GOMAXPROCS(0)} {
		b.Run(fmt.Sprintf("workers=%d", workers), func(b *testing.B) {
			b.SetBytes(int64(total))
			for b.Loop() {
				readOnce(b, m, workers, segments*perSegment)
			}
			b.ReportMetric(float64(segments*perSegment*b.N)/b.Elapsed().Seconds(), "records/s")
		})
	}
}

func readOnce(b *testing.B, s store.Store, workers, records int) {
	heads, err := mem.Open(durable.OS, b.TempDir(), ledgertest.Keys(b, ledgertest.Signer(b, origin)))
	if err != nil {
		b.Fatal(err)
	}
	defer heads.Close()
	seen := enough{left: make(chan int, 1024)}
	book := &notebook{now: time.Now, open: map[string]found{}}
	g, err := New(Config{Sources: []Source{{ID: s.ID(), Open: func(context.Context) (store.Store, error) { return s, nil }}},
		Keys: ledgertest.Keys(b, ledgertest.Signer(b, origin)), Dir: b.TempDir(), Workers: workers, Book: book, Heads: heads, Observer: seen})
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(b.Context())
	done := make(chan error)
	go func() { done <- g.Run(ctx) }()
	for records > 0 {
		records -= <-seen.left
	}
	cancel()
	if err := <-done; err != nil {
		b.Fatal(err)
	}
	if found := book.standing(incident.Late); len(found) > 0 {
		b.Fatal(found)
	}
}

func events(b *testing.B, from uint64, n int) [][]byte {
	var lines [][]byte
	for i := range n {
		id := fmt.Sprintf("%08x-2222-4333-8444-%012x", uint32(from+uint64(i))*2654435761, from+uint64(i))
		body := `{"eventVersion":"1.09","userIdentity":{"type":"AssumedRole","arn":"arn:aws:sts::111122223333:assumed-role/deployer/` + id[:8] + `"},` +
			strings.Repeat(`"requestParameters":{"bucketName":"example-bucket","key":"reports/`+id+`.csv"},`, 8) + `"eventID":"` + id + `"}`
		line, err := record.AppendLine(nil, &record.Record{Body: record.StringValue(body), Time: uint64(ledgertest.Began.UnixNano()) + from + uint64(i), EventName: "aws.cloudtrail.event"})
		if err != nil {
			b.Fatal(err)
		}
		lines = append(lines, line)
	}
	return lines
}
