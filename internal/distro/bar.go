package distro

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/otelcol-custody/custody/internal/transfer"
)

const (
	barEvery  = 200 * time.Millisecond // on a terminal
	lineEvery = 5 * time.Second        // elsewhere
	barWidth  = 24
)

// A bar shows progress: one line that is kept up to date on a terminal, lines
// from time to time elsewhere. Its methods are not called at the same time.
type bar struct {
	w     io.Writer
	now   func() time.Time
	width int // of the terminal, 0: none
	log   string
	began time.Time // the log
	shown time.Time
}

func newBar(w io.Writer, now func() time.Time) *bar {
	b := &bar{w: w, now: now, shown: now()}
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		b.width = 80
		if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 0 {
			b.width = width
		}
	}
	return b
}

func (b *bar) show(p transfer.Progress) {
	now := b.now()
	if p.Log != b.log {
		b.log, b.began = p.Log, now
	}
	every := lineEvery
	if b.width > 0 {
		every = barEvery
	}
	if now.Sub(b.shown) < every {
		return
	}
	b.shown = now
	line := b.line(p, now.Sub(b.began))
	if b.width == 0 {
		fmt.Fprintln(b.w, line)
		return
	}
	fmt.Fprintf(b.w, "\r\x1b[K%s", line[:min(len(line), b.width-1)])
}

// line is ASCII, so that it can be cut anywhere.
func (b *bar) line(p transfer.Progress, spent time.Duration) string {
	var s strings.Builder
	s.WriteString(p.Log + " ")
	part := 0.0
	if p.Listed && p.Found > 0 {
		part = float64(p.Done) / float64(p.Found)
		if b.width > 0 {
			full := int(part * barWidth)
			s.WriteString("[" + strings.Repeat("#", full) + strings.Repeat("-", barWidth-full) + "] ")
		}
		fmt.Fprintf(&s, "%d%% %s of %s", int(part*100), number(p.Done), number(p.Found))
	} else {
		fmt.Fprintf(&s, "%s of %s or more", number(p.Done), number(p.Found))
	}
	s.WriteString(", " + size(p.Bytes))
	if spent >= time.Second {
		s.WriteString(", " + size(uint64(float64(p.Bytes)/spent.Seconds())) + "/s")
		if part > 0 {
			s.WriteString(", " + span(max(time.Duration(float64(spent)*(1-part)/part), time.Second)) + " left")
		}
	}
	return s.String()
}

// clear takes the line away.
func (b *bar) clear() {
	if b.width > 0 {
		fmt.Fprint(b.w, "\r\x1b[K")
	}
}
