package distro

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/otelcol-custody/custody/receiver/awscloudtrailreceiver"
)

// A backfillBar shows how far a backfill is, as a [bar] does. Its methods may be called
// concurrently.
type backfillBar struct {
	mu    sync.Mutex
	bar   *bar
	quiet bool
}

func newBackfillBar(w io.Writer, now func() time.Time, quiet bool) *backfillBar {
	b := newBar(w, now)
	b.began = now()
	return &backfillBar{bar: b, quiet: quiet}
}

// Write writes lines of a log above the bar.
func (b *backfillBar) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.bar.clear()
	return b.bar.w.Write(p)
}

func (b *backfillBar) show(p awscloudtrailreceiver.BucketProgress) {
	b.print(func(spent time.Duration) string { return backfillLine(p, spent) })
}

// waiting shows what is left to do once all is read.
func (b *backfillBar) waiting(segments int64) {
	b.print(func(time.Duration) string {
		return "all is read; " + several(uint64(segments), "segment") + " on the way to the stores"
	})
}

func (b *backfillBar) print(line func(spent time.Duration) string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now, every := b.bar.now(), lineEvery
	if b.bar.width > 0 {
		every = barEvery
	}
	if b.quiet || now.Sub(b.bar.shown) < every {
		return
	}
	b.bar.shown = now
	text := line(now.Sub(b.bar.began))
	if b.bar.width == 0 {
		fmt.Fprintln(b.bar.w, text)
		return
	}
	fmt.Fprintf(b.bar.w, "\r\x1b[K%s", text[:min(len(text), b.bar.width-1)])
}

func (b *backfillBar) clear() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.bar.clear()
}

// backfillLine is ASCII, so that it can be cut anywhere.
func backfillLine(p awscloudtrailreceiver.BucketProgress, spent time.Duration) string {
	var s strings.Builder
	if p.Day != "" {
		s.WriteString(p.Day + " " + p.Region + ", ")
	}
	part := 0.0
	if p.Counted && p.Found > 0 {
		part = float64(p.Done+p.Troubled) / float64(p.Found)
		fmt.Fprintf(&s, "%d%%, %s of %s objects", int(part*100), number(p.Done), number(p.Found))
	} else {
		fmt.Fprintf(&s, "%s of %s objects or more", number(p.Done), number(p.Found))
	}
	fmt.Fprintf(&s, ", %s, %s", several(p.Events, "event"), size(p.Bytes))
	if spent >= time.Second {
		fmt.Fprintf(&s, ", %s/s", several(uint64(float64(p.Events)/spent.Seconds()), "event"))
		if part > 0 {
			s.WriteString(", " + span(max(time.Duration(float64(spent)*(1-part)/part), time.Second)) + " left")
		}
	}
	if p.Troubled > 0 {
		s.WriteString(", " + several(p.Troubled, "object") + " in trouble")
	}
	return s.String()
}
