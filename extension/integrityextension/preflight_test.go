package integrityextension

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/extension/extensiontest"
)

// What only a start would find, validate finds, all at once; and so does the
// start, before it begins anything.
func TestCheckStart(t *testing.T) {
	s := newSite(t)
	bearer := component.MustNewID("bearertokenauth")
	require.NoError(t, s.config().CheckStart(nil))

	secret := filepath.Join(s.dir, "secret")
	require.NoError(t, os.WriteFile(secret, []byte("whsec_AAAA\n"), 0o644))
	auth := map[string]any{"authenticator": "bearertokenauth"}
	s.settings["log_keys"] = []any{"testdata/none.pub"}
	s.settings["http"] = map[string]any{"endpoint": s.address, "auth": auth, "tls": map[string]any{"cert_file": "none.crt", "key_file": "none.key"}}
	s.settings["webhook"] = map[string]any{"endpoint": "https://a.example", "secret": map[string]any{"file": secret}, "auth": auth}
	s.settings["peers"] = []any{map[string]any{"endpoint": "https://b.example", "auth": auth, "tls": map[string]any{"ca_file": "none.crt"}}}
	wants := []string{
		"log_keys: key file: open testdata/none.pub: no such file or directory; it is written beside the private key by `custody keygen`",
		"http::tls: ", "webhook::secret::file: the mode of", "peers[0]::tls: ", "http::auth: there is no extension \"bearertokenauth\"", "webhook::auth: ", "peers[0]::auth: ",
	}
	for n, extensions := range map[int][]component.ID{7: nil, 4: {bearer}} {
		lines := strings.Split(s.config().CheckStart(extensions).Error(), "\n")
		require.Len(t, lines, n, lines)
		for i, line := range lines {
			require.True(t, strings.HasPrefix(line, wants[i]), line)
		}
	}
	cfg := createDefaultConfig()
	require.NoError(t, confmap.NewFromStringMap(s.settings).Unmarshal(cfg))
	_, err := NewFactory().Create(t.Context(), extensiontest.NewNopSettings(typ), cfg)
	require.ErrorContains(t, err, wants[0])
	require.Equal(t, []component.ID{bearer, bearer, bearer}, (&judge{cfg: cfg}).Dependencies())
}
