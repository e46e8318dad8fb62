package transfer

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
)

// A Code names what a notice or a finding is about.
type Code string

// The codes of findings. Replicate also uses those of package verify.
const (
	// SegmentAltered: no version of a segment hashes to what its name says.
	SegmentAltered Code = "segment-altered"
	// ForeignObject: what is not of the log lies among its seals or segments.
	ForeignObject Code = "foreign-object"
	// CopyDiffers: the directory holds other bytes under a name than the store.
	CopyDiffers Code = "copy-differs"
)

// The codes of notices.
const (
	Shadowed Code = "shadowed"  // another version of an object beside the one that was copied
	Hidden   Code = "hidden"    // a delete marker
	TooLarge Code = "too-large" // a version longer than the format allows; not copied
	Foreign  Code = "foreign"   // beside the log's folders or among its tiles, by its name; not copied
	Gone     Code = "gone"      // the directory has it, the store has it no more
	Derived  Code = "tile"      // a tile that is not that of the log's tree
)

// A Finding is evidence of tampering. A failed read is never a finding.
type Finding struct {
	Code    Code    `json:"code"`
	Log     string  `json:"log"`
	Object  string  `json:"object"`          // name in the store
	First   *uint64 `json:"first,omitempty"` // first record of the segment, when it is known
	Message string  `json:"message"`
}

// A Notice is not tampering with evidence that was copied, yet worth a sentence.
type Notice struct {
	Code    Code   `json:"code"`
	Log     string `json:"log"`
	Object  string `json:"object"`
	Version string `json:"version,omitempty"` // where the store has versions
	Message string `json:"message"`
}

// A Failure is an object that could not be dealt with. Doing it all again tries
// it again.
type Failure struct {
	Log     string `json:"log"`
	Object  string `json:"object"` // or the folder that could not be listed
	Message string `json:"message"`
}

// A Report says what became of one log.
type Report struct {
	Log      string    `json:"log"`
	Objects  uint64    `json:"objects"`  // copied, or extended
	Bytes    uint64    `json:"bytes"`    // of these
	Skipped  uint64    `json:"skipped"`  // nothing was to be done
	Expired  uint64    `json:"expired"`  // segments gone after their time (Replicate)
	Foreign  uint64    `json:"foreign"`  // left out: their names are not of the format
	Failed   uint64    `json:"failed"`   // see Failures
	Findings []Finding `json:"findings"` // the first [maxListed] of each code
	Notices  []Notice  `json:"notices"`  // likewise
	Failures []Failure `json:"failures"` // likewise

	counts map[Code]int
	found  uint64 // items that were listed
}

// A Result is what became of all logs.
type Result struct {
	Logs   []*Report `json:"logs"`
	Beside []string  `json:"beside"` // names beside the logs, the first [maxListed]; left out
}

// Tampered says whether something was found.
func (r *Result) Tampered() bool { return slices.ContainsFunc(r.Logs, (*Report).Tampered) }

// Complete says whether everything could be dealt with.
func (r *Result) Complete() bool {
	return !slices.ContainsFunc(r.Logs, func(l *Report) bool { return !l.Complete() })
}

// maxListed bounds memory: a marker on each of a million objects is one fact.
const maxListed = 100

// empty says whether the store had nothing of the log.
func (r *Report) empty() bool {
	return r.found == 0 && len(r.Findings)+len(r.Failures) == 0
}

// Tampered says whether something was found.
func (r *Report) Tampered() bool { return len(r.Findings) > 0 }

// Complete says whether everything could be dealt with.
func (r *Report) Complete() bool { return r.Failed == 0 }

func newReport(log string) *Report {
	return &Report{Log: log, Findings: []Finding{}, Notices: []Notice{}, Failures: []Failure{}, counts: map[Code]int{}}
}

// lists says whether one more of a code is listed, and counts it.
func (r *Report) lists(code Code) bool {
	r.counts[code]++
	return r.counts[code] <= maxListed
}

// An outcome is what became of one item.
type outcome struct {
	objects, bytes, skipped, expired, foreign uint64
	findings                                  []Finding
	notices                                   []Notice
}

func (r *Report) add(o outcome) {
	r.Objects += o.objects
	r.Bytes += o.bytes
	r.Skipped += o.skipped
	r.Expired += o.expired
	r.Foreign += o.foreign
	for _, f := range o.findings {
		f.Log = r.Log
		if r.lists(f.Code) {
			r.Findings = append(r.Findings, f)
		}
	}
	for _, n := range o.notices {
		n.Log = r.Log
		if r.lists(n.Code) {
			r.Notices = append(r.Notices, n)
		}
	}
}

const failed Code = "failed"

func (r *Report) fail(object string, err error) {
	r.Failed++
	if r.lists(failed) {
		r.Failures = append(r.Failures, Failure{r.Log, object, err.Error()})
	}
}

// close sorts what several workers entered, and says what was left out.
func (r *Report) close() {
	slices.SortStableFunc(r.Findings, func(a, b Finding) int { return cmp.Compare(a.Object, b.Object) })
	slices.SortStableFunc(r.Notices, func(a, b Notice) int { return cmp.Compare(a.Object, b.Object) })
	slices.SortStableFunc(r.Failures, func(a, b Failure) int { return cmp.Compare(a.Object, b.Object) })
	for _, code := range slices.Sorted(maps.Keys(r.counts)) {
		if n := r.counts[code] - maxListed; n > 0 {
			r.Notices = append(r.Notices, Notice{Code: code, Log: r.Log, Message: fmt.Sprintf("%d more of this kind are not listed", n)})
		}
	}
}

// Progress says how far the work on a log has come.
type Progress struct {
	Log    string
	Done   uint64 // objects dealt with
	Bytes  uint64 // copied
	Found  uint64 // objects that were listed so far
	Listed bool   // Found is all there are
}

// Options say what is transferred and how.
type Options struct {
	Logs     []string       // names; empty means all
	Workers  int            // objects in hand at once; less than 1 means [DefaultWorkers]
	Progress func(Progress) // may be nil; called one at a time
}
