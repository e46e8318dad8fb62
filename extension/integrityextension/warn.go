package integrityextension

import (
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"

	"go.uber.org/zap"
)

// warnBefore is how long before the end of the API's certificate a start warns.
const warnBefore = 14 * 24 * time.Hour

// warn says at a start, once, what works and is hardly meant so.
func (j *judge) warn(now time.Time) {
	for _, dir := range []string{j.cfg.StateDir, filepath.Join(j.cfg.StateDir, acknowledgeDir)} {
		if info, err := os.Stat(dir); err == nil && info.Mode().Perm()&0o022 != 0 {
			j.set.Logger.Warn(fmt.Sprintf("others may write to %s, and who may write there may acknowledge incidents and change what is remembered; run: chmod 700 %[1]s", dir),
				zap.Stringer("mode", info.Mode()))
		}
	}
	if end := ends(j.tls); !end.IsZero() && now.Add(warnBefore).After(end) {
		j.set.Logger.Warn("http::tls: the API's certificate has ended or ends soon, and then clients and peers refuse it; renew it", zap.Time("ends", end))
	}
}

// warnReaders says that records are served to anybody, on an address that others
// can reach.
func (j *judge) warnReaders(address net.Addr) {
	tcp, ok := address.(*net.TCPAddr)
	h := j.cfg.HTTP.Get()
	known := h.Auth.HasValue() || h.TLS.HasValue() && h.TLS.Get().ClientCAFile != ""
	if j.cfg.ServeRecords && ok && !tcp.IP.IsLoopback() && !known {
		j.set.Logger.Warn("serve_records: records are handed out to anybody who reaches this address; set http::auth, or listen on 127.0.0.1", zap.Stringer("address", address))
	}
}

// ends is when the certificate of a server ends, zero if there is none.
func ends(c *tls.Config) time.Time {
	if c == nil || c.GetCertificate == nil {
		return time.Time{}
	}
	cert, err := c.GetCertificate(nil)
	if err != nil || cert.Leaf == nil {
		return time.Time{}
	}
	return cert.Leaf.NotAfter
}
