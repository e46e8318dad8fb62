package cloudtrail

import (
	"strings"

	"github.com/otelcol-custody/custody/audit"
	"github.com/otelcol-custody/custody/audit/internal/draft"
)

// source maps from where the request came. sourceIPAddress is often no
// address: AWS puts "AWS Internal" or a service's name there.
func (m *mapper) source() {
	if id := m.str(slotSourceIP); id != "" {
		kind, isClient := sourceType(id)
		m.Put(audit.AttrSourceID, id)
		m.Put(audit.AttrSourceType, kind)
		if isClient {
			m.Put(audit.AttrClientAddress, id)
		}
	}
	m.Put(audit.AttrUserAgent, m.str(slotUserAgent))
	m.Put(audit.AttrTLSVersion, strings.TrimPrefix(m.str(slotTLSVersion), "TLSv"))
	m.Put(audit.AttrTLSCipher, m.str(slotTLSCipher))
}

// sourceType returns the kind of a source, "" when it is none of the known, and
// whether it is a client's address.
func sourceType(id string) (kind string, isClient bool) {
	switch {
	case id == "AWS Internal" || isServiceName(id):
		return audit.SourceService, false
	case id == "HIDDEN_DUE_TO_SECURITY_REASONS":
		return audit.SourceRedacted, false
	}
	kind = draft.SourceType(id)
	return kind, kind != ""
}

// isServiceName reports whether a DNS name is AWS's own for a service.
func isServiceName(name string) bool {
	for _, suffix := range [...]string{".amazonaws.com", ".amazonaws.com.cn", ".aws.internal", ".api.aws"} {
		if strings.HasSuffix(name, suffix) {
			return true
		}
	}
	return false
}
