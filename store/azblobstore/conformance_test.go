package azblobstore

import (
	"fmt"
	"testing"

	"github.com/otelcol-custody/custody/store"
	"github.com/otelcol-custody/custody/store/storetest"
	"github.com/otelcol-custody/custody/store/storetest/servers"
)

// Azurite proves create-only writes, reads and listings. It takes policies and
// drops them, and knows no versions.
func TestConformance(t *testing.T) {
	t.Run("azurite", func(t *testing.T) {
		server, n := servers.Azurite(t), 0
		storetest.Run(t, func(t *testing.T) store.Store {
			n++
			opt := options(t, server, fmt.Sprintf("acme-audit-%d", n))
			if n%2 == 0 {
				opt.Prefix = "custody/+ %2F/"
			}
			return open(t, opt)
		}, storetest.Caps{RetentionLost: true})
	})
}
