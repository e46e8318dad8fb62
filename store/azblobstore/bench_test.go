package azblobstore

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"

	"github.com/otelcol-custody/custody/store"
	"github.com/otelcol-custody/custody/store/storetest/servers"
)

// BenchmarkUpload compares with two uploads by the SDK alone: plain, without a
// condition or checksum, and checked, with the Content-MD5 that ours sends.
// Azurite reads a blob again to check it, in its one thread, so the difference
// between these two is the server's rather than the client's.
func BenchmarkUpload(b *testing.B) {
	server := servers.Azurite(b)
	s := open(b, options(b, server, "acme-audit"))
	var n atomic.Int64
	for _, size := range []int{2 << 20, 16 << 20} {
		data := make([]byte, size)
		_, _ = rand.Read(data) // never fails
		ways := []struct {
			name string
			put  func() error
		}{
			{"azblobstore", func() error {
				_, err := s.PutOnce(b.Context(), fmt.Sprintf("ours/%d", n.Add(1)), data, store.PutOptions{})
				return err
			}},
			{"plain", func() error { return alone(b, s, n.Add(1), data, nil) }},
			{"checked", func() error {
				return alone(b, s, n.Add(1), data, &blockblob.UploadOptions{TransactionalValidation: checksum(data)})
			}},
		}
		for _, way := range ways {
			b.Run(fmt.Sprintf("%s/%dMiB", way.name, size>>20), func(b *testing.B) {
				b.SetBytes(int64(size))
				for b.Loop() {
					if err := way.put(); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

func alone(b *testing.B, s *Store, n int64, data []byte, opt *blockblob.UploadOptions) error {
	_, err := s.client.NewBlockBlobClient(fmt.Sprintf("alone/%d", n)).Upload(b.Context(), streaming.NopCloser(bytes.NewReader(data)), opt)
	return err
}
