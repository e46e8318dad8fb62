package digestdir

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/otelcol-custody/custody/audit/cloudtrail/digest"
)

// maxUnproven is how many files of a reason are named that merely nobody vouches for.
const maxUnproven = 100

// A Report is what came of a verification.
type Report struct {
	Buckets []string // of which digests were read
	Chains  []*ChainReport
	// Findings are files that are not what CloudTrail signed, or are missing, and times for
	// which there is no proof. Every file that was touched is in it.
	Findings []digest.Outcome
	// Unproven are files that nothing here speaks for or against, some of each reason.
	Unproven []digest.Outcome
	Counts   map[digest.Reason]uint64 // all files by reason
	Bytes    uint64                   // inflated, of log files
	Unread   []string                 // what could not be read
	Notices  []string

	skipped map[any]bool                    // objects that could not be read, and chains of such digests
	doubted map[digest.Object]digest.Reason // that were said not to be proven
}

func newReport() *Report {
	return &Report{Counts: map[digest.Reason]uint64{}, skipped: map[any]bool{}, doubted: map[digest.Object]digest.Reason{}}
}

// A ChainReport is what is verified of a chain.
type ChainReport struct {
	digest.Chain
	Digests, Logs uint64
	From, To      time.Time // the first hour's beginning, the last one's end
}

// notices are the reasons that are no fault: said, and no more.
var notices = []digest.Reason{digest.LogNotDue, digest.LogOfOtherKind}

// breaks are the gaps of time that make a verification fail.
var breaks = []digest.Reason{digest.DigestOverdue, digest.ChainRestarted, digest.ChainGap}

// passing are the reasons that a later proof takes back.
var passing = []digest.Reason{digest.DigestUnsigned, digest.DigestMissing, digest.LogMissing, digest.LogUnlisted, digest.LogNotListed, digest.LogUncovered}

// Tampered says that something contradicts what CloudTrail signed.
func (r *Report) Tampered() bool {
	return slices.ContainsFunc(r.Findings, func(o digest.Outcome) bool { return o.Reason.Contradicts() })
}

// Complete says that everything that was found could be judged, and that it was not nothing.
func (r *Report) Complete() bool {
	unproven := slices.ContainsFunc(r.Doubts(), func(reason digest.Reason) bool { return !slices.Contains(notices, reason) })
	return r.Counts[digest.DigestVerified] > 0 && len(r.Unread) == 0 && !unproven
}

// Doubts are the reasons for which files are neither verified nor a finding.
func (r *Report) Doubts() (list []digest.Reason) {
	for reason, n := range r.Counts {
		if n > 0 && reason.Kind() != digest.Verified && !isFinding(reason) {
			list = append(list, reason)
		}
	}
	slices.Sort(list)
	return list
}

func isFinding(r digest.Reason) bool { return r.Contradicts() || slices.Contains(breaks, r) }

func (r *Report) add(outcomes []digest.Outcome) {
	for _, o := range outcomes {
		missing := o.Reason == digest.LogMissing || o.Reason == digest.DigestMissing
		if missing && r.skipped[o.Object] || o.Reason == digest.DigestOverdue && r.skipped[o.Chain] {
			continue
		}
		r.Counts[o.Reason]++
		if slices.Contains(passing, o.Reason) {
			r.doubted[o.Object] = o.Reason
		}
		switch {
		case o.Kind() == digest.Verified:
			r.verified(o)
		case isFinding(o.Reason):
			r.Findings = append(r.Findings, o)
		case r.Counts[o.Reason] <= maxUnproven:
			r.Unproven = append(r.Unproven, o)
		}
	}
}

func (r *Report) verified(o digest.Outcome) {
	i := slices.IndexFunc(r.Chains, func(c *ChainReport) bool { return c.Chain == o.Chain })
	if i < 0 {
		i = len(r.Chains)
		r.Chains = append(r.Chains, &ChainReport{Chain: o.Chain})
	}
	c := r.Chains[i]
	if o.Reason == digest.LogVerified {
		c.Logs++
	} else {
		c.Digests++
		if c.From.IsZero() || o.From.Before(c.From) {
			c.From = o.From
		}
		if o.To.After(c.To) {
			c.To = o.To
		}
		r.bucket(o.Object.Bucket)
	}
	was, ok := r.doubted[o.Object]
	if !ok {
		return
	}
	delete(r.doubted, o.Object)
	r.Counts[was]--
	doubt := func(other digest.Outcome) bool { return other.Object == o.Object && other.Reason == was }
	r.Unproven, r.Findings = slices.DeleteFunc(r.Unproven, doubt), slices.DeleteFunc(r.Findings, doubt)
}

func (r *Report) bucket(name string) {
	if !slices.Contains(r.Buckets, name) {
		r.Buckets = append(r.Buckets, name)
		slices.Sort(r.Buckets)
	}
}

// unread notes that an object is there, but could not be read: it is not missing.
func (r *Report) unread(o digest.Object, err error) {
	r.Unread = append(r.Unread, err.Error())
	r.skipped[o] = true
	if n, err := digest.ParseName(o.Key); err == nil {
		r.skipped[n.Chain] = true
	}
}

// strangers are files among CloudTrail's that are none of them.
type strangers struct {
	count int
	some  []string
}

func (s *strangers) add(name string) {
	if s.count++; len(s.some) < 10 {
		s.some = append(s.some, name)
	}
}

func (s *strangers) note(r *Report) {
	if s.count == 0 {
		return
	}
	more := ""
	if s.count > len(s.some) {
		more = fmt.Sprintf(" and %d more", s.count-len(s.some))
	}
	r.Notices = append(r.Notices, "not named as CloudTrail names files, and so not checked, though a query over the folder reads them: "+strings.Join(s.some, ", ")+more)
}
