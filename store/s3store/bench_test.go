package s3store_test

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/otelcol-custody/custody/store"
)

// BenchmarkUpload uploads with the store and with the plain SDK in turn, and
// reports both rates and their ratio.
func BenchmarkUpload(b *testing.B) {
	server := versity(b)
	server.Bucket(b, bucket, true)
	s, client := open(b, options(server, "p")), server.Client()
	for _, size := range []int{2 << 20, 16 << 20} {
		for _, parallel := range []int{1, 4} {
			b.Run(fmt.Sprintf("size=%dMiB/parallel=%d", size>>20, parallel), func(b *testing.B) {
				data := make([]byte, size)
				_, _ = rand.Read(data)
				n := 0
				name := func() string { n++; return fmt.Sprintf("%d/%d/%d/%d", size, parallel, b.N, n) }
				ours := func(name string) error {
					_, err := s.PutOnce(b.Context(), name, data, store.PutOptions{})
					return err
				}
				plain := func(name string) error {
					_, err := client.PutObject(b.Context(), &s3.PutObjectInput{
						Bucket: aws.String(bucket), Key: aws.String("sdk/" + name), Body: bytes.NewReader(data),
					})
					return err
				}
				var took [2]time.Duration
				for i := 0; b.Loop(); i++ {
					for j := range 2 { // now one first, now the other
						which := (i + j) % 2
						took[which] += timed(b, parallel, name, []func(string) error{ours, plain}[which])
					}
				}
				mb := float64(b.N*parallel*size) / 1e6
				b.ReportMetric(mb/took[0].Seconds(), "store-MB/s")
				b.ReportMetric(mb/took[1].Seconds(), "sdk-MB/s")
				b.ReportMetric(took[1].Seconds()/took[0].Seconds(), "ratio")
			})
		}
	}
}

func timed(b *testing.B, parallel int, name func() string, upload func(string) error) time.Duration {
	b.Helper()
	start := time.Now()
	var done sync.WaitGroup
	for range parallel {
		n := name()
		done.Go(func() {
			if err := upload(n); err != nil {
				b.Error(err)
			}
		})
	}
	done.Wait()
	return time.Since(start)
}
