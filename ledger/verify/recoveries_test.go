package verify_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/otelcol-custody/custody/ledger/ledgertest"
	"github.com/otelcol-custody/custody/ledger/segment"
	"github.com/otelcol-custody/custody/ledger/verify"
)

func recoveryLine(t *testing.T, found string) []byte {
	t.Helper()
	r := segment.Recovery{At: ledgertest.Began, Found: found}
	line, err := r.Line()
	if err != nil {
		t.Fatal(err)
	}
	return line
}

// Recoveries of intact segments are shown, in order, and are no findings.
func TestRecoveries(t *testing.T) {
	signer := ledgertest.Signer(t, origin)
	l := ledgertest.NewLog("test", signer)
	l.Add(t, 3)
	var want []string
	for i := range 40 {
		l.Extend(t, [][]byte{[]byte(`{"body":"kept"}`), recoveryLine(t, fmt.Sprint(i))}, nil)
		want = append(want, fmt.Sprintf("%d %d", 3+3*i+1, i))
	}
	malformed := []byte(`{"custody":{"recovery":{"found":1}}}`)
	l.Extend(t, [][]byte{malformed, malformed}, nil)
	o := put(l.Segments...)
	r := check(t, o.fs(), ledgertest.Keys(t, signer))
	if r.Tampered() || !r.Complete() || shown(r) != strings.Join(want[8:], ", ") {
		t.Errorf("%v %v, recoveries %s", r.Findings, r.Unread, shown(r))
	}
	notices := strings.Join(r.Notices, "\n")
	for _, say := range []string{"8 older recoveries of log test are not listed", "record 123 calls itself a recovery and has not the form of one (spec §7.1); there are 2 such records"} {
		if !strings.Contains(notices, say) {
			t.Errorf("notices lack %q: %s", say, notices)
		}
	}
	last := l.Segments[40].Seal.SegmentName()
	r = check(t, o.flip(last, 300).fs(), ledgertest.Keys(t, signer))
	if strings.Contains(shown(r), " 39") || !r.Tampered() {
		t.Errorf("an altered segment speaks of a recovery: %s", shown(r))
	}
}

func shown(r *verify.Report) string {
	var out []string
	for _, one := range r.Recoveries {
		out = append(out, fmt.Sprintf("%d %s", one.Record, one.Found))
	}
	return strings.Join(out, ", ")
}

// TestAfterEnd: what stands behind the end is a finding, valid or not a gap.
func TestAfterEnd(t *testing.T) {
	signer := ledgertest.Signer(t, origin)
	keys := ledgertest.Keys(t, signer)
	l := ledgertest.NewLog("test", signer)
	l.Add(t, 3)
	l.Extend(t, [][]byte{[]byte(`{"body":1}`)}, func(c *segment.Closed) { c.Reason, c.NextBy = segment.Ended, time.Time{} })
	r := check(t, put(l.Segments...).fs(), keys)
	want(t, "ended", r, "")
	if !r.Ended || !r.NextBy.IsZero() {
		t.Errorf("ended %t, next by %v", r.Ended, r.NextBy)
	}
	l.Add(t, 2, 4)
	r = check(t, put(l.Segments...).fs(), keys)
	want(t, "went on", r, "after-end 5")
	if r.Ended || !strings.Contains(r.Findings[0].String(), "after-end: log test, segment 5: the log said at 2026-03-01T12:02:00Z that it has ended, with record 4 as its last") {
		t.Errorf("ended %t: %v", r.Ended, r.Findings)
	}
	o := put(l.Segments...)
	delete(o, l.Segments[2].Seal.Name())
	delete(o, l.Segments[2].Seal.SegmentName())
	want(t, "went on behind a gap", check(t, o.fs(), keys), "seal-missing 5, after-end 7")
}
