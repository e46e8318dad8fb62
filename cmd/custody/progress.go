package main

import (
	"fmt"
	"io"
	"time"

	"github.com/otelcol-custody/custody/ledger/verify"
)

// progress keeps one line on a terminal up to date. Its methods are not called
// at the same time.
type progress struct {
	w     io.Writer
	now   func() time.Time
	logs  int
	log   string // the one being verified
	at    int    // its number, from 1
	began time.Time
	shown time.Time
}

const progressEvery = 200 * time.Millisecond

func newProgress(w io.Writer, now func() time.Time, logs int) *progress {
	return &progress{w: w, now: now, logs: logs}
}

func (p *progress) show(v verify.Progress) {
	now := p.now()
	if v.Log != p.log {
		p.log, p.began, p.at = v.Log, now, p.at+1
	}
	if now.Sub(p.shown) < progressEvery {
		return
	}
	p.shown = now
	name := printable(v.Log)
	if p.logs > 1 {
		name = fmt.Sprintf("%s (log %d of %d)", name, p.at, p.logs)
	}
	line := fmt.Sprintf("%s: %s of %s segments, %s records", name, number(v.Segments), number(v.Total), number(v.Records))
	if spent := now.Sub(p.began); spent >= time.Second && v.Segments > 0 {
		line += fmt.Sprintf(", %s records/s", number(uint64(float64(v.Records)/spent.Seconds())))
		if v.Total > v.Segments {
			left := time.Duration(float64(spent) / float64(v.Segments) * float64(v.Total-v.Segments))
			line += ", " + span(max(left.Round(time.Second), time.Second)) + " left"
		}
	}
	fmt.Fprintf(p.w, "\r\x1b[K%s", line)
}

// clear takes the line away.
func (p *progress) clear() {
	if !p.shown.IsZero() {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}
