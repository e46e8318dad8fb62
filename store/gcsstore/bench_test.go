package gcsstore_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"testing"

	"cloud.google.com/go/storage"
	"google.golang.org/api/option"

	"github.com/otelcol-custody/custody/store"
	"github.com/otelcol-custody/custody/store/gcsstore"
	"github.com/otelcol-custody/custody/store/storetest/servers"
)

// BenchmarkUpload compares the store with the client library alone, used as
// its examples do, on a server of the same kind.
func BenchmarkUpload(b *testing.B) {
	for _, size := range []int{2 << 20, 16 << 20} {
		data := make([]byte, size)
		_, _ = rand.Read(data) // never fails
		b.Run(fmt.Sprintf("gcsstore/%dMiB", size>>20), func(b *testing.B) {
			g := servers.FakeGCS(b)
			g.Bucket(b, "acme-audit")
			s := open(b, gcsstore.Options{Endpoint: g.Endpoint})
			defer s.Close()
			upload(b, data, func(ctx context.Context, name string) error {
				_, err := s.PutOnce(ctx, name, data, store.PutOptions{})
				return err
			})
		})
		b.Run(fmt.Sprintf("sdk/%dMiB", size>>20), func(b *testing.B) {
			g := servers.FakeGCS(b)
			g.Bucket(b, "acme-audit")
			client, err := storage.NewClient(b.Context(), option.WithEndpoint(g.Endpoint+"/storage/v1/"), option.WithoutAuthentication())
			if err != nil {
				b.Fatal(err)
			}
			defer client.Close()
			upload(b, data, func(ctx context.Context, name string) error {
				w := client.Bucket("acme-audit").Object(name).NewWriter(ctx)
				if _, err := w.Write(data); err != nil {
					return err
				}
				return w.Close()
			})
		})
	}
}

func upload(b *testing.B, data []byte, put func(ctx context.Context, name string) error) {
	b.SetBytes(int64(len(data)))
	for n := 0; b.Loop(); n++ {
		if err := put(b.Context(), fmt.Sprint(n)); err != nil {
			b.Fatal(err)
		}
	}
}
