package draft

import (
	"net/netip"
	"strconv"
	"strings"

	"github.com/otelcol-custody/custody/audit"
)

// Source adds from where a request came, as the provider says it: an address, with a
// port or without, or a name. Only addresses and host names are clients'. An IPv4
// address in the form of IPv6 ("::ffff:192.0.2.1") is the client's IPv4 address.
func (d *Draft) Source(native string) {
	if native == "" {
		return
	}
	address, port := native, ""
	if inner, ok := strings.CutPrefix(native, "["); ok && strings.HasSuffix(inner, "]") {
		address = inner[:len(inner)-1]
	}
	if addr, err := netip.ParseAddr(address); err == nil {
		if addr.Is4In6() {
			address = addr.Unmap().String()
		}
	} else if ap, err := netip.ParseAddrPort(native); err == nil {
		address, port = ap.Addr().Unmap().String(), native[strings.LastIndexByte(native, ':')+1:]
	}
	kind := SourceType(address)
	d.SourceOf(native, kind)
	if kind != "" {
		d.Put(audit.AttrClientAddress, address)
		d.PutPort(port)
	}
}

// WithoutQuery is the path of a request without its query, which may hold secrets.
func WithoutQuery(uri string) string {
	path, _, _ := strings.Cut(uri, "?")
	return path
}

// PutPort adds a client's port. Zero is none.
func (d *Draft) PutPort(text string) {
	if text == "" {
		return
	}
	if port, err := strconv.ParseUint(text, 10, 16); err == nil && port > 0 {
		d.PutInt(audit.AttrClientPort, int64(port))
	}
}

// SourceOf adds a source whose type is known and which is no client's address.
func (d *Draft) SourceOf(native, kind string) {
	if native != "" {
		d.Put(audit.AttrSourceID, native)
		d.Put(audit.AttrSourceType, kind)
	}
}

// SourceType says what kind of a client's address something is, "" if none.
func SourceType(address string) string {
	if addr, err := netip.ParseAddr(address); err == nil {
		if addr.Is4() {
			return audit.SourceIPv4
		}
		return audit.SourceIPv6
	}
	if isHostname(address) {
		return audit.SourceHostname
	}
	return ""
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
