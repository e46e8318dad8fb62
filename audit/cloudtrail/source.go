package cloudtrail

import (
	"net/netip"
	"strings"

	"github.com/otelcol-custody/custody/audit"
)

// source maps from where the request came. sourceIPAddress is often no
// address: AWS puts "AWS Internal" or a service's name there.
func (m *mapper) source() {
	if id := m.str(slotSourceIP); id != "" {
		kind, isClient := sourceType(id)
		m.put(audit.AttrSourceID, id)
		m.put(audit.AttrSourceType, kind)
		if isClient {
			m.put(audit.AttrClientAddress, id)
		}
	}
	m.put(audit.AttrUserAgent, m.str(slotUserAgent))
	m.put(audit.AttrTLSVersion, strings.TrimPrefix(m.str(slotTLSVersion), "TLSv"))
	m.put(audit.AttrTLSCipher, m.str(slotTLSCipher))
}

// sourceType returns the kind of a source, "" when it is none of the known,
// and whether it is a client's address.
func sourceType(id string) (kind string, isClient bool) {
	if addr, err := netip.ParseAddr(id); err == nil {
		if addr.Is4() {
			return audit.SourceIPv4, true
		}
		return audit.SourceIPv6, true
	}
	switch {
	case id == "AWS Internal" || isServiceName(id):
		return audit.SourceService, false
	case id == "HIDDEN_DUE_TO_SECURITY_REASONS":
		return audit.SourceRedacted, false
	case isHostname(id):
		return audit.SourceHostname, true
	}
	return "", false
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

// isHostname accepts names of at least two labels in the form of RFC 1123,
// the last of which is not a number, so that no broken address passes.
func isHostname(name string) bool {
	if len(name) > 253 || !strings.Contains(name, ".") {
		return false
	}
	for {
		label, rest, more := strings.Cut(name, ".")
		if !isLabel(label) {
			return false
		}
		if !more {
			return label[0] < '0' || label[0] > '9'
		}
		name = rest
	}
}

func isLabel(label string) bool {
	if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
		return false
	}
	for _, c := range []byte(label) {
		isLetter := c|0x20 >= 'a' && c|0x20 <= 'z'
		if !isLetter && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return true
}
