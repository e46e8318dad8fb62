package sealer

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/otelcol-custody/custody/internal/delivery"
	"github.com/otelcol-custody/custody/internal/durable"
	"github.com/otelcol-custody/custody/ledger/seal"
	"github.com/otelcol-custody/custody/ledger/tree"
)

// sink takes everything at once.
type sink struct{}

func (sink) Deliver(context.Context, *delivery.Objects) (int, int, error) { return 1, 1, nil }
func (sink) Probe(context.Context, *delivery.Probe) (int, int, error)     { return 1, 1, nil }
func (sink) Checkpoint(context.Context, []byte) error                     { return nil }
func (sink) Records(context.Context, *seal.Verified, *tree.Seed, []byte) error {
	return nil
}

// benchLines are lines of about 1.2 KB that compress as CloudTrail events do.
func benchLines(n int) [][]byte {
	rng := rand.New(rand.NewPCG(3, 4))
	names := []string{"AssumeRole", "GetObject", "PutObject", "DescribeInstances", "ListBuckets", "Decrypt", "CreateLogStream"}
	lines := make([][]byte, n)
	for i := range lines {
		event := fmt.Sprintf(`{"eventVersion":"1.11","userIdentity":{"type":"AssumedRole","principalId":"AROA%016X:session-%d","arn":"arn:aws:sts::111122223333:assumed-role/role-%d/session-%d","accountId":"111122223333","accessKeyId":"ASIA%016X","sessionContext":{"sessionIssuer":{"type":"Role","principalId":"AROA%016X","arn":"arn:aws:iam::111122223333:role/role-%d","accountId":"111122223333","userName":"role-%d"},"attributes":{"creationDate":"2031-02-03T04:05:%02dZ","mfaAuthenticated":"false"}}},"eventTime":"2031-02-03T04:05:%02dZ","eventSource":"s3.amazonaws.com","eventName":"%s","awsRegion":"eu-central-1","sourceIPAddress":"192.0.2.%d","userAgent":"aws-sdk-go-v2/1.30.%d os/linux lang/go#1.24","requestParameters":{"bucketName":"bucket-%d","key":"path/%x","Host":"bucket.s3.amazonaws.com"},"responseElements":null,"requestID":"%016X","eventID":"%08x-%04x-4%03x-8%03x-%012x","readOnly":true,"eventType":"AwsApiCall","managementEvent":false,"recipientAccountId":"111122223333","eventCategory":"Data"}`,
			rng.Uint64(), i, i%50, i, rng.Uint64(), rng.Uint64(), i%50, i%50, i%60, i%60, names[i%len(names)], i%250, i%9, i%20, rng.Uint64(), rng.Uint64(),
			rng.Uint32(), rng.Uint32N(1<<16), rng.Uint32N(1<<12), rng.Uint32N(1<<12), rng.Uint64N(1<<48))
		lines[i] = fmt.Appendf(nil, `{"body":%q,"time":"2031-02-03T04:05:%02d.000000000Z"}`, event, i%60)
	}
	return lines
}

func benchBatch(lines [][]byte) *Batch {
	b := &Batch{}
	for _, l := range lines {
		b.Add(l, "otlp", false)
	}
	return b
}

func benchConfig(b *testing.B) Config {
	c := testConfig(b)
	c.MaxBytes, c.Checkpoint, c.SpoolLimit = 16<<20, time.Second, 4<<30
	return c
}

func report(b *testing.B, records int, bytes int64) {
	b.ReportMetric(float64(records)/b.Elapsed().Seconds(), "records/s")
	b.ReportMetric(float64(bytes)/1e6/b.Elapsed().Seconds(), "MB/s")
}

// BenchmarkAppend is the way of batches of 512 records from several callers to
// their answer, with the press and the courier at work beside it, on a real disk.
// It ends when all is sealed.
func BenchmarkAppend(b *testing.B) {
	s := open(b, benchConfig(b), sink{})
	var batches []*Batch
	for lines := benchLines(32 * 512); len(lines) > 0; lines = lines[512:] {
		batches = append(batches, benchBatch(lines[:512]))
	}
	var next atomic.Int64
	b.ReportAllocs()
	b.SetParallelism(8)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := s.Append(context.Background(), batches[next.Add(1)%int64(len(batches))]); err != nil {
				b.Error(err)
				return
			}
		}
	})
	if err := s.Close(context.Background(), time.Minute); err != nil {
		b.Fatal(err)
	}
	report(b, b.N*512, int64(b.N)*int64(batches[0].Bytes()))
}

// BenchmarkBatch is the hashing of lines in the callers' goroutines.
func BenchmarkBatch(b *testing.B) {
	lines := benchLines(512)
	batch := benchBatch(lines)
	size := batch.Bytes()
	b.ReportAllocs()
	for b.Loop() {
		batch.Reset()
		for _, l := range lines {
			batch.Add(l, "otlp", false)
		}
	}
	report(b, b.N*len(lines), int64(b.N)*int64(size))
}

// BenchmarkPress is the way from a closed journal of 16 MiB to a sealed segment
// in the spool.
func BenchmarkPress(b *testing.B) {
	c := benchConfig(b)
	c.FS = durable.OS
	s := open(b, c, sink{})
	closeIt(b, s)
	p := &press{s: s, place: seal.Genesis(c.Log, c.Signer.Name(), c.Signer.VerifierKey(), [32]byte{1})}
	p.open()
	defer p.dec.Close()
	var groups []group
	records, size := 0, 0
	for lines := benchLines(16384); len(lines) > 0 && size < 16<<20; lines = lines[512:] {
		batch := benchBatch(lines[:512])
		groups = append(groups, batch.group)
		records += 512
		size += batch.Bytes()
	}
	h := newHeader(c.Signer.Name(), 0, p.place.Link)
	line, err := s.closedRecord(&h, records, "size", nil)
	if err != nil {
		b.Fatal(err)
	}
	groups = append(groups, groupOf(string(line)))
	dir := filepath.Join(b.TempDir(), "state")
	for _, sub := range []string{journalDir, spoolDir} {
		if err := durable.MkdirAll(c.FS, filepath.Join(dir, sub), 0o700); err != nil {
			b.Fatal(err)
		}
	}
	j, err := createJournal(c.FS, dir, h, groups, true)
	if err != nil {
		b.Fatal(err)
	}
	defer j.close()
	b.ReportAllocs()
	for b.Loop() {
		content, err := readJournal(c.FS, j.path)
		if err != nil {
			b.Fatal(err)
		}
		o, _, err := p.build(content)
		if err != nil {
			b.Fatal(err)
		}
		if err := spool(c.FS, dir, 0, o); err != nil {
			b.Fatal(err)
		}
	}
	report(b, b.N*records, int64(b.N)*int64(size))
}
