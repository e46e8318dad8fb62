package distro

import (
	"bytes"
	"testing"
	"time"

	"github.com/otelcol-custody/custody/internal/transfer"
)

func TestBar(t *testing.T) {
	now := time.Unix(1e9, 0)
	var out bytes.Buffer
	b := newBar(&out, func() time.Time { return now })
	show := func(after time.Duration, p transfer.Progress) string {
		out.Reset()
		now = now.Add(after)
		b.show(p)
		return out.String()
	}
	if got := show(time.Second, transfer.Progress{Log: "one", Done: 1, Found: 5000}); got != "" {
		t.Errorf("at once: %q", got)
	}
	if got, want := show(10*time.Second, transfer.Progress{Log: "one", Done: 1500, Found: 5000, Bytes: 20 << 20}), "one 1,500 of 5,000 or more, 20.0 MiB, 2.0 MiB/s\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	b.width = 60
	if got, want := show(10*time.Second, transfer.Progress{Log: "one", Done: 3000, Found: 6000, Bytes: 40 << 20, Listed: true}), "\r\x1b[Kone [############------------] 50% 3,000 of 6,000, 40.0 MiB"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestPrintable(t *testing.T) {
	if got, want := printable("a\x1b[2J\u202eb\n\xff"), `a\x1b[2J\u202eb`+"\n\uFFFD"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
