package integrityextension

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
)

// A start says once what works and is hardly meant so, and else nothing.
func TestWarnings(t *testing.T) {
	s := newSite(t)
	s.settings["serve_records"] = true
	warned := func() (all []string) {
		e := s.start(newHost())
		require.NoError(t, e.Shutdown(t.Context()))
		for _, m := range s.said.All() {
			all = append(all, m.Message)
		}
		return all
	}
	quiet := warned()
	require.Len(t, quiet, 1, "only that it serves")

	state := s.settings["state_dir"].(string)
	require.NoError(t, os.Chmod(filepath.Join(state, acknowledgeDir), 0o777))
	certificate(t, s.dir, time.Now().Add(13*24*time.Hour))
	s.settings["http"] = map[string]any{"endpoint": s.address, "tls": map[string]any{"cert_file": filepath.Join(s.dir, "crt"), "key_file": filepath.Join(s.dir, "key")}}
	said := warned()
	require.Len(t, said, 3, said)
	require.Contains(t, said[0], "others may write to "+filepath.Join(state, acknowledgeDir)+", ")
	require.Contains(t, said[1], "the API's certificate has ended or ends soon")
	certificate(t, s.dir, time.Now().Add(15*24*time.Hour))
	require.Len(t, warned(), 2)
}

// certificate writes one that ends then, with its key.
func certificate(t *testing.T, dir string, end time.Time) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "judge"}, NotBefore: time.Unix(0, 0), NotAfter: end}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	for name, block := range map[string]*pem.Block{"crt": {Type: "CERTIFICATE", Bytes: cert}, "key": {Type: "PRIVATE KEY", Bytes: private}} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600))
	}
}

// Records for anybody are warned of where anybody can ask.
func TestRecordsForAnybody(t *testing.T) {
	outside, inside := &net.TCPAddr{IP: net.IPv4zero, Port: 8480}, &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8480}
	for _, c := range []struct {
		http    map[string]any
		records bool
		address net.Addr
		warns   int
	}{
		{nil, true, outside, 1},
		{nil, true, inside, 0},
		{nil, true, &net.UnixAddr{Name: "socket", Net: "unix"}, 0},
		{nil, false, outside, 0},
		{map[string]any{"auth": map[string]any{"authenticator": "bearertokenauth"}}, true, outside, 0},
		{map[string]any{"tls": map[string]any{"cert_file": "a", "key_file": "b"}}, true, outside, 1},
		{map[string]any{"tls": map[string]any{"cert_file": "a", "key_file": "b", "client_ca_file": "c"}}, true, outside, 0},
	} {
		s := newSite(t)
		s.settings["serve_records"] = c.records
		j := s.create(component.TelemetrySettings{}).(*judge)
		if c.http != nil {
			c.http["endpoint"] = s.address
			s.settings["http"] = c.http
			j.cfg = s.config()
		}
		j.warnReaders(c.address)
		require.Equal(t, c.warns, s.said.Len(), "%v", c)
	}
}
