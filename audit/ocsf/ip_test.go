package ocsf

import (
	"net/netip"
	"testing"
)

// FuzzIP holds isIP against net/netip.
func FuzzIP(f *testing.F) {
	for _, s := range []string{
		"", "192.0.2.7", "192.0.2.07", "192.0.2.256", "192.0.2", "192.0.2.7.1", "+1.0.0.0", "1..2.3", "::", "::1", "2001:db8::", "2001:db8::1",
		"1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7::", "1::2:3:4:5:6:7:8", "::ffff:192.0.2.7", "1:2:3:4:5:6:192.0.2.7", "1:2:3:4:5:6:7:192.0.2.7",
		"192.0.2.7::", "::192.0.2.7:1", ":::", "1:::2", "::1::", "fe80::1%eth0", "12345::", "::g", "0x1::", "[::1]:443", ":1:2:3:4:5:6:7", "1:2:3:4:5:6:7:", ":", "::192.0.2.07",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		addr, err := netip.ParseAddr(s)
		if want := err == nil && addr.Zone() == ""; isIP(s) != want {
			t.Errorf("isIP(%q) = %v, want %v", s, !want, want)
		}
	})
}
